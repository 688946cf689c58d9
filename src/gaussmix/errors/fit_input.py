"""Errors about the input and the output folder of a fit from the command line."""

from collections.abc import Mapping

from gaussmix.errors.files import FileError, TableError
from gaussmix.errors.text import format_count


class MissingCellError(TableError):
    """Missing cells that leave no row to use."""

    @classmethod
    def no_complete_row(cls, path: object, n_rows: int, n_missing_by_name: Mapping[str, int]) -> "MissingCellError":
        """Return the error that every row has a missing cell; it names the column with the most of them."""
        name = max(n_missing_by_name, key=n_missing_by_name.__getitem__)
        return cls(
            f"each of the {format_count(n_rows, 'row')} of {path} has a missing cell; leave out the columns with most "
            f"of them with --exclude, such as {name!r} ({n_missing_by_name[name]} missing)"
        )


class TransformedRowError(TableError):
    """A row of a file with a value that the transform of its column does not allow."""

    @classmethod
    def from_row(cls, row: int, problem: str, advice: str) -> "TransformedRowError":
        """Return the error of a row, counted from 1, with the problem and the advice of a `TransformError`."""
        return cls(f"data row {row}, {problem}: {advice}")


class ModelFolderError(FileError):
    """A folder of results that cannot be read, or that must not be written to."""

    @classmethod
    def no_model(cls, folder: object, file_name: str) -> "ModelFolderError":
        """Return the error that a folder has no model file of this name."""
        return cls(
            f"{folder} is a folder without {file_name}; give a folder that gaussmix wrote, or the path of the model"
        )

    @classmethod
    def has_other_input(cls, folder: object, input_name: str) -> "ModelFolderError":
        """Return the error that a folder holds the results of another file."""
        return cls(
            f"{folder} holds the results of another file, {input_name}; choose another folder with --output, or "
            "replace them with --overwrite"
        )
