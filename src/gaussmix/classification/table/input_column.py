"""``InputColumn``: how a fitted schema reads one column of a table: as numbers, or as codes of known values."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.classification.table.category_cells import CategoryCells, map_codes
from gaussmix.classification.table.cell_values import CellValue, normalize_value, parse_number
from gaussmix.classification.table.far_values import NO_LIMITS, Limits
from gaussmix.classification.table.table_columns import AbstractTableColumn
from gaussmix.errors import TableColumnError
from gaussmix.types import IntN, N


class KnownCodes(NamedTuple):
    """The code (n,) of each cell among known values, -1 if missing or unknown, and the unknown values."""

    codes: IntN
    unknown_values: tuple[CellValue, ...]


@dataclass(frozen=True)
class InputColumn:
    """A column of the table of a fit that the schema uses.

    Attributes
    ----------
    name : str
    is_numeric : bool
        Whether its cells are numbers.
    values : tuple of str, bool, int or float
        The known values of a categorical column, sorted.
    limits : Limits
        Of a numeric column; numbers beyond them count as missing.
    """

    name: str
    is_numeric: bool
    values: tuple[CellValue, ...] = ()
    limits: Limits = NO_LIMITS

    def read_numbers(self, column: AbstractTableColumn) -> N:
        """Return the numbers (n,) of a column, NaN where missing; raise TableColumnError for text and infinity."""
        if column.is_date:
            raise TableColumnError.dates_instead(column.name)
        numbers = column.to_numbers() if column.is_numeric else _read_numbers_of_text(column)
        require_no_infinity(numbers, column.name)
        return numbers

    def read_codes(self, column: AbstractTableColumn) -> KnownCodes:
        """Return the code (n,) of each cell among the known values of a categorical column."""
        if column.is_date:
            raise TableColumnError.dates_instead(column.name)
        if column.is_numeric:
            return self._codes_of_numbers(column.to_numbers())
        raw = column.factorize([value for value in self.values if isinstance(value, str)])
        values = [self._convert_type(normalize_value(value, column.name)) for value in raw.values]
        position = {value: code for code, value in enumerate(self.values)}
        new_codes = [-1 if value is None else position.get(value, -1) for value in values]
        unknown = [value for value in values if value is not None and value not in position]
        return KnownCodes(map_codes(raw.codes, np.array(new_codes, dtype=np.int64)), _sort_as_text(unknown))

    def _codes_of_numbers(self, numbers: N) -> KnownCodes:
        """Return the codes of numbers (n,) among known values that are numbers or bools."""
        known = [(float(value), code) for code, value in enumerate(self.values) if not isinstance(value, str)]
        codes = np.full(len(numbers), -1, dtype=np.int64)
        for value, code in known:
            codes[numbers == value] = code
        unknown = np.unique(numbers[(codes < 0) & ~np.isnan(numbers)])
        values = (normalize_value(value, self.name) for value in unknown.tolist())
        return KnownCodes(codes, tuple(value for value in values if value is not None))

    def _convert_type(self, value: CellValue | None) -> CellValue | None:
        """Return a text as a number where the known values are numbers, which a file may have turned into text."""
        if not isinstance(value, str) or any(isinstance(known, str) for known in self.values):
            return value
        number = parse_number(value)
        return value if number is None else normalize_value(number, self.name)


def _read_numbers_of_text(column: AbstractTableColumn) -> N:
    """Return the numbers (n,) that the cells of a column are; raise TableColumnError if one is no number."""
    raw = column.factorize()
    numbers = []
    for raw_value in raw.values:
        value = normalize_value(raw_value, column.name)
        number = parse_number(value) if isinstance(value, str) else np.nan if value is None else float(value)
        if number is None:
            raise TableColumnError.not_a_number(column.name, value)
        numbers.append(number)
    return np.append(np.array(numbers), np.nan)[raw.codes]


def require_no_infinity(numbers: N, column: str) -> None:
    """Raise TableColumnError for the first infinite number."""
    is_infinite = np.isinf(numbers)
    if is_infinite.any():
        raise TableColumnError.infinite(column, int(np.argmax(is_infinite)))


def _sort_as_text(values: Iterable[CellValue]) -> tuple[CellValue, ...]:
    """Return distinct values, sorted as text."""
    return tuple(sorted(set(values), key=str))


def numbers_of_cells(cells: CategoryCells, numbers: list[float]) -> N:
    """Return the number (n,) of each cell, given that of each distinct value; NaN where missing."""
    return np.append(np.array(numbers, dtype=np.float64), np.nan)[cells.codes]
