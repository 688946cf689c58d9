"""``CategoryCells``: the distinct values of a column and the code of each cell."""

from dataclasses import dataclass

import numpy as np

from gaussmix.classification.table.cell_values import CellValue, normalize_value
from gaussmix.classification.table.table_columns import AbstractTableColumn
from gaussmix.types import BoolN, IntD, IntN, N


@dataclass(frozen=True, eq=False)
class CategoryCells:
    """The cells of a column as codes.

    Attributes
    ----------
    values : tuple of str, bool, int or float
        The m distinct values, sorted: bools and numbers before text.
    codes : ndarray of int64 of shape (n,)
        Position in ``values``, -1 where the cell is missing.
    is_ordered : bool
        Whether the values are numbers whose order counts.
    """

    values: tuple[CellValue, ...]
    codes: IntN
    is_ordered: bool = False

    @property
    def counts(self) -> IntD:
        """Number of cells with each value, (m,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    @property
    def n_present(self) -> int:
        """Number of cells that are not missing."""
        return int(np.count_nonzero(self.codes >= 0))

    def select_rows(self, is_selected: BoolN) -> "CategoryCells":
        """Return the cells of some rows, with the values that occur among them."""
        codes = self.codes[is_selected]
        present = np.unique(codes[codes >= 0])
        return CategoryCells(tuple(self.values[code] for code in present), map_codes(codes, _rank_codes(present)))


def _rank_codes(codes: IntD) -> IntD:
    """Return a table from codes to their ranks among the given ascending codes."""
    ranks = np.full(int(codes.max(initial=-1)) + 1, -1, dtype=np.int64)
    ranks[codes] = np.arange(len(codes))
    return ranks


def map_codes(codes: IntN, new_codes: IntD) -> IntN:
    """Return ``new_codes[codes]`` (n,), and -1 where a code is -1; ``new_codes`` has shape (m,)."""
    return np.append(new_codes, -1)[codes]  # -1 selects the last entry


def read_category_cells(column: AbstractTableColumn) -> CategoryCells:
    """Return the cells of a column as codes of its sorted distinct values; blank text is missing."""
    if column.is_numeric:
        return codes_of_numbers(column.to_numbers(), column.name)
    raw = column.factorize()
    normalized = [normalize_value(value, column.name) for value in raw.values]
    values = tuple(sorted({value for value in normalized if value is not None}, key=_sort_key))
    position = {value: code for code, value in enumerate(values)}
    new_codes = [-1 if value is None else position[value] for value in normalized]
    return CategoryCells(values, map_codes(raw.codes, np.array(new_codes, dtype=np.int64)))


def codes_of_numbers(numbers: N, column: str, is_ordered: bool = False) -> CategoryCells:
    """Return numbers (n,) as codes of their distinct values; NaN is missing."""
    is_present = ~np.isnan(numbers)
    distinct, positions = np.unique(numbers[is_present], return_inverse=True)
    codes = np.full(len(numbers), -1, dtype=np.int64)
    codes[is_present] = positions
    values = (normalize_value(value, column) for value in distinct.tolist())
    return CategoryCells(tuple(value for value in values if value is not None), codes, is_ordered)


def _sort_key(value: CellValue) -> tuple[bool, float, str]:
    """Return the key that sorts bools and numbers by size, and text behind them."""
    return (True, 0.0, value) if isinstance(value, str) else (False, float(value), "")
