"""Plot partitions of the rows side by side: k-means, the mixture, nearest neighbours and known labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gaussmix.comparison.assignment_comparison import (
    HARD_METHOD,
    KMEANS_METHOD,
    NEIGHBORS_METHOD,
    UNCERTAINTY_THRESHOLD,
    AssignmentMethodComparison,
)
from gaussmix.comparison.result import Comparison
from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._calibration import draw_calibration_per_method
from gaussmix.plots._layout import WIDE_MAX_EXTENSION_RATIO
from gaussmix.plots._panel_1d import (
    MIXTURE_LINE_STYLE,
    compute_density_curves_on_grid,
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
_MAX_LABEL_LENGTH = 20  # characters of a class name in the legend
_MAX_AXIS_NAME_LENGTH = 32  # characters of a column's name on an axis
_FIGURE_WIDTH_INCHES = 12.6  # with a legend of one column
_LEGEND_COLUMN_INCHES = 2.2  # width of each further column of the legend
# The line of the density of the k-means clusters in plots of one column.
_KMEANS_LINE_STYLE: dict[str, Any] = {"color": GREY, "linewidth": 1.2, "linestyle": "-."}


@dataclass(frozen=True)
class _Panel:
    """A panel: its title, the group (n,) and the ring (n,) of each row, and the mixtures whose ellipses it shows."""

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
    """Plot the partitions by k-means and by the mixture, hard and soft, with the differing rows ringed.

    With labels, two panels show the labels and the predictions of k-nearest neighbours for held-out rows; a last panel
    shows the calibration of the predicted probabilities. Each group has the colour of the component with which it
    shares most rows. The ellipses of k-means are equal circles in the units of its distances. All panels but the last
    have the same axes. The panel of labels omits unlabelled rows.

    Parameters
    ----------
    comparison : Comparison
        Result of `gaussmix.compare`.
    columns : sequence of one or two column numbers or names, optional
        Default: the two columns that separate the components best.
    figure : matplotlib Figure, optional
        Figure to draw on. In a figure taller than wide the panels are stacked. Default: a new figure.
    max_rows : int, default=2000
        Draw at most this many rows, a random subset; the legend says so.
    random_state : int, default=0
        Seed of the subset.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    DataError, ParameterError
        If a parameter is invalid.
    MissingPackageError
        If matplotlib is not installed.
    """
    assignment = check_comparison(comparison).assignments
    mixture, rows = assignment.mixture, assignment.rows
    indices = select_separating_columns(mixture, rows, 2) if columns is None else resolve_columns(mixture, columns)
    if len(indices) > 2:
        raise ParameterError.invalid_value("columns", columns, "one or two columns")
    sample = PlotSample.from_rows(mixture, rows, max_rows, random_state)
    entries = _legend_entries(assignment, sample, len(indices))
    has_labels = assignment.known_component_labels is not None
    width = _FIGURE_WIDTH_INCHES + (canvas.count_legend_columns(entries) - 1) * _LEGEND_COLUMN_INCHES
    figure = canvas.get_or_create_figure(figure, width, 7.8 if has_labels else 4.2)
    is_tall = figure.get_figheight() > figure.get_figwidth()
    shape = (6 if has_labels else 3, 1) if is_tall else (2 if has_labels else 1, 3)
    axes = figure.subplots(*shape, squeeze=False).ravel().tolist()
    _draw_panels(axes, assignment, sample, indices)
    if has_labels:
        draw_calibration_per_method(axes[-1], assignment)
    canvas.draw_figure_legend(figure, entries, is_inside=False)
    return figure


def _build_panels(assignment: AssignmentMethodComparison) -> list[_Panel]:
    """Return the panels but the calibration: labels and neighbours if labels are known, k-means, hard, soft."""
    weights, total_weight = assignment.weights, float(assignment.weights.sum())
    hard, kmeans = assignment[HARD_METHOD].component_labels, assignment[KMEANS_METHOD]
    uncertainties = 1.0 - assignment.responsibilities.max(axis=1)
    kmeans_title = f"k-means\n{_format_differing_rows(kmeans.differing_weight, total_weight)}"
    soft_title = f"mixture, soft\n{_format_count_and_percent(assignment.uncertain_weight, total_weight)} uncertain"
    differs_from_hard = kmeans.component_labels != hard
    ellipses = (assignment.mixture,)
    panels = [
        _Panel(kmeans_title, kmeans.component_labels, differs_from_hard, (assignment.kmeans_mixture,)),
        _Panel("mixture, hard", hard, np.zeros(len(hard), dtype=bool), ellipses),
        _Panel(soft_title, hard, uncertainties > UNCERTAINTY_THRESHOLD, ellipses, "soft"),
    ]
    labels = assignment.known_component_labels
    if labels is None:
        return panels
    is_labelled = labels >= 0
    is_wrong = is_labelled & (labels != hard)
    neighbors = assignment[NEIGHBORS_METHOD]
    disagreement = _format_differing_rows(float(weights[is_wrong].sum()), float(weights[is_labelled].sum()))
    neighbors_title = f"neighbours\n{_format_differing_rows(neighbors.differing_weight, total_weight)}"
    return [
        _Panel(f"labels\n{disagreement}", labels, is_wrong, ()),
        _Panel(neighbors_title, neighbors.component_labels, neighbors.component_labels != hard, ()),
        *panels,
    ]


def _format_differing_rows(differing_weight: float, total_weight: float) -> str:
    """Return text such as '12 (4.4%) differ' on the rows that the mixture assigns to another group."""
    return f"{_format_count_and_percent(differing_weight, total_weight)} differ"


def _format_count_and_percent(weight: float, total_weight: float) -> str:
    """Return '12 (4.4%)', or '4.4% of the weight' if the weight is no whole number of rows."""
    if not weight.is_integer():
        return f"{format_percent(weight / total_weight)} of the weight"
    return f"{canvas.format_number(weight, 0)} ({format_percent(weight / total_weight)})"


def _draw_panels(
    axes: "Sequence[Axes]", assignment: AssignmentMethodComparison, sample: PlotSample, columns: list[int]
) -> None:
    """Draw all panels but the calibration, with equal limits: scatter plots, or densities of one column."""
    mixtures, rows = [assignment.mixture, assignment.kmeans_mixture], sample.rows[:, columns]
    panels = _build_panels(assignment)
    if len(columns) == 2:
        limits = compute_scatter_limits(mixtures, rows, columns, WIDE_MAX_EXTENSION_RATIO)
        for ax, panel in zip(axes, panels, strict=False):
            panel_sample, colours, is_ringed = _select_panel_rows(assignment, sample, panel)
            draw_scatter_panel(
                ax,
                assignment.mixture,
                panel_sample,
                columns,
                colours,
                is_ringed,
                is_small=False,
                ellipse_mixtures=panel.ellipse_mixtures,
                axis_limits=limits,
                max_axis_name_length=_MAX_AXIS_NAME_LENGTH,
            )
            ax.set_title(panel.title, fontsize="medium")
        return
    _draw_one_column_panels(axes, panels, assignment, sample, columns[0])


def _draw_one_column_panels(
    axes: "Sequence[Axes]",
    panels: list[_Panel],
    assignment: AssignmentMethodComparison,
    sample: PlotSample,
    column: int,
) -> None:
    """Draw densities over a strip of rows in each panel; the k-means panel shows the density of its clusters."""
    mixtures, values = [assignment.mixture, assignment.kmeans_mixture], sample.rows[:, column]
    limits = compute_density_limits(mixtures, values, column, WIDE_MAX_EXTENSION_RATIO)
    mixture_curves, kmeans_curves = (compute_density_curves_on_grid(mixture, column, limits) for mixture in mixtures)
    max_density = max(float(curves.mixture_density.max()) for curves in (mixture_curves, kmeans_curves))
    for ax, panel in zip(axes, panels, strict=False):
        panel_sample, colours, is_ringed = _select_panel_rows(assignment, sample, panel)
        is_kmeans = assignment.kmeans_mixture in panel.ellipse_mixtures
        curves = kmeans_curves if is_kmeans else mixture_curves
        draw_density_curves(ax, curves, max_density, _KMEANS_LINE_STYLE if is_kmeans else MIXTURE_LINE_STYLE)
        label_density_axes(ax, assignment.mixture, curves.units, column, is_small=True)
        x = curves.units.to_axis_units(panel_sample.rows[:, column])
        draw_row_strip(ax, x, panel_sample, colours, is_ringed, is_rasterized=len(values) > MAX_VECTOR_POINTS)
        ax.set_title(panel.title, fontsize="medium")


class _PanelRows(NamedTuple):
    """The drawn rows of a panel, (m, D), with their colours, (m, 3), and whether each has a ring, (m,)."""

    sample: PlotSample
    colours: ND
    is_ringed: BoolN


def _select_panel_rows(assignment: AssignmentMethodComparison, sample: PlotSample, panel: _Panel) -> _PanelRows:
    """Return the drawn rows of a panel with their colours and rings, without rows of unknown group (-1)."""
    groups = panel.groups[sample.row_indices]
    is_known = groups >= 0
    n_groups = max(assignment.mixture.n_components, int(panel.groups.max()) + 1)
    probabilities = sample.responsibilities if panel.assignment == "soft" else np.eye(n_groups)[groups]
    panel_sample = PlotSample(
        sample.rows[is_known], probabilities[is_known], sample.all_uncertainties, sample.row_indices[is_known]
    )
    colours = compute_row_colours(panel_sample, panel.assignment)
    return _PanelRows(panel_sample, colours, panel.is_ringed[sample.row_indices][is_known])


def _legend_entries(assignment: AssignmentMethodComparison, sample: PlotSample, n_drawn_columns: int) -> "list[Artist]":
    """Return legend entries of all panels but the calibration: of ellipses for two columns, of densities for one."""
    from matplotlib.lines import Line2D

    entries = _legend.component_entries(assignment.mixture)
    if assignment.known_component_labels is not None:
        entries += _label_legend_entries(assignment)
    entries += _ellipse_legend_entries(assignment) if n_drawn_columns == 2 else _density_legend_entries()
    ring: dict[str, Any] = {"linestyle": "none", "marker": "o", "markerfacecolor": "none", "markeredgecolor": INK}
    label = f"ringed: differs from the\nmixture, or uncertain\n(probability below {1.0 - UNCERTAINTY_THRESHOLD:g})"
    entries.append(Line2D([], [], label=label, **ring))
    return entries + _legend.subset_note_entries(sample)


def _ellipse_legend_entries(assignment: AssignmentMethodComparison) -> "list[Artist]":
    """Return the entries on the coverage of ellipses and on the units in which the k-means clusters are circles."""
    units = "standard deviations of each column" if assignment.is_standardized else "the columns' own units"
    return [_legend.ellipse_coverage_entry(), _legend.text_entry(f"k-means: equal circles, measured in\n{units}")]


def _density_legend_entries() -> "list[Artist]":
    """Return the legend entries of the densities of the mixture and of the k-means clusters."""
    from matplotlib.lines import Line2D

    kmeans_entry = Line2D([], [], **_KMEANS_LINE_STYLE, label="k-means: sum of equal Gaussians")
    return [*_legend.density_entries(with_histogram=False), kmeans_entry]


def _label_legend_entries(assignment: AssignmentMethodComparison) -> "list[Artist]":
    """Return one entry per class name, in the colour of the component that it matches."""
    from matplotlib.lines import Line2D

    assert assignment.known_component_labels is not None
    styles = distinct_styles(max(assignment.mixture.n_components, max(assignment.class_component_labels) + 1))
    entries: list[Artist] = []
    names = canvas.truncate_names_distinctly(assignment.class_names, _MAX_LABEL_LENGTH)
    for name, component in zip(names, assignment.class_component_labels, strict=True):
        fill, marker = styles[component].fill_colour, styles[component].marker
        options: dict[str, Any] = {"markerfacecolor": fill, "marker": marker, "markeredgecolor": "none"}
        entries.append(Line2D([], [], linestyle="none", label=f"label {name}", **options))
    return entries
