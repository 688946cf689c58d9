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
from gaussmix.model.degeneracy import count_degenerate_components
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import MixtureSolver
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.initialization.init_methods import (
    INIT_METHODS,
    KMEANS_METHOD,
    initialize_from_centers,
    kmeans_centers,
)
from gaussmix.solvers.initialization.initial_mixture import initialize_from_moments, sort_components
from gaussmix.solvers.initialization.mixture_reduction import merge_groups
from gaussmix.solvers.initialization.subsampling import draw_representative_sample
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import run_with_halving, successive_halving
from gaussmix.solvers.stopping import MeanGainRule

_MAX_UNSAMPLED_ROWS = 10_000
_MIN_SAMPLE_ROWS = 4_000
_SAMPLE_ROWS_PER_COMPONENT = 250
_SAMPLE_ROWS_PER_COMPONENT_AND_COLUMN = 10  # and component: a covariance needs more rows where it has more columns

_GROUPS_PER_COMPONENT = 3
_MAX_EXTRA_GROUPS = 100  # beyond one per component: merging looks at all pairs
_LLOYD_MAX_ITER = 10
_GROUP_LLOYD_MAX_ITER = 3
_GROUP_EM_MAX_ITER = 2
_HALVING_ROUNDS = ((3, 1),)
_STOPPING_RULE = MeanGainRule(1e-4, 30)
_TEN_ITERATION_ROUND = ((10, 1),)
_TEN_ITERATION_RULE = MeanGainRule(1e-5, 10)


def start_sample_size(n_components: int, n_features: int) -> int:
    """How many rows stand for many: 250 per component, or 10 for each of its columns; at least 4000."""
    return max(
        _MIN_SAMPLE_ROWS,
        n_components * max(_SAMPLE_ROWS_PER_COMPONENT, _SAMPLE_ROWS_PER_COMPONENT_AND_COLUMN * n_features),
    )


def max_unsampled_rows(n_components: int, n_features: int) -> int:
    """The most rows that a start looks at as they are: 10 000, or twice the sample if that is more."""
    return max(_MAX_UNSAMPLED_ROWS, 2 * start_sample_size(n_components, n_features))


def initialize(problem: Problem, method: str, n_components: int, rng: np.random.Generator) -> Mixture:
    """A start by one of the names in ``STARTS``; of many rows from a sample of them."""
    n_features = problem.source.n_features
    few = max_unsampled_rows(n_components, n_features)
    state = rng.bit_generator.state
    if problem.n_rows > few:
        sample = draw_representative_sample(problem, few + 1, rng)
    if problem.n_rows <= few or len(sample.rows) <= few:
        # Rows of weight zero, and rows that repeat, do not make few rows many, nor their draws others.
        rng.bit_generator.state = state
        return INIT_METHODS[method](problem, n_components, rng)
    sample = sample.take_first(start_sample_size(n_components, n_features))
    whole = problem.on_rows(sample.rows, sample.weights)
    if method != KMEANS_METHOD:
        return INIT_METHODS[method](whole, n_components, rng)
    return sort_components(_best_of_two_starts(problem, whole, n_components, rng), problem)


def _best_of_two_starts(problem: Problem, sample: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """The better of two starts on a sample; if unsound there, all rows are shared out among its centres."""
    solver, is_sound = EM(problem.covariance_estimator), make_nondegenerate_check(sample)
    center = kmeans_centers(sample, n_components, rng, _LLOYD_MAX_ITER)
    try:
        starts = [initialize_from_centers(sample, center), initialize_from_merged_groups(sample, n_components, rng)]
        best = run_with_halving(solver, starts, sample, _STOPPING_RULE, is_sound, _HALVING_ROUNDS)
    except CollapseError:  # of few rows; all may suffice
        return initialize_from_centers(problem, center)
    return best.model if is_sound(best) else initialize_from_centers(problem, best.model.centers)


def initialize_from_merged_groups(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Groups around many centres, softened by a few passes of EM, and merged."""
    n_groups = n_components + min((_GROUPS_PER_COMPONENT - 1) * n_components, _MAX_EXTRA_GROUPS)
    groups = initialize_from_centers(problem, kmeans_centers(problem, n_groups, rng, _GROUP_LLOYD_MAX_ITER))
    softened = run_solver(
        EM(problem.covariance_estimator), groups, problem, _STOPPING_RULE, max_iter=_GROUP_EM_MAX_ITER
    ).model
    moments = problem.e_step(softened, problem.covariance_estimator.moment_kind.per_component).moments
    row_weight = problem.total_weight / problem.n_rows
    found = merge_groups(moments, n_components, problem.column_variances, row_weight).to_kind(
        problem.covariance_estimator.moment_kind
    )
    return initialize_from_moments(problem, found)


def make_nondegenerate_check(problem: Problem) -> Callable[[RunResult[Mixture]], bool]:
    """Return a function that says whether a run ended without a degenerate component."""
    return lambda candidate: not count_degenerate_components(candidate.model, problem)


def best_start(solver: MixtureSolver, starts: list[Mixture], problem: Problem) -> Mixture:
    """What ten passes make of the start that they make the likeliest, sound ones first."""
    try:
        return successive_halving(
            solver, starts, problem, _TEN_ITERATION_RULE, make_nondegenerate_check(problem), _TEN_ITERATION_ROUND
        )[0].model
    except CollapseError:  # of few rows; all may suffice, and the first may do in the end
        return starts[0]
