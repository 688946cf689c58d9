"""The cells of one column of a data frame or an array, through one interface; data frames are read with narwhals."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gaussmix.errors import DataError, TableColumnError
from gaussmix.types import AnyArray, BoolN, IntN, N

_MAX_COMPARED_TEXTS = 6  # with more, one pass for each text takes longer than one that looks them up


class FactorizedCells(NamedTuple):
    """The code (n,) of each cell and the value of each code; a code of -1 is a missing cell."""

    codes: IntN
    values: list[object]


@dataclass(frozen=True, eq=False)
class AbstractTableColumn(ABC):
    """One column of a table, read when needed."""

    name: str

    @property
    @abstractmethod
    def is_numeric(self) -> bool:
        """Whether the column has a type of numbers, without booleans."""

    @property
    @abstractmethod
    def is_date(self) -> bool:
        """Whether the column has a type of dates, times or durations."""

    @abstractmethod
    def find_dates(self) -> BoolN:
        """Return which cells (n,) of a column of dates have a value."""

    @abstractmethod
    def to_numbers(self) -> N:
        """Return a numeric column as float64 (n,), NaN where it is missing."""

    @abstractmethod
    def factorize(self, expected_texts: Sequence[str] = ()) -> FactorizedCells:
        """Return the codes of the cells and their distinct values, in any order.

        Columns may be read faster if all of their texts are expected.
        """


@dataclass(frozen=True, eq=False)
class FrameColumn(AbstractTableColumn):
    """A column of a data frame: ``series`` is a Series of narwhals."""

    series: Any

    @property
    def is_numeric(self) -> bool:
        """Whether the column has a type of numbers, without booleans."""
        return bool(self.series.dtype.is_numeric())

    @property
    def is_date(self) -> bool:
        """Whether the column has a type of dates, times or durations."""
        return bool(self.series.dtype.is_temporal())

    def find_dates(self) -> BoolN:
        """Return which cells (n,) of a column of dates have a value."""
        return ~np.asarray(self.series.is_null().to_numpy(), dtype=np.bool_)

    def to_numbers(self) -> N:
        """Return a numeric column as float64 (n,), NaN where it is missing."""
        import narwhals.stable.v2 as nw

        return np.array(self.series.cast(nw.Float64).to_numpy(), dtype=np.float64)

    def factorize(self, expected_texts: Sequence[str] = ()) -> FactorizedCells:
        """Return the codes of the cells and their distinct values; by pandas' own method where there is one."""
        import narwhals.stable.v2 as nw

        native = self.series.to_native()
        if hasattr(native, "factorize"):
            try:
                codes, values = native.factorize()
            except TypeError:
                raise _unusable_cell_error(self.name, self.series.to_list()) from None
            return FactorizedCells(np.asarray(codes, dtype=np.int64), list(values))
        if self.series.dtype == nw.String and 0 < len(expected_texts) <= _MAX_COMPARED_TEXTS:
            compared = self._compare_with_texts(expected_texts)
            if compared is not None:
                return compared
        present = self.series.drop_nulls()
        values = present.unique().to_list()
        codes = np.full(len(self.series), -1, dtype=np.int64)
        if values:
            present_codes = present.replace_strict(values, list(range(len(values))), return_dtype=nw.Int64)
            codes[~self.series.is_null().to_numpy()] = present_codes.to_numpy()
        return FactorizedCells(codes, values)

    def _compare_with_texts(self, texts: Sequence[str]) -> FactorizedCells | None:
        """Return the cells of a column of texts as codes of the given ones; None if other texts occur."""
        codes = np.full(len(self.series), -1, dtype=np.int64)
        for code, text in enumerate(texts):
            codes[(self.series == text).fill_null(False).to_numpy()] = code
        n_present = len(self.series) - self.series.null_count()
        return FactorizedCells(codes, list(texts)) if np.count_nonzero(codes >= 0) == n_present else None


@dataclass(frozen=True, eq=False)
class ArrayColumn(AbstractTableColumn):
    """A column (n,) of an array, or of a dict of columns."""

    cells: AnyArray

    @property
    def is_numeric(self) -> bool:
        """Whether the column has a type of numbers, without booleans."""
        return self.cells.dtype.kind in "iuf"

    @property
    def is_date(self) -> bool:
        """Whether the column has a type of dates, times or durations."""
        return self.cells.dtype.kind in "mM"

    def find_dates(self) -> BoolN:
        """Return which cells (n,) of a column of dates have a value."""
        return ~np.isnat(self.cells)

    def to_numbers(self) -> N:
        """Return a numeric column as float64 (n,)."""
        return np.array(self.cells, dtype=np.float64)

    def factorize(self, expected_texts: Sequence[str] = ()) -> FactorizedCells:
        """Return the codes of the cells and their distinct values in the order of appearance."""
        code_of_value = _CodeOfValue()
        try:
            codes = np.fromiter(map(code_of_value.__getitem__, self.cells.tolist()), np.int64, len(self.cells))
        except TypeError:
            raise _unusable_cell_error(self.name, self.cells.tolist()) from None
        return FactorizedCells(codes, list(code_of_value))


def _unusable_cell_error(name: str, cells: Sequence[object]) -> DataError:
    """Return the error about the first cell of a column that Python cannot hash, such as a list."""
    unhashable = next((value for value in cells if getattr(value, "__hash__", None) is None), cells)
    return TableColumnError.unusable_cell(name, unhashable)


class _CodeOfValue(dict[object, int]):
    """The code of each value; a new value gets the next code."""

    def __missing__(self, value: object) -> int:
        code = self[value] = len(self)
        return code
