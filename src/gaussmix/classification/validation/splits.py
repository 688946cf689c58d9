"""``ValidationPlan``: which rows train a model and which test it, in random folds or by time."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.core.input_kinds import fill_masked_with_nan
from gaussmix.core.scalar_checks import is_number_in, require_integer
from gaussmix.errors import ParameterError, ValidationError
from gaussmix.types import AnyArray, ArrayLike, BoolN, IntN

_MIN_ROWS_PER_CLASS = 2  # measures of the test rows need two of each class
_N_CHARACTERS = {"day": 10, "second": 19}


class ValidationSplit(NamedTuple):
    """Positions of training rows and of test rows."""

    train: IntN
    test: IntN


@dataclass(frozen=True, eq=False)
class ValidationPlan:
    """Splits of the rows into training and test rows.

    Attributes
    ----------
    splits : tuple of ValidationSplit
        No row is a test row twice.
    description : str
        Such as '5 stratified folds of 7043 rows'.
    """

    splits: tuple[ValidationSplit, ...]
    description: str

    @property
    def test_rows(self) -> IntN:
        """Positions of all test rows, ascending."""
        return np.sort(np.concatenate([split.test for split in self.splits]))


def plan_stratified_folds(is_positive: BoolN, n_folds: int = 5, random_state: int = 0) -> ValidationPlan:
    """Return folds that have the same fraction of positive rows; each is tested by a model of the others.

    Parameters
    ----------
    is_positive : ndarray of bool of shape (n,)
    n_folds : int, default=5
        At least 2, and at most the number of rows of the smaller class.
    random_state : int, default=0
        Seed of the shuffled rows.

    Raises
    ------
    ParameterError, ValidationError
        If a parameter is invalid, or a class has fewer rows than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold

    n_folds = require_integer("n_folds", n_folds, 2)
    random_state = require_integer("random_state", random_state, 0)
    counts = {"positive": int(is_positive.sum()), "negative": int((~is_positive).sum())}
    for name, count in counts.items():
        if count < n_folds:
            raise ValidationError.too_few_rows_for_folds(name, count, n_folds)
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    pairs = folds.split(np.zeros((len(is_positive), 1)), is_positive)
    splits = tuple(ValidationSplit(train, test) for train, test in pairs)
    return ValidationPlan(splits, f"{n_folds} stratified folds of {len(is_positive):,} rows")


def plan_split_in_time(is_positive: BoolN, times: ArrayLike, test_fraction: float = 0.2) -> ValidationPlan:
    """Return one split: earlier rows train, later rows test.

    Rows of equal time stay together, so that the fraction of test rows is met as closely as the times allow.

    Parameters
    ----------
    is_positive : ndarray of bool of shape (n,)
    times : array-like of shape (n,)
        Numbers or dates; text must be numbers or ISO dates such as 2024-05-31.
    test_fraction : float, default=0.2
        Above 0 and below 1.

    Raises
    ------
    ParameterError, ValidationError
        If a time is missing or unreadable, all are equal, or one side lacks two rows of a class.
    """
    if not is_number_in(test_fraction, 0.0, 1.0):
        raise ParameterError.invalid_value("test_fraction", test_fraction, "a number above 0 and below 1")
    values = parse_times(times, len(is_positive))
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < 2:
        raise ValidationError.equal_times(format_time(distinct[0]))
    n_later = len(values) - np.cumsum(counts)[:-1]
    last = distinct[int(np.argmin(np.abs(n_later - test_fraction * len(values))))]
    split = ValidationSplit(np.flatnonzero(values <= last), np.flatnonzero(values > last))
    for part, rows in (("earlier", split.train), ("later", split.test)):
        n_positive = int(is_positive[rows].sum())
        if min(n_positive, len(rows) - n_positive) < _MIN_ROWS_PER_CLASS:
            raise ValidationError.one_sided_split(part, format_time(last), n_positive, len(rows) - n_positive)
    description = (
        f"trained on the {len(split.train):,} rows up to {format_time(last)}, tested on the {len(split.test):,} later "
        "rows"
    )
    return ValidationPlan((split,), description)


def parse_times(times: ArrayLike, n_rows: int) -> AnyArray:
    """Return times (n,) as float64 or datetime64; raise ValidationError if one is missing or unreadable."""
    values = np.asarray(fill_masked_with_nan(times))
    if values.shape != (n_rows,):
        raise ValidationError.not_one_time_per_row(values.shape, n_rows)
    if values.dtype.kind not in "fiuM":
        values = _convert_texts(values)
    is_missing = np.isnat(values) if values.dtype.kind == "M" else ~np.isfinite(values)
    if is_missing.any():
        raise ValidationError.missing_times(int(is_missing.sum()), int(np.argmax(is_missing)))
    return values


def _convert_texts(values: AnyArray) -> AnyArray:
    """Return texts or objects (n,) as numbers if all are, else as dates."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        pass
    dates = np.empty(len(values), dtype="datetime64[us]")
    for row, value in enumerate(values.tolist()):
        try:
            dates[row] = np.datetime64("NaT" if _is_missing(value) else value, "us")
        except (TypeError, ValueError):
            raise ValidationError.unreadable_time(row, value) from None
    return dates


def _is_missing(value: object) -> bool:
    """Return whether a cell has no value; NaN differs from itself, and pandas' NA refuses to be compared."""
    try:
        return value is None or value == "" or bool(value != value)
    except TypeError:
        return True


def format_time(value: np.generic) -> str:
    """Return a time as text, without seconds if it is midnight."""
    if not isinstance(value, np.datetime64):
        return f"{float(value):.10g}"
    text = str(value.astype("datetime64[s]"))
    return text[: _N_CHARACTERS["day" if text.endswith("T00:00:00") else "second"]].replace("T", " ")
