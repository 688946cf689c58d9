"""The pictures of a report: each an address that holds an SVG, with a sentence for those who cannot see it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gaussmix import plots
from gaussmix.model import Mixture
from gaussmix.plots.canvas import new_figure
from gaussmix.plots.columns import column_name, telling_columns
from gaussmix.plots.picture import data_uri, plain_style
from gaussmix.report.formatting import listed, number
from gaussmix.report.tables import UNCERTAIN
from gaussmix.selection import Selection
from gaussmix.solvers import Fit
from gaussmix.types import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COLUMNS = 12
_PIXELS = 96  # CSS pixels in an inch


@dataclass(frozen=True)
class Picture:
    """An image of a page: what its ``src`` is to hold, what it shows in words, and its width in CSS pixels."""

    src: str
    alt: str
    width: int


def data(mixture: Mixture, X: ArrayLike) -> Picture:
    """The rows in the colours of their membership: in one or two columns, or in all pairs of the most telling."""
    what = f"coloured by the probability of each of the {_groups(mixture)}"
    if mixture.n_features > 2:
        names = listed([column_name(mixture, j) for j in telling_columns(mixture, X, 5)])
        return _picture(lambda: plots.pairs(mixture, X), f"All pairs of {names}: rows {what}, with their ellipses.")
    names = listed([column_name(mixture, j) for j in range(mixture.n_features)])
    shapes = "ellipses" if mixture.n_features == 2 else "densities"
    return _on_axes(
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

    def draw(assign: str) -> "Callable[[Axes], object]":
        return lambda ax: plots.scatter(mixture, X, columns, ax, assign=assign, threshold=UNCERTAIN, legend=False)

    return [_on_axes(draw(assign), (5.0, 4.0), alt) for assign, alt in said.items()]


def densities(mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None) -> list[Picture]:
    """One picture per column, of the most telling ones where there are many."""

    def draw(column: int) -> "Callable[[Axes], object]":
        return lambda ax: plots.density(mixture, X, column, ax, sample_weight=sample_weight, legend=False)

    return [
        _on_axes(
            draw(j), (4.0, 2.7), f"{column_name(mixture, j)}: histogram, density of the mixture and of components."
        )
        for j in telling_columns(mixture, X, MOST_COLUMNS)
    ]


def trace(fit: Fit) -> Picture:
    """Log-likelihood by pass."""
    alt = f"The log-likelihood over {len(fit.trace)} passes; it ends at {number(fit.log_likelihood, 7)}."
    return _on_axes(lambda ax: plots.trace(fit, ax), (6.2, 3.3), alt)


def choice(selection: Selection) -> Picture:
    """The criterion by number of components and structure."""
    best, rule = selection.best, selection.criterion.upper()
    alt = (
        f"{rule} by number of components and structure; the chosen one is {best.structure.label}, {best.n_components}."
    )
    return _on_axes(lambda ax: plots.choice(selection, ax), (7.4, 4.4), alt)


def _groups(mixture: Mixture) -> str:
    return "one component" if mixture.n_components == 1 else f"{mixture.n_components} components"


def _on_axes(draw: "Callable[[Axes], object]", size: tuple[float, float], alt: str) -> Picture:
    def make() -> "Figure":
        figure = new_figure(*size)
        draw(figure.add_subplot())
        return figure

    return _picture(make, alt)


def _picture(make: "Callable[[], Figure]", alt: str) -> Picture:
    with plain_style():
        figure = make()
        return Picture(data_uri(figure), alt, round(figure.get_figwidth() * _PIXELS))
