"""Lines of a MOTChallenge file: from bytes to a table of numbers, with the number of the line that is wrong."""

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaussmix.errors import FileError, MotFileError
from gaussmix.types import ND, IntN

COLUMN_NAMES = {
    7: ("frame", "id", "left", "top", "width", "height", "confidence"),
    9: ("frame", "id", "left", "top", "width", "height", "confidence", "class", "visibility"),
    10: ("frame", "id", "left", "top", "width", "height", "confidence", "x", "y", "z"),
}

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW_BITS = 31  # zlib: a header of gzip, and the largest window


class MotLines(NamedTuple):
    """Numbers of a file.

    ``values`` has the shape (n, 7), (n, 9) or (n, 10). ``line_numbers`` (n,) count from 1. ``is_cut_off`` says whether
    an incomplete last line was left out, or compressed data end too early.
    """

    values: ND
    line_numbers: IntN
    is_cut_off: bool


def read_lines(path: Path) -> MotLines:
    """Return the numbers of a file; raise FileError or MotFileError with the line that cannot be read."""
    text, is_cut_off = _read_text(path)
    lines = text.splitlines()
    has_last_line_end = text.endswith(("\n", "\r"))
    values = _read_clean_lines(lines) if has_last_line_end and not is_cut_off else None
    if values is not None:
        return MotLines(values, np.arange(1, len(lines) + 1), False)
    split_lines = {number: _split_fields(line) for number, line in enumerate(lines, start=1)}
    fields_of_line = {number: fields for number, fields in split_lines.items() if fields}
    if not has_last_line_end and len(lines) in fields_of_line and (is_cut_off or _is_last_incomplete(fields_of_line)):
        del fields_of_line[len(lines)]
        is_cut_off = True
    if not fields_of_line:
        raise MotFileError.no_rows(path)
    return MotLines(_to_numbers(path, fields_of_line), np.array(list(fields_of_line), dtype=np.int64), is_cut_off)


def _read_text(path: Path) -> tuple[str, bool]:
    """Return the text of a file, and whether its compressed data end too early."""
    data, is_cut_off = _decompress(path, _read_bytes(path))
    try:
        text = data.decode("utf-8-sig", errors="ignore" if is_cut_off else "strict")
    except UnicodeDecodeError:
        raise MotFileError.not_text(path) from None
    if "\0" in text:
        raise MotFileError.not_text(path)
    return text, is_cut_off


def _read_bytes(path: Path) -> bytes:
    """Return the content of a file; raise FileError if there is none, or it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileError.not_found(path) from None
    except IsADirectoryError:
        raise MotFileError.is_a_folder(path) from None
    except OSError as error:
        raise FileError.unreadable(path, error.strerror) from error


def _decompress(path: Path, data: bytes) -> tuple[bytes, bool]:
    """Return the plain content of a file, and whether its compressed data end too early."""
    parts = []
    while data.startswith(_GZIP_MAGIC):  # a file of gzip may have several members
        decompressor = zlib.decompressobj(_GZIP_WINDOW_BITS)
        try:
            parts.append(decompressor.decompress(data))
        except zlib.error as error:
            raise MotFileError.damaged_archive(path, error) from error
        if not decompressor.eof:
            return b"".join(parts), True
        data = decompressor.unused_data
    return b"".join(parts) if parts else data, False


def _read_clean_lines(lines: list[str]) -> ND | None:
    """Return the numbers of lines without blanks and comments, fast; None if a line needs a closer look."""
    if not lines or not lines[0][:1].isdigit():
        return None
    try:
        values = np.loadtxt(lines, delimiter=",", ndmin=2)
    except ValueError:
        return None
    is_clean = len(values) == len(lines) and values.shape[1] in COLUMN_NAMES and np.isfinite(values).all()
    return values if is_clean else None


def _split_fields(line: str) -> list[str]:
    """Return the fields of a line without comment, separated by commas, or by spaces if there is no comma."""
    content = line.partition("#")[0].strip()
    return [field.strip() for field in content.split(",")] if "," in content else content.split()


def _is_last_incomplete(fields_of_line: dict[int, list[str]]) -> bool:
    """Return whether the last line, which has no line end, has fewer columns than the first, or ends within a number.

    The only line of a file is never incomplete: nothing says how long it should be.
    """
    first, *_, last = fields_of_line.values() if len(fields_of_line) > 1 else [[], []]
    return len(last) < len(first) or (len(last) == len(first) > 0 and not _is_finite_number(last[-1]))


def _to_numbers(path: Path, fields_of_line: dict[int, list[str]]) -> ND:
    """Return the fields of all lines as finite numbers."""
    first_line = next(iter(fields_of_line))
    n_columns = len(fields_of_line[first_line])
    if n_columns not in COLUMN_NAMES:
        raise MotFileError.wrong_n_columns(path, first_line, n_columns, "7, 9 or 10 are allowed")
    for line, fields in fields_of_line.items():
        if len(fields) != n_columns:
            raise MotFileError.wrong_n_columns(path, line, len(fields), f"line {first_line} has {n_columns}")
    try:
        values = np.array(list(fields_of_line.values()), dtype=np.float64)
    except ValueError:
        values = np.full((1, n_columns), np.nan)
    if not np.isfinite(values).all():
        _raise_for_bad_field(path, fields_of_line, COLUMN_NAMES[n_columns])
    return values


def _raise_for_bad_field(path: Path, fields_of_line: dict[int, list[str]], names: tuple[str, ...]) -> None:
    """Raise MotFileError for the first field that is not a finite number."""
    for line, fields in fields_of_line.items():
        for name, field in zip(names, fields, strict=True):
            if not _is_finite_number(field):
                raise MotFileError.not_a_number(path, line, name, field)


def _is_finite_number(field: str) -> bool:
    """Return whether a text is a finite number."""
    try:
        return bool(np.isfinite(float(field)))
    except ValueError:
        return False
