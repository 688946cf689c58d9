"""Ticks of logarithmic axes: at least three with a label, however short the axis, and never too many."""

from typing import TYPE_CHECKING

import numpy as np

from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MIN_TICKS, _MAX_TICKS = 3, 6  # labelled ticks
_DECADE_STEPS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 2.0, 3.0, 5.0, 7.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
_MIN_AXIS_RATIO = 4.0  # upper over lower end of the shortest axis
_MARGIN_FRACTION = 0.05


def compute_log_limits(values: Array) -> tuple[float, float]:
    """Ends of a logarithmic axis around positive values, far enough apart for some ticks to lie between."""
    low, high = np.log10(float(values.min())), np.log10(float(values.max()))
    missing = max(0.0, np.log10(_MIN_AXIS_RATIO) - (high - low))
    margin = _MARGIN_FRACTION * (high - low + missing) + 0.5 * missing
    return float(10.0 ** (low - margin)), float(10.0 ** (high + margin))


def compute_log_ticks(low: float, high: float, max_ticks: int = _MAX_TICKS) -> list[float]:
    """Powers of ten between two ends, every second one or fewer where they are many; of few, round numbers as well."""
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1.0)
    for steps in _DECADE_STEPS:
        ticks = sorted(float(f"{step}e{power:.0f}") for power in powers for step in steps)
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= _MIN_TICKS:
            break
    every = -(-len(inside) // max_ticks)
    return inside[::every]


def set_log_x_axis(ax: "Axes", limits: tuple[float, float]) -> None:
    """A logarithmic x axis between two ends, its numbers written out."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    ax.set_xscale("log")
    ax.set_xlim(*limits)
    ax.xaxis.set_major_locator(FixedLocator(compute_log_ticks(*limits)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}".replace("e-0", "e-")))
    ax.xaxis.set_minor_formatter(NullFormatter())
