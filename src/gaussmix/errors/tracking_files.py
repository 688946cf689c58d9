"""Errors about text files of the MOTChallenge."""

from gaussmix.errors.base import GaussmixWarning
from gaussmix.errors.files import FileError
from gaussmix.errors.text import format_count


class MotFileError(FileError):
    """A MOTChallenge file that cannot be read or written."""

    @classmethod
    def is_a_folder(cls, path: object) -> "MotFileError":
        """Return the error that the path is a folder."""
        return cls(f"{path} is a folder; give the path of one MOTChallenge text file, such as det.txt or gt.txt")

    @classmethod
    def cannot_write(cls, path: object, reason: object) -> "MotFileError":
        """Return the error that the file cannot be written."""
        return cls(f"cannot write {path}: {reason}; choose another path")

    @classmethod
    def not_text(cls, path: object) -> "MotFileError":
        """Return the error that the file is binary or of another encoding than UTF-8."""
        return cls(f"{path} is not UTF-8 text; a MOTChallenge file has lines of comma-separated numbers")

    @classmethod
    def damaged_archive(cls, path: object, reason: object) -> "MotFileError":
        """Return the error that a .gz file cannot be decompressed."""
        return cls(f"{path} cannot be decompressed ({reason}); compress it again with gzip")

    @classmethod
    def no_rows(cls, path: object) -> "MotFileError":
        """Return the error that the file has no line of numbers."""
        return cls(f"{path} has no rows; it needs at least one line frame,id,left,top,width,height,confidence")

    @classmethod
    def wrong_n_columns(cls, path: object, line: int, n_columns: int, expected: str) -> "MotFileError":
        """Return the error that a line has a number of columns that is not allowed."""
        have = format_count(n_columns, "column")
        return cls(f"line {line} of {path} has {have}, but {expected}; correct or delete that line")

    @classmethod
    def not_a_number(cls, path: object, line: int, column: str, value: str) -> "MotFileError":
        """Return the error that a field is not a finite number."""
        return cls(f"line {line} of {path} has {value!r} as its {column}; write a finite number, or -1 if unknown")

    @classmethod
    def not_whole(cls, path: object, line: int, column: str, value: float, minimum: int) -> "MotFileError":
        """Return the error that a frame, an identity or a class is not a whole number in the allowed range."""
        return cls(
            f"line {line} of {path} has {column} {value:.15g}; write a whole number of at least {minimum}, and below "
            "2^53"
        )

    @classmethod
    def negative_size(cls, path: object, line: int, side: str, value: float) -> "MotFileError":
        """Return the error that a box has a negative width or height."""
        return cls(
            f"line {line} of {path} has a box of {side} {value:.15g}; write at least 0 (boxes are left, top, width, "
            "height)"
        )

    @classmethod
    def repeated_identity(cls, path: object, line: int, label: int, frame: int) -> "MotFileError":
        """Return the error that an identity occurs twice in a frame."""
        return cls(
            f"line {line} of {path} has id {label} in frame {frame} for the second time; delete one of the lines, or "
            "write -1 for detections without identity"
        )

    @classmethod
    def frame_below_one(cls, frame: int) -> "MotFileError":
        """Return the error that a table to write counts frames from another number than 1."""
        return cls(f"frames of a MOTChallenge file count from 1, but the table has frame {frame}; shift its frames")

    @classmethod
    def negative_label(cls, label: int) -> "MotFileError":
        """Return the error that a table to write has a label below -1."""
        return cls(f"ids of a MOTChallenge file are at least -1, but the table has label {label}; renumber its labels")

    @classmethod
    def too_many_columns(cls) -> "MotFileError":
        """Return the error that a table has positions, and a category or visibility."""
        return cls(
            "a MOTChallenge file holds positions, or category and visibility, but the table has both; drop one, for "
            "example with dataclasses.replace(table, positions=None)"
        )


class MotFileWarning(GaussmixWarning):
    """A MOTChallenge file that is read in part."""

    @classmethod
    def cut_off(cls, path: object, n_rows: int) -> "MotFileWarning":
        """Return the warning that a file ends in the middle of a line or of compressed data."""
        kept = format_count(n_rows, "complete row")
        return cls(f"{path} is cut off at its end; {kept} {'was' if n_rows == 1 else 'were'} read")
