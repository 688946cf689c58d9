"""Plot all pairs of columns as a matrix of panels with densities on the diagonal."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gaussmix.core.scalar_checks import require_integer
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._panel_1d import draw_column_density
from gaussmix.plots._panel_2d import compute_row_colours, draw_scatter_panel
from gaussmix.plots.plot_data import MAX_ROWS, PlotSample, resolve_columns, select_separating_columns
from gaussmix.plots.validation import MixtureLike, as_mixture
from gaussmix.types import ArrayLike

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def pairs(
    mixture: MixtureLike,
    X: ArrayLike,
    columns: Sequence[int | str] | None = None,
    max_columns: int = 5,
    figure: "Figure | None" = None,
    *,
    max_rows: int = MAX_ROWS,
    random_state: int = 0,
) -> "Figure":
    """Plot every pair of columns as a `scatter`, with the density of each column on the diagonal.

    Parameters
    ----------
    mixture, X, max_rows, random_state
        See `scatter`.
    columns : sequence of column numbers or names, optional
        Default: all columns, or the ``max_columns`` that separate the components best.
    max_columns : int, default=5
        Maximum number of columns if ``columns`` is not given.
    figure : matplotlib Figure, optional
        Figure to draw on. Default: a new figure.

    Returns
    -------
    matplotlib Figure
    """
    mixture = as_mixture(mixture)
    require_integer("max_columns", max_columns, 1)
    indices = (
        select_separating_columns(mixture, X, max_columns) if columns is None else resolve_columns(mixture, columns)
    )
    sample = PlotSample.from_rows(mixture, X, max_rows, random_state)
    entries = _legend_entries(mixture, sample, len(indices), columns is None)
    side_inches = max(5.6, 1.0 + 1.75 * len(indices))
    is_inside = _legend_fits_upper_right_corner(len(entries), len(indices), side_inches)
    figure = canvas.get_or_create_figure(figure, side_inches + (0.0 if is_inside else 2.0), side_inches * 0.92)
    grid = figure.add_gridspec(len(indices), len(indices))
    for i in range(len(indices)):
        for j in range(i + 1):
            _draw_panel(figure.add_subplot(grid[i, j]), mixture, sample, indices, (i, j))
    canvas.draw_figure_legend(figure, entries, is_inside)
    return figure


def _draw_panel(
    ax: "Axes", mixture: Mixture, sample: PlotSample, all_columns: list[int], grid_position: tuple[int, int]
) -> None:
    """Draw the panel at (row, column) of the matrix: a density on the diagonal, else a scatter plot.

    Only panels at the left and lower edge of the matrix have labels.
    """
    i, j = grid_position
    if i == j:
        draw_column_density(ax, mixture, sample.rows[:, all_columns[j]], all_columns[j], is_small=True)
        ax.set_yticks([])
        ax.set_ylabel("")
        ax.spines["left"].set_visible(False)
    else:
        columns = [all_columns[j], all_columns[i]]
        draw_scatter_panel(ax, mixture, sample, columns, compute_row_colours(sample, "soft"), None, is_small=True)
    ax.tick_params(labelsize="small")
    if i < len(all_columns) - 1:
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    if 0 < j < i:
        ax.set_ylabel("")
        ax.tick_params(labelleft=False)


def _legend_entries(
    mixture: Mixture, sample: PlotSample, n_drawn_columns: int, has_automatic_columns: bool
) -> "list[Artist]":
    """Return the entries of the legend for all panels, with a note if only some columns were selected automatically."""
    entries = [*_legend.component_entries(mixture), *_legend.density_entries(with_histogram=False)]
    entries += [_legend.ellipse_coverage_entry()] if n_drawn_columns > 1 else []
    entries += _legend.subset_note_entries(sample)
    return entries + (_legend.column_note_entries(mixture, n_drawn_columns) if has_automatic_columns else [])


def _legend_fits_upper_right_corner(n_entries: int, n_panels_across: int, side_inches: float) -> bool:
    """Return whether a legend about 2.2 inches wide fits above the diagonal of the matrix."""
    panel_inches = (side_inches - 0.6) / n_panels_across
    free_inches = (n_panels_across - math.ceil(2.2 / panel_inches)) * panel_inches * 0.9
    return 0.2 * n_entries + 0.2 < free_inches
