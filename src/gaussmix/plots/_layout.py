"""Arithmetic of pictures: how far an axis reaches, and labels pushed apart until none covers another."""

import numpy as np

from gaussmix.types import ND, Array

_MARGIN_FRACTION = 0.05
_NARROW_ROWS_FRACTION = 0.5  # rows that span less than this share of the model do not show how far it reaches

MAX_EXTENSION = 0.35
"""How far outlines may widen an axis past the rows, as a share of the rows' range."""

WIDE_MAX_EXTENSION = 1.25
"""The same where outlines are what is compared: enough for what holds 95 % of one Gaussian fitted to few rows."""


def compute_axis_limits(
    values: Array, centers: Array, outlines: Array, weights: Array, max_extension: float = MAX_EXTENSION
) -> tuple[float, float]:
    """Lower and upper end of an axis that shows rows and means, and outlines unless they are far larger.

    Outlines (K, m) of components of given ``weights`` widen it by ``beyond`` of the rows' range at most, to each side;
    they are shown whole where the rows are narrower than the model.
    """
    inner = np.concatenate([values, centers])
    low, high = float(inner.min()), float(inner.max())
    model = max(float(weights @ np.ptp(outlines, axis=1)), float(np.ptp(centers)))
    narrow = float(np.ptp(values)) < _NARROW_ROWS_FRACTION * model
    room = np.inf if narrow or not high > low else max_extension * (high - low)
    low, high = max(low - room, min(low, float(outlines.min()))), min(high + room, max(high, float(outlines.max())))
    if not high > low:
        size = max(abs(low), 1.0)
        return low - 0.5 * size, high + 0.5 * size
    margin = _MARGIN_FRACTION * (high - low)
    return low - margin, high + margin


def separate_points(points: ND, min_distance: float, max_iter: int = 200) -> ND:
    """Points (K, 2) moved as little as is simple until none is nearer than ``gap`` to another."""
    moved = points.copy()
    for _ in range(max_iter):
        difference = moved[:, None] - moved[None]
        distance = np.hypot(difference[..., 0], difference[..., 1])
        np.fill_diagonal(distance, np.inf)
        close = distance < min_distance * 0.999
        if not close.any():
            break
        # Points that coincide leave in directions of their own.
        angles = 2.4 * np.arange(len(points))
        apart = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        same = distance < 1e-9 * min_distance
        direction = np.where(same[..., None], apart[:, None], difference / np.where(same, 1.0, distance)[..., None])
        push = np.where(close, 0.5 * (min_distance - distance), 0.0)
        moved = moved + (push[..., None] * direction).sum(axis=1)
    return moved
