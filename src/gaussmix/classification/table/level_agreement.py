"""``LevelAgreement``: how often each pair of levels of different columns occurs in one row, where both are present."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from gaussmix.types import DD, ND, AnyArray, BoolNK, IntD, IntN

_BLOCK_ROWS = 8_192
_MAX_LEVELS = 2_048  # of all columns; those with the most levels are not compared
_MIN_ROWS_APART = 20  # rows on either side of a cut; exact agreement of 20 bounds exceptions to 14 % (95 % confidence)
_MAX_EXCEPTIONS = 1e-3  # of the rows with a level; one slip in thousands of rows changes no meaning
_MIN_LOG_ODDS = 20.0  # minus the log probability of agreement by chance


@dataclass(frozen=True, eq=False)
class LevelAgreement:
    """Counts for the L levels of C columns.

    Attributes
    ----------
    column_of_level : ndarray of int64 of shape (L,)
    code_of_level : ndarray of int64 of shape (L,)
    joint : ndarray of shape (L, L)
        Number of rows that have both levels.
    present : ndarray of shape (L, C)
        Number of rows that have a level and in which a column is present.
    """

    column_of_level: IntD
    code_of_level: IntD
    joint: DD
    present: ND

    @classmethod
    def count(cls, columns: Sequence[IntN], n_levels: Sequence[int]) -> "LevelAgreement":
        """Count the levels of columns of codes (n,) with so many levels each."""
        compared = _select_columns(n_levels)
        offsets = np.cumsum([0, *(n_levels[c] for c in compared)])
        joint, present = np.zeros((offsets[-1], offsets[-1])), np.zeros((offsets[-1], len(columns)))
        n_rows = len(columns[0]) if columns else 0
        for start in range(0, n_rows, _BLOCK_ROWS):
            block = np.column_stack([columns[c][start : start + _BLOCK_ROWS] for c in compared])
            is_present = block >= 0
            one_hot = np.zeros((len(block), offsets[-1]))
            rows, positions = np.nonzero(is_present)
            one_hot[rows, offsets[positions] + block[rows, positions]] = 1.0
            joint += one_hot.T @ one_hot
            present[:, compared] += one_hot.T @ is_present.astype(np.float64)
        column_of_level = np.repeat(compared, np.diff(offsets)).astype(np.int64)
        code_of_level = np.concatenate([np.arange(n_levels[c]) for c in compared]) if compared else np.empty(0)
        return cls(column_of_level, code_of_level.astype(np.int64), joint, present)

    def positions_of(self, column: int) -> IntD:
        """Return the positions of the levels of a column; none if it was not compared."""
        return np.flatnonzero(self.column_of_level == column)

    @property
    def coincides(self) -> BoolNK:
        """Which pairs of levels (L, L) of different columns occur in the same rows, beyond chance.

        Of the rows in which both columns are present, at least 20 have the levels and 20 have not. Of those with one of
        the levels, at most one in a thousand lacks the other one.
        """
        with_first = self.present[:, self.column_of_level]
        minimum = (1.0 - _MAX_EXCEPTIONS) * with_first
        is_equal = (self.joint >= minimum) & (self.joint >= minimum.T)
        is_equal &= self.column_of_level[:, None] != self.column_of_level
        n_rows = self._n_common_rows()[self.column_of_level][:, self.column_of_level]
        is_large = np.minimum(self.joint, n_rows - self.joint) >= _MIN_ROWS_APART
        return np.asarray(is_equal & is_large & (_log_binomial(n_rows, self.joint) >= _MIN_LOG_ODDS))

    @property
    def is_recoding(self) -> BoolNK:
        """Which pairs of columns (C, C) are one-to-one recodings in every row in which both are present.

        At least 20 of these rows are outside of the most frequent pair of levels.
        """
        n_columns = self.present.shape[1]
        is_owner = (self.column_of_level[:, None] == np.arange(n_columns)).astype(np.float64)
        n_partners = (self.joint > 0) @ is_owner  # levels of each column that occur with a level
        largest, most_partners = np.zeros((n_columns, n_columns)), np.full((n_columns, n_columns), np.inf)
        for column in np.unique(self.column_of_level):
            levels = self.positions_of(column)
            most_partners[column] = n_partners[levels].max(axis=0)
            np.maximum.at(largest[column], self.column_of_level, self.joint[levels].max(axis=0))
        is_paired = (most_partners <= 1.0) & (most_partners.T <= 1.0) & ~np.eye(n_columns, dtype=bool)
        return np.asarray(is_paired & (self._n_common_rows() - largest >= _MIN_ROWS_APART))

    def _n_common_rows(self) -> AnyArray:
        """Return the number of rows in which two columns are present, (C, C)."""
        n_columns = self.present.shape[1]
        sums = [self.present[self.positions_of(column)].sum(axis=0) for column in range(n_columns)]
        return np.array(sums).reshape(n_columns, n_columns)


def _select_columns(n_levels: Sequence[int]) -> list[int]:
    """Return the positions, ascending, of the columns with the fewest levels whose total is not too large."""
    order = np.argsort(n_levels, kind="stable")
    total = np.cumsum(np.array(n_levels, dtype=np.int64)[order])
    return sorted(int(c) for c in order[total <= _MAX_LEVELS])


def _log_binomial(n: AnyArray, k: AnyArray) -> AnyArray:
    """Return the log of the number of ways to choose k of n."""
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0))
