"""``RawTable``: what a reader of one kind of file gives to `table_reader`."""

from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True)
class RawTable:
    """The columns of a file as Arrow has parsed them.

    Attributes
    ----------
    arrow_table : pa.Table
    notes : tuple of str
        What a user should know about how the file was read.
    is_text_file : bool
        Whether texts may be numbers, and spaces around names mean nothing.
    has_decimal_comma : bool
        Whether numbers have decimal commas in the whole file.
    """

    arrow_table: pa.Table = field(repr=False)
    notes: tuple[str, ...] = ()
    is_text_file: bool = False
    has_decimal_comma: bool = False
