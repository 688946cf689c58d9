"""Reports on a fitted mixture: tables, a summary text and an HTML page."""

from gaussmix.report.candidates import CandidateRow, candidate_table
from gaussmix.report.html_page import render_html, write_report
from gaussmix.report.summary_text import describe_mixture
from gaussmix.report.tables import (
    ComponentRow,
    FitQualitySummary,
    FitSummary,
    UncertainRow,
    component_table,
    summarize_fit,
    summarize_fit_quality,
    uncertain_rows,
)

__all__ = [
    "CandidateRow",
    "ComponentRow",
    "FitQualitySummary",
    "FitSummary",
    "UncertainRow",
    "candidate_table",
    "component_table",
    "describe_mixture",
    "render_html",
    "summarize_fit",
    "summarize_fit_quality",
    "uncertain_rows",
    "write_report",
]
