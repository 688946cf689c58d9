"""The start of a fit by name: from all rows where they are few, from a sample where they are many.

A start only has to lie in the right valley, and a few hundred rows per component say where that is.
So where there are more than ``limit_of_few`` different rows, a sample (``representative``) stands for them
until the first pass over all. 'kmeans' then becomes a race of two starts on the sample: k-means
itself, and k-means with three times as many centres whose groups are merged (``merged``), which
finds groups that k-means cuts or joins. Each makes three passes of EM, the better one up to 30
more. What is handed on is a mixture, nothing that is as long as the data.
"""

from collections.abc import Callable

import numpy as np

from gaussmix.errors import CollapseError
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.em import EM
from gaussmix.solvers.restarts import halved, polish
from gaussmix.solvers.run import Run, run
from gaussmix.solvers.start.given import from_moments, in_order
from gaussmix.solvers.start.merging import merged
from gaussmix.solvers.start.sample import representative
from gaussmix.solvers.start.seeding import KMEANS_START, STARTS, kmeans_centers, nearest
from gaussmix.solvers.stopping import AbsoluteGain

_FEW_ROWS = 10_000
_SMALLEST_SAMPLE = 4_000
_ROWS_PER_COMPONENT = 250
_ROWS_PER_COLUMN = 10  # and component: a covariance needs more rows where it has more columns

_GROUPS_PER_COMPONENT = 3
_MOST_EXTRA_GROUPS = 100  # beyond one per component: merging looks at all pairs
_LLOYD_PASSES = 10
_LLOYD_PASSES_OF_GROUPS = 3
_EM_PASSES_OF_GROUPS = 2
_ROUNDS = ((3, 1),)
_STOPPING = AbsoluteGain(1e-4, 30)
_ROUND_OF_TEN = ((10, 1),)
_TEN_PASSES = AbsoluteGain(1e-5, 10)


def sample_size(n_components: int, n_features: int) -> int:
    """How many rows stand for many: 250 per component, or 10 for each of its columns; at least 4000."""
    return max(_SMALLEST_SAMPLE, n_components * max(_ROWS_PER_COMPONENT, _ROWS_PER_COLUMN * n_features))


def limit_of_few(n_components: int, n_features: int) -> int:
    """The most rows that a start looks at as they are: 10 000, or twice the sample if that is more."""
    return max(_FEW_ROWS, 2 * sample_size(n_components, n_features))


def automatic(problem: Problem, method: str, n_components: int, rng: np.random.Generator) -> Mixture:
    """A start by one of the names in ``STARTS``; of many rows from a sample of them."""
    n_features = problem.source.n_features
    few = limit_of_few(n_components, n_features)
    state = rng.bit_generator.state
    if problem.source.n_rows > few:
        sample = representative(problem, few + 1, rng)
    if problem.source.n_rows <= few or len(sample.rows) <= few:
        # Rows of weight zero, and rows that repeat, do not make few rows many, nor their draws others.
        rng.bit_generator.state = state
        return STARTS[method](problem, n_components, rng)
    sample = sample.first(sample_size(n_components, n_features))
    whole = problem.only(sample.rows, sample.weights)
    if method != KMEANS_START:
        return STARTS[method](whole, n_components, rng)
    return in_order(_raced(problem, whole, n_components, rng), problem)


def _raced(problem: Problem, sample: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """The better of two starts on a sample; if unsound there, all rows are shared out among its centres."""
    solver, is_sound = EM(problem.family), is_sound_for(sample)
    center = kmeans_centers(sample, n_components, rng, _LLOYD_PASSES)
    try:
        starts = [nearest(sample, center), from_groups(sample, n_components, rng)]
        best = polish(solver, starts, sample, _STOPPING, is_sound, _ROUNDS)
    except CollapseError:  # of few rows; all may suffice
        return nearest(problem, center)
    return best.mixture if is_sound(best) else nearest(problem, best.mixture.centers)


def from_groups(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Groups around many centres, softened by a few passes of EM, and merged."""
    n_groups = n_components + min((_GROUPS_PER_COMPONENT - 1) * n_components, _MOST_EXTRA_GROUPS)
    groups = nearest(problem, kmeans_centers(problem, n_groups, rng, _LLOYD_PASSES_OF_GROUPS))
    softened = run(EM(problem.family), groups, problem, _STOPPING, max_passes=_EM_PASSES_OF_GROUPS).mixture
    moments = problem.expect(softened.to_quadratics(), problem.family.kind.separate).moments
    row_weight = problem.total_weight / problem.source.n_rows
    found = merged(moments, n_components, problem.variances, row_weight).reduce(problem.family.kind)
    return from_moments(problem, found)


def is_sound_for(problem: Problem) -> Callable[[Run], bool]:
    """No component on the floor, and none of fewer rows than a covariance needs."""
    return lambda candidate: not unsound(problem, candidate.mixture)


def unsound(problem: Problem, mixture: Mixture) -> int:
    """How many components rest on the floor or hold fewer rows than a covariance needs."""
    fewest = problem.rows_needed / problem.source.n_rows
    return int((mixture.covariance.floored | ~(mixture.weights >= fewest)).sum())


def likeliest(solver: AbstractSolver, starts: list[Mixture], problem: Problem) -> Mixture:
    """What ten passes make of the start that they make the likeliest, sound ones first."""
    try:
        return halved(solver, starts, problem, _TEN_PASSES, is_sound_for(problem), _ROUND_OF_TEN)[0].mixture
    except CollapseError:  # of few rows; all may suffice, and the first may do in the end
        return starts[0]
