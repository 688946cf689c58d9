"""Limits and ticks of logarithmic axes, with three to six labelled ticks."""

from typing import TYPE_CHECKING

import numpy as np

from gaussmix.plots.canvas import separate_thousands
from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_MIN_TICKS, _MAX_TICKS = 3, 6  # labelled ticks
_DECADE_STEPS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 2.0, 3.0, 5.0, 7.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
_MIN_AXIS_RATIO = 4.0  # ratio of the upper to the lower end of the shortest axis
_MARGIN_FRACTION = 0.05


def compute_log_limits(values: Array) -> tuple[float, float]:
    """Return the ends (low, high) of a logarithmic axis around positive values, at least a factor of 4 apart."""
    low, high = np.log10(float(values.min())), np.log10(float(values.max()))
    missing = max(0.0, np.log10(_MIN_AXIS_RATIO) - (high - low))
    margin = _MARGIN_FRACTION * (high - low + missing) + 0.5 * missing
    return float(10.0 ** (low - margin)), float(10.0 ** (high + margin))


def compute_log_ticks(low: float, high: float, max_ticks: int = _MAX_TICKS) -> list[float]:
    """Return at most ``max_ticks`` round numbers between two ends: powers of ten, with multiples if these are few."""
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1.0)
    for steps in _DECADE_STEPS:
        ticks = sorted(float(f"{step}e{power:.0f}") for power in powers for step in steps)
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= _MIN_TICKS:
            break
    step = -(-len(inside) // max_ticks)
    return inside[::step]


def set_log_x_axis(ax: "Axes", limits: tuple[float, float]) -> None:
    """Set a logarithmic x axis between two ends, with plain numbers as tick labels."""
    ax.set_xscale("log")
    ax.set_xlim(*limits)
    _set_ticks(ax.xaxis, limits)


def set_log_y_axis(ax: "Axes", limits: tuple[float, float]) -> None:
    """Set a logarithmic y axis between two ends, with plain numbers as tick labels."""
    ax.set_yscale("log")
    ax.set_ylim(*limits)
    _set_ticks(ax.yaxis, limits)


def _set_ticks(axis: "Axis", limits: tuple[float, float]) -> None:
    """Set the ticks of a logarithmic axis, in place."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    axis.set_major_locator(FixedLocator(compute_log_ticks(*limits)))
    axis.set_major_formatter(FuncFormatter(lambda value, position: _format_tick(value)))
    axis.set_minor_formatter(NullFormatter())


def _format_tick(value: float) -> str:
    """Return a tick label: '0.003', '20\u202f000', '1e-7', '1e6'."""
    return separate_thousands(f"{value:g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e"))
