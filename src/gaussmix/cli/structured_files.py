"""Reading of files that know the types of their columns: Parquet, Arrow (Feather) and JSON, all by Arrow."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gaussmix.cli.file_content import FileContent
from gaussmix.cli.raw_table import RawTable
from gaussmix.cli.table_format import TableFormat
from gaussmix.errors import FileFormatError, TableError

_ARROW_FILE_MAGIC, _OLD_FEATHER_MAGIC = b"ARROW1", b"FEA1"
_MIN_JSON_BLOCK = 1 << 20


def read_parquet(content: FileContent, table_format: TableFormat) -> RawTable:
    """Read a Parquet file."""
    with pq.ParquetFile(content.source, pre_buffer=False) as file:
        return RawTable(file.read(use_threads=False))


def read_arrow(content: FileContent, table_format: TableFormat) -> RawTable:
    """Read an Arrow file or stream, which is also what Feather files are."""
    import pyarrow.ipc

    if content.start.startswith(_OLD_FEATHER_MAGIC):
        raise FileFormatError.old_feather(content.path)
    is_file = content.start.startswith(_ARROW_FILE_MAGIC)
    open_arrow = pyarrow.ipc.open_file if is_file else pyarrow.ipc.open_stream
    options = pyarrow.ipc.IpcReadOptions(use_threads=False)
    buffer = content.with_bytes(content.read()).buffer
    with open_arrow(pa.BufferReader(buffer), options=options) as reader:
        return RawTable(reader.read_all())


def read_json(content: FileContent, table_format: TableFormat) -> RawTable:
    """Read objects, one a line or in an array; nested values are columns of no use.

    Raises
    ------
    FileError
        If the content is no such JSON.
    """
    import pyarrow.json as pajson

    if not content.start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        content = content.with_bytes(_to_json_lines(content))
    lines = content.read().removeprefix(b"\xef\xbb\xbf")
    size = min(max(_MIN_JSON_BLOCK, len(lines)), 2**31 - 1)  # an object may not lie in two blocks
    options = pajson.ReadOptions(use_threads=False, block_size=size)
    try:
        table = pajson.read_json(content.with_bytes(lines).source, read_options=options)
    except pa.ArrowInvalid as error:
        raise FileFormatError.not_json_lines(content.path, _shorten(error)) from error
    if not table.num_rows:
        raise TableError.no_rows(content.path)
    return RawTable(table, is_text_file=True)


def _to_json_lines(content: FileContent) -> bytes:
    """Return one object a line from a JSON array of objects; raise FileError if it is none."""
    try:
        found: Any = json.loads(content.read().decode("utf-8-sig"), parse_constant=lambda name: None)
    except (ValueError, RecursionError) as error:
        raise FileFormatError.not_json_lines(content.path, _shorten(error)) from error
    if not (isinstance(found, list) and found and all(isinstance(each, dict) for each in found)):
        raise FileFormatError.not_json_lines(content.path, "it holds other values")
    return "\n".join(json.dumps(each) for each in found).encode()


def _shorten(error: Exception) -> str:
    """Return an error's message on one line."""
    return " ".join(str(error).removeprefix("JSON parse error: ").split())
