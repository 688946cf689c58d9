"""Errors about files: models, tables, and places to write to."""

from collections.abc import Sequence

from gaussmix.errors.base import GaussmixError
from gaussmix.errors.words import TOO_FAR, counted, listed


class ArchiveError(GaussmixError, ValueError):
    """A model file cannot be read."""

    @classmethod
    def because(cls, path: object, reason: str) -> "ArchiveError":
        return cls(f"{path} is not a usable gaussmix model: {reason}")


class FileProblem(GaussmixError):
    """A file the user named cannot be read or written."""

    @classmethod
    def missing(cls, path: object) -> "FileProblem":
        return cls(f"there is no file {path}; check its name and folder")

    @classmethod
    def not_a_file(cls, path: object, found: str) -> "FileProblem":
        return cls(f"{path} is {found}, not a file; give the path of one .csv or .parquet file")

    @classmethod
    def extension(cls, path: object) -> "FileProblem":
        return cls(f"cannot tell what kind of file {path} is; its name must end in .csv, .tsv, .txt or .parquet")

    @classmethod
    def unreadable(cls, path: object, reason: object) -> "FileProblem":
        return cls(f"cannot read {path}: {reason}")

    @classmethod
    def unwritable(cls, path: object, reason: object) -> "FileProblem":
        return cls(f"cannot write {path}: {reason}; choose another place with --output")

    @classmethod
    def is_input(cls, path: object) -> "FileProblem":
        return cls(f"{path} is read by this command and would be overwritten; choose another place with --output")

    @classmethod
    def empty(cls, path: object) -> "FileProblem":
        return cls(f"{path} is empty; it needs a line of column names and at least one row")

    @classmethod
    def not_utf8(cls, path: object, where: str) -> "FileProblem":
        return cls(f"{path} is not UTF-8 text ({where}); save it again as 'CSV UTF-8'")


class TableProblem(FileProblem):
    """A file was opened, but the rows and columns in it cannot be used."""

    @classmethod
    def no_rows(cls, path: object) -> "TableProblem":
        return cls(f"{path} has column names but 0 rows; at least one is needed")

    @classmethod
    def no_header(cls, path: object, first: str) -> "TableProblem":
        return cls(f"the first line of {path} holds numbers ({first}), not column names; put a line of names above it")

    @classmethod
    def ragged(cls, path: object, where: str, found: int, expected: int) -> "TableProblem":
        names = f"there {'is' if expected == 1 else 'are'} {counted(expected, 'column name')}"
        return cls(f"{where} of {path} has {counted(found, 'field')}, but {names}; correct that line")

    @classmethod
    def duplicate_columns(cls, path: object, names: Sequence[str]) -> "TableProblem":
        return cls(f"{path} has more than one column named {listed([repr(n) for n in names])}; rename all but one")

    @classmethod
    def no_numeric_column(cls, path: object, kinds: Sequence[str]) -> "TableProblem":
        others = f": {listed(kinds)}" if kinds else ""
        return cls(f"{path} has no column of numbers to fit{others}; add one, or correct the values named")

    @classmethod
    def not_numbers(cls, column: str, reason: str) -> "TableProblem":
        return cls(f"column {column!r} {reason}; make it numbers in the file, or leave it out")

    @classmethod
    def no_value(cls, column: str, row: int, what: str, count: int) -> "TableProblem":
        more = f" ({count} such rows in all)" if count > 1 else ""
        return cls(
            f"column {column!r} {what} in data row {row}{more}; correct or drop such rows, or leave the column out"
        )

    @classmethod
    def all_equal(cls, path: object, n_rows: int) -> "TableProblem":
        what = "one row only" if n_rows == 1 else f"{n_rows} rows that are all equal"
        return cls(f"{path} has {what} in the columns used, so there are no groups to find; use rows that differ")

    @classmethod
    def too_few_rows(cls, path: object, n_rows: int, n_components: int) -> "TableProblem":
        needed = counted(n_components, "component")
        return cls(f"{path} has {counted(n_rows, 'row')}, too few for {needed}; ask for fewer with --components")

    @classmethod
    def too_far(cls, number: int) -> "TableProblem":
        return cls(f"data row {number} {TOO_FAR}")

    @classmethod
    def nearly_numbers(cls, column: str, culprit: str, n_numbers: int, n_values: int) -> "TableProblem":
        return cls(
            f"column {column!r} is text because {culprit} ({n_numbers} of {n_values} values are numbers): "
            "correct it, or choose the other columns with --columns"
        )

    @classmethod
    def bad_weight(cls, column: str, row: int, value: float) -> "TableProblem":
        return cls(f"the weights in column {column!r} must be at least 0, but data row {row} holds {value:g}")

    @classmethod
    def no_labels(cls, column: str, kind: str) -> "TableProblem":
        found = "is empty" if kind == "empty" else f"holds {kind}"
        return cls(f"column {column!r} {found}; labels must be texts or numbers, the name of each row's group")

    @classmethod
    def zero_weights(cls, column: str) -> "TableProblem":
        return cls(f"the weights in column {column!r} are zero in every row; at least one row must count")

    @classmethod
    def nameless_model(cls, path: object, found: int, expected: int) -> "TableProblem":
        return cls(
            f"the model was fitted without column names to {counted(expected, 'column')}, but {path} has "
            f"{counted(found, 'column')} of numbers; give a file with the columns of the fit, in its order"
        )
