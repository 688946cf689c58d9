"""How training rows are divided: each fit sees a half of them and is calibrated on the other half.

The division depends on the values of the rows and a seed, not on the order of the rows. Equal rows are in the same
half: a copy of a row that a fit has seen would vouch for it. But rows that no fit sees are drawn row by row, since the
guarantee of a split needs them to be like new rows, of which some equal a row that a fit has seen, too. Where no rows
are held out, a value that more than a quarter of
the rows have is in both halves: it is normal, and a fit without it would find it unusual.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.anomaly.row_order import number_distinct_rows
from gaussmix.errors import TrainingRowsError
from gaussmix.types import ND, BoolN, IntArray, IntN, N

MIN_CALIBRATION_ROWS = 1000  # of a split, where there are twice as many rows
_MIN_ROWS_OF_SPLIT, _MIN_DISTINCT_ROWS_OF_FITS = 4, 2
_COMMON_WEIGHT = 0.25  # fraction of all rows with one value; the scale of a member bears as many anomalies
_MIN_REPEATS, _MAX_REPEATS = 2, 6
_ROWS_OF_ALL_REPEATS, _COLUMNS_OF_ALL_REPEATS = 3000, 600


class Calibration(NamedTuple):
    """How many of n distinct rows no fit sees, and how p-values compare a new row with a training row.

    ``compares_by_half``: by the fits that have not seen that training row, else by the mean of all fits.
    """

    count_held_out: Callable[[int], int]
    compares_by_half: bool


def _count_rows_of_split(n_rows: int) -> int:
    """Return half of the rows, at least 1000 where there are twice as many, at least a quarter of more."""
    if n_rows < _MIN_ROWS_OF_SPLIT:
        raise TrainingRowsError.too_few_to_split(n_rows, _MIN_ROWS_OF_SPLIT)
    return min(n_rows // 2, max(MIN_CALIBRATION_ROWS, n_rows // 4))


def _count_no_rows(n_rows: int) -> int:
    """Return 0: each row is held out from the fits of the other half."""
    return 0


CALIBRATIONS = {
    "split": Calibration(_count_rows_of_split, False),
    "cross": Calibration(_count_no_rows, False),
    "jackknife+": Calibration(_count_no_rows, True),
}


@dataclass(frozen=True, eq=False)
class RowPartition:
    """The half of each row in each repeat, and which rows no fit sees.

    Attributes
    ----------
    halves : ndarray of int64 of shape (n, R)
        0 or 1: the half of each row in each of R repeats; -1 of rows held out, and of rows in both halves.
    is_held_out : ndarray of bool of shape (n,)
        Rows that are in no half: the calibration rows of a split.
    is_common : ndarray of bool of shape (n,)
        Rows that are in both halves.
    random_order : ndarray of int64 of shape (n,)
        A random number of each distinct row, by which fits choose some of many rows.
    """

    halves: IntArray
    is_held_out: BoolN
    is_common: BoolN
    random_order: IntN

    @property
    def n_repeats(self) -> int:
        """Number of repeats R."""
        return int(self.halves.shape[1])

    def rows_of_half(self, repeat: int, half: int) -> IntN:
        """Return the positions of the rows in a half, in random order that does not depend on that of the rows."""
        positions = np.flatnonzero((self.halves[:, repeat] == half) | self.is_common)
        return positions[np.argsort(self.random_order[positions], kind="stable")]


def partition_rows(
    rows: ND, weights: N | None, calibration: Calibration, n_repeats: int | None, rng: np.random.Generator
) -> RowPartition:
    """Return the partition of rows (n, D) with weights (n,) or None; at least two rows differ.

    Without ``n_repeats``, rows are divided twice, and more often where few rows make the halves differ.

    DataError is raised if there are too few distinct rows to hold some out.
    """
    distinct = number_distinct_rows(rows)
    n_distinct = int(distinct.max()) + 1
    n_repeats = n_repeats or _choose_n_repeats(n_distinct, rows.shape[1])
    random_order = rng.permutation(n_distinct)
    is_held_out = _hold_out_rows(random_order[distinct], weights, calibration, rng)
    is_split = bool(is_held_out.any())
    mass = np.bincount(distinct, weights=weights)
    is_common = (mass > _COMMON_WEIGHT * mass.sum()) & (not is_split) & (n_distinct > _MIN_ROWS_OF_SPLIT)
    halves = np.full((n_distinct, n_repeats), -1, dtype=np.int64)
    seen = np.unique(distinct[~is_held_out])
    for repeat in range(n_repeats):
        halves[seen, repeat] = rng.permutation(len(seen)) % 2
    halves[is_common] = -1
    halves = halves[distinct]
    halves[is_held_out] = -1
    return RowPartition(halves, is_held_out, is_common[distinct], random_order[distinct])


def _hold_out_rows(random_order: IntN, weights: N | None, calibration: Calibration, rng: np.random.Generator) -> BoolN:
    """Return which rows (n,) are held out: each row with the same probability, so that new rows are like them.

    Copies of a row need not stay together: which of them are held out does not matter. Rows with weights do. At least
    two different rows remain.
    """
    n_distinct = int(random_order.max()) + 1
    n_distinct_held_out = calibration.count_held_out(n_distinct)
    if n_distinct_held_out == 0 or weights is not None or n_distinct == len(random_order):
        return np.asarray(random_order < n_distinct_held_out)
    n_held_out = calibration.count_held_out(len(random_order))
    sorted_rows = np.argsort(random_order, kind="stable")
    is_held_out = np.ones(len(random_order), dtype=bool)
    while len(np.unique(random_order[~is_held_out])) < _MIN_DISTINCT_ROWS_OF_FITS:
        is_held_out[sorted_rows] = rng.permutation(len(sorted_rows)) < n_held_out
    return is_held_out


def _choose_n_repeats(n_rows: int, n_features: int) -> int:
    """Return how often rows are divided: twice, and more often where few rows of few columns make the halves differ."""
    affordable = min(_ROWS_OF_ALL_REPEATS // n_rows, _COLUMNS_OF_ALL_REPEATS // n_features)
    return max(_MIN_REPEATS, min(_MAX_REPEATS, affordable))
