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
from gaussmix.core.input_arrays import parse_rows, parse_weights
from gaussmix.errors import FileError, MissingPackageError
from gaussmix.model import Mixture
from gaussmix.plots.canvas import format_count
from gaussmix.plots.picture_export import matplotlib_version
from gaussmix.plots.plot_data import MAX_ROWS, column_name
from gaussmix.plots.style import MARKER_GLYPHS, distinct_styles
from gaussmix.plots.validation import FitLike, MixtureLike, as_fit, as_mixture, check_selection
from gaussmix.report import formatting, pictures, tables
from gaussmix.report.summary_text import describe_mixture
from gaussmix.selection import Selection
from gaussmix.solvers import Fit
from gaussmix.types import ArrayLike

_TEMPLATE_FILE = "page.html"
_N_CANDIDATES_SHOWN = 10
_MAX_COMPONENT_COLUMNS = 6  # more components stand one below the other where that makes a narrower table
_MIN_SCIENTIFIC_WEIGHT = 1e10  # sums of weights beyond it would widen the table without end
_N_SIZE_ROWS = 4  # lines of the table of components above those of the columns


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
    page = render_html(
        mixture, X, fit=fit, selection=selection, sample_weight=sample_weight, title=title, source_name=source_name
    )
    partial = f"{os.fspath(path)}.partial"
    try:
        with open(partial, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
        os.replace(partial, path)
    except OSError as error:
        raise FileError(f"cannot write {os.fspath(path)}: {error}") from error


def render_html(
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
    template = _load_template()
    mixture = as_mixture(mixture)
    fit = None if fit is None else as_fit(fit)
    selection = None if selection is None else check_selection(selection)
    rows = parse_rows(X, mixture.n_features, mixture.feature_names)
    weights = parse_weights(sample_weight, len(rows))
    of_source = "" if source_name is None else f" of {source_name}"
    context: dict[str, Any] = {
        "title": title or f"Gaussian mixture{of_source}",
        "source_name": source_name,
        "words": describe_mixture(mixture, rows, fit=fit, selection=selection, sample_weight=weights),
        "summary": tables.summarize_mixture(mixture, rows, weights),
        "legend": _legend_entries(mixture),
        "data": pictures.data_picture(mixture, rows),
        "assignments": pictures.assignment_pictures(mixture, rows) if mixture.n_components > 1 else [],
        "densities": pictures.density_pictures(mixture, rows, weights),
        "components": _component_table_lines(mixture, tables.component_table(mixture, rows, weights)),
        "transposed": _MAX_COMPONENT_COLUMNS < mixture.n_components > mixture.n_features + _N_SIZE_ROWS,
        "weighted": weights is not None,
        "uncertain": tables.uncertain_rows(mixture, rows, 10),
        "columns": [column_name(mixture, j) for j in range(mixture.n_features)],
        "versions": _format_versions(),
        "most_rows": MAX_ROWS,
        "unsure": tables.UNCERTAIN_ABOVE,
        **_selection_and_fit_context(mixture, fit, selection),
    }
    return str(template.render(context))


def _selection_and_fit_context(mixture: Mixture, fit: Fit | None, selection: Selection | None) -> dict[str, Any]:
    """How the mixture was chosen and fitted, as far as that is known."""
    return {
        "selection": selection,
        "choice": None if selection is None else pictures.criterion_picture(selection),
        "candidates": [] if selection is None else tables.candidate_table(selection),
        "first_candidates": _N_CANDIDATES_SHOWN,
        "trace": None if fit is None else pictures.trace_picture(fit),
        "fit": None if fit is None else tables.summarize_fit(fit, mixture),
    }


def _load_template() -> Any:
    """The page with its holes; every text put into them is escaped."""
    try:
        import jinja2
    except ImportError as error:
        raise MissingPackageError.for_extra("jinja2", "the report", "cli") from error
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        number=formatting.format_number,
        decimals=formatting.format_decimals,
        percent=formatting.format_percent,
        score=formatting.format_score,
        count=format_count,
    )
    source = resources.files("gaussmix.report").joinpath(_TEMPLATE_FILE).read_text(encoding="utf-8")
    return environment.from_string(source)


@dataclass(frozen=True)
class LegendEntry:
    """How a component looks in the pictures: marker, colour as in CSS, number and share."""

    glyph: str
    colour: str
    component: int
    weight: float


def _legend_entries(mixture: Mixture) -> list[LegendEntry]:
    looks = distinct_styles(mixture.n_components)
    return [
        LegendEntry(
            MARKER_GLYPHS[look.marker],
            "#" + "".join(f"{round(255 * part):02x}" for part in look.line_colour),
            k,
            float(weight),
        )
        for k, (look, weight) in enumerate(zip(looks, mixture.weights, strict=True))
    ]


def _component_table_lines(
    mixture: Mixture, component_rows: Sequence[tables.ComponentRow]
) -> list[tuple[str, list[str]]]:
    """Rows of (name, one text per component): sizes first, then mean and deviation of each column."""
    lines = [("share", [formatting.format_percent(part.weight) for part in component_rows])]
    rows = [part.assigned_weight or 0.0 for part in component_rows]
    whole = all(value == round(value) for value in rows)
    lines.append(("rows", [_format_weight(value, 0 if whole else 1) for value in rows]))
    lines.append(("expected rows", [_format_weight(part.responsibility_sum or 0.0, 1) for part in component_rows]))
    lines.append(("mean uncertainty", [formatting.format_percent(part.mean_uncertainty) for part in component_rows]))
    for j in range(mixture.n_features):
        texts, exponent = formatting.format_means_with_deviations(
            [part.mean[j] for part in component_rows], [part.standard_deviation[j] for part in component_rows]
        )
        unit = f" (in units of 1e{exponent})" if exponent else ""
        lines.append((column_name(mixture, j) + unit, texts))
    return lines


def _format_weight(weight: float, n_decimals: int) -> str:
    """A sum of weights; a huge one as a power of ten."""
    is_huge = weight >= _MIN_SCIENTIFIC_WEIGHT
    return formatting.format_number(weight) if is_huge else formatting.format_decimals(weight, n_decimals)


def _format_versions() -> str:
    own = [f"gaussmix {__version__}", f"Python {platform.python_version()}"]
    return ", ".join([*own, f"NumPy {np.__version__}", f"SciPy {scipy.__version__}", matplotlib_version()])
