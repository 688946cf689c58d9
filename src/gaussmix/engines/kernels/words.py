"""Tuples of arrays and numbers as the words that compiled code reads them from.

A compiled function is an ordinary function of C. So each tuple becomes a row of 64-bit words: for each array its
address and its lengths, for each number the number. They are made once where the tuple lives long.
"""

from functools import lru_cache
from struct import Struct
from typing import Any, NamedTuple

import numpy as np

from gaussmix.types import AnyArray

_CODES = {np.dtype(np.float64): "d", np.dtype(np.float32): "f", np.dtype(np.int64): "q", np.dtype(np.bool_): "b"}

_NUMBERS: dict[type, str] = {bool: "b", int: "q", float: "d", np.float64: "d"}


class Words(NamedTuple):
    """A tuple in words; its arrays live at least as long.

    ``layout`` tells the types, item by item after the tuple's own name: 'd2' is an array of doubles with two axes
    ('f' singles, 'q' integers, 'b' booleans), a letter alone a number. A tuple without a name is one array.
    """

    content: bytes
    layout: str
    values: Any


def words_of(values: tuple[Any, ...]) -> Words:
    """A tuple of contiguous arrays, integers, booleans and floats, in words."""
    numbers: list[Any] = []
    layout, codes = [], ""
    if hasattr(values, "_fields"):
        layout.append(type(values).__name__)
    for value in values:
        if isinstance(value, np.ndarray):
            shape, code = value.shape, _CODES.get(value.dtype)
            if code is None:
                raise TypeError(f"compiled code reads no arrays of {value.dtype}")
            numbers.append(_address(value))
            numbers += shape
            layout.append(f"{code}{len(shape)}")
            codes += "qqqqq"[: 1 + len(shape)]
        else:
            code = number_code(value)
            numbers.append(value)
            layout.append(code)
            codes += "d" if code == "d" else "q"
    return Words(_packer(codes).pack(*numbers), " ".join(layout), values)


def joined(kind: type, *parts: Words) -> Words:
    """The items of several tuples, as those of one of the given type."""
    layout = " ".join([kind.__name__, *[part.layout for part in parts]])
    return Words(b"".join([part.content for part in parts]), layout, [part.values for part in parts])


def number_code(value: object) -> str:
    """The letter of a number's type in a layout."""
    code = _NUMBERS.get(type(value))
    if code is None:
        raise TypeError(f"compiled code takes no {type(value).__name__}")
    return code


@lru_cache(maxsize=64)
def _packer(codes: str) -> Struct:
    return Struct(f"={codes}")


def _address(array: AnyArray) -> int:
    """Where an array begins; 0 for one without elements, which nobody reads."""
    if not array.size:
        return 0
    if not array.flags.c_contiguous:
        raise ValueError("compiled code reads contiguous arrays only")
    address: int = array.__array_interface__["data"][0]
    return address
