"""Errors about files: tables of data, and output files."""

from collections.abc import Sequence

from gaussmix.errors.base import GaussmixError
from gaussmix.errors.text import TOO_FAR_MESSAGE, format_count, join_with_commas, join_with_or


class FileError(GaussmixError):
    """A file that cannot be read or written."""

    @classmethod
    def model_not_found(cls, path: object) -> "FileError":
        """Return the error for a model file that does not exist."""
        return cls(f"there is no file {path}; give the path of a model that gaussmix saved")

    @classmethod
    def model_is_a_folder(cls, path: object) -> "FileError":
        """Return the error that the path of a model file is a folder."""
        return cls(f"{path} is a folder, not a file; give the path of a model that gaussmix saved")

    @classmethod
    def model_unwritable(cls, path: object, error: object) -> "FileError":
        """Return the error for a model file that cannot be written."""
        return cls(f"cannot write {path}: {error}")

    @classmethod
    def not_found(cls, path: object) -> "FileError":
        """Return the error that the file does not exist."""
        return cls(f"there is no file {path}; check its name and folder")

    @classmethod
    def not_a_file(cls, path: object, path_kind: str) -> "FileError":
        """Return the error that the path is a folder or a device."""
        return cls(
            f"{path} is {path_kind}, not a file; give the path of one file with a table, or - for standard input"
        )

    @classmethod
    def unknown_extension(cls, path: object, suffixes: Sequence[str]) -> "FileError":
        """Return the error that the extension is none of the supported ones."""
        return cls(f"the type of {path} is unknown; the name must end in {join_with_or(suffixes, len(suffixes))}")

    @classmethod
    def unreadable(cls, path: object, reason: object) -> "FileError":
        """Return the error that the file cannot be read."""
        return cls(f"cannot read {path}: {reason}")

    @classmethod
    def unwritable(cls, path: object, reason: object) -> "FileError":
        """Return the error that the file cannot be written."""
        return cls(f"cannot write {path}: {reason}; choose another path with --output")

    @classmethod
    def overwrites_input(cls, path: object) -> "FileError":
        """Return the error that the output path is that of an input."""
        return cls(f"{path} is an input of this command and would be overwritten; choose another path with --output")

    @classmethod
    def empty_file(cls, path: object) -> "FileError":
        """Return the error that the file is empty."""
        return cls(f"{path} is empty; it must have a line of column names and at least one row")


class TableError(FileError):
    """A file whose rows and columns cannot be used."""

    @classmethod
    def no_rows(cls, path: object) -> "TableError":
        """Return the error that the file has a header only."""
        return cls(f"{path} has column names but 0 rows; add at least one row")

    @classmethod
    def no_header(cls, path: object, first_value: str) -> "TableError":
        """Return the error that the first line contains numbers."""
        return cls(
            f"the first line of {path} contains numbers ({first_value}), not column names; "
            "insert a line of column names above it, or add --no-header"
        )

    @classmethod
    def wrong_field_count(cls, path: object, line: str, actual: int, expected: int) -> "TableError":
        """Return the error that a line has more or fewer fields than there are column names."""
        names = f"there {'is' if expected == 1 else 'are'} {format_count(expected, 'column name')}"
        advice = "correct that line"
        if actual == 2 * expected > 2:
            advice += ", or separate columns by semicolons if commas are decimal"
        return cls(f"{line} of {path} has {format_count(actual, 'field')}, but {names}; {advice}")

    @classmethod
    def duplicate_columns(cls, path: object, names: Sequence[str]) -> "TableError":
        """Return the error that several columns have the same name."""
        return cls(
            f"{path} has more than one column named {join_with_commas([repr(n) for n in names])}; rename all but one"
        )

    @classmethod
    def no_numeric_column(cls, path: object, column_descriptions: Sequence[str]) -> "TableError":
        """Return the error that no column is numeric."""
        others = f": {join_with_commas(column_descriptions)}" if column_descriptions else ""
        return cls(f"{path} has no numeric column{others}; add one, or correct these values")

    @classmethod
    def not_numeric(cls, column: str, reason: str) -> "TableError":
        """Return the error that a selected column is not numeric."""
        return cls(f"column {column!r} {reason}; convert it to numbers in the file, or leave it out")

    @classmethod
    def unusable_value(
        cls,
        column: str,
        row: int,
        problem: str,
        count: int,
        way_out: str = "correct or drop such rows, or leave the column out",
    ) -> "TableError":
        """Return the error that a value of a numeric column cannot be used; ``way_out`` says what can be done."""
        more = f" ({count} such rows in all)" if count > 1 else ""
        return cls(f"column {column!r} {problem} in data row {row}{more}; {way_out}")

    @classmethod
    def identical_rows(cls, path: object, n_rows: int) -> "TableError":
        """Return the error that all rows are equal."""
        what = "one row only" if n_rows == 1 else f"{n_rows} rows that are all equal"
        return cls(f"{path} has {what} in the selected columns, so there are no clusters; use rows that differ")

    @classmethod
    def too_few_rows(cls, path: object, n_rows: int, n_components: int) -> "TableError":
        """Return the error that there are fewer rows than components."""
        needed = format_count(n_components, "component")
        return cls(f"{path} has {format_count(n_rows, 'row')}, too few for {needed}; choose fewer with --components")

    @classmethod
    def row_too_far(cls, row: int) -> "TableError":
        """Return the error that a row lies so far away, about 1e150 deviations, that its log density overflows."""
        return cls(f"data row {row} {TOO_FAR_MESSAGE}")

    @classmethod
    def mostly_numeric(
        cls, column: str, non_numeric_value: str, n_numbers: int, n_values: int, way_out: str
    ) -> "TableError":
        """Return the error that a column is text because of few values; ``way_out`` says what else can be done."""
        return cls(
            f"column {column!r} is text because {non_numeric_value} ({n_numbers} of {n_values} values are numbers): "
            f"correct it, or {way_out}"
        )

    @classmethod
    def negative_weight(cls, column: str, row: int, value: float) -> "TableError":
        """Return the error that a row weight is negative."""
        return cls(f"the weights in column {column!r} must be at least 0, but data row {row} contains {value:g}")

    @classmethod
    def unusable_labels(cls, column: str, column_kind: str) -> "TableError":
        """Return the error that the label column is empty or of a type that has no labels."""
        found = "is empty" if column_kind == "empty" else f"contains {column_kind}"
        return cls(f"column {column!r} {found}; labels must be text or numbers, the name of the group of each row")

    @classmethod
    def zero_weights(cls, column: str) -> "TableError":
        """Return the error that all row weights are zero."""
        return cls(f"the weights in column {column!r} are zero in every row; at least one row must count")

    @classmethod
    def model_without_column_names(cls, path: object, actual: int, expected: int) -> "TableError":
        """Return the error that the model has no column names, and the file has another number of columns."""
        return cls(
            f"the model was fitted to {format_count(expected, 'column')} without names, but {path} has "
            f"{format_count(actual, 'column')} of numbers; pass a file with the columns of the fit, in the same order"
        )
