"""``InputColumn``: how a fitted schema reads one column of a table: as numbers, or as codes of levels."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeGuard

import numpy as np

from gaussmix.classification.table.category_cells import CategoryCells, map_codes
from gaussmix.classification.table.cell_values import CellValue, normalize_value, parse_number
from gaussmix.classification.table.far_values import NO_LIMITS, Limits
from gaussmix.classification.table.ordered_numbers import OrderedNumbers
from gaussmix.classification.table.table_columns import AbstractTableColumn, FactorizedCells
from gaussmix.errors import TableColumnError, UnknownNumbers
from gaussmix.types import IntN, N


class KnownCodes(NamedTuple):
    """The code (n,) of the level of each cell, -1 if missing or unknown.

    ``unknown_values`` count as missing. ``unknown_numbers`` have the level of the nearest known number.
    """

    codes: IntN
    unknown_values: tuple[CellValue, ...]
    unknown_numbers: tuple[UnknownNumbers, ...] = ()


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
    ordered : OrderedNumbers, optional
        The known values and levels of a column of ordered numbers. It reads unknown numbers as the nearest one.
    """

    name: str
    is_numeric: bool
    values: tuple[CellValue, ...] = ()
    limits: Limits = NO_LIMITS
    ordered: OrderedNumbers | None = None

    @property
    def levels(self) -> tuple[CellValue, ...]:
        """What each code stands for: a known value, or several neighbours, such as '7 or more'."""
        return self.values if self.ordered is None else self.ordered.levels

    @property
    def example_values(self) -> tuple[CellValue, ...]:
        """A known value of each level: the smallest number of several."""
        return self.values if self.ordered is None else tuple(self.ordered.numbers[j] for j in self.ordered.starts)

    @cached_property
    def _code_of_level(self) -> dict[CellValue, int]:
        """The code of each level, which a table may name as sentences do."""
        return {level: code for code, level in enumerate(self.levels)}

    def read_numbers(self, column: AbstractTableColumn) -> N:
        """Return the numbers (n,) of a column, NaN where missing; raise TableColumnError for text and infinity."""
        if column.is_date:
            raise TableColumnError.dates_instead(column.name)
        numbers = column.to_numbers() if column.is_numeric else _read_numbers_of_text(column)
        require_no_infinity(numbers, column.name)
        return numbers

    def read_codes(self, column: AbstractTableColumn) -> KnownCodes:
        """Return the code (n,) of each cell of a categorical column among ``levels``."""
        if column.is_date:
            raise TableColumnError.dates_instead(column.name)
        texts = [value for value in self.values if isinstance(value, str)]
        raw = self._factorize_numbers(column.to_numbers()) if column.is_numeric else column.factorize(texts)
        values = [self._convert_type(normalize_value(value, column.name)) for value in raw.values]
        codes = np.array([self.find_code(value) for value in values], dtype=np.int64)
        missing = [value for value, code in zip(values, codes, strict=True) if value is not None and code < 0]
        unknown = self._describe_unknown_numbers(values, raw.codes)
        return KnownCodes(map_codes(raw.codes, codes), _sort_as_text(missing), unknown)

    def _factorize_numbers(self, numbers: N) -> FactorizedCells:
        """Return numbers (n,) as codes of their distinct values, the known ones first; NaN is missing."""
        known = [value for value in self.values if not isinstance(value, str)]
        codes = np.full(len(numbers), -1, dtype=np.int64)
        for code, value in enumerate(known):  # faster than sorting all numbers
            codes[numbers == float(value)] = code
        is_unknown = (codes < 0) & ~np.isnan(numbers)
        unknown, positions = np.unique(numbers[is_unknown], return_inverse=True)
        codes[is_unknown] = len(known) + positions
        return FactorizedCells(codes, [*known, *unknown.tolist()])

    def find_code(self, value: CellValue | None) -> int:
        """Return the code of a value, or of the nearest ordered number; -1 if it is missing or unknown."""
        if self.ordered is not None and _is_finite_number(value):
            return self.ordered.find_level(value)
        return -1 if value is None else self._code_of_level.get(value, -1)

    def _describe_unknown_numbers(self, values: Sequence[CellValue | None], codes: IntN) -> tuple[UnknownNumbers, ...]:
        """Return what unknown ordered numbers are read as, from distinct cells and the position (n,) of each cell."""
        known = set(self.values)
        unknown = {j: value for j, value in enumerate(values) if _is_finite_number(value) and value not in known}
        if self.ordered is None or not unknown:
            return ()
        counts = np.bincount(codes[codes >= 0], minlength=len(values)).tolist()
        n_rows_of_number: Counter[float] = Counter()
        for j, value in unknown.items():  # texts such as '1' and '1.0' are one number
            n_rows_of_number[value] += counts[j]
        return self.ordered.describe_unknown(n_rows_of_number)

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


def _is_finite_number(value: CellValue | None) -> TypeGuard[float]:
    """Return whether a value is a number, but no bool, and finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _sort_as_text(values: Iterable[CellValue]) -> tuple[CellValue, ...]:
    """Return distinct values, sorted as text."""
    return tuple(sorted(set(values), key=str))


def numbers_of_cells(cells: CategoryCells, numbers: list[float]) -> N:
    """Return the number (n,) of each cell, given that of each distinct value; NaN where missing."""
    return np.append(np.array(numbers, dtype=np.float64), np.nan)[cells.codes]
