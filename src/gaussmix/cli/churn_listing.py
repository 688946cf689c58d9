"""What ``gaussmix churn`` found, as text for a terminal: models, segments, customers, contacts."""

import textwrap
from collections.abc import Sequence

from gaussmix.classification.evaluation.actions import ActionPlan
from gaussmix.cli.churn_scoring import ScoredFile
from gaussmix.cli.console import terminal_width
from gaussmix.cli.text_formatting import format_fields, format_table, truncate_text
from gaussmix.errors.text import pluralize
from gaussmix.report.churn_scores import ScoredCustomers
from gaussmix.report.churn_summary import ChurnSummary
from gaussmix.report.churn_tables import CustomerRow, customer_table, model_table, segment_table
from gaussmix.report.churn_text import (
    describe_changes,
    describe_contacts,
    describe_fold_columns,
    describe_groups,
    describe_new_rate,
    describe_outcomes,
    describe_segment_counts,
    describe_untested,
    describe_validation,
    format_whole_percent,
)
from gaussmix.report.churn_validation import ChurnValidation

MAX_CUSTOMERS_SHOWN = 10
_MAX_IDENTIFIER_WIDTH = 20
_INDENT = 4


def format_summary(file_name: str, target: str, summary: ChurnSummary) -> str:
    """Return what was read, who left, and how good the probabilities are."""
    n_columns = len(summary.model.classifier_.schema_.input_columns)
    fields = [
        ("File", f"{file_name}: {len(summary.is_positive):,} customers, {n_columns} columns beside {target!r}"),
        ("Outcome", describe_outcomes(int(summary.is_positive.sum()), len(summary.is_positive))),
    ]
    names = ("Test", "Ranking", "Accuracy")
    fields += zip(names, describe_validation(summary.validation), strict=True)
    return format_fields(fields)


def format_models(validation: ChurnValidation) -> str:
    """Return the models side by side, and their differences in words."""
    rows = [[row.name, row.auc, row.brier, row.log_loss, row.calibration_error] for row in model_table(validation)]
    table = format_table(["model", "AUC", "Brier score", "log-loss", "ECE"], rows)
    return "\n".join([table, *map(_wrap, validation.comparison.sentences)])


def format_groups(validation: ChurnValidation) -> str:
    """Return the sentences on the groups of a column; '' without one."""
    return "\n".join(map(_wrap, describe_groups(validation)))


def format_segments(summary: ChurnSummary) -> str:
    """Return the segments in words, the highest churn rate first."""
    lines = ["segments", *(f"  {_wrap(note, 2)}" for note in summary.segments.notes)]
    for row in segment_table(summary.segments):
        head = f"  {row.name}  "
        text = f"{row.size} customers, {row.rate} left: {row.description}"
        lines.append(f"{head}{_wrap(text, len(head))}")
    return "\n".join([*lines, *(f"  {_wrap(note, 2)}" for note in describe_segment_counts(summary.segments))])


def format_customers(scores: ScoredCustomers, title: str, has_fixed_columns: bool) -> str:
    """Return the customers who may leave, the highest probability first; '' if there are none."""
    rows = customer_table(scores, MAX_CUSTOMERS_SHOWN)
    if not rows:
        return ""
    notes = [
        describe_changes(has_fixed_columns),
        *describe_fold_columns(scores.fold_columns),
        *describe_untested(scores.is_tested, scores.candidates),
    ]
    table = _format_customer_rows(rows, list(scores.identifiers))
    return "\n".join([title, table, *(f"  {_wrap(note, 2)}" for note in notes)])


def _format_customer_rows(rows: Sequence[CustomerRow], identifier_names: Sequence[str]) -> str:
    """Return a table of customers, with their reasons below each."""
    header = ["no.", "data row", *identifier_names, "probability", "segment"]
    cells = [[str(row.number), str(row.row + 1), *row.identifiers, row.probability, row.segment] for row in rows]
    short = [[truncate_text(cell, _MAX_IDENTIFIER_WIDTH) for cell in line] for line in [header, *cells]]
    widths = [max(map(len, column)) for column in zip(*short, strict=True)]
    heads = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in short]
    lines = [heads[0]]
    for head, row in zip(heads[1:], rows, strict=True):
        texts = {"why": row.reason, "change": row.change}
        lines += [head, *(" " * _INDENT + _wrap(f"{name}: {text}", _INDENT) for name, text in texts.items() if text)]
    return "\n".join(lines)


def format_contacts(tested: ActionPlan | None, current: ActionPlan | None) -> str:
    """Return whom to contact; '' without costs."""
    return "\n".join(map(_wrap, describe_contacts(tested, current)))


def format_score_summary(model_name: str, file_name: str, scored: ScoredFile) -> str:
    """Return what was scored, how many customers are expected to leave, and how they differ from those of the fit."""
    probabilities = scored.scores.probabilities
    n_customers = len(probabilities)
    expected, mean = probabilities.sum(), format_whole_percent(float(probabilities.mean()))
    fields = [
        ("File", f"{file_name}: {n_customers:,} {pluralize('customer', n_customers)}"),
        ("Model", model_name),
        ("Leaving", f"expected: about {expected:,.0f} of {n_customers:,} ({mean})"),
    ]
    if scored.new_rate is not None:
        fields.append(("Rate", describe_new_rate(scored.new_rate, scored.training_rate, scored.rate_estimate)))
    outcomes = () if scored.evaluation is None else scored.evaluation.sentences
    for name, sentences in (("Outcomes", outcomes), ("Drift", scored.drift.sentences)):
        fields += [(name if i == 0 else "", sentence) for i, sentence in enumerate(sentences)]
    return format_fields(fields)


def _wrap(text: str, indent: int = 0) -> str:
    """Return a wrapped text whose further lines are indented."""
    width = max(terminal_width() - indent, 1)
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
    return ("\n" + " " * indent).join(lines)
