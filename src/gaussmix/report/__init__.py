"""What was found, for reading: tables, words, and one HTML page with all of it."""

from gaussmix.report.page import render, write_report
from gaussmix.report.tables import (
    CandidateRow,
    ComponentRow,
    FitFacts,
    Summary,
    UncertainRow,
    candidates,
    components,
    fit_facts,
    summary,
    uncertain_rows,
)
from gaussmix.report.words import in_words

__all__ = [
    "CandidateRow",
    "ComponentRow",
    "FitFacts",
    "Summary",
    "UncertainRow",
    "candidates",
    "components",
    "fit_facts",
    "in_words",
    "render",
    "summary",
    "uncertain_rows",
    "write_report",
]
