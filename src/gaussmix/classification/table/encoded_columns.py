"""The columns of encoded rows: which columns of a table each stands for, and how its cells are computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.classification.table.category_cells import map_codes
from gaussmix.classification.table.cell_values import CellValue
from gaussmix.transforms.transform_kinds import AbstractTransform
from gaussmix.types import AnyArray, BoolN, IntN, N


class UnitConversion(NamedTuple):
    """A column of a table in the units of an encoded one: ``intercept + slope * cell``.

    Cells equal to one of ``missing_values`` count as missing, because a categorical column stands for them.
    """

    column: str
    slope: float = 1.0
    intercept: float = 0.0
    missing_values: tuple[float, ...] = ()

    def convert(self, numbers: N) -> N:
        """Return numbers (n,) in the units of the encoded column, NaN where missing."""
        for value in self.missing_values:
            numbers = np.where(numbers == value, np.nan, numbers)
        return numbers if (self.slope, self.intercept) == (1.0, 0.0) else self.intercept + self.slope * numbers


class LevelReading(NamedTuple):
    """What the codes of a column of a table say about an encoded one: the level of each code, -1 where nothing."""

    column: str
    levels: tuple[int, ...]


def fill_gaps(values: AnyArray, others: AnyArray, is_missing: BoolN) -> AnyArray:
    """Return values (n,) with those of ``others`` where they are missing."""
    return np.where(is_missing, others, values) if is_missing.any() else values


@dataclass(frozen=True, eq=False)
class NumericColumn:
    """A numeric column of encoded rows: ``(transform(value / unit) - center) / scale``.

    Attributes
    ----------
    name : str
        The column of the table whose units it has.
    conversions : tuple of UnitConversion
        Columns of the table that say its value. The first that is present in a row counts.
    transform : AbstractTransform or None
        None is the identity.
    unit : float
        In the data's units; 1 unless the transform needs another one.
    center, scale : float
        Mean and standard deviation of the transformed values.
    minimum : float
        Smallest value of the fit, in the data's units.
    """

    name: str
    conversions: tuple[UnitConversion, ...]
    transform: AbstractTransform | None
    unit: float
    center: float
    scale: float
    minimum: float

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns of the table that it stands for."""
        return tuple(conversion.column for conversion in self.conversions)

    def gather(self, numbers: Mapping[str, N]) -> N:
        """Return its values (n,) in the data's units from the numbers (n,) of the columns of a table."""
        first, *others = self.conversions
        values = first.convert(numbers[first.column])
        for conversion in others:
            values = fill_gaps(values, conversion.convert(numbers[conversion.column]), np.isnan(values))
        return values

    def is_outside_domain(self, values: N) -> BoolN:
        """Return which values (n,) its transform does not allow."""
        lower = -np.inf if self.transform is None else self.transform.minimum
        return np.asarray(values / self.unit <= lower)

    def from_units(self, values: N) -> N:
        """Return standardised values (n,) from values in the data's units inside the domain."""
        scaled = values if self.unit == 1.0 else values / self.unit
        transformed = scaled if self.transform is None else self.transform.forward(scaled)
        return np.asarray((transformed - self.center) / self.scale)

    def to_units(self, standardized: N) -> N:
        """Return values (n,) in the data's units from standardised ones."""
        transformed = self.center + self.scale * np.asarray(standardized, dtype=np.float64)
        return np.asarray(self.unit * (transformed if self.transform is None else self.transform.inverse(transformed)))


@dataclass(frozen=True, eq=False)
class CategoricalColumn:
    """A categorical column of encoded rows.

    Attributes
    ----------
    name : str
        A column of the table, or a column and one of its values.
    readings : tuple of LevelReading
        Columns of the table that say its level. The first that does in a row counts.
    levels : tuple of str, bool, int or float
        The levels as the table has them. Rare ones are merged into the level 'other'.
    """

    name: str
    readings: tuple[LevelReading, ...]
    levels: tuple[CellValue, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns of the table that it stands for."""
        return tuple(reading.column for reading in self.readings)

    @cached_property
    def _tables(self) -> tuple[IntN, ...]:
        """The level of each code of each source."""
        return tuple(np.array(reading.levels, dtype=np.int64) for reading in self.readings)

    def gather(self, codes: Mapping[str, IntN]) -> IntN:
        """Return its levels (n,) from the codes (n,) of the columns of a table; -1 where they say nothing."""
        first, *others = self.readings
        levels = map_codes(codes[first.column], self._tables[0])
        for reading, table in zip(others, self._tables[1:], strict=True):
            is_missing = levels < 0
            if is_missing.any():
                levels[is_missing] = map_codes(codes[reading.column][is_missing], table)
        return levels
