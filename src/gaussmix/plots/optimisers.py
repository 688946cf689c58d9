"""How solvers climb from one start: what is left to the best log-likelihood, by passes and by seconds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.plots import _legend, canvas
from gaussmix.plots._ticks import count_log, log_limits
from gaussmix.plots.given import as_comparison
from gaussmix.plots.style import INK, OKABE_ITO, PALE, Style, styles
from gaussmix.selection.comparison import Comparison
from gaussmix.selection.optimising import NEAR, Optimised
from gaussmix.solvers.table import EXACT, NONE
from gaussmix.types import ND, Array

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEAST = 1e-9  # nats a row: what lies nearer to the best is drawn here
_SHADE = 0.5
_ROOM = 3.0  # by which the axis goes on beyond what is drawn
_SOONEST = 1e-6  # seconds: the clock tells nothing below
_EXACT_DASH, _SUMMED_DASH = "-", (0, (1.2, 1.2))  # of every solver: how a line is broken says one thing alone
_N_MARKS = 6  # small markers along the lines of further solvers
_STEP, _CLOSE = 8.0, 4.0  # points from end to end of a stack, and within which ends are stacked


def optimisers(comparison: Comparison, figure: "Figure | None" = None) -> "Figure":
    """What each solver has left to the best log-likelihood, per row, by passes and by seconds.

    Both axes are logarithmic. A marker shows where a solver ended, and with which log-likelihood; its line begins at
    the start that all share. Ends in one place are stacked above it. Dotted lines are sums over parts of the rows in
    the first passes, each before its own step, or annealed, and no log-likelihood of one mixture. A solver that climbs
    something else has a marker alone. What is near the best, 1e-6 per row or less, is shaded.

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
    stacked = False
    for ax, name in zip(panels, ("passes over the rows", "seconds"), strict=True):
        places = [_places(one, by_pass=ax is panels[0]) for one in found]
        left = [_left(one.values if one.curve != NONE else one.values[:0], best, weight) for one in found]
        stacked |= _draw(ax, found, looks, places, left)
        canvas.name_axis(ax, f"{name} (log scale)")
    for ax in panels if tall else panels[:1]:
        canvas.name_axis(ax, None, "log-likelihood left to the best\n(nats per row, log scale)")
    canvas.legend_beside(panels[0 if tall else 1], _entries(found, looks, stacked))
    return figure


def _left(values: Array, best: float, weight: float) -> Array:
    """What is left per row, at least what can be drawn; nothing where a sum over parts exceeds the best."""
    left = (best - values) / weight
    return np.where(left < -NEAR, np.nan, np.maximum(left, _LEAST))


def _draw(
    ax: "Axes", found: Sequence[Optimised], looks: Sequence[Style], places: Sequence[Array], left: Sequence[Array]
) -> bool:
    """One panel: what is ``left`` to every solver at its ``places``, and where it ended; whether ends are stacked."""
    ends = np.array([[at[-1], max(one.gap, _LEAST)] for one, at in zip(found, places, strict=True)])
    _frame(ax, places, [*left, ends[:, 1]])
    for place, (one, look, at, over) in enumerate(zip(found, looks, places, left, strict=True)):
        if len(over):
            ax.plot(at, over, color=look.line, linestyle=_dash(one), linewidth=1.5, zorder=2)
        if len(over) and place >= len(OKABE_ITO):  # its colour alone would not do
            some = np.unique(np.geomspace(1, len(at), _N_MARKS + 2).astype(int))[1:-1] - 1
            ax.plot(at[some], over[some], look.marker, color=look.line, markersize=3.5, zorder=2)
    levels = _levels(ax, ends)
    for one, look, end, level in zip(found, looks, ends, levels, strict=True):
        _draw_end(ax, one, look, end, level)
    return max(levels) > 0


def _places(one: Optimised, by_pass: bool) -> Array:
    """Where along the x axis the passes of a solver lie; one place where it made none."""
    if not one.passes:
        return np.array([1.0 if by_pass else _SOONEST])
    return np.arange(1.0, one.passes + 1.0) if by_pass else np.maximum(one.times, _SOONEST)


def _dash(one: Optimised) -> Any:
    return _EXACT_DASH if one.curve == EXACT else _SUMMED_DASH


def _frame(ax: "Axes", places: Sequence[Array], left: Sequence[Array]) -> None:
    """Logarithmic axes around all that is drawn, and the band of what counts as near."""
    from matplotlib.ticker import LogLocator, NullLocator

    count_log(ax, log_limits(np.concatenate(places)))
    ax.set_yscale("log")
    every = np.concatenate([*left, [NEAR]])
    lowest = _LEAST / _ROOM
    ax.set_ylim(lowest, float(np.nanmax(every)) * _ROOM)
    ax.yaxis.set_major_locator(LogLocator(numticks=8))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.axhspan(lowest, NEAR, color=PALE, alpha=_SHADE, linewidth=0, zorder=0)
    ax.tick_params(labelleft=True)
    canvas.tidy(ax)


def _levels(ax: "Axes", ends: ND) -> list[int]:
    """How high in a stack each end (x, y) stands: above those before it that lie in the same place."""
    box, per_point = ax.get_window_extent(), ax.figure.dpi / 72.0
    low, high = np.log10(np.array([ax.get_xlim(), ax.get_ylim()])).T
    points = (np.log10(ends) - low) / (high - low) * [box.width, box.height] / per_point
    close = np.abs(points[:, None] - points[None]).max(axis=2) < _CLOSE
    return np.tril(close, -1).sum(axis=1).tolist()  # type: ignore[no-any-return]


def _draw_end(ax: "Axes", one: Optimised, look: Style, end: ND, level: int) -> None:
    from matplotlib.transforms import ScaledTranslation

    raised = ScaledTranslation(0.0, level * _STEP / 72.0, ax.figure.dpi_scale_trans)
    ax.plot(
        end[:1],
        end[1:],
        marker=look.marker,
        markersize=7.0,
        markerfacecolor=look.fill if one.converged else "none",
        markeredgecolor=INK if one.converged else look.line,
        markeredgewidth=0.7 if one.converged else 1.6,
        linestyle="none",
        zorder=3,
        clip_on=False,
        transform=ax.transData + raised,
    )


def _entries(found: tuple[Optimised, ...], looks: list[Style], stacked: bool) -> "list[Artist]":
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    entries: list[Artist] = []
    for one, look in zip(found, looks, strict=True):
        dash = "none" if one.curve == NONE else _dash(one)
        near = f"near after {one.near_passes}" if one.near_passes is not None else "never near"
        face = look.fill if one.converged else "none"
        style: dict[str, Any] = {"color": look.line, "markerfacecolor": face, "marker": look.marker, "linestyle": dash}
        entries.append(Line2D([], [], label=f"{one.solver}, {near}", **style))
    entries.append(Patch(color=PALE, alpha=_SHADE, label=f"near: {NEAR:.0e} left or less".replace("e-0", "e-")))
    if any(one.curve not in (EXACT, NONE) for one in found):
        entries.append(_legend.remark("dotted: at first over parts\nof the rows, or annealed"))
    if not all(one.converged for one in found):
        entries.append(_legend.remark("hollow: passes used up"))
    entries += [_legend.remark("stacked: ends in one place")] if stacked else []
    lowest = any(one.gap < _LEAST for one in found)
    return [*entries, _legend.remark("less than 1e-9 left\nis drawn as 1e-9")] if lowest else entries
