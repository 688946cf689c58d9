"""Tables of a report on churn: models side by side, segments, and customers of the highest probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.segment_profiles import CategoricalProfile, ColumnProfile, NumericProfile
from gaussmix.classification.churn.segments import Segments
from gaussmix.classification.churn.wording import format_condition, format_number
from gaussmix.classification.evaluation.measures import MeasureDifference
from gaussmix.classification.validation.comparison_sentences import format_difference
from gaussmix.report.churn_scores import ScoredCustomers
from gaussmix.report.churn_text import format_whole_percent
from gaussmix.report.churn_validation import ChurnValidation

_N_DECIMALS = 4


@dataclass(frozen=True)
class ModelRow:
    """A model and its measures as text; differences to the first model, with standard errors, are '' for it.

    Attributes
    ----------
    name : str
    auc, brier, log_loss, calibration_error : str
    auc_difference, brier_difference : str
        The churn model minus this one, such as '+0.0044 ± 0.0011'.
    """

    name: str
    auc: str
    brier: str
    log_loss: str
    calibration_error: str
    auc_difference: str
    brier_difference: str


def model_table(validation: ChurnValidation) -> list[ModelRow]:
    """Return one row per model, the churn model first."""
    comparison = validation.comparison
    rows = []
    for name, measures in comparison.measures.items():
        differences = {one.measure: one for one in comparison.differences.get(name, ())}
        rows.append(
            ModelRow(
                name,
                f"{measures.auc:.{_N_DECIMALS}f}",
                f"{measures.brier:.{_N_DECIMALS}f}",
                f"{measures.log_loss:.{_N_DECIMALS}f}",
                f"{measures.calibration_error:.{_N_DECIMALS}f}",
                _format_optional(differences.get("AUC")),
                _format_optional(differences.get("Brier score")),
            )
        )
    return rows


def _format_optional(found: MeasureDifference | None) -> str:
    """Return a difference with its sign and standard error, '' for None."""
    return "" if found is None else format_difference(found)


@dataclass(frozen=True)
class SegmentRow:
    """A segment as text; percentages are numbers from 0 to 100 for a bar.

    Attributes
    ----------
    name : str
    size : str
    rate : str
        Such as '54% (50% to 58%)'.
    description : str
    typical_rows : tuple of int
        Positions, from 0, of typical customers.
    percent, low_percent, high_percent : float
        Churn rate and the ends of its interval.
    """

    name: str
    size: str
    rate: str
    description: str
    typical_rows: tuple[int, ...]
    percent: float
    low_percent: float
    high_percent: float


@dataclass(frozen=True)
class CustomerRow:
    """A customer: number from 1 for the highest probability, position from 0, and what is known as text."""

    number: int
    row: int
    identifiers: tuple[str, ...]
    probability: str
    segment: str
    reason: str
    change: str


def segment_table(segments: Segments) -> list[SegmentRow]:
    """Return the segments, the highest churn rate first."""
    rows = []
    for segment in segments:
        rate, (low, high) = segment.churn_rate.rate, segment.churn_rate.interval
        rows.append(
            SegmentRow(
                str(segment.number),
                f"{segment.n_customers:,.0f}",
                f"{format_whole_percent(rate)} ({format_whole_percent(low)} to {format_whole_percent(high)})",
                segment.profile.description,
                segment.typical_rows,
                100.0 * rate,
                100.0 * low,
                100.0 * high,
            )
        )
    return rows


def customer_table(scores: ScoredCustomers, max_rows: int | None = None) -> list[CustomerRow]:
    """Return the explained customers, the highest probability first, at most ``max_rows`` of them."""
    texts = zip(scores.candidates[:max_rows].tolist(), scores.reasons_to_leave, scores.change_texts, strict=False)
    return [
        CustomerRow(
            number=number,
            row=row,
            identifiers=tuple(str(values[row]) for values in scores.identifiers.values()),
            probability=format_whole_percent(float(scores.probabilities[row])),
            segment=str(scores.segments.numbers[row]),
            reason=reason,
            change=change,
        )
        for number, (row, reason, change) in enumerate(texts, start=1)
    ]


@dataclass(frozen=True)
class ProfileRow:
    """A column as text: all customers, and each segment."""

    column: str
    overall: str
    cells: tuple[str, ...]


def profile_table(segments: Segments, max_columns: int) -> list[ProfileRow]:
    """Return one row per column, those in which the segments differ most first, at most ``max_columns``.

    Columns that say the same of every segment are one row.
    """
    profiles = [{profile.column: profile for profile in segment.profile.columns} for segment in segments]
    gains = {
        name: sum(
            segment.fraction * each[name].information_gain for segment, each in zip(segments, profiles, strict=True)
        )
        for name in profiles[0]
    }
    names = sorted(gains, key=lambda name: -gains[name])
    rows = [_profile_row(name, [each[name] for each in profiles]) for name in names]
    return list({(row.overall, row.cells): row for row in reversed(rows)}.values())[::-1][:max_columns]


def _profile_row(name: str, profiles: Sequence[ColumnProfile]) -> ProfileRow:
    """Return a column: medians with quartiles, or how frequent the level is that differs most between segments."""
    first = profiles[0]
    if isinstance(first, NumericProfile):
        numbers = [each for each in profiles if isinstance(each, NumericProfile)]
        return ProfileRow(name, format_number(first.overall_median), tuple(_format_quartiles(each) for each in numbers))
    levels = [each for each in profiles if isinstance(each, CategoricalProfile)]
    fractions = np.array([each.fractions for each in levels])
    level = int(np.argmax(np.ptp(fractions, axis=0)))
    texts = tuple(format_whole_percent(fraction) for fraction in fractions[:, level].tolist())
    condition = format_condition(name, first.levels[level])
    return ProfileRow(condition, format_whole_percent(first.overall_fractions[level]), texts)


def _format_quartiles(profile: NumericProfile) -> str:
    """Return '83.2 (70.3 to 94.1)': the median and the quartiles."""
    low, high = format_number(profile.low_quartile), format_number(profile.high_quartile)
    return f"{format_number(profile.median)} ({low} to {high})"
