"""How solvers climb from one start: what is left to the best log-likelihood, by passes and by seconds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.comparison.result import Comparison
from gaussmix.comparison.solver_comparison import MAX_GAP_PER_ROW, SolverResult
from gaussmix.plots import _legend, canvas
from gaussmix.plots._log_axis import compute_log_limits, set_log_x_axis
from gaussmix.plots.style import INK, OKABE_ITO_COLOURS, PALE, Style, distinct_styles
from gaussmix.plots.validation import check_comparison
from gaussmix.solvers.solver_table import EXACT_TRACE, OTHER_OBJECTIVE_TRACE
from gaussmix.types import ND, Array

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MIN_GAP_PER_ROW = 1e-9  # nats a row: what lies nearer to the best is drawn here
_BAND_ALPHA = 0.5
_AXIS_MARGIN_FACTOR = 3.0  # by which the axis goes on beyond what is drawn
_MIN_SECONDS = 1e-6  # seconds: the clock tells nothing below
_EXACT_LINE_STYLE, _APPROXIMATE_LINE_STYLE = (
    "-",
    (0, (1.2, 1.2)),
)  # of every solver: how a line is broken says one thing alone
_N_LINE_MARKERS = 6  # small markers along the lines of further solvers
_STACK_STEP_POINTS, _STACK_DISTANCE_POINTS = (
    8.0,
    4.0,
)  # points from end to end of a stack, and within which ends are stacked


def solver_convergence(comparison: Comparison, figure: "Figure | None" = None) -> "Figure":
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
    found = check_comparison(comparison).solver_results
    figure = canvas.get_or_create_figure(figure, 10.5, 4.4)
    tall = figure.get_figheight() > figure.get_figwidth()
    panels = figure.subplots(*((2, 1) if tall else (1, 2)), sharey=True)
    best = max(one.log_likelihood for one in found)
    weight = float(comparison.assignments.weights.sum())
    looks = distinct_styles(len(found))
    stacked = False
    for ax, name in zip(panels, ("passes over the rows", "seconds"), strict=True):
        places = [_solver_x_values(one, is_pass_axis=ax is panels[0]) for one in found]
        left = [
            _gap_per_row(
                one.log_likelihood_trace if one.trace_kind != OTHER_OBJECTIVE_TRACE else one.log_likelihood_trace[:0],
                best,
                weight,
            )
            for one in found
        ]
        stacked |= _draw_panel(ax, found, looks, places, left)
        canvas.label_axes(ax, f"{name} (log scale)")
    for ax in panels if tall else panels[:1]:
        canvas.label_axes(ax, None, "log-likelihood left to the best\n(nats per row, log scale)")
    canvas.draw_legend_beside(panels[0 if tall else 1], _legend_entries(found, looks, stacked))
    return figure


def _gap_per_row(log_likelihoods: Array, best_log_likelihood: float, total_weight: float) -> Array:
    """What is left per row, at least what can be drawn; nothing where a sum over parts exceeds the best."""
    left = (best_log_likelihood - log_likelihoods) / total_weight
    return np.where(left < -MAX_GAP_PER_ROW, np.nan, np.maximum(left, _MIN_GAP_PER_ROW))


def _draw_panel(
    ax: "Axes",
    results: Sequence[SolverResult],
    solver_styles: Sequence[Style],
    x_values: Sequence[Array],
    gaps: Sequence[Array],
) -> bool:
    """One panel: what is ``left`` to every solver at its ``places``, and where it ended; whether ends are stacked."""
    ends = np.array(
        [[at[-1], max(one.gap_per_row, _MIN_GAP_PER_ROW)] for one, at in zip(results, x_values, strict=True)]
    )
    _set_axes(ax, x_values, [*gaps, ends[:, 1]])
    for place, (one, look, at, over) in enumerate(zip(results, solver_styles, x_values, gaps, strict=True)):
        if len(over):
            ax.plot(at, over, color=look.line_colour, linestyle=_line_style(one), linewidth=1.5, zorder=2)
        if len(over) and place >= len(OKABE_ITO_COLOURS):  # its colour alone would not do
            some = np.unique(np.geomspace(1, len(at), _N_LINE_MARKERS + 2).astype(int))[1:-1] - 1
            ax.plot(at[some], over[some], look.marker, color=look.line_colour, markersize=3.5, zorder=2)
    levels = _stack_levels(ax, ends)
    for one, look, end, level in zip(results, solver_styles, ends, levels, strict=True):
        _draw_end_marker(ax, one, look, end, level)
    return max(levels) > 0


def _solver_x_values(result: SolverResult, is_pass_axis: bool) -> Array:
    """Where along the x axis the passes of a solver lie; one place where it made none."""
    if not result.n_iter:
        return np.array([1.0 if is_pass_axis else _MIN_SECONDS])
    return np.arange(1.0, result.n_iter + 1.0) if is_pass_axis else np.maximum(result.seconds_trace, _MIN_SECONDS)


def _line_style(result: SolverResult) -> Any:
    return _EXACT_LINE_STYLE if result.trace_kind == EXACT_TRACE else _APPROXIMATE_LINE_STYLE


def _set_axes(ax: "Axes", x_values: Sequence[Array], gaps: Sequence[Array]) -> None:
    """Logarithmic axes around all that is drawn, and the band of what counts as near."""
    from matplotlib.ticker import LogLocator, NullLocator

    set_log_x_axis(ax, compute_log_limits(np.concatenate(x_values)))
    ax.set_yscale("log")
    every = np.concatenate([*gaps, [MAX_GAP_PER_ROW]])
    lowest = _MIN_GAP_PER_ROW / _AXIS_MARGIN_FACTOR
    ax.set_ylim(lowest, float(np.nanmax(every)) * _AXIS_MARGIN_FACTOR)
    ax.yaxis.set_major_locator(LogLocator(numticks=8))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.axhspan(lowest, MAX_GAP_PER_ROW, color=PALE, alpha=_BAND_ALPHA, linewidth=0, zorder=0)
    ax.tick_params(labelleft=True)
    canvas.hide_top_right_spines(ax)


def _stack_levels(ax: "Axes", end_points: ND) -> list[int]:
    """How high in a stack each end (x, y) stands: above those before it that lie in the same place."""
    box, per_point = ax.get_window_extent(), ax.figure.dpi / 72.0
    low, high = np.log10(np.array([ax.get_xlim(), ax.get_ylim()])).T
    points = (np.log10(end_points) - low) / (high - low) * [box.width, box.height] / per_point
    close = np.abs(points[:, None] - points[None]).max(axis=2) < _STACK_DISTANCE_POINTS
    return np.tril(close, -1).sum(axis=1).tolist()  # type: ignore[no-any-return]


def _draw_end_marker(ax: "Axes", result: SolverResult, style: Style, end_point: ND, stack_level: int) -> None:
    from matplotlib.transforms import ScaledTranslation

    raised = ScaledTranslation(0.0, stack_level * _STACK_STEP_POINTS / 72.0, ax.figure.dpi_scale_trans)
    ax.plot(
        end_point[:1],
        end_point[1:],
        marker=style.marker,
        markersize=7.0,
        markerfacecolor=style.fill_colour if result.converged else "none",
        markeredgecolor=INK if result.converged else style.line_colour,
        markeredgewidth=0.7 if result.converged else 1.6,
        linestyle="none",
        zorder=3,
        clip_on=False,
        transform=ax.transData + raised,
    )


def _legend_entries(
    results: tuple[SolverResult, ...], solver_styles: list[Style], has_stacked_ends: bool
) -> "list[Artist]":
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    entries: list[Artist] = []
    for one, look in zip(results, solver_styles, strict=True):
        dash = "none" if one.trace_kind == OTHER_OBJECTIVE_TRACE else _line_style(one)
        near = f"near after {one.n_iter_to_best}" if one.n_iter_to_best is not None else "never near"
        face = look.fill_colour if one.converged else "none"
        style: dict[str, Any] = {
            "color": look.line_colour,
            "markerfacecolor": face,
            "marker": look.marker,
            "linestyle": dash,
        }
        entries.append(Line2D([], [], label=f"{one.solver}, {near}", **style))
    entries.append(
        Patch(color=PALE, alpha=_BAND_ALPHA, label=f"near: {MAX_GAP_PER_ROW:.0e} left or less".replace("e-0", "e-"))
    )
    if any(one.trace_kind not in (EXACT_TRACE, OTHER_OBJECTIVE_TRACE) for one in results):
        entries.append(_legend.text_entry("dotted: at first over parts\nof the rows, or annealed"))
    if not all(one.converged for one in results):
        entries.append(_legend.text_entry("hollow: passes used up"))
    entries += [_legend.text_entry("stacked: ends in one place")] if has_stacked_ends else []
    lowest = any(one.gap_per_row < _MIN_GAP_PER_ROW for one in results)
    return [*entries, _legend.text_entry("less than 1e-9 left\nis drawn as 1e-9")] if lowest else entries
