"""Render a report on a mixture as one HTML page with text, tables and embedded pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from gaussmix.core.input_arrays import parse_rows, parse_weights
from gaussmix.diagnostics import ColumnDiagnosis, diagnose_parsed_columns, keep_unmended_diagnoses
from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.plots.plot_data import MAX_ROWS, column_name
from gaussmix.plots.style import MARKER_GLYPHS, NOISE_STYLE, Style, distinct_styles
from gaussmix.plots.validation import FitLike, MixtureLike, parse_report_arguments
from gaussmix.report import pictures, tables
from gaussmix.report.candidates import candidate_table
from gaussmix.report.component_lines import ComponentLine, component_lines
from gaussmix.report.identifiers import parse_identifiers
from gaussmix.report.page_template import format_versions, load_template, write_page
from gaussmix.report.summary_text import describe_selection, summarize_mixture_and_notes
from gaussmix.selection import Selection
from gaussmix.solvers import Fit
from gaussmix.types import ND, ArrayLike, IntN, N

_TEMPLATE_FILE = "page.html"
_N_CANDIDATES_SHOWN = 10
_N_UNCERTAIN_ROWS = 10
_N_SENTENCES_OPEN = 12  # on components; further ones are folded
_MAX_COMPONENT_COLUMNS = 6  # a table of more components is transposed if that makes it narrower
_N_SIZE_ROWS = 4  # rows of the component table above the means of the columns


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
    identifiers: Mapping[str, ArrayLike] | None = None,
    row_numbers: Sequence[int] | IntN | None = None,
) -> None:
    """Write the page that `render_html` returns to a file.

    A failure leaves no incomplete file.

    Parameters
    ----------
    path : str or path-like
        File to write; an existing file is replaced.
    mixture, X, fit, selection, sample_weight, title, source_name, identifiers, row_numbers
        See `render_html`.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    page = render_html(
        mixture,
        X,
        fit=fit,
        selection=selection,
        sample_weight=sample_weight,
        title=title,
        source_name=source_name,
        identifiers=identifiers,
        row_numbers=row_numbers,
    )
    write_page(path, page)


def render_html(
    mixture: MixtureLike,
    X: ArrayLike,
    *,
    fit: FitLike | None = None,
    selection: Selection | None = None,
    sample_weight: ArrayLike | None = None,
    title: str | None = None,
    source_name: str | None = None,
    identifiers: Mapping[str, ArrayLike] | None = None,
    row_numbers: Sequence[int] | IntN | None = None,
) -> str:
    """Return a report on a mixture and some rows as one HTML page with embedded pictures.

    Equal input gives equal pages. The page loads nothing from the network.

    Parameters
    ----------
    mixture : Mixture, fitted estimator, Selection or Candidate
        Of a Selection the best candidate; then ``selection`` and ``fit`` are those of the Selection by default.
    X : array-like of shape (n, D)
        Rows in the data's units.
    fit : Fit, fitted estimator, Selection or Candidate, optional
        Adds the log-likelihood by iteration and the outcome of the fit.
    selection : Selection, optional
        Adds the criterion by structure and the ranked candidates of the search.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows. Default: 1.
    title : str, optional
        Title of the page. Default: 'Gaussian mixture', with the name of the source.
    source_name : str, optional
        Name of the data, such as a file name.
    identifiers : mapping of str to array-like of shape (n,), optional
        Columns that identify the rows, by name; the least certain rows show them beside their number.
    row_numbers : sequence of int of shape (n,), optional
        The number of each row. Default: 1, 2, ..., n.

    Returns
    -------
    str

    Raises
    ------
    DataError, ParameterError
        If the rows, their weights, identifiers or numbers are invalid.
    MissingPackageError
        If matplotlib or jinja2 is not installed.
    """
    template = load_template(_TEMPLATE_FILE)
    mixture, fit, selection = parse_report_arguments(mixture, fit, selection)
    rows = parse_rows(X, mixture.n_features, mixture.feature_names, allow_missing=True)
    weights = parse_weights(sample_weight, len(rows))
    of_source = "" if source_name is None else f" of {source_name}"
    context: dict[str, Any] = {
        "title": title or f"Gaussian mixture{of_source}",
        "source_name": source_name,
        "summary_text": summarize_mixture_and_notes(mixture, rows, fit=fit, selection=selection, sample_weight=weights),
        "summary": tables.summarize_fit_quality(mixture, rows, weights),
        "legend": _legend_entries(mixture),
        **_row_pictures(mixture, rows),
        "densities": pictures.density_pictures(mixture, rows, weights),
        "components": _component_lines(mixture, rows, weights),
        "is_transposed": _MAX_COMPONENT_COLUMNS < mixture.n_components > mixture.n_features + _N_SIZE_ROWS,
        "n_independent_columns": mixture.n_independent_features,
        "has_weights": weights is not None,
        "has_transforms": mixture.transforms is not None,
        "uncertain_rows": tables.uncertain_rows(mixture, rows, _N_UNCERTAIN_ROWS),
        "n_incomplete_rows": int(np.isnan(rows).any(axis=1).sum()),
        "identifiers": parse_identifiers(identifiers or {}, len(rows)),
        "row_numbers": _parse_row_numbers(row_numbers, len(rows)),
        "diagnosed_columns": _diagnosed_column_lines(_diagnose_columns(mixture, rows, weights)),
        "columns": [column_name(mixture, j) for j in range(mixture.n_features)],
        **_constant_context(),
        **_selection_and_fit_context(mixture, fit, selection),
    }
    return str(template.render(context))


def _component_lines(mixture: Mixture, rows: ND, weights: N | None) -> list[ComponentLine]:
    """Return the lines of the table of components, with the noise."""
    records = tables.component_table(mixture, rows, weights)
    return component_lines(mixture, records, tables.noise_table(mixture, rows, weights))


def _parse_row_numbers(row_numbers: Sequence[int] | IntN | None, n_rows: int) -> list[int]:
    """Return the numbers of the rows, by default 1, 2, ..., n; raise ParameterError unless each row has one."""
    numbers = list(range(1, n_rows + 1)) if row_numbers is None else [int(number) for number in row_numbers]
    if len(numbers) != n_rows:
        raise ParameterError.wrong_shape("row_numbers", (len(numbers),), (n_rows,))
    return numbers


def _constant_context() -> dict[str, Any]:
    """Return the template variables that no argument changes."""
    return {
        "versions": format_versions(),
        "max_rows": MAX_ROWS,
        "max_pairs_rows": pictures.MAX_PAIRS_ROWS,
        "uncertain_above": tables.UNCERTAIN_ABOVE,
        "n_sentences_open": _N_SENTENCES_OPEN,
        "n_candidates_shown": _N_CANDIDATES_SHOWN,
    }


def _row_pictures(mixture: Mixture, rows: ND) -> dict[str, Any]:
    """Return the pictures of rows (n, D): by component, and by soft and hard assignment if there are several.

    Of at most two columns, the pictures of the assignments show all that the other one does.
    """
    assignments = pictures.assignment_pictures(mixture, rows) if mixture.n_components > 1 else []
    is_separate = mixture.n_independent_features > 2 or not assignments
    return {"data": pictures.data_picture(mixture, rows) if is_separate else None, "assignments": assignments}


def _diagnose_columns(mixture: Mixture, rows: ND, weights: N | None) -> tuple[ColumnDiagnosis, ...]:
    """Return the diagnoses of the columns of rows (n, D) that no Gaussian describes, before and after transforms."""
    diagnoses = diagnose_parsed_columns(rows, weights, mixture.feature_names)
    if mixture.transforms is None:
        return diagnoses
    return keep_unmended_diagnoses(diagnoses, mixture.transforms.forward(rows, mixture.feature_names), weights)


class _DiagnosedColumns(NamedTuple):
    """A line of the table of columns that no Gaussian describes: columns of equal diagnoses."""

    names: list[str]
    diagnosis: ColumnDiagnosis


def _diagnosed_column_lines(diagnoses: Sequence[ColumnDiagnosis]) -> list[_DiagnosedColumns]:
    """Return a line for each kind and evidence, in the order of their first columns."""
    lines: dict[tuple[str, str], _DiagnosedColumns] = {}
    for diagnosis in diagnoses:
        key = diagnosis.kind, diagnosis.evidence_text
        lines.setdefault(key, _DiagnosedColumns([], diagnosis)).names.append(diagnosis.name)
    return list(lines.values())


def _selection_and_fit_context(mixture: Mixture, fit: Fit | None, selection: Selection | None) -> dict[str, Any]:
    """Return the template variables on the selection and the fit; None or an empty list if they are not given."""
    return {
        "selection": selection,
        "choice": None if selection is None else describe_selection(selection),
        "criterion_picture": None if selection is None else pictures.criterion_picture(selection),
        "candidates": [] if selection is None else candidate_table(selection),
        "trace_picture": None if fit is None else pictures.trace_picture(fit),
        "fit": None if fit is None else tables.summarize_fit(fit, mixture),
    }


@dataclass(frozen=True)
class LegendEntry:
    """A component, or the noise, in the legend of the page: marker, CSS colour, name and weight."""

    glyph: str
    colour: str
    name: str
    weight: float


def _legend_entries(mixture: Mixture) -> list[LegendEntry]:
    """Return one entry of the page's legend per component, and a last one for the noise, if there is one."""
    entries = [
        LegendEntry(MARKER_GLYPHS[style.marker], _line_colour_as_hex(style), f"component {k}", float(weight))
        for k, (style, weight) in enumerate(zip(distinct_styles(mixture.n_components), mixture.weights, strict=True))
    ]
    if mixture.noise is not None:
        colour = _line_colour_as_hex(NOISE_STYLE)
        entries.append(LegendEntry(MARKER_GLYPHS[NOISE_STYLE.marker], colour, "noise", mixture.noise.weight))
    return entries


def _line_colour_as_hex(style: Style) -> str:
    """Return the line colour of a style as the CSS text '#rrggbb'."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in style.line_colour)
