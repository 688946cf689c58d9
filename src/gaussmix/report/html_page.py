"""Render a report on a mixture as one HTML page with text, tables and embedded pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, NamedTuple

from gaussmix.core.input_arrays import parse_rows, parse_weights
from gaussmix.diagnostics import ColumnDiagnosis, diagnose_parsed_columns, keep_unmended_diagnoses
from gaussmix.model import Mixture
from gaussmix.plots.plot_data import MAX_ROWS, column_name
from gaussmix.plots.style import MARKER_GLYPHS, Style, distinct_styles
from gaussmix.plots.validation import FitLike, MixtureLike, parse_report_arguments
from gaussmix.report import formatting, pictures, tables
from gaussmix.report.candidates import candidate_table
from gaussmix.report.page_template import format_versions, load_template, write_page
from gaussmix.report.summary_text import summarize_mixture_and_notes
from gaussmix.selection import Selection
from gaussmix.solvers import Fit
from gaussmix.types import ND, ArrayLike, N

_TEMPLATE_FILE = "page.html"
_N_CANDIDATES_SHOWN = 10
_MAX_COMPONENT_COLUMNS = 6  # a table of more components is transposed if that makes it narrower
_MIN_SCIENTIFIC_WEIGHT = 1e10  # larger sums of weights are written as powers of ten
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
) -> None:
    """Write the page that `render_html` returns to a file.

    A failure leaves no incomplete file.

    Parameters
    ----------
    path : str or path-like
        File to write; an existing file is replaced.
    mixture, X, fit, selection, sample_weight, title, source_name
        See `render_html`.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    page = render_html(
        mixture, X, fit=fit, selection=selection, sample_weight=sample_weight, title=title, source_name=source_name
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

    Returns
    -------
    str

    Raises
    ------
    DataError, ParameterError
        If the rows or weights are invalid.
    MissingPackageError
        If matplotlib or jinja2 is not installed.
    """
    template = load_template(_TEMPLATE_FILE)
    mixture, fit, selection = parse_report_arguments(mixture, fit, selection)
    rows = parse_rows(X, mixture.n_features, mixture.feature_names)
    weights = parse_weights(sample_weight, len(rows))
    of_source = "" if source_name is None else f" of {source_name}"
    context: dict[str, Any] = {
        "title": title or f"Gaussian mixture{of_source}",
        "source_name": source_name,
        "summary_text": summarize_mixture_and_notes(mixture, rows, fit=fit, selection=selection, sample_weight=weights),
        "summary": tables.summarize_fit_quality(mixture, rows, weights),
        "legend": _component_legend_entries(mixture),
        "data": pictures.data_picture(mixture, rows),
        "assignments": pictures.assignment_pictures(mixture, rows) if mixture.n_components > 1 else [],
        "densities": pictures.density_pictures(mixture, rows, weights),
        "components": _component_table_lines(mixture, tables.component_table(mixture, rows, weights)),
        "is_transposed": _MAX_COMPONENT_COLUMNS < mixture.n_components > mixture.n_features + _N_SIZE_ROWS,
        "n_independent_columns": mixture.n_independent_features,
        "has_weights": weights is not None,
        "has_transforms": mixture.transforms is not None,
        "uncertain_rows": tables.uncertain_rows(mixture, rows, 10),
        "diagnosed_columns": _diagnosed_column_lines(_diagnose_columns(mixture, rows, weights)),
        "columns": [column_name(mixture, j) for j in range(mixture.n_features)],
        "versions": format_versions(),
        "max_rows": MAX_ROWS,
        "uncertain_above": tables.UNCERTAIN_ABOVE,
        **_selection_and_fit_context(mixture, fit, selection),
    }
    return str(template.render(context))


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
        "criterion_picture": None if selection is None else pictures.criterion_picture(selection),
        "candidates": [] if selection is None else candidate_table(selection),
        "n_candidates_shown": _N_CANDIDATES_SHOWN,
        "trace_picture": None if fit is None else pictures.trace_picture(fit),
        "fit": None if fit is None else tables.summarize_fit(fit, mixture),
    }


@dataclass(frozen=True)
class LegendEntry:
    """A component in the legend of the page: marker, CSS colour, number and weight."""

    glyph: str
    colour: str
    component: int
    weight: float


def _component_legend_entries(mixture: Mixture) -> list[LegendEntry]:
    """Return one entry of the page's legend per component, without the noise."""
    styles = distinct_styles(mixture.n_components)
    return [
        LegendEntry(MARKER_GLYPHS[style.marker], _line_colour_as_hex(style), k, float(weight))
        for k, (style, weight) in enumerate(zip(styles, mixture.weights, strict=True))
    ]


def _line_colour_as_hex(style: Style) -> str:
    """Return the line colour of a style as the CSS text '#rrggbb'."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in style.line_colour)


class _TableLine(NamedTuple):
    """A line of the table of components: its name and one text per component."""

    name: str
    component_texts: list[str]


def _component_table_lines(mixture: Mixture, component_rows: Sequence[tables.ComponentRow]) -> list[_TableLine]:
    """Return the lines of the component table: weight, rows, uncertainty, then mean and deviation of each column."""
    lines = [_TableLine("weight", [formatting.format_percent(part.weight) for part in component_rows])]
    assigned = [part.assigned_weight or 0.0 for part in component_rows]
    n_decimals = 0 if all(weight == round(weight) for weight in assigned) else 1
    expected = [part.responsibility_sum or 0.0 for part in component_rows]
    uncertainties = [formatting.format_percent(part.mean_uncertainty) for part in component_rows]
    lines.append(_TableLine("rows", [_format_total_weight(weight, n_decimals) for weight in assigned]))
    lines.append(_TableLine("expected rows", [_format_total_weight(weight, 1) for weight in expected]))
    lines.append(_TableLine("mean uncertainty", uncertainties))
    for j in range(mixture.n_features):
        texts, exponent = formatting.format_means_with_deviations(
            [part.mean[j] for part in component_rows], [part.standard_deviation[j] for part in component_rows]
        )
        unit = f" (in units of 1e{exponent})" if exponent else ""
        lines.append(_TableLine(column_name(mixture, j) + unit, texts))
    return lines


def _format_total_weight(weight: float, n_decimals: int) -> str:
    """Return a sum of row weights as text with ``n_decimals``; one of at least 1e10 as a power of ten."""
    is_huge = weight >= _MIN_SCIENTIFIC_WEIGHT
    return formatting.format_number(weight) if is_huge else formatting.format_decimals(weight, n_decimals)
