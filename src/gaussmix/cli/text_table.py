"""Reading of text files: encoding, clean-up of what Arrow does not know, and parsing by Arrow."""

import codecs
import re
from dataclasses import replace

import pyarrow as pa
import pyarrow.csv as pacsv

from gaussmix.cli.file_content import FileContent
from gaussmix.cli.raw_table import RawTable
from gaussmix.cli.table_format import TableFormat
from gaussmix.cli.text_layout import TextLayout, find_layout
from gaussmix.errors import FileError, FileFormatError, TableError

_RAGGED_ROW = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_COMMENT_LINE = re.compile(rb"^[ \t]*#[^\r\n]*(\r\n|\r|\n|\Z)", re.MULTILINE)
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FOREIGN_MAGIC = {
    b"PAR1": ("a Parquet file", ".parquet"),
    b"ARROW1": ("an Arrow file", ".feather"),
    b"[{": ("JSON", ".json"),
    b'{"': ("JSON", ".json"),
    b"PK\x03\x04": ("a zip archive or an Excel workbook", ".xlsx"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", ".xls"),
}


def read_text(content: FileContent, table_format: TableFormat) -> RawTable:
    """Read a text file whose first line names the columns, or which has no names.

    Raises
    ------
    FileError
        If it is not text, or not a table.
    """
    _require_text(content)
    if content.start.startswith(_UTF16_MARKS):
        content = _decode_utf16(content)
    try:
        return _read_utf8(content, table_format)
    except _EncodingError:
        try:
            text = content.read().decode("cp1252")
        except UnicodeDecodeError:
            text = content.read().decode("latin-1")
        table = _read_utf8(content.with_bytes(text.encode()), table_format)
        note = f"{content.path.name} is not UTF-8 and is read as Windows-1252 (Latin-1)."
        return replace(table, notes=(note, *table.notes))


class _EncodingError(Exception):
    """A text that is not UTF-8."""


def _require_text(content: FileContent) -> None:
    """Raise FileError if the first bytes are those of another kind of file, or no text."""
    start = content.start
    for magic, (kind, suffix) in _FOREIGN_MAGIC.items():
        if start.startswith(magic):
            raise FileFormatError.other_kind(content.path, kind, suffix)
    if start.startswith(_UTF16_MARKS):
        return
    first_line = re.split(rb"\r\n|\r|\n", start.lstrip(b"\r\n"), maxsplit=1)[0]
    if b"\0" in start or any(byte < 32 and byte != 9 for byte in first_line):
        raise FileFormatError.not_text(content.path)


def _decode_utf16(content: FileContent) -> FileContent:
    """Return the text as UTF-8; raise FileError if it is damaged."""
    try:
        return content.with_bytes(content.read().decode("utf-16").encode())
    except UnicodeError as error:
        raise FileFormatError.not_text(content.path) from error


def _read_utf8(content: FileContent, table_format: TableFormat) -> RawTable:
    """Read UTF-8; raise _EncodingError if it is not."""
    if content.start.startswith(codecs.BOM_UTF8):
        content = replace(content, start=content.start.removeprefix(codecs.BOM_UTF8))
    try:
        start = codecs.getincrementaldecoder("utf-8")().decode(content.start)  # a character may be cut at the end
    except UnicodeDecodeError as error:
        raise _EncodingError from error
    if not start.strip():
        raise FileError.empty_file(content.path)
    layout = find_layout(content.path, start, content.is_complete, table_format.has_no_header)
    table = _parse(*_clean(content, layout))
    if any(pa.types.is_binary(kind) for kind in table.schema.types):
        raise _EncodingError
    return RawTable(table, layout.notes, is_text_file=True, has_decimal_comma=layout.has_decimal_comma)


def _clean(content: FileContent, layout: TextLayout) -> tuple[FileContent, TextLayout]:
    """Return a text without comments and with tabs for spaces, and its layout."""
    if layout.delimiter != " " and not layout.has_comments:
        return content, layout
    data = content.read().removeprefix(codecs.BOM_UTF8)
    lines = re.split(rb"\r\n|\r|\n", data, maxsplit=layout.n_skipped_lines)
    data = lines[-1] if layout.n_skipped_lines else data
    if layout.has_comments:
        data = _COMMENT_LINE.sub(b"", data)
    delimiter = layout.delimiter
    if delimiter == " ":
        data, delimiter = _replace_spaces(data), "\t"
    return content.with_bytes(data), replace(layout, delimiter=delimiter, n_skipped_lines=0)


def _replace_spaces(data: bytes) -> bytes:
    """Return a text with one tab for each run of spaces and tabs, but for those in quotes and at the ends of lines."""
    if b'"' in data:
        data = re.sub(rb'"[^"\r\n]*"|[ \t]+', lambda match: match[0] if match[0][:1] == b'"' else b"\t", data)
    else:
        data = data.replace(b" ", b"\t")
        while b"\t\t" in data:  # halves the runs; a regular expression takes ten times as long
            data = data.replace(b"\t\t", b"\t")
    for line_end in (b"\n", b"\r"):
        data = data.replace(b"\t" + line_end, line_end).replace(line_end + b"\t", line_end)
    return data.strip(b"\t")


def _parse(content: FileContent, layout: TextLayout) -> pa.Table:
    """Parse a text with one thread; raise TableError for a line of another length or no rows."""
    names = None if layout.column_names is None else list(layout.column_names)
    try:
        return pacsv.read_csv(
            content.source,
            read_options=pacsv.ReadOptions(
                use_threads=False, skip_rows=layout.n_skipped_lines, column_names=names or None
            ),
            parse_options=pacsv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                strings_can_be_null=True,  # NA is a missing value in all columns
                decimal_point="," if layout.has_decimal_comma else ".",
            ),
        )
    except pa.ArrowInvalid as error:
        if "cannot infer number of columns" in str(error) or "Empty CSV file" in str(error):
            raise TableError.no_rows(content.path) from error
        match = _RAGGED_ROW.search(str(error))
        if match is None:
            raise
        if not layout.has_comments and _COMMENT_LINE.search(content.read()):
            return _parse(*_clean(content, replace(layout, has_comments=True)))
        raise _make_ragged_row_error(content, layout, *match.groups()) from error


def _make_ragged_row_error(
    content: FileContent, layout: TextLayout, line: str | None, n_expected: str, n_fields: str
) -> TableError:
    """Return the error of a line that has another number of fields than there are names."""
    n_before = layout.n_skipped_lines + (layout.column_names is None)
    position = f"data row {int(line) - n_before}" if line else "a line"
    return TableError.wrong_field_count(content.path, position, int(n_fields), int(n_expected))
