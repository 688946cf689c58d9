"""``GroupMeasures``: rates, calibration and errors of a classifier in one group of rows."""

from dataclasses import dataclass
from typing import NamedTuple

from gaussmix.classification.evaluation.influence import auc_with_influence
from gaussmix.classification.evaluation.outcomes import BinaryOutcomes
from gaussmix.classification.evaluation.rate_intervals import (
    Interval,
    effective_count,
    rate_interval_given_probabilities,
    wilson_interval,
)
from gaussmix.types import BoolN

_MIN_ROWS, _MIN_ROWS_PER_CLASS = 30, 5  # fewer are too few for intervals to say much


class RateWithInterval(NamedTuple):
    """A fraction of some rows, with its Wilson interval."""

    rate: float
    interval: Interval


@dataclass(frozen=True)
class GroupMeasures:
    """The rows of one group.

    Attributes
    ----------
    name : str
        The value of the column; '(missing)' for cells without a value.
    n_rows, n_positive : int
    rate, mean_probability : float
        Fraction of positive rows, and mean of the probabilities.
    calibration_difference : float
        ``mean_probability`` - ``rate``: above 0, the probabilities are too high.
    calibration_interval : Interval
        Its score interval, ``low`` and ``high``.
    auc, auc_standard_error : float or None
        None if a class has fewer than two rows.
    true_positive, false_positive : RateWithInterval or None
        Fractions of the positive and of the negative rows with a probability above the threshold; None if there are
        none of that class.
    selected : RateWithInterval
        The fraction of all rows with a probability above the threshold.
    is_too_small : bool
        Whether there are fewer than 30 rows, or fewer than 5 of a class. Such a group is not compared.
    """

    name: str
    n_rows: int
    n_positive: int
    rate: float
    mean_probability: float
    calibration_difference: float
    calibration_interval: Interval
    auc: float | None
    auc_standard_error: float | None
    true_positive: RateWithInterval | None
    false_positive: RateWithInterval | None
    selected: RateWithInterval
    is_too_small: bool

    def to_row(self) -> dict[str, object]:
        """Return the measures as one row of a table; values that the rows do not determine are None."""
        names = ("n_rows", "n_positive", "rate", "mean_probability", "calibration_difference")
        row: dict[str, object] = {"group": self.name} | {name: getattr(self, name) for name in names}
        row |= {"calibration_low": self.calibration_interval.low, "calibration_high": self.calibration_interval.high}
        row |= {"auc": self.auc, "auc_standard_error": self.auc_standard_error}
        for name in ("true_positive", "false_positive", "selected"):
            found: RateWithInterval | None = getattr(self, name)
            row[f"{name}_rate"] = None if found is None else found.rate
        return row | {"is_too_small": self.is_too_small}


def measure_group(name: str, rows: BinaryOutcomes, threshold: float, level: float) -> GroupMeasures:
    """Return the measures of the rows of a group, of which there is at least one."""
    auc = auc_with_influence(rows) if rows.has_both_classes else None
    n_smaller_class = min(rows.n_positive, len(rows) - rows.n_positive)
    return GroupMeasures(
        name=name,
        n_rows=len(rows),
        n_positive=rows.n_positive,
        rate=rows.rate,
        mean_probability=rows.mean_probability,
        calibration_difference=rows.mean_probability - rows.rate,
        calibration_interval=calibration_interval(rows, level),
        auc=None if auc is None else auc.value,
        auc_standard_error=None if auc is None else auc.standard_error(rows.weights),
        true_positive=_selected_fraction(rows, rows.is_positive, threshold, level),
        false_positive=_selected_fraction(rows, ~rows.is_positive, threshold, level),
        selected=_fraction_above(rows, threshold, level),
        is_too_small=len(rows) < _MIN_ROWS or n_smaller_class < _MIN_ROWS_PER_CLASS,
    )


def calibration_interval(rows: BinaryOutcomes, level: float) -> Interval:
    """Return the interval of the mean probability minus the expected rate of some rows."""
    interval = rate_interval_given_probabilities(rows, level)
    return Interval(rows.mean_probability - interval.high, rows.mean_probability - interval.low)


def _selected_fraction(
    rows: BinaryOutcomes, is_in_class: BoolN, threshold: float, level: float
) -> RateWithInterval | None:
    """Return the fraction of the rows of a class with a probability above the threshold; None without such rows."""
    return _fraction_above(rows.select_rows(is_in_class), threshold, level) if is_in_class.any() else None


def _fraction_above(rows: BinaryOutcomes, threshold: float, level: float) -> RateWithInterval:
    """Return the fraction of rows with a probability above the threshold."""
    fraction = float(rows.weights[rows.probabilities > threshold].sum()) / rows.total_weight
    return RateWithInterval(fraction, wilson_interval(fraction, effective_count(rows.weights), level))
