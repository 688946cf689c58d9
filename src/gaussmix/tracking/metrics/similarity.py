"""How much a true object and a track resemble each other in a frame: from 0 to 1, by boxes or by positions."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError, TrackDataError, TrackEvaluationError
from gaussmix.tracking.metrics.frame_pairs import RowPairs
from gaussmix.tracking.metrics.point_sets import limit_distances
from gaussmix.tracking.track_table import TrackTable
from gaussmix.types import ND, N


class Similarity(Protocol):
    """A measure of resemblance; `evaluate_tracks` takes any object with this method."""

    def compare_rows(self, truth: TrackTable, tracks: TrackTable, rows: RowPairs) -> N:
        """Return the similarity (n,) of pairs of rows of two tables, from 0 (nothing in common) to 1 (equal)."""
        ...


@dataclass(frozen=True)
class BoxOverlap:
    """Intersection over union of two boxes; boxes without area overlap nothing."""

    def compare_rows(self, truth: TrackTable, tracks: TrackTable, rows: RowPairs) -> N:
        """Return the intersection over union (n,) of pairs of boxes.

        Raises
        ------
        TrackEvaluationError
            If a table has no boxes.
        """
        for table, name in ((truth, "truth"), (tracks, "tracks")):
            if table.boxes is None:
                raise TrackEvaluationError.no_boxes(name)
        return _intersection_over_union(truth.boxes[rows.first], tracks.boxes[rows.second])  # type: ignore[index]


@dataclass(frozen=True)
class PointProximity:
    """One minus the Euclidean distance of two positions over ``zero_distance``; at least 0.

    Tables without positions are compared by the centers of their boxes.

    Parameters
    ----------
    zero_distance : float
        Distance from which on two positions have nothing in common, in their unit. With ``threshold=0.5`` objects
        match up to half of this distance.

    Raises
    ------
    ParameterError
        If ``zero_distance`` is not a finite number above 0.
    """

    zero_distance: float

    def __post_init__(self) -> None:
        if not is_number_in(self.zero_distance, 0.0, math.inf):
            allowed = "a finite number above 0, in the unit of the positions"
            raise ParameterError.invalid_value("zero_distance", self.zero_distance, allowed)

    def compare_rows(self, truth: TrackTable, tracks: TrackTable, rows: RowPairs) -> N:
        """Return the proximity (n,) of pairs of positions.

        Raises
        ------
        TrackDataError
            If the positions of the tables have different numbers of coordinates.
        """
        first, second = tracks.points, truth.points
        if len(first) and len(second) and first.shape[1] != second.shape[1]:
            raise TrackDataError.different_dimensions(first.shape[1], second.shape[1])
        return np.asarray(1.0 - limit_distances(second[rows.first], first[rows.second], self.zero_distance))


def _intersection_over_union(first: ND, second: ND) -> N:
    """Return the intersection over union (n,) of boxes (n, 4).

    Differences of corners come first, so that boxes far from the origin lose no digits. Overlaps count in units of the
    larger side, so that areas neither overflow nor underflow.
    """
    with np.errstate(over="ignore"):  # an infinite offset is one without overlap
        offset = second[:, :2] - first[:, :2]
        overlap = np.minimum(first[:, 2:], offset + second[:, 2:]) - np.maximum(offset, 0.0)
    unit = np.maximum(first[:, 2:], second[:, 2:])
    unit = np.where(unit > 0, unit, 1.0)
    intersection, area, other_area = (
        np.prod(np.maximum(sides, 0.0) / unit, axis=1) for sides in (overlap, first[:, 2:], second[:, 2:])
    )
    union = area + other_area - intersection
    return np.asarray(np.divide(intersection, union, out=np.zeros(len(union)), where=intersection > 0))
