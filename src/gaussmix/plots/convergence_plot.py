"""Plot the convergence of several solvers from one start, against passes over the rows and seconds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.comparison.result import Comparison
from gaussmix.comparison.solver_comparison import MAX_GAP_PER_ROW, SolverResult, best_log_likelihood
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

_MIN_GAP_PER_ROW = 1e-9  # nats per row; smaller gaps are drawn at this value
_BAND_ALPHA = 0.5
_AXIS_MARGIN_FACTOR = 3.0  # ratio of the end of the y axis to the outermost value
_MIN_SECONDS = 1e-6  # resolution of the clock
# The line style shows only whether the values are log-likelihoods of one mixture.
_EXACT_LINE_STYLE, _APPROXIMATE_LINE_STYLE = "-", (0, (1.2, 1.2))
_N_LINE_MARKERS = 6  # markers along the lines of solvers that share a colour with another
_STACK_STEP_POINTS = 8.0  # distance between stacked end markers
_STACK_DISTANCE_POINTS = 4.0  # end markers nearer than this are stacked

_LineStyle = str | tuple[float, tuple[float, float]]


def solver_convergence(comparison: Comparison, figure: "Figure | None" = None) -> "Figure":
    """Plot the gap of each solver to the best log-likelihood, per row, against passes and seconds.

    Both axes are logarithmic. All lines begin at the common start; a marker shows the end of each solver. Markers at
    one place are stacked. A line is dotted if its values are not log-likelihoods of one mixture: mini-batch solvers sum
    over parts of the rows, and annealing changes the objective. A solver with another objective has a marker only.
    The shaded band holds gaps of at most 1e-6 nats per row. A solver that ended in a degenerate fit is named in the
    legend and not drawn, since its log-likelihood is uninformative.

    Parameters
    ----------
    comparison : Comparison
        Result of `gaussmix.compare`.
    figure : matplotlib Figure, optional
        Figure to draw on. In a figure taller than wide the panels are stacked. Default: a new figure.

    Returns
    -------
    matplotlib Figure
    """
    every_result = check_comparison(comparison).solver_results
    results = tuple(result for result in every_result if not result.is_degenerate)
    figure = canvas.get_or_create_figure(figure, 10.5, 4.4)
    is_tall = figure.get_figheight() > figure.get_figwidth()
    panels = figure.subplots(*((2, 1) if is_tall else (1, 2)), sharey=True)
    best = best_log_likelihood(results)
    if best is None:
        return _draw_without_solvers(figure, panels, every_result)
    total_weight = float(comparison.assignments.weights.sum())
    gaps = [_clipped_gap_per_row_trace(result, best, total_weight) for result in results]
    solver_styles = distinct_styles(len(results))
    has_stacked_ends = False
    for ax, name in zip(panels, ("passes over the rows", "seconds"), strict=True):
        x_values = [_solver_x_values(result, is_pass_axis=ax is panels[0]) for result in results]
        has_stacked_ends |= _draw_panel_and_detect_stacked_ends(ax, results, solver_styles, x_values, gaps)
        canvas.label_axes(ax, f"{name} (log scale)")
    for ax in panels if is_tall else panels[:1]:
        canvas.label_axes(ax, None, "gap to the best log-likelihood\n(nats per row, log scale)")
    entries = _legend_entries(results, solver_styles, has_stacked_ends) + _degenerate_entries(every_result)
    canvas.draw_legend_beside(panels[0 if is_tall else 1], entries)
    return figure


def _draw_without_solvers(figure: "Figure", panels: "Sequence[Axes]", results: Sequence[SolverResult]) -> "Figure":
    """Return the figure of a comparison whose solvers all ended in degenerate fits: a sentence, and their names."""
    for ax in panels:
        ax.set_axis_off()
    panels[0].text(0.0, 0.5, "All solvers ended in degenerate fits: nothing to compare.", transform=panels[0].transAxes)
    canvas.draw_legend_beside(panels[1], _degenerate_entries(results))
    return figure


def _degenerate_entries(results: Sequence[SolverResult]) -> "list[Artist]":
    """Return one legend entry that names the solvers that ended in degenerate fits; none if there are none."""
    names = [result.solver for result in results if result.is_degenerate]
    return [_legend.text_entry(f"degenerate, not drawn:\n{', '.join(names)}")] if names else []


def _clipped_gap_per_row_trace(result: SolverResult, best_log_likelihood: float, total_weight: float) -> Array:
    """Return the gap to the best log-likelihood per row after each pass, (n_iter,), at least 1e-9.

    It is empty for another objective. Values above the best log-likelihood are NaN.
    """
    if result.trace_kind == OTHER_OBJECTIVE_TRACE:
        return np.zeros(0)
    gaps = (best_log_likelihood - result.log_likelihood_trace) / total_weight
    return np.where(gaps < -MAX_GAP_PER_ROW, np.nan, np.maximum(gaps, _MIN_GAP_PER_ROW))


def _draw_panel_and_detect_stacked_ends(
    ax: "Axes",
    results: Sequence[SolverResult],
    solver_styles: Sequence[Style],
    x_values: Sequence[Array],
    gaps: Sequence[Array],
) -> bool:
    """Draw the lines and end markers of all solvers on one panel; return whether any end markers are stacked."""
    end_gaps = [max(result.gap_per_row or 0.0, _MIN_GAP_PER_ROW) for result in results]
    end_points = np.array([[x[-1], gap] for x, gap in zip(x_values, end_gaps, strict=True)])
    _set_log_axes_and_shade_band(ax, x_values, [*gaps, end_points[:, 1]])
    for i, (result, style, x, y) in enumerate(zip(results, solver_styles, x_values, gaps, strict=True)):
        if len(y):
            ax.plot(x, y, color=style.line_colour, linestyle=_line_style(result), linewidth=1.5, zorder=2)
        if len(y) and i >= len(OKABE_ITO_COLOURS):  # the colours repeat, so markers distinguish the lines
            marked = np.unique(np.geomspace(1, len(x), _N_LINE_MARKERS + 2).astype(int))[1:-1] - 1
            ax.plot(x[marked], y[marked], style.marker, color=style.line_colour, markersize=3.5, zorder=2)
    levels = _stack_levels(ax, end_points)
    for result, style, end_point, level in zip(results, solver_styles, end_points, levels, strict=True):
        _draw_end_marker(ax, result, style, end_point, level)
    return max(levels) > 0


def _solver_x_values(result: SolverResult, is_pass_axis: bool) -> Array:
    """Return the number of each pass, or the seconds until its end, (n_iter,); one small value if there is no pass."""
    if not result.n_iter:
        return np.array([1.0 if is_pass_axis else _MIN_SECONDS])
    return np.arange(1.0, result.n_iter + 1.0) if is_pass_axis else np.maximum(result.seconds_trace, _MIN_SECONDS)


def _line_style(result: SolverResult) -> _LineStyle:
    """Return a solid line for exact traces of the log-likelihood, a dotted one for others."""
    return _EXACT_LINE_STYLE if result.trace_kind == EXACT_TRACE else _APPROXIMATE_LINE_STYLE


def _set_log_axes_and_shade_band(ax: "Axes", x_values: Sequence[Array], gaps: Sequence[Array]) -> None:
    """Set logarithmic axes around all values and shade the band of small gaps."""
    from matplotlib.ticker import LogLocator, NullLocator

    set_log_x_axis(ax, compute_log_limits(np.concatenate(x_values)))
    ax.set_yscale("log")
    y_values = np.concatenate([*gaps, [MAX_GAP_PER_ROW]])
    lowest = _MIN_GAP_PER_ROW / _AXIS_MARGIN_FACTOR
    ax.set_ylim(lowest, float(np.nanmax(y_values)) * _AXIS_MARGIN_FACTOR)
    ax.yaxis.set_major_locator(LogLocator(numticks=8))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.axhspan(lowest, MAX_GAP_PER_ROW, color=PALE, alpha=_BAND_ALPHA, linewidth=0, zorder=0)
    ax.tick_params(labelleft=True)
    canvas.hide_top_right_spines(ax)


def _stack_levels(ax: "Axes", end_points: ND) -> list[int]:
    """Return the height of each end point in its stack: how many earlier ones of the points (m, 2) lie there."""
    box, per_point = ax.get_window_extent(), ax.figure.dpi / 72.0
    low, high = np.log10(np.array([ax.get_xlim(), ax.get_ylim()])).T
    points = (np.log10(end_points) - low) / (high - low) * [box.width, box.height] / per_point
    is_close = np.abs(points[:, None] - points[None]).max(axis=2) < _STACK_DISTANCE_POINTS
    return np.tril(is_close, -1).sum(axis=1).tolist()  # type: ignore[no-any-return]


def _draw_end_marker(ax: "Axes", result: SolverResult, style: Style, end_point: ND, stack_level: int) -> None:
    """Draw the end marker of a solver, raised by its level in a stack: filled if it converged, hollow otherwise."""
    from matplotlib.transforms import ScaledTranslation

    shift = ScaledTranslation(0.0, stack_level * _STACK_STEP_POINTS / 72.0, ax.figure.dpi_scale_trans)
    ax.plot(
        end_point[:1],
        end_point[1:],
        marker=style.marker,
        markersize=7.0,
        markerfacecolor=style.fill_colour if result.has_converged else "none",
        markeredgecolor=INK if result.has_converged else style.line_colour,
        markeredgewidth=0.7 if result.has_converged else 1.6,
        linestyle="none",
        zorder=3,
        clip_on=False,
        transform=ax.transData + shift,
    )


def _legend_entries(
    results: tuple[SolverResult, ...], solver_styles: list[Style], has_stacked_ends: bool
) -> "list[Artist]":
    """Return one legend entry per solver and one per graphical convention in use."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    entries: list[Artist] = []
    for result, style in zip(results, solver_styles, strict=True):
        n_passes = result.n_iter_to_best
        note = "never near" if n_passes is None else f"near at pass {n_passes}"
        options: dict[str, Any] = {
            "color": style.line_colour,
            "markerfacecolor": style.fill_colour if result.has_converged else "none",
            "marker": style.marker,
            "linestyle": "none" if result.trace_kind == OTHER_OBJECTIVE_TRACE else _line_style(result),
        }
        entries.append(Line2D([], [], label=f"{result.solver}, {note}", **options))
    band = f"near: gap of at most {MAX_GAP_PER_ROW:.0e}".replace("e-0", "e-")
    entries.append(Patch(color=PALE, alpha=_BAND_ALPHA, label=band))
    if any(result.trace_kind not in (EXACT_TRACE, OTHER_OBJECTIVE_TRACE) for result in results):
        entries.append(_legend.text_entry("dotted: mini-batch or\nannealed objective"))
    if not all(result.has_converged for result in results):
        entries.append(_legend.text_entry("hollow: max_iter reached"))
    if has_stacked_ends:
        entries.append(_legend.text_entry("stacked: ends at one place"))
    if any((result.gap_per_row or 0.0) < _MIN_GAP_PER_ROW for result in results):
        entries.append(_legend.text_entry("gaps below 1e-9\nare drawn at 1e-9"))
    return entries
