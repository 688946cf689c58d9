"""How the search chose: the criterion of every candidate, by number of components and structure."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.covariance.structure import MCLUST_NAMES
from gaussmix.errors import ParameterError
from gaussmix.plots import _legend, canvas
from gaussmix.plots.plot_data import AxisUnits
from gaussmix.plots.style import GREY, INK, Style, distinct_styles
from gaussmix.plots.validation import check_selection
from gaussmix.selection import CRITERIA, Candidate, Selection
from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_EQUAL_CRITERION_RTOL = 1e-9  # criteria this close, relatively, belong to one model by two names
_MAX_UNCLIPPED_CANDIDATES = 5  # so many candidates are all shown
_MAX_LINES_IN_INSIDE_LEGEND = 5  # structures named by a legend that stands inside the axes
_MIN_AXIS_SPAN = 1.0  # the axis spans at least this; a smaller difference says nothing
_MAX_SPAN_IN_MEDIAN_GAPS = 2.5  # the axis reaches this many times the median distance to the best, from the best


@dataclass(frozen=True)
class CriterionLine:
    """A structure, or several that describe the same mixtures, with its fitted candidates by number of components."""

    name: str
    style: Style
    candidates: tuple[Candidate, ...]

    def criterion_points(self, criterion: str, is_eligible: bool) -> Array:
        """Number of components and criterion (m, 2) of the eligible candidates, or of the others."""
        chosen = [c for c in self.candidates if c.is_eligible == is_eligible]
        return np.array([[c.n_components, c.criteria[criterion]] for c in chosen]).reshape(-1, 2)


def criterion_curves(selection: Selection, ax: "Axes | None" = None, criterion: str | None = None) -> "Axes":
    """The criterion by number of components, one line per structure, with the chosen candidate marked.

    Structures whose criteria agree everywhere (as many do in one column) share a line. Degenerate
    candidates, which are never preferred, are hollow and off the lines. The axis keeps to the
    interesting range, and the legend says how many candidates lie beyond it. A search over one
    number of components is drawn by structure instead.

    Parameters
    ----------
    selection : Selection
        From `gaussmix.select`.
    ax : matplotlib Axes, optional
        Default: new axes in a figure of their own.
    criterion : {'bic', 'icl', 'aic'}, optional
        Default: the one the search ranked by.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If there is no such criterion.
    """
    rule = criterion or check_selection(selection).criterion
    if rule not in CRITERIA:
        raise ParameterError.invalid_choice("criterion", rule, list(CRITERIA))
    own, ax = ax is None, canvas.get_or_create_axes(ax, 7.2, 4.2)
    lines = _build_lines(selection, rule)
    by_count = len({candidate.n_components for candidate in selection.candidates}) > 1
    places = {} if by_count else {line.name: float(i) for i, line in enumerate(lines)}
    low, high = _criterion_limits(lines, rule)
    units = AxisUnits.from_scores(low, high, selection.best.criteria[rule])
    for line in lines:
        _draw_line(ax, line, rule, places.get(line.name), units)
    ax.set_ylim(*units.to_axis_units(np.array([low, high])))
    _mark_best_candidate(ax, selection.best, rule, places.get(_line_name_of_candidate(lines, selection.best)), units)
    _label_axes(ax, selection, rule, lines, by_count, units)
    named = lines if own else lines[:_MAX_LINES_IN_INSIDE_LEGEND]
    entries = [_line_legend_entry(line) for line in named] if by_count else []
    entries += (
        [_legend.text_entry(f"and {len(lines) - len(named)} more")] if by_count and len(named) < len(lines) else []
    )
    canvas.draw_legend(ax, entries + _note_legend_entries(selection, rule, (low, high)), own)
    canvas.hide_top_right_spines(ax)
    return ax


def _build_lines(selection: Selection, criterion: str) -> list[CriterionLine]:
    """One line per distinct structure, best first."""
    fitted: dict[str, list[Candidate]] = {}
    for candidate in sorted(selection.candidates, key=lambda c: c.n_components):
        if candidate.fit is not None:
            fitted.setdefault(candidate.structure.display_name, []).append(candidate)
    looks = dict(zip(MCLUST_NAMES, distinct_styles(len(MCLUST_NAMES)), strict=True))
    lines: list[CriterionLine] = []
    for name, candidates in fitted.items():
        twin = next(
            (i for i, line in enumerate(lines) if _have_equal_criteria(line.candidates, candidates, criterion)), None
        )
        if twin is None:
            lines.append(CriterionLine(name, looks[str(candidates[0].structure)], tuple(candidates)))
        else:
            lines[twin] = CriterionLine(f"{lines[twin].name} = {name}", lines[twin].style, lines[twin].candidates)
    return sorted(lines, key=lambda line: _sort_key(line, criterion))


def _have_equal_criteria(candidates: tuple[Candidate, ...], other_candidates: list[Candidate], criterion: str) -> bool:
    """Whether two structures have equal criteria for more than one component, where they may differ."""
    counts = [c.n_components for c in candidates]
    if counts != [c.n_components for c in other_candidates] or counts[-1] == 1:
        return False
    return all(
        abs(a.criteria[criterion] - b.criteria[criterion]) <= _EQUAL_CRITERION_RTOL * abs(a.criteria[criterion])
        for a, b in zip(candidates, other_candidates, strict=True)
    )


def _sort_key(line: CriterionLine, criterion: str) -> tuple[bool, float]:
    points = line.criterion_points(criterion, is_eligible=True)
    return (False, float(points[:, 1].min())) if len(points) else (True, 0.0)


def _line_name_of_candidate(lines: list[CriterionLine], candidate: Candidate) -> str:
    return next(line.name for line in lines if candidate.structure.display_name in line.name.split(" = "))


def _criterion_limits(lines: list[CriterionLine], criterion: str) -> tuple[float, float]:
    """From below the best to a multiple of the median distance from it; degenerate candidates do not count."""
    values = np.concatenate([line.criterion_points(criterion, is_eligible=True)[:, 1] for line in lines])
    if not len(values):
        values = np.concatenate([line.criterion_points(criterion, is_eligible=False)[:, 1] for line in lines])
    best, worst = float(values.min()), float(values.max())
    span = worst - best
    if len(values) > _MAX_UNCLIPPED_CANDIDATES:
        span = min(span, _MAX_SPAN_IN_MEDIAN_GAPS * float(np.median(values) - best))
    span = max(span, _MIN_AXIS_SPAN, _EQUAL_CRITERION_RTOL * max(abs(best), abs(worst)))
    return best - 0.16 * span, best + 1.06 * span


def _draw_line(ax: "Axes", line: CriterionLine, criterion: str, x_position: float | None, units: AxisUnits) -> None:
    good, bad = line.criterion_points(criterion, is_eligible=True), line.criterion_points(criterion, is_eligible=False)
    if x_position is not None:
        good[:, 0], bad[:, 0] = x_position, x_position
    good[:, 1], bad[:, 1] = units.to_axis_units(good[:, 1]), units.to_axis_units(bad[:, 1])
    look: dict[str, Any] = {"marker": line.style.marker, "markersize": 5.5}
    colours: dict[str, Any] = {"color": line.style.line_colour, "markerfacecolor": line.style.fill_colour}
    ax.plot(good[:, 0], good[:, 1], linestyle=line.style.line_style, linewidth=1.3, **look, **colours)
    hollow: dict[str, Any] = {
        "linestyle": "none",
        "markerfacecolor": "none",
        "markeredgecolor": GREY,
        "markeredgewidth": 0.8,
    }
    ax.plot(bad[:, 0], bad[:, 1], **look, **hollow)


def _mark_best_candidate(
    ax: "Axes", best: Candidate, criterion: str, x_position: float | None, units: AxisUnits
) -> None:
    """A ring around the chosen candidate and its name below it, where no other candidate lies."""
    where = (
        float(best.n_components) if x_position is None else x_position,
        float(units.to_axis_units(np.array(best.criteria[criterion]))),
    )
    ax.plot(*where, marker="o", markersize=14, markerfacecolor="none", markeredgecolor=INK, linestyle="none", zorder=5)
    low, high = ax.get_xlim()
    share = (where[0] - low) / (high - low)
    side = "left" if share < 0.2 else "right" if share > 0.8 else "center"
    text = f"chosen: {best.structure.display_name}, {best.n_components}"
    ax.annotate(text, where, (0, -10), textcoords="offset points", ha=side, va="top", fontsize="small", zorder=6)


def _label_axes(
    ax: "Axes", selection: Selection, criterion: str, lines: list[CriterionLine], has_count_axis: bool, units: AxisUnits
) -> None:
    name = (
        f"{criterion.upper()} above that of the chosen one"
        if units.offset
        else f"{criterion.upper()} (lower is better)"
    )
    canvas.label_axes(ax, "number of components", replace(units, offset=0.0).format_label(name, "\n"))
    canvas.set_plain_y_ticks(ax)
    if has_count_axis:
        canvas.set_integer_x_ticks(ax)
        return
    look: dict[str, Any] = {"rotation": 30, "ha": "right"} if len(lines) > 4 else {}
    names = [line.name.replace(" = ", "\n= ") for line in lines]
    ax.set_xticks(range(len(lines)), names, fontsize="small", **look)
    count = selection.best.n_components
    ax.set_xlabel(f"structure, with {canvas.format_count(count, 'component')}")
    ax.set_xlim(-0.6, len(lines) - 0.4)


def _line_legend_entry(line: CriterionLine) -> "Artist":
    """What a line and its markers stand for."""
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {
        "color": line.style.line_colour,
        "markerfacecolor": line.style.fill_colour,
        "linestyle": line.style.line_style,
    }
    return Line2D([], [], marker=line.style.marker, label=line.name.replace(" = ", "\n= "), **look)


def _note_legend_entries(selection: Selection, criterion: str, axis_limits: tuple[float, float]) -> "list[Artist]":
    """What hollow markers mean, and what the axis does not show."""
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
        entries.append(Line2D([], [], label="degenerate,\nnever preferred", **hollow))
    beyond = sum(not axis_limits[0] <= c.criteria[criterion] <= axis_limits[1] for c in fitted)
    failed = len(selection.candidates) - len(fitted)
    entries += [_legend.text_entry(f"{beyond} beyond the axis")] if beyond else []
    entries += [_legend.text_entry(f"{failed} could not be fitted")] if failed else []
    return entries
