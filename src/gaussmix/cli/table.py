"""Files into tables: the one place that opens a CSV or Parquet file, and says in a sentence why it cannot.

A column holds numbers, or the reason why it does not: no caller sees a type of Arrow.

Arrow is asked for one thread and never handed a Python function or object: a thread of its pools that
outlives the read and then lets go of one asks for the interpreter's lock, and a process that is just
ending is aborted by that (exit code 134).
"""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gaussmix.errors import FileProblem, TableProblem
from gaussmix.types import N

NUMBERS = "numbers"
_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_DECIMAL_COMMA = r"^\s*[+-]?\d+,\d+\s*$"
_THOUSANDS = r"^\s*[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?\s*$"
_RAGGED = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_NEARLY = 0.9  # share of numbers from which a text among them is taken for a slip
_HEADER_BYTES = 1 << 20
_NAMELESS = {"", "__index_level_0__"}  # what pandas calls an index that it saved


@dataclass(frozen=True)
class Column:
    """A named column: ``values`` (n,), NaN where one is missing; of another kind than numbers it has none.

    ``culprit`` says of a text column which value kept it from being numbers; ``n_numbers`` of its
    ``n_present`` values that are not missing are numbers; ``has_commas`` if the culprit is one but for a comma.
    ``spelled`` gives the values of a text column, None where one is missing.
    """

    name: str
    kind: str
    values: N = field(default_factory=lambda: np.empty(0))
    culprit: str = ""
    has_commas: bool = False
    n_numbers: int = 0
    n_present: int = 0
    spelled: Callable[[], list[str | None]] = field(default=list, repr=False, compare=False)

    @property
    def is_numeric(self) -> bool:
        return self.kind == NUMBERS

    @property
    def was_meant_as_numbers(self) -> bool:
        """Whether the values that are no numbers are the exception, or are numbers but for a comma."""
        return self.has_commas or self.n_numbers > 0.5 * self.n_present

    @property
    def is_nearly_numeric(self) -> bool:
        """Whether the values that are no numbers are so few that they must be slips."""
        return bool(self.culprit) and self.n_numbers >= _NEARLY * self.n_present


@dataclass(frozen=True)
class Table:
    """The columns of a file, in its order; ``n_nameless`` more had no name and were not read."""

    path: Path
    n_rows: int
    columns: tuple[Column, ...]
    n_nameless: int = 0

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def numeric(self) -> list[Column]:
        return [column for column in self.columns if column.is_numeric]


def read(path: Path) -> Table:
    """Read a CSV (.csv, .tsv, .txt) or Parquet (.parquet, .pq) file.

    Raises
    ------
    FileProblem
        If there is no such file, or it cannot be read as a table with names and rows.
    """
    _require_file(path)
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise FileProblem.extension(path)
    try:
        arrow = _READERS[suffix](path)
    except OSError as error:
        raise FileProblem.unreadable(path, error.strerror or " ".join(str(error).split())) from error
    except pa.ArrowException as error:
        raise FileProblem.unreadable(path, " ".join(str(error).split())) from error
    return _table(path, arrow, from_text=suffix not in _PARQUET)


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise FileProblem.not_a_file(path, "a folder")
    if not path.exists():
        raise FileProblem.missing(path)
    if not path.is_file():
        raise FileProblem.not_a_file(path, "a device or a pipe")


# -- CSV -------------------------------------------------------------------------------------------


def _read_csv(path: Path) -> pa.Table:
    header, delimiter = _header(path)
    if all(re.match(_NUMBER, name) for name in header):
        raise TableProblem.no_header(path, ", ".join(header[:3]))
    try:
        return pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(use_threads=False),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(strings_can_be_null=True),  # NA is missing in any column
        )
    except pa.ArrowInvalid as error:
        if "cannot infer number of columns" in str(error):
            raise TableProblem.no_rows(path) from error
        ragged = _RAGGED.search(str(error))
        if ragged is None:
            raise
        line, expected, found = ragged.groups()
        where = f"data row {int(line) - 1}" if line else "a line"
        raise TableProblem.ragged(path, where, int(found), int(expected)) from error


def _header(path: Path) -> tuple[list[str], str]:
    """Column names and the delimiter: that of , ; and tab which cuts the first line into most fields."""
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    first = re.split(rb"\r\n|\r|\n", start, maxsplit=1)[0]
    if not start.strip():
        raise FileProblem.empty(path)
    try:
        line = first.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileProblem.not_utf8(path, "its first line is not") from error
    if any(character < " " and character != "\t" for character in line):
        raise FileProblem.not_utf8(path, "its first line holds bytes that no text has")
    cut = {delimiter: next(csv.reader([line], delimiter=delimiter)) for delimiter in ",;\t"}
    delimiter = max(cut, key=lambda one: len(cut[one]))
    return [name.strip() for name in cut[delimiter]], delimiter


# -- Parquet ---------------------------------------------------------------------------------------


def _read_parquet(path: Path) -> pa.Table:
    if path.stat().st_size == 0:
        raise FileProblem.empty(path)
    with pq.ParquetFile(path, pre_buffer=False) as file:
        return file.read(use_threads=False)


_PARQUET = {".parquet", ".pq"}
_READERS = {**dict.fromkeys((".csv", ".tsv", ".txt"), _read_csv), **dict.fromkeys(_PARQUET, _read_parquet)}


# -- columns ---------------------------------------------------------------------------------------


def _table(path: Path, arrow: pa.Table, from_text: bool) -> Table:
    names = [name.strip() if from_text else name for name in arrow.schema.names]
    named = [(index, name) for index, name in enumerate(names) if name not in _NAMELESS]
    kept = [name for _, name in named]
    twice = sorted({name for name in kept if kept.count(name) > 1})
    if twice:
        raise TableProblem.duplicate_columns(path, twice)
    if arrow.num_rows == 0:
        raise TableProblem.no_rows(path)
    columns = tuple(_column(path, name, arrow.column(index), from_text) for index, name in named)
    return Table(path, arrow.num_rows, columns, len(names) - len(named))


def _column(path: Path, name: str, data: Any, from_text: bool) -> Column:
    if pa.types.is_dictionary(data.type):
        data = data.cast(data.type.value_type)
    kind = data.type
    if pa.types.is_boolean(kind):
        data, kind = data.cast(pa.uint8()), pa.uint8()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Column(name, NUMBERS, _floats(data))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _text(name, data, from_text)
    if pa.types.is_binary(kind) and from_text:
        raise FileProblem.not_utf8(path, f"see column {name!r}")
    return Column(name, _word(kind))


def _floats(data: Any) -> N:
    """Values as float64; what is missing becomes NaN.

    Read from Arrow's memory: its own way to NumPy imports pandas, and while it does loses an interrupt.
    """
    values = pc.fill_null(data.cast(pa.float64(), safe=False), float("nan"))
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    parts = [np.frombuffer(part.buffers()[1], np.float64)[part.offset :][: len(part)] for part in chunks if len(part)]
    return np.concatenate(parts) if parts else np.empty(0)


def _text(name: str, data: Any, from_text: bool) -> Column:
    """A column of texts: numbers after all where each is one (Arrow does not read '+3'), else its first culprit."""
    data = data.cast(pa.large_string())
    numbers = pc.match_substring_regex(data, _NUMBER)
    n_present, n_numbers = len(data) - data.null_count, pc.sum(numbers).as_py() or 0
    if n_numbers == n_present and from_text:
        return Column(name, NUMBERS, _floats(pc.replace_substring_regex(data, r"[\s+]", "")))
    row = pc.index(numbers, False).as_py()
    if row < 0:
        return Column(name, "text", spelled=data.to_pylist)
    value = data[row].as_py()
    shown = value if len(value) <= 30 else value[:27] + "..."
    comma = _comma(value, data)
    return Column(
        name,
        "text",
        culprit=f"data row {row + 1} holds {shown!r}{comma}",
        has_commas=bool(comma),
        n_numbers=n_numbers,
        n_present=n_present,
        spelled=data.to_pylist,
    )


def _comma(value: str, data: Any) -> str:
    """What the comma in a value stands for, as far as the whole column tells; nothing where it is no number."""
    decimal = bool(re.match(_DECIMAL_COMMA, value))
    if not decimal and not re.match(_THOUSANDS, value):
        return ""
    if decimal and pc.any(_matches_only(data, _DECIMAL_COMMA, _THOUSANDS)).as_py():
        return ", where a decimal comma stands for a point"
    return ", where a comma seems to separate thousands"


def _matches_only(data: Any, pattern: str, other: str) -> Any:
    return pc.and_not(pc.match_substring_regex(data, pattern), pc.match_substring_regex(data, other))


def _word(kind: Any) -> str:
    if pa.types.is_null(kind):
        return "empty"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "dates"
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        return "times"
    return str(kind).split("<")[0]


def kinds(columns: Sequence[Column]) -> list[str]:
    """'species (text)' of each column, with the culprit where it was meant as numbers."""
    return [
        f"{column.name} ({column.kind}{', ' + column.culprit if column.was_meant_as_numbers else ''})"
        for column in columns
    ]
