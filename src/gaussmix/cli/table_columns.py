"""``Column``: a named column of a file, with its kind and its values as NumPy arrays.

Callers see no Arrow types. Arrow gets no Python objects; see `table_reader`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gaussmix.cli.number_forms import WrittenNumbers, parse_written_numbers
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.types import AnyArray, N

NUMERIC_KIND = "numbers"
_BLANK_PATTERN = r"^\s*$"
# What people write where a value is missing, besides the words that Arrow knows, such as NA, NaN and null.
_MARKER_PATTERN = r"^\s*(\?|-{1,3}|\.|\*|none|missing|unknown|n\.a\.|#(VALUE|DIV/0|REF|NUM)!)\s*$"
_MIN_NUMERIC_FRACTION = 0.9  # fraction of numbers from which the other values of a column count as mistakes


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
    n_numeric, n_non_missing : int
        Values of a text column that are numbers in the form that most are in, and that are not missing.
    number_note : str
        How the numbers of a text file were read, as 'thousands commas are removed'; '' if they are plain.
    load_texts : callable
        Returns the values of a text column, None if missing.
    load_cells : callable
        Returns the values (n,) of a column of numbers, booleans, text or dates as an array of that type, and objects
        with None where booleans and text are missing; None for other kinds.
    """

    name: str
    kind: str
    values: N = field(default_factory=lambda: np.empty(0))
    non_numeric_reason: str = ""
    n_numeric: int = 0
    n_non_missing: int = 0
    number_note: str = ""
    load_texts: Callable[[], list[str | None]] = field(default=list, repr=False, compare=False)
    load_cells: Callable[[], AnyArray | None] = field(default=lambda: None, repr=False, compare=False)

    @property
    def is_numeric(self) -> bool:
        """Whether the column holds numbers."""
        return self.kind == NUMERIC_KIND

    @property
    def is_likely_numeric(self) -> bool:
        """Whether most values of a text column are numbers."""
        return self.n_numeric > 0.5 * self.n_non_missing

    @property
    def is_nearly_numeric(self) -> bool:
        """Whether at least 90 % of the values of a text column are numbers; the others are probably mistakes."""
        return bool(self.non_numeric_reason) and self.n_numeric >= _MIN_NUMERIC_FRACTION * self.n_non_missing


def convert_column(name: str, values: pa.ChunkedArray, is_text_file: bool, has_decimal_comma: bool = False) -> Column:
    """Return an Arrow column as a `Column`; only texts of text files may be numbers."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    if pa.types.is_boolean(kind):
        numbers = _to_float64(values.cast(pa.uint8()))
        return Column(name, NUMERIC_KIND, numbers, load_cells=lambda: np.array(values.to_pylist(), dtype=object))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _make_numeric_column(name, _to_float64(values))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _convert_text_column(name, values, is_text_file, has_decimal_comma)
    return Column(name, _arrow_kind_name(kind), load_cells=lambda: _load_other_cells(values))


def _make_numeric_column(name: str, numbers: N, note: str = "") -> Column:
    """Return a column of numbers (n,)."""
    return Column(name, NUMERIC_KIND, numbers, number_note=note, load_cells=lambda: numbers)


def _load_other_cells(values: pa.ChunkedArray) -> AnyArray | None:
    """Return dates (n,) as datetime64, NaT if missing, an empty column as NaN, and None for other kinds."""
    if pa.types.is_null(values.type):
        return np.full(len(values), np.nan)
    if not (pa.types.is_date(values.type) or pa.types.is_timestamp(values.type)):
        return None
    microseconds = values.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    missing = int(np.datetime64("NaT", "us").astype(np.int64))
    return _to_numpy(_fill_missing(microseconds, missing), np.int64).view("datetime64[us]")


def _to_float64(arrow_values: pa.ChunkedArray | pa.Array) -> N:
    """Return Arrow values as float64, NaN if missing."""
    return _to_numpy(_fill_missing(arrow_values.cast(pa.float64(), safe=False), np.nan), np.float64)


def _fill_missing(values: pa.ChunkedArray | pa.Array, replacement: float) -> pa.ChunkedArray | pa.Array:
    """Return Arrow numbers of eight bytes with missing ones replaced.

    The replacement is the value of a buffer, because ``pa.scalar`` imports pandas.
    """
    buffer = pa.py_buffer(np.array([replacement], values.type.to_pandas_dtype()))
    return pc.fill_null(values, pa.Array.from_buffers(values.type, 1, [None, buffer])[0])


def _to_numpy(values: pa.ChunkedArray | pa.Array, dtype: type[np.generic]) -> AnyArray:
    """Return Arrow values (n,) of eight bytes, none of which is missing, as a NumPy array.

    It reads Arrow's buffers, because ``to_numpy`` imports pandas, and an interrupt during that import is lost.
    """
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    parts = [np.frombuffer(part.buffers()[1], dtype)[part.offset :][: len(part)] for part in chunks if len(part)]
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _convert_text_column(name: str, texts: pa.ChunkedArray, is_text_file: bool, has_decimal_comma: bool) -> Column:
    """Return a text column, or a numeric one if all texts are numbers in one form.

    Blank texts count as missing.
    """
    texts = texts.cast(pa.large_string())
    is_blank = pc.match_substring_regex(texts, _BLANK_PATTERN)
    texts = pc.if_else(is_blank, pa.nulls(1, pa.large_string())[0], texts)
    n_non_missing = len(texts) - texts.null_count
    if not n_non_missing:
        return Column(name, "empty", load_cells=lambda: np.full(len(texts), np.nan))
    numbers = parse_written_numbers(texts, has_decimal_comma)
    if numbers.texts is not None and is_text_file:
        return _make_numeric_column(name, _to_float64(numbers.texts), numbers.note)
    if is_text_file and (marked := _parse_around_markers(texts, has_decimal_comma)) is not None:
        return _make_numeric_column(name, _to_float64(marked.texts), marked.note)
    other_rows = pc.indices_nonzero(pc.invert(numbers.is_number))  # pc.index would import pandas
    row = other_rows[0].as_py() if len(other_rows) else -1
    value = texts[row].as_py() if row >= 0 else ""
    short_value = value if len(value) <= 30 else value[:27] + "..."
    return Column(
        name,
        "text",
        non_numeric_reason=f"data row {row + 1} holds {short_value!r}" if row >= 0 else "",
        n_numeric=pc.sum(numbers.is_number).as_py() or 0,
        n_non_missing=n_non_missing,
        load_texts=texts.to_pylist,
        load_cells=lambda: _load_text_cells(texts),
    )


def _parse_around_markers(texts: pa.ChunkedArray, has_decimal_comma: bool) -> WrittenNumbers | None:
    """Return the numbers of a column whose other cells are usual markers of a missing value; None for other columns."""
    is_marker = pc.match_substring_regex(texts, _MARKER_PATTERN, ignore_case=True)
    rest = pc.if_else(is_marker, pa.nulls(1, pa.large_string())[0], texts)
    if not pc.any(is_marker).as_py() or len(rest) == rest.null_count:
        return None
    numbers = parse_written_numbers(rest, has_decimal_comma)
    if numbers.texts is None:
        return None
    found = pc.filter(texts, is_marker)
    markers = join_with_and([repr(marker) for marker in pc.unique(found).to_pylist()])
    cells = f"{format_count(len(found), 'cell')} with {markers} {'counts' if len(found) == 1 else 'count'} as missing"
    return numbers._replace(note=f"{numbers.note}; {cells}" if numbers.note else cells)


def _load_text_cells(texts: pa.ChunkedArray) -> AnyArray:
    """Return texts (n,) as objects, None if missing; equal texts are one object, which saves memory and time."""
    encoded = texts.combine_chunks().dictionary_encode()
    values = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    return np.asarray(values[_to_numpy(_fill_missing(encoded.indices.cast(pa.int64()), -1), np.int64)])


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
