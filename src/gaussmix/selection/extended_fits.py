"""Fits of one component more: the best nondegenerate fit of K + 1 components, given a fit of K components.

The bootstrap test compares such fits on the data and on many samples. ``SEARCH_STRATEGIES`` holds two ways:

- 'thorough' searches equally on data and samples, which makes the test fair: a more thorough search on the data alone
  finds a higher maximum there whatever is true. It starts from each of the K components split at its mean across its
  longest, second longest and shortest axis, and from partitions of k-means. Successive halving selects among them.
- 'hierarchical' is mclust's way: on the data one start from a tree of the rows, on samples one start from the data's
  fit (or the thorough search, if that ends degenerate). One start is less work, but may end in a lower maximum. The
  best of several on the data alone would reject too often: of 60 normal tables, 9 instead of 3 at a level of 5 %.
"""

from collections.abc import Callable, Sequence
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
    sort_components_by_mean,
)
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import HalvingRounds, continue_run, successive_halving
from gaussmix.solvers.stopping import RelativeGainRule
from gaussmix.types import D

# Accurate to a few thousandths of a nat. Data and samples share the rule, because a later stop means a higher maximum.
STOPPING_RULE = RelativeGainRule(1e-7)

_N_PARTITIONS = 3

# The best of the last round runs to convergence; the others follow only if it ends degenerate.
_HALVING_ROUNDS: HalvingRounds = ((8, 4), (20, 3))


@dataclass(frozen=True)
class NondegenerateFit:
    """A converged, nondegenerate fit: the mixture, sorted by its means, and its log-likelihood (nats, data units)."""

    mixture: Mixture
    log_likelihood: float


def fit_from_start(problem: Problem, initial_mixture: Mixture) -> NondegenerateFit | None:
    """Run EM from a mixture in the problem's frame to convergence; return None if it ends degenerate."""
    solver = EM(problem.covariance_estimator)
    return _make_nondegenerate_fit(run_solver(solver, initial_mixture, problem, STOPPING_RULE), problem)


def fit_k_plus_1_from_many_starts(
    problem: Problem, null_mixture: Mixture, rng: np.random.Generator
) -> NondegenerateFit | None:
    """Return the best nondegenerate fit of one component more than ``null_mixture`` has, or None.

    Starts are the null mixture with one component split, and partitions of k-means.

    ``null_mixture`` is in the problem's frame.
    """
    solver = EM(problem.covariance_estimator)
    starts = [
        *_initial_mixtures_by_splitting(problem, null_mixture),
        *_initial_mixtures_from_partitions(problem, null_mixture.n_components + 1, rng),
    ]
    runs = successive_halving(
        solver,
        starts,
        problem,
        STOPPING_RULE,
        lambda run: not count_degenerate_components(run.model, problem),
        _HALVING_ROUNDS,
    )
    fits = (_make_nondegenerate_fit(continue_run(solver, run, problem, STOPPING_RULE), problem) for run in runs)
    return next((fit for fit in fits if fit is not None), None)


def fit_k_plus_1_from_tree(
    problem: Problem, null_mixture: Mixture, rng: np.random.Generator
) -> NondegenerateFit | None:
    """Return a nondegenerate fit of one component more than ``null_mixture`` has, or None.

    It is from a tree of the whitened rows, or if that is degenerate from many starts.
    """
    fit = fit_from_start(problem, initialize_hierarchical(problem, null_mixture.n_components + 1, rng))
    return fit or fit_k_plus_1_from_many_starts(problem, null_mixture, rng)


def fit_k_plus_1_from_data_mixture(
    problem: Problem, null_mixture: Mixture, alternative_data_mixture: Mixture, rng: np.random.Generator
) -> NondegenerateFit | None:
    """Return the fit of K + 1 components to a sample from the fit to the data; from many starts if it is degenerate."""
    return fit_from_start(problem, alternative_data_mixture) or fit_k_plus_1_from_many_starts(
        problem, null_mixture, rng
    )


def _fit_k_plus_1_ignoring_data_mixture(
    problem: Problem, null_mixture: Mixture, alternative_data_mixture: Mixture, rng: np.random.Generator
) -> NondegenerateFit | None:
    """Return the fit to a sample from many starts; ``alternative_data_mixture`` is not used."""
    return fit_k_plus_1_from_many_starts(problem, null_mixture, rng)


@dataclass(frozen=True)
class SearchStrategy:
    """How one component more is fitted to the data, and to samples of the null mixture.

    Attributes
    ----------
    fit_on_data : callable
        From (problem, null_mixture, rng) to a `NondegenerateFit` or None.
    fit_on_sample : callable
        From (problem, null_mixture, alternative_data_mixture, rng) to a `NondegenerateFit` or None.
    """

    fit_on_data: Callable[[Problem, Mixture, np.random.Generator], NondegenerateFit | None]
    fit_on_sample: Callable[[Problem, Mixture, Mixture, np.random.Generator], NondegenerateFit | None]


SEARCH_STRATEGIES = {
    "thorough": SearchStrategy(fit_k_plus_1_from_many_starts, _fit_k_plus_1_ignoring_data_mixture),
    "hierarchical": SearchStrategy(fit_k_plus_1_from_tree, fit_k_plus_1_from_data_mixture),
}


def _make_nondegenerate_fit(result: RunResult[Mixture], problem: Problem) -> NondegenerateFit | None:
    """Return the fit of a run with sorted components; None if a component is degenerate."""
    if count_degenerate_components(result.model, problem):
        return None
    return NondegenerateFit(sort_components_by_mean(result.model, problem), result.last_objective)


def _initial_mixtures_by_splitting(problem: Problem, null_mixture: Mixture) -> list[Mixture]:
    """Return initial mixtures of K + 1 components: each of the K is split across each of up to three axes."""
    moments = problem.e_step(null_mixture, MomentKind.FULL).moments
    last = null_mixture.n_features - 1
    return [
        _initial_mixture_from_full_moments(problem, halved)
        for halved in halve_each_component(moments, sorted({0, min(1, last), last}))
    ]


def _initial_mixture_from_full_moments(problem: Problem, moments: Moments) -> Mixture:
    """Return the mixture with these moments and the problem's structure."""
    return initialize_from_moments(problem, moments.to_kind(problem.covariance_estimator.moment_kind))


def halve_each_component(moments: Moments, axis_positions: Sequence[int]) -> list[Moments]:
    """Return full moments of K + 1 components, one element for each component and axis across which it is halved.

    ``axis_positions`` count the principal axes of a component from the longest, 0.
    """
    variances, axes = eigh_descending(moments.scatter / moments.mass[:, None, None])
    return [
        _with_component_halved(moments, k, np.sqrt(max(variances[k, j], 0.0)) * axes[k][:, j])
        for k in range(len(moments.mass))
        for j in axis_positions
    ]


def _with_component_halved(moments: Moments, component: int, deviation_along_axis: D) -> Moments:
    """Return full moments of K + 1 components: one Gaussian is cut at its mean into two half-normal parts.

    ``deviation_along_axis`` (D,) is the axis across which it is cut; its length is the standard deviation there.
    """
    low, high = moments.select_components(np.array([component])).split_at_means(deviation_along_axis[None])
    mass, mean, scatter = (
        np.concatenate([getattr(moments, name), getattr(high, name)]) for name in ("mass", "mean", "scatter")
    )
    mass[component], mean[component], scatter[component] = low.mass[0], low.mean[0], low.scatter[0]
    return Moments(mass, mean, scatter, MomentKind.FULL)


def _initial_mixtures_from_partitions(problem: Problem, n_components: int, rng: np.random.Generator) -> list[Mixture]:
    """Return three initial mixtures from partitions of the rows by k-means and random centers."""
    partitions = initial_partitions(problem, n_components, _N_PARTITIONS, rng)
    return [initialize_from_labels(problem, labels, n_components) for labels in partitions]
