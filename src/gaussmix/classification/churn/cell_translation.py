"""Cells of one table as two schemas read them: changes of the one become changes of the other."""

from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.coalitions import repeat_row
from gaussmix.classification.churn.customer_rows import Cell
from gaussmix.classification.table.cell_values import parse_number
from gaussmix.classification.table.input_column import InputColumn
from gaussmix.classification.table.table_schema import InputCells, TableSchema
from gaussmix.types import AnyArray, BoolN


@dataclass(frozen=True, eq=False)
class CellTranslation:
    """Two schemas of one table, such as those of a fold and of all rows.

    Attributes
    ----------
    source : TableSchema
    target : TableSchema
    """

    source: TableSchema
    target: TableSchema

    def translate(self, changed: InputCells, original: InputCells, target_cells: InputCells, row: int) -> InputCells:
        """Return changed copies of one row as the target reads them.

        Parameters
        ----------
        changed : InputCells
            m copies of the row as the source reads them, of which some cells have changed.
        original : InputCells
            All rows as the source reads them.
        target_cells : InputCells
            All rows as the target reads them. Cells that have not changed are taken from here, also those that the
            source does not know.
        row : int
        """
        if self.source is self.target:
            return changed
        translated = repeat_row(target_cells, row, changed.n_rows)
        readers = {reader.name: reader for reader in self.target.readers}
        for reader in self.source.readers:
            if reader.name in readers:
                before = _cells_of(reader, original)[row]
                after = _cells_of(reader, changed)
                is_changed = (after != before) & ~(_is_nan(after) & _is_nan(before))
                target = _cells_of(readers[reader.name], translated)
                _copy_changes(reader, after, readers[reader.name], target, is_changed)
        return translated


def _cells_of(reader: InputColumn, cells: InputCells) -> AnyArray:
    """Return the numbers or codes (n,) of a column."""
    return cells.numbers[reader.name] if reader.is_numeric else cells.codes[reader.name]


def _is_nan(values: AnyArray) -> AnyArray:
    """Return where numbers are NaN; codes never are."""
    return np.isnan(np.asarray(values, dtype=np.float64))


def _copy_changes(
    source: InputColumn, values: AnyArray, target: InputColumn, target_values: AnyArray, is_changed: BoolN
) -> None:
    """Set the changed cells of the target to those of the source, in place; unknown values become missing."""
    distinct, position = np.unique(values[is_changed], return_inverse=True)
    cells = (
        distinct.tolist()
        if source.is_numeric
        else [source.example_values[code] if code >= 0 else None for code in distinct.tolist()]
    )
    convert = _to_number if target.is_numeric else target.find_code
    target_values[is_changed] = np.array([convert(cell) for cell in cells], dtype=target_values.dtype)[position]


def _to_number(cell: Cell) -> float:
    """Return a cell as a number, NaN if it is none."""
    number = parse_number(cell) if isinstance(cell, str) else cell
    return np.nan if number is None else float(number)
