"""Ways to assign the rows, side by side: k-means, the mixture hard and soft, nearest neighbours and known groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.comparison.assignment_comparison import (
    HARD_METHOD,
    KMEANS_METHOD,
    NEIGHBORS_METHOD,
    UNCERTAINTY_THRESHOLD,
    AssignmentComparison,
)
from gaussmix.comparison.result import Comparison
from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._calibration import draw_calibration
from gaussmix.plots._layout import WIDE_MAX_EXTENSION
from gaussmix.plots._panel_1d import (
    MIXTURE_LINE_STYLE,
    compute_density_curves,
    compute_density_limits,
    draw_density_curves,
    draw_row_strip,
    label_density_axes,
)
from gaussmix.plots._panel_2d import MAX_VECTOR_POINTS, compute_row_colours, compute_scatter_limits, draw_scatter_panel
from gaussmix.plots.plot_data import PlotSample, resolve_columns, select_separating_columns
from gaussmix.plots.style import GREY, INK, distinct_styles, format_percent
from gaussmix.plots.validation import check_comparison
from gaussmix.types import ND, BoolN, IntN

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_ROWS = 2000  # panels are small
_MAX_LABEL_LENGTH, _MAX_AXIS_NAME_LENGTH = (
    20,
    32,
)  # letters of a label in the legend, and of a column's name beside a panel
_FIGURE_WIDTH_INCHES, _LEGEND_COLUMN_INCHES = (
    12.6,
    2.2,
)  # inches of the figure with a legend of one column, and of each further column
_KMEANS_LINE_STYLE: dict[str, Any] = {"color": GREY, "linewidth": 1.2, "linestyle": "-."}  # in one column, their sum


@dataclass(frozen=True)
class _Panel:
    """A partition to draw: its rows' colours, which rows are ringed (n,), whose ellipses are drawn, and its title."""

    title: str
    groups: IntN
    is_ringed: BoolN
    ellipse_mixtures: tuple[Mixture, ...]
    assignment: str = "hard"


def partitions(
    comparison: Comparison,
    columns: Sequence[int | str] | None = None,
    figure: "Figure | None" = None,
    *,
    max_rows: int = _MAX_ROWS,
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
    found = check_comparison(comparison).assignments
    mixture = found.mixture
    chosen = select_separating_columns(mixture, found.rows, 2) if columns is None else resolve_columns(mixture, columns)
    if len(chosen) > 2:
        raise ParameterError.invalid_value("columns", columns, "one or two columns")
    cloud = PlotSample.from_rows(mixture, found.rows, max_rows, random_state)
    entries = _legend_entries(found, cloud, len(chosen))
    has_labels = found.known_component_labels is not None
    width = _FIGURE_WIDTH_INCHES + (canvas.n_legend_columns(entries) - 1) * _LEGEND_COLUMN_INCHES
    figure = canvas.get_or_create_figure(figure, width, 7.8 if has_labels else 4.2)
    tall = figure.get_figheight() > figure.get_figwidth()
    count = 6 if has_labels else 3
    shape = (count, 1) if tall else (2, 3) if has_labels else (1, 3)
    axes = figure.subplots(*shape, squeeze=False).ravel().tolist()
    _draw_panels(axes, found, cloud, chosen)
    if has_labels:
        draw_calibration(axes[-1], found)
    canvas.draw_figure_legend(figure, entries, is_inside=False)
    return figure


def _build_panels(assignment: AssignmentComparison) -> list[_Panel]:
    """What is drawn, in the order of the panels."""
    hard, whole = assignment[HARD_METHOD].component_labels, float(assignment.weights.sum())
    doubts = 1.0 - assignment.responsibilities.max(axis=1)
    means = assignment[KMEANS_METHOD]
    own = (assignment.mixture,)
    unsure = f"mixture, soft\n{_format_count_and_percent(assignment.uncertain_weight, whole)} unsure"
    differing = _format_disagreement(means.differing_weight, whole)
    panels = [
        _Panel(
            f"k-means\n{differing}",
            means.component_labels,
            means.component_labels != hard,
            (assignment.kmeans_mixture,),
        ),
        _Panel("mixture, hard", hard, np.zeros(len(hard), dtype=bool), own),
        _Panel(unsure, hard, doubts > UNCERTAINTY_THRESHOLD, own, "soft"),
    ]
    if assignment.known_component_labels is None:
        return panels
    told = assignment.known_component_labels >= 0
    wrong = float(assignment.weights[told & (assignment.known_component_labels != hard)].sum())
    near = assignment[NEIGHBORS_METHOD]
    title = f"labels\n{_format_disagreement(wrong, float(assignment.weights[told].sum()))}"
    neighbours = f"neighbours\n{_format_disagreement(near.differing_weight, whole)}"
    return [
        _Panel(title, assignment.known_component_labels, told & (assignment.known_component_labels != hard), ()),
        _Panel(neighbours, near.component_labels, near.component_labels != hard, ()),
        *panels,
    ]


def _format_disagreement(weight: float, total_weight: float) -> str:
    return f"{_format_count_and_percent(weight, total_weight)} elsewhere"


def _format_count_and_percent(weight: float, total_weight: float) -> str:
    """So many rows; of weights that do not count rows the share."""
    if not weight.is_integer():
        return f"{format_percent(weight / total_weight)} of the weight"
    return f"{canvas.format_number(weight, 0)} ({format_percent(weight / total_weight)})"


def _draw_panels(
    axes: "Sequence[Axes]", assignment: AssignmentComparison, sample: PlotSample, columns: list[int]
) -> None:
    """Every panel, with the same ends of the axes, which hold the rows and all that is drawn around them."""
    mixtures, rows = [assignment.mixture, assignment.kmeans_mixture], sample.rows[:, columns]
    if len(columns) == 2:
        plane = compute_scatter_limits(mixtures, rows, columns, WIDE_MAX_EXTENSION)
        for ax, panel in zip(axes, _build_panels(assignment), strict=False):
            part, colours, ringed = _select_panel_rows(assignment, sample, panel)
            draw_scatter_panel(
                ax,
                assignment.mixture,
                part,
                columns,
                colours,
                ringed,
                False,
                panel.ellipse_mixtures,
                plane,
                _MAX_AXIS_NAME_LENGTH,
            )
            ax.set_title(panel.title, fontsize="medium")
        return
    column, values = columns[0], rows[:, 0]
    line = compute_density_limits(mixtures, values, column, WIDE_MAX_EXTENSION)
    own, circles = (compute_density_curves(mixture, values, column, line) for mixture in mixtures)
    tallest = max(float(each.mixture_density.max()) for each in (own, circles))
    for ax, panel in zip(axes, _build_panels(assignment), strict=False):
        part, colours, ringed = _select_panel_rows(assignment, sample, panel)
        drawn, total = (
            (circles, _KMEANS_LINE_STYLE)
            if assignment.kmeans_mixture in panel.ellipse_mixtures
            else (own, MIXTURE_LINE_STYLE)
        )
        draw_density_curves(ax, drawn, tallest, total)
        label_density_axes(ax, assignment.mixture, drawn.units, column, is_small=True)
        shown = drawn.units.to_axis_units(part.rows[:, column])
        draw_row_strip(ax, shown, part, colours, ringed, is_rasterized=len(values) > MAX_VECTOR_POINTS)
        ax.set_title(panel.title, fontsize="medium")


def _select_panel_rows(
    assignment: AssignmentComparison, sample: PlotSample, panel: _Panel
) -> tuple[PlotSample, ND, BoolN]:
    """The rows of a panel, their colours, and which are ringed; rows whose group is not known are left out."""
    groups = panel.groups[sample.row_indices]
    kept = groups >= 0
    n_groups = max(assignment.mixture.n_components, int(panel.groups.max()) + 1)
    soft = sample.responsibilities if panel.assignment == "soft" else np.eye(n_groups)[groups]
    part = PlotSample(sample.rows[kept], soft[kept], sample.all_uncertainties, sample.row_indices[kept])
    return part, compute_row_colours(part, panel.assignment), panel.is_ringed[sample.row_indices][kept]


def _legend_entries(assignment: AssignmentComparison, sample: PlotSample, n_columns: int) -> "list[Artist]":
    from matplotlib.lines import Line2D

    entries = _legend.component_entries(assignment.mixture)
    if assignment.known_component_labels is not None:
        entries += _label_legend_entries(assignment)
    entries += _ellipse_legend_entries(assignment) if n_columns == 2 else _density_legend_entries()
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markerfacecolor": "none", "markeredgecolor": INK}
    label = f"ringed: elsewhere than by\nthe mixture, or unsure\n(below probability {1.0 - UNCERTAINTY_THRESHOLD:g})"
    entries.append(Line2D([], [], label=label, **look))
    return entries + _legend.subset_note_entries(sample)


def _ellipse_legend_entries(assignment: AssignmentComparison) -> "list[Artist]":
    """What ellipses hold, and what those of k-means are, which are no circles where the axes' scales differ."""
    standardised = assignment.is_standardized
    units = "standard deviations of each column" if standardised else "the columns' own units"
    return [_legend.ellipse_entry(), _legend.text_entry(f"k-means: equal circles, measured in\n{units}")]


def _density_legend_entries() -> "list[Artist]":
    """The density of the mixture, and that of k-means' panel."""
    from matplotlib.lines import Line2D

    circles = Line2D([], [], **_KMEANS_LINE_STYLE, label="k-means: sum of equal bells")
    return [*_legend.density_entries(with_histogram=False), circles]


def _label_legend_entries(assignment: AssignmentComparison) -> "list[Artist]":
    """Which label has the colour of which component, and the colours of those that match none."""
    from matplotlib.lines import Line2D

    assert assignment.known_component_labels is not None
    looks = distinct_styles(max(assignment.mixture.n_components, max(assignment.class_component_labels) + 1))
    entries: list[Artist] = []
    names = canvas.truncate_distinct(assignment.class_names, _MAX_LABEL_LENGTH)
    for name, number in zip(names, assignment.class_component_labels, strict=True):
        look = looks[number]
        style: dict[str, Any] = {"markerfacecolor": look.fill_colour, "marker": look.marker, "markeredgecolor": "none"}
        entries.append(Line2D([], [], linestyle="none", label=f"label {name}", **style))
    return entries
