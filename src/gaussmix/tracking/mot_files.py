"""Files of the MOTChallenge: text with one line frame,id,left,top,width,height,confidence,... per object and frame."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import numpy as np

from gaussmix.core.user_warnings import warn_user
from gaussmix.errors import MotFileError, MotFileWarning
from gaussmix.tracking.mot_lines import MotLines, read_lines
from gaussmix.tracking.track_table import NO_LABEL, TrackTable
from gaussmix.types import ND, AnyArray, N

_UNKNOWN = -1.0  # the format's word for a missing number
_MAX_EXACT_INTEGER = 2.0**53


def read_mot(path: str | os.PathLike[str]) -> TrackTable:
    """Read detections, tracks or ground truth of the MOTChallenge.

    Fields are separated by commas or spaces. Blank lines, comments after ``#``, Windows line ends and gzip are
    understood. The number of columns decides what they mean:

    - 7: frame, id, left, top, width, height, confidence
    - 9: these, class and visibility, as in ground truth since 2016
    - 10: the first seven, and the position x, y, z

    An optional column that is -1 in all lines becomes None. So do boxes, if there are positions.

    Parameters
    ----------
    path : path-like
        The file. Its last line is left out with a warning if it is incomplete.

    Returns
    -------
    TrackTable
        Its label is the id, -1 for detections; its category is the class.

    Raises
    ------
    MotFileError
        If a line cannot be read: the message names it.
    FileError
        If there is no such file.

    References
    ----------
    Dendorfer et al., "MOTChallenge: a benchmark for single-camera multiple target tracking", International Journal of
    Computer Vision 129, 2021.
    """
    file = Path(path)
    lines = read_lines(file)
    if lines.is_cut_off:
        warn_user(MotFileWarning.cut_off(file, len(lines.values)))
    columns = _name_columns(lines.values)
    _check_lines(file, lines, columns.get("boxes") is not None)
    return TrackTable(lines.values[:, 0], lines.values[:, 1], **columns)


def write_mot(path: str | os.PathLike[str], table: TrackTable) -> None:
    """Write a table as a MOTChallenge file, compressed if the name ends in .gz; an existing file is replaced.

    `read_mot` returns the same numbers, and a confidence of 1 where the table has none. Category and visibility need
    9 columns, everything else is written with 10; -1 stands for what is missing.

    Raises
    ------
    MotFileError
        If the file cannot be written, a frame is below 1, a label below -1, or the table has positions and a category
        or visibility.
    """
    with MotWriter(path) as writer:
        writer.write(table)


class MotWriter:
    """Write tracks while they arise; what is written stays readable if the program stops.

    Use it in a ``with`` statement. Each call of `write` ends at the end of a line, and hands the lines over to the
    operating system.

    Parameters
    ----------
    path : path-like
        The file, compressed if its name ends in .gz. An existing file is replaced.

    Raises
    ------
    MotFileError
        If the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        open_file: Callable[..., Any] = gzip.open if self.path.suffix == ".gz" else open
        try:
            self._stream: TextIO = open_file(self.path, "wt", encoding="utf-8", newline="\n")
        except IsADirectoryError:
            raise MotFileError.is_a_folder(self.path) from None
        except OSError as error:
            raise MotFileError.cannot_write(self.path, error.strerror) from error

    def write(self, table: TrackTable) -> None:
        """Append the rows of a table.

        Raises
        ------
        MotFileError
            If the table does not fit the format, or the disk is full.
        """
        text = _format_rows(table)
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            raise MotFileError.cannot_write(self.path, error.strerror) from error

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def __enter__(self) -> "MotWriter":
        """Return the writer itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file, also after an error."""
        self.close()


def _name_columns(values: ND) -> dict[str, AnyArray]:
    """Return the columns of `TrackTable` that a file has, from its numbers (n, 7), (n, 9) or (n, 10)."""
    candidates = {"confidence": values[:, 6]}
    if values.shape[1] == 9:
        candidates |= {"category": values[:, 7], "visibility": values[:, 8]}
    if values.shape[1] == 10:
        has_height = (values[:, 9] != _UNKNOWN).any()
        candidates |= {"positions": values[:, 7:] if has_height else values[:, 7:9]}
    columns = {name: column for name, column in candidates.items() if (column != _UNKNOWN).any()}
    has_boxes = "positions" not in columns or (values[:, 2:6] != _UNKNOWN).any()
    return columns | ({"boxes": values[:, 2:6]} if has_boxes else {})


def _check_lines(path: Path, lines: MotLines, has_boxes: bool) -> None:
    """Raise MotFileError for the first line whose numbers are finite, but not allowed."""
    integers = [("frame", 0, 1), ("id", 1, NO_LABEL), *([("class", 7, -1)] if lines.values.shape[1] == 9 else [])]
    for name, column, minimum in integers:
        values = lines.values[:, column]
        is_allowed = (values == np.floor(values)) & (values >= minimum) & (values < _MAX_EXACT_INTEGER)
        if not is_allowed.all():
            row = int(np.argmin(is_allowed))
            raise MotFileError.not_whole(path, int(lines.line_numbers[row]), name, float(values[row]), minimum)
    for side, column in (("width", 4), ("height", 5)) if has_boxes else ():
        values = lines.values[:, column]
        if (values < 0).any():
            row = int(np.argmax(values < 0))
            raise MotFileError.negative_size(path, int(lines.line_numbers[row]), side, float(values[row]))
    _require_distinct_identities(path, lines)


def _require_distinct_identities(path: Path, lines: MotLines) -> None:
    """Raise MotFileError for the first line whose frame and id occurred before, unless the id is -1."""
    frame, label = lines.values[:, 0], lines.values[:, 1]
    order = np.lexsort((lines.line_numbers, label, frame))
    is_repeated = (np.diff(frame[order]) == 0) & (np.diff(label[order]) == 0) & (label[order[1:]] != NO_LABEL)
    if is_repeated.any():
        row = int(order[1:][is_repeated].min())
        raise MotFileError.repeated_identity(path, int(lines.line_numbers[row]), int(label[row]), int(frame[row]))


def _format_rows(table: TrackTable) -> str:
    """Return the lines of a table, each with its line end."""
    if len(table) == 0:
        return ""
    if table.frame[0] < 1:
        raise MotFileError.frame_below_one(int(table.frame[0]))
    if table.label.min() < NO_LABEL:
        raise MotFileError.negative_label(int(table.label.min()))
    boxes = np.full((len(table), 4), _UNKNOWN) if table.boxes is None else table.boxes
    confidence = np.ones(len(table)) if table.confidence is None else table.confidence
    numbers = np.column_stack([boxes, confidence, *_last_columns(table)])
    rows = zip(table.frame.tolist(), table.label.tolist(), numbers.tolist(), strict=True)
    return "".join(f"{frame},{label},{','.join(map(_format_number, row))}\n" for frame, label, row in rows)


def _last_columns(table: TrackTable) -> list[N | ND]:
    """Return category and visibility if the table has one of them, and otherwise the position x, y, z."""
    unknown = np.full(len(table), _UNKNOWN)
    has_ground_truth_columns = table.category is not None or table.visibility is not None
    if has_ground_truth_columns:
        if table.positions is not None:
            raise MotFileError.too_many_columns()
        category = unknown if table.category is None else table.category.astype(np.float64)
        return [category, unknown if table.visibility is None else table.visibility]
    if table.positions is None:
        return [unknown, unknown, unknown]
    return [table.positions, *([unknown] if table.positions.shape[1] == 2 else [])]


def _format_number(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return repr(value).removesuffix(".0")
