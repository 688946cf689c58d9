"""How solvers climb from one start: what is left to the best log-likelihood, by passes and by seconds."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.plots import _legend, canvas
from gaussmix.plots.given import as_comparison
from gaussmix.plots.style import GREY, INK, Style, styles
from gaussmix.selection.comparison import Comparison
from gaussmix.selection.optimising import NEAR, Optimised
from gaussmix.solvers.table import EXACT, NONE
from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEAST = 1e-9  # nats a row: what lies nearer to the best is drawn here
_ROOM = 3.0  # by which the axis goes on beyond what is drawn
_SUMMED_DASH = (0, (1.2, 1.2))


def optimisers(comparison: Comparison, figure: "Figure | None" = None) -> "Figure":
    """What each solver has left to the best log-likelihood, per row, by passes and by seconds.

    Both axes are logarithmic. A marker shows where a solver ended, and with which log-likelihood; its line begins at
    the start that all share. Dotted lines are sums over parts of the rows in the first passes, each before its own
    step, or annealed, and no log-likelihood of one mixture. A solver that climbs something else has a marker alone.

    Parameters
    ----------
    comparison : Comparison
        From `gaussmix.compare`.
    figure : matplotlib Figure, optional
        Where it is taller than wide, the panels stand one above the other.

    Returns
    -------
    matplotlib Figure
    """
    found = as_comparison(comparison).optimisers
    figure = canvas.on_figure(figure, 10.5, 4.4)
    tall = figure.get_figheight() > figure.get_figwidth()
    panels = figure.subplots(*((2, 1) if tall else (1, 2)), sharey=True)
    best = max(one.log_likelihood for one in found)
    weight = float(comparison.assignment.weights.sum())
    looks = styles(len(found))
    for ax, name in zip(panels, ("passes over the rows", "seconds"), strict=True):
        for place, (one, look) in enumerate(zip(found, looks, strict=True)):
            _draw(ax, one, look, best, weight, by_pass=ax is panels[0], size=9.0 - 4.5 * place / len(found))
        _finish(ax, found, best, weight, name)
    for ax in panels if tall else panels[:1]:
        canvas.name_axis(ax, None, "log-likelihood left to the best\n(nats per row, log scale)")
    canvas.legend_beside(panels[0 if tall else 1], _entries(found, looks))
    return figure


def _left(values: Array, best: float, weight: float) -> Array:
    """What is left per row, at least what can be drawn; nothing where a sum over parts exceeds the best."""
    left = (best - values) / weight
    return np.where(left < -NEAR, np.nan, np.maximum(left, _LEAST))


def _draw(ax: "Axes", one: Optimised, look: Style, best: float, weight: float, by_pass: bool, size: float) -> None:
    """The line of one solver and its end; ends that coincide are seen one around the other."""
    places = np.arange(1.0, one.passes + 1.0) if by_pass else np.maximum(one.times, 1e-6)
    if one.curve != NONE and one.passes:
        dash: Any = look.dash if one.curve == EXACT else _SUMMED_DASH
        left = _left(one.values, best, weight)
        ax.plot(places, left, color=look.line, linestyle=dash, linewidth=1.5, zorder=2)
    end = float(places[-1]) if one.passes else 1.0
    hollow: dict[str, Any] = {"markerfacecolor": "none"} if not one.converged else {"markerfacecolor": look.fill}
    ax.plot(
        [end],
        _left(np.array([one.log_likelihood]), best, weight),
        marker=look.marker,
        markersize=size,
        markeredgecolor=INK if one.converged else look.line,
        markeredgewidth=0.7 if one.converged else 1.6,
        linestyle="none",
        zorder=3,
        clip_on=False,
        **hollow,
    )


def _finish(ax: "Axes", found: tuple[Optimised, ...], best: float, weight: float, name: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_xscale("log")
    ax.set_yscale("log")
    drawn = [_left(one.values[:1], best, weight) for one in found if one.curve != NONE]
    highest = max([float(part[0]) for part in drawn if len(part) and part[0] > 0] + [one.gap for one in found] + [NEAR])
    ax.set_ylim(_LEAST / _ROOM, highest * _ROOM)
    ax.yaxis.set_major_locator(LogLocator(numticks=8))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
    ax.xaxis.set_minor_formatter(FuncFormatter(lambda value, place: ""))
    ax.axhline(NEAR, color=GREY, linewidth=0.9, linestyle="--", zorder=1)
    canvas.name_axis(ax, f"{name} (log scale)")
    ax.tick_params(labelleft=True)
    canvas.tidy(ax)


def _entries(found: tuple[Optimised, ...], looks: list[Style]) -> "list[Artist]":
    from matplotlib.lines import Line2D

    entries: list[Artist] = []
    for one, look in zip(found, looks, strict=True):
        dash: Any = "none" if one.curve == NONE else look.dash if one.curve == EXACT else _SUMMED_DASH
        near = f"near after {one.near_passes}" if one.near_passes is not None else "never near"
        face = look.fill if one.converged else "none"
        style: dict[str, Any] = {"color": look.line, "markerfacecolor": face, "marker": look.marker, "linestyle": dash}
        entries.append(Line2D([], [], label=f"{one.solver}, {near}", **style))
    entries.append(Line2D([], [], color=GREY, linewidth=0.9, linestyle="--", label="near: 1e-6 left"))
    if any(one.curve not in (EXACT, NONE) for one in found):
        entries.append(_legend.remark("dotted: at first over parts\nof the rows, or annealed"))
    if not all(one.converged for one in found):
        entries.append(_legend.remark("hollow: passes used up"))
    lowest = any(one.gap < _LEAST for one in found)
    return [*entries, _legend.remark("less than 1e-9 left\nis drawn as 1e-9")] if lowest else entries
