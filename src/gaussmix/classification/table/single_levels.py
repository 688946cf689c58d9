"""One level of a column: of a categorical one, or a value of a numeric one that stands for itself."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.table.cell_values import CellValue, normalize_value
from gaussmix.classification.table.encoded_columns import LevelReading, codes_of_points
from gaussmix.classification.table.table_draft import CategoricalDraft, NumericDraft
from gaussmix.diagnostics.rules import MAX_DISCRETE_VALUES, find_point_mass
from gaussmix.diagnostics.sorted_column import SortedColumn, merge_equal_values

_MIN_PERCENT_ALONE = 10.0  # of the present values of a numeric column
_MIN_DISTINCT_VALUES = 3  # of a numeric column of which one value stands for itself


@dataclass(frozen=True, eq=False)
class AbstractLevel(ABC):
    """A level of a column."""

    @property
    @abstractmethod
    def column_name(self) -> str:
        """The column."""

    @property
    @abstractmethod
    def cell_value(self) -> CellValue:
        """The value that the column has there."""

    @abstractmethod
    def as_indicator(self, name: str, levels: Sequence[CellValue], position: int) -> CategoricalDraft:
        """Return a column of two levels: rows have that at ``position`` where they have this level, else the other."""

    @property
    def text(self) -> str:
        """The level as a name: 'contract is 'One year''."""
        return f"{self.column_name} is {self.cell_value!r}"


@dataclass(frozen=True, eq=False)
class CategoryLevel(AbstractLevel):
    """A level of a categorical column."""

    column: CategoricalDraft
    code: int

    @property
    def column_name(self) -> str:
        """The column."""
        return self.column.name

    @property
    def cell_value(self) -> CellValue:
        """The value that the column has there."""
        return self.column.levels[self.code]

    @property
    def is_binary(self) -> bool:
        """Whether the column has two levels, so that it is its own indicator."""
        return len(self.column.levels) == 2

    def as_indicator(self, name: str, levels: Sequence[CellValue], position: int) -> CategoricalDraft:
        """Return a column of two levels: rows have that at ``position`` where they have this level, else the other."""
        new_codes = [position if code == self.code else 1 - position for code in range(len(self.column.levels))]
        return self.column.map_levels(name, levels, new_codes)


@dataclass(frozen=True, eq=False)
class PointLevel(AbstractLevel):
    """A value of a numeric column that stands for itself."""

    column: NumericDraft
    value: float

    @classmethod
    def find(cls, column: NumericDraft) -> "PointLevel | None":
        """Return the value of a column that occurs far more often than typical others and than its neighbours.

        It is that of the rule 'point mass' of `diagnose_columns`. None if there is none, and for columns of two values.
        """
        counts = _count_values(column)
        if counts.n_distinct < _MIN_DISTINCT_VALUES:
            return None
        evidence = find_point_mass(counts, float(counts.weights.sum()))
        return None if evidence is None else cls(column, evidence["value"])

    @property
    def column_name(self) -> str:
        """The column."""
        return self.column.name

    @property
    def cell_value(self) -> CellValue:
        """The value; an int if it is whole."""
        value = normalize_value(self.value, self.column.name)
        assert value is not None
        return value

    @property
    def percent(self) -> float:
        """Percentage of the present values that are this one."""
        counts = _count_values(self.column)
        return 100.0 * float(counts.fractions[counts.values == self.value].sum())

    @property
    def is_level_alone(self) -> bool:
        """Whether it is a level without a category: a tenth of the rows have it, the others many other values."""
        return self.percent >= _MIN_PERCENT_ALONE and _count_values(self.column).n_distinct > MAX_DISCRETE_VALUES + 1

    def as_indicator(self, name: str, levels: Sequence[CellValue], position: int) -> CategoricalDraft:
        """Return a column of two levels: rows have that at ``position`` where they have this value, else the other."""
        new_codes = (position, 1 - position)
        codes = np.array([*new_codes, -1])[codes_of_points(self.column.values, (self.value,))]
        return CategoricalDraft(
            name, (LevelReading(self.column.name, new_codes, self.column.sources),), tuple(levels), codes
        )


def _count_values(column: NumericDraft) -> SortedColumn:
    """Return the distinct present values of a column and how many rows have each."""
    return merge_equal_values(np.sort(column.values[~np.isnan(column.values)]), None)
