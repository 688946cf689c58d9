"""``MissingPatterns``: which cells of some rows are observed, and the rows that lack the same cells."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np

from gaussmix.core.reduce import SupportsReduce
from gaussmix.types import AnyArray, BoolPD, D, IntN


@dataclass(frozen=True, eq=False)
class MissingPatterns:
    """The distinct patterns of observed columns among some rows, and the pattern of each row.

    Attributes
    ----------
    is_observed : ndarray of bool of shape (P, D)
        The patterns in a fixed order, which does not depend on the order of the rows.
    pattern_of_row : ndarray of int64 of shape (n,)
    """

    is_observed: BoolPD
    pattern_of_row: IntN

    @classmethod
    def from_rows(cls, rows: AnyArray) -> "MissingPatterns":
        """Return the patterns of rows (n, D) in which NaN is a missing cell."""
        n_features = rows.shape[1]
        packed = np.packbits(~np.isnan(rows), axis=1)
        distinct, pattern_of_row = np.unique(packed, axis=0, return_inverse=True)
        is_observed = np.unpackbits(distinct, axis=1, count=n_features).astype(bool)
        return cls(is_observed, pattern_of_row.reshape(-1).astype(np.int64))

    @property
    def n_patterns(self) -> int:
        """Number of distinct patterns P."""
        return len(self.is_observed)

    @cached_property
    def rows_of_patterns(self) -> list[IntN]:
        """Positions of the rows of each pattern, ascending."""
        order = np.argsort(self.pattern_of_row, kind="stable")
        counts = np.bincount(self.pattern_of_row, minlength=self.n_patterns)
        return np.split(order, np.cumsum(counts)[:-1])

    @property
    def missing_fractions(self) -> D:
        """Fraction of the rows that lack each column, (D,)."""
        n_rows_of_pattern = np.bincount(self.pattern_of_row, minlength=self.n_patterns)
        return np.asarray(n_rows_of_pattern @ ~self.is_observed / len(self.pattern_of_row))

    def take_rows(self, positions: IntN) -> "MissingPatterns":
        """Return the patterns of the rows at some positions, without those that none of them has."""
        kept, pattern_of_row = np.unique(self.pattern_of_row[positions], return_inverse=True)
        return MissingPatterns(self.is_observed[kept], pattern_of_row.reshape(-1).astype(np.int64))


@runtime_checkable
class SupportsMissingCells(Protocol):
    """A source some of whose rows lack cells; an engine computes a pass over it pattern by pattern."""

    @property
    def patterns(self) -> MissingPatterns:
        """The patterns of observed columns of the rows."""
        ...

    @property
    def completion(self) -> SupportsReduce:
        """The same rows with numbers in place of the missing cells, which no pass of a model may count as data."""
        ...

    def take_rows(self, positions: IntN) -> "SupportsMissingCells":
        """Return the source of the rows at some positions."""
        ...

    def take_observed(self, pattern: int) -> SupportsReduce:
        """Return the rows of one pattern, with its observed columns alone; without any, with one column of zeros."""
        ...
