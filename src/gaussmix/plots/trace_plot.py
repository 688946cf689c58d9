"""The climb of a fit: log-likelihood by pass over the data."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gaussmix.plots import canvas
from gaussmix.plots.plot_data import AxisUnits
from gaussmix.plots.style import GREY, OKABE_ITO_COLOURS
from gaussmix.plots.validation import FitLike, as_fit
from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MIN_RISE_RATIO_TO_CUT = 4.0  # a pass that leaves less than one part in so many of the rise before it is cut off
_MIN_AXIS_SPAN_NATS = 1e-2  # nats that an axis spans at least; less says nothing
_ROUNDING_RTOL = 1e-12  # a rise that is a smaller part of the value is rounding
_MAX_CUT_FRACTION = 0.25  # the share of the passes that may be cut off


def log_likelihood_trace(fit: FitLike, ax: "Axes | None" = None) -> "Axes":
    """Log-likelihood by pass, with the value of the returned parameters.

    A poor start would flatten everything after it. So where one of the first passes (a quarter of
    them at most) leaves less than a fourth of the rise to those after it, the axis begins above it
    and says so.

    Parameters
    ----------
    fit : Fit or fitted estimator
        ``estimator``, ``estimator.fit_`` or ``selection.best.fit``.
    ax : matplotlib Axes, optional
        Default: new axes in a figure of their own.

    Returns
    -------
    matplotlib Axes
    """
    fit = as_fit(fit)
    ax = canvas.get_or_create_axes(ax, 6.4, 3.4)
    values = fit.trace.log_likelihoods
    number = np.arange(1, len(values) + 1)
    cut = _count_cut_values(values)
    low, high = _log_likelihood_limits(values[cut:], fit.log_likelihood)
    units = AxisUnits.from_scores(low, high, fit.log_likelihood)
    final = float(units.to_axis_units(np.array(fit.log_likelihood)))
    ax.axhline(final, color=GREY, linewidth=0.9, linestyle="--")
    marker = "o" if len(values) <= 100 else None
    ax.plot(
        number, units.to_axis_units(values), color=OKABE_ITO_COLOURS[0], linewidth=1.4, marker=marker, markersize=3.5
    )
    ax.annotate(
        f"returned parameters: {canvas.format_number(fit.log_likelihood, 3)}",
        (0.99, final),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize="small",
    )
    ax.set_ylim(*units.to_axis_units(np.array([low, high])))
    ax.set_xlim(0.5, max(len(values), 1) + 0.5)
    canvas.set_integer_x_ticks(ax)
    canvas.set_plain_y_ticks(ax)
    name = "log-likelihood\nabove that of the returned parameters" if units.offset else "log-likelihood"
    passes = "pass over the data" if len(values) else "no pass was made"
    canvas.label_axes(ax, passes, replace(units, offset=0.0).format_label(name))
    if cut:
        _annotate_cut(ax, values, cut)
    canvas.hide_top_right_spines(ax)
    return ax


def _count_cut_values(values: Array) -> int:
    """How many first passes are left below the axis."""
    if len(values) < 3:
        return 0
    rises = values[-1] - values
    most = max(1, int(_MAX_CUT_FRACTION * len(values)))
    steep = [c for c in range(1, most + 1) if rises[c] > 0 and rises[c - 1] > _MIN_RISE_RATIO_TO_CUT * rises[c]]
    return max(steep, default=0)


def _log_likelihood_limits(values: Array, final_value: float) -> tuple[float, float]:
    shown = np.append(values, final_value)
    shown = shown[np.isfinite(shown)]
    low, high = float(shown.min()), float(shown.max())
    room = max(high - low, _MIN_AXIS_SPAN_NATS, _ROUNDING_RTOL * abs(final_value))
    return low - 0.08 * room, high + 0.16 * room


def _annotate_cut(ax: "Axes", values: Array, n_cut: int) -> None:
    """The axis does not show all: say where it begins and what lies below."""
    passes = "the first pass lies" if n_cut == 1 else f"the first {n_cut} passes lie"
    ax.text(
        0.99,
        0.04,
        f"axis cut: {passes} below it, from {canvas.format_number(float(values[0]), 1)}",
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize="small",
        color=GREY,
    )
