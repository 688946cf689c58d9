"""Drafts of encoded columns: what a fit knows of them before transforms and scales are chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gaussmix.classification.table.cell_values import CellValue
from gaussmix.classification.table.column_kinds import ClassifiedColumns
from gaussmix.classification.table.encoded_columns import LevelReading, LinearReading
from gaussmix.types import IntD, IntN, N


@dataclass(frozen=True, eq=False)
class NumericDraft:
    """A numeric column of encoded rows, in the data's units.

    Attributes
    ----------
    name : str
        The column of the table whose units it has.
    readings : tuple of LinearReading
    values : ndarray of shape (n,)
        NaN where missing.
    points : tuple of float
        Values that a categorical column stands for.
    tolerance : float
        Largest difference between its readings in a row of the fit.
    """

    name: str
    readings: tuple[LinearReading, ...]
    values: N
    points: tuple[float, ...] = ()
    tolerance: float = 0.0

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns of the table that say its value."""
        return tuple(dict.fromkeys(name for reading in self.readings for name in reading.columns))


@dataclass(frozen=True, eq=False)
class CategoricalDraft:
    """A categorical column of encoded rows: levels and the code (n,) of each row, -1 where missing."""

    name: str
    readings: tuple[LevelReading, ...]
    levels: tuple[CellValue, ...]
    codes: IntN

    @cached_property
    def counts(self) -> IntD:
        """Number of rows of each level."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    def map_levels(self, name: str, levels: Sequence[CellValue], new_codes: Sequence[int]) -> "CategoricalDraft":
        """Return a column of other levels: ``new_codes`` has the new code of each level, -1 where it says nothing."""
        table = np.append(np.array(new_codes, dtype=np.int64), -1)
        readings = (each._replace(levels=tuple(table[list(each.levels)].tolist())) for each in self.readings)
        return CategoricalDraft(name, tuple(readings), tuple(levels), table[self.codes])


def fill_gaps(column: CategoricalDraft, other: CategoricalDraft) -> CategoricalDraft:
    """Return a column with its gaps filled from another one of the same levels."""
    codes = np.where(column.codes >= 0, column.codes, other.codes)
    return replace(column, readings=(*column.readings, *other.readings), codes=codes)


@dataclass(frozen=True, eq=False)
class TableDraft:
    """The drafts of all encoded columns, and notes for the user on what was changed.

    ``ordered_numbers`` has the ascending numbers of each column of the table whose levels are ordered.
    """

    numeric: tuple[NumericDraft, ...]
    categorical: tuple[CategoricalDraft, ...]
    notes: tuple[str, ...]
    ordered_numbers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def from_columns(cls, columns: ClassifiedColumns) -> "TableDraft":
        """Return one draft for each column of a table."""
        numeric = (
            NumericDraft(name, (LinearReading((name,), (1.0,), 0.0),), values)
            for name, values in columns.numbers.items()
        )
        categorical = (
            CategoricalDraft(
                name, (LevelReading(name, tuple(range(len(cells.values))), (name,)),), cells.values, cells.codes
            )
            for name, cells in columns.categories.items()
        )
        ordered = {
            name: tuple(value for value in cells.values if not isinstance(value, str))
            for name, cells in columns.categories.items()
            if cells.is_ordered
        }
        return cls(tuple(numeric), tuple(categorical), tuple(columns.notes), ordered)

    def with_notes(self, notes: Sequence[str]) -> "TableDraft":
        """Return the draft with more notes."""
        return replace(self, notes=(*self.notes, *notes))
