"""Pictures of a report: SVG images as data URIs, each with a text description."""

from functools import partial
from typing import TYPE_CHECKING, cast

from gaussmix import plots
from gaussmix.errors.text import join_with_and
from gaussmix.model import Mixture
from gaussmix.plots.canvas import format_count
from gaussmix.plots.picture_export import Picture, draw_axes_picture, draw_figure_picture
from gaussmix.plots.plot_data import column_name, select_separating_columns
from gaussmix.report.formatting import format_number
from gaussmix.report.tables import UNCERTAIN_ABOVE
from gaussmix.selection import Selection
from gaussmix.solvers import Fit
from gaussmix.types import ArrayLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_DENSITY_COLUMNS = 16
MAX_PAIRS_ROWS = 2000  # its panels are small
_SCATTER_INCHES = (6.2, 4.4)


def data_picture(mixture: Mixture, X: ArrayLike) -> Picture:
    """Return a picture of the coloured rows: all pairs of up to five columns, or a scatter plot of up to two."""
    rows = f"rows coloured by the probability of each of the {_format_component_count(mixture)}"
    if mixture.n_independent_features > 2:
        names = join_with_and(
            [column_name(mixture, j) for j in select_separating_columns(mixture, X, 5)], max_names=None
        )
        alt_text = f"All pairs of {names}: {rows}, with their ellipses."
        return draw_figure_picture(lambda: plots.pairs(mixture, X, max_rows=MAX_PAIRS_ROWS), alt_text)
    names = join_with_and([column_name(mixture, j) for j in select_separating_columns(mixture, X, 2)], max_names=None)
    alt_text = f"{names}: {rows}, with {'ellipses' if mixture.n_independent_features == 2 else 'densities'}."
    return draw_axes_picture(lambda ax: plots.scatter(mixture, X, ax=ax, legend=False), _SCATTER_INCHES, alt_text)


def assignment_pictures(mixture: Mixture, X: ArrayLike) -> list[Picture]:
    """Return two pictures, of the soft and of the hard assignment, with the uncertain rows ringed."""
    columns = select_separating_columns(mixture, X, 2)
    names = join_with_and([column_name(mixture, j) for j in columns], max_names=None)
    alt_texts = {
        "soft": f"{names}: rows whose colours are blended by probability; uncertain rows are ringed.",
        "hard": f"{names}: the same rows in the colour of the most probable component; uncertain rows are ringed.",
    }
    draw = partial(plots.scatter, mixture, X, columns, threshold=UNCERTAIN_ABOVE, legend=False)
    return [
        draw_axes_picture(partial(draw, assignment=name), _SCATTER_INCHES, text) for name, text in alt_texts.items()
    ]


def density_pictures(mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None) -> list[Picture]:
    """Return a picture of the density of each column, or of the 16 columns that separate the components best."""
    return [
        _density_picture(mixture, X, sample_weight, column)
        for column in select_separating_columns(mixture, X, MAX_DENSITY_COLUMNS)
    ]


def _density_picture(mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None, column: int) -> Picture:
    """Return a picture of the density of one column over its histogram."""
    draw = partial(plots.density, mixture, X, column, sample_weight=sample_weight, legend=False)
    alt_text = f"{column_name(mixture, column)}: histogram, density of the mixture and of each component."
    return draw_axes_picture(draw, (4.0, 2.7), alt_text)


def trace_picture(fit: Fit) -> Picture:
    """Return a picture of the objective of a fit against the iteration."""
    count, final = format_count(len(fit.trace), "iteration"), format_number(fit.objective, 7)
    alt_text = f"The {fit.objective_name} over {count}; it ends at {final}."
    return draw_axes_picture(lambda ax: plots.log_likelihood_trace(fit, ax), (6.2, 3.3), alt_text)


def criterion_picture(selection: Selection) -> Picture | None:
    """Return a picture of the criterion of a search against the number of components, one line per structure.

    It is None for one candidate, which has nothing to be compared with.
    """
    if len(selection.candidates) == 1:
        return None
    best, criterion = selection.best, selection.criterion.upper()
    model = f"{best.structure.name_with_alias_or_n_factors}, {best.n_components}"
    at_edge = ", the largest number tried for it" if selection.is_best_at_largest_count else ""
    alt_text = f"{criterion} by number of components and structure; the selected model is {model}{at_edge}."
    return draw_figure_picture(lambda: cast("Figure", plots.criterion_curves(selection).figure), alt_text)


def _format_component_count(mixture: Mixture) -> str:
    """Return 'one component' or '3 components'."""
    return "one component" if mixture.n_components == 1 else f"{mixture.n_components} components"
