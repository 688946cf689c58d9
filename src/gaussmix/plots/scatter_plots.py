"""Rows and bells in two columns: soft membership as colour, ellipses, and how hard differs from soft.

A row is drawn in the colours of its components, mixed in proportion to its responsibilities and the marker of
the most probable one; each component shows the ellipses that hold 50 % and 95 % of it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._panel_1d import draw_marginal, draw_row_strip
from gaussmix.plots._panel_2d import MAX_VECTOR_POINTS, compute_row_colours, draw_scatter_panel
from gaussmix.plots.plot_data import MAX_ROWS, PlotSample, resolve_columns, select_separating_columns
from gaussmix.plots.validation import MixtureLike, as_mixture
from gaussmix.types import AnyArray, ArrayLike

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
    """Rows coloured by membership, with the 50 % and 95 % ellipses of every component.

    A mixture of one column (or ``columns`` naming one) is drawn as its density over a strip of rows.

    Parameters
    ----------
    mixture : Mixture or fitted estimator
    X : array-like of shape (n, D)
        Rows in the data's units.
    columns : one or two column numbers or names, optional
        Default: the two columns that tell the components apart best.
    ax : matplotlib Axes, optional
        Default: new axes in a figure of their own.
    assignment : {'soft', 'hard'}, default='soft'
        Colours blended by responsibility, or those of the most probable component alone.
    threshold : float, optional
        Ring the rows whose uncertainty (1 - largest responsibility) is above it, and count them.
    max_rows : int, default=5000
        Of more rows a random subset is drawn, and the legend says so.
    random_state : int, default=0
        Seeds the subset.
    legend : bool, default=True
        Whether there is a legend: beside axes of our own, inside those of a caller.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter cannot be used.
    MissingPackageError
        If matplotlib is not installed.
    """
    mixture = as_mixture(mixture)
    _check_assignment_and_threshold(assignment, threshold)
    chosen = select_separating_columns(mixture, X, 2) if columns is None else resolve_columns(mixture, columns)
    if len(chosen) > 2:
        raise ParameterError.invalid_value("columns", columns, "one or two columns; pairs() draws more")
    cloud = PlotSample.from_rows(mixture, X, max_rows, random_state)
    own, ax = ax is None, canvas.get_or_create_axes(ax)
    colours = compute_row_colours(cloud, assignment)
    doubtful = None if threshold is None else cloud.all_uncertainties[cloud.row_indices] > threshold
    if len(chosen) == 1:
        _draw_one_column(ax, mixture, cloud, chosen[0], colours, doubtful)
    else:
        draw_scatter_panel(ax, mixture, cloud, chosen, colours, doubtful, is_small=False)
    if legend:
        canvas.draw_legend(ax, _legend_entries(mixture, cloud, len(chosen), threshold, is_inside=not own), own)
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
    """Hard beside soft assignment, with the uncertain rows ringed and counted.

    Parameters
    ----------
    mixture, X, columns, max_rows, random_state
        See `scatter`.
    threshold : float, default=0.2
        Rows whose uncertainty (1 - largest responsibility) is above it are ringed.
    figure : matplotlib Figure, optional
        Where it is taller than wide, the panels stand one above the other.

    Returns
    -------
    matplotlib Figure
    """
    mixture = as_mixture(mixture)
    _check_assignment_and_threshold("soft", threshold)
    figure = canvas.get_or_create_figure(figure, 10.5, 4.4)
    tall = figure.get_figheight() > figure.get_figwidth()
    panels = figure.subplots(*((2, 1) if tall else (1, 2)), sharex=True, sharey=True)
    titles = {"hard": "hard: the most probable component", "soft": "soft: colours blended by probability"}
    for ax, (assignment, title) in zip(panels, titles.items(), strict=True):
        look: dict[str, Any] = {"assignment": assignment, "threshold": threshold, "legend": False}
        scatter(mixture, X, columns, ax, max_rows=max_rows, random_state=random_state, **look)
        ax.set_title(title, fontsize="medium")
        ax.label_outer()
    n_columns = len(columns) if columns is not None else min(2, mixture.n_features)
    cloud = PlotSample.from_rows(mixture, X, max_rows, random_state)
    canvas.draw_legend_beside(panels[0 if tall else 1], _legend_entries(mixture, cloud, n_columns, threshold))
    return figure


def _check_assignment_and_threshold(assignment: str, threshold: float | None) -> None:
    if assignment not in ("soft", "hard"):
        raise ParameterError.invalid_choice("assignment", assignment, ["soft", "hard"])
    if threshold is not None and not 0.0 <= threshold < 1.0:
        raise ParameterError.invalid_value("threshold", threshold, "at least 0 and below 1")


def _draw_one_column(
    ax: "Axes", mixture: Mixture, sample: PlotSample, column: int, row_colours: AnyArray, is_ringed: AnyArray | None
) -> None:
    """One column: its densities above, its rows as a strip below."""
    values = sample.rows[:, column]
    units = draw_marginal(ax, mixture, values, column)
    draw_row_strip(
        ax, units.to_axis_units(values), sample, row_colours, is_ringed, is_rasterized=len(values) > MAX_VECTOR_POINTS
    )


def _legend_entries(
    mixture: Mixture, sample: PlotSample, n_columns: int, threshold: float | None, is_inside: bool = False
) -> "list[Artist]":
    entries = _legend.component_entries(mixture, is_inside=is_inside)
    entries += [_legend.ellipse_entry()] if n_columns == 2 else _legend.density_entries(with_histogram=False)
    entries += [] if threshold is None else [_legend.ring_entry(sample, threshold)]
    return entries + _legend.subset_note_entries(sample)
