"""Errors and warnings about tables of numbers, text and categories."""

from collections.abc import Mapping, Sequence

from gaussmix.errors.data import DataError, DataTypeError
from gaussmix.errors.text import advise_to_drop, format_count, join_with_and, join_with_commas

_MAX_SHOWN_CHARACTERS = 40


def _format_value(value: object) -> str:
    """Return a value for a message, shortened."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else text[: _MAX_SHOWN_CHARACTERS - 3] + "..."


class TableInputError(DataError):
    """Data that are no table of the expected form."""

    @classmethod
    def unknown_table_type(cls, data: object) -> "TableInputError":
        """Return the error that the data are no table that we can read."""
        return cls(
            f"X must be a data frame of pandas, polars or pyarrow, a dict of columns or an array of shape (n, d), but "
            f"has the type {type(data).__name__}"
        )

    @classmethod
    def has_no_columns(cls, n_rows: int) -> "TableInputError":
        """Return the error that the data have no columns."""
        return cls(
            f"the data have no columns: 0 feature(s) (shape=({n_rows}, 0)) while a minimum of 1 is required; pass at "
            "least one column"
        )

    @classmethod
    def complex_numbers(cls) -> "TableInputError":
        """Return the error that the data are complex."""
        return cls("Complex data not supported: pass real and imaginary parts as two columns")

    @classmethod
    def ragged_rows(cls) -> "TableInputError":
        """Return the error that rows have different lengths."""
        return cls(
            "the rows of X have different lengths; pass one value per column in every row, None if it is missing"
        )

    @classmethod
    def ragged_dict(cls, lengths: Mapping[str, int]) -> "TableInputError":
        """Return the error that the columns of a dict have different lengths."""
        shortest, longest = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        return cls(
            f"the columns of X must have equal lengths, but {shortest!r} has {format_count(lengths[shortest], 'row')} "
            f"and {longest!r} has {lengths[longest]}; pass None for missing cells"
        )

    @classmethod
    def column_of_dict_not_flat(cls, column: str, ndim: int) -> "TableInputError":
        """Return the error that a column of a dict has more or fewer dimensions than one."""
        return cls(f"column {column!r} of X must have one dimension, but has {ndim}; pass one value per row")

    @classmethod
    def wrong_n_feature_names(cls, n_names: int, n_columns: int) -> "TableInputError":
        """Return the error that there is not one name per column."""
        return cls(f"X has {format_count(n_columns, 'column')}, but there are {n_names} names; pass one per column")

    @classmethod
    def missing_columns(cls, names: Sequence[str]) -> "TableInputError":
        """Return the error that columns of the fit are missing from a table."""
        named = join_with_and([repr(name) for name in names])
        return cls(
            f"X has no column {named}, which the fit used; add {'it' if len(names) == 1 else 'them'}, with missing "
            "values if the values are unknown"
        )

    @classmethod
    def wrong_target_length(cls, shape: tuple[int, ...], n_rows: int) -> "TableInputError":
        """Return the error that there is not one class per row."""
        return cls(f"target_codes must have the shape ({n_rows},), one class per row, but have {shape}")


class TableColumnError(DataError):
    """A column of a table that cannot be used."""

    @classmethod
    def unusable_cell(cls, column: str, value: object) -> DataError:
        """Return the error that a cell is neither a number nor text."""
        return DataTypeError(
            f"column {column!r} holds {_format_value(value)}; an argument must be a string or a number, a bool or a "
            "date; drop or convert the column"
        )

    @classmethod
    def mixed_types(cls, column: str, text: object, number: object) -> "TableColumnError":
        """Return the error that a column holds numbers and text that is no number."""
        return cls(
            f"column {column!r} mixes types: it holds {_format_value(number)} and {_format_value(text)}; "
            "convert all of its values to numbers, or all to text"
        )

    @classmethod
    def infinite(cls, column: str, row: int) -> "TableColumnError":
        """Return the error that a column holds infinity."""
        error = cls(
            f"column {column!r} holds infinity in row {row} (counted from 0); use NaN for a missing value, or drop the "
            "row"
        )
        error.row = row
        return error

    @classmethod
    def not_a_number(cls, column: str, value: object) -> "TableColumnError":
        """Return the error that a numeric column arrives with a value that is no number."""
        return cls(
            f"column {column!r} was numeric in the fit, but now holds {_format_value(value)}; convert its values to "
            "numbers, with NaN where they are missing"
        )

    @classmethod
    def dates_instead(cls, column: str) -> "TableColumnError":
        """Return the error that a column arrives as dates."""
        return cls(f"column {column!r} held no dates in the fit, but does now; convert its values as for the fit")

    @classmethod
    def transform_of_non_numeric(cls, names: Sequence[str], numeric: Sequence[str]) -> "TableColumnError":
        """Return the error that a transform is asked for columns that are not numeric, or that are merged."""
        named = join_with_and([repr(name) for name in names])
        allowed = join_with_commas([repr(name) for name in numeric]) or "none"
        return cls(
            f"column_transform names {named}, but the numeric columns after merging are {allowed}; name these only"
        )

    @classmethod
    def outside_domain(cls, column: str, transform: str, value: float, minimum: float) -> "TableColumnError":
        """Return the error that a value is outside the domain of the transform that a user names."""
        return cls(
            f"column {column!r} holds {value:g}, but {transform} needs values above {minimum:g}; use 'yeo-johnson' or "
            "'auto'"
        )

    @classmethod
    def no_usable_column(cls, reasons: Sequence[str]) -> "TableColumnError":
        """Return the error that every column is left out."""
        return cls(f"no column of X can be used: {join_with_commas(list(reasons))}; add columns that describe the rows")


class TargetLeakError(TableColumnError):
    """A column that is the target in disguise."""

    @classmethod
    def determines_class(cls, column: str) -> "TargetLeakError":
        """Return the error that the class follows from the level of a column in every row."""
        return cls(
            f"column {column!r} is the target in disguise: each of its values occurs in one class only, so that it is "
            f"hardly known before the class is; {advise_to_drop(column)}"
        )

    @classmethod
    def separates_classes(cls, column: str, cut: float) -> "TargetLeakError":
        """Return the error that cuts of a numeric column separate the classes without an error."""
        return cls(
            f"column {column!r} is the target in disguise: whether it is below {cut:.6g} tells the class in every row; "
            f"{advise_to_drop(column)}; to keep a measurement, pass an array without column names, in Python only"
        )

    @classmethod
    def present_in_one_class(cls, column: str, n_rows: int) -> "TargetLeakError":
        """Return the error that a column has values in rows of one class only."""
        return cls(
            f"column {column!r} is the target in disguise: all {n_rows} rows in which it has a value are of one class; "
            f"{advise_to_drop(column)}"
        )
