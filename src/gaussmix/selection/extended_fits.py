"""One component more: the likeliest sound fit of K + 1 components to rows that K have been fitted to.

A test compares such fits on the data and on many samples. There are two ways to seek them, rows of ``SEARCHES``:

- 'thorough' is the same on data and samples, which is what makes a test fair: a search that tries harder
  on the data finds more there whatever is true. It begins from each of the K components cut in two at
  its mean, across its longest, its second longest and its shortest axis, and from partitions of
  k-means; a few passes show which of these leads on.
- 'hierarchical' is mclust's: on the data one start, from a tree of the rows, and on samples one, the
  data's own fit (or the thorough search, where that does not end sound). One start is less work
  than many, and may stay in a lower maximum on either side.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.linalg import eigh_descending
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.model.degeneracy import count_degenerate_components
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.initialization.hierarchical_clustering import initialize_hierarchical
from gaussmix.solvers.initialization.init_methods import initial_partitions
from gaussmix.solvers.initialization.initial_mixture import (
    initialize_from_labels,
    initialize_from_moments,
    sort_components,
)
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import HalvingRounds, continue_run, successive_halving
from gaussmix.solvers.stopping import RelativeGainRule
from gaussmix.types import D

STOPPING_RULE = RelativeGainRule(1e-7)
"""To a few thousandths of a nat; one for data and samples: who runs on for longer climbs higher."""

_N_PARTITIONS = 3
_HALVING_ROUNDS: HalvingRounds = (
    (8, 4),
    (20, 3),
)  # the first of them is run to its end, the others if that is not sound


@dataclass(frozen=True)
class ExtendedFit:
    """A fit that has ended: its mixture, in the order of its means, and its log-likelihood (nats, data units)."""

    mixture: Mixture
    log_likelihood: float


def fit_from_start(problem: Problem, initial_mixture: Mixture) -> ExtendedFit | None:
    """What EM makes of a start in the problem's frame; None where it does not end sound."""
    return _make_extended_fit(
        run_solver(EM(problem.covariance_estimator), initial_mixture, problem, STOPPING_RULE), problem
    )


def fit_from_many_starts(problem: Problem, null_mixture: Mixture, rng: np.random.Generator) -> ExtendedFit | None:
    """The likeliest sound fit of one component more than ``null`` (in the problem's frame); None where none is."""
    solver = EM(problem.covariance_estimator)
    begun = [
        *_split_component_starts(problem, null_mixture),
        *_partition_starts(problem, null_mixture.n_components + 1, rng),
    ]
    heats = successive_halving(
        solver,
        begun,
        problem,
        STOPPING_RULE,
        lambda heat: not count_degenerate_components(heat.mixture, problem),
        _HALVING_ROUNDS,
    )
    ended = (_make_extended_fit(continue_run(solver, heat, problem, STOPPING_RULE), problem) for heat in heats)
    return next((found for found in ended if found is not None), None)


def fit_from_tree(problem: Problem, null_mixture: Mixture, rng: np.random.Generator) -> ExtendedFit | None:
    """The fit of one component more than ``null`` that begins at a tree of the rows; None where it is not sound."""
    return fit_from_start(problem, initialize_hierarchical(problem, null_mixture.n_components + 1, rng))


def fit_from_data_mixture(
    problem: Problem, null_mixture: Mixture, data_mixture: Mixture, rng: np.random.Generator
) -> ExtendedFit | None:
    """What EM makes of the data's own fit on a sample; where it does not end sound, the thorough search."""
    return fit_from_start(problem, data_mixture) or fit_from_many_starts(problem, null_mixture, rng)


@dataclass(frozen=True)
class SearchStrategy:
    """How one component more is sought on the data, and on a sample of the null where the data's fit is known."""

    fit_on_data: Callable[[Problem, Mixture, np.random.Generator], ExtendedFit | None]
    fit_on_sample: Callable[[Problem, Mixture, Mixture, np.random.Generator], ExtendedFit | None]


SEARCH_STRATEGIES = {
    "thorough": SearchStrategy(
        fit_from_many_starts, lambda problem, null, found, rng: fit_from_many_starts(problem, null, rng)
    ),
    "hierarchical": SearchStrategy(fit_from_tree, fit_from_data_mixture),
}


def _make_extended_fit(result: RunResult, problem: Problem) -> ExtendedFit | None:
    if count_degenerate_components(result.mixture, problem):
        return None
    return ExtendedFit(sort_components(result.mixture, problem), result.last_log_likelihood)


def _split_component_starts(problem: Problem, null_mixture: Mixture) -> list[Mixture]:
    """The null with one of its components cut in two, for each component and each of up to three axes."""
    moments = problem.e_step(null_mixture, MomentKind.FULL).moments
    variances, axes = eigh_descending(moments.scatter / moments.mass[:, None, None])
    chosen = sorted({0, min(1, null_mixture.n_features - 1), null_mixture.n_features - 1})
    return [
        _mixture_from_moments(problem, _split_moments(moments, k, np.sqrt(max(variances[k, j], 0.0)) * axes[k][:, j]))
        for k in range(null_mixture.n_components)
        for j in chosen
    ]


def _mixture_from_moments(problem: Problem, moments: Moments) -> Mixture:
    return initialize_from_moments(problem, moments.to_kind(problem.covariance_estimator.moment_kind))


def _split_moments(moments: Moments, component: int, scaled_axis: D) -> Moments:
    """Full moments with one Gaussian cut at its mean, across an axis of so long a standard deviation."""
    low, high = moments.select_components(np.array([component])).split_at_means(scaled_axis[None])
    mass, mean, scatter = (
        np.concatenate([getattr(moments, part), getattr(high, part)]) for part in ("mass", "mean", "scatter")
    )
    mass[component], mean[component], scatter[component] = low.mass[0], low.mean[0], low.scatter[0]
    return Moments(mass, mean, scatter, MomentKind.FULL)


def _partition_starts(problem: Problem, n_components: int, rng: np.random.Generator) -> list[Mixture]:
    found = initial_partitions(problem, n_components, _N_PARTITIONS, rng)
    return [initialize_from_labels(problem, labels, n_components) for labels in found]
