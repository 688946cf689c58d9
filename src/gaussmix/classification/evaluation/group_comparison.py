"""``GroupComparison``: is a classifier as good for every group of a column, such as gender, as for the others?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.classification.evaluation.group_measures import (
    GroupMeasures,
    RateWithInterval,
    calibration_interval,
    measure_group,
)
from gaussmix.classification.evaluation.outcomes import BinaryOutcomes, parse_all_outcomes, require_level
from gaussmix.core.input_labels import format_label, natural_sort_key
from gaussmix.core.scalar_checks import is_real_number
from gaussmix.errors import OutcomeError, ParameterError
from gaussmix.types import ArrayLike

MISSING_GROUP = "(missing)"
MAX_GROUPS = 50


@dataclass(frozen=True, repr=False)
class GroupComparison:
    """The result of `compare_groups`; ``print`` shows its sentences.

    Attributes
    ----------
    column : str
        Name of the column.
    groups : tuple of GroupMeasures
        In natural order of their names, missing values last.
    threshold : float
        Rows with a higher probability count as predicted positive.
    level : float
        Confidence level of the intervals.
    sentences : tuple of str
        Which probabilities do not fit their group, which true positive rates differ, and which groups are too small.
    """

    column: str
    groups: tuple[GroupMeasures, ...]
    threshold: float
    level: float
    sentences: tuple[str, ...]

    def table(self) -> list[dict[str, object]]:
        """Return one dict per group; values that its rows do not determine are None."""
        return [group.to_row() for group in self.groups]

    def __repr__(self) -> str:
        """Return the sentences."""
        return "\n".join(self.sentences)


def compare_groups(
    y: ArrayLike,
    p: ArrayLike,
    groups: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    threshold: float = 0.5,
    level: float = 0.95,
    name: str = "group",
    positive_name: str = "positive rows",
) -> GroupComparison:
    """Return how well probabilities fit the groups of a column, and how often each group is predicted positive.

    Parameters
    ----------
    y : array-like of shape (n,)
        True or 1 for rows of the positive class, False or 0 for others.
    p : array-like of shape (n,)
        Probability of the positive class.
    groups : array-like of shape (n,)
        Value of the column in each row: text, numbers, booleans; None, NaN and empty text are missing.
    sample_weight : array-like of shape (n,), optional
        Row weights. Default: 1.
    threshold : float, default=0.5
        Rows with a higher probability count as predicted positive. For decisions that weigh costs against values, pass
        ``ActionPlan.threshold``.
    level : float, default=0.95
        Confidence level of the intervals. Those of sentences hold for all groups at once (Bonferroni).
    name : str, default='group'
        Name of the column, for sentences and errors.
    positive_name : str, default='positive rows'
        What sentences call the rows of the positive class, such as 'customers who left'.

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter are invalid, or the column has more than 50 distinct values.
    """
    level = require_level(level)
    if not is_real_number(threshold) or not 0.0 <= threshold <= 1.0:
        raise ParameterError.invalid_value("threshold", threshold, "a probability from 0 to 1")
    outcomes = parse_all_outcomes(y, p, sample_weight)
    names = np.array(_parse_group_names(groups, len(outcomes), name), dtype=object)
    is_present = outcomes.weights > 0
    outcomes, names = outcomes.select_rows(is_present), names[is_present]
    rows_of_groups = {each: outcomes.select_rows(names == each) for each in _sort_names(names.tolist(), name)}
    found = tuple(measure_group(each, rows, float(threshold), level) for each, rows in rows_of_groups.items())
    wording = GroupWording(name, positive_name, float(threshold))
    sentences = _describe_groups(wording, found, rows_of_groups, level)
    return GroupComparison(name, found, float(threshold), level, sentences)


def _parse_group_names(groups: ArrayLike, n_rows: int, name: str) -> list[str]:
    """Return the value of each row as text; raise OutcomeError if there is not one per row."""
    values = np.array(groups, dtype=object)
    if isinstance(groups, np.ma.MaskedArray):
        values[np.ma.getmaskarray(groups)] = None
    if values.shape != (n_rows,):
        raise OutcomeError.not_one_per_row(name, values.shape, n_rows)
    return [MISSING_GROUP if _is_missing(value) else format_label(value) for value in values.tolist()]


def _is_missing(value: object) -> bool:
    """Return whether a cell has no value; pandas' missing values raise on comparison, NaN differs from itself."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    try:
        return bool(value != value)
    except TypeError:
        return True


def _sort_names(names: Sequence[str], column: str) -> list[str]:
    """Return the distinct names in natural order, missing values last; raise OutcomeError if there are too many."""
    distinct = set(names)
    if len(distinct) > MAX_GROUPS:
        raise OutcomeError.too_many_groups(column, len(distinct), MAX_GROUPS)
    return sorted(distinct, key=lambda each: (each == MISSING_GROUP, natural_sort_key(each)))


class GroupWording(NamedTuple):
    """What sentences on groups name: the column, the rows of the positive class, and the threshold."""

    column: str
    positive_name: str
    threshold: float


def _describe_groups(
    wording: GroupWording, groups: Sequence[GroupMeasures], rows_of_groups: dict[str, BinaryOutcomes], level: float
) -> tuple[str, ...]:
    """Return sentences on calibration, on true positive rates and on groups that are too small."""
    compared = [group for group in groups if not group.is_too_small]
    joint_level = 1.0 - (1.0 - level) / max(len(compared), 1)
    sentences = [
        sentence
        for group in compared
        if (sentence := _describe_miscalibration(wording.column, group, rows_of_groups[group.name], joint_level))
    ]
    if compared and not sentences:
        sentences = [f"{wording.column}: no group's probabilities differ from its rate by more than chance explains."]
    if len(compared) > 1:
        sentences.append(_describe_true_positive_rates(wording, compared))
    return (*sentences, *(_describe_small_group(wording, group) for group in groups if group.is_too_small))


def _describe_miscalibration(column: str, group: GroupMeasures, rows: BinaryOutcomes, joint_level: float) -> str:
    """Return a sentence if the probabilities of a group differ from its rate by more than chance, else no text."""
    low, high = calibration_interval(rows, joint_level)
    if low <= 0.0 <= high:
        return ""
    size, direction = abs(group.calibration_difference), "high" if low > 0.0 else "low"
    ends = sorted((abs(low), abs(high)))
    return (
        f"{column} = {group.name}: the probabilities are too {direction} by {size:.3f} on average "
        f"({ends[0]:.3f} to {ends[1]:.3f})."
    )


def _describe_true_positive_rates(wording: GroupWording, groups: Sequence[GroupMeasures]) -> str:
    """Return a sentence on the groups with the largest and the smallest true positive rate."""
    rates = sorted(
        ((group.true_positive, group.name) for group in groups if group.true_positive is not None),
        key=lambda pair: pair[0].rate,
    )
    (least, least_name), (most, most_name) = rates[0], rates[-1]
    return (
        f"Of the {wording.positive_name}, {_format_rate(most)} of {wording.column} = {most_name} and "
        f"{_format_rate(least)} of {wording.column} = {least_name} have a probability above {wording.threshold:.3g}."
    )


def _format_rate(found: RateWithInterval) -> str:
    """Return a rate with its interval: '61% (55% to 67%)'."""
    return f"{found.rate:.0%} ({found.interval.low:.0%} to {found.interval.high:.0%})"


def _describe_small_group(wording: GroupWording, group: GroupMeasures) -> str:
    """Return a sentence on a group that is too small to compare."""
    return (
        f"{wording.column} = {group.name}: too few to compare ({wording.positive_name}: {group.n_positive:,} of "
        f"{group.n_rows:,})."
    )
