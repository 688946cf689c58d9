"""Distances of rows to the centres of k-means, and their weighted sum of squares."""

import math
from dataclasses import dataclass

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame, multiply_by_powers_of_two
from gaussmix.core.kmeans_run import NearestCenters
from gaussmix.core.quadratics import CentersModel
from gaussmix.core.threads import available_n_threads, ordered_sum
from gaussmix.engines import AbstractEngine
from gaussmix.engines.kmeans_runner import AbstractKMeansRunner, SupportsKMeansRuns
from gaussmix.errors import RowTooFarError
from gaussmix.model import prediction
from gaussmix.sources import MemorySource
from gaussmix.types import KD, NK, AnyArray, N

_BATCHES_PER_THREAD, _MIN_ROWS_PER_BATCH = 4, 4096


@dataclass(frozen=True)
class _FindNearestCenters:
    """A task that writes the nearest centres of the rows of a batch; it returns for how many rows that was possible."""

    runner: AbstractKMeansRunner
    centers: KD
    nearest: NearestCenters

    def __call__(self, batch: Batch) -> int:
        labels, squared_distances = self.nearest
        out = NearestCenters(labels[batch.row_slice], squared_distances[batch.row_slice])
        return batch.n_rows * self.runner.find_nearest_centers(batch, self.centers, out)


@dataclass(frozen=True)
class _MeasureDistances:
    """A task that writes distances in the data's units; it returns for how many rows that was possible."""

    runner: AbstractKMeansRunner
    centers: KD
    centers_in_data_units: KD
    frame: Frame
    distances: NK

    def __call__(self, batch: Batch) -> int:
        out = self.distances[batch.row_slice]
        if not self.runner.measure_distances(batch, self.centers, out):
            return 0
        distances_in_data_units(out, self.frame, out)
        set_zero_where_rows_equal_centers(out, batch.raw_rows, self.centers_in_data_units)
        return batch.n_rows


def find_nearest_centers(centers: KD, source: MemorySource, engine: AbstractEngine) -> NearestCenters:
    """Return the nearest of the centres (K, D) for each row of a source; both are in the frame."""
    n_rows = source.n_rows
    if isinstance(engine, SupportsKMeansRuns):
        nearest = NearestCenters(np.empty(n_rows, dtype=np.int64), np.empty(n_rows))
        task = _FindNearestCenters(engine.kmeans_runner, centers, nearest)
        if ordered_sum(task, _split_by_threads(source)) == n_rows:
            return nearest
    labels, scores = prediction.labels_and_best_scores(CentersModel.euclidean(centers), source, engine)
    return NearestCenters(labels, -2.0 * scores)


def _split_by_threads(source: MemorySource) -> list[Batch]:
    """Return all rows as one batch for one thread, or as a few batches for each of several threads.

    Blocks of `AbstractSource.reduce` are smaller, and Python takes longer than the search between them.
    """
    whole, n_threads = Batch(source.rows, frame=source.frame), available_n_threads()
    n_rows = whole.n_rows
    if n_threads > 1:
        n_rows = max(_MIN_ROWS_PER_BATCH, -(-n_rows // (_BATCHES_PER_THREAD * n_threads)))
    return [whole.sub_batch(start, start + n_rows) for start in range(0, whole.n_rows, n_rows)]


def require_finite_distances(nearest: NearestCenters) -> None:
    """Raise a RowTooFarError about the first row whose squared distance to its nearest centre overflows."""
    if not math.isfinite(nearest.squared_distances.sum()):
        is_lost = ~np.isfinite(nearest.squared_distances)
        if is_lost.any():
            raise RowTooFarError.from_row(int(np.argmax(is_lost)))


def sum_inertia(squared_distances: N, sample_weight: N | None) -> float:
    """Return the weighted sum of squared distances; rows of weight 0 may lie at infinite distance."""
    if sample_weight is None:
        return float(squared_distances.sum())
    has_weight = sample_weight > 0
    return float(sample_weight[has_weight] @ squared_distances[has_weight])


def distances_in_data_units(distances_in_frame: AnyArray, frame: Frame, out: AnyArray | None = None) -> AnyArray:
    """Return distances that were measured in a frame, which has one scale for all columns, in the data's units."""
    with np.errstate(over="ignore", under="ignore"):
        return multiply_by_powers_of_two(distances_in_frame, -frame.total_exponent[:1], out)


def set_zero_where_rows_equal_centers(distances: NK, rows: AnyArray, centers: AnyArray) -> None:
    """Set distances (n, K) to 0 in place where a row (n, D) equals a centre (K, D).

    ``centers`` are rounded to the data's units and dtype, and distances are measured to the unrounded ones. Only
    distances within that rounding can belong to equal rows.
    """
    rounding = np.finfo(centers.dtype).eps * np.sqrt(centers.shape[1]) * np.abs(centers).max(axis=1)
    if distances.min(initial=np.inf) > rounding.max():
        return
    row_indices, center_indices = np.nonzero(distances <= rounding)
    is_equal = (rows[row_indices] == centers[center_indices]).all(axis=1)
    distances[row_indices[is_equal], center_indices[is_equal]] = 0.0


def compute_distances_in_data_units(
    centers_in_frame: KD, centers_in_data_units: KD, source: MemorySource, engine: AbstractEngine
) -> NK:
    """Return the Euclidean distances (n, K) of rows to centres in the data's units; 0 where a row equals a centre."""
    if isinstance(engine, SupportsKMeansRuns):
        distances = np.empty((source.n_rows, len(centers_in_frame)))
        runner = engine.kmeans_runner
        task = _MeasureDistances(runner, centers_in_frame, centers_in_data_units, source.frame, distances)
        if source.reduce(task) == source.n_rows:
            return distances
    scores = prediction.component_scores(CentersModel.euclidean(centers_in_frame), source, engine)
    np.multiply(scores, -2.0, out=scores)
    distances = distances_in_data_units(np.sqrt(scores, out=scores), source.frame, scores)
    set_zero_where_rows_equal_centers(distances, source.rows, centers_in_data_units)
    return distances
