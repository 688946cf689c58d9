"""The climb of a fit: log-likelihood by pass over the data."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gaussmix.plots import canvas
from gaussmix.plots.columns import Units
from gaussmix.plots.given import FitLike, as_fit
from gaussmix.plots.style import GREY, OKABE_ITO
from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FLATTENED = 4.0  # a pass that leaves less than one part in so many of the rise before it is cut off
_LEAST_RISE = 1e-2  # nats that an axis spans at least; less says nothing
_RESOLVED = 1e-12  # a rise that is a smaller part of the value is rounding
_FIRST_PART = 0.25  # the share of the passes that may be cut off


def trace(fit: FitLike, ax: "Axes | None" = None) -> "Axes":
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
    ax = canvas.on_axes(ax, 6.4, 3.4)
    values = fit.trace.log_likelihood
    number = np.arange(1, len(values) + 1)
    cut = _cut(values)
    low, high = _limits(values[cut:], fit.log_likelihood)
    units = Units.beside(low, high, fit.log_likelihood)
    final = float(units.show(np.array(fit.log_likelihood)))
    ax.axhline(final, color=GREY, linewidth=0.9, linestyle="--")
    marker = "o" if len(values) <= 100 else None
    ax.plot(number, units.show(values), color=OKABE_ITO[0], linewidth=1.4, marker=marker, markersize=3.5)
    ax.annotate(
        f"returned parameters: {canvas.number(fit.log_likelihood, 3)}",
        (0.99, final),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize="small",
    )
    ax.set_ylim(*units.show(np.array([low, high])))
    ax.set_xlim(0.5, max(len(values), 1) + 0.5)
    canvas.count_along(ax)
    canvas.plain_numbers(ax)
    name = "log-likelihood\nabove that of the returned parameters" if units.offset else "log-likelihood"
    passes = "pass over the data" if len(values) else "no pass was made"
    canvas.name_axis(ax, passes, replace(units, offset=0.0).label(name))
    if cut:
        _say_cut(ax, values, cut)
    canvas.tidy(ax)
    return ax


def _cut(values: Array) -> int:
    """How many first passes are left below the axis."""
    if len(values) < 3:
        return 0
    rises = values[-1] - values
    most = max(1, int(_FIRST_PART * len(values)))
    steep = [c for c in range(1, most + 1) if rises[c] > 0 and rises[c - 1] > _FLATTENED * rises[c]]
    return max(steep, default=0)


def _limits(values: Array, final: float) -> tuple[float, float]:
    shown = np.append(values, final)
    shown = shown[np.isfinite(shown)]
    low, high = float(shown.min()), float(shown.max())
    room = max(high - low, _LEAST_RISE, _RESOLVED * abs(final))
    return low - 0.08 * room, high + 0.16 * room


def _say_cut(ax: "Axes", values: Array, cut: int) -> None:
    """The axis does not show all: say where it begins and what lies below."""
    passes = "the first pass lies" if cut == 1 else f"the first {cut} passes lie"
    ax.text(
        0.99,
        0.04,
        f"axis cut: {passes} below it, from {canvas.number(float(values[0]), 1)}",
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize="small",
        color=GREY,
    )
