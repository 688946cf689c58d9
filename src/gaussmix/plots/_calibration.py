"""Draw the calibration of predicted probabilities: the accuracy among rows of similar confidence."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.comparison.assignment_comparison import (
    HARD_METHOD,
    KMEANS_METHOD,
    NEIGHBORS_METHOD,
    SOFT_METHOD,
    AssignmentMethodComparison,
)
from gaussmix.plots import canvas
from gaussmix.plots.style import GREY, INK, PALE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colour, marker and line style of each method. No component has markers of strokes alone, nor the first component these
# colours.
STROKE_STYLES = {
    NEIGHBORS_METHOD: ("#56B4E9", "x", ":"),
    KMEANS_METHOD: ("#8C564B", "+", "-."),
    HARD_METHOD: ("#D55E00", "1", "--"),
    SOFT_METHOD: (INK, "2", "-"),
}

_MIN_MARKER_AREA, _MAX_MARKER_AREA = 40.0, 160.0  # square points; the area grows with the weight of the rows
_LEGEND_HEIGHT_POINTS = 66.0
_MAX_LEGEND_FRACTION = 0.6  # of the height of the panel


def draw_calibration_per_method(ax: "Axes", comparison: AssignmentMethodComparison) -> None:
    """Draw one calibration curve per assignment method, accuracy against mean confidence of each bin, with a legend.

    The axes show the unit square, framed, and the legend above it.
    """
    min_confidence = 1.0 / len(comparison.class_names)  # the probability of the most probable class is at least this
    ax.plot([min_confidence, 1.0], [min_confidence, 1.0], color=GREY, linewidth=4.0, alpha=0.25, zorder=1)
    max_weight = max(one.weight for name in STROKE_STYLES for one in comparison[name].calibration_bins)
    for name, (colour, marker, dash) in STROKE_STYLES.items():
        bins = comparison[name].calibration_bins
        x, y = [one.confidence for one in bins], [one.accuracy for one in bins]
        sizes = [_MIN_MARKER_AREA + (_MAX_MARKER_AREA - _MIN_MARKER_AREA) * one.weight / max_weight for one in bins]
        ax.plot(x, y, color=colour, linestyle=dash, linewidth=0.9, alpha=0.7, zorder=2)
        ax.scatter(x, y, s=sizes, color=[colour], marker=marker, linewidths=1.3, zorder=3)
    # The legend lies above an accuracy of 1, where it covers no data.
    legend_fraction = min(
        _MAX_LEGEND_FRACTION, _LEGEND_HEIGHT_POINTS * ax.figure.dpi / 72.0 / ax.get_window_extent().height
    )
    y_max = 1.04 + 1.08 * legend_fraction / (1.0 - legend_fraction)
    unit_ticks = np.linspace(0.0, 1.0, 6)
    ax.plot([0.0, 1.0, 1.0], [1.0, 1.0, 0.0], color=PALE, linewidth=0.8, zorder=0)
    ax.set(xlim=(-0.04, 1.04), ylim=(-0.04, y_max), xticks=unit_ticks, yticks=unit_ticks)
    canvas.label_axes(ax, "probability of the most probable label", "accuracy")
    ax.set_title("calibration (larger: more rows)", fontsize="medium")
    canvas.hide_top_right_spines(ax)
    _draw_calibration_legend(ax, comparison)


def _draw_calibration_legend(ax: "Axes", comparison: AssignmentMethodComparison) -> None:
    """Draw a legend with the name and the calibration error of each method in the upper left corner."""
    from matplotlib.lines import Line2D

    entries = []
    for name, (colour, marker, dash) in STROKE_STYLES.items():
        line: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": dash, "linewidth": 0.7, "markersize": 7}
        entries.append(Line2D([], [], label=f"{name}, {comparison[name].calibration_error:.2f}", **line))
    spacing: dict[str, Any] = {"borderpad": 0.3, "labelspacing": 0.25, "handlelength": 2.4, "handletextpad": 0.5}
    size: dict[str, Any] = {"fontsize": "x-small", "title_fontsize": "x-small", "alignment": "left"}
    ax.legend(
        handles=entries, title="mean error:", loc="upper left", frameon=False, borderaxespad=0.0, **size, **spacing
    )
