"""What scores say of each row, in NumPy: log density, best component and responsibilities; tiles that stay in cache."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.types import NK, IntN, N

# Scores (rows, K) held at one time: half a megabyte.
_SCORES_PER_TILE = 1 << 16


def rows_per_tile(n_components: int) -> int:
    """Return the number of rows, at least 16, whose scores (rows, K) stay in cache."""
    return max(16, _SCORES_PER_TILE // n_components)


def iterate_tiles(n_rows: int, n_tile_rows: int) -> Iterator[slice]:
    """Yield consecutive slices of ``n_tile_rows`` rows; one empty slice if there are no rows."""
    return (slice(start, min(start + n_tile_rows, n_rows)) for start in range(0, max(1, n_rows), n_tile_rows))


def apply_softmax_in_place(scores: NK) -> None:
    """Replace each row of scores (n, K) by its softmax."""
    terms = log_sum_exp_with_shifted_terms(scores).shifted_terms
    np.divide(terms, terms.sum(axis=1)[:, None], out=scores)


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


@dataclass(frozen=True, slots=True)
class BestScores:
    """The best component of each row.

    Attributes
    ----------
    labels : ndarray of int64 of shape (n,)
        The component of the highest score; the first of equals.
    best_scores : ndarray of shape (n,)
        Its score.
    log_densities : ndarray of shape (n,)
        ``log sum_k exp(score)``; of length 0 if nobody needs it.
    """

    labels: IntN
    best_scores: N
    log_densities: N

    @classmethod
    def from_scores(cls, scores: NK, needs_log_densities: bool = True) -> "BestScores":
        """Return the best component, its score and the log density of each row, from all scores (n, K)."""
        log_densities = log_sum_exp_with_shifted_terms(scores).log_sums if needs_log_densities else np.empty(0)
        return cls(scores.argmax(axis=1), scores.max(axis=1), log_densities)


@dataclass(frozen=True, slots=True)
class Responsibilities:
    """The best score (n,) of each row, and the probability (n, K) of each component."""

    best_scores: N
    responsibilities: NK

    @classmethod
    def from_scores_in_place(cls, scores: NK) -> "Responsibilities":
        """Return the responsibilities, which replace the scores (n, K)."""
        best_scores = scores.max(axis=1)
        for tile in iterate_tiles(len(scores), rows_per_tile(scores.shape[1])):
            apply_softmax_in_place(scores[tile])
        return cls(best_scores, scores)
