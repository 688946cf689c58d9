"""``ValueGrids``: which values the columns of a table can have: few values that occur, whole numbers, or any."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from gaussmix.anomaly.code_columns import CodeColumn
from gaussmix.anomaly.scored_columns import ScoredColumns
from gaussmix.types import ND, AnyArray, BoolN, N

MAX_LEVELS = 20
_MIN_ROWS_PER_LEVEL = 5  # on average; a table of few rows has few distinct values in every column
_MAX_WHOLE = 2.0**53  # beyond it all numbers are whole
_ROUNDING_ERROR = 1e-9  # relative
_OPTIONS_PER_COLUMN = {1: MAX_LEVELS, 2: 4, 3: 2}  # levels tried, by the number of columns with levels that change


class CodeScale(NamedTuple):
    """A column of flags or codes, and the mean and deviation that its normal variable has in the data's units."""

    code: CodeColumn
    mean: float
    deviation: float

    def encode(self, values: N) -> N:
        """Return values (n,) as those of the normal variable."""
        return np.asarray(self.mean + self.deviation * self.code.score(values))

    def decode(self, encoded: N) -> N:
        """Return the code (n,) whose normal value is nearest to each of (n,)."""
        return np.asarray(self.code.values[np.abs(encoded[:, None] - self.encode(self.code.values)).argmin(axis=1)])


@dataclass(frozen=True, eq=False)
class ValueGrids:
    """The values of D columns.

    Attributes
    ----------
    levels : tuple of ndarray, of length D
        The values that occur, ascending; empty for a column of more than 20 values.
    is_whole : ndarray of bool of shape (D,)
        Whether all values are whole numbers.
    codes : dict of int to CodeScale
        Columns of flags and codes, by position, which groups of normal rows see as the score does.
    """

    levels: tuple[N, ...]
    is_whole: BoolN
    codes: Mapping[int, CodeScale] = field(default_factory=dict)

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
            is_few = len(values) <= min(MAX_LEVELS, len(column) // _MIN_ROWS_PER_LEVEL)
            levels.append(values if is_few else np.zeros(0))
        is_whole = ((rows == np.rint(rows)) & (np.abs(rows) < _MAX_WHOLE)).all(axis=0)
        return cls(tuple(levels), np.asarray(is_whole))

    def with_codes(self, columns: ScoredColumns) -> "ValueGrids":
        """Return the grids with the flags and codes among scored columns."""
        independent = np.arange(columns.n_features) if columns.dependence is None else columns.dependence.independent
        scales = {
            int(independent[code.position]): CodeScale(
                code, float(columns.means[code.position]), float(columns.deviations[code.position])
            )
            for code in columns.codes
        }
        return replace(self, codes=scales)

    def encode(self, rows: ND) -> ND:
        """Return rows (n, D) whose flags and codes are values of normal variables."""
        encoded = rows.copy() if self.codes else rows
        for j, scale in self.codes.items():
            encoded[:, j] = scale.encode(rows[:, j])
        return encoded

    def decode(self, rows: ND) -> ND:
        """Return rows (n, D) whose flags and codes are values that occur, those nearest to the normal variables."""
        decoded = rows.copy() if self.codes else rows
        for j, scale in self.codes.items():
            decoded[:, j] = scale.decode(rows[:, j])
        return decoded

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
