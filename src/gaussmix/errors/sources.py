"""Errors about the batches that a source hands over."""

from gaussmix.errors.data import DataError
from gaussmix.errors.text import format_count


class SourceError(DataError):
    """Batches of a source that cannot be used."""

    @classmethod
    def rows_not_consecutive(cls, first_row: int, expected: int) -> "SourceError":
        """Return the error that a batch does not begin at the row after the last row of the batch before it."""
        return cls(
            f"a batch of the source has first_row={first_row}, but {format_count(expected, 'row')} came before it; "
            "set first_row of every Batch to the number of rows in the batches before it"
        )

    @classmethod
    def rows_out_of_range(cls, first_row: int, n_rows: int, n_source_rows: int) -> "SourceError":
        """Return the error that a batch has rows beyond the number of rows of its source."""
        return cls(
            f"a batch of the source has first_row={first_row} and {format_count(n_rows, 'row')}, but the source has "
            f"n_rows={n_source_rows}; set first_row of every Batch to the number of rows in the batches before it, and "
            "n_rows to the number of all rows, or to None if it is unknown"
        )

    @classmethod
    def wrong_n_results(cls, actual: int, expected: int) -> "SourceError":
        """Return the error that the batches have more or fewer rows than the source says."""
        return cls(
            f"the batches of the source have {format_count(actual, 'row')}, but its n_rows is {expected}; "
            "correct n_rows, or make it None if the number is unknown"
        )

    @classmethod
    def wrong_rows(cls, first_row: int, found: str, n_features: int) -> "SourceError":
        """Return the error that the rows of a batch are no array of numbers with the columns of the source."""
        return cls(
            f"raw_rows of the batch at row {first_row} must be an array of floats of shape (n, {n_features}), but "
            f"{found}; hand over rows as an array with n_features columns"
        )

    @classmethod
    def wrong_weights(cls, first_row: int, found: str, n_rows: int) -> "SourceError":
        """Return the error that the weights of a batch are not one number per row."""
        return cls(
            f"weights of the batch at row {first_row} must be None or an array of floats of shape ({n_rows},), but "
            f"{found}; hand over one weight per row"
        )

    @classmethod
    def no_rows(cls) -> "SourceError":
        """Return the error that a source has no row of positive weight."""
        return cls("the source has no row of positive weight; it must hand over at least one")
