"""Pack tuples of arrays and numbers into the 64-bit words that compiled code reads.

A compiled function is a C function. So each tuple becomes a sequence of words: for an array its address
and lengths, for a number its value. Tuples that live long are packed once.
"""

import sys
from collections.abc import Callable
from ctypes import c_void_p
from functools import lru_cache
from struct import Struct
from typing import Any, NamedTuple, NoReturn

import numpy as np

from gaussmix.types import AnyArray

_ARRAY_TYPE_CODES = {
    np.dtype(np.float64): "d",
    np.dtype(np.float32): "f",
    np.dtype(np.int64): "q",
    np.dtype(np.bool_): "b",
    np.dtype(np.uint8): "B",
}

_NUMBER_TYPE_CODES: dict[type, str] = {bool: "b", int: "q", float: "d", np.float64: "d"}


class PackedArguments(NamedTuple):
    """A tuple packed into words. It keeps the arrays alive.

    ``layout`` describes the types: the tuple's name, then one code per field. 'd2' is an array of doubles
    with two axes ('f' floats, 'q' integers, 'b' booleans, 'B' bytes); a single letter is a number. A tuple without a
    name stands for one array.
    """

    packed_bytes: bytes
    layout: str
    source_values: Any

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: the addresses hold in this process only."""
        raise TypeError("packed arguments hold addresses of this process; send the arrays and pack them on arrival")


def pack_arguments(arguments: tuple[Any, ...]) -> PackedArguments:
    """Pack a tuple of contiguous arrays, integers, booleans and floats."""
    numbers: list[Any] = []
    layout, codes = [], ""
    if hasattr(arguments, "_fields"):
        layout.append(type(arguments).__name__)
    for value in arguments:
        if isinstance(value, np.ndarray):
            shape, code = value.shape, _ARRAY_TYPE_CODES.get(value.dtype)
            if code is None:
                raise TypeError(f"compiled code reads no arrays of {value.dtype}")
            numbers.append(_array_address(value))
            numbers += shape
            layout.append(f"{code}{len(shape)}")
            codes += "qqqqq"[: 1 + len(shape)]
        else:
            code = number_type_code(value)
            numbers.append(value)
            layout.append(code)
            codes += "d" if code == "d" else "q"
    return PackedArguments(_struct_for_codes(codes).pack(*numbers), " ".join(layout), arguments)


def pack_stored_rows(rows: AnyArray) -> PackedArguments:
    """Pack rows (n, D) of floats or doubles, and whether they are floats, in one layout for both."""
    return pack_arguments((rows, rows.dtype == np.float32))._replace(layout="d2 b")


def join_packed_arguments(tuple_type: type, *parts: PackedArguments) -> PackedArguments:
    """Join the fields of several packed tuples to one tuple of the given type."""
    layout = " ".join([tuple_type.__name__, *[part.layout for part in parts]])
    return PackedArguments(
        b"".join([part.packed_bytes for part in parts]), layout, [part.source_values for part in parts]
    )


def number_type_code(value: object) -> str:
    """Return the layout code of a number's type."""
    code = _NUMBER_TYPE_CODES.get(type(value))
    if code is None:
        raise TypeError(f"compiled code takes no {type(value).__name__}")
    return code


@lru_cache(maxsize=64)
def _struct_for_codes(codes: str) -> Struct:
    """Return the Struct that packs values of these types."""
    return Struct(f"={codes}")


def _array_address(array: AnyArray) -> int:
    """Return the address of a contiguous array; 0 for an empty one."""
    if not array.size:
        return 0
    if not array.flags.c_contiguous:
        raise ValueError("compiled code reads contiguous arrays only")
    return read_address(array)


def _address_in_header(array: AnyArray) -> int:
    """Return the address of an array's data from behind the header of the object, in a tenth of the usual time."""
    address: int | None = c_void_p.from_address(id(array) + object.__basicsize__).value
    return address or 0


def _address_in_interface(array: AnyArray) -> int:
    """Return the address of an array's data as every array object tells it."""
    address: int = array.__array_interface__["data"][0]
    return address


def _choose_reader() -> Callable[[AnyArray], int]:
    """Return the fast reader where the addresses that it finds are right, as in CPython; a pass packs ten arrays."""
    probes: list[AnyArray] = [np.zeros(3), np.zeros((2, 3), dtype=np.uint8)[1:]]
    is_cpython = sys.implementation.name == "cpython"
    if is_cpython and all(_address_in_header(probe) == _address_in_interface(probe) for probe in probes):
        return _address_in_header
    return _address_in_interface


read_address = _choose_reader()
