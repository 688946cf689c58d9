"""One column at a time: what the rows say (a histogram) and what the mixture makes of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gaussmix.core.input_arrays import parse_rows, parse_weights
from gaussmix.errors import DataError, ParameterError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._panel_1d import draw_marginal
from gaussmix.plots.plot_data import resolve_columns, select_separating_columns
from gaussmix.plots.validation import MixtureLike, as_mixture
from gaussmix.types import ND, ArrayLike, N

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def density(
    mixture: MixtureLike,
    X: ArrayLike,
    column: int | str = 0,
    ax: "Axes | None" = None,
    *,
    sample_weight: ArrayLike | None = None,
    legend: bool = True,
) -> "Axes":
    """Histogram of a column with the density of the mixture and of each component times its weight.

    Parameters
    ----------
    mixture : Mixture or fitted estimator
    X : array-like of shape (n, D)
        Rows in the data's units.
    column : int or str, default=0
        Number or name.
    ax : matplotlib Axes, optional
        Default: new axes in a figure of their own.
    sample_weight : array-like of shape (n,), optional
        How often each row counts in the histogram.
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
    rows, weights = _parse_rows_and_weights(mixture, X, sample_weight)
    (chosen,) = resolve_columns(mixture, [column])
    own, ax = ax is None, canvas.get_or_create_axes(ax)
    draw_marginal(ax, mixture, rows[:, chosen], chosen, with_histogram=True, weights=weights)
    if legend:
        parts = _legend.component_entries(mixture, with_markers=False, is_inside=not own)
        canvas.draw_legend(ax, [*_legend.density_entries(), *parts], own)
    return ax


def densities(
    mixture: MixtureLike,
    X: ArrayLike,
    columns: Sequence[int | str] | None = None,
    max_columns: int = 16,
    figure: "Figure | None" = None,
    *,
    sample_weight: ArrayLike | None = None,
) -> "Figure":
    """`density` of every column in a grid.

    Parameters
    ----------
    mixture, X, sample_weight
        See `density`.
    columns : column numbers or names, optional
        Default: all, or the ``max_columns`` that tell the components apart best.
    max_columns : int, default=16
        Most columns picked where ``columns`` is not given.
    figure : matplotlib Figure, optional

    Returns
    -------
    matplotlib Figure
    """
    if max_columns < 1:
        raise ParameterError.invalid_value("max_columns", max_columns, "a whole number of at least 1")
    mixture = as_mixture(mixture)
    rows, weights = _parse_rows_and_weights(mixture, X, sample_weight)
    chosen = (
        select_separating_columns(mixture, rows, max_columns) if columns is None else resolve_columns(mixture, columns)
    )
    entries = [*_legend.density_entries(), *_legend.component_entries(mixture, with_markers=False)]
    entries += _legend.column_note_entries(mixture, len(chosen)) if columns is None else []
    across = min(3, len(chosen))
    down = -(-len(chosen) // across)
    figure = canvas.get_or_create_figure(figure, 2.1 + 2.8 * across, max(2.8, 2.3 * down, 0.2 * len(entries)))
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for ax in panels[len(chosen) :]:
        ax.remove()
    for ax, column in zip(panels[: len(chosen)], chosen, strict=True):
        draw_marginal(ax, mixture, rows[:, column], column, with_histogram=True, weights=weights, is_small=True)
        if ax is not panels[0] and ax.get_subplotspec().colspan.start > 0:
            ax.set_ylabel("")
    canvas.draw_figure_legend(figure, entries, is_inside=False)
    return figure


def _parse_rows_and_weights(mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None) -> tuple[ND, N | None]:
    rows = parse_rows(X, mixture.n_features, mixture.feature_names)
    if not len(rows):
        raise DataError.no_rows()
    weights = parse_weights(sample_weight, len(rows))
    # A histogram of area 1 asks for proportions only, and sums of huge weights overflow.
    return rows, None if weights is None else weights / weights.max()
