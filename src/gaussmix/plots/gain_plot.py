"""Plot gain and lift: how many of the positive rows are among those of the highest probability."""

from typing import TYPE_CHECKING

import numpy as np

from gaussmix.classification.evaluation.gain import GainTable
from gaussmix.plots import canvas
from gaussmix.plots.style import GREY, OKABE_ITO_COLOURS
from gaussmix.plots.validation import check_result
from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MARKED_FRACTION = 0.2
_MIN_ROWS_OF_LIFT = 20  # the lift of fewer rows is noise
_X_LABEL = "fraction of rows, highest probability first"


def gain_curve(table: GainTable, ax: "Axes | None" = None, *, legend: bool = True) -> "Axes":
    """Plot the fraction of positive rows that is among the rows of the highest probability.

    Dashed: the best order, positive rows first. Dotted: a random order.

    Parameters
    ----------
    table : GainTable
        Result of `gaussmix.classification.gain_table`.
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
        If ``table`` is no GainTable.
    MissingPackageError
        If matplotlib is not installed.
    """
    table = check_result("table", table, GainTable, "gain_table")
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax, 7.0, 4.2)
    marked = float(table.gain_at(_MARKED_FRACTION))
    _draw_curve(ax, table.curve_fractions, table.curve_gains)
    ax.scatter([_MARKED_FRACTION], [marked], s=30, color=OKABE_ITO_COLOURS[0], zorder=4)
    ax.plot([0.0, table.rate, 1.0], [0.0, 1.0, 1.0], color=GREY, linewidth=1.1, linestyle="--", zorder=2)
    ax.plot([0.0, 1.0], [0.0, 1.0], color=GREY, linewidth=1.1, linestyle=":", zorder=2)
    ax.set(xlim=(0.0, 1.0), ylim=(0.0, 1.02))
    canvas.label_axes(ax, _X_LABEL, "fraction of positive rows reached")
    canvas.hide_top_right_spines(ax)
    if legend:
        reached = f"by probability: the first {_MARKED_FRACTION:.0%}\nof rows hold {marked:.0%} of positive rows"
        canvas.draw_legend(ax, _legend_entries(reached), is_own_axes)
    return ax


def lift_curve(table: GainTable, ax: "Axes | None" = None, *, legend: bool = True) -> "Axes":
    """Plot how many times more often rows of the highest probability are positive than all rows.

    Dashed: the best order, positive rows first. Dotted: a random order. The curve starts at twenty rows, or at a fifth
    of all rows.

    Parameters
    ----------
    table : GainTable
        Result of `gaussmix.classification.gain_table`.
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
        If ``table`` is no GainTable.
    MissingPackageError
        If matplotlib is not installed.
    """
    table = check_result("table", table, GainTable, "gain_table")
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax, 7.0, 4.2)
    first = min(_MIN_ROWS_OF_LIFT / table.n_rows, _MARKED_FRACTION)
    fractions = np.union1d(np.linspace(first, 1.0, 201), table.curve_fractions[table.curve_fractions > first])
    marked = float(table.gain_at(_MARKED_FRACTION)) / _MARKED_FRACTION
    _draw_curve(ax, fractions, table.gain_at(fractions) / fractions)
    ax.scatter([_MARKED_FRACTION], [marked], s=30, color=OKABE_ITO_COLOURS[0], zorder=4)
    best = np.unique(np.append(np.linspace(0.0, 1.0, 201), table.rate))
    ax.plot(best, 1.0 / np.maximum(best, table.rate), color=GREY, linewidth=1.1, linestyle="--", zorder=2)
    ax.axhline(1.0, color=GREY, linewidth=1.1, linestyle=":", zorder=2)
    ax.set(xlim=(0.0, 1.0), ylim=(0.0, 1.06 / table.rate))
    canvas.label_axes(ax, _X_LABEL, "lift")
    canvas.hide_top_right_spines(ax)
    if legend:
        lift = f"by probability: the first {_MARKED_FRACTION:.0%} of rows\nhave a lift of {marked:.2g}"
        canvas.draw_legend(ax, _legend_entries(lift), is_own_axes)
    return ax


def _draw_curve(ax: "Axes", fractions: Array, heights: Array) -> None:
    """Draw the curve of the table."""
    ax.plot(fractions, heights, color=OKABE_ITO_COLOURS[0], linewidth=1.8, zorder=3)


def _legend_entries(label: str) -> "list[Artist]":
    """Return the entries of the legend: the curve, the best order and a random one."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=OKABE_ITO_COLOURS[0], linewidth=1.8, marker="o", markersize=5, label=label),
        Line2D([], [], color=GREY, linewidth=1.1, linestyle="--", label="best order"),
        Line2D([], [], color=GREY, linewidth=1.1, linestyle=":", label="random order"),
    ]
