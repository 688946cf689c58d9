"""All pairs of columns at once, as a matrix of panels with the densities on its diagonal."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._panel_1d import draw_marginal
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
    """Every pair of columns as a `scatter`, with the density of each column on the diagonal.

    Parameters
    ----------
    mixture, X, max_rows, random_state
        See `scatter`.
    columns : column numbers or names, optional
        Default: all, or the ``max_columns`` that tell the components apart best.
    max_columns : int, default=5
        Most columns picked where ``columns`` is not given.
    figure : matplotlib Figure, optional

    Returns
    -------
    matplotlib Figure
    """
    mixture = as_mixture(mixture)
    if max_columns < 1:
        raise ParameterError.invalid_value("max_columns", max_columns, "a whole number of at least 1")
    chosen = (
        select_separating_columns(mixture, X, max_columns) if columns is None else resolve_columns(mixture, columns)
    )
    cloud = PlotSample.from_rows(mixture, X, max_rows, random_state)
    entries = _legend_entries(mixture, cloud, len(chosen), columns is None)
    side = max(5.6, 1.0 + 1.75 * len(chosen))
    inside = _legend_fits_corner(len(entries), len(chosen), side)
    figure = canvas.get_or_create_figure(figure, side + (0.0 if inside else 2.0), side * 0.92)
    grid = figure.subplots(len(chosen), len(chosen), squeeze=False)
    for i in range(len(chosen)):
        for j in range(len(chosen)):
            if j > i:
                grid[i, j].remove()
            else:
                _draw_panel(grid[i, j], mixture, cloud, chosen, (i, j))
    canvas.draw_figure_legend(figure, entries, inside)
    return figure


def _draw_panel(
    ax: "Axes", mixture: Mixture, sample: PlotSample, all_columns: list[int], grid_position: tuple[int, int]
) -> None:
    """One panel, with names and numbers along the left and the lower edge of the matrix only."""
    i, j = grid_position
    if i == j:
        draw_marginal(ax, mixture, sample.rows[:, all_columns[j]], all_columns[j], is_small=True)
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
    mixture: Mixture, sample: PlotSample, n_columns: int, has_automatic_columns: bool
) -> "list[Artist]":
    entries = [*_legend.component_entries(mixture), *_legend.density_entries(with_histogram=False)]
    entries += [_legend.ellipse_entry()] if n_columns > 1 else []
    entries += _legend.subset_note_entries(sample)
    return entries + (_legend.column_note_entries(mixture, n_columns) if has_automatic_columns else [])


def _legend_fits_corner(n_entries: int, n_columns: int, side_inches: float) -> bool:
    """Whether a legend about 2.2 inches wide fits above the diagonal of the matrix."""
    panel = (side_inches - 0.6) / n_columns
    free = (n_columns - math.ceil(2.2 / panel)) * panel * 0.9
    return 0.2 * n_entries + 0.2 < free
