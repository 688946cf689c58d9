"""Plot the reliability diagram of probabilities: the observed rate against the mean probability of bins of rows."""

from typing import TYPE_CHECKING

import numpy as np

from gaussmix.classification.evaluation.reliability import ReliabilityTable
from gaussmix.plots import canvas
from gaussmix.plots.style import GREY, OKABE_ITO_COLOURS, PALE
from gaussmix.plots.validation import check_result

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MARGIN = 0.04
_TICKS = np.linspace(0.0, 1.0, 6)
_POSITIVE_COLOUR = OKABE_ITO_COLOURS[5]
_HISTOGRAM_BASE, _HISTOGRAM_HEIGHT = -0.27, 0.21  # below the diagram, in units of its y axis


def reliability_diagram(table: ReliabilityTable, ax: "Axes | None" = None, *, legend: bool = True) -> "Axes":
    """Plot the observed rate of each bin with its interval against its mean probability, above a histogram.

    Right probabilities lie on the diagonal. The histogram below shows how many rows have which probability, positive
    rows orange.

    Parameters
    ----------
    table : ReliabilityTable
        Result of `gaussmix.classification.reliability_table`.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    legend : bool, default=True
        Whether to draw a legend: beside the axes of a new figure, inside axes of the caller.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If ``table`` is no ReliabilityTable.
    MissingPackageError
        If matplotlib is not installed.
    """
    table = check_result("table", table, ReliabilityTable, "reliability_table")
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax, 7.0, 4.6)
    ax.plot([0.0, 1.0], [0.0, 1.0], color=GREY, linewidth=1.1, linestyle="--", zorder=2)
    ax.plot([0.0, 1.0, 1.0], [1.0, 1.0, 0.0], color=PALE, linewidth=0.8, zorder=0)
    _draw_bins(ax, table)
    _draw_histogram(ax, table)
    ax.set(
        xlim=(-_MARGIN, 1.0 + _MARGIN),
        ylim=(_HISTOGRAM_BASE, 1.0 + _MARGIN),
        aspect="equal",
        xticks=_TICKS,
        yticks=_TICKS,
    )
    canvas.label_axes(ax, "probability", "observed rate")
    canvas.hide_top_right_spines(ax)
    if legend:
        canvas.draw_legend(ax, _legend_entries(table), is_own_axes)
    return ax


def _draw_bins(ax: "Axes", table: ReliabilityTable) -> None:
    """Draw the rate of each bin as a dot with its interval."""
    x = np.array([one.mean_probability for one in table.bins])
    y = np.array([one.rate for one in table.bins])
    ends = np.array([one.rate_interval for one in table.bins]).T
    colour = OKABE_ITO_COLOURS[0]
    ax.plot(x, y, color=colour, linewidth=1.0, alpha=0.5, zorder=3)
    ax.vlines(x, *ends, color=colour, linewidth=1.6, zorder=4)
    ax.scatter(x, y, s=26, color=colour, linewidths=0, zorder=5)


def _draw_histogram(ax: "Axes", table: ReliabilityTable) -> None:
    """Draw the weight of positive and negative rows per interval of probability below the diagram, stacked."""
    total = table.histogram_positive + table.histogram_negative
    unit = _HISTOGRAM_HEIGHT / float(total.max())
    left, width = table.histogram_edges[:-1], np.diff(table.histogram_edges)
    base = np.full(len(left), _HISTOGRAM_BASE)
    bars = (
        (table.histogram_positive, _POSITIVE_COLOUR, base),
        (table.histogram_negative, PALE, base + unit * table.histogram_positive),
    )
    for heights, colour, bottom in bars:
        ax.bar(
            left, unit * heights, width, bottom, align="edge", color=colour, edgecolor="white", linewidth=0.4, zorder=1
        )


def _legend_entries(table: ReliabilityTable) -> "list[Artist]":
    """Return the entries of the legend: bins, diagonal and histogram."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    error, by_chance = table.calibration_error, table.calibration_error_by_chance
    level = f"observed rate with\n{100.0 * table.level:.3g}% interval"
    label = f"{level}\n(calibration error {error:.3f},\nby chance {by_chance:.3f})"
    return [
        Line2D([], [], color=OKABE_ITO_COLOURS[0], marker="o", markersize=5, linewidth=1.6, label=label),
        Line2D([], [], color=GREY, linewidth=1.1, linestyle="--", label="right probabilities"),
        Patch(facecolor=_POSITIVE_COLOUR, label="positive rows (number)"),
        Patch(facecolor=PALE, label="negative rows (number)"),
    ]
