"""How the search chose: the criterion of every candidate, by number of components and structure."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.covariance.structure import ALL
from gaussmix.errors import ParameterError
from gaussmix.plots import _legend, canvas
from gaussmix.plots.columns import Units
from gaussmix.plots.given import as_selection
from gaussmix.plots.style import GREY, INK, Style, styles
from gaussmix.selection import CRITERIA, Candidate, Selection
from gaussmix.types import Array

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_SAME = 1e-9  # criteria this close, relatively, belong to one model by two names
_FEW = 5  # so many candidates are all shown
_MOST_INSIDE = 5  # structures named by a legend that stands inside the axes
_LEAST = 1.0  # the axis spans at least this; a smaller difference says nothing
_WIDEST = 2.5  # the axis reaches this many times the median distance to the best, from the best


@dataclass(frozen=True)
class Line:
    """A structure, or several that describe the same mixtures, with its fitted candidates by number of components."""

    name: str
    style: Style
    candidates: tuple[Candidate, ...]

    def points(self, rule: str, eligible: bool) -> Array:
        """Number of components and criterion (m, 2) of the eligible candidates, or of the others."""
        chosen = [c for c in self.candidates if c.is_eligible == eligible]
        return np.array([[c.n_components, c.criteria[rule]] for c in chosen]).reshape(-1, 2)


def choice(selection: Selection, ax: "Axes | None" = None, criterion: str | None = None) -> "Axes":
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
    rule = criterion or as_selection(selection).criterion
    if rule not in CRITERIA:
        raise ParameterError.choice("criterion", rule, list(CRITERIA))
    own, ax = ax is None, canvas.on_axes(ax, 7.2, 4.2)
    lines = _lines(selection, rule)
    by_count = len({candidate.n_components for candidate in selection.candidates}) > 1
    places = {} if by_count else {line.name: float(i) for i, line in enumerate(lines)}
    low, high = _limits(lines, rule)
    units = Units.beside(low, high, selection.best.criteria[rule])
    for line in lines:
        _draw(ax, line, rule, places.get(line.name), units)
    ax.set_ylim(*units.show(np.array([low, high])))
    _mark(ax, selection.best, rule, places.get(_line_of(lines, selection.best)), units)
    _name(ax, selection, rule, lines, by_count, units)
    named = lines if own else lines[:_MOST_INSIDE]
    entries = [_entry(line) for line in named] if by_count else []
    entries += [_legend.remark(f"and {len(lines) - len(named)} more")] if by_count and len(named) < len(lines) else []
    canvas.legend_on(ax, entries + _remarks(selection, rule, (low, high)), own)
    canvas.tidy(ax)
    return ax


def _lines(selection: Selection, rule: str) -> list[Line]:
    """One line per distinct structure, best first."""
    fitted: dict[str, list[Candidate]] = {}
    for candidate in sorted(selection.candidates, key=lambda c: c.n_components):
        if candidate.fit is not None:
            fitted.setdefault(candidate.structure.label, []).append(candidate)
    looks = dict(zip(ALL, styles(len(ALL)), strict=True))
    lines: list[Line] = []
    for name, candidates in fitted.items():
        twin = next((i for i, line in enumerate(lines) if _agree(line.candidates, candidates, rule)), None)
        if twin is None:
            lines.append(Line(name, looks[str(candidates[0].structure)], tuple(candidates)))
        else:
            lines[twin] = Line(f"{lines[twin].name} = {name}", lines[twin].style, lines[twin].candidates)
    return sorted(lines, key=lambda line: _key(line, rule))


def _agree(some: tuple[Candidate, ...], others: list[Candidate], rule: str) -> bool:
    """Whether two structures have equal criteria for more than one component, where they may differ."""
    if [c.n_components for c in some] != [c.n_components for c in others] or some[-1].n_components == 1:
        return False
    return all(
        abs(a.criteria[rule] - b.criteria[rule]) <= _SAME * abs(a.criteria[rule])
        for a, b in zip(some, others, strict=True)
    )


def _key(line: Line, rule: str) -> tuple[bool, float]:
    points = line.points(rule, eligible=True)
    return (False, float(points[:, 1].min())) if len(points) else (True, 0.0)


def _line_of(lines: list[Line], candidate: Candidate) -> str:
    return next(line.name for line in lines if candidate.structure.label in line.name.split(" = "))


def _limits(lines: list[Line], rule: str) -> tuple[float, float]:
    """From below the best to a multiple of the median distance from it; degenerate candidates do not count."""
    values = np.concatenate([line.points(rule, eligible=True)[:, 1] for line in lines])
    if not len(values):
        values = np.concatenate([line.points(rule, eligible=False)[:, 1] for line in lines])
    best, worst = float(values.min()), float(values.max())
    span = worst - best
    if len(values) > _FEW:
        span = min(span, _WIDEST * float(np.median(values) - best))
    span = max(span, _LEAST, _SAME * max(abs(best), abs(worst)))
    return best - 0.16 * span, best + 1.06 * span


def _draw(ax: "Axes", line: Line, rule: str, place: float | None, units: Units) -> None:
    good, bad = line.points(rule, eligible=True), line.points(rule, eligible=False)
    if place is not None:
        good[:, 0], bad[:, 0] = place, place
    good[:, 1], bad[:, 1] = units.show(good[:, 1]), units.show(bad[:, 1])
    look: dict[str, Any] = {"marker": line.style.marker, "markersize": 5.5}
    colours: dict[str, Any] = {"color": line.style.line, "markerfacecolor": line.style.fill}
    ax.plot(good[:, 0], good[:, 1], linestyle=line.style.dash, linewidth=1.3, **look, **colours)
    hollow: dict[str, Any] = {
        "linestyle": "none",
        "markerfacecolor": "none",
        "markeredgecolor": GREY,
        "markeredgewidth": 0.8,
    }
    ax.plot(bad[:, 0], bad[:, 1], **look, **hollow)


def _mark(ax: "Axes", best: Candidate, rule: str, place: float | None, units: Units) -> None:
    """A ring around the chosen candidate and its name below it, where no other candidate lies."""
    where = (float(best.n_components) if place is None else place, float(units.show(np.array(best.criteria[rule]))))
    ax.plot(*where, marker="o", markersize=14, markerfacecolor="none", markeredgecolor=INK, linestyle="none", zorder=5)
    low, high = ax.get_xlim()
    share = (where[0] - low) / (high - low)
    side = "left" if share < 0.2 else "right" if share > 0.8 else "center"
    text = f"chosen: {best.structure.label}, {best.n_components}"
    ax.annotate(text, where, (0, -10), textcoords="offset points", ha=side, va="top", fontsize="small", zorder=6)


def _name(ax: "Axes", selection: Selection, rule: str, lines: list[Line], by_count: bool, units: Units) -> None:
    name = f"{rule.upper()} above that of the chosen one" if units.offset else f"{rule.upper()} (lower is better)"
    canvas.name_axis(ax, "number of components", replace(units, offset=0.0).label(name, "\n"))
    canvas.plain_numbers(ax)
    if by_count:
        canvas.count_along(ax)
        return
    look: dict[str, Any] = {"rotation": 30, "ha": "right"} if len(lines) > 4 else {}
    names = [line.name.replace(" = ", "\n= ") for line in lines]
    ax.set_xticks(range(len(lines)), names, fontsize="small", **look)
    count = selection.best.n_components
    ax.set_xlabel(f"structure, with {canvas.counted(count, 'component')}")
    ax.set_xlim(-0.6, len(lines) - 0.4)


def _entry(line: Line) -> "Artist":
    """What a line and its markers stand for."""
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"color": line.style.line, "markerfacecolor": line.style.fill, "linestyle": line.style.dash}
    return Line2D([], [], marker=line.style.marker, label=line.name.replace(" = ", "\n= "), **look)


def _remarks(selection: Selection, rule: str, limits: tuple[float, float]) -> "list[Artist]":
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
    beyond = sum(not limits[0] <= c.criteria[rule] <= limits[1] for c in fitted)
    failed = len(selection.candidates) - len(fitted)
    entries += [_legend.remark(f"{beyond} beyond the axis")] if beyond else []
    entries += [_legend.remark(f"{failed} could not be fitted")] if failed else []
    return entries
