"""Scatter plots of rows in two columns, coloured by component, with ellipses.

The colour of a row is the mean of the component colours, weighted by responsibility. Its marker is that of the most
probable component. The ellipses of a component contain 50 % and 95 % of its probability.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._panel_1d import draw_column_density, draw_row_strip
from gaussmix.plots._panel_2d import MAX_VECTOR_POINTS, compute_row_colours, draw_scatter_panel
from gaussmix.plots.plot_data import MAX_ROWS, PlotSample, resolve_columns, select_separating_columns
from gaussmix.plots.validation import MixtureLike, as_mixture
from gaussmix.types import ND, ArrayLike, BoolN

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def scatter(
    mixture: MixtureLike,
    X: ArrayLike,
    columns: Sequence[int | str] | None = None,
    ax: "Axes | None" = None,
    *,
    assignment: str = "soft",
    threshold: float | None = None,
    max_rows: int = MAX_ROWS,
    random_state: int = 0,
    legend: bool = True,
) -> "Axes":
    """Plot rows coloured by component, with the 50 % and 95 % ellipses of every component.

    One column is drawn as a density over a strip of rows.

    Parameters
    ----------
    mixture : Mixture, fitted estimator, Selection or Candidate
    X : array-like of shape (n, D)
        Rows in the data's units.
    columns : sequence of one or two column numbers or names, optional
        Default: the two columns that separate the components best.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    assignment : {'soft', 'hard'}, default='soft'
        Whether colours are blended by responsibility or are those of the most probable component.
    threshold : float, optional
        Ring and count the rows whose uncertainty (1 - largest responsibility) exceeds the threshold.
    max_rows : int, default=5000
        Draw at most this many rows, a random subset; the legend says so.
    random_state : int, default=0
        Seed of the subset.
    legend : bool, default=True
        Whether to draw a legend: beside the axes of a new figure, inside axes of the caller.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter are invalid.
    MissingPackageError
        If matplotlib is not installed.
    """
    mixture = as_mixture(mixture)
    _check_assignment_and_threshold(assignment, threshold)
    indices = select_separating_columns(mixture, X, 2) if columns is None else resolve_columns(mixture, columns)
    if len(indices) > 2:
        raise ParameterError.invalid_value("columns", columns, "one or two columns; use pairs() for more")
    sample = PlotSample.from_rows(mixture, X, max_rows, random_state)
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax)
    colours = compute_row_colours(sample, assignment)
    is_ringed = None if threshold is None else sample.all_uncertainties[sample.row_indices] > threshold
    if len(indices) == 1:
        _draw_one_column(ax, mixture, sample, indices[0], colours, is_ringed)
    else:
        draw_scatter_panel(ax, mixture, sample, indices, colours, is_ringed, is_small=False)
    if legend:
        entries = _legend_entries(mixture, sample, len(indices), threshold, is_inside=not is_own_axes)
        canvas.draw_legend(ax, entries, is_own_axes)
    return ax


def assignment_comparison(
    mixture: MixtureLike,
    X: ArrayLike,
    columns: Sequence[int | str] | None = None,
    threshold: float = 0.2,
    figure: "Figure | None" = None,
    *,
    max_rows: int = MAX_ROWS,
    random_state: int = 0,
) -> "Figure":
    """Plot hard beside soft assignment, with the uncertain rows ringed and counted.

    Parameters
    ----------
    mixture, X, columns, max_rows, random_state
        See `scatter`.
    threshold : float, default=0.2
        Ring the rows whose uncertainty (1 - largest responsibility) exceeds the threshold.
    figure : matplotlib Figure, optional
        Figure to draw on. In a figure taller than wide the panels are stacked. Default: a new figure.

    Returns
    -------
    matplotlib Figure
    """
    mixture = as_mixture(mixture)
    _check_assignment_and_threshold("soft", threshold)
    figure = canvas.get_or_create_figure(figure, 10.5, 4.4)
    is_tall = figure.get_figheight() > figure.get_figwidth()
    panels = figure.subplots(*((2, 1) if is_tall else (1, 2)), sharex=True, sharey=True)
    titles = {"hard": "hard: the most probable component", "soft": "soft: colours blended by probability"}
    for ax, (assignment, title) in zip(panels, titles.items(), strict=True):
        options: dict[str, Any] = {"assignment": assignment, "threshold": threshold, "legend": False}
        scatter(mixture, X, columns, ax, max_rows=max_rows, random_state=random_state, **options)
        ax.set_title(title, fontsize="medium")
        ax.label_outer()
    n_drawn_columns = len(columns) if columns is not None else min(2, mixture.n_independent_features)
    sample = PlotSample.from_rows(mixture, X, max_rows, random_state)
    entries = _legend_entries(mixture, sample, n_drawn_columns, threshold)
    canvas.draw_legend_beside(panels[0 if is_tall else 1], entries)
    return figure


def _check_assignment_and_threshold(assignment: str, threshold: float | None) -> None:
    """Raise ParameterError if ``assignment`` or ``threshold`` is invalid."""
    if assignment not in ("soft", "hard"):
        raise ParameterError.invalid_choice("assignment", assignment, ["soft", "hard"])
    if threshold is not None and not 0.0 <= threshold < 1.0:
        raise ParameterError.invalid_value("threshold", threshold, "at least 0 and below 1")


def _draw_one_column(
    ax: "Axes", mixture: Mixture, sample: PlotSample, column: int, row_colours: ND, is_ringed: BoolN | None
) -> None:
    """Draw the densities of one column over a strip of its rows, and label the axes."""
    values = sample.rows[:, column]
    curves = draw_column_density(ax, mixture, values, column)
    x_values = curves.units.to_axis_units(values)
    draw_row_strip(ax, x_values, sample, row_colours, is_ringed, is_rasterized=len(values) > MAX_VECTOR_POINTS)


def _legend_entries(
    mixture: Mixture, sample: PlotSample, n_drawn_columns: int, threshold: float | None, is_inside: bool = False
) -> "list[Artist]":
    """Return the entries of the legend of a scatter plot of two columns, or of densities of one."""
    entries = _legend.component_entries(mixture, is_inside=is_inside)
    entries += (
        [_legend.ellipse_coverage_entry()] if n_drawn_columns == 2 else _legend.density_entries(with_histogram=False)
    )
    entries += [] if threshold is None else [_legend.uncertain_ring_entry(sample, threshold)]
    return entries + _legend.subset_note_entries(sample)
