"""Tiles of rows whose scores stay in cache, and the sum of exponentials of their scores."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gaussmix.types import NK, N

# Scores (rows, K) held at one time: half a megabyte.
_SCORES_PER_TILE = 1 << 16


def rows_per_tile(n_components: int) -> int:
    """Return the number of rows, at least 16, whose scores (rows, K) stay in cache."""
    return max(16, _SCORES_PER_TILE // n_components)


def iterate_tiles(n_rows: int, n_tile_rows: int) -> Iterator[slice]:
    """Yield consecutive slices of ``n_tile_rows`` rows; one empty slice if there are no rows."""
    return (slice(start, min(start + n_tile_rows, n_rows)) for start in range(0, max(1, n_rows), n_tile_rows))


class LogSumExp(NamedTuple):
    """log sum_k exp(score) of each row, (n,), and exp(score - highest score of the row), (n, K)."""

    log_sums: N
    shifted_terms: NK


def log_sum_exp_with_shifted_terms(scores: NK) -> LogSumExp:
    """Return log sum_k exp(score), (n,), and exp(score - row maximum), (n, K); rows may be -inf throughout."""
    maximum = scores.max(axis=1)
    finite_maximum = np.where(np.isfinite(maximum), maximum, 0.0)
    terms = np.exp(scores - finite_maximum[:, None])
    with np.errstate(divide="ignore"):
        return LogSumExp(finite_maximum + np.log(terms.sum(axis=1)), terms)
