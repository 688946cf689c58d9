"""Reading of spreadsheets with Calamine: a sheet's table becomes comma-separated text, which is read as any other."""

import csv
import datetime
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gaussmix.cli.file_content import FileContent
from gaussmix.cli.raw_table import RawTable
from gaussmix.cli.table_format import TableFormat
from gaussmix.cli.text_table import read_text
from gaussmix.errors import FileError, MissingPackageError, SheetError
from gaussmix.errors.text import format_count, join_with_commas

_Rows = Sequence[Sequence[Any]]


def read_spreadsheet(content: FileContent, table_format: TableFormat) -> RawTable:
    """Read the first sheet that has a table, or the one that is named, of an Excel or OpenDocument file.

    Raises
    ------
    MissingPackageError
        If Calamine is not installed.
    FileError
        If the file is damaged or locked, or has no such sheet, or no table.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ModuleNotFoundError as error:
        raise MissingPackageError.for_extra("python-calamine", "a spreadsheet", "xlsx") from error
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content.read())) as workbook:
            names = workbook.sheet_names
            if table_format.sheet is None:
                chosen = range(len(names))
            else:
                chosen = range(index := _find_sheet(content, names, table_format.sheet), index + 1)
            for index in chosen:
                rows = workbook.get_sheet_by_index(index).to_python()
                table = _find_table(rows, table_format.has_no_header)
                if table:
                    notes = _describe_choice(content, names, index, table_format) + _describe_title(rows, table)
                    return _read_rows(content, table, notes, table_format)
    except CalamineError as error:
        raise FileError.unreadable(content.path, " ".join(str(error).split())) from error
    raise SheetError.no_table(content.path, [names[index] for index in chosen])


def _find_sheet(content: FileContent, names: Sequence[str], sheet: str) -> int:
    """Return the position of the sheet with a name or a number from 1; raise SheetError if there is none."""
    folded = [name.casefold() for name in names]
    if sheet.casefold() in folded:
        return folded.index(sheet.casefold())
    if sheet.isascii() and sheet.isdigit() and 1 <= int(sheet) <= len(names):
        return int(sheet) - 1
    raise SheetError.unknown_sheet(content.path, sheet, names)


def _find_table(rows: _Rows, has_no_header: bool) -> _Rows:
    """Return the rows of a table without blank ones, titles above it and blank columns at its sides; empty for none.

    Its first row is the first that has more than half as many cells as the fullest one.
    """
    filled = [(row, sum(not _is_blank(cell) for cell in row)) for row in rows]
    most = max((count for _, count in filled), default=0)
    first = next((index for index, (_, count) in enumerate(filled) if 2 * count > most), len(filled))
    table = [row for row, count in filled[first:] if count]
    if len(table) < (1 if has_no_header else 2):
        return []
    used = [j for j in range(len(table[0])) if any(not _is_blank(row[j]) for row in table)]
    return [row[used[0] : used[-1] + 1] for row in table]


def _is_blank(cell: Any) -> bool:
    """Return whether a cell has no content."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _describe_choice(
    content: FileContent, names: Sequence[str], index: int, table_format: TableFormat
) -> tuple[str, ...]:
    """Return a note on the sheet that is read, if there are several and the user names none."""
    if len(names) == 1 or table_format.sheet is not None:
        return ()
    others = join_with_commas([name for name in names if name != names[index]])
    return (f"{content.path.name} has {len(names)} sheets; {names[index]!r} is read, --sheet reads another: {others}.",)


def _describe_title(rows: _Rows, table: _Rows) -> tuple[str, ...]:
    """Return a note on rows with titles above the table that are not read."""
    n_titles = sum(any(not _is_blank(cell) for cell in row) for row in rows) - len(table)
    return (f"{format_count(n_titles, 'row')} above the table left out as a title.",) if n_titles else ()


def _read_rows(content: FileContent, table: _Rows, notes: tuple[str, ...], table_format: TableFormat) -> RawTable:
    """Read rows as comma-separated text."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_format_cell(cell) for cell in row] for row in table)
    raw = read_text(content.with_bytes(text.getvalue().encode()), table_format)
    return replace(raw, notes=(*notes, *raw.notes))


def _format_cell(cell: Any) -> str:
    """Return a cell as text: whole numbers without a point, and days without a time of day."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2.0**53 else repr(cell)
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    return "" if _is_blank(cell) else str(cell)
