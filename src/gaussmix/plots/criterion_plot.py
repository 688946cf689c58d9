"""Plot the criterion of every candidate of a search by number of components and structure."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.plots import _legend, canvas
from gaussmix.plots.plot_data import AxisUnits
from gaussmix.plots.style import GREY, INK, Style, distinct_styles, hex_to_rgb
from gaussmix.plots.validation import check_selection
from gaussmix.selection import CRITERIA, Candidate, Selection
from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_EQUAL_CRITERION_RTOL = 1e-9  # relative difference below which two structures describe the same mixtures
_MAX_UNCLIPPED_CANDIDATES = 5  # up to this number the axis shows all candidates
_N_COLOURED_LINES = 4  # best structures, which have a colour and an entry in the legend
_OTHER_STYLE = Style(hex_to_rgb("#C4C4C4"), hex_to_rgb("#B0B0B0"), ".", "-")
_MIN_AXIS_SPAN = 1.0  # length of the shortest axis; smaller differences are irrelevant
_MAX_SPAN_IN_MEDIAN_GAPS = 2.5  # length of the axis, in median distances from the best criterion


@dataclass(frozen=True)
class CriterionLine:
    """One line of the plot: the fitted candidates of a structure, or of structures with equal criteria."""

    name: str
    style: Style
    candidates: tuple[Candidate, ...]

    def criterion_points(self, criterion: str, is_eligible: bool) -> Array:
        """Return (number of components, criterion) of each eligible, or of each degenerate candidate, (m, 2)."""
        candidates = [c for c in self.candidates if c.is_eligible == is_eligible]
        return np.array([[c.n_components, c.criteria[criterion]] for c in candidates]).reshape(-1, 2)


def criterion_curves(selection: Selection, ax: "Axes | None" = None, criterion: str | None = None) -> "Axes":
    """Plot the criterion against the number of components, one line per structure; the best four have a colour.

    A ring marks the selected candidate. A title and a vertical line say if it has the largest number tried for its
    structure. Structures with equal criteria share a line, as many do in one column. Degenerate candidates are hollow
    markers without a line. The axis covers the range near the best criterion; the legend counts the candidates outside
    it. If all candidates have the same number of components, the x axis shows the structures.

    Parameters
    ----------
    selection : Selection
        Result of `gaussmix.select`.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    criterion : {'bic', 'icl', 'aic'}, optional
        Criterion to plot; lower is better. Default: the criterion of the search.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If ``selection`` is no Selection or ``criterion`` is unknown.
    """
    criterion = criterion or check_selection(selection).criterion
    if criterion not in CRITERIA:
        raise ParameterError.invalid_choice("criterion", criterion, list(CRITERIA))
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax, 7.2, 4.2)
    lines = _build_lines_merging_equal_structures(selection, criterion)
    has_count_axis = len({candidate.n_components for candidate in selection.candidates}) > 1
    x_positions = {} if has_count_axis else {line.name: float(i) for i, line in enumerate(lines)}
    low, high = _criterion_axis_limits(lines, criterion)
    units = AxisUnits.from_scores(low, high, selection.best.criteria[criterion])
    for line in lines:
        _draw_criterion_line(ax, line, criterion, x_positions.get(line.name), units)
    ax.set_ylim(*units.to_axis_units(np.array([low, high])))
    best_position = x_positions.get(_line_name_of_candidate(lines, selection.best))
    _mark_best_candidate(ax, selection.best, criterion, best_position, units)
    _label_axes(ax, selection, criterion, lines, has_count_axis, units)
    if selection.is_best_at_largest_count:
        _mark_edge_of_search(ax, selection, has_count_axis)
    entries = _line_legend_entries(lines) if has_count_axis else []
    canvas.draw_legend(ax, entries + _note_legend_entries(selection, criterion, (low, high)), is_own_axes)
    canvas.hide_top_right_spines(ax)
    return ax


def _build_lines_merging_equal_structures(selection: Selection, criterion: str) -> list[CriterionLine]:
    """Return one line per structure, best first, or one 'A = B' for structures of equal criteria; skip failed fits."""
    fitted: dict[str, list[Candidate]] = {}
    for candidate in sorted(selection.candidates, key=lambda c: c.n_components):
        if candidate.fit is not None:
            fitted.setdefault(candidate.structure.name_with_alias_or_n_factors, []).append(candidate)
    lines: list[CriterionLine] = []
    for name, candidates in fitted.items():
        equal_lines = (
            i for i, line in enumerate(lines) if _have_equal_criteria(line.candidates, candidates, criterion)
        )
        i = next(equal_lines, None)
        if i is None:
            lines.append(CriterionLine(name, _OTHER_STYLE, tuple(candidates)))
        else:
            lines[i] = replace(lines[i], name=f"{lines[i].name} = {name}")
    lines.sort(key=lambda line: _best_criterion_sort_key(line, criterion))
    best = [replace(line, style=style) for line, style in zip(lines, distinct_styles(_N_COLOURED_LINES), strict=False)]
    return [*best, *lines[_N_COLOURED_LINES:]]


def _have_equal_criteria(candidates: tuple[Candidate, ...], other_candidates: list[Candidate], criterion: str) -> bool:
    """Return whether two structures have equal criteria at the same numbers of components; False if only K = 1."""
    counts = [c.n_components for c in candidates]
    if counts != [c.n_components for c in other_candidates] or counts[-1] == 1:
        return False
    return all(
        abs(a.criteria[criterion] - b.criteria[criterion]) <= _EQUAL_CRITERION_RTOL * abs(a.criteria[criterion])
        for a, b in zip(candidates, other_candidates, strict=True)
    )


def _best_criterion_sort_key(line: CriterionLine, criterion: str) -> tuple[bool, float]:
    """Return a key that sorts lines by their best criterion, lines without eligible candidates last."""
    points = line.criterion_points(criterion, is_eligible=True)
    return (False, float(points[:, 1].min())) if len(points) else (True, 0.0)


def _line_name_of_candidate(lines: list[CriterionLine], candidate: Candidate) -> str:
    """Return the name of the line that contains the candidate's structure."""
    return next(
        line.name for line in lines if candidate.structure.name_with_alias_or_n_factors in line.name.split(" = ")
    )


def _criterion_axis_limits(lines: list[CriterionLine], criterion: str) -> tuple[float, float]:
    """Return the ends (low, high) of the y axis around the better candidates; the worst may lie outside.

    Degenerate candidates do not count unless all are degenerate.
    """
    values = np.concatenate([line.criterion_points(criterion, is_eligible=True)[:, 1] for line in lines])
    if not len(values):
        values = np.concatenate([line.criterion_points(criterion, is_eligible=False)[:, 1] for line in lines])
    best, worst = float(values.min()), float(values.max())
    span = worst - best
    if len(values) > _MAX_UNCLIPPED_CANDIDATES:
        span = min(span, _MAX_SPAN_IN_MEDIAN_GAPS * float(np.median(values) - best))
    span = max(span, _MIN_AXIS_SPAN, _EQUAL_CRITERION_RTOL * max(abs(best), abs(worst)))
    return best - 0.16 * span, best + 1.06 * span


def _draw_criterion_line(
    ax: "Axes", line: CriterionLine, criterion: str, x_position: float | None, units: AxisUnits
) -> None:
    """Draw the eligible candidates as a line with markers and the degenerate ones as hollow markers.

    Their x coordinate is ``x_position`` if given, else the number of components.
    """
    good, bad = line.criterion_points(criterion, is_eligible=True), line.criterion_points(criterion, is_eligible=False)
    if x_position is not None:
        good[:, 0], bad[:, 0] = x_position, x_position
    good[:, 1], bad[:, 1] = units.to_axis_units(good[:, 1]), units.to_axis_units(bad[:, 1])
    is_coloured = line.style is not _OTHER_STYLE
    marker: dict[str, Any] = {"marker": line.style.marker, "markersize": 5.5, "zorder": 3 if is_coloured else 1.5}
    colours: dict[str, Any] = {"color": line.style.line_colour, "markerfacecolor": line.style.fill_colour}
    stroke: dict[str, Any] = {"linestyle": line.style.line_style, "linewidth": 1.4 if is_coloured else 0.9}
    ax.plot(good[:, 0], good[:, 1], **stroke, **marker, **colours)
    hollow: dict[str, Any] = {
        "linestyle": "none",
        "markerfacecolor": "none",
        "markeredgecolor": GREY,
        "markeredgewidth": 0.8,
    }
    ax.plot(bad[:, 0], bad[:, 1], **marker, **hollow)


def _mark_best_candidate(
    ax: "Axes", best: Candidate, criterion: str, x_position: float | None, units: AxisUnits
) -> None:
    """Draw a ring around the selected candidate at ``x_position``, or at its number of components, and its name."""
    position = (
        float(best.n_components) if x_position is None else x_position,
        float(units.to_axis_units(np.array(best.criteria[criterion]))),
    )
    ax.plot(
        *position, marker="o", markersize=14, markerfacecolor="none", markeredgecolor=INK, linestyle="none", zorder=5
    )
    low, high = ax.get_xlim()
    fraction = (position[0] - low) / (high - low)
    side = "left" if fraction < 0.2 else "right" if fraction > 0.8 else "center"
    text = f"selected: {best.structure.name_with_alias_or_n_factors}, {best.n_components}"
    ax.annotate(text, position, (0, -10), textcoords="offset points", ha=side, va="top", fontsize="small", zorder=6)


def _label_axes(
    ax: "Axes", selection: Selection, criterion: str, lines: list[CriterionLine], has_count_axis: bool, units: AxisUnits
) -> None:
    """Label the y axis with the criterion and the x axis with counts or structures."""
    detail = "minus that of the selected model" if units.offset else "(lower is better)"
    name = f"{criterion.upper()} {detail}"
    canvas.label_axes(ax, "number of components", replace(units, offset=0.0).format_label(name, "\n"))
    canvas.set_plain_y_ticks(ax)
    if has_count_axis:
        canvas.set_integer_x_ticks(ax)
        return
    rotation: dict[str, Any] = {"rotation": 30, "ha": "right"} if len(lines) > 4 else {}
    names = [line.name.replace(" = ", "\n= ") for line in lines]
    ax.set_xticks(range(len(lines)), names, fontsize="small", **rotation)
    count = selection.best.n_components
    ax.set_xlabel(f"structure, with {canvas.format_count(count, 'component')}")
    ax.set_xlim(-0.6, len(lines) - 0.4)


def _mark_edge_of_search(ax: "Axes", selection: Selection, has_count_axis: bool) -> None:
    """Say above the axes that the selected number of components is the largest one tried, and draw a line there."""
    ax.set_title(_largest_count_text(selection), loc="left", fontsize="small", color=INK)
    if has_count_axis:
        ax.vlines(selection.best.n_components, *ax.get_ylim(), color=INK, linewidth=0.9, linestyle=":", zorder=1)


def _largest_count_text(selection: Selection) -> str:
    """Return two lines that say that the selected number is the largest one tried for the structure."""
    name, criterion = str(selection.best.structure), selection.criterion.upper()
    return f"The largest number tried for {name} is the best:\nmore components may lower the {criterion}"


def _line_legend_entries(lines: list[CriterionLine]) -> "list[Artist]":
    """Return an entry per coloured line, and one for all grey ones, if there are any."""
    coloured, others = lines[:_N_COLOURED_LINES], lines[_N_COLOURED_LINES:]
    entries = [_line_legend_entry(line) for line in coloured]
    if others:
        name = "one more structure" if len(others) == 1 else f"{len(others)} more structures"
        entries.append(_line_legend_entry(replace(others[0], name=name)))
    return entries


def _line_legend_entry(line: CriterionLine) -> "Artist":
    """Return the legend entry of a line: its names, colour, marker and line style."""
    from matplotlib.lines import Line2D

    options: dict[str, Any] = {
        "color": line.style.line_colour,
        "markerfacecolor": line.style.fill_colour,
        "linestyle": line.style.line_style,
    }
    return Line2D([], [], marker=line.style.marker, label=line.name.replace(" = ", "\n= "), **options)


def _note_legend_entries(selection: Selection, criterion: str, axis_limits: tuple[float, float]) -> "list[Artist]":
    """Return entries that explain hollow markers and count omitted and failed candidates, if there are any."""
    from matplotlib.lines import Line2D

    entries: list[Artist] = []
    fitted = [c for c in selection.candidates if c.fit is not None]
    if not all(c.is_eligible for c in fitted):
        hollow: dict[str, Any] = {
            "linestyle": "none",
            "marker": "o",
            "markerfacecolor": "none",
            "markeredgecolor": GREY,
        }
        entries.append(Line2D([], [], label="degenerate,\nranked last", **hollow))
    n_outside = sum(not axis_limits[0] <= c.criteria[criterion] <= axis_limits[1] for c in fitted)
    n_failed = len(selection.candidates) - len(fitted)
    entries += [_legend.text_entry(f"{n_outside} outside the axis")] if n_outside else []
    entries += [_legend.text_entry(f"{n_failed} could not be fitted")] if n_failed else []
    return entries
