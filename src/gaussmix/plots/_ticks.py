"""Ticks of logarithmic axes: at least three with a label, however short the axis, and never too many."""

from typing import TYPE_CHECKING

import numpy as np

from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST, _MOST = 3, 6  # labelled ticks
_WITHIN = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 2.0, 3.0, 5.0, 7.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
_NARROWEST = 4.0  # upper over lower end of the shortest axis
_MARGIN = 0.05


def log_limits(values: Array) -> tuple[float, float]:
    """Ends of a logarithmic axis around positive values, far enough apart for some ticks to lie between."""
    low, high = np.log10(float(values.min())), np.log10(float(values.max()))
    missing = max(0.0, np.log10(_NARROWEST) - (high - low))
    margin = _MARGIN * (high - low + missing) + 0.5 * missing
    return float(10.0 ** (low - margin)), float(10.0 ** (high + margin))


def log_ticks(low: float, high: float, most: int = _MOST) -> list[float]:
    """Powers of ten between two ends, every second one or fewer where they are many; of few, round numbers as well."""
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1.0)
    for steps in _WITHIN:
        ticks = sorted(float(f"{step}e{power:.0f}") for power in powers for step in steps)
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= _LEAST:
            break
    every = -(-len(inside) // most)
    return inside[::every]


def count_log(ax: "Axes", limits: tuple[float, float]) -> None:
    """A logarithmic x axis between two ends, its numbers written out."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    ax.set_xscale("log")
    ax.set_xlim(*limits)
    ax.xaxis.set_major_locator(FixedLocator(log_ticks(*limits)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}".replace("e-0", "e-")))
    ax.xaxis.set_minor_formatter(NullFormatter())
