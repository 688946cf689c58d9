"""Ways to assign the rows, side by side: k-means, the mixture hard and soft, nearest neighbours and known groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._calibration import draw_calibration
from gaussmix.plots._layout import FAR_BEYOND
from gaussmix.plots._line import WHOLE_MIXTURE, curves, draw_curves, draw_strip, line_ends, name_density
from gaussmix.plots._plane import RASTER, colours_of, draw_plane, plane_ends
from gaussmix.plots.columns import Cloud, column_numbers, telling_columns
from gaussmix.plots.given import as_comparison
from gaussmix.plots.style import GREY, INK, percent, styles
from gaussmix.selection.assignment import HARD, KMEANS, NEIGHBOURS, UNSURE, Assignment
from gaussmix.selection.comparison import Comparison
from gaussmix.types import ND, BoolN, IntN

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_ROWS = 2000  # panels are small
_LONGEST_LABEL, _LONGEST_NAME = 20, 32  # letters of a label in the legend, and of a column's name beside a panel
_WIDTH, _LEGEND_WIDTH = 12.6, 2.2  # inches of the figure with a legend of one column, and of each further column
_ALL_CIRCLES: dict[str, Any] = {"color": GREY, "linewidth": 1.2, "linestyle": "-."}  # in one column, their sum


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
    share most rows with. The ellipses of k-means are equal circles in the units it measures in. All
    panels but the last have the same axes. Where many rows are ringed, the rings are narrow. Rows whose label is
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
    entries = _entries(found, cloud, len(chosen))
    has_labels = found.known is not None
    width = _WIDTH + (canvas.n_legend_columns(entries) - 1) * _LEGEND_WIDTH
    figure = canvas.on_figure(figure, width, 7.8 if has_labels else 4.2)
    tall = figure.get_figheight() > figure.get_figwidth()
    count = 6 if has_labels else 3
    shape = (count, 1) if tall else (2, 3) if has_labels else (1, 3)
    axes = figure.subplots(*shape, squeeze=False).ravel().tolist()
    _draw_panels(axes, found, cloud, chosen)
    if has_labels:
        draw_calibration(axes[-1], found)
    canvas.legend_in_figure(figure, entries, inside=False)
    return figure


def _panels(found: Assignment) -> list[_Panel]:
    """What is drawn, in the order of the panels."""
    hard, whole = found[HARD].groups, float(found.weights.sum())
    doubts = 1.0 - found.soft.max(axis=1)
    means = found[KMEANS]
    own = (found.mixture,)
    unsure = f"mixture, soft\n{_count(found.n_uncertain, whole)} unsure"
    differing = _differing(means.n_differing, whole)
    panels = [
        _Panel(f"k-means\n{differing}", means.groups, means.groups != hard, (found.circles,)),
        _Panel("mixture, hard", hard, np.zeros(len(hard), dtype=bool), own),
        _Panel(unsure, hard, doubts > UNSURE, own, "soft"),
    ]
    if found.known is None:
        return panels
    told = found.known >= 0
    wrong = float(found.weights[told & (found.known != hard)].sum())
    near = found[NEIGHBOURS]
    title = f"labels\n{_differing(wrong, float(found.weights[told].sum()))}"
    neighbours = f"neighbours\n{_differing(near.n_differing, whole)}"
    return [
        _Panel(title, found.known, told & (found.known != hard), ()),
        _Panel(neighbours, near.groups, near.groups != hard, ()),
        *panels,
    ]


def _differing(part: float, whole: float) -> str:
    return f"{_count(part, whole)} elsewhere"


def _count(part: float, whole: float) -> str:
    """So many rows; of weights that do not count rows the share."""
    if not part.is_integer():
        return f"{percent(part / whole)} of the weight"
    return f"{canvas.number(part, 0)} ({percent(part / whole)})"


def _draw_panels(axes: "Sequence[Axes]", found: Assignment, cloud: Cloud, columns: list[int]) -> None:
    """Every panel, with the same ends of the axes, which hold the rows and all that is drawn around them."""
    mixtures, rows = [found.mixture, found.circles], cloud.rows[:, columns]
    if len(columns) == 2:
        plane = plane_ends(mixtures, rows, columns, FAR_BEYOND)
        for ax, panel in zip(axes, _panels(found), strict=False):
            part, colours, ringed = _drawn(found, cloud, panel)
            draw_plane(ax, found.mixture, part, columns, colours, ringed, False, panel.bells, plane, _LONGEST_NAME)
            ax.set_title(panel.title, fontsize="medium")
        return
    column, values = columns[0], rows[:, 0]
    line = line_ends(mixtures, values, column, FAR_BEYOND)
    own, circles = (curves(mixture, values, column, line) for mixture in mixtures)
    tallest = max(float(each.density.max()) for each in (own, circles))
    for ax, panel in zip(axes, _panels(found), strict=False):
        part, colours, ringed = _drawn(found, cloud, panel)
        drawn, total = (circles, _ALL_CIRCLES) if found.circles in panel.bells else (own, WHOLE_MIXTURE)
        draw_curves(ax, drawn, tallest, total)
        name_density(ax, found.mixture, drawn.units, column, small=True)
        shown = drawn.units.show(part.rows[:, column])
        draw_strip(ax, shown, part, colours, ringed, raster=len(values) > RASTER)
        ax.set_title(panel.title, fontsize="medium")


def _drawn(found: Assignment, cloud: Cloud, panel: _Panel) -> tuple[Cloud, ND, BoolN]:
    """The rows of a panel, their colours, and which are ringed; rows whose group is not known are left out."""
    groups = panel.groups[cloud.drawn]
    kept = groups >= 0
    n_groups = max(found.mixture.n_components, int(panel.groups.max()) + 1)
    soft = cloud.soft if panel.assign == "soft" else np.eye(n_groups)[groups]
    part = Cloud(cloud.rows[kept], soft[kept], cloud.doubts, cloud.drawn[kept])
    return part, colours_of(part, panel.assign), panel.ringed[cloud.drawn][kept]


def _entries(found: Assignment, cloud: Cloud, n_columns: int) -> "list[Artist]":
    from matplotlib.lines import Line2D

    entries = _legend.component_entries(found.mixture)
    if found.known is not None:
        entries += _label_entries(found)
    entries += _plane_entries(found) if n_columns == 2 else _line_entries()
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markerfacecolor": "none", "markeredgecolor": INK}
    label = f"ringed: elsewhere than by\nthe mixture, or unsure\n(below probability {1.0 - UNSURE:g})"
    entries.append(Line2D([], [], label=label, **look))
    return entries + _legend.note_entries(cloud)


def _plane_entries(found: Assignment) -> "list[Artist]":
    """What ellipses hold, and what those of k-means are, which are no circles where the axes' scales differ."""
    standardised = found.standardised
    units = "standard deviations of each column" if standardised else "the columns' own units"
    return [_legend.ellipse_entry(), _legend.remark(f"k-means: equal circles, measured in\n{units}")]


def _line_entries() -> "list[Artist]":
    """The density of the mixture, and that of k-means' panel."""
    from matplotlib.lines import Line2D

    circles = Line2D([], [], **_ALL_CIRCLES, label="k-means: sum of equal bells")
    return [*_legend.density_entries(histogram=False), circles]


def _label_entries(found: Assignment) -> "list[Artist]":
    """Which label has the colour of which component, and the colours of those that match none."""
    from matplotlib.lines import Line2D

    assert found.known is not None
    looks = styles(max(found.mixture.n_components, max(found.label_numbers) + 1))
    entries: list[Artist] = []
    names = canvas.told_apart(found.class_names, _LONGEST_LABEL)
    for name, number in zip(names, found.label_numbers, strict=True):
        look = looks[number]
        style: dict[str, Any] = {"markerfacecolor": look.fill, "marker": look.marker, "markeredgecolor": "none"}
        entries.append(Line2D([], [], linestyle="none", label=f"label {name}", **style))
    return entries
