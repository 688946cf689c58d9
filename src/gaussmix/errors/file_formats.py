"""Errors about the form of a file's content, and about sheets of spreadsheets."""

from collections.abc import Sequence

from gaussmix.errors.files import FileError
from gaussmix.errors.text import format_suggestion, join_with_and, join_with_commas, pluralize


class FileFormatError(FileError):
    """A file whose content is not in the form that its name says, or in no known form."""

    @classmethod
    def other_kind(cls, path: object, kind: str, suffix: str) -> "FileFormatError":
        """Return the error that the content is not what the extension says."""
        return cls(f"{path} is {kind}, not a table of text; unpack it, or rename it so that it ends in {suffix}")

    @classmethod
    def not_text(cls, path: object) -> "FileFormatError":
        """Return the error that a file is no text."""
        return cls(f"{path} is not text, as its first bytes show; save it as 'CSV UTF-8'")

    @classmethod
    def not_compressed(cls, path: object, suffix: str) -> "FileFormatError":
        """Return the error that the extension of a compression is wrong."""
        return cls(f"{path} is not compressed as {suffix} says; rename it without {suffix}")

    @classmethod
    def damaged_compression(cls, path: object) -> "FileFormatError":
        """Return the error that a compressed file cannot be unpacked to its end."""
        return cls(f"cannot read {path}: its compression is damaged, or it was cut short; copy or download it again")

    @classmethod
    def old_feather(cls, path: object) -> "FileFormatError":
        """Return the error that a Feather file is of version 1."""
        return cls(f"{path} is a Feather file of version 1; write it again as version 2 or as Parquet")

    @classmethod
    def not_json_lines(cls, path: object, reason: str) -> "FileFormatError":
        """Return the error that JSON holds no rows of plain values."""
        return cls(
            f"{path} must hold one JSON object a line, or an array of objects, one for each row: {reason}; "
            "correct it, or write it as CSV"
        )

    @classmethod
    def unknown_delimiter(cls, path: object, delimiter: str) -> "FileFormatError":
        """Return the error that something separates columns that is no known delimiter."""
        return cls(
            f"{path} seems to be separated by {delimiter!r}, which is not recognised; separate its columns by commas, "
            "semicolons, tabs, vertical bars or spaces"
        )


class SheetError(FileError):
    """A sheet of a spreadsheet that cannot be read."""

    @classmethod
    def unknown_sheet(cls, path: object, sheet: str, sheets: Sequence[str]) -> "SheetError":
        """Return the error that no sheet has the name or number."""
        return cls(
            f"{path} has no sheet {sheet!r}{format_suggestion(sheet, sheets)}; "
            f"its sheets are {join_with_commas([repr(name) for name in sheets])}"
        )

    @classmethod
    def no_table(cls, path: object, sheets: Sequence[str]) -> "SheetError":
        """Return the error that the sheets hold no table."""
        named = join_with_and([repr(name) for name in sheets])
        return cls(
            f"{path} has no table in {pluralize('sheet', len(sheets))} {named}; it needs a row of column names and at "
            "least one row below"
        )

    @classmethod
    def no_spreadsheet(cls, path: object) -> "SheetError":
        """Return the error that a sheet is named of a file that has none."""
        return cls(f"{path} is no spreadsheet and has no sheets; leave --sheet out")
