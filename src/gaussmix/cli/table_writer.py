"""Tables of assignments and samples as CSV or Parquet files."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gaussmix.cli.output_paths import partial_path, remove_partial_on_failure
from gaussmix.cli.table_reader import Table
from gaussmix.types import AnyArray, BoolN

ColumnsByName = dict[str, AnyArray]


def write_table(columns: ColumnsByName, path: Path) -> None:
    """Write columns as Parquet or, for any other suffix, as CSV; a failed write leaves no file.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    _write_arrow_table(_to_arrow_table(columns), path)


def write_table_with_columns(table: Table, columns: ColumnsByName, path: Path) -> None:
    """Write all columns of a file that was read, as they are in it, and further columns (n,) behind them.

    Its column gets ' (input)' behind its name if a further one has that name. Lists and other nested values are left
    out of a CSV file.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    assert table.arrow_table is not None
    own, is_csv = table.arrow_table, path.suffix.lower() != ".parquet"
    fields = [i for i, field in enumerate(own.schema) if not (is_csv and pa.types.is_nested(field.type))]
    names = [
        f"{own.schema.names[i]} (input)" if own.schema.names[i] in columns else own.schema.names[i] for i in fields
    ]
    further = _to_arrow_table(columns)
    joined = pa.table([*(own.column(i) for i in fields), *further.columns], names=[*names, *further.schema.names])
    _write_arrow_table(joined, path)


def _write_arrow_table(table: pa.Table, path: Path) -> None:
    """Write an Arrow table by the suffix of the path."""
    with remove_partial_on_failure(path):
        if path.suffix.lower() == ".parquet":
            pq.write_table(table, partial_path(path))
        else:
            partial_path(path).write_bytes(_encode_csv(table))
        partial_path(path).replace(path)


def encode_csv(columns: ColumnsByName) -> bytes:
    """Return columns as the UTF-8 bytes of a CSV with a header line and all digits of numbers."""
    return _encode_csv(_to_arrow_table(columns))


def _encode_csv(table: pa.Table) -> bytes:
    """Return an Arrow table as the bytes of a CSV; Arrow's own header would quote all names."""
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(table.schema.names)
    plain = pa.table([_decode_dictionary(column) for column in table.columns], names=table.schema.names)
    body = pa.BufferOutputStream()
    pacsv.write_csv(plain, body, pacsv.WriteOptions(include_header=False))
    return header.getvalue().encode() + bytes(body.getvalue())


def _decode_dictionary(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the values of a column of categories, which Arrow does not write as text."""
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def _to_arrow_table(columns: ColumnsByName) -> pa.Table:
    """Return an Arrow table with these columns in their order."""
    return pa.table({name: _to_arrow_array(values) for name, values in columns.items()})


def _to_arrow_array(values: AnyArray) -> pa.Array:
    """Return values (n,) as an Arrow array, missing where masked or None.

    Numbers, truth values and texts are buffers, because ``pa.array`` imports pandas.
    """
    if values.dtype in (np.float64, np.int64):
        buffer = pa.py_buffer(np.ascontiguousarray(np.ma.getdata(values)))
        mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
        return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [_pack_validity(mask), buffer])
    if values.dtype == np.bool_:
        return pa.Array.from_buffers(pa.bool_(), len(values), [None, _pack_bits(values)])
    texts = values.tolist()
    if values.dtype.kind in "OU" and all(text is None or isinstance(text, str) for text in texts):
        return _texts_to_arrow_array(texts)
    return pa.array(values)


def _texts_to_arrow_array(texts: Sequence[str | None]) -> pa.Array:
    """Return texts as an Arrow array."""
    contents = [b"" if text is None else text.encode() for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(content) for content in contents])])
    is_large = offsets[-1] >= 2**31
    offset_buffer = pa.py_buffer(offsets.astype(np.int64 if is_large else np.int32))
    mask = np.array([text is None for text in texts], dtype=np.bool_)
    buffers = [_pack_validity(mask if mask.any() else None), offset_buffer, pa.py_buffer(b"".join(contents))]
    return pa.Array.from_buffers(pa.large_string() if is_large else pa.string(), len(texts), buffers)


def _pack_validity(mask: BoolN | None) -> pa.Buffer | None:
    """Return Arrow's bits of the values that are present, from a mask (n,) of missing ones; None if all are."""
    return None if mask is None else _pack_bits(~mask)


def _pack_bits(values: BoolN) -> pa.Buffer:
    """Return truth values (n,) as Arrow's bits."""
    return pa.py_buffer(np.packbits(values, bitorder="little"))
