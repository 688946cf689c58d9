"""How training rows are divided: each fit sees a half of them and is calibrated on the other half.

The division depends on the values of the rows and a seed, not on the order of the rows. Equal rows stay together: a
copy of a row that a fit has seen would vouch for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.anomaly.row_order import number_distinct_rows
from gaussmix.errors import TrainingRowsError
from gaussmix.types import ND, BoolN, IntArray, IntN

MIN_CALIBRATION_ROWS = 1000  # of a split, where there are twice as many rows
_MIN_ROWS_OF_SPLIT = 4
_MIN_REPEATS, _MAX_REPEATS = 2, 6
_ROWS_OF_ALL_REPEATS, _COLUMNS_OF_ALL_REPEATS = 3000, 600


class Calibration(NamedTuple):
    """How many of n distinct rows no fit sees, and how p-values compare a new row with a training row.

    ``compares_by_half``: by the fits that have not seen that training row, else by the mean of all fits.
    """

    count_held_out: Callable[[int], int]
    compares_by_half: bool
    is_guaranteed: bool
    description: str


def _count_rows_of_split(n_rows: int) -> int:
    """Return half of the rows, at least 1000 where there are twice as many, at least a quarter of more."""
    if n_rows < _MIN_ROWS_OF_SPLIT:
        raise TrainingRowsError.too_few_to_split(n_rows, _MIN_ROWS_OF_SPLIT)
    return min(n_rows // 2, max(MIN_CALIBRATION_ROWS, n_rows // 4))


def _count_no_rows(n_rows: int) -> int:
    """Return 0: each row is held out from the fits of the other half."""
    return 0


CALIBRATIONS = {
    "split": Calibration(_count_rows_of_split, False, True, "rows that no fit has seen"),
    "cross": Calibration(_count_no_rows, False, False, "each row by the fits that have not seen it"),
    "jackknife+": Calibration(_count_no_rows, True, False, "each row and the new one by fits that have seen neither"),
}


@dataclass(frozen=True, eq=False)
class RowPartition:
    """The half of each row in each repeat, and which rows no fit sees.

    Attributes
    ----------
    halves : ndarray of int64 of shape (n, R)
        0 or 1: the half of each row in each of R repeats; -1 of rows held out.
    is_held_out : ndarray of bool of shape (n,)
        Rows that are in no half: the calibration rows of a split.
    random_order : ndarray of int64 of shape (n,)
        A random number of each distinct row, by which fits choose some of many rows.
    """

    halves: IntArray
    is_held_out: BoolN
    random_order: IntN

    @property
    def n_repeats(self) -> int:
        """Number of repeats R."""
        return int(self.halves.shape[1])

    def rows_of_half(self, repeat: int, half: int) -> IntN:
        """Return the positions of the rows in a half, in random order that does not depend on that of the rows."""
        positions = np.flatnonzero(self.halves[:, repeat] == half)
        return positions[np.argsort(self.random_order[positions], kind="stable")]


def partition_rows(rows: ND, calibration: Calibration, n_repeats: int | None, rng: np.random.Generator) -> RowPartition:
    """Return the partition of rows (n, D), at least two of which differ.

    Without ``n_repeats``, rows are divided twice, and more often where few rows make the halves differ.

    DataError is raised if there are too few distinct rows to hold some out.
    """
    distinct = number_distinct_rows(rows)
    n_distinct = int(distinct.max()) + 1
    n_repeats = n_repeats or _choose_n_repeats(n_distinct, rows.shape[1])
    n_held_out = calibration.count_held_out(n_distinct)
    random_order = rng.permutation(n_distinct)
    is_held_out = random_order < n_held_out
    halves = np.full((n_distinct, n_repeats), -1, dtype=np.int64)
    for repeat in range(n_repeats):
        halves[~is_held_out, repeat] = rng.permutation(n_distinct - n_held_out) % 2
    return RowPartition(halves[distinct], is_held_out[distinct], random_order[distinct])


def _choose_n_repeats(n_rows: int, n_features: int) -> int:
    """Return how often rows are divided: twice, and more often where few rows of few columns make the halves differ."""
    affordable = min(_ROWS_OF_ALL_REPEATS // n_rows, _COLUMNS_OF_ALL_REPEATS // n_features)
    return max(_MIN_REPEATS, min(_MAX_REPEATS, affordable))
