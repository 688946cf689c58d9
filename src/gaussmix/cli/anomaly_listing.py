"""Anomalies and their groups as text for a terminal."""

import textwrap

from gaussmix.cli.console import terminal_width
from gaussmix.cli.text_formatting import truncate_text
from gaussmix.errors.text import format_count
from gaussmix.report.anomaly_summary import AnomalySummary
from gaussmix.report.anomaly_tables import anomaly_group_table, anomaly_table

MAX_ROWS_SHOWN, MAX_GROUPS_SHOWN = 20, 10
_MAX_IDENTIFIER_WIDTH = 20
_MIN_REASON_WIDTH = 60  # of a column; in a narrower terminal reasons stand below
_INDENT = 4
_NORMAL_GROUPS = "Normal groups, which have numbers, are groups of normal rows; report.html describes them."


def format_anomalies(summary: AnomalySummary) -> str:
    """Return a table of the most unusual rows, with rows counted from 1, and their reasons; '' without anomalies."""
    rows = anomaly_table(summary, MAX_ROWS_SHOWN)
    if not rows:
        return ""
    header = ["no.", "data row", *summary.identifiers, "p-value", "anomaly group"]
    cells = [[str(row.number), str(row.row + 1), *row.identifiers, row.p_value, row.group] for row in rows]
    short = [[truncate_text(cell, _MAX_IDENTIFIER_WIDTH) for cell in line] for line in [header, *cells]]
    widths = [max(len(line[j]) for line in short) for j in range(len(header))]
    heads = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in short]
    lines = [_append_text(heads[0], "reason")]
    lines += [_append_text(head, row.reason) for head, row in zip(heads[1:], rows, strict=True)]
    n_more = summary.judgement.n_anomalies - len(rows)
    if n_more:
        lines.append(f"... and {n_more} more; anomalies.csv has them all")
    return "\n".join(lines)


def _append_text(head: str, text: str) -> str:
    """Return a line of a table with a text behind it, wrapped in its own column, or below it in a narrow terminal."""
    room = terminal_width() - len(head) - 2
    if room >= _MIN_REASON_WIDTH:
        wrapped = _wrap(text, room)
        return "\n".join([f"{head}  {wrapped[0]}", *(" " * (len(head) + 2) + line for line in wrapped[1:])])
    return "\n".join([head, *(" " * _INDENT + line for line in _wrap(text, terminal_width() - _INDENT))])


def _wrap(text: str, width: int) -> list[str]:
    """Return a text as lines of at most this width, unless a word is longer."""
    return textwrap.wrap(text, max(width, 1), break_long_words=False, break_on_hyphens=False) or [""]


def format_groups(summary: AnomalySummary) -> str:
    """Return the groups of anomalies in words, the largest first; '' without anomalies."""
    groups = anomaly_group_table(summary, MAX_GROUPS_SHOWN)
    if summary.groups is None:
        return ""
    lines = ["anomaly groups"]
    for group in groups:
        typical = f" Data row {group.typical_row + 1} is typical." if group.size > 1 else ""
        head = f"  {group.name}  "
        lines.append(f"{head}{_wrap_below(f'{group.description}{typical}', len(head))}")
    n_more = len(summary.groups) - len(groups)
    if n_more:
        lines.append(f"  ... and {format_count(n_more, 'more group')}")
    if summary.detector.model_.groups.n_components > 1:
        lines.append(f"  {_wrap_below(_NORMAL_GROUPS, 2)}")
    return "\n".join(lines)


def _wrap_below(text: str, indent: int) -> str:
    """Return a wrapped text whose further lines are indented."""
    return ("\n" + " " * indent).join(_wrap(text, terminal_width() - indent))
