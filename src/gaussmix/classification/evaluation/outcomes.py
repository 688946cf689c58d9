"""``BinaryOutcomes``: outcomes and predicted probabilities of rows, checked once for all measures."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.input_arrays import parse_weights
from gaussmix.core.input_kinds import fill_masked_with_nan
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import OutcomeError, ParameterError
from gaussmix.types import AnyArray, ArrayLike, BoolN, IntN, N

ROUNDING_TOLERANCE = 1e-9  # probabilities may lie this far outside of 0 to 1, as sums of rounded numbers do
MIN_ROWS_PER_CLASS = 2  # a standard error needs two rows of each class


@dataclass(frozen=True, eq=False)
class BinaryOutcomes:
    """Rows of positive weight: whether each is positive (n,), its probability (n,) and its weight (n,)."""

    is_positive: BoolN
    probabilities: N
    weights: N

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.weights)

    @property
    def total_weight(self) -> float:
        """The sum of the weights."""
        return float(self.weights.sum())

    @property
    def positive_weight(self) -> float:
        """The weight of the positive rows."""
        return float(self.weights[self.is_positive].sum())

    @property
    def n_positive(self) -> int:
        """The number of positive rows."""
        return int(self.is_positive.sum())

    @property
    def rate(self) -> float:
        """The weighted fraction of positive rows."""
        return self.positive_weight / self.total_weight

    @property
    def mean_probability(self) -> float:
        """The weighted mean of the probabilities."""
        return float(self.weights @ self.probabilities) / self.total_weight

    @property
    def has_both_classes(self) -> bool:
        """Whether each class has the two rows that a standard error needs."""
        return min(self.n_positive, len(self) - self.n_positive) >= MIN_ROWS_PER_CLASS

    def select_rows(self, rows: BoolN | IntN) -> "BinaryOutcomes":
        """Return some of the rows."""
        return BinaryOutcomes(self.is_positive[rows], self.probabilities[rows], self.weights[rows])


def parse_outcomes(y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None) -> BinaryOutcomes:
    """Return outcomes and probabilities without the rows of weight zero.

    Parameters
    ----------
    y : array-like of shape (n,)
        True or 1 for rows of the positive class, False or 0 for others.
    p : array-like of shape (n,)
        Probability of the positive class.
    sample_weight : array-like of shape (n,), optional
        Row weights. Default: 1.

    Raises
    ------
    DataError
        If shapes differ, ``y`` is not binary, a number is no probability, or there are no rows.
    """
    outcomes = parse_all_outcomes(y, p, sample_weight)
    return outcomes.select_rows(outcomes.weights > 0)


def parse_all_outcomes(y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None) -> BinaryOutcomes:
    """Return the same with the rows of weight zero, for callers that have more to know of each row."""
    is_positive = parse_binary(y)
    probabilities = parse_probabilities(p)
    if probabilities.shape != is_positive.shape:
        raise OutcomeError.not_one_per_row("p", probabilities.shape, len(is_positive))
    parsed = parse_weights(sample_weight, len(is_positive))
    weights = np.ones(len(is_positive)) if parsed is None else parsed
    if not len(weights):
        raise OutcomeError.no_rows()
    return BinaryOutcomes(is_positive, probabilities, weights)


def require_both_classes(outcomes: BinaryOutcomes) -> None:
    """Raise OutcomeError unless each class has two rows or more."""
    if not outcomes.has_both_classes:
        n_negative = len(outcomes) - outcomes.n_positive
        raise OutcomeError.one_class(outcomes.n_positive, n_negative, MIN_ROWS_PER_CLASS)


def parse_binary(y: ArrayLike) -> BoolN:
    """Return outcomes as booleans (n,); raise OutcomeError for other values than True, False, 1 and 0."""
    values = np.asarray(fill_masked_with_nan(y))
    if values.ndim != 1:
        raise OutcomeError.not_one_dimensional(values.shape)
    if values.dtype == np.bool_:
        return values
    is_number = values.dtype.kind in "iuf"
    is_valid = np.isin(values, (0, 1)) if is_number else np.array([_is_zero_or_one(value) for value in values], bool)
    if not is_valid.all():
        row = int(np.argmin(is_valid))
        raise OutcomeError.not_binary(row, values[row : row + 1].tolist()[0])
    return values.astype(np.bool_)


def _is_zero_or_one(value: object) -> bool:
    """Return whether a value is a number or a bool that equals 0 or 1; missing values of pandas are neither."""
    return isinstance(value, bool | int | float | np.generic) and value in (0, 1)


def parse_probabilities(p: ArrayLike) -> N:
    """Return probabilities (n,) as float64, between 0 and 1; raise OutcomeError for anything else."""
    values = as_float_array(p)
    if values.ndim != 1:
        raise OutcomeError.table_of_probabilities(values.shape)
    return clip_rounding(values)


def as_float_array(p: ArrayLike) -> AnyArray:
    """Return probabilities of any shape as float64; raise OutcomeError if they are not numbers."""
    try:
        return np.asarray(fill_masked_with_nan(p), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise OutcomeError.not_numbers(error) from error


def clip_rounding(values: AnyArray) -> AnyArray:
    """Return probabilities, rows first, without the rounding beyond 0 and 1; raise OutcomeError for other numbers."""
    is_valid = (values >= -ROUNDING_TOLERANCE) & (values <= 1.0 + ROUNDING_TOLERANCE)
    if not is_valid.all():
        position = tuple(int(i) for i in np.argwhere(~is_valid)[0])
        raise OutcomeError.not_a_probability(position[0], float(values[position]))
    return np.clip(values, 0.0, 1.0)


def require_level(level: object) -> float:
    """Return the confidence level as a float; raise ParameterError unless it lies between 0 and 1."""
    if not is_number_in(level, 0.0, 1.0):
        raise ParameterError.invalid_value("level", level, "a confidence level above 0 and below 1, such as 0.95")
    return float(level)  # type: ignore[arg-type]
