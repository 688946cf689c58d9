"""Boxes of a frame as a detector gives them: parsed, in an order of their own, and without duplicates."""

from typing import NamedTuple

import numpy as np

from gaussmix.core.input_kinds import fill_masked_with_nan
from gaussmix.errors import BoxTrackingError
from gaussmix.tracking.boxes.box_arrays import find_overlapping_pairs, to_centers
from gaussmix.tracking.tracker import parse_detections
from gaussmix.types import ND, ArrayLike, BoolN, IntN, N

_MIN_PIXELS = 1e-9
_MAX_PIXELS = 1e9  # beyond, squares and products of sides would lose all digits of a position


class BoxDetections(NamedTuple):
    """Boxes (n, 4) of center, width and height, and their confidences (n,); the most confident box comes first."""

    boxes: ND
    confidences: N

    def __len__(self) -> int:
        return len(self.boxes)

    def select(self, rows: IntN | BoolN) -> "BoxDetections":
        """Return some of the boxes."""
        return BoxDetections(self.boxes[rows], self.confidences[rows])


def parse_boxes(boxes: ArrayLike, confidences: ArrayLike | None) -> BoxDetections:
    """Return boxes in the order of their confidences, then of their coordinates, whatever the order of the rows.

    Raises
    ------
    DataError
        If boxes (n, 4) or confidences (n,) have another shape, or contain anything but finite numbers; if a side is
        not above 0, a coordinate is out of range, or a confidence is not from 0 to 1.
    """
    rows = parse_detections(boxes, 4)
    require_sides(rows)
    values = np.ones(len(rows)) if confidences is None else _parse_confidences(confidences, len(rows))
    order = np.lexsort((*rows.T, -values))
    return BoxDetections(to_centers(rows[order]), values[order])


def require_sides(rows: ND) -> None:
    """Raise BoxTrackingError for the first box without area or out of range."""
    for name, column in (("width", 2), ("height", 3)):
        has_side = rows[:, column] >= _MIN_PIXELS
        if not has_side.all():
            row = int(np.argmin(has_side))
            raise BoxTrackingError.no_area(name, float(rows[row, column]), row, _MIN_PIXELS)
    is_far = (np.abs(rows) > _MAX_PIXELS).any(axis=1)
    if is_far.any():
        row = int(np.argmax(is_far))
        raise BoxTrackingError.too_far(float(rows[row, np.argmax(np.abs(rows[row]))]), row, _MAX_PIXELS)


def _parse_confidences(confidences: ArrayLike, n_boxes: int) -> N:
    """Return one confidence for each box."""
    try:
        values = np.asarray(fill_masked_with_nan(confidences), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BoxTrackingError.not_numeric_confidences(error) from error
    if values.size == 0 and n_boxes == 0:
        return np.zeros(0)
    if values.shape != (n_boxes,):
        raise BoxTrackingError.wrong_n_confidences(values.shape, n_boxes)
    is_invalid = ~((values >= 0.0) & (values <= 1.0))
    if is_invalid.any():
        row = int(np.argmax(is_invalid))
        raise BoxTrackingError.invalid_confidence(float(values[row]), row)
    return values


def remove_duplicates(detections: BoxDetections, max_overlap: float) -> BoxDetections:
    """Drop boxes that overlap a more confident one by more than ``max_overlap`` (greedy non-maximum suppression)."""
    pairs = find_overlapping_pairs(detections.boxes, max_overlap)
    if not len(pairs):
        return detections
    is_kept = np.ones(len(detections), dtype=bool)
    for first, second in pairs.tolist():
        if is_kept[first]:
            is_kept[second] = False
    return detections.select(is_kept)
