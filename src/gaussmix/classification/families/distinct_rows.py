"""Equal rows merged into one with their weight: a fit then depends neither on the order nor on repetitions of rows."""

from typing import NamedTuple

import numpy as np

from gaussmix.types import ND, IntN, IntNC, N

_SIGNIFICANT = 2.0**-40  # relative to a standard deviation: closer numbers are equal up to rounding


class DistinctRows(NamedTuple):
    """Distinct rows in sorted order.

    ``positions`` (m,) are those of one copy each, ``of_row`` (n,) the distinct row of each row, and ``weights`` (m,)
    the total weights of the copies.
    """

    positions: IntN
    of_row: IntN
    weights: N


def merge_equal_rows(numeric: ND, codes: IntNC, classes: IntN, weights: N) -> DistinctRows:
    """Return the distinct rows of numbers (n, D), NaN where missing, of codes (n, C) and of classes (n,)."""
    rounded = np.round(np.where(np.isnan(numeric), np.inf, numeric) / _SIGNIFICANT) * _SIGNIFICANT
    keys = [classes, *codes.T[::-1], *rounded.T[::-1]]
    order = np.lexsort(keys[::-1])
    starts_group = np.zeros(len(order), dtype=bool)
    starts_group[:1] = True
    for key in keys:
        ordered = key[order]
        starts_group[1:] |= ordered[1:] != ordered[:-1]
    of_sorted = np.cumsum(starts_group) - 1
    of_row = np.empty(len(order), dtype=np.int64)
    of_row[order] = of_sorted
    total = np.bincount(of_row, weights=weights)
    return DistinctRows(order[starts_group].astype(np.int64), of_row, total)
