"""One page of HTML that holds everything it shows: words, pictures and tables, readable without a network."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from os import PathLike
from typing import Any

import numpy as np
import scipy

from gaussmix._version import __version__
from gaussmix.core.arrays import parse_rows, parse_weights
from gaussmix.errors import FileProblem, MissingPackageError
from gaussmix.model import Mixture
from gaussmix.plots.canvas import counted
from gaussmix.plots.columns import MOST_ROWS, column_name
from gaussmix.plots.given import FitLike, MixtureLike, as_fit, as_mixture, as_selection
from gaussmix.plots.picture import drawn_by
from gaussmix.plots.style import GLYPHS, styles
from gaussmix.report import formatting, pictures, tables
from gaussmix.report.words import in_words
from gaussmix.selection import Selection
from gaussmix.solvers import Fit
from gaussmix.types import ArrayLike

_TEMPLATE = "page.html"
_FIRST_CANDIDATES = 10
_MANY = 6  # more components stand one below the other where that makes a narrower table
_HUGE = 1e10  # sums of weights beyond it would widen the table without end
_SIZES = 4  # lines of the table of components above those of the columns


def write_report(
    path: str | PathLike[str],
    mixture: MixtureLike,
    X: ArrayLike,
    *,
    fit: FitLike | None = None,
    selection: Selection | None = None,
    sample_weight: ArrayLike | None = None,
    title: str | None = None,
    source_name: str | None = None,
) -> None:
    """Write the page that `render` makes; the file appears whole or not at all.

    Raises
    ------
    FileProblem
        If the file cannot be written.
    """
    page = render(
        mixture, X, fit=fit, selection=selection, sample_weight=sample_weight, title=title, source_name=source_name
    )
    partial = f"{os.fspath(path)}.partial"
    try:
        with open(partial, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
        os.replace(partial, path)
    except OSError as error:
        raise FileProblem(f"cannot write {os.fspath(path)}: {error}") from error


def render(
    mixture: MixtureLike,
    X: ArrayLike,
    *,
    fit: FitLike | None = None,
    selection: Selection | None = None,
    sample_weight: ArrayLike | None = None,
    title: str | None = None,
    source_name: str | None = None,
) -> str:
    """A report on a mixture and its rows as one HTML page, pictures included.

    The same input gives the same page.

    Parameters
    ----------
    mixture : Mixture or fitted estimator
    X : array-like of shape (n, D)
        The rows it is to explain, in the data's units.
    fit : Fit or fitted estimator, optional
        How it was fitted: adds the log-likelihood by pass and how the fit ended.
    selection : Selection, optional
        The search it was chosen by: adds the criterion by structure and the ranked candidates.
    sample_weight : array-like of shape (n,), optional
        How often each row counts.
    title : str, optional
        Default: 'Gaussian mixture', with the name of the source.
    source_name : str, optional
        What the rows are called, a file's name for instance.

    Returns
    -------
    str

    Raises
    ------
    DataError, ParameterError
        If the rows or weights cannot be used.
    MissingPackageError
        If matplotlib or jinja2 is not installed.
    """
    template = _template()
    mixture = as_mixture(mixture)
    fit = None if fit is None else as_fit(fit)
    selection = None if selection is None else as_selection(selection)
    rows = parse_rows(X, mixture.n_features, mixture.feature_names)
    weights = parse_weights(sample_weight, len(rows))
    of_source = "" if source_name is None else f" of {source_name}"
    context: dict[str, Any] = {
        "title": title or f"Gaussian mixture{of_source}",
        "source_name": source_name,
        "words": in_words(mixture, rows, fit=fit, selection=selection, sample_weight=weights),
        "summary": tables.summary(mixture, rows, weights),
        "legend": _legend(mixture),
        "data": pictures.data(mixture, rows),
        "assignments": pictures.assignments(mixture, rows) if mixture.n_components > 1 else [],
        "densities": pictures.densities(mixture, rows, weights),
        "components": _component_table(mixture, tables.components(mixture, rows, weights)),
        "transposed": _MANY < mixture.n_components > mixture.n_features + _SIZES,
        "weighted": weights is not None,
        "uncertain": tables.uncertain_rows(mixture, rows, 10),
        "columns": [column_name(mixture, j) for j in range(mixture.n_features)],
        "versions": _versions(),
        "most_rows": MOST_ROWS,
        "unsure": tables.UNCERTAIN,
        **_history(mixture, fit, selection),
    }
    return str(template.render(context))


def _history(mixture: Mixture, fit: Fit | None, selection: Selection | None) -> dict[str, Any]:
    """How the mixture was chosen and fitted, as far as that is known."""
    return {
        "selection": selection,
        "choice": None if selection is None else pictures.choice(selection),
        "candidates": [] if selection is None else tables.candidates(selection),
        "first_candidates": _FIRST_CANDIDATES,
        "trace": None if fit is None else pictures.trace(fit),
        "fit": None if fit is None else tables.fit_facts(fit, mixture),
    }


def _template() -> Any:
    """The page with its holes; every text put into them is escaped."""
    try:
        import jinja2
    except ImportError as error:
        raise MissingPackageError.of("jinja2", "the report", "cli") from error
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    names = ("number", "fixed", "percent", "score")
    environment.filters.update({name: getattr(formatting, name) for name in names}, counted=counted)
    source = resources.files("gaussmix.report").joinpath(_TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(source)


@dataclass(frozen=True)
class Legend:
    """How a component looks in the pictures: marker, colour as in CSS, number and share."""

    glyph: str
    colour: str
    number: int
    weight: float


def _legend(mixture: Mixture) -> list[Legend]:
    looks = styles(mixture.n_components)
    return [
        Legend(GLYPHS[look.marker], "#" + "".join(f"{round(255 * part):02x}" for part in look.line), k, float(weight))
        for k, (look, weight) in enumerate(zip(looks, mixture.weights, strict=True))
    ]


def _component_table(mixture: Mixture, parts: Sequence[tables.ComponentRow]) -> list[tuple[str, list[str]]]:
    """Rows of (name, one text per component): sizes first, then mean and deviation of each column."""
    lines = [("share", [formatting.percent(part.weight) for part in parts])]
    rows = [part.rows or 0.0 for part in parts]
    whole = all(value == round(value) for value in rows)
    lines.append(("rows", [_amount(value, 0 if whole else 1) for value in rows]))
    lines.append(("expected rows", [_amount(part.mass or 0.0, 1) for part in parts]))
    lines.append(("mean uncertainty", [formatting.percent(part.mean_uncertainty) for part in parts]))
    for j in range(mixture.n_features):
        texts, exponent = formatting.with_spread(
            [part.mean[j] for part in parts], [part.deviation[j] for part in parts]
        )
        unit = f" (in units of 1e{exponent})" if exponent else ""
        lines.append((column_name(mixture, j) + unit, texts))
    return lines


def _amount(value: float, decimals: int) -> str:
    """A sum of weights; a huge one as a power of ten."""
    return formatting.fixed(value, decimals) if value < _HUGE else formatting.number(value)


def _versions() -> str:
    own = [f"gaussmix {__version__}", f"Python {platform.python_version()}"]
    return ", ".join([*own, f"NumPy {np.__version__}", f"SciPy {scipy.__version__}", drawn_by()])
