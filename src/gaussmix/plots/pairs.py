"""All pairs of columns at once, as a matrix of panels with the densities on its diagonal."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._line import draw_marginal
from gaussmix.plots._plane import colours_of, draw_plane
from gaussmix.plots.columns import MOST_ROWS, Cloud, column_numbers, telling_columns
from gaussmix.plots.given import MixtureLike, as_mixture
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
    max_rows: int = MOST_ROWS,
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
        raise ParameterError.value("max_columns", max_columns, "a whole number of at least 1")
    chosen = telling_columns(mixture, X, max_columns) if columns is None else column_numbers(mixture, columns)
    cloud = Cloud.of(mixture, X, max_rows, random_state)
    entries = _entries(mixture, cloud, len(chosen), columns is None)
    side = max(5.6, 1.0 + 1.75 * len(chosen))
    inside = _fits_corner(len(entries), len(chosen), side)
    figure = canvas.on_figure(figure, side + (0.0 if inside else 2.0), side * 0.92)
    grid = figure.subplots(len(chosen), len(chosen), squeeze=False)
    for i in range(len(chosen)):
        for j in range(len(chosen)):
            if j > i:
                grid[i, j].remove()
            else:
                _panel(grid[i, j], mixture, cloud, chosen, (i, j))
    canvas.legend_in_figure(figure, entries, inside)
    return figure


def _panel(ax: "Axes", mixture: Mixture, cloud: Cloud, chosen: list[int], place: tuple[int, int]) -> None:
    """One panel, with names and numbers along the left and the lower edge of the matrix only."""
    i, j = place
    if i == j:
        draw_marginal(ax, mixture, cloud.rows[:, chosen[j]], chosen[j], small=True)
        ax.set_yticks([])
        ax.set_ylabel("")
        ax.spines["left"].set_visible(False)
    else:
        columns = [chosen[j], chosen[i]]
        draw_plane(ax, mixture, cloud, columns, colours_of(cloud, "soft"), None, small=True)
    ax.tick_params(labelsize="small")
    if i < len(chosen) - 1:
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    if 0 < j < i:
        ax.set_ylabel("")
        ax.tick_params(labelleft=False)


def _entries(mixture: Mixture, cloud: Cloud, count: int, picked: bool) -> "list[Artist]":
    entries = [*_legend.component_entries(mixture), *_legend.density_entries(histogram=False)]
    entries += [_legend.ellipse_entry()] if count > 1 else []
    entries += _legend.note_entries(cloud)
    return entries + (_legend.picked_entries(mixture, count) if picked else [])


def _fits_corner(n_entries: int, count: int, side: float) -> bool:
    """Whether a legend about 2.2 inches wide fits above the diagonal of the matrix."""
    panel = (side - 0.6) / count
    free = (count - math.ceil(2.2 / panel)) * panel * 0.9
    return 0.2 * n_entries + 0.2 < free
