"""Statistics of the ranks of values, which no increasing transform and no change of units alters."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from gaussmix.core.random_numbers import splitmix64
from gaussmix.types import ND, BoolN, IntD, N

_MIN_RANK_CORRELATION = 0.3  # of columns in one block


def find_correlated_blocks(rows: ND, weights: N) -> list[IntD]:
    """Return the positions of the columns of rows (n, D) in blocks; columns that correlate are in one block.

    Rank correlations of at least 0.3, over the rows of weights (n,) in which both columns are present, connect columns.
    """
    ranks = np.empty(rows.shape)
    for j, column in enumerate(rows.T):
        ranks[:, j] = _center_ranks(column, weights)
    present = (~np.isnan(rows)).astype(np.float64)
    squares = (weights[:, None] * ranks**2).T @ present  # of a column where another one is present
    norms = np.sqrt(squares * squares.T)
    products = np.abs(ranks.T @ (weights[:, None] * ranks))
    is_connected = products >= _MIN_RANK_CORRELATION * np.where(norms > 0, norms, np.inf)
    n_blocks, block_of_column = connected_components(is_connected, directed=False)
    return [np.flatnonzero(block_of_column == block) for block in range(n_blocks)]


def select_complete_rows(rows: ND, max_rows: int) -> BoolN:
    """Return which rows (n, D) have no gap, and of more than ``max_rows`` distinct ones about so many.

    A hash of the ranks of their values selects them, so that neither the order of the rows nor units matter.
    """
    is_selected: BoolN = np.asarray(~np.isnan(rows).any(axis=1))
    if np.count_nonzero(is_selected) > max_rows:
        hashes = _hash_ranks(rows)
        n_distinct = len(np.unique(hashes[is_selected]))
        if n_distinct > max_rows:
            is_selected &= hashes < np.uint64(max_rows / n_distinct * 2.0**64)
    return is_selected


def _hash_ranks(rows: ND) -> NDArray[np.uint64]:
    """Return a 64-bit hash (n,) of the ranks of the values of each row (n, D); equal rows have equal hashes."""
    hashes = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        hashes = splitmix64(hashes ^ _dense_ranks(column))
    return hashes


def _center_ranks(column: N, weights: N) -> N:
    """Return the dense ranks of a column (n,) less their weighted mean, 0 where missing."""
    is_present = ~np.isnan(column)
    ranks = _dense_ranks(column).astype(np.float64)
    return np.where(is_present, ranks - np.average(ranks[is_present], weights=weights[is_present]), 0.0)


def _dense_ranks(column: N) -> NDArray[np.uint64]:
    """Return the rank of each value among the distinct values of a column (n,); missing values have the last one."""
    return np.unique(column, return_inverse=True)[1].astype(np.uint64)
