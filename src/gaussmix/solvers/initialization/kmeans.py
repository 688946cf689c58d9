"""k-means as an initialization: seeds by k-means++, then Lloyd's algorithm.

Seeds are drawn from the distinct rows in sorted order, in proportion to their weights. The result therefore does not
depend on the order of the rows, and a row of weight 2 equals that row twice. k-means++ is the greedy variant that
scikit-learn uses (Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007): of 2 + log K
candidates it keeps the one that lowers the inertia the most.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.core.linalg import row_space_coordinates
from gaussmix.core.precision_roots import DiagonalPrecisionRoot, SphericalPrecisionRoot
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines.base import AbstractEngine, AssignmentKind
from gaussmix.engines.kmeans_runner import SupportsKMeansRuns
from gaussmix.model import prediction
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.solvers.em.lloyd import LLOYD_MAX_ITER, Metric, lloyd_centers
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.initial_mixture import (
    argsort_components_by_mean,
    initialize_from_labels,
    initialize_from_moments,
)
from gaussmix.sources.base import AbstractSource
from gaussmix.types import KD, ND, Array, D, IntD, IntK, IntN, N

LLOYD_TOLERANCE = 1e-4  # squared movement of the centers, relative to the mean variance of a column
_N_INIT_IF_WIDE = 10
_MIN_WIDE_COLUMNS = 32


class CommonScaleRows(NamedTuple):
    """Rows in a frame with one scale, and exponents (D,): a row times 2**exponents is in the problem's frame."""

    source: AbstractSource
    exponents: IntD


def make_standardized_metric(standard_deviations: D) -> Metric:
    """Return the metric that measures each column in its standard deviation (D,), or in 1 if that is zero."""
    scales = 1.0 / np.where(standard_deviations > 0, standard_deviations, 1.0)

    def metric(centers: KD) -> CentersModel:
        return CentersModel(centers, DiagonalPrecisionRoot(np.tile(scales, (len(centers), 1))))

    return metric


def kmeans_plusplus(
    distinct: DistinctRows, n_components: int, engine: AbstractEngine, rng: np.random.Generator, metric: Metric
) -> KD:
    """Draw K distinct rows that are far from each other in the metric, (K, D): greedy k-means++."""
    n_trials = 2 + int(np.log(n_components))
    uniforms = rng.random(1 + (n_components - 1) * n_trials)
    indices = None
    if isinstance(engine, SupportsKMeansRuns):
        scaled_rows = _scale_rows_to_euclidean_metric(distinct.rows, metric)
        indices = engine.kmeans_runner.draw_seeds(scaled_rows, distinct.weights, uniforms, n_trials)
    if indices is None:
        trials = uniforms[1:].reshape(n_components - 1, n_trials)
        indices = _draw_seeds(distinct, engine, metric, uniforms[:1], trials)
    return distinct.rows[indices]


def _scale_rows_to_euclidean_metric(rows: ND, metric: Metric) -> ND:
    """Return rows (n, D) whose Euclidean distances are those of the metric, which columns enter independently."""
    if metric == CentersModel.euclidean:
        return rows
    root = metric(np.zeros((1, rows.shape[1]))).to_quadratics().precision_root
    return np.ascontiguousarray(rows * np.diagonal(root.to_dense(1, rows.shape[1])[0]))


def _draw_seeds(distinct: DistinctRows, engine: AbstractEngine, metric: Metric, first: N, trials: Array) -> IntK:
    """Draw the positions (K,) of seeds from uniform numbers: ``first`` (1,), ``trials`` (K - 1, candidates)."""
    rows, weights = distinct.rows, distinct.weights
    source = make_memory_source(rows)

    def squared_distances(candidates: IntN) -> ND:
        return -2.0 * prediction.component_scores(metric(rows[candidates]), source, engine)

    indices = _find_positions(weights, first)
    nearest = squared_distances(indices)[:, 0]
    for uniforms in trials:
        candidates = _find_positions(weights * nearest, uniforms)
        new_nearest = np.minimum(squared_distances(candidates), nearest[:, None])
        best = int(np.argmin(weights @ new_nearest))
        indices = np.append(indices, candidates[best])
        nearest = new_nearest[:, best]
    return indices


def _find_positions(potential: N, uniforms: Array) -> IntN:
    """Return row positions (m,) by uniform numbers (m,), in proportion to a potential (n,), or all alike if it is 0."""
    cumulative = np.cumsum(potential)
    if not cumulative[-1] > 0:  # every distinct row is already a center
        return np.asarray((uniforms * len(potential)).astype(np.int64))
    indices: IntN = np.searchsorted(cumulative, uniforms * cumulative[-1], side="right")
    return np.asarray(np.minimum(indices, len(potential) - 1))


def initialize_kmeans(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Return the mixture of the partition of k-means in the data's units.

    With more columns than rows per component, all rows are about equally far from each other. k-means++ then often
    leads to a poor partition, and the best of several runs is used.
    """
    rows = _KMeansRows.from_problem(problem)
    if not rows.has_more_columns_than_rows_per_component(n_components):
        return initialize_from_centers(problem, rows.find_centers(n_components, rng))
    narrow = rows.with_at_most_as_many_columns_as_rows()
    candidates = [narrow.find_partition(n_components, rng) for _ in range(_N_INIT_IF_WIDE)]
    best = min(candidates, key=lambda partition: partition.inertia)
    return initialize_from_labels(problem, best.labels, n_components)


class _Partition(NamedTuple):
    """The group of each row, (n,), and the inertia."""

    labels: IntN
    inertia: float


@dataclass(frozen=True)
class _KMeansRows:
    """The rows of a problem in the data's units up to powers of two, and what all runs of k-means on them share."""

    problem: Problem
    exponents: IntD
    squared_movement_tolerance: float
    distinct: DistinctRows

    @classmethod
    def from_problem(cls, problem: Problem) -> "_KMeansRows":
        """Return the rows of a problem with a common scale of all columns."""
        source, exponents = rows_with_common_scale(problem)
        tolerance = LLOYD_TOLERANCE * mean_variance_at_common_scale(problem, exponents)
        return cls(replace(problem, source=source), exponents, tolerance, DistinctRows.from_source(source))

    def has_more_columns_than_rows_per_component(self, n_components: int) -> bool:
        """Return whether there are more columns than distinct rows per component; False with fewer than 32 columns."""
        n_features = self.problem.source.n_features
        return n_features >= _MIN_WIDE_COLUMNS and n_components * n_features > len(self.distinct.rows)

    def with_at_most_as_many_columns_as_rows(self) -> "_KMeansRows":
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
        model = CentersModel.euclidean(np.ldexp(self.find_centers(n_components, rng), -self.exponents))
        labels, scores = prediction.labels_and_best_scores(model, source, engine)
        return _Partition(labels, -2.0 * float(source.collect(None)[1] @ scores))

    def find_centers(self, n_components: int, rng: np.random.Generator, max_iter: int = LLOYD_MAX_ITER) -> KD:
        """Run k-means once; return the centers (K, D) in the frame of the problem, sorted by their first column."""
        seeds = kmeans_plusplus(self.distinct, n_components, self.problem.engine, rng, CentersModel.euclidean)
        centers = lloyd_centers(self.problem, seeds, self.squared_movement_tolerance, max_iter=max_iter)
        return np.asarray(np.ldexp(centers[argsort_components_by_mean(centers, centers.std(axis=0))], self.exponents))


def kmeans_centers(problem: Problem, n_components: int, rng: np.random.Generator, max_iter: int = LLOYD_MAX_ITER) -> KD:
    """Run k-means in the data's units; return the centers (K, D) in the frame, sorted by their first column."""
    return _KMeansRows.from_problem(problem).find_centers(n_components, rng, max_iter)


def initialize_from_centers(problem: Problem, centers: KD) -> Mixture:
    """Return the mixture of the partition of the rows by their nearest center, in the data's units.

    ``centers`` (K, D) are in the frame.
    """
    _, exponents = rows_with_common_scale(problem)
    root = (
        DiagonalPrecisionRoot(np.tile(np.ldexp(1.0, -exponents), (len(centers), 1)))
        if exponents.any()
        else SphericalPrecisionRoot(np.ones(len(centers)))
    )
    without_prior = replace(problem, source=problem.source.with_label_prior(None))
    moments = without_prior.e_step(CentersModel(centers, root), assignment=AssignmentKind.HARD).moments
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
