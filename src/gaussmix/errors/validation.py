"""Errors about rows that cannot be split into training and test rows."""

from gaussmix.errors.data import DataError
from gaussmix.errors.text import format_count


class ValidationError(DataError):
    """Rows on which a classifier cannot be validated."""

    @classmethod
    def too_few_rows_for_folds(cls, class_name: str, n_rows: int, n_folds: int) -> "ValidationError":
        """Return the error that a class cannot be in every fold."""
        return cls(
            f"{n_folds} folds need at least {n_folds} rows of each class, but there are "
            f"{format_count(n_rows, f'{class_name} row')}; use fewer folds (n_folds, or --folds), or more rows"
        )

    @classmethod
    def not_one_outcome_per_row(cls, n_outcomes: int, n_rows: int) -> "ValidationError":
        """Return the error that there is not one outcome for each row of the table."""
        return cls(f"y must have one value for each of {format_count(n_rows, 'row')} of X, but has {n_outcomes}")

    @classmethod
    def not_one_time_per_row(cls, shape: tuple[int, ...], n_rows: int) -> "ValidationError":
        """Return the error that there is not one time for each row."""
        return cls(f"time must have one value for each of {format_count(n_rows, 'row')}, but its shape is {shape}")

    @classmethod
    def missing_times(cls, n_missing: int, row: int) -> "ValidationError":
        """Return the error that some rows have no time."""
        return cls(
            f"time is missing in {format_count(n_missing, 'row')}, first in row {row} (counted from 0); fill it, or "
            "drop these rows"
        )

    @classmethod
    def unreadable_time(cls, row: int, value: object) -> "ValidationError":
        """Return the error that a time is neither a number nor a date."""
        error = cls(
            f"time must be numbers or dates such as 2024-05-31, but time of row {row} (counted from 0) is {value!r}; "
            "convert it first"
        )
        error.row = row
        return error

    @classmethod
    def equal_times(cls, time: str) -> "ValidationError":
        """Return the error that no row is later than another."""
        return cls(
            f"time is {time} in all rows, so that no row is later than another; use random folds instead, without time "
            "or --time"
        )

    @classmethod
    def one_sided_split(cls, part: str, last: str, n_positive: int, n_negative: int) -> "ValidationError":
        """Return the error that one side of a split in time has too few rows of a class."""
        return cls(
            f"the {part} rows of a split after {last} are {n_positive} positive and {n_negative} negative ones, but "
            "two of each are needed; choose another test_fraction (--test-fraction), or random folds without time or "
            "--time"
        )

    @classmethod
    def probabilities_not_finite(cls, model: str, n_rows: int) -> "ValidationError":
        """Return the error that a model predicts no probability for some rows."""
        return cls(
            f"{model} predicts a probability that is not finite for {format_count(n_rows, 'test row')}; check the "
            "model on these rows"
        )
