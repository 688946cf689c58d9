"""The layout of a text file, found from its first lines: comments, delimiter, column names and decimal sign."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gaussmix.cli.number_forms import has_decimal_commas
from gaussmix.cli.text_formatting import MAX_NAMES_SHOWN
from gaussmix.errors import FileError, FileFormatError, TableError
from gaussmix.errors.text import format_count, join_with_commas

_SPACE = " "
# A delimiter that splits all lines into equally many fields is chosen; commas are last, as they may be decimal.
_DELIMITERS = ("\t", ";", "|", ",", _SPACE)
_DELIMITER_NAMES = {"\t": "tabs", ";": "semicolons", "|": "vertical bars", ",": "commas", _SPACE: "spaces"}
_FALLBACK_DELIMITERS = ",;\t|"
_MAX_LINES = 100
_LINE_END = re.compile(r"\r\n|\r|\n")
_SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)
_FOREIGN_SEPARATOR = re.compile(r"[^\w\s.,+\-\"'#$€£¥%()]+")
_NUMBER = re.compile(r"^\s*[+-]?(\d[\d.,]*|\.\d+)([eE][+-]?\d+)?\s*$")
_FRACTION = re.compile(r"^\s*[+-]?\d*[.,]\d+([eE][+-]?\d+)?\s*$")
_YEAR = re.compile(r"^(1[5-9]|20|21)\d\d$")
_MIN_EQUAL_STEPS = 3  # fewer may be a row of data by chance


@dataclass(frozen=True)
class TextLayout:
    """How a text file is to be parsed.

    Attributes
    ----------
    delimiter : str
        One character; a space stands for any number of spaces and tabs.
    n_skipped_lines : int
        Lines before the column names, or before the data if ``column_names`` are given.
    column_names : tuple of str or None
        Names that the parser cannot find in the file itself.
    has_comments : bool
        Whether there are lines that begin with #.
    has_decimal_comma : bool
    notes : tuple of str
    """

    delimiter: str
    n_skipped_lines: int
    column_names: tuple[str, ...] | None
    has_comments: bool
    has_decimal_comma: bool
    notes: tuple[str, ...]


def find_layout(path: Path, start: str, is_complete: bool, has_no_header: bool) -> TextLayout:
    """Find the layout from the beginning of a text, which ends within a line unless ``is_complete``.

    Raises
    ------
    FileError
        If there is no line, column names are missing, or the delimiter is none of the known ones.
    """
    lines = _split_lines(start, is_complete)
    first, separator = _skip_separator_line(path, lines)
    body = _skip_comments(lines, first)
    data_lines = [line for line in lines[body:] if line.strip() and not _is_comment(line)]
    if not data_lines:
        raise TableError.no_rows(path) if first < len(lines) else FileError.empty_file(path)
    n_titles = _count_title_lines(data_lines)
    notes = [f"{format_count(n_titles, 'line')} above the column names left out as a title."] if n_titles else []
    if n_titles:
        body, data_lines = lines.index(data_lines[n_titles]), data_lines[n_titles:]
    delimiter = separator or _find_delimiter(data_lines)
    if separator is None and delimiter == ",":
        _require_known_delimiter(path, data_lines)
    rows = _split_fields(data_lines, delimiter)
    names, name_notes = _find_names(path, lines[first:body], data_lines, rows, has_no_header)
    notes += name_notes
    if names is not None and rows[0][0] in names:  # the parser may not read the line of names again
        body += 1
    cells = [cell for row in rows[names is None :] for cell in row]
    is_decimal = has_decimal_commas(cells, delimiter)
    if is_decimal:
        separators = _DELIMITER_NAMES[delimiter]
        notes.append(f"{path.name} is separated by {separators}; commas in numbers are decimal commas.")
    has_comments = any(map(_is_comment, lines[first:body]))
    return TextLayout(delimiter, body, names, has_comments, is_decimal, tuple(notes))


def _find_names(
    path: Path, skipped: Sequence[str], lines: Sequence[str], rows: Sequence[Sequence[str]], has_no_header: bool
) -> tuple[tuple[str, ...] | None, list[str]]:
    """Return column names that the parser cannot find itself, else None, and notes on them.

    ``skipped`` are lines above the data ``lines``, whose fields are ``rows``.
    """
    if has_no_header:
        return tuple(f"column {number}" for number in range(1, len(rows[0]) + 1)), []
    names = _names_in_comment(skipped, rows)
    if names is not None:
        return names, [f"the column names are those of the comment above the data: {join_with_commas(names)}."]
    notes = _check_header(path, rows)
    names = _names_of_longer_rows(rows, lines)
    if names is not None and not names[0]:
        notes.append("the first column has no name and is taken for row names.")
    return names, notes


def _split_lines(start: str, is_complete: bool) -> list[str]:
    """Return the first lines, without one that may be cut."""
    lines = _LINE_END.split(start)
    if not is_complete and len(lines) > 1:
        del lines[-1]
    n_blank = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    return lines[: n_blank + _MAX_LINES]


def _skip_separator_line(path: Path, lines: Sequence[str]) -> tuple[int, str | None]:
    """Return the index of the line behind the first 'sep=;', and its character; (0, None) without such a line."""
    for index, line in enumerate(lines):
        match = _SEPARATOR_LINE.match(line.strip("\r\n "))
        if match:
            if match[1] not in _DELIMITER_NAMES:
                raise FileFormatError.unknown_delimiter(path, match[1])
            return index + 1, match[1]
        if line.strip():
            break
    return 0, None


def _is_comment(line: str) -> bool:
    """Return whether a line is a comment: it begins with # that is no field of its own, such as a column name."""
    return bool(re.match(r"\s*#(?![\s]*[,;\t|])", line))


def _skip_comments(lines: Sequence[str], first: int) -> int:
    """Return the index of the first line that is neither blank nor a comment, ``first`` without comments."""
    last_comment = None
    for index in range(first, len(lines)):
        if _is_comment(lines[index]):
            last_comment = index
        elif lines[index].strip():
            return first if last_comment is None else index
    return len(lines)


def _count_title_lines(lines: Sequence[str]) -> int:
    """Return the number of lines without a delimiter above rows that are all split alike, the first into names."""
    if _find_even_delimiter(lines) is not None:
        return 0
    for delimiter in _DELIMITERS[:-1]:
        counts = [len(row) for row in _split_fields(lines, delimiter)]
        n_titles = next((index for index, count in enumerate(counts) if count > 1), 0)
        is_alike = len(set(counts[n_titles:])) == 1 and len(counts) - n_titles > 1 and len(counts) == len(lines)
        if n_titles and is_alike and not all(map(_NUMBER.match, _split_fields(lines[n_titles:], delimiter)[0])):
            return n_titles
    return 0


def _find_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that splits all lines alike; else the one with the most fields in the first line."""
    delimiter = _find_even_delimiter(lines)
    if delimiter is not None:
        return delimiter
    rows_by_delimiter = {delimiter: _split_fields(lines, delimiter) for delimiter in _DELIMITERS}
    for delimiter, rows in rows_by_delimiter.items():
        if _names_of_longer_rows(rows, lines) is not None:
            return delimiter
    return max(_FALLBACK_DELIMITERS, key=lambda character: len(rows_by_delimiter[character][0]))


def _find_even_delimiter(lines: Sequence[str]) -> str | None:
    """Return the first delimiter that splits all lines into equally many fields, more than one; None without one.

    Spaces split lines with numbers only, since texts may have equally many words.
    """
    for delimiter in _DELIMITERS:
        rows = _split_fields(lines, delimiter)
        is_even = len(rows[0]) > 1 and all(len(row) == len(rows[0]) for row in rows)
        if is_even and (delimiter != _SPACE or any(map(_NUMBER.match, rows[-1]))):
            return delimiter
    return None


def _split_fields(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Return the fields of the rows in some lines; fields may be quoted, and quoted ones hold line ends."""
    if delimiter == _SPACE:
        lines = [" ".join(line.split()) for line in lines]
    try:
        rows = [row for row in csv.reader([f"{line}\n" for line in lines], delimiter=delimiter) if row]
    except csv.Error:  # a field of more than 128 KiB, as after a quote that is never closed
        rows = []
    return [[cell.strip() for cell in row] for row in rows] or [[lines[0]]]


def _require_known_delimiter(path: Path, lines: Sequence[str]) -> None:
    """Raise FileError if there is one column, and the same unknown character splits all of its lines alike."""
    if len(_split_fields(lines[:1], ",")[0]) > 1 or len(lines) < 2:
        return
    for separator in set(_FOREIGN_SEPARATOR.findall(lines[0])) - {":", "/", "°", "²", "³"}:
        counts = {line.count(separator) for line in lines}
        has_number = any(map(_NUMBER.match, lines[-1].split(separator)))
        if len(counts) == 1 and counts != {0} and has_number:
            raise FileFormatError.unknown_delimiter(path, separator)


def _names_in_comment(skipped: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """Return the names in the last comment above the data, as numpy.savetxt writes them; None if there are none."""
    comments = [line.strip().lstrip("#").strip() for line in skipped if _is_comment(line)]
    if not comments or not any(map(_NUMBER.match, rows[0])):
        return None
    candidates = (_split_fields([comments[-1]], character)[0] for character in _DELIMITERS)
    return next((tuple(names) for names in candidates if len(names) == len(rows[0])), None)


def _check_header(path: Path, rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a note if the first line is numbers that are names, such as years; raise TableError if it is data."""
    header, following = rows[0], rows[1] if len(rows) > 1 else []
    numbers = [cell for cell in header if _NUMBER.match(cell)]
    shown = join_with_commas(header[:MAX_NAMES_SHOWN])
    if len(numbers) == len(header):
        if _is_sequence(header) and not _is_sequence(following):
            return [f"the first line of {path.name} ({shown}) is taken for column names; --no-header reads it as data."]
        raise TableError.no_header(path, ", ".join(header[:3]))
    positions = [index for index, cell in enumerate(header) if _FRACTION.match(cell)]
    is_data = all(index < len(following) and _NUMBER.match(following[index]) for index in positions)
    if positions and is_data and not _is_sequence(numbers):
        raise TableError.no_header(path, ", ".join(header[:3]))
    return []


def _is_sequence(cells: Sequence[str]) -> bool:
    """Return whether cells are years that rise, or at least four numbers that rise in equal steps."""
    if len(cells) > 1 and all(map(_YEAR.match, cells)):
        return list(cells) == sorted(set(cells))
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        return False
    steps = [after - before for before, after in pairwise(numbers)]
    return len(steps) >= _MIN_EQUAL_STEPS and 0 < max(steps) <= min(steps) * (1 + 1e-6)


def _names_of_longer_rows(rows: Sequence[Sequence[str]], lines: Sequence[str]) -> tuple[str, ...] | None:
    """Return names with '' for the field that each row has more than the header; None without such a field.

    It is empty and last, or first a name or number of the row, as R writes them.
    """
    n_names = len(rows[0])
    if len(rows) < 2 or any(len(row) != n_names + 1 for row in rows[1:]):
        return None
    if n_names > 1 and not any(row[-1] for row in rows[1:]):
        return (*rows[0], "")
    is_quoted = all(line.lstrip().startswith('"') for line in lines[1:])
    is_numbered = n_names > 1 and [row[0] for row in rows[1:]] == [str(number) for number in range(1, len(rows))]
    return ("", *rows[0]) if is_quoted or is_numbered else None
