"""Ways to assign the rows, side by side: k-means, the mixture hard and soft, nearest neighbours and known groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._line import draw_marginal, draw_strip
from gaussmix.plots._plane import RASTER, colours_of, draw_plane
from gaussmix.plots.columns import Cloud, column_numbers, telling_columns
from gaussmix.plots.given import as_comparison
from gaussmix.plots.style import GREY, INK, percent, styles
from gaussmix.selection.assignment import HARD, KMEANS, NEIGHBOURS, SOFT, UNSURE, Assignment
from gaussmix.selection.comparison import Comparison
from gaussmix.types import BoolN, IntN

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_ROWS = 2000  # panels are small
_FORETOLD = dict(zip((NEIGHBOURS, KMEANS, SOFT), styles(8)[5:8], strict=True))


@dataclass(frozen=True)
class _Panel:
    """A partition to draw: its rows' colours, which rows are ringed (n,), whose ellipses are drawn, and its title."""

    title: str
    groups: IntN
    ringed: BoolN
    bells: tuple[Mixture, ...]
    assign: str = "hard"


def partitions(
    comparison: Comparison,
    columns: Sequence[int | str] | None = None,
    figure: "Figure | None" = None,
    *,
    max_rows: int = _MOST_ROWS,
    random_state: int = 0,
) -> "Figure":
    """k-means, the mixture hard and the mixture soft, with the rows ringed on which they differ.

    With labels two more panels show them, and what k-nearest neighbours say of rows they have not seen, and a last one
    how the probabilities of the most probable label come true. Groups have the colours of the components that they
    share most rows with. The ellipses of k-means are equal circles in the units it measures in. Rows whose label is
    not known are left out of the panel of labels.

    Parameters
    ----------
    comparison : Comparison
        From `gaussmix.compare`.
    columns : one or two column numbers or names, optional
        Default: the two columns that tell the components apart best.
    figure : matplotlib Figure, optional
        Where it is taller than wide, the panels stand one above the other.
    max_rows : int, default=2000
        Of more rows a random subset is drawn, and the legend says so.
    random_state : int, default=0
        Seeds the subset.

    Returns
    -------
    matplotlib Figure
    """
    found = as_comparison(comparison).assignment
    mixture = found.mixture
    chosen = telling_columns(mixture, found.rows, 2) if columns is None else column_numbers(mixture, columns)
    if len(chosen) > 2:
        raise ParameterError.value("columns", columns, "one or two columns")
    cloud = Cloud.of(mixture, found.rows, max_rows, random_state)
    shown = _panels(found)
    has_labels = found.known is not None
    figure = canvas.on_figure(figure, 12.6, 7.8 if has_labels else 4.2)
    tall = figure.get_figheight() > figure.get_figwidth()
    count = len(shown) + int(has_labels)
    shape = (count, 1) if tall else (2, 3) if has_labels else (1, 3)
    axes = figure.subplots(*shape, squeeze=False).ravel()
    for ax, panel in zip(axes, shown, strict=False):
        _draw(ax, found, cloud, chosen, panel)
    if has_labels:
        _draw_reliability(axes[-1], found)
    canvas.legend_in_figure(figure, _entries(found, cloud, len(chosen)), inside=False)
    return figure


def _panels(found: Assignment) -> list[_Panel]:
    """What is drawn, in the order of the panels."""
    hard, whole = found[HARD].groups, float(found.weights.sum())
    doubts = 1.0 - found.soft.max(axis=1)
    means = found[KMEANS]
    own = (found.mixture,)
    unsure = f"mixture, soft: {_count(found.n_uncertain, whole)} unsure"
    differing = _differing(means.n_differing, whole)
    panels = [
        _Panel(f"k-means: {differing}", means.groups, means.groups != hard, (found.circles,)),
        _Panel("mixture, hard", hard, np.zeros(len(hard), dtype=bool), own),
        _Panel(unsure, hard, doubts > UNSURE, own, "soft"),
    ]
    if found.known is None:
        return panels
    told = found.known >= 0
    wrong = float(found.weights[told & (found.known != hard)].sum())
    near = found[NEIGHBOURS]
    title = f"labels: {_differing(wrong, float(found.weights[told].sum()))}"
    neighbours = f"neighbours: {_differing(near.n_differing, whole)}"
    return [
        _Panel(title, found.known, told & (found.known != hard), ()),
        _Panel(neighbours, near.groups, near.groups != hard, ()),
        *panels,
    ]


def _differing(part: float, whole: float) -> str:
    return f"{_count(part, whole)} elsewhere"


def _count(part: float, whole: float) -> str:
    return f"{part:,.0f} ({percent(part / whole)})".replace(",", "\u202f")


def _draw(ax: "Axes", found: Assignment, cloud: Cloud, columns: list[int], panel: _Panel) -> None:
    """One panel; rows whose group is not known are left out of it."""
    groups = panel.groups[cloud.drawn]
    kept = groups >= 0
    n_groups = max(found.mixture.n_components, int(panel.groups.max()) + 1)
    soft = cloud.soft if panel.assign == "soft" else np.eye(n_groups)[groups]
    part = Cloud(cloud.rows[kept], soft[kept], cloud.doubts, cloud.drawn[kept])
    ringed, colours = panel.ringed[cloud.drawn][kept], colours_of(part, panel.assign)
    if len(columns) == 2:
        draw_plane(ax, found.mixture, part, columns, colours, ringed, False, panel.bells)
    else:
        bell = panel.bells[0] if panel.bells else found.mixture
        units = draw_marginal(ax, bell, cloud.rows[:, columns[0]], columns[0], small=True)
        draw_strip(ax, units.show(part.rows[:, columns[0]]), part, colours, ringed, raster=len(groups) > RASTER)
    ax.set_title(panel.title, fontsize="medium")


def _draw_reliability(ax: "Axes", found: Assignment) -> None:
    """What the probability of the most probable label promises, and what comes true."""
    least = 1.0 / len(found.class_names)  # the most probable of so many has at least this
    ax.plot([least, 1.0], [least, 1.0], color=GREY, linewidth=0.9, linestyle="--", zorder=1)
    most = max(one.weight for name in _FORETOLD for one in found[name].bins)
    for name, look in _FORETOLD.items():
        x, y = ([getattr(one, what) for one in found[name].bins] for what in ("confidence", "accuracy"))
        sizes = [14.0 + 130.0 * one.weight / most for one in found[name].bins]
        shown: dict[str, Any] = {"marker": look.marker, "edgecolors": INK, "linewidths": 0.5, "alpha": 0.8}
        ax.scatter(x, y, s=sizes, color=[look.fill], zorder=3, **shown)
    ax.set(xlim=(least - 0.04, 1.04), ylim=(-0.04, 1.04))
    canvas.name_axis(ax, "probability of the most probable label", "share that is right")
    ax.set_title("calibration (larger: more rows)", fontsize="medium")
    canvas.tidy(ax)


def _entries(found: Assignment, cloud: Cloud, n_columns: int) -> "list[Artist]":
    from matplotlib.lines import Line2D

    entries = _legend.component_entries(found.mixture)
    if found.known is not None:
        entries += _label_entries(found)
    entries += [_legend.ellipse_entry()] if n_columns == 2 else _legend.density_entries(histogram=False)
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markerfacecolor": "none", "markeredgecolor": INK}
    label = f"ringed: elsewhere than by\nthe mixture, or unsure\n(below probability {1.0 - UNSURE:g})"
    entries.append(Line2D([], [], label=label, **look))
    entries += [] if found.known is None else _calibration_entries(found)
    return entries + _legend.note_entries(cloud)


def _label_entries(found: Assignment) -> "list[Artist]":
    """Which label has the colour of which component, and the colours of those that match none."""
    from matplotlib.lines import Line2D

    assert found.known is not None
    looks = styles(max(found.mixture.n_components, max(found.label_numbers) + 1))
    entries: list[Artist] = []
    for name, number in zip(found.class_names, found.label_numbers, strict=True):
        look = looks[number]
        style: dict[str, Any] = {"markerfacecolor": look.fill, "marker": look.marker, "markeredgecolor": "none"}
        entries.append(Line2D([], [], linestyle="none", label=f"label {canvas.shortened(name, 16)}", **style))
    return entries


def _calibration_entries(found: Assignment) -> "list[Artist]":
    """Whose probabilities are judged, with their mean distance from what comes true."""
    from matplotlib.lines import Line2D

    entries: list[Artist] = [_legend.remark("calibration, mean error:")]
    for name, look in _FORETOLD.items():
        style: dict[str, Any] = {"markerfacecolor": look.fill, "marker": look.marker, "markeredgecolor": INK}
        label = f"{name}, {found[name].calibration_error:.2f}"
        entries.append(Line2D([], [], linestyle="none", markeredgewidth=0.5, label=label, **style))
    return entries
