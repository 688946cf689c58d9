"""Compute axis limits and positions of labels that do not overlap."""

import numpy as np

from gaussmix.types import ND, Array, K, N

_MARGIN_FRACTION = 0.05
_NARROW_ROWS_FRACTION = 0.5  # below this ratio of the rows' range to the model's, axes show the whole model

# Outlines may extend an axis on each side by this multiple of the rows' range.
MAX_EXTENSION_RATIO = 0.35
# The same for plots that compare outlines. It suffices for the 95 % ellipse of one Gaussian fitted to few rows.
WIDE_MAX_EXTENSION_RATIO = 1.25


def compute_axis_limits(
    values: N,
    centers: K,
    outline_coordinates: Array,
    component_weights: K,
    max_extension_ratio: float = MAX_EXTENSION_RATIO,
) -> tuple[float, float]:
    """Return the ends (low, high) of an axis that shows rows, means and, unless they are far larger, outlines.

    ``values`` (n,), NaN where missing, and ``centers`` (K,) are coordinates of rows and means along the axis. Outlines
    (K, m) extend it on each side by at most ``max_extension_ratio`` times the range of the rows. If that range is much
    smaller than the model's, the axis shows whole outlines.
    """
    values = values[~np.isnan(values)]
    inner = np.concatenate([values, centers])
    low, high = float(inner.min()), float(inner.max())
    model_range = max(float(component_weights @ np.ptp(outline_coordinates, axis=1)), float(np.ptp(centers)))
    has_narrow_rows = not len(values) or float(np.ptp(values)) < _NARROW_ROWS_FRACTION * model_range
    room = np.inf if has_narrow_rows or not high > low else max_extension_ratio * (high - low)
    low_outline, high_outline = float(outline_coordinates.min()), float(outline_coordinates.max())
    low, high = max(low - room, min(low, low_outline)), min(high + room, max(high, high_outline))
    if not high > low:
        size = max(abs(low), 1.0)
        return low - 0.5 * size, high + 0.5 * size
    margin = _MARGIN_FRACTION * (high - low)
    return low - margin, high + margin


def separate_points(points: ND, min_distance: float, limits: ND | None = None, max_iter: int = 200) -> ND:
    """Return points (K, 2) moved apart until no two are nearer than ``min_distance``, in at most ``max_iter`` steps.

    They stay within ``limits`` (2, 2), the smallest and the largest coordinates, if these are given.
    """
    low, high = (-np.inf, np.inf) if limits is None else limits
    moved = np.clip(points, low, high)
    for _ in range(max_iter):
        difference = moved[:, None] - moved[None]
        distance = np.hypot(difference[..., 0], difference[..., 1])
        np.fill_diagonal(distance, np.inf)
        is_close = distance < min_distance * 0.999
        if not is_close.any():
            break
        # Coincident points have no direction between them, so each gets a direction of its own.
        angles = 2.4 * np.arange(len(points))
        own_direction = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        is_equal = distance < 1e-9 * min_distance
        unit_difference = difference / np.where(is_equal, 1.0, distance)[..., None]
        direction = np.where(is_equal[..., None], own_direction[:, None], unit_difference)
        push = np.where(is_close, 0.5 * (min_distance - distance), 0.0)
        moved = moved + (push[..., None] * direction).sum(axis=1)
        # Limits reflect points, because points that are only clipped meet again in a corner.
        moved = np.where(moved < low, 2.0 * low - moved, np.where(moved > high, 2.0 * high - moved, moved))
        moved = np.clip(moved, low, high)
    return moved
