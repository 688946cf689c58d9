"""How much a true object and a track resemble each other in a frame: from 0 to 1, by boxes or by positions."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError, TrackEvaluationError, TrackInputError
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
        if truth.boxes is None or tracks.boxes is None:
            raise TrackEvaluationError.no_boxes("truth" if truth.boxes is None else "tracks")
        return intersection_over_union(truth.boxes, tracks.boxes, rows)


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
        TrackInputError
            If the positions of the tables have different numbers of coordinates.
        """
        first, second = tracks.points, truth.points
        if len(first) and len(second) and first.shape[1] != second.shape[1]:
            raise TrackInputError.different_dimensions(first.shape[1], second.shape[1])
        return np.asarray(1.0 - limit_distances(second[rows.first], first[rows.second], self.zero_distance))


def intersection_over_union(first: ND, second: ND, rows: RowPairs) -> N:
    """Return the intersection over union (n,) of pairs of boxes; most pairs of a frame lie side by side, and cost less.

    Overlaps count in units of the larger side, so that areas neither overflow nor underflow.
    """
    values = np.zeros(len(rows.first))
    near = np.flatnonzero(_overlap(first, second, rows, axis=0) > 0)
    rows = RowPairs(rows.first[near], rows.second[near])
    intersection, area, other_area = np.ones(len(near)), np.ones(len(near)), np.ones(len(near))
    for axis in (0, 1):
        sides = first[rows.first, 2 + axis], second[rows.second, 2 + axis]
        unit = np.maximum(*sides)
        unit[unit == 0] = 1.0
        intersection *= np.maximum(_overlap(first, second, rows, axis), 0.0) / unit
        area *= sides[0] / unit
        other_area *= sides[1] / unit
    union = area + other_area - intersection
    values[near] = np.divide(intersection, union, out=np.zeros(len(near)), where=intersection > 0)
    return values


def _overlap(first: ND, second: ND, rows: RowPairs, axis: int) -> N:
    """Return the length (n,) that pairs of boxes have in common on an axis; it is negative between separate boxes.

    The difference of the corners comes first, so that boxes far from the origin lose no digits.
    """
    with np.errstate(over="ignore"):  # an infinite offset is one without overlap
        offset = second[rows.second, axis] - first[rows.first, axis]
        end = offset + second[rows.second, 2 + axis]
    return np.asarray(np.minimum(first[rows.first, 2 + axis], end) - np.maximum(offset, 0.0))
