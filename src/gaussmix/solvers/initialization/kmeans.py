"""k-means as an initialization: groups around k-means++ seeds, merged by Ward's criterion, then Lloyd's algorithm.

One run of k-means++ often puts two centers into one cluster and one between two others, and Lloyd's algorithm cannot
leave that. Of several times as many groups every cluster contains at least one. Then the two groups whose merge
increases the inertia the least are merged, again and again (Ward, "Hierarchical grouping to optimize an objective
function", JASA 58, 1963). All of this happens on the distinct rows with their weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.core.kmeans_run import LloydRunInput
from gaussmix.core.linalg import row_space_coordinates
from gaussmix.core.moments import MomentKind
from gaussmix.core.outcome import Outcome
from gaussmix.core.precision_roots import AbstractPrecisionRoot, DiagonalPrecisionRoot, SphericalPrecisionRoot
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines.base import AssignmentKind
from gaussmix.engines.kmeans_runner import SupportsKMeansRuns
from gaussmix.model import prediction
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.solvers.em.lloyd import LLOYD_MAX_ITER, RELATIVE_ROUNDING, Lloyd, Metric, lloyd_centers
from gaussmix.solvers.initialization.agglomeration import agglomerator_or_none, cut_merges, merge_groups_into_tree
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.initial_mixture import (
    argsort_components_by_mean,
    initialize_from_labels,
    initialize_from_moments,
)
from gaussmix.solvers.initialization.kmeans_plusplus import kmeans_plusplus
from gaussmix.solvers.initialization.merge_criteria import WARD_CRITERION, GroupStatistics
from gaussmix.solvers.initialization.subsampling import sample_if_many_rows
from gaussmix.solvers.loop import run_solver
from gaussmix.solvers.stopping import MovementRule
from gaussmix.sources.base import AbstractSource
from gaussmix.types import KD, D, IntD, IntK, IntN, K

LLOYD_TOLERANCE = 1e-4  # squared movement of the centers, relative to the mean variance of a column
_GROUPS_PER_COMPONENT = 4
_MAX_EXTRA_GROUPS = 100  # beyond one per component; bounds the number of pairs that merging compares
_MIN_ROWS_PER_GROUP = 2
_GROUP_LLOYD_MAX_ITER = 3
_ROWS_PER_GROUP = 40  # of a coreset; more hardly improve the groups
_MAX_TRIALS_PER_GROUP = 4
_N_INIT_IF_WIDE = 10
_MIN_WIDE_COLUMNS = 32


class CommonScaleRows(NamedTuple):
    """Rows in a frame with one scale, and exponents (D,): a row times 2**exponents is in the problem's frame."""

    source: AbstractSource
    exponents: IntD


class KMeansGroups(NamedTuple):
    """The means (m, D) and the masses (m,) of groups of rows."""

    centers: KD
    masses: K


class MergedGroups(NamedTuple):
    """The means (K, D) of merged groups, and the union of each group, (m,): -1 for those without rows.

    There are no unions if the means are drawn otherwise.
    """

    centers: KD
    unions: IntK | None


def make_standardized_metric(standard_deviations: D) -> Metric:
    """Return the metric that measures each column in its standard deviation (D,), or in 1 if that is zero."""
    scales = 1.0 / np.where(standard_deviations > 0, standard_deviations, 1.0)

    def metric(centers: KD) -> CentersModel:
        return CentersModel(centers, DiagonalPrecisionRoot(np.tile(scales, (len(centers), 1))))

    return metric


def initialize_kmeans(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Return the mixture of the partition of k-means in the data's units.

    With more columns than rows per component, all rows are about equally far from each other. k-means++ then often
    leads to a poor partition, and the best of several runs is used.
    """
    rows = KMeansRows.from_problem(problem)
    if not rows.has_more_columns_than_rows_per_component(n_components):
        return initialize_from_centers(problem, rows.to_frame(rows.find_centers(n_components, rng)))
    narrow = rows.with_at_most_as_many_columns_as_rows()
    candidates = [narrow.find_partition(n_components, rng) for _ in range(_N_INIT_IF_WIDE)]
    best = min(candidates, key=lambda partition: partition.inertia)
    return initialize_from_labels(problem, best.labels, n_components)


class _Partition(NamedTuple):
    """The group of each row, (n,), and the inertia."""

    labels: IntN
    inertia: float


@dataclass(frozen=True)
class KMeansRows:
    """The rows of a problem in the data's units up to powers of two, and what all runs of k-means on them share.

    Centers are in the frame of ``problem``, which has one scale; ``exponents`` (D,) take them to another frame.
    """

    problem: Problem
    exponents: IntD
    squared_movement_tolerance: float
    distinct: DistinctRows

    @classmethod
    def from_problem(cls, problem: Problem) -> "KMeansRows":
        """Return the rows of a problem with a common scale of all columns."""
        source, exponents = rows_with_common_scale(problem)
        tolerance = LLOYD_TOLERANCE * mean_variance_at_common_scale(problem, exponents)
        return cls(replace(problem, source=source), exponents, tolerance, DistinctRows.from_source(source))

    def has_more_columns_than_rows_per_component(self, n_components: int) -> bool:
        """Return whether there are more columns than distinct rows per component; False with fewer than 32 columns."""
        n_features = self.problem.source.n_features
        return n_features >= _MIN_WIDE_COLUMNS and n_components * n_features > len(self.distinct.rows)

    def with_at_most_as_many_columns_as_rows(self) -> "KMeansRows":
        """Return the rows in coordinates of the space that the m distinct ones span, of m columns at most.

        All distances stay the same, and so do all runs of k-means, which then take a fraction of the time.
        """
        distinct, source = self.distinct, self.problem.source
        if source.n_features <= len(distinct.rows):
            return self
        coordinates = row_space_coordinates(distinct.rows)
        all_rows, weights = np.zeros((self.problem.n_rows, len(coordinates))), np.zeros(self.problem.n_rows)
        all_rows[distinct.positive_weight_indices] = coordinates[distinct.inverse]
        weights[distinct.positive_weight_indices] = source.collect(None)[1][distinct.positive_weight_indices]
        return replace(
            self,
            problem=replace(self.problem, source=make_memory_source(all_rows, weights)),
            exponents=np.zeros(len(coordinates), dtype=np.int64),
            distinct=replace(distinct, rows=coordinates),
        )

    def find_partition(self, n_components: int, rng: np.random.Generator) -> _Partition:
        """Run k-means once; return the groups of the rows and the inertia."""
        source, engine = self.problem.source, self.problem.engine
        model = CentersModel.euclidean(self.find_centers(n_components, rng))
        labels, scores = prediction.labels_and_best_scores(model, source, engine)
        return _Partition(labels, -2.0 * float(source.collect(None)[1] @ scores))

    def find_centers(self, n_components: int, rng: np.random.Generator, max_iter: int = LLOYD_MAX_ITER) -> KD:
        """Run k-means once; return the centers (K, D), sorted by their first column."""
        merged = self.merge_groups(self.find_groups(n_components, rng), n_components, rng)
        return self.improve_centers(merged.centers, max_iter)

    def improve_centers(self, start: KD, max_iter: int = LLOYD_MAX_ITER) -> KD:
        """Run Lloyd's algorithm from centers (K, D); return the centers, sorted by their first column."""
        centers = self._run_lloyd(start, max_iter).centers
        return np.asarray(centers[argsort_components_by_mean(centers, centers.std(axis=0))])

    def find_groups(self, n_components: int, rng: np.random.Generator) -> KMeansGroups:
        """Return several groups per component, of a coreset: seeds after a few iterations of Lloyd's algorithm."""
        n_wanted = n_components + min((_GROUPS_PER_COMPONENT - 1) * n_components, _MAX_EXTRA_GROUPS)
        n_groups = min(n_wanted, max(n_components, len(self.distinct.rows) // _MIN_ROWS_PER_GROUP))
        sample = replace(self, distinct=self.distinct.draw_coreset(_ROWS_PER_GROUP * n_groups, rng))
        engine = self.problem.engine
        seeds = kmeans_plusplus(sample.distinct, n_groups, engine, rng, CentersModel.euclidean, _MAX_TRIALS_PER_GROUP)
        return sample._run_lloyd(seeds, _GROUP_LLOYD_MAX_ITER)

    def merge_groups(self, groups: KMeansGroups, n_components: int, rng: np.random.Generator) -> MergedGroups:
        """Return groups merged to ``n_components`` by Ward's criterion; if too few have rows, draw seeds instead."""
        is_filled = groups.masses > 0
        centers, masses = groups.centers[is_filled], groups.masses[is_filled]
        if len(groups.centers) == n_components:
            return MergedGroups(groups.centers, None)
        if len(centers) < n_components:
            seeds = kmeans_plusplus(self.distinct, n_components, self.problem.engine, rng, CentersModel.euclidean)
            return MergedGroups(seeds, None)
        numbers, no_scatter = np.arange(len(masses)), np.zeros(len(masses))
        statistics = GroupStatistics(numbers, masses, np.ascontiguousarray(centers.T), no_scatter, None)
        agglomerator = agglomerator_or_none(self.problem.engine)
        children = merge_groups_into_tree(statistics, WARD_CRITERION, 1.0, agglomerator)
        unions = np.full(len(is_filled), -1)
        unions[is_filled] = filled_unions = cut_merges(children, n_components)
        members = (filled_unions == np.arange(n_components)[:, None]) * masses
        return MergedGroups(members @ centers / members.sum(axis=1)[:, None], unions)

    def _run_lloyd(self, start: KD, max_iter: int) -> KMeansGroups:
        """Return the centers (K, D) after Lloyd's algorithm, and the masses of the clusters whose means they are."""
        distinct, engine = self.distinct, self.problem.engine
        if isinstance(engine, SupportsKMeansRuns):
            run_input = LloydRunInput(
                distinct.rows,
                distinct.weights,
                start,
                self.squared_movement_tolerance,
                RELATIVE_ROUNDING**2,
                relocates_empty=False,
                max_iter=max_iter,
            )
            result = engine.kmeans_runner.run_lloyd(run_input)
            if result is not None and (result.has_converged or len(result.objectives) == max_iter):
                return KMeansGroups(result.centers, result.masses)
        problem = replace(self.problem, source=make_memory_source(distinct.rows, distinct.weights))
        tolerance = self.squared_movement_tolerance
        run = run_solver(Lloyd(CentersModel.euclidean), start, problem, MovementRule(tolerance, max_iter - 1))
        centers = run.model
        if run.outcome is Outcome.CONVERGED:  # the masses are those of the centers one iteration earlier
            centers = lloyd_centers(problem, start, tolerance, max_iter=len(run.trace) - 1)
        moments = problem.e_step(CentersModel.euclidean(centers), MomentKind.NONE, AssignmentKind.HARD).moments
        return KMeansGroups(moments.mean, moments.mass)

    def to_frame(self, centers: KD) -> KD:
        """Return centers (K, D) in the frame of the problem that the rows were taken from."""
        return np.asarray(np.ldexp(centers, self.exponents))


def kmeans_centers(problem: Problem, n_components: int, rng: np.random.Generator, max_iter: int = LLOYD_MAX_ITER) -> KD:
    """Run k-means in the data's units; return the centers (K, D) in the frame, sorted by their first column."""
    rows = KMeansRows.from_problem(problem)
    return rows.to_frame(rows.find_centers(n_components, rng, max_iter))


def iterate_starts_from_merged_groups(
    problem: Problem, n_components: int, n_starts: int, rng: np.random.Generator
) -> Iterator[KD]:
    """Yield ``n_starts`` initial centers (K, D) in the frame, which has one scale.

    Of many rows each start uses another sample, and its centers are those of k-means on the sample.
    """
    all_rows: KMeansRows | None = None
    for _ in range(n_starts):
        sample = sample_if_many_rows(problem, n_components, rng)
        if sample is not problem:
            yield KMeansRows.from_problem(sample).find_centers(n_components, rng)
            continue
        all_rows = all_rows or KMeansRows.from_problem(problem)
        yield all_rows.merge_groups(all_rows.find_groups(n_components, rng), n_components, rng).centers


def nearest_center_model(problem: Problem, centers: KD) -> CentersModel:
    """Return the model that assigns rows to the nearest of the centers (K, D) in the data's units, all in the frame."""
    _, exponents = rows_with_common_scale(problem)
    root: AbstractPrecisionRoot = SphericalPrecisionRoot(np.ones(len(centers)))
    if exponents.any():
        root = DiagonalPrecisionRoot(np.tile(np.ldexp(1.0, -exponents), (len(centers), 1)))
    return CentersModel(centers, root)


def initialize_from_centers(problem: Problem, centers: KD) -> Mixture:
    """Return the mixture of the partition of the rows by their nearest center, in the data's units.

    ``centers`` (K, D) are in the frame.
    """
    without_prior = replace(problem, source=problem.source.with_label_prior(None))
    moments = without_prior.e_step(nearest_center_model(problem, centers), assignment=AssignmentKind.HARD).moments
    return initialize_from_moments(problem, moments)


def rows_with_common_scale(problem: Problem) -> CommonScaleRows:
    """Return the rows in a frame with one scale for all columns, and the exponents (D,) that map it to the problem's.

    Distances in such a frame are those in the data's units, up to a factor.
    """
    frame = problem.source.frame
    common = frame.with_common_scale()
    source = problem.source.with_frame(common).with_label_prior(None)
    return CommonScaleRows(source, frame.total_exponent - common.total_exponent)


def mean_variance_at_common_scale(problem: Problem, exponents: IntD) -> float:
    """Return the mean of the column variances, given the exponents (D,) of a frame with one scale for all columns."""
    return float(np.ldexp(problem.column_variances, -2 * exponents).mean())
