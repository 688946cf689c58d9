"""The report on churn as one HTML page with text, tables and embedded pictures."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from gaussmix.errors import ParameterError
from gaussmix.report.churn_pictures import draw_profit_pictures, draw_validation_pictures
from gaussmix.report.churn_summary import ChurnSummary
from gaussmix.report.churn_tables import customer_table, model_table, profile_table, segment_table
from gaussmix.report.churn_text import (
    MEASURES,
    describe_changes,
    describe_contacts,
    describe_fold_columns,
    describe_groups,
    describe_method,
    describe_segment_counts,
    describe_test,
    describe_untested,
    format_whole_percent,
    name_factor,
)
from gaussmix.report.page_template import format_versions, load_template, write_page

_TEMPLATE_FILE = "churn.html"
_N_CUSTOMERS_SHOWN, _MAX_PROFILE_COLUMNS, _MAX_FACTORS = 20, 15, 10


def write_churn_report(
    path: str | PathLike[str],
    summary: ChurnSummary,
    *,
    notes: Sequence[str] = (),
    title: str | None = None,
    source_name: str | None = None,
) -> None:
    """Write the page that `render_churn_html` returns to a file.

    A failure leaves no incomplete file.

    Parameters
    ----------
    path : str or path-like
        File to write; an existing file is replaced.
    summary, notes, title, source_name
        See `render_churn_html`.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    write_page(path, render_churn_html(summary, notes=notes, title=title, source_name=source_name))


def render_churn_html(
    summary: ChurnSummary,
    *,
    notes: Sequence[str] = (),
    title: str | None = None,
    source_name: str | None = None,
) -> str:
    """Return a report on churn as one HTML page with embedded pictures.

    Equal input gives equal pages. The page loads nothing from the network.

    Parameters
    ----------
    summary : ChurnSummary
        What `summarize_churn` returns.
    notes : sequence of str, optional
        Sentences on the columns, such as those of ``model.notes_``.
    title : str, optional
        Title of the page. Default: 'Churn', with the name of the source.
    source_name : str, optional
        Name of the data, such as a file name.

    Returns
    -------
    str

    Raises
    ------
    ParameterError
        If the summary is something else.
    MissingPackageError
        If matplotlib or jinja2 is not installed.
    """
    template = load_template(_TEMPLATE_FILE)
    if not isinstance(summary, ChurnSummary):
        raise ParameterError.invalid_value("summary", type(summary), "what summarize_churn returns")
    context: dict[str, Any] = {
        "title": title or ("Churn" if source_name is None else f"Churn in {source_name}"),
        "source_name": source_name,
        "notes": list(notes),
        "method": describe_method(),
        "versions": format_versions(),
        "percent_text": format_whole_percent,
        **_describe_customers(summary),
        **_describe_quality(summary),
    }
    return str(template.render(context))


def _describe_customers(summary: ChurnSummary) -> dict[str, Any]:
    """Return what the page shows of segments, customers and contacts."""
    segments, scores = summary.segments, summary.scores
    return {
        "sentences": summary.sentences,
        "facts": _collect_facts(summary),
        "level": segments.level,
        "overall_percent": 100.0 * segments.churn_rate,
        "segments": segment_table(segments),
        "segment_notes": segments.notes,
        "profiles": profile_table(segments, _MAX_PROFILE_COLUMNS),
        "identifier_names": list(scores.identifiers),
        "customers": customer_table(scores),
        "n_customers_shown": _N_CUSTOMERS_SHOWN,
        "factors": [] if scores.reasons is None else scores.reasons.factors()[:_MAX_FACTORS],
        "factor_name": name_factor,
        "customer_notes": [
            *describe_fold_columns(scores.fold_columns),
            *describe_untested(scores.is_tested, scores.candidates),
        ],
        "segment_counts": describe_segment_counts(segments),
        "changes": describe_changes(len(summary.model.fixed_columns) > 0),
        "contacts": describe_contacts(summary.validation.plan, scores.plan),
        "profit_pictures": draw_profit_pictures(summary.validation),
    }


def _describe_quality(summary: ChurnSummary) -> dict[str, Any]:
    """Return what the page shows of the test of the probabilities."""
    validation = summary.validation
    return {
        "test": describe_test(validation),
        "measures": MEASURES,
        "models": model_table(validation),
        "comparison_sentences": validation.comparison.sentences,
        "pictures": draw_validation_pictures(validation),
        "gain": validation.gain.rows,
        "groups": validation.groups,
        "group_sentences": describe_groups(validation),
    }


def _collect_facts(summary: ChurnSummary) -> list[tuple[str, str]]:
    """Return the names and values of the most important numbers."""
    measures = summary.validation.measures
    return [
        ("customers", f"{len(summary.is_positive):,}"),
        ("left", f"{100.0 * float(summary.is_positive.mean()):.1f}%"),
        ("segments", str(len(summary.segments))),
        ("AUC", f"{measures.auc:.3f}"),
    ]
