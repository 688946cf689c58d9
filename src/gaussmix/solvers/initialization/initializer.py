"""Initialize a mixture by the name of a method: from all rows if there are few, else from a sample.

A few hundred rows per component suffice to find the right local optimum. If there are more than
``max_unsampled_rows`` distinct rows, the method therefore runs on a sample. 'kmeans' compares two candidates. Both
begin with several times as many groups as components: k-means from groups merged by Ward's criterion, and groups
merged by their Gaussian likelihood (`mixture_reduction`). Each candidate runs three iterations of EM, the better one
up to 30 more. No EM is needed where both criteria merge the groups alike, and hardly a row lies between the unions. The
result is a mixture; nothing as long as the data is kept.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gaussmix.core.label_prior import KnownComponents
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.engines.base import AssignmentKind
from gaussmix.errors import CollapseError, ParameterError
from gaussmix.model import prediction
from gaussmix.model.degeneracy import count_degenerate_components
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import MixtureSolver
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.initialization.agglomeration import agglomerator_or_none
from gaussmix.solvers.initialization.far_rows import partition_near_and_far_rows
from gaussmix.solvers.initialization.init_methods import INIT_METHODS, KMEANS_METHOD
from gaussmix.solvers.initialization.initial_mixture import (
    initialize_from_labels,
    initialize_from_moments,
    partition_moments,
    sort_components_by_mean,
)
from gaussmix.solvers.initialization.kmeans import (
    KMeansRows,
    initialize_from_centers,
    initialize_kmeans,
    nearest_center_model,
)
from gaussmix.solvers.initialization.mixture_reduction import (
    MAX_COLUMNS_FOR_DETERMINANTS,
    are_separated,
    find_unions,
    unite_groups,
)
from gaussmix.solvers.initialization.subsampling import sample_if_many_rows
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import run_with_halving, successive_halving
from gaussmix.solvers.stopping import MeanGainRule
from gaussmix.types import KD, IntK, IntN

_LLOYD_MAX_ITER = 10
_HALVING_ROUNDS = ((3, 1),)
_STOPPING_RULE = MeanGainRule(1e-4, 30)
_TEN_ITERATION_ROUND = ((10, 1),)
_TEN_ITERATION_RULE = MeanGainRule(1e-5, 10)


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
    problem = problem.of_completed_rows
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
    sample = sample_if_many_rows(problem, n_components, rng)
    if method != KMEANS_METHOD:
        return INIT_METHODS[method](sample, n_components, rng)
    rows = KMeansRows.from_problem(sample)
    if n_components == 1 or rows.has_more_columns_than_rows_per_component(n_components):
        return initialize_kmeans(sample, n_components, rng)
    return sort_components_by_mean(_best_of_two_starts(problem, sample, rows, n_components, rng), problem)


def _best_of_two_starts(
    problem: Problem, sample: Problem, rows: KMeansRows, n_components: int, rng: np.random.Generator
) -> Mixture:
    """Return the likelier of two initial mixtures after EM on a sample: of k-means, and of merged groups.

    If it is degenerate on the sample, return the mixture of all rows by their nearest of its centers instead.
    """
    if sample.source.label_prior is not None:
        sample = replace(sample, source=sample.source.with_label_prior(None))
    solver, is_nondegenerate = EM(problem.covariance_estimator), make_nondegenerate_check(sample)
    groups = rows.find_groups(n_components, rng)
    by_inertia = rows.merge_groups(groups, n_components, rng)
    try:
        merged = _merge_groups_of_rows(sample, rows.to_frame(groups.centers), n_components)
        start = initialize_from_moments(sample, merged.moments.to_kind(problem.covariance_estimator.moment_kind))
        if _is_one_start_enough(merged, by_inertia.unions) and not count_degenerate_components(start, sample):
            return start
        centers = rows.to_frame(rows.improve_centers(by_inertia.centers, _LLOYD_MAX_ITER))
        starts = [initialize_from_centers(sample, centers), start]
        best = run_with_halving(solver, starts, sample, _STOPPING_RULE, is_nondegenerate, _HALVING_ROUNDS)
    except CollapseError:  # too few rows in the sample; all rows may suffice
        centers = rows.to_frame(rows.improve_centers(by_inertia.centers, _LLOYD_MAX_ITER))
        return initialize_from_centers(problem, centers)
    return best.model if is_nondegenerate(best) else initialize_from_centers(problem, best.model.centers)


def initialize_from_merged_groups(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Return the mixture of many groups of k-means, merged to ``n_components`` by their likelihood."""
    rows = KMeansRows.from_problem(problem)
    centers = rows.to_frame(rows.find_groups(n_components, rng).centers)
    moments = _merge_groups_of_rows(problem, centers, n_components).moments
    return initialize_from_moments(problem, moments.to_kind(problem.covariance_estimator.moment_kind))


class _MergedMoments(NamedTuple):
    """The moments of K unions of groups, of a kind per component, and the union of each group, (m,)."""

    moments: Moments
    unions: IntK


def _merge_groups_of_rows(problem: Problem, group_centers: KD, n_components: int) -> _MergedMoments:
    """Merge the groups of rows around centers (m, D) to ``n_components`` by their likelihood."""
    kind = problem.covariance_estimator.moment_kind.per_component
    is_wide = kind is MomentKind.FULL and group_centers.shape[1] > MAX_COLUMNS_FOR_DETERMINANTS
    model = nearest_center_model(problem, group_centers)
    # Variances choose the merges of wide groups. The full scatter of all groups would take long.
    moments = problem.e_step(model, MomentKind.DIAGONAL if is_wide else kind, AssignmentKind.HARD).moments
    weight_per_row = problem.total_weight / problem.n_rows
    agglomerator = agglomerator_or_none(problem.engine)
    unions = find_unions(moments, n_components, problem.column_variances, weight_per_row, agglomerator)
    if is_wide:
        labels = unions[prediction.hard_labels(model, problem.source, problem.engine)]
        return _MergedMoments(partition_moments(problem, KnownComponents(labels), n_components, kind), unions)
    return _MergedMoments(unite_groups(moments, unions, n_components), unions)


def _is_one_start_enough(merged: _MergedMoments, other_unions: IntK | None) -> bool:
    """Return whether two criteria unite the same groups (m,), and hardly a row lies between the unions.

    EM then changes nothing, and another start leads to the same mixture or to a worse one: two unions that divide one
    normal group would not be so far from each other.
    """
    are_alike = other_unions is not None and np.array_equal(merged.unions, other_unions)
    return are_alike and are_separated(merged.moments)


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
