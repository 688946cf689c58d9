"""Distances of rows to the centres of k-means, and their weighted sum of squares."""

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.core.kmeans_run import NearestCenters
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines import AbstractEngine
from gaussmix.model import prediction
from gaussmix.sources import MemorySource
from gaussmix.types import KD, NK, AnyArray, N


def find_nearest_centers(centers: KD, source: MemorySource, engine: AbstractEngine) -> NearestCenters:
    """Return the nearest of the centres (K, D) for each row of a source; both are in the frame."""
    labels, scores = prediction.labels_and_best_scores(CentersModel.euclidean(centers), source, engine)
    return NearestCenters(labels, -2.0 * scores)


def sum_inertia(squared_distances: N, sample_weight: N | None) -> float:
    """Return the weighted sum of squared distances; rows of weight 0 may lie at infinite distance."""
    if sample_weight is None:
        return float(squared_distances.sum())
    has_weight = sample_weight > 0
    return float(sample_weight[has_weight] @ squared_distances[has_weight])


def distances_in_data_units(distances_in_frame: AnyArray, frame: Frame) -> AnyArray:
    """Return distances that were measured in a frame, which has one scale for all columns, in the data's units."""
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(distances_in_frame, -int(frame.total_exponent[0])))


def set_zero_where_rows_equal_centers(distances: NK, rows: AnyArray, centers: AnyArray) -> None:
    """Set distances (n, K) to 0 in place where a row (n, D) equals a centre (K, D).

    ``centers`` are rounded to the data's units and dtype, and distances are measured to the unrounded ones. Only
    distances within that rounding can belong to equal rows.
    """
    rounding = np.finfo(centers.dtype).eps * np.sqrt(centers.shape[1]) * np.abs(centers).max(axis=1)
    row_indices, center_indices = np.nonzero(distances <= rounding)
    is_equal = (rows[row_indices] == centers[center_indices]).all(axis=1)
    distances[row_indices[is_equal], center_indices[is_equal]] = 0.0


def compute_distances_in_data_units(centers_in_frame: KD, source: MemorySource, engine: AbstractEngine) -> NK:
    """Return the Euclidean distances (n, K) of rows to centres in the data's units; both are given in the frame."""
    scores = prediction.component_scores(CentersModel.euclidean(centers_in_frame), source, engine)
    np.multiply(scores, -2.0, out=scores)
    return distances_in_data_units(np.sqrt(scores, out=scores), source.frame)
