"""Plot the density of single columns over a histogram of the rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gaussmix.core.input_arrays import parse_rows, parse_weights
from gaussmix.core.scalar_checks import require_integer
from gaussmix.errors import DataError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._panel_1d import draw_column_density
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
    """Plot the histogram of a column with the densities of the mixture and of its weighted components.

    Parameters
    ----------
    mixture : Mixture, fitted estimator, Selection or Candidate
    X : array-like of shape (n, D)
        Rows in the data's units.
    column : int or str, default=0
        Number or name of the column.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows in the histogram.
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
    rows, weights = _parse_rows_and_relative_weights(mixture, X, sample_weight)
    (index,) = resolve_columns(mixture, [column])
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax)
    draw_column_density(ax, mixture, rows[:, index], index, with_histogram=True, row_weights=weights)
    if legend:
        components = _legend.component_entries(mixture, with_markers=False, is_inside=not is_own_axes)
        canvas.draw_legend(ax, [*_legend.density_entries(), *components], is_own_axes)
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
    """Plot the `density` of several columns in a grid.

    Parameters
    ----------
    mixture, X, sample_weight
        See `density`.
    columns : sequence of column numbers or names, optional
        Default: all columns, or the ``max_columns`` that separate the components best.
    max_columns : int, default=16
        Maximum number of columns if ``columns`` is not given.
    figure : matplotlib Figure, optional
        Figure to draw on. Default: a new figure.

    Returns
    -------
    matplotlib Figure
    """
    require_integer("max_columns", max_columns, 1)
    mixture = as_mixture(mixture)
    rows, weights = _parse_rows_and_relative_weights(mixture, X, sample_weight)
    indices = (
        select_separating_columns(mixture, rows, max_columns) if columns is None else resolve_columns(mixture, columns)
    )
    entries = [*_legend.density_entries(), *_legend.component_entries(mixture, with_markers=False)]
    entries += _legend.column_note_entries(mixture, len(indices)) if columns is None else []
    n_across = min(3, len(indices))
    n_down = -(-len(indices) // n_across)
    figure = canvas.get_or_create_figure(figure, 2.1 + 2.8 * n_across, max(2.8, 2.3 * n_down, 0.2 * len(entries)))
    panels = figure.subplots(n_down, n_across, squeeze=False).ravel()
    for ax in panels[len(indices) :]:
        ax.remove()
    for ax, column in zip(panels[: len(indices)], indices, strict=True):
        draw_column_density(
            ax, mixture, rows[:, column], column, with_histogram=True, row_weights=weights, is_small=True
        )
        if ax is not panels[0] and ax.get_subplotspec().colspan.start > 0:
            ax.set_ylabel("")
    canvas.draw_figure_legend(figure, entries, is_inside=False)
    return figure


def _parse_rows_and_relative_weights(
    mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[ND, N | None]:
    """Return the rows (n, D) and their weights (n,) relative to the largest, or None; raise DataError without rows."""
    rows = parse_rows(X, mixture.n_features, mixture.feature_names, allow_missing=True)
    if not len(rows):
        raise DataError.no_rows()
    weights = parse_weights(sample_weight, len(rows))
    # The histogram needs only relative weights, and sums of huge weights overflow.
    return rows, None if weights is None else weights / weights.max()
