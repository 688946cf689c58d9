"""Hashes of the cells that rows lie in, without Python in between.

They are those of `model/cell_hashes.py`. All numbers are signed here, and wrap around like unsigned ones.
"""

from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.function_attributes import request_inlining
from gaussmix.kernels.codegen.simd import get_item, set_item

# The constants of splitmix64 as signed integers, and masks that make a shift of a signed integer a logical one.
_FIRST_FACTOR, _SECOND_FACTOR = 0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64
_LOW_34_BITS, _LOW_37_BITS, _LOW_33_BITS = 2**34 - 1, 2**37 - 1, 2**33 - 1

# Larger cell numbers, of rows of weight zero, could overflow.
_MAX_CELL = 2.0**60


@entry_point
def hash_cells(rows, minimum, cells_per_unit, multipliers, hashes):
    """Write the hash of the cell of each row (n, D), given the minimum (D,) and the cells per unit (D,) of columns."""
    n_rows, n_columns = rows.shape
    for i in range(n_rows):
        key = 0
        for j in range(n_columns):
            difference = get_item(rows, i * n_columns + j) - get_item(minimum, j)
            key += _cell_number(difference * get_item(cells_per_unit, j) + 0.5) * get_item(multipliers, j)
        set_item(hashes, i, _splitmix64(key))


@kernel
def _cell_number(position):
    """Return the number of the cell at a position in units of cells, at least 0."""
    request_inlining()
    return int(min(max(position, 0.0), _MAX_CELL))


@kernel
def _splitmix64(key):
    """Return the finalizer of splitmix64."""
    request_inlining()
    key = (key ^ ((key >> 30) & _LOW_34_BITS)) * _FIRST_FACTOR
    key = (key ^ ((key >> 27) & _LOW_37_BITS)) * _SECOND_FACTOR
    return key ^ ((key >> 31) & _LOW_33_BITS)
