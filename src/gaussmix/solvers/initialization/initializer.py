"""Initialize a mixture by the name of a method: from all rows if there are few, else from a sample.

A few hundred rows per component suffice to find the right local optimum. If there are more than
``max_unsampled_rows`` distinct rows, the method therefore runs on a sample. 'kmeans' then compares two candidates on
the sample: k-means, and k-means with three times as many centers whose groups are merged (``merge_groups``), which
finds groups that k-means cuts or joins. Each candidate runs three iterations of EM, the better one up to 30 more. The
result is a mixture; nothing as long as the data is kept.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gaussmix.errors import CollapseError, ParameterError
from gaussmix.model.degeneracy import count_degenerate_components
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import MixtureSolver
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.initialization.far_rows import partition_near_and_far_rows
from gaussmix.solvers.initialization.init_methods import INIT_METHODS, KMEANS_METHOD
from gaussmix.solvers.initialization.initial_mixture import (
    initialize_from_labels,
    initialize_from_moments,
    sort_components_by_mean,
)
from gaussmix.solvers.initialization.kmeans import initialize_from_centers, kmeans_centers
from gaussmix.solvers.initialization.mixture_reduction import merge_groups
from gaussmix.solvers.initialization.subsampling import draw_representative_sample
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import run_with_halving, successive_halving
from gaussmix.solvers.stopping import MeanGainRule
from gaussmix.types import IntN

_MAX_UNSAMPLED_ROWS = 10_000
_MIN_SAMPLE_ROWS = 4_000
_SAMPLE_ROWS_PER_COMPONENT = 250
_SAMPLE_ROWS_PER_COMPONENT_AND_COLUMN = 10  # a covariance of more columns needs more rows

_GROUPS_PER_COMPONENT = 3
_MAX_EXTRA_GROUPS = 100  # beyond one per component; bounds the number of pairs that merging compares
_LLOYD_MAX_ITER = 10
_GROUP_LLOYD_MAX_ITER = 3
_GROUP_EM_MAX_ITER = 2
_HALVING_ROUNDS = ((3, 1),)
_STOPPING_RULE = MeanGainRule(1e-4, 30)
_TEN_ITERATION_ROUND = ((10, 1),)
_TEN_ITERATION_RULE = MeanGainRule(1e-5, 10)


def start_sample_size(n_components: int, n_features: int) -> int:
    """Return the number of rows to sample: 250 per component, or 10 per component and column; at least 4000."""
    return max(
        _MIN_SAMPLE_ROWS,
        n_components * max(_SAMPLE_ROWS_PER_COMPONENT, _SAMPLE_ROWS_PER_COMPONENT_AND_COLUMN * n_features),
    )


def max_unsampled_rows(n_components: int, n_features: int) -> int:
    """Return the largest number of rows that are not sampled: 10 000, or twice the sample if that is more."""
    return max(_MAX_UNSAMPLED_ROWS, 2 * start_sample_size(n_components, n_features))


def initialize(problem: Problem, method: str, n_components: int, rng: np.random.Generator) -> Mixture:
    """Return the mixture of a method of ``INIT_METHODS``, from a sample if there are many distinct rows.

    With far rows, 'kmeans' also starts from a partition in which they have groups of their own.

    Raises
    ------
    ParameterError
        If there is no such method.
    """
    if method not in INIT_METHODS:
        raise ParameterError.invalid_choice("method", method, list(INIT_METHODS))
    start = _initialize_by_method(problem, method, n_components, rng)
    if method != KMEANS_METHOD:
        return start
    labels = partition_near_and_far_rows(problem, n_components, rng)
    if labels is None:
        return start
    return sort_components_by_mean(_better_of_start_and_partition(problem, start, labels), problem)


def _better_of_start_and_partition(problem: Problem, start: Mixture, labels: IntN) -> Mixture:
    """Return the better of two mixtures after ten iterations: fewer degenerate components, then likelihood, decide.

    They begin at ``start`` and at the partition of the rows by ``labels`` (n,).
    """
    unlabelled = replace(problem, source=problem.source.with_label_prior(None))
    solver = EM(problem.covariance_estimator)
    try:
        starts = [start, initialize_from_labels(unlabelled, labels, start.n_components)]
        runs = [run_solver(solver, mixture, unlabelled, _TEN_ITERATION_RULE) for mixture in starts]
    except CollapseError:
        return start
    return min(runs, key=lambda run: (count_degenerate_components(run.model, unlabelled), -run.last_objective)).model


def _initialize_by_method(problem: Problem, method: str, n_components: int, rng: np.random.Generator) -> Mixture:
    """Return the mixture of a method, from a sample if there are many distinct rows."""
    n_features = problem.source.n_features
    max_rows = max_unsampled_rows(n_components, n_features)
    state = rng.bit_generator.state
    if problem.n_rows > max_rows:
        sample = draw_representative_sample(problem, max_rows + 1, rng)
    if problem.n_rows <= max_rows or len(sample.rows) <= max_rows:
        # Repeated rows and rows of weight zero change neither the decision to sample nor the random draws.
        rng.bit_generator.state = state
        return INIT_METHODS[method](problem, n_components, rng)
    sample = sample.take_first(start_sample_size(n_components, n_features))
    sample_problem = problem.on_sample_of_rows(sample.rows, sample.weights)
    if method != KMEANS_METHOD:
        return INIT_METHODS[method](sample_problem, n_components, rng)
    return sort_components_by_mean(_best_of_two_starts(problem, sample_problem, n_components, rng), problem)


def _best_of_two_starts(problem: Problem, sample: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Return the likelier of two initial mixtures after EM on a sample: of k-means, and of merged groups.

    If it is degenerate on the sample, return the mixture of all rows by their nearest of its centers instead.
    """
    solver, is_nondegenerate = EM(problem.covariance_estimator), make_nondegenerate_check(sample)
    centers = kmeans_centers(sample, n_components, rng, _LLOYD_MAX_ITER)
    try:
        starts = [initialize_from_centers(sample, centers), initialize_from_merged_groups(sample, n_components, rng)]
        best = run_with_halving(solver, starts, sample, _STOPPING_RULE, is_nondegenerate, _HALVING_ROUNDS)
    except CollapseError:  # too few rows in the sample; all rows may suffice
        return initialize_from_centers(problem, centers)
    return best.model if is_nondegenerate(best) else initialize_from_centers(problem, best.model.centers)


def initialize_from_merged_groups(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Return the mixture of many groups merged to ``n_components``, after k-means and a few iterations of EM."""
    solver, kind = EM(problem.covariance_estimator), problem.covariance_estimator.moment_kind
    n_groups = n_components + min((_GROUPS_PER_COMPONENT - 1) * n_components, _MAX_EXTRA_GROUPS)
    start = initialize_from_centers(problem, kmeans_centers(problem, n_groups, rng, _GROUP_LLOYD_MAX_ITER))
    groups = run_solver(solver, start, problem, _STOPPING_RULE, max_iter=_GROUP_EM_MAX_ITER).model
    moments = problem.e_step(groups, kind.per_component).moments
    weight_per_row = problem.total_weight / problem.n_rows
    merged = merge_groups(moments, n_components, problem.column_variances, weight_per_row)
    return initialize_from_moments(problem, merged.to_kind(kind))


def make_nondegenerate_check(problem: Problem) -> Callable[[RunResult[Mixture]], bool]:
    """Return a function that says whether a run ended without a degenerate component on the rows of ``problem``."""
    return lambda result: not count_degenerate_components(result.model, problem)


def best_after_ten_iterations(solver: MixtureSolver, starts: list[Mixture], problem: Problem) -> Mixture:
    """Run ten iterations from each start; return the mixture of highest likelihood, preferably a nondegenerate one."""
    is_nondegenerate = make_nondegenerate_check(problem)
    try:
        return successive_halving(solver, starts, problem, _TEN_ITERATION_RULE, is_nondegenerate, _TEN_ITERATION_ROUND)[
            0
        ].model
    except CollapseError:  # too few rows for every start; the first may still work on all rows
        return starts[0]
