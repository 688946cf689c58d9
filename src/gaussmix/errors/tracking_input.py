"""Errors about files of detections: columns of time and coordinates, and recordings in which nothing can move."""

import re
from collections.abc import Sequence

from gaussmix.errors.files import TableError
from gaussmix.errors.text import format_count, join_with_and, join_with_commas


class DetectionTableError(TableError):
    """A file of detections that cannot be tracked."""

    @classmethod
    def no_time_column(cls, path: object, names: Sequence[str]) -> "DetectionTableError":
        """Return the error that no column looks like a time."""
        return cls(
            f"no column of {path} looks like a time or a frame number (its columns are {join_with_commas(names)}); "
            "name it with --time"
        )

    @classmethod
    def no_coordinates(cls, path: object, names: Sequence[str]) -> "DetectionTableError":
        """Return the error that it is unclear which columns are coordinates."""
        found = f"its other columns of numbers are {join_with_commas(names)}" if names else "it has no other numbers"
        return cls(f"no columns of {path} are clearly coordinates; {found}; name them with --x and --y")

    @classmethod
    def missing_axis(cls, option: str, needed: str) -> "DetectionTableError":
        """Return the error that a later axis is given without an earlier one."""
        return cls(f"{option} needs {needed}, too; name the columns of all coordinates")

    @classmethod
    def repeated_column(cls, name: str) -> "DetectionTableError":
        """Return the error that one column has two meanings."""
        return cls(f"column {name!r} is named twice; time and each coordinate need columns of their own")

    @classmethod
    def unordered_times(cls, column: str, row: int, value: str) -> "DetectionTableError":
        """Return the error that values of the time column have no order in time."""
        return cls(
            f"the times in column {column!r} cannot be ordered: data row {row} holds {value!r}, which is neither a "
            "number nor a date like 2026-01-31 12:00:00; correct it, or name another column with --time"
        )

    @classmethod
    def no_times(cls, column: str, kind: str) -> "DetectionTableError":
        """Return the error that the time column is empty or of a kind that is no time."""
        found = "is empty" if kind == "empty" else f"holds {kind}, which are no times"
        return cls(f"column {column!r} {found}; name a column of numbers or dates with --time")

    @classmethod
    def no_detections(cls, path: object, n_rows: int) -> "DetectionTableError":
        """Return the error that no row has a time and all coordinates."""
        return cls(f"none of the {format_count(n_rows, 'row')} of {path} has a time and all coordinates; fill them in")

    @classmethod
    def no_boxes(cls, path: object, n_rows: int) -> "DetectionTableError":
        """Return the error that no box has an area."""
        return cls(f"no box of {path} ({format_count(n_rows, 'line')}) has a width and a height; correct them")

    @classmethod
    def one_scan(cls, column: str, n_rows: int) -> "DetectionTableError":
        """Return the error that all rows have the same time."""
        return cls(
            f"all {format_count(n_rows, 'row')} have the same time in column {column!r}, so nothing moves; rows of "
            "several times are needed"
        )

    @classmethod
    def constant_coordinates(cls, names: Sequence[str]) -> "DetectionTableError":
        """Return the error that no coordinate varies."""
        verb = "is" if len(names) == 1 else "are"
        listed = join_with_and([repr(name) for name in names])
        return cls(f"{listed} {verb} the same in every row, so nothing moves; name other coordinates with --x and --y")

    @classmethod
    def no_model(cls, reason: str, options: Sequence[str]) -> "DetectionTableError":
        """Return the error that no model can be estimated, and which options replace the estimates."""
        ways = f"or set all of {join_with_commas(list(options))}"
        in_words_of_the_command = reason.replace("round the times", "round the times with --scan-length")
        return cls(re.sub(r"(else|or) give the model$", ways, in_words_of_the_command))
