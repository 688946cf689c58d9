"""Reading of CSV and Parquet files with Arrow.

Callers see no Arrow types: a column holds float64 values, or the reason why it is not numeric.

Arrow reads with one thread and gets no Python objects. A pool thread that released a Python object after the
read would need the interpreter's lock, and would abort an exiting process (exit code 134).
"""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gaussmix.errors import FileError, TableError
from gaussmix.types import N

NUMERIC_KIND = "numbers"
_NUMBER_PATTERN = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_DECIMAL_COMMA_PATTERN = r"^\s*[+-]?\d+,\d+\s*$"
_THOUSANDS_COMMA_PATTERN = r"^\s*[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?\s*$"
_RAGGED_ROW_ERROR_PATTERN = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_MIN_NUMERIC_FRACTION = 0.9  # fraction of numbers from which the other values of a column count as mistakes
_MAX_HEADER_BYTES = 1 << 20
_UNNAMED_COLUMN_NAMES = {"", "__index_level_0__"}  # pandas' names for a saved index


@dataclass(frozen=True)
class Column:
    """A named column of a file.

    Attributes
    ----------
    name : str
    kind : str
        'numbers', 'text', 'dates', 'times', 'empty', or the name of an Arrow type.
    values : ndarray of shape (n,)
        Values of a numeric column, NaN if missing; else empty.
    non_numeric_reason : str
        First value of a text column that is not a number, as part of a sentence.
    has_number_with_comma : bool
        Whether that value is a number with a decimal or thousands comma.
    n_numeric, n_non_missing : int
        Values of a text column that are numbers, and that are not missing.
    load_texts : callable
        Returns the values of a text column, None if missing.
    """

    name: str
    kind: str
    values: N = field(default_factory=lambda: np.empty(0))
    non_numeric_reason: str = ""
    has_number_with_comma: bool = False
    n_numeric: int = 0
    n_non_missing: int = 0
    load_texts: Callable[[], list[str | None]] = field(default=list, repr=False, compare=False)

    @property
    def is_numeric(self) -> bool:
        """Whether the column holds numbers."""
        return self.kind == NUMERIC_KIND

    @property
    def is_likely_numeric(self) -> bool:
        """Whether most values of a text column are numbers, or one is a number with a comma."""
        return self.has_number_with_comma or self.n_numeric > 0.5 * self.n_non_missing

    @property
    def is_nearly_numeric(self) -> bool:
        """Whether at least 90 % of the values of a text column are numbers; the others are probably mistakes."""
        return bool(self.non_numeric_reason) and self.n_numeric >= _MIN_NUMERIC_FRACTION * self.n_non_missing


@dataclass(frozen=True)
class Table:
    """The columns of a file in file order, without its ``n_unnamed`` columns that have no name."""

    path: Path
    n_rows: int
    columns: tuple[Column, ...]
    n_unnamed: int = 0

    @property
    def column_names(self) -> list[str]:
        """The names of all columns."""
        return [column.name for column in self.columns]

    @property
    def numeric_columns(self) -> list[Column]:
        """The columns that hold numbers."""
        return [column for column in self.columns if column.is_numeric]


def read_table(path: Path) -> Table:
    """Read a CSV (.csv, .tsv, .txt) or Parquet (.parquet, .pq) file.

    Raises
    ------
    FileError
        If the file does not exist, or is not a table with column names and rows.
    """
    _require_regular_file(path)
    suffix = path.suffix.lower()
    if suffix not in _READER_BY_SUFFIX:
        raise FileError.unknown_extension(path)
    try:
        arrow_table = _READER_BY_SUFFIX[suffix](path)
    except OSError as error:
        raise FileError.unreadable(path, error.strerror or " ".join(str(error).split())) from error
    except pa.ArrowException as error:
        raise FileError.unreadable(path, " ".join(str(error).split())) from error
    return _convert_table(path, arrow_table, is_text_file=suffix not in _PARQUET_SUFFIXES)


def _require_regular_file(path: Path) -> None:
    """Raise FileError unless the path is an existing file, not a folder or a device."""
    if path.is_dir():
        raise FileError.not_a_file(path, "a folder")
    if not path.exists():
        raise FileError.not_found(path)
    if not path.is_file():
        raise FileError.not_a_file(path, "a device or a pipe")


# -- CSV -------------------------------------------------------------------------------------------


def _read_csv(path: Path) -> pa.Table:
    """Read a text file with a header, which tells the delimiter; raise TableError for a ragged line or no rows."""
    header, delimiter = _read_column_names_and_delimiter(path)
    if all(re.match(_NUMBER_PATTERN, name) for name in header):
        raise TableError.no_header(path, ", ".join(header[:3]))
    try:
        return pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(use_threads=False),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(strings_can_be_null=True),  # NA is a missing value in all columns
        )
    except pa.ArrowInvalid as error:
        if "cannot infer number of columns" in str(error):
            raise TableError.no_rows(path) from error
        match = _RAGGED_ROW_ERROR_PATTERN.search(str(error))
        if match is None:
            raise
        line, n_expected, n_fields = match.groups()
        position = f"data row {int(line) - 1}" if line else "a line"
        raise TableError.wrong_field_count(path, position, int(n_fields), int(n_expected)) from error


def _read_column_names_and_delimiter(path: Path) -> tuple[list[str], str]:
    """Return the column names in the first line, and the delimiter: the one of , ; and tab with the most fields."""
    with path.open("rb") as file:
        start = file.read(_MAX_HEADER_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    first = re.split(rb"\r\n|\r|\n", start, maxsplit=1)[0]
    if not start.strip():
        raise FileError.empty_file(path)
    try:
        line = first.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError.not_utf8(path, "its first line is not") from error
    if any(character < " " and character != "\t" for character in line):
        raise FileError.not_utf8(path, "its first line holds control characters")
    fields = {delimiter: next(csv.reader([line], delimiter=delimiter)) for delimiter in ",;\t"}
    delimiter = max(fields, key=lambda character: len(fields[character]))
    return [name.strip() for name in fields[delimiter]], delimiter


# -- Parquet ---------------------------------------------------------------------------------------


def _read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file; raise FileError if it is empty."""
    if path.stat().st_size == 0:
        raise FileError.empty_file(path)
    with pq.ParquetFile(path, pre_buffer=False) as file:
        return file.read(use_threads=False)


_PARQUET_SUFFIXES = {".parquet", ".pq"}
_READER_BY_SUFFIX = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), _read_csv),
    **dict.fromkeys(_PARQUET_SUFFIXES, _read_parquet),
}


# -- columns ---------------------------------------------------------------------------------------


def _convert_table(path: Path, arrow_table: pa.Table, is_text_file: bool) -> Table:
    """Return an Arrow table without its nameless columns; raise TableError if names repeat or there is no row."""
    names = [name.strip() if is_text_file else name for name in arrow_table.schema.names]
    named_columns = [(index, name) for index, name in enumerate(names) if name not in _UNNAMED_COLUMN_NAMES]
    kept_names = [name for _, name in named_columns]
    repeated = sorted({name for name in kept_names if kept_names.count(name) > 1})
    if repeated:
        raise TableError.duplicate_columns(path, repeated)
    if arrow_table.num_rows == 0:
        raise TableError.no_rows(path)
    columns = tuple(
        _convert_column(path, name, arrow_table.column(index), is_text_file) for index, name in named_columns
    )
    return Table(path, arrow_table.num_rows, columns, len(names) - len(named_columns))


def _convert_column(path: Path, name: str, values: pa.ChunkedArray, is_text_file: bool) -> Column:
    """Return an Arrow column as float64, text or only its kind; raise FileError if it is not UTF-8."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    if pa.types.is_boolean(kind):
        values, kind = values.cast(pa.uint8()), pa.uint8()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Column(name, NUMERIC_KIND, _to_float64(values))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _convert_text_column(name, values, is_text_file)
    if pa.types.is_binary(kind) and is_text_file:
        raise FileError.not_utf8(path, f"see column {name!r}")
    return Column(name, _arrow_kind_name(kind))


def _to_float64(arrow_values: pa.ChunkedArray | pa.Array) -> N:
    """Return Arrow values as float64, NaN if missing.

    It reads Arrow's buffers, because ``to_numpy`` imports pandas, and an interrupt during that import is lost.
    """
    values = pc.fill_null(arrow_values.cast(pa.float64(), safe=False), float("nan"))
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    parts = [np.frombuffer(part.buffers()[1], np.float64)[part.offset :][: len(part)] for part in chunks if len(part)]
    return np.concatenate(parts) if parts else np.empty(0)


def _convert_text_column(name: str, texts: pa.ChunkedArray, is_text_file: bool) -> Column:
    """Return a text column, or a numeric one if all texts are numbers; Arrow does not parse '+3'."""
    texts = texts.cast(pa.large_string())
    is_number = pc.match_substring_regex(texts, _NUMBER_PATTERN)
    n_non_missing, n_numeric = len(texts) - texts.null_count, pc.sum(is_number).as_py() or 0
    if n_numeric == n_non_missing and is_text_file:
        return Column(name, NUMERIC_KIND, _to_float64(pc.replace_substring_regex(texts, r"[\s+]", "")))
    row = pc.index(is_number, False).as_py()
    if row < 0:
        return Column(name, "text", load_texts=texts.to_pylist)
    value = texts[row].as_py()
    short_value = value if len(value) <= 30 else value[:27] + "..."
    comma_note = _describe_comma(value, texts)
    return Column(
        name,
        "text",
        non_numeric_reason=f"data row {row + 1} holds {short_value!r}{comma_note}",
        has_number_with_comma=bool(comma_note),
        n_numeric=n_numeric,
        n_non_missing=n_non_missing,
        load_texts=texts.to_pylist,
    )


def _describe_comma(value: str, column_texts: pa.ChunkedArray) -> str:
    """Return a phrase on the comma in a number, decimal or thousands by the whole column; '' if it is no number."""
    may_be_decimal = bool(re.match(_DECIMAL_COMMA_PATTERN, value))
    if not may_be_decimal and not re.match(_THOUSANDS_COMMA_PATTERN, value):
        return ""
    is_only_decimal = _matches_pattern_but_not_excluded(column_texts, _DECIMAL_COMMA_PATTERN, _THOUSANDS_COMMA_PATTERN)
    if may_be_decimal and pc.any(is_only_decimal).as_py():
        return ", with a decimal comma instead of a point"
    return ", with a comma that seems to separate thousands"


def _matches_pattern_but_not_excluded(texts: pa.ChunkedArray, pattern: str, excluded_pattern: str) -> pa.ChunkedArray:
    """Return a Boolean for each text: whether it matches ``pattern`` but not ``excluded_pattern``."""
    return pc.and_not(pc.match_substring_regex(texts, pattern), pc.match_substring_regex(texts, excluded_pattern))


def _arrow_kind_name(arrow_type: pa.DataType) -> str:
    """Return 'empty', 'dates', 'times' or Arrow's own name for a type that is neither numeric nor text."""
    if pa.types.is_null(arrow_type):
        return "empty"
    if pa.types.is_date(arrow_type) or pa.types.is_timestamp(arrow_type):
        return "dates"
    if pa.types.is_time(arrow_type) or pa.types.is_duration(arrow_type):
        return "times"
    return str(arrow_type).split("<")[0]


def format_column_kinds(columns: Sequence[Column]) -> list[str]:
    """Return a text for each column, 'species (text)', with a reason if it is probably meant to be numeric."""
    return [
        f"{column.name} ({column.kind}{', ' + column.non_numeric_reason if column.is_likely_numeric else ''})"
        for column in columns
    ]
