"""Plot an intensity of objects as ellipses: what a filter knows after a scan."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.model import Intensity
from gaussmix.plots import canvas
from gaussmix.plots._panel_2d import compute_ellipse_outlines
from gaussmix.plots.style import GREY, OKABE_ITO_COLOURS
from gaussmix.plots.track_drawing import label_plane
from gaussmix.tracking.filter_intensity import position_intensity
from gaussmix.tracking.tracker import AbstractTracker
from gaussmix.types import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MIN_VISIBLE_WEIGHT = 0.01
_MIN_OPACITY = 0.25


def plot_intensity(
    intensity: Intensity | AbstractTracker | None,
    ax: "Axes | None" = None,
    *,
    detections: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> "Axes":
    """Plot an intensity of positions: ellipses that contain 50 % and 95 % of each component.

    Components of a weight below 1, the expected number of objects, are paler. Those below 0.01 are left out.

    Parameters
    ----------
    intensity : Intensity, tracker or None
        An intensity whose first two columns are coordinates, or a filter, of which `position_intensity` is drawn. None
        is an empty intensity.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    detections : array-like of shape (n, p), optional
        Detections of the scan, drawn as crosses.
    names : sequence of str, optional
        Names of the coordinates. Default: x, y.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If ``intensity`` is something else, or has a single column.
    MissingPackageError
        If matplotlib is not installed.
    """
    if isinstance(intensity, AbstractTracker):
        intensity = position_intensity(intensity)
    if intensity is not None and not (isinstance(intensity, Intensity) and intensity.mixture.n_features > 1):
        allowed = "an Intensity of two or more columns, or a tracker"
        raise ParameterError.invalid_value("intensity", type(intensity), allowed)
    ax = canvas.get_or_create_axes(ax, 5.6, 4.6)
    points = np.zeros((0, 2)) if detections is None or np.size(detections) == 0 else np.asarray(detections)[:, :2]
    ax.scatter(points[:, 0], points[:, 1], s=14, marker="x", color=GREY, linewidths=0.9, zorder=2)
    if intensity is not None:
        _draw_components(ax, intensity)
    label_plane(ax, names, 2)
    return ax


def _draw_components(ax: "Axes", intensity: Intensity) -> None:
    """Draw the ellipses of all components that are heavy enough."""
    pair = intensity.mixture.marginal([0, 1])
    colour = OKABE_ITO_COLOURS[0]
    for outlines, weight in zip(compute_ellipse_outlines(pair), intensity.weights.tolist(), strict=True):
        if weight < _MIN_VISIBLE_WEIGHT:
            continue
        opacity = max(min(weight, 1.0), _MIN_OPACITY)
        for outline, width in zip(outlines, (1.8, 0.9), strict=True):
            ax.plot(outline[:, 0], outline[:, 1], color=colour, alpha=opacity, linewidth=width, zorder=3)
