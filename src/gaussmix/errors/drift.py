"""Errors about the reference rows and the scores of a drift monitor."""

from gaussmix.errors.data import DataError
from gaussmix.errors.text import format_count


class DriftError(DataError):
    """Reference rows or scores that a drift monitor cannot use."""

    @classmethod
    def too_few_reference_rows(cls, n_rows: int, minimum: int) -> "DriftError":
        """Return the error that the reference has too few rows."""
        return cls(
            f"the reference has {format_count(n_rows, 'row')}, but needs at least {minimum}; add stationary rows"
        )

    @classmethod
    def too_few_reference_values(cls, column: str, n_values: int, minimum: int) -> "DriftError":
        """Return the error that a column of the reference has too few values that are not missing."""
        return cls(
            f"the reference has {format_count(n_values, 'value')} in {column!r}, without missing ones, but needs at "
            f"least {minimum}; add rows or leave the column out"
        )

    @classmethod
    def score_twice(cls) -> "DriftError":
        """Return the error that both a score function and scores are given."""
        return cls("score_function and scores are both given, but the monitor takes only one of them; drop one")

    @classmethod
    def missing_scores(cls) -> "DriftError":
        """Return the error that new rows come without scores, but the reference had some."""
        return cls("the reference has scores, but these rows have none; pass scores, one number per row")

    @classmethod
    def unexpected_scores(cls) -> "DriftError":
        """Return the error that new rows come with scores, but the reference had none."""
        return cls("these rows have scores, but the reference had none; pass reference_scores to a new monitor")

    @classmethod
    def unexpected_score_function(cls) -> "DriftError":
        """Return the error that a monitor is loaded with a score function that it never had."""
        return cls("score_function is given, but the saved monitor was made without one; leave score_function out")

    @classmethod
    def scores_not_numeric(cls, cause: Exception) -> "DriftError":
        """Return the error that scores cannot be converted to numbers."""
        return cls(f"scores must be numbers: {cause}; pass one number per row, NaN for a row without a score")

    @classmethod
    def wrong_n_scores(cls, actual: tuple[int, ...], n_rows: int) -> "DriftError":
        """Return the error that there is not one score per row."""
        return cls(f"scores must have the shape ({n_rows},), one number per row, but have {actual}")
