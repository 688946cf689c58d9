"""Numbers of distinct rows that depend on the values of the rows, not on their order."""

import numpy as np

from gaussmix.types import ND, IntN


def number_distinct_rows(rows: ND) -> IntN:
    """Return the number of each row (n,) among the distinct rows (n, d), sorted by value; equal rows share it."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    is_new = np.ones(len(rows), dtype=np.int64)
    is_new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    numbers = np.empty(len(rows), dtype=np.int64)
    numbers[order] = np.cumsum(is_new) - 1
    return numbers


def count_distinct_rows(rows: ND) -> int:
    """Return how many different rows there are among rows (n, d)."""
    return int(number_distinct_rows(rows).max()) + 1
