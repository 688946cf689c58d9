"""The columns of encoded rows: which columns of a table each stands for, and how its cells are computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.classification.table.category_cells import map_codes
from gaussmix.classification.table.cell_values import CellValue
from gaussmix.transforms.transform_kinds import AbstractTransform
from gaussmix.types import BoolN, IntN, N

_RELATIVE_ROUNDING = 1e-9  # of a value that is computed from others, relative to the range of the column


class LinearReading(NamedTuple):
    """A value that columns of a table say together: ``intercept + sum of slope times cell``."""

    columns: tuple[str, ...]
    slopes: tuple[float, ...]
    intercept: float

    def read(self, numbers: Mapping[str, N]) -> N:
        """Return the values (n,) from the numbers (n,) of the columns of a table, NaN where a cell is missing."""
        if len(self.columns) == 1 and (self.slopes[0], self.intercept) == (1.0, 0.0):
            return numbers[self.columns[0]]
        terms = (slope * numbers[column] for column, slope in zip(self.columns, self.slopes, strict=True))
        return np.asarray(sum(terms, start=np.asarray(self.intercept)))


class LevelReading(NamedTuple):
    """What the codes of a column say about a categorical one.

    ``column`` is a categorical column of the table, or a numeric column of encoded rows of which some values stand for
    themselves. ``levels`` has the level of each of its codes, -1 where a code says nothing. ``sources`` are the columns
    of the table behind it.
    """

    column: str
    levels: tuple[int, ...]
    sources: tuple[str, ...]


class DataRange(NamedTuple):
    """Smallest and largest value of a fit."""

    minimum: float
    maximum: float


@dataclass(frozen=True, eq=False)
class NumericColumn:
    """A numeric column of encoded rows: ``(transform(value / unit) - center) / scale``.

    Attributes
    ----------
    name : str
        The column of the table whose units it has.
    readings : tuple of LinearReading
        What columns of the table say about its value. The first whose cells are present in a row counts.
    points : tuple of float
        Values that a categorical column stands for; they count as missing here.
    transform : AbstractTransform or None
        None is the identity.
    unit : float
        What the transform counts as 1, in the data's units.
    center, scale : float
        Mean and standard deviation of the transformed values.
    data_range : DataRange
        In the data's units.
    tolerance : float
        Largest difference between its readings in a row of the fit, in the data's units.
    """

    name: str
    readings: tuple[LinearReading, ...]
    points: tuple[float, ...]
    transform: AbstractTransform | None
    unit: float
    center: float
    scale: float
    data_range: DataRange
    tolerance: float = 0.0

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns of the table that say its value."""
        return tuple(dict.fromkeys(name for reading in self.readings for name in reading.columns))

    def gather(self, numbers: Mapping[str, N]) -> N:
        """Return its values (n,) in the data's units from the numbers (n,) of the columns of a table."""
        return first_present(self.readings, numbers)

    def is_contradicted(self, numbers: Mapping[str, N], values: N) -> BoolN:
        """Return in which rows (n,) a reading differs from the values by more than twice the tolerance."""
        largest = 2.0 * self.tolerance + self._rounding
        differences = (np.abs(reading.read(numbers) - values) > largest for reading in self.readings[1:])
        return np.asarray(np.logical_or.reduce([np.zeros(len(values), dtype=bool), *differences]))

    def codes_of_points(self, values: N) -> IntN:
        """Return the position (n,) of values in ``points``; others have the next code, and missing ones -1."""
        return codes_of_points(values, self.points, self._rounding)

    @property
    def _rounding(self) -> float:
        """Differences that rounding errors can explain, in the data's units."""
        return _RELATIVE_ROUNDING * (self.data_range.maximum - self.data_range.minimum)

    def is_outside_domain(self, values: N) -> BoolN:
        """Return which values (n,) its transform does not allow."""
        lower = -np.inf if self.transform is None else self.transform.minimum
        return np.asarray(values <= lower * self.unit)

    def from_units(self, values: N) -> N:
        """Return standardised values (n,) from values in the data's units inside the domain."""
        scaled = values if self.unit == 1.0 else values / self.unit
        transformed = scaled if self.transform is None else self.transform.forward(scaled)
        return np.asarray((transformed - self.center) / self.scale)

    def log_derivative(self, values: N) -> N:
        """Return the log derivative (n,) of the standardised value at values in the data's units."""
        constant = -np.log(self.unit * self.scale)
        if self.transform is None:
            return np.full(len(values), constant)
        return np.asarray(self.transform.log_derivative(values / self.unit) + constant)

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
        What columns of the table say about its level. The first that says one in a row counts.
    levels : tuple of str, bool, int or float
        The levels as the table has them. Rare ones are merged into the level 'other'.
    """

    name: str
    readings: tuple[LevelReading, ...]
    levels: tuple[CellValue, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns of the table that say its level."""
        return tuple(dict.fromkeys(name for reading in self.readings for name in reading.sources))

    @cached_property
    def _tables(self) -> tuple[IntN, ...]:
        """The level of each code of each reading."""
        return tuple(np.array(reading.levels, dtype=np.int64) for reading in self.readings)

    def gather(self, codes: Mapping[str, IntN]) -> IntN:
        """Return its levels (n,) from the codes (n,) of the columns that it reads; -1 where they say nothing."""
        levels = map_codes(codes[self.readings[0].column], self._tables[0])
        for reading, table in zip(self.readings[1:], self._tables[1:], strict=True):
            rows = np.flatnonzero(levels < 0)
            if not len(rows):
                break
            levels[rows] = map_codes(codes[reading.column][rows], table)
        return levels

    def is_contradicted(self, codes: Mapping[str, IntN], levels: IntN) -> BoolN:
        """Return in which rows (n,) a reading says another level than the levels that `gather` returns."""
        is_contradicted = np.zeros(len(levels), dtype=bool)
        for reading, table in zip(self.readings[1:], self._tables[1:], strict=True):
            other = map_codes(codes[reading.column], table)
            is_contradicted |= (other >= 0) & (other != levels)
        return is_contradicted


def first_present(readings: tuple[LinearReading, ...], numbers: Mapping[str, N]) -> N:
    """Return the value (n,) of the first reading whose cells are present in a row, NaN where there is none."""
    values = readings[0].read(numbers)
    for reading in readings[1:]:
        is_missing = np.isnan(values)
        if not is_missing.any():
            break
        values = np.where(is_missing, reading.read(numbers), values)
    return values


def codes_of_points(values: N, points: tuple[float, ...], tolerance: float = 0.0) -> IntN:
    """Return the position (n,) of values among points; other values have the next code, and missing ones -1."""
    codes = np.where(np.isnan(values), -1, len(points)).astype(np.int64)
    for code, point in enumerate(points):
        codes[np.abs(values - point) <= tolerance] = code
    return codes
