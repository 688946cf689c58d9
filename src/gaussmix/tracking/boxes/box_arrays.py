"""Boxes as arrays: two ways to write them, and how much they overlap."""

import numpy as np
from scipy.spatial import cKDTree

from gaussmix.tracking.metrics.frame_pairs import RowPairs
from gaussmix.tracking.metrics.similarity import intersection_over_union
from gaussmix.types import ND, IntArray, N

_ROUNDING = 1e-6  # in larger sides, added to the distance of centers


def to_centers(boxes: ND) -> ND:
    """Return center, width and height of boxes (n, 4) of left, top, width and height."""
    return np.hstack([boxes[:, :2] + 0.5 * boxes[:, 2:], boxes[:, 2:]])


def to_corners(boxes: ND) -> ND:
    """Return left, top, width and height of boxes (n, 4) of center, width and height."""
    return np.hstack([boxes[:, :2] - 0.5 * boxes[:, 2:], boxes[:, 2:]])


def find_overlapping_pairs(boxes: ND, min_overlap: float) -> IntArray:
    """Return the pairs (P, 2) of boxes (n, 4) with an intersection over union above ``min_overlap``, sorted.

    Boxes are center, width and height. The centers of such a pair differ by at most the fraction 1 - ``min_overlap`` of
    the larger side, along each axis.
    """
    if len(boxes) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    tree = cKDTree(boxes[:, :2] / boxes[:, 2:].max(axis=0))
    pairs = tree.query_pairs(1.0 - min_overlap + _ROUNDING, p=np.inf, output_type="ndarray")
    corners = to_corners(boxes)
    pairs = pairs[intersection_over_union(corners, corners, RowPairs(pairs[:, 0], pairs[:, 1])) > min_overlap]
    return np.asarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))])


def cover_fractions(boxes: ND, occluders: ND, max_overlap: float) -> N:
    """Return the largest fraction (n,) of each box (n, 4) that one of the nearer occluders (k, 4) covers.

    Boxes are center, width and height. An occluder is nearer to the camera if its lower side is lower in the picture.
    Occluders whose intersection over union with a box is above ``max_overlap`` are taken for the box itself.
    """
    if not len(occluders):
        return np.zeros(len(boxes))
    center, half = boxes[:, None, :2], 0.5 * boxes[:, None, 2:]
    other, other_half = occluders[None, :, :2], 0.5 * occluders[None, :, 2:]
    sides = np.minimum(center + half, other + other_half) - np.maximum(center - half, other - other_half)
    common = np.prod(np.maximum(sides, 0.0) / (2.0 * half), axis=2)  # fraction of the box
    area_ratio = np.prod(other_half / half, axis=2)
    is_nearer = (other + other_half)[:, :, 1] > (center + half)[:, :, 1]
    is_another = common <= max_overlap * (1.0 + area_ratio - common)
    return np.asarray(np.where(is_nearer & is_another, common, 0.0).max(axis=1))
