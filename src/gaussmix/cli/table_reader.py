"""Reading of CSV and Parquet files with Arrow.

Arrow reads with one thread and gets no Python objects. A pool thread that released a Python object after the
read would need the interpreter's lock, and would abort an exiting process (exit code 134).
"""

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gaussmix.cli.table_columns import NUMBER_PATTERN, Column, convert_column
from gaussmix.errors import FileError, TableError

_RAGGED_ROW_ERROR_PATTERN = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_MAX_HEADER_BYTES = 1 << 20
_UNNAMED_COLUMN_NAMES = {"", "__index_level_0__"}  # pandas' names for a saved index


@dataclass(frozen=True)
class Table:
    """The columns of a file in file order, without its ``n_unnamed`` columns that have no name.

    ``arrow_table`` has all columns as they are in the file, for `table_writer`.
    """

    path: Path
    n_rows: int
    columns: tuple[Column, ...]
    n_unnamed: int = 0
    arrow_table: pa.Table | None = field(default=None, repr=False, compare=False)

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
    if all(re.match(NUMBER_PATTERN, name) for name in header):
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
        convert_column(path, name, arrow_table.column(index), is_text_file) for index, name in named_columns
    )
    return Table(path, arrow_table.num_rows, columns, len(names) - len(named_columns), arrow_table)
