"""Plot sorted p-values with the limit below which rows are anomalies."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.anomaly.detector import AnomalyDetector
from gaussmix.anomaly.judgement import Judgement, judge_rows
from gaussmix.plots import canvas
from gaussmix.plots._anomaly_marks import (
    NORMAL_COLOUR,
    anomaly_entries,
    draw_anomalies,
    move_into_axes,
    normal_row_entry,
)
from gaussmix.plots._log_axis import compute_log_limits, set_log_x_axis, set_log_y_axis
from gaussmix.plots.style import GREY, INK
from gaussmix.plots.validation import check_detector
from gaussmix.types import Array, ArrayLike, IntN

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MAX_POINTS = 1500  # evenly spaced on the logarithmic axis
_SMALLEST_SHOWN = 1e-12  # smaller p-values lie at the edge
_HIGHEST_SHOWN = 1.3  # above 1, so that a row of p-value 1 is a whole dot
_LIMIT_NAMES = {
    "fdr": "limit at a false discovery\nrate of {}",
    "fpr": "limit: a false positive\nrate of {}",
    "contamination": "limit: the {} most\nunusual rows",
}


def anomaly_p_values(
    detector: AnomalyDetector,
    X: ArrayLike,
    ax: "Axes | None" = None,
    *,
    p_values: ArrayLike | None = None,
    is_anomaly: ArrayLike | None = None,
    threshold: tuple[str, float] | None = None,
    legend: bool = True,
) -> "Axes":
    """Plot the p-values in ascending order on logarithmic axes, with the limit below which rows are anomalies.

    A dashed line shows where p-values lie if all rows are normal. With a false discovery rate, the rows up to the last
    one below the limit are anomalies (Benjamini & Hochberg 1995). P-values below 1e-12 lie at the edge.

    Parameters
    ----------
    detector : fitted AnomalyDetector
    X : array-like of shape (n, D)
        Rows in the data's units.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    p_values, is_anomaly, threshold
        See `gaussmix.anomaly.judge_rows`.
    legend : bool, default=True
        Whether to draw a legend: beside the axes of a new figure, inside axes of the caller.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter are invalid.
    MissingPackageError
        If matplotlib is not installed.
    """
    check_detector(detector)
    judgement = judge_rows(detector, X, p_values=p_values, is_anomaly=is_anomaly, threshold=threshold)
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax, 7.6, 4.2)
    n_rows = len(judgement)
    shown = np.maximum(judgement.p_values, _SMALLEST_SHOWN)
    x_limits = compute_log_limits(np.array([1.0, float(n_rows)]))
    smallest = min(float(shown.min()), 1.0 / (n_rows + 1.0), _lowest_drawn_limit(judgement))
    low, _ = compute_log_limits(np.array([smallest, 1.0]))
    set_log_x_axis(ax, x_limits)
    set_log_y_axis(ax, (low, _HIGHEST_SHOWN))
    x = np.array([1.0, float(n_rows)])
    ax.plot(x, np.minimum(x / (n_rows + 1.0), 1.0), color=GREY, linewidth=1.1, linestyle="--", zorder=2)
    _draw_limit(ax, judgement, x)
    n_beyond = _draw_rows(ax, judgement)
    canvas.label_axes(ax, "rank of the row (1 = most unusual)", "p-value")
    canvas.hide_top_right_spines(ax)
    if legend:
        canvas.draw_legend(ax, _legend_entries(judgement, n_beyond), is_own_axes)
    return ax


def _lowest_drawn_limit(judgement: Judgement) -> float:
    """Return a height that the axis must reach for the line of the limit to be seen; 1 if there is no such line."""
    kind, rate = judgement.threshold
    return 1.0 if kind == "contamination" else max(0.5 * rate, _SMALLEST_SHOWN)


def _draw_limit(ax: "Axes", judgement: Judgement, x: Array) -> None:
    """Draw the limit over the ranks ``x`` (2,): a line through the origin, a level, or a rank."""
    line: dict[str, Any] = {"color": INK, "linewidth": 1.3, "zorder": 3}
    kind, rate = judgement.threshold
    if kind == "contamination":
        ax.axvline(judgement.n_anomalies + 0.5, **line)
    else:
        ax.plot(x, rate * x / len(judgement) if kind == "fdr" else np.full(2, rate), **line)


def _draw_rows(ax: "Axes", judgement: Judgement) -> int:
    """Draw normal rows as dots and anomalies as crosses; return how many anomalies lie beyond the axes."""
    ranks = judgement.all_ranks
    drawn = _select_ranks(len(ranks))
    flags = judgement.is_anomaly[ranks[drawn]]
    points = np.column_stack([drawn + 1.0, judgement.p_values[ranks[drawn]]])
    normal = np.maximum(points[~flags], [[0.0, _SMALLEST_SHOWN]])
    ax.scatter(normal[:, 0], normal[:, 1], s=10, color=NORMAL_COLOUR, linewidths=0, zorder=4)
    draw_anomalies(ax, move_into_axes(ax, points[flags]), np.zeros(0, dtype=np.int64))
    return int((judgement.p_values[judgement.is_anomaly] < ax.get_ylim()[0]).sum())


def _select_ranks(n_rows: int) -> IntN:
    """Return the ranks (m,) to draw, from 0: all, or at most 1500 that are evenly spaced on a logarithmic axis."""
    if n_rows <= _MAX_POINTS:
        return np.arange(n_rows)
    return np.unique(np.round(np.geomspace(1.0, n_rows, _MAX_POINTS)).astype(np.int64)) - 1


def _legend_entries(judgement: Judgement, n_beyond: int) -> "list[Artist]":
    """Return the entries of the legend: rows, limit and expectation."""
    from matplotlib.lines import Line2D

    kind, rate = judgement.threshold
    name = _LIMIT_NAMES[kind].format(f"{100.0 * rate:.3g}%")
    return [
        normal_row_entry(len(judgement) - judgement.n_anomalies),
        *anomaly_entries(judgement.n_anomalies, n_beyond, is_numbered=False),
        Line2D([], [], color=INK, linewidth=1.3, label=name),
        Line2D([], [], color=GREY, linewidth=1.1, linestyle="--", label="expected if all rows\nare normal"),
    ]
