"""Connected pieces of foreground, and which pieces are fragments of one object."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from gaussmix.tracking.background.typical_size import TypicalSize
from gaussmix.types import AnyArray, IntArray

# Pieces of a frame that are looked at, the largest ones; a frame of noise has thousands.
MAX_PIECES = 100

# Fraction of the narrower piece that must lie above or below the other one.
_MIN_OVERLAP = 0.5

# Largest size of an object, relative to the typical one.
MAX_RELATIVE_SIZE = 1.25

_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class Pieces:
    """Pieces of foreground; after a merge one piece can have several labels.

    Parameters
    ----------
    boxes : ndarray (n, 4)
        Left, top, width and height in pixels.
    areas : ndarray (n,)
        Number of foreground pixels.
    owner : ndarray (n_labels + 1,)
        The piece of each label of ``labels``; -1 for background and small pieces.
    labels : ndarray (H, W)
        Label of each pixel, 0 for background.
    """

    boxes: AnyArray
    areas: IntArray
    owner: IntArray
    labels: AnyArray

    def select(self, is_selected: AnyArray) -> "Pieces":
        """Return some of the pieces."""
        number = np.append(np.where(is_selected, np.cumsum(is_selected) - 1, -1), -1)
        return Pieces(self.boxes[is_selected], self.areas[is_selected], number[self.owner], self.labels)

    def pixels(self, index: int) -> AnyArray:
        """Return the pixels of a piece as centres (m, 2) of x and y, in rows from the top."""
        left, top, width, height = self.boxes[index].astype(int)
        part = self.labels[top : top + height, left : left + width]
        y, x = np.nonzero(self.owner[part] == index)
        return np.column_stack([x + left + 0.5, y + top + 0.5])


def find_pieces(foreground: AnyArray, min_pixels: float) -> Pieces:
    """Return the connected pieces (eight neighbours) with enough pixels, at most `MAX_PIECES`."""
    labels, n_labels = ndimage.label(foreground, _EIGHT_NEIGHBOURS)
    areas = np.bincount(labels.ravel(), minlength=n_labels + 1)[1:]
    kept = np.flatnonzero(areas >= min_pixels)
    kept = np.sort(kept[np.argsort(-areas[kept], kind="stable")[:MAX_PIECES]])
    slices = ndimage.find_objects(labels)
    boxes = [(x.start, y.start, x.stop - x.start, y.stop - y.start) for y, x in (slices[index] for index in kept)]
    owner = np.full(n_labels + 1, -1)
    owner[kept + 1] = np.arange(len(kept))
    return Pieces(np.array(boxes, dtype=float).reshape(-1, 4), areas[kept], owner, labels)


def merge_fragments(pieces: Pieces, size: TypicalSize | None, max_gap: float, frame_gap: float) -> Pieces:
    """Return the pieces after merging fragments of one object, those with the smallest common box first.

    Two pieces are fragments if the vertical gap between them is small, their common box is not much higher than an
    object, and either one is above the other or the common box is not much wider than an object.

    Parameters
    ----------
    pieces : Pieces
        The connected pieces.
    size : TypicalSize or None
        None if it is not known yet.
    max_gap : float
        Largest vertical gap, as a fraction of the typical height.
    frame_gap : float
        Largest vertical gap in pixels while the size is not known.
    """
    boxes, areas, owner = pieces.boxes.copy(), pieces.areas.copy(), pieces.owner.copy()
    is_left = np.ones(len(boxes), dtype=bool)
    costs = _pair_costs(boxes, np.arange(len(boxes)), size, max_gap, frame_gap) if len(boxes) else np.zeros((0, 0))
    while costs.size and np.isfinite(costs.min()):
        first, second = divmod(int(costs.argmin()), len(boxes))
        boxes[first] = _join_boxes(boxes[first], boxes[second])
        areas[first] += areas[second]
        owner[owner == second] = first
        is_left[second] = False
        row = np.where(is_left, _pair_costs(boxes, np.array([first]), size, max_gap, frame_gap)[0], np.inf)
        costs[first], costs[:, first] = row, row
        costs[second], costs[:, second] = np.inf, np.inf
    return Pieces(boxes, areas, owner, pieces.labels).select(is_left)


def _join_boxes(first: AnyArray, second: AnyArray) -> AnyArray:
    """Return the smallest box (4,) around two boxes."""
    low = np.minimum(first[:2], second[:2])
    high = np.maximum(first[:2] + first[2:], second[:2] + second[2:])
    return np.concatenate([low, high - low])


def _pair_costs(
    boxes: AnyArray, chosen: IntArray, size: TypicalSize | None, max_gap: float, frame_gap: float
) -> AnyArray:
    """Return the area of the common box (m, n) of chosen boxes with all boxes; infinity where they are two objects."""
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    common_low = np.minimum(low[chosen, None], low)
    common = np.maximum(high[chosen, None], high) - common_low
    overlap = np.minimum(high[chosen, None], high) - np.maximum(low[chosen, None], low)
    is_above = overlap[..., 0] >= _MIN_OVERLAP * np.minimum(boxes[chosen, None, 2], boxes[:, 2])
    if size is None:
        is_object = is_above & (-overlap[..., 1] <= frame_gap)
    else:
        width, height = size.at(common_low[..., 1] + 0.5 * common[..., 1])
        has_size = (common[..., 1] <= MAX_RELATIVE_SIZE * height) & (-overlap[..., 1] <= max_gap * height)
        is_object = has_size & (is_above | (common[..., 0] <= MAX_RELATIVE_SIZE * width))
    is_object[np.arange(len(chosen)), chosen] = False
    return np.where(is_object, common.prod(axis=2), np.inf)
