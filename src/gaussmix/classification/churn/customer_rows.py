"""``CustomerRows``: some rows of a table as its user has them, to show them, to compare with them and to store them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.classification.table.cell_values import CellValue, normalize_value
from gaussmix.classification.table.input_table import read_input_table
from gaussmix.classification.table.table_columns import AbstractTableColumn
from gaussmix.types import AnyArray, IntN

Cell = CellValue | None


@dataclass(frozen=True, eq=False)
class CustomerRows:
    """Rows of a table.

    Attributes
    ----------
    positions : ndarray of int64 of shape (m,)
        Positions of the rows in their table.
    columns : tuple of str
        All columns of the table.
    cells : tuple of tuple
        The cells (m, d); None where one is missing. Dates are text.
    """

    positions: IntN
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]

    def __len__(self) -> int:
        """Return the number of rows m."""
        return len(self.positions)

    def select(self, rows: Sequence[int]) -> "CustomerRows":
        """Return some of the rows."""
        return CustomerRows(self.positions[list(rows)], self.columns, tuple(self.cells[row] for row in rows))

    def to_dicts(self) -> list[dict[str, Cell]]:
        """Return each row as a dict."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.cells]

    def to_table(self) -> dict[str, AnyArray]:
        """Return the rows as a dict of columns, which a schema can encode."""
        return {
            name: _to_column(cells) for name, cells in zip(self.columns, zip(*self.cells, strict=True), strict=True)
        }


def _to_column(cells: Sequence[Cell]) -> AnyArray:
    """Return cells as an array (m,): of numbers where all are numbers, else of objects."""
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells):
        return np.array(cells, dtype=np.float64)
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column


def read_customer_rows(X: Any, positions: IntN) -> CustomerRows:
    """Return the rows of a table at some positions (m,)."""
    table = read_input_table(X)
    columns = [_read_cells(column, positions) for column in table.columns]
    cells = tuple(tuple(row) for row in zip(*columns, strict=True))
    return CustomerRows(np.asarray(positions, dtype=np.int64), table.names, cells)


def _read_cells(column: AbstractTableColumn, positions: IntN) -> list[Cell]:
    """Return the cells of a column at some positions."""
    if column.is_numeric:
        return [normalize_value(number, column.name) for number in column.to_numbers()[positions].tolist()]
    raw = column.factorize()
    values = [normalize_value(value, column.name) for value in raw.values]
    return [values[code] if code >= 0 else None for code in raw.codes[positions].tolist()]
