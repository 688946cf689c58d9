"""Reports on a fitted mixture: tables, a summary text and an HTML page."""

from gaussmix.report.candidates import CandidateRow, candidate_table
from gaussmix.report.html_page import render_html, write_report
from gaussmix.report.summary_text import describe_mixture
from gaussmix.report.tables import (
    ComponentRow,
    FitSummary,
    MixtureSummary,
    UncertainRow,
    component_table,
    summarize_fit,
    summarize_mixture,
    uncertain_rows,
)

__all__ = [
    "CandidateRow",
    "ComponentRow",
    "FitSummary",
    "MixtureSummary",
    "UncertainRow",
    "candidate_table",
    "component_table",
    "describe_mixture",
    "render_html",
    "summarize_fit",
    "summarize_mixture",
    "uncertain_rows",
    "write_report",
]
