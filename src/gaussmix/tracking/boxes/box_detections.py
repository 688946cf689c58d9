"""Boxes of a frame as a detector gives them: parsed, in an order of their own, and without duplicates."""

from typing import NamedTuple

import numpy as np

from gaussmix.core.input_arrays import parse_rows
from gaussmix.tracking.metrics.similarity import intersection_over_union
from gaussmix.types import ND, ArrayLike, BoolN, IntN, N


class BoxDetections(NamedTuple):
    """Boxes (n, 4) of center, width and height, and their confidences (n,); the most confident box comes first."""

    boxes: ND
    confidences: N

    def select(self, rows: IntN | BoolN) -> "BoxDetections":
        """Return some of the boxes."""
        return BoxDetections(self.boxes[rows], self.confidences[rows])


def parse_detections(boxes: ArrayLike, confidences: ArrayLike | None) -> BoxDetections:
    """Return boxes in the order of their confidence, then of their coordinates, whatever the order of the rows."""
    rows = np.zeros((0, 4)) if np.size(boxes) == 0 else parse_rows(boxes, 4)
    values = np.ones(len(rows)) if confidences is None else np.asarray(confidences, dtype=np.float64)
    centers = np.hstack([rows[:, :2] + 0.5 * rows[:, 2:], rows[:, 2:]])
    order = np.lexsort((*rows.T, -values))
    return BoxDetections(centers[order], values[order])


def overlap_all(first: ND, second: ND) -> ND:
    """Return intersection over union (n, m) of boxes (n, 4) and (m, 4) of center, width and height."""
    rows, columns = np.indices((len(first), len(second))).reshape(2, -1)
    pairs = intersection_over_union(to_corner(first)[rows], to_corner(second)[columns])
    return pairs.reshape(len(first), len(second))


def to_corner(boxes: ND) -> ND:
    """Return left, top, width and height of boxes (n, 4) of center, width and height."""
    return np.hstack([boxes[:, :2] - 0.5 * boxes[:, 2:], boxes[:, 2:]])


def remove_duplicates(detections: BoxDetections, max_overlap: float) -> BoxDetections:
    """Drop boxes that overlap a more confident one by more than ``max_overlap`` (greedy non-maximum suppression)."""
    overlaps = np.triu(overlap_all(detections.boxes, detections.boxes), 1) > max_overlap
    if not overlaps.any():
        return detections
    is_kept = np.ones(len(overlaps), dtype=bool)
    for row in range(len(overlaps)):
        if is_kept[row]:
            is_kept &= ~overlaps[row]
    return detections.select(is_kept)


def to_center(boxes: ND) -> ND:
    """Return center, width and height of boxes (n, 4) of left, top, width and height."""
    return np.hstack([boxes[:, :2] + 0.5 * boxes[:, 2:], boxes[:, 2:]])
