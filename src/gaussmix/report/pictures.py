"""The pictures of a report: each an address that holds an SVG, with a sentence for those who cannot see it."""

from functools import partial
from typing import TYPE_CHECKING, cast

from gaussmix import plots
from gaussmix.model import Mixture
from gaussmix.plots.canvas import counted
from gaussmix.plots.columns import column_name, telling_columns
from gaussmix.plots.picture import Picture, of_axes, of_figure
from gaussmix.report.formatting import listed, number
from gaussmix.report.tables import UNCERTAIN
from gaussmix.selection import Selection
from gaussmix.solvers import Fit
from gaussmix.types import ArrayLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_COLUMNS = 16


def data(mixture: Mixture, X: ArrayLike) -> Picture:
    """The rows in the colours of their membership: in one or two columns, or in all pairs of the most telling."""
    what = f"coloured by the probability of each of the {_groups(mixture)}"
    if mixture.n_features > 2:
        names = listed([column_name(mixture, j) for j in telling_columns(mixture, X, 5)])
        return of_figure(lambda: plots.pairs(mixture, X), f"All pairs of {names}: rows {what}, with their ellipses.")
    names = listed([column_name(mixture, j) for j in range(mixture.n_features)])
    shapes = "ellipses" if mixture.n_features == 2 else "densities"
    return of_axes(
        lambda ax: plots.scatter(mixture, X, ax=ax, legend=False), (6.2, 4.4), f"{names}: rows {what}, with {shapes}."
    )


def assignments(mixture: Mixture, X: ArrayLike) -> list[Picture]:
    """Hard, then soft assignment, with the uncertain rows ringed."""
    columns = telling_columns(mixture, X, 2)
    names = listed([column_name(mixture, j) for j in columns])
    said = {
        "hard": f"{names}: each row in the colour of its most probable component; uncertain rows are ringed.",
        "soft": f"{names}: the same rows, their colours blended by probability; uncertain rows are ringed.",
    }
    draw = partial(plots.scatter, mixture, X, columns, threshold=UNCERTAIN, legend=False)
    return [of_axes(partial(draw, assign=assign), (5.0, 4.0), alt) for assign, alt in said.items()]


def densities(mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None) -> list[Picture]:
    """One picture per column, of the most telling ones where there are many."""
    return [_density(mixture, X, sample_weight, column) for column in telling_columns(mixture, X, MOST_COLUMNS)]


def _density(mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None, column: int) -> Picture:
    draw = partial(plots.density, mixture, X, column, sample_weight=sample_weight, legend=False)
    alt = f"{column_name(mixture, column)}: histogram, density of the mixture and of each component."
    return of_axes(draw, (4.0, 2.7), alt)


def trace(fit: Fit) -> Picture:
    """Log-likelihood by pass."""
    alt = f"The log-likelihood over {counted(len(fit.trace), 'pass')}; it ends at {number(fit.log_likelihood, 7)}."
    return of_axes(lambda ax: plots.trace(fit, ax), (6.2, 3.3), alt)


def choice(selection: Selection) -> Picture:
    """The criterion by number of components and structure."""
    best, rule = selection.best, selection.criterion.upper()
    alt = (
        f"{rule} by number of components and structure; the chosen one is {best.structure.label}, {best.n_components}."
    )
    return of_figure(lambda: cast("Figure", plots.choice(selection).figure), alt)


def _groups(mixture: Mixture) -> str:
    return "one component" if mixture.n_components == 1 else f"{mixture.n_components} components"
