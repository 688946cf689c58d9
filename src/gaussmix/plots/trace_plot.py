"""Plot the objective of a fit, its log-likelihood or penalized log-likelihood, against the iteration."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gaussmix.plots import canvas
from gaussmix.plots.plot_data import AxisUnits
from gaussmix.plots.style import GREY, OKABE_ITO_COLOURS
from gaussmix.plots.validation import FitLike, as_fit
from gaussmix.solvers import Fit
from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The axis omits a first iteration if the rise that remains after it is less than 1 / 4 of the rise before it.
_MIN_RISE_RATIO_TO_CUT = 4.0
_MIN_AXIS_SPAN_NATS = 1e-2  # length of the shortest axis; smaller differences are irrelevant
_ROUNDING_RTOL = 1e-12  # relative rises below this are rounding errors
_MAX_CUT_FRACTION = 0.25  # fraction of the iterations that the axis may omit


def log_likelihood_trace(fit: FitLike, ax: "Axes | None" = None) -> "Axes":
    """Plot the log-likelihood against the iteration; with a prior, the log-likelihood plus the log prior density.

    A dashed line shows the same quantity of the returned parameters. A poor start would flatten the rest of the
    curve. So the y axis omits up to a quarter of the iterations if most of the rise happens in them; a text says so.

    Parameters
    ----------
    fit : Fit, fitted estimator, Selection or Candidate
        ``estimator``, ``estimator.fit_`` or ``selection.best.fit``.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.

    Returns
    -------
    matplotlib Axes
    """
    fit = as_fit(fit)
    ax = canvas.get_or_create_axes(ax, 6.4, 3.4)
    values = fit.trace.log_likelihoods
    iterations = np.arange(1, len(values) + 1)
    n_omitted = _count_omitted_first_iterations(values)
    low, high = _log_likelihood_axis_limits(values[n_omitted:], fit.objective)
    units = AxisUnits.from_scores(low, high, fit.objective)
    final = float(units.to_axis_units(np.array(fit.objective)))
    ax.axhline(final, color=GREY, linewidth=0.9, linestyle="--")
    marker = "o" if len(values) <= 100 else None
    ax.plot(
        iterations,
        units.to_axis_units(values),
        color=OKABE_ITO_COLOURS[0],
        linewidth=1.4,
        marker=marker,
        markersize=3.5,
    )
    ax.annotate(
        f"returned parameters: {canvas.format_number(fit.objective, 3)}",
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
    x_label = "iteration" if len(values) else "no iterations"
    canvas.label_axes(ax, x_label, _format_y_label(fit, units))
    if n_omitted:
        _annotate_omitted_iterations(ax, values, n_omitted)
    canvas.hide_top_right_spines(ax)
    return ax


def _format_y_label(fit: Fit, units: AxisUnits) -> str:
    """Return the label of the y axis: what the values are, whether they are differences, and their units."""
    name = fit.objective_name.replace(" plus", "\nplus")
    name = f"{name}\nminus that of the returned parameters" if units.offset else name
    return replace(units, offset=0.0).format_label(name)


def _count_omitted_first_iterations(log_likelihoods: Array) -> int:
    """Return how many first iterations of a steep rise the axis omits; 0 if the rise is gradual."""
    if len(log_likelihoods) < 3:
        return 0
    rises = log_likelihoods[-1] - log_likelihoods
    max_cut = max(1, int(_MAX_CUT_FRACTION * len(log_likelihoods)))
    steep = [c for c in range(1, max_cut + 1) if rises[c] > 0 and rises[c - 1] > _MIN_RISE_RATIO_TO_CUT * rises[c]]
    return max(steep, default=0)


def _log_likelihood_axis_limits(log_likelihoods: Array, final_log_likelihood: float) -> tuple[float, float]:
    """Return the ends (low, high) of the y axis around the finite log-likelihoods and the final one."""
    shown = np.append(log_likelihoods, final_log_likelihood)
    shown = shown[np.isfinite(shown)]
    low, high = float(shown.min()), float(shown.max())
    span = max(high - low, _MIN_AXIS_SPAN_NATS, _ROUNDING_RTOL * abs(final_log_likelihood))
    return low - 0.08 * span, high + 0.16 * span


def _annotate_omitted_iterations(ax: "Axes", log_likelihoods: Array, n_omitted: int) -> None:
    """Write on the plot how many first iterations lie below the axis, and the log-likelihood of the first one."""
    subject = "iteration 1 lies" if n_omitted == 1 else f"iterations 1 to {n_omitted} lie"
    ax.text(
        0.99,
        0.04,
        f"axis cut: {subject} below it, from {canvas.format_number(float(log_likelihoods[0]), 1)}",
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize="small",
        color=GREY,
    )
