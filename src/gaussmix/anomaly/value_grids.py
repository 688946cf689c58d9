"""``ValueGrids``: which values the columns of a table can have: few values that occur, whole numbers, or any."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gaussmix.types import ND, AnyArray, BoolN, N

_MAX_LEVELS = 20
_MIN_ROWS_PER_LEVEL = 5  # on average; a table of few rows has few distinct values in every column
_MAX_WHOLE = 2.0**53  # beyond it all numbers are whole
_ROUNDING_ERROR = 1e-9  # relative
_OPTIONS_PER_COLUMN = {1: _MAX_LEVELS, 2: 4, 3: 2}  # levels tried, by the number of columns with levels that change


@dataclass(frozen=True, eq=False)
class ValueGrids:
    """The values of D columns.

    Attributes
    ----------
    levels : tuple of ndarray, of length D
        The values that occur, ascending; empty for a column of more than 20 values.
    is_whole : ndarray of bool of shape (D,)
        Whether all values are whole numbers.
    """

    levels: tuple[N, ...]
    is_whole: BoolN

    @classmethod
    def continuous(cls, n_features: int) -> "ValueGrids":
        """Return the grids of columns that may have any value."""
        return cls((np.zeros(0),) * n_features, np.zeros(n_features, dtype=bool))

    @classmethod
    def from_rows(cls, rows: ND) -> "ValueGrids":
        """Return the grids of rows (n, D): a column of at most 20 values has these, if they occur five times each."""
        levels = []
        for column in rows.T:
            values = np.unique(column)
            is_few = len(values) <= min(_MAX_LEVELS, len(column) // _MIN_ROWS_PER_LEVEL)
            levels.append(values if is_few else np.zeros(0))
        is_whole = ((rows == np.rint(rows)) & (np.abs(rows) < _MAX_WHOLE)).all(axis=0)
        return cls(tuple(levels), np.asarray(is_whole))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, AnyArray], n_features: int) -> "ValueGrids":
        """Return the grids that `to_tensors` packed; files without them have columns of any value."""
        if "grids.counts" not in tensors:
            return cls.continuous(n_features)
        ends = np.cumsum(tensors["grids.counts"])[:-1]
        return cls(tuple(np.split(tensors["grids.levels"], ends)), tensors["grids.is_whole"].astype(bool))

    def to_tensors(self) -> dict[str, AnyArray]:
        """Return the grids as arrays for a file."""
        return {
            "grids.levels": np.concatenate([*self.levels, np.zeros(0)]),
            "grids.counts": np.array([len(values) for values in self.levels], dtype=np.int64),
            "grids.is_whole": self.is_whole.astype(np.int64),
        }

    @property
    def has_levels(self) -> BoolN:
        """Whether each column has few values, (D,)."""
        return np.array([len(values) > 0 for values in self.levels], dtype=bool)

    def restore(self, rows: ND, is_changed: AnyArray) -> ND:
        """Return rows (m, D) whose changed cells (m, D) are exact: the nearest level, or a whole number very close."""
        exact = rows.copy()
        for j in np.flatnonzero(self.has_levels | self.is_whole).tolist():
            moved = np.flatnonzero(is_changed[:, j])
            values = rows[moved, j]
            nearest = self.find_nearest(j, values) if len(self.levels[j]) else np.rint(values)
            is_close = np.abs(nearest - values) <= _ROUNDING_ERROR * np.maximum(np.abs(values), 1.0)
            exact[moved, j] = np.where(is_close | (len(self.levels[j]) > 0), nearest, values)
        return exact

    def find_nearest(self, column: int, values: N) -> N:
        """Return the level of a column that is nearest to each value (m,)."""
        levels = self.levels[column]
        return np.asarray(levels[np.abs(values[:, None] - levels).argmin(axis=1)])

    def choose_levels(self, column: int, start: float, target: float, n_changed: int) -> N:
        """Return the levels to try in place of a value ``start``: all, or of several columns those near ``target``."""
        others = self.levels[column][self.levels[column] != start]
        order = np.argsort(np.abs(others - target), kind="stable")
        return np.asarray(others[order[: _OPTIONS_PER_COLUMN.get(n_changed, 1)]])
