"""``CellHasher``: random hashes of the cells of space that rows lie in; they depend on the values of the rows alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaussmix.core.frame import ColumnRange
from gaussmix.core.random_numbers import splitmix64
from gaussmix.engines.automatic import call_compiled_function
from gaussmix.types import ND, D

HashArray = NDArray[np.uint64]

_CELLS_PER_COLUMN = 2.0**27  # large compared with the rows of a sample, small compared with rounding errors
_MIN_COLUMN_RANGE = 1e-280  # a column with a smaller range cannot be divided into cells


@dataclass(frozen=True)
class CellHasher:
    """Hashes cells: each column's range is divided into 2^27 intervals of one width, which divides space into cells.

    The minimum and the maximum of a column lie in the middle of their cells.

    Attributes
    ----------
    minimum, cells_per_unit : ndarray of shape (D,)
    multipliers : ndarray of uint64 of shape (D,)
        Random odd numbers, the seed of the hash.
    uses_compiled_code : bool
        Compiled code and NumPy give the same hashes.
    """

    minimum: D
    cells_per_unit: D
    multipliers: HashArray
    uses_compiled_code: bool

    @classmethod
    def from_column_range(
        cls, column_range: ColumnRange, multipliers: HashArray, uses_compiled_code: bool
    ) -> "CellHasher":
        """Return the hasher of rows whose columns have this range."""
        widths = column_range.maximum - column_range.minimum
        cells_per_unit = np.where(
            widths > _MIN_COLUMN_RANGE, _CELLS_PER_COLUMN / np.maximum(widths, _MIN_COLUMN_RANGE), 0.0
        )
        return cls(column_range.minimum, cells_per_unit, multipliers, uses_compiled_code)

    def hash_rows(self, rows: ND) -> HashArray:
        """Return the hash of the cell of each row (n, D), (n,)."""
        if self.uses_compiled_code:
            hashes, multipliers = np.empty(len(rows), dtype=np.int64), self.multipliers.view(np.int64)
            parts = (np.ascontiguousarray(part) for part in (rows, self.minimum, self.cells_per_unit))
            if call_compiled_function("hash_cells", *parts, multipliers, hashes) is not None:
                return hashes.view(np.uint64)
        positions = rows - self.minimum
        positions *= self.cells_per_unit
        positions += 0.5
        return splitmix64(np.maximum(positions, 0.0, out=positions).astype(np.uint64) @ self.multipliers)


@dataclass(frozen=True)
class RowHasher:
    """Hashes the exact values of rows, where -0.0 equals 0.0; ``multipliers`` (D,) are random odd numbers."""

    multipliers: HashArray

    def hash_rows(self, rows: ND) -> HashArray:
        """Return the hash of each row (n, D), (n,)."""
        return splitmix64(splitmix64((rows + 0.0).view(np.uint64)) @ self.multipliers)
