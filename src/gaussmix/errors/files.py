"""Errors about files: models, tables, and places to write to."""

from collections.abc import Sequence

from gaussmix.errors.base import GaussmixError
from gaussmix.errors.text import TOO_FAR_MESSAGE, format_count, join_with_commas


class ArchiveError(GaussmixError, ValueError):
    """A model file cannot be read."""

    @classmethod
    def from_reason(cls, path: object, reason: str) -> "ArchiveError":
        return cls(f"{path} is not a usable gaussmix model: {reason}")


class FileError(GaussmixError):
    """A file the user named cannot be read or written."""

    @classmethod
    def not_found(cls, path: object) -> "FileError":
        return cls(f"there is no file {path}; check its name and folder")

    @classmethod
    def not_a_file(cls, path: object, path_kind: str) -> "FileError":
        return cls(f"{path} is {path_kind}, not a file; give the path of one .csv or .parquet file")

    @classmethod
    def unknown_extension(cls, path: object) -> "FileError":
        return cls(f"cannot tell what kind of file {path} is; its name must end in .csv, .tsv, .txt or .parquet")

    @classmethod
    def unreadable(cls, path: object, reason: object) -> "FileError":
        return cls(f"cannot read {path}: {reason}")

    @classmethod
    def unwritable(cls, path: object, reason: object) -> "FileError":
        return cls(f"cannot write {path}: {reason}; choose another place with --output")

    @classmethod
    def overwrites_input(cls, path: object) -> "FileError":
        return cls(f"{path} is read by this command and would be overwritten; choose another place with --output")

    @classmethod
    def empty_file(cls, path: object) -> "FileError":
        return cls(f"{path} is empty; it needs a line of column names and at least one row")

    @classmethod
    def not_utf8(cls, path: object, position: str) -> "FileError":
        return cls(f"{path} is not UTF-8 text ({position}); save it again as 'CSV UTF-8'")


class TableError(FileError):
    """A file was opened, but the rows and columns in it cannot be used."""

    @classmethod
    def no_rows(cls, path: object) -> "TableError":
        return cls(f"{path} has column names but 0 rows; at least one is needed")

    @classmethod
    def no_header(cls, path: object, first_value: str) -> "TableError":
        return cls(
            f"the first line of {path} holds numbers ({first_value}), not column names; put a line of names above it"
        )

    @classmethod
    def wrong_field_count(cls, path: object, line: str, actual: int, expected: int) -> "TableError":
        names = f"there {'is' if expected == 1 else 'are'} {format_count(expected, 'column name')}"
        return cls(f"{line} of {path} has {format_count(actual, 'field')}, but {names}; correct that line")

    @classmethod
    def duplicate_columns(cls, path: object, names: Sequence[str]) -> "TableError":
        return cls(
            f"{path} has more than one column named {join_with_commas([repr(n) for n in names])}; rename all but one"
        )

    @classmethod
    def no_numeric_column(cls, path: object, column_descriptions: Sequence[str]) -> "TableError":
        others = f": {join_with_commas(column_descriptions)}" if column_descriptions else ""
        return cls(f"{path} has no column of numbers to fit{others}; add one, or correct the values named")

    @classmethod
    def not_numeric(cls, column: str, reason: str) -> "TableError":
        return cls(f"column {column!r} {reason}; make it numbers in the file, or leave it out")

    @classmethod
    def unusable_value(cls, column: str, row: int, problem: str, count: int) -> "TableError":
        more = f" ({count} such rows in all)" if count > 1 else ""
        return cls(
            f"column {column!r} {problem} in data row {row}{more}; correct or drop such rows, or leave the column out"
        )

    @classmethod
    def identical_rows(cls, path: object, n_rows: int) -> "TableError":
        what = "one row only" if n_rows == 1 else f"{n_rows} rows that are all equal"
        return cls(f"{path} has {what} in the columns used, so there are no groups to find; use rows that differ")

    @classmethod
    def too_few_rows(cls, path: object, n_rows: int, n_components: int) -> "TableError":
        needed = format_count(n_components, "component")
        return cls(f"{path} has {format_count(n_rows, 'row')}, too few for {needed}; ask for fewer with --components")

    @classmethod
    def row_too_far(cls, row: int) -> "TableError":
        return cls(f"data row {row} {TOO_FAR_MESSAGE}")

    @classmethod
    def mostly_numeric(cls, column: str, non_numeric_value: str, n_numbers: int, n_values: int) -> "TableError":
        return cls(
            f"column {column!r} is text because {non_numeric_value} ({n_numbers} of {n_values} values are numbers): "
            "correct it, or choose the other columns with --columns"
        )

    @classmethod
    def negative_weight(cls, column: str, row: int, value: float) -> "TableError":
        return cls(f"the weights in column {column!r} must be at least 0, but data row {row} holds {value:g}")

    @classmethod
    def unusable_labels(cls, column: str, column_kind: str) -> "TableError":
        found = "is empty" if column_kind == "empty" else f"holds {column_kind}"
        return cls(f"column {column!r} {found}; labels must be texts or numbers, the name of each row's group")

    @classmethod
    def zero_weights(cls, column: str) -> "TableError":
        return cls(f"the weights in column {column!r} are zero in every row; at least one row must count")

    @classmethod
    def model_without_column_names(cls, path: object, actual: int, expected: int) -> "TableError":
        return cls(
            f"the model was fitted without column names to {format_count(expected, 'column')}, but {path} has "
            f"{format_count(actual, 'column')} of numbers; give a file with the columns of the fit, in its order"
        )
