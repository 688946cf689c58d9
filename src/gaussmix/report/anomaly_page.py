"""Render a report on anomalies as one HTML page with tables and embedded pictures."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from gaussmix.errors import ParameterError
from gaussmix.plots.plot_data import MAX_ROWS
from gaussmix.report.anomaly_pictures import draw_anomaly_pictures
from gaussmix.report.anomaly_summary import AnomalySummary
from gaussmix.report.anomaly_tables import (
    anomaly_group_table,
    anomaly_table,
    describe_dominant_column,
    normal_group_table,
)
from gaussmix.report.anomaly_text import describe_anomalies, describe_method
from gaussmix.report.page_template import format_versions, load_template, write_page

_TEMPLATE_FILE = "anomalies.html"
_N_ROWS_SHOWN, _MAX_ROWS_LISTED = 20, 200
_N_GROUPS_SHOWN = 20
_N_COLUMNS_SHOWN = 8


def write_anomaly_report(
    path: str | PathLike[str],
    summary: AnomalySummary,
    *,
    notes: Sequence[str] = (),
    title: str | None = None,
    source_name: str | None = None,
) -> None:
    """Write the page that `render_anomaly_html` returns to a file.

    A failure leaves no incomplete file.

    Parameters
    ----------
    path : str or path-like
        File to write; an existing file is replaced.
    summary, notes, title, source_name
        See `render_anomaly_html`.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    write_page(path, render_anomaly_html(summary, notes=notes, title=title, source_name=source_name))


def render_anomaly_html(
    summary: AnomalySummary,
    *,
    notes: Sequence[str] = (),
    title: str | None = None,
    source_name: str | None = None,
) -> str:
    """Return a report on anomalies as one HTML page with embedded pictures.

    Equal input gives equal pages. The page loads nothing from the network.

    Parameters
    ----------
    summary : AnomalySummary
        What `summarize_anomalies` returns.
    notes : sequence of str, optional
        Sentences that follow the summary, such as those on columns that were left out.
    title : str, optional
        Title of the page. Default: 'Anomalies', with the name of the source.
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
    if not isinstance(summary, AnomalySummary):
        raise ParameterError.invalid_value("summary", type(summary), "what summarize_anomalies returns")
    judgement, groups = summary.judgement, summary.detector.model_.groups
    context: dict[str, Any] = {
        "title": title or ("Anomalies" if source_name is None else f"Anomalies in {source_name}"),
        "source_name": source_name,
        "sentences": [
            *describe_anomalies(summary.detector, judgement),
            *filter(None, [describe_dominant_column(summary)]),
        ],
        "notes": list(notes),
        "n_rows": len(judgement),
        "n_anomalies": judgement.n_anomalies,
        "columns": judgement.names,
        "n_columns_drawn": min(2, groups.n_independent_features),
        "identifier_names": list(summary.identifiers),
        "rows": anomaly_table(summary, _MAX_ROWS_LISTED),
        "groups": anomaly_group_table(summary),
        "normal_groups": normal_group_table(groups, _N_COLUMNS_SHOWN),
        "pictures": draw_anomaly_pictures(summary),
        "method": describe_method(summary.detector),
        "versions": format_versions(),
        "max_rows": MAX_ROWS,
        "n_rows_shown": _N_ROWS_SHOWN,
        "n_groups_shown": _N_GROUPS_SHOWN,
        "n_columns_shown": _N_COLUMNS_SHOWN,
    }
    return str(template.render(context))
