"""Which detection can belong to which component: gates, found by a k-d tree where there are many."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from gaussmix.tracking.kalman import UpdateStack, score_pairs
from gaussmix.tracking.sensors import AbstractSensor
from gaussmix.types import ND, Array, BoolN, IntN, N

_MAX_DENSE_PAIRS = 20_000  # below, all pairs at once are faster than a tree


class GatedPairs(NamedTuple):
    """P pairs of component and detection within the gate, ordered by component, then detection.

    ``differences`` (P, m) are those of the measurements, ``log_densities`` (P,) those of the measurement under the
    component.
    """

    components: IntN
    detections: IntN
    differences: Array
    log_densities: N


def gate_pairs(
    sensor: AbstractSensor, update: UpdateStack, measurements: ND, max_squared_distance: float
) -> GatedPairs:
    """Return all pairs whose squared Mahalanobis distance is at most ``max_squared_distance``."""
    n_components, n_measurements = len(update.predicted), len(measurements)
    columns = [column for column in range(measurements.shape[1]) if column not in sensor.angles]
    if n_components * n_measurements <= _MAX_DENSE_PAIRS or not columns:
        components = np.repeat(np.arange(n_components), n_measurements)
        detections = np.tile(np.arange(n_measurements), n_components)
    else:
        components, detections = _find_near_pairs(update, measurements, columns, max_squared_distance)
    scores = score_pairs(sensor, update, components, measurements[detections])
    is_near = scores.squared_distances <= max_squared_distance
    return select_pairs(GatedPairs(components, detections, scores.differences, scores.log_densities), is_near)


def select_pairs(pairs: GatedPairs, is_kept: BoolN) -> GatedPairs:
    """Return the pairs where a mask (P,) is true."""
    if is_kept.all():
        return pairs
    return GatedPairs(
        pairs.components[is_kept], pairs.detections[is_kept], pairs.differences[is_kept], pairs.log_densities[is_kept]
    )


def _find_near_pairs(
    update: UpdateStack, measurements: ND, columns: list[int], max_squared_distance: float
) -> tuple[IntN, IntN]:
    """Return the pairs within the ball around each gate, in some columns, scaled by their typical deviation."""
    deviations = update.deviations[:, columns]
    scales = np.median(deviations, axis=0)
    radii = np.sqrt(max_squared_distance * ((deviations / scales) ** 2).sum(axis=1))  # balls around the ellipsoids
    tree = cKDTree(measurements[:, columns] / scales)
    lists = tree.query_ball_point(update.predicted[:, columns] / scales, radii, return_sorted=True)
    counts = np.fromiter((len(found) for found in lists), dtype=np.int64, count=len(lists))
    detections = np.fromiter((j for found in lists for j in found), dtype=np.int64, count=int(counts.sum()))
    return np.repeat(np.arange(len(lists)), counts), detections
