"""The columns of a customer that can change, and the values that they can take."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.column_summary import ColumnSummary, NumericSummary
from gaussmix.classification.churn.customer_rows import Cell
from gaussmix.classification.table.encoded_columns import NumericColumn
from gaussmix.classification.table.input_column import InputColumn
from gaussmix.classification.table.table_schema import InputCells, TableSchema
from gaussmix.types import AnyArray, IntN, N

_PROBABILITIES = np.linspace(0.05, 0.95, 19)  # of the quantiles that a numeric column can take


@dataclass(frozen=True, eq=False)
class ColumnLever:
    """A column that can change, with the columns that are the same information and follow it.

    Attributes
    ----------
    name : str
    columns : tuple of str
        Columns of numbers, or one categorical column.
    values : tuple of ndarray of shape (v,)
        New numbers, or new codes, of each of these columns.
    distances : ndarray of shape (v,)
        Difference of the ranks from the present value, or 1 for another level.
    is_numeric : bool
    """

    name: str
    columns: tuple[str, ...]
    values: tuple[AnyArray, ...]
    distances: N
    is_numeric: bool

    def __len__(self) -> int:
        """Return the number of values v."""
        return len(self.distances)

    def apply(self, cells: InputCells, rows: IntN, choices: IntN) -> None:
        """Set the cells of some rows (m,) to the chosen values (m,), in place."""
        for name, values in zip(self.columns, self.values, strict=True):
            (cells.numbers if self.is_numeric else cells.codes)[name][rows] = values[choices]

    def thin(self) -> "ColumnLever":
        """Return the lever with every other value of a numeric column."""
        kept = slice(None, None, 2 if self.is_numeric else 1)
        return ColumnLever(
            self.name, self.columns, tuple(each[kept] for each in self.values), self.distances[kept], self.is_numeric
        )


def find_levers(
    schema: TableSchema,
    used: Sequence[InputColumn],
    cells: InputCells,
    row: int,
    summaries: Mapping[str, ColumnSummary],
    fixed: Collection[str],
) -> list[ColumnLever]:
    """Return the levers of one row: columns that are used, not fixed, and present in the row."""
    names = {column.name for column in used}
    levers = [_numeric_lever(column, cells, row, summaries) for column in schema.numeric if column.name in names]
    levers += [_categorical_lever(column, cells, row) for column in used if not column.is_numeric]
    return [lever for lever in levers if len(lever) and not set(lever.columns) & set(fixed)]


def _numeric_lever(
    column: NumericColumn, cells: InputCells, row: int, summaries: Mapping[str, ColumnSummary]
) -> ColumnLever:
    """Return the lever of a numeric column: quantiles of the training rows, and what they say of equal columns."""
    summary, own = summaries.get(column.name), float(cells.numbers[column.name][row])
    readings = {reading.columns[0]: reading for reading in column.readings if len(reading.columns) == 1}
    if not isinstance(summary, NumericSummary) or np.isnan(own) or column.name not in readings:
        return ColumnLever(column.name, (column.name,), (np.empty(0),), np.empty(0), is_numeric=True)
    values = np.unique(summary.quantiles(_PROBABILITIES))
    values = values[values != own]
    first = readings[column.name]
    meaning = first.slopes[0] * values + first.intercept
    followers = {
        name: _round((meaning - reading.intercept) / reading.slopes[0])
        for name, reading in readings.items()
        if name != column.name and not np.isnan(cells.numbers[name][row])
    }
    distances = np.abs(summary.ranks(values) - summary.ranks(np.array([own])))
    return ColumnLever(
        column.name, (column.name, *followers), (values, *followers.values()), distances, is_numeric=True
    )


def _round(values: N) -> N:
    """Return values (v,) with 12 significant digits."""
    return np.array([float(f"{value:.12g}") for value in values])


def _categorical_lever(column: InputColumn, cells: InputCells, row: int) -> ColumnLever:
    """Return the lever of a categorical column: its other levels; none if the cell is missing."""
    own, codes = int(cells.codes[column.name][row]), np.arange(len(column.levels))
    others = codes[codes != own] if own >= 0 else codes[:0]
    return ColumnLever(column.name, (column.name,), (others,), np.ones(len(others)), is_numeric=False)


def cell_of(column: InputColumn, cells: InputCells, row: int) -> Cell:
    """Return a cell as the table has it, or a level of several numbers; None where it is missing."""
    if column.is_numeric:
        number = float(cells.numbers[column.name][row])
        return None if np.isnan(number) else int(number) if number.is_integer() else number
    code = int(cells.codes[column.name][row])
    return column.levels[code] if code >= 0 else None


def list_cells(column: InputColumn, cells: InputCells) -> list[Cell]:
    """Return all cells of a column as the table has them, None where they are missing."""
    if column.is_numeric:
        numbers = cells.numbers[column.name].tolist()
        return [None if number != number else int(number) if number.is_integer() else number for number in numbers]
    values: list[Cell] = [*column.levels, None]
    return [values[code] for code in cells.codes[column.name].tolist()]
