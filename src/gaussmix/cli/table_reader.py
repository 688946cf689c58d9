"""Tables from files of any kind, or from standard input.

Arrow reads with one thread and gets no Python objects. A pool thread that released a Python object after the
read would need the interpreter's lock, and would abort an exiting process (exit code 134).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from gaussmix.cli.file_content import FileContent, read_content
from gaussmix.cli.raw_table import RawTable
from gaussmix.cli.spreadsheets import read_spreadsheet
from gaussmix.cli.structured_files import read_arrow, read_json, read_parquet
from gaussmix.cli.table_columns import Column, convert_column
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat
from gaussmix.cli.text_table import read_text
from gaussmix.errors import FileError, SheetError, TableError

_UNNAMED_COLUMN_NAMES = {"", "__index_level_0__"}  # pandas' names for a saved index


class _FileKind(NamedTuple):
    """The endings of a kind of file, the bytes that standard input of that kind begins with, and its reader."""

    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...]
    read: Callable[[FileContent, TableFormat], RawTable]


_TEXT = _FileKind((".csv", ".tsv", ".txt", ".tab", ".dat", ".data"), (), read_text)
_KINDS = (
    _TEXT,
    _FileKind((".parquet", ".pq"), (b"PAR1",), read_parquet),
    _FileKind((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"), read_spreadsheet),
    _FileKind((".json", ".jsonl", ".ndjson"), (b"{", b"["), read_json),
    _FileKind((".feather", ".arrow", ".ipc"), (b"ARROW1", b"\xff\xff\xff\xff"), read_arrow),
)


@dataclass(frozen=True)
class Table:
    """The columns of a file in file order, without its ``n_unnamed`` columns that have no name.

    ``arrow_table`` has all columns as they are in the file, for `table_writer`. ``notes`` say how the file was read.
    """

    path: Path
    n_rows: int
    columns: tuple[Column, ...]
    n_unnamed: int = 0
    arrow_table: pa.Table | None = field(default=None, repr=False, compare=False)
    notes: tuple[str, ...] = ()

    @property
    def column_names(self) -> list[str]:
        """The names of all columns."""
        return [column.name for column in self.columns]

    @property
    def numeric_columns(self) -> list[Column]:
        """The columns that hold numbers."""
        return [column for column in self.columns if column.is_numeric]


def read_table(path: Path, table_format: TableFormat = DEFAULT_FORMAT) -> Table:
    """Read a table from a text file, a spreadsheet, or a Parquet, Arrow or JSON file; '-' is standard input.

    The ending of the name tells the kind of file; files may be compressed.

    Raises
    ------
    FileError
        If the file does not exist, or is not a table with column names and rows.
    """
    try:
        content = read_content(path)
        kind = _find_kind(content)
        if table_format.sheet is not None and kind.read is not read_spreadsheet:
            raise SheetError.no_spreadsheet(content.path)
        raw = kind.read(content, table_format)
    except OSError as error:
        raise FileError.unreadable(path, error.strerror or " ".join(str(error).split())) from error
    except pa.ArrowException as error:
        raise FileError.unreadable(path, " ".join(str(error).split())) from error
    return _convert_table(content.path, raw)


def _find_kind(content: FileContent) -> _FileKind:
    """Return the kind of a file by the ending of its name, of standard input by its first bytes."""
    by_suffix = {suffix: kind for kind in _KINDS for suffix in kind.suffixes}
    if content.suffix in by_suffix:
        return by_suffix[content.suffix]
    if not content.is_standard_input:
        raise FileError.unknown_extension(content.path, list(by_suffix))
    start = content.start.lstrip(b"\xef\xbb\xbf \t\r\n")
    return next((kind for kind in _KINDS if start.startswith(kind.magic)), _TEXT)


def _convert_table(path: Path, raw: RawTable) -> Table:
    """Return a table without its nameless columns; raise TableError if names repeat or there is no row."""
    arrow_table = raw.arrow_table
    names = [name.strip() if raw.is_text_file else name for name in arrow_table.schema.names]
    named_columns = [(index, name) for index, name in enumerate(names) if name not in _UNNAMED_COLUMN_NAMES]
    kept_names = [name for _, name in named_columns]
    repeated = sorted({name for name in kept_names if kept_names.count(name) > 1})
    if repeated:
        raise TableError.duplicate_columns(path, repeated)
    if arrow_table.num_rows == 0:
        raise TableError.no_rows(path)
    columns = tuple(
        convert_column(name, arrow_table.column(index), raw.is_text_file, raw.has_decimal_comma)
        for index, name in named_columns
    )
    notes = (*raw.notes, *(f"column {each.name!r}: {each.number_note}." for each in columns if each.number_note))
    return Table(path, arrow_table.num_rows, columns, len(names) - len(named_columns), arrow_table, notes)
