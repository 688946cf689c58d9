"""Tables of anomalies, of their groups, and of the groups of normal rows."""

from dataclasses import dataclass

from gaussmix.errors.text import format_count, join_with_commas
from gaussmix.model import Mixture
from gaussmix.report.anomaly_summary import AnomalySummary, name_group
from gaussmix.report.anomaly_text import format_p_value
from gaussmix.report.formatting import format_means_with_deviations
from gaussmix.types import IntN, K

_MAX_ROWS_NAMED = 8  # of a group


@dataclass(frozen=True)
class AnomalyRow:
    """An anomaly: its number from 1 for the most unusual one, its position from 0, and what is known of it."""

    number: int
    row: int
    identifiers: tuple[str, ...]
    p_value: str
    group: str
    reason: str
    smallest_change: str


@dataclass(frozen=True)
class AnomalyGroupRow:
    """A group of anomalies: its name, size, description, typical row, from 0, and the numbers of its anomalies.

    The typical one comes first.
    """

    name: str
    size: int
    description: str
    typical_row: int
    members: str


@dataclass(frozen=True)
class NormalGroupRow:
    """A group of normal rows: its share, and median ± half-width of each column as text."""

    share: float
    texts: tuple[str, ...]


def normal_group_table(mixture: Mixture, max_columns: int | None = None) -> list[NormalGroupRow]:
    """Return the groups of normal rows of a detector, with the first ``max_columns`` columns."""
    columns = [
        _format_medians(medians, widths)
        for medians, widths in zip(mixture.medians.T[:max_columns], mixture.half_widths.T[:max_columns], strict=True)
    ]
    shares = mixture.weights.tolist()
    return [NormalGroupRow(share, texts) for share, texts in zip(shares, zip(*columns, strict=True), strict=True)]


def _format_medians(medians: K, half_widths: K) -> list[str]:
    """Return a text such as '54.49 ± 5.80' for each group; a power of ten of all groups is written behind."""
    texts, exponent = format_means_with_deviations(medians.tolist(), half_widths.tolist())
    return [f"{text} (1e{exponent})" for text in texts] if exponent else texts


def anomaly_table(summary: AnomalySummary, max_rows: int | None = None) -> list[AnomalyRow]:
    """Return the explained anomalies, the most unusual first, at most ``max_rows`` of them.

    Parameters
    ----------
    summary : AnomalySummary
        What `summarize_anomalies` returns.
    max_rows : int, optional
        Default: all.

    Returns
    -------
    list of AnomalyRow
    """
    texts = zip(
        summary.explained[:max_rows].tolist(),
        summary.group_names,
        summary.reasons,
        summary.change_sentences,
        strict=False,
    )
    return [
        AnomalyRow(
            number=number,
            row=row,
            identifiers=tuple(str(values[row]) for values in summary.identifiers.values()),
            p_value=format_p_value(float(summary.judgement.p_values[row])),
            group=group,
            reason=reason,
            smallest_change=change,
        )
        for number, (row, group, reason, change) in enumerate(texts, start=1)
    ]


def anomaly_group_table(summary: AnomalySummary, max_groups: int | None = None) -> list[AnomalyGroupRow]:
    """Return the groups of anomalies, the largest first, at most ``max_groups`` of them.

    Parameters
    ----------
    summary : AnomalySummary
        What `summarize_anomalies` returns.
    max_groups : int, optional
        Default: all.

    Returns
    -------
    list of AnomalyGroupRow
    """
    groups = () if summary.groups is None else summary.groups.groups
    return [
        AnomalyGroupRow(
            name=name_group(label),
            size=group.size,
            description=f"{group.description}.",
            typical_row=int(summary.explained[group.typical_row]),
            members=_format_members(group.rows),
        )
        for label, group in enumerate(groups[:max_groups])
    ]


def _format_members(rows: IntN) -> str:
    """Return the numbers, from 1, of the anomalies of a group: '3, 1, 7'."""
    return join_with_commas([str(row + 1) for row in rows.tolist()], _MAX_ROWS_NAMED)


def describe_dominant_column(summary: AnomalySummary) -> str:
    """Return that most anomalies deviate in one column, and how many values it has if these are few; '' otherwise."""
    found = summary.dominant_column
    if found is None:
        return ""
    values = "" if found.n_values is None else f", a column of {format_count(found.n_values, 'value')}"
    rare = "" if found.n_values is None else " A rare value of such a column need not be wrong."
    return f"{found.n_rows} of {found.n_explained} anomalies deviate most in {found.name}{values}.{rare}"
