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

from gaussmix.core.linalg import symmetric_eigen
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.em import EM
from gaussmix.solvers.restarts import Rounds, continued, halved
from gaussmix.solvers.run import Run, run
from gaussmix.solvers.start.given import from_labels, from_moments, in_order
from gaussmix.solvers.start.hierarchy import hierarchical
from gaussmix.solvers.start.seeding import partitions
from gaussmix.solvers.stopping import RelativeGain
from gaussmix.types import D

STOPPING = RelativeGain(1e-7)
"""To a few thousandths of a nat; one for data and samples: who runs on for longer climbs higher."""

_N_PARTITIONS = 3
_ROUNDS: Rounds = ((8, 4), (20, 3))  # the first of them is run to its end, the others if that is not sound


@dataclass(frozen=True)
class Grown:
    """A fit that has ended: its mixture, in the order of its means, and its log-likelihood (nats, data units)."""

    mixture: Mixture
    log_likelihood: float


def refitted(problem: Problem, start: Mixture) -> Grown | None:
    """What EM makes of a start in the problem's frame; None where it does not end sound."""
    return _ended(run(EM(problem.family), start, problem, STOPPING), problem)


def thorough(problem: Problem, null: Mixture, rng: np.random.Generator) -> Grown | None:
    """The likeliest sound fit of one component more than ``null`` (in the problem's frame); None where none is."""
    solver = EM(problem.family)
    begun = [*_halves(problem, null), *_parted(problem, null.n_components + 1, rng)]
    heats = halved(solver, begun, problem, STOPPING, lambda heat: is_sound(heat.mixture, problem), _ROUNDS)
    ended = (_ended(continued(solver, heat, problem, STOPPING), problem) for heat in heats)
    return next((found for found in ended if found is not None), None)


def from_tree(problem: Problem, null: Mixture, rng: np.random.Generator) -> Grown | None:
    """The fit of one component more than ``null`` that begins at a tree of the rows; None where it is not sound."""
    return refitted(problem, hierarchical(problem, null.n_components + 1, rng))


def from_data(problem: Problem, null: Mixture, found: Mixture, rng: np.random.Generator) -> Grown | None:
    """What EM makes of the data's own fit on a sample; where it does not end sound, the thorough search."""
    return refitted(problem, found) or thorough(problem, null, rng)


@dataclass(frozen=True)
class Search:
    """How one component more is sought on the data, and on a sample of the null where the data's fit is known."""

    on_data: Callable[[Problem, Mixture, np.random.Generator], Grown | None]
    on_sample: Callable[[Problem, Mixture, Mixture, np.random.Generator], Grown | None]


SEARCHES = {
    "thorough": Search(thorough, lambda problem, null, found, rng: thorough(problem, null, rng)),
    "hierarchical": Search(from_tree, from_data),
}


def is_sound(mixture: Mixture, problem: Problem) -> bool:
    """No component on the floor, and none of less weight than the rows that a covariance needs."""
    fewest = problem.family.structure.rows_needed(problem.source.n_features)
    enough = mixture.weights.min() * problem.total_weight >= fewest
    return bool(enough) and not mixture.covariance.floored.any()


def _ended(candidate: Run, problem: Problem) -> Grown | None:
    if not is_sound(candidate.mixture, problem):
        return None
    return Grown(in_order(candidate.mixture, problem), candidate.last_log_likelihood)


def _halves(problem: Problem, null: Mixture) -> list[Mixture]:
    """The null with one of its components cut in two, for each component and each of up to three axes."""
    moments = problem.expect(null.to_quadratics(), MomentKind.FULL).moments
    variances, axes = symmetric_eigen(moments.scatter / moments.mass[:, None, None])
    chosen = sorted({0, min(1, null.n_features - 1), null.n_features - 1})
    return [
        _begun(problem, _cut(moments, k, np.sqrt(max(variances[k, j], 0.0)) * axes[k][:, j]))
        for k in range(null.n_components)
        for j in chosen
    ]


def _begun(problem: Problem, moments: Moments) -> Mixture:
    return from_moments(problem, moments.reduce(problem.family.kind))


def _cut(moments: Moments, component: int, deviation: D) -> Moments:
    """Full moments with one Gaussian cut at its mean, across an axis of so long a standard deviation."""
    low, high = moments.take(np.array([component])).halves(deviation[None])
    mass, mean, scatter = (
        np.concatenate([getattr(moments, part), getattr(high, part)]) for part in ("mass", "mean", "scatter")
    )
    mass[component], mean[component], scatter[component] = low.mass[0], low.mean[0], low.scatter[0]
    return Moments(mass, mean, scatter, MomentKind.FULL)


def _parted(problem: Problem, n_components: int, rng: np.random.Generator) -> list[Mixture]:
    found = partitions(problem, n_components, _N_PARTITIONS, rng)
    return [from_labels(problem, labels, n_components) for labels in found]
