"""A bounded sample of rows for a diagnosis: chosen by a hash of the row, so that the order of the rows plays no role.

Rows of many copies spoil such a sample, because all copies are in it or none. Where the number of sampled rows shows
this, the sample is all rows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaussmix.core.random_numbers import splitmix64
from gaussmix.types import AnyArray, N

MIN_SAMPLED_ROWS = 4096
_MAX_SAMPLED_NUMBERS = 1 << 15  # few columns allow more rows
_BLOCK_BYTES = 1 << 18  # of rows that are hashed at a time; they stay in the cache
_MAX_DEVIATION = 3.5  # of the number of sampled rows from its expectation, in standard deviations
_MIN_DISTINCT_FRACTION = 0.5


class SampledRows(NamedTuple):
    """Rows (m, D) of positive weight, and their weights (m,); None for one each."""

    rows: AnyArray
    weights: N | None


def sample_rows_by_hash(rows: AnyArray, weights: N | None) -> SampledRows:
    """Return about 32768 / D, at least 4096, of the rows (n, D), and their weights (n,).

    The sample is all rows if they are fewer, or if many rows are equal.
    """
    max_rows = max(MIN_SAMPLED_ROWS, _MAX_SAMPLED_NUMBERS // rows.shape[1])
    if weights is not None and not (weights > 0).all():
        rows, weights = rows[weights > 0], weights[weights > 0]
    if len(rows) <= max_rows:
        return SampledRows(rows, weights)
    hashes = _hash_rows(rows)
    chosen = np.flatnonzero(hashes < np.uint64(max_rows / len(rows) * 2.0**64))
    is_near_expectation = abs(len(chosen) - max_rows) <= _MAX_DEVIATION * np.sqrt(max_rows)
    n_distinct = 1 + np.count_nonzero(np.diff(np.sort(hashes[chosen])))
    if not is_near_expectation or n_distinct < _MIN_DISTINCT_FRACTION * max_rows:
        return SampledRows(rows, weights)
    return SampledRows(rows[chosen], None if weights is None else weights[chosen])


def _hash_rows(rows: AnyArray) -> NDArray[np.uint64]:
    """Return a 64-bit hash (n,) of each row: random odd multiples of the bits of its numbers, added and mixed."""
    multipliers = splitmix64(np.arange(1, rows.shape[1] + 1, dtype=np.uint64)) | np.uint64(1)
    n_block_rows = max(1, _BLOCK_BYTES // (8 * rows.shape[1]))
    sums = np.empty(len(rows), dtype=np.uint64)
    for start in range(0, len(rows), n_block_rows):
        block = np.ascontiguousarray(rows[start : start + n_block_rows], dtype=np.float64)
        np.matmul(block.view(np.uint64), multipliers, out=sums[start : start + n_block_rows])
    sums ^= sums >> np.uint64(32)
    sums *= multipliers[0]
    return sums
