"""The rows that differ, in an order of their own: what starts draw from.

A draw over the distinct rows in sorted order, weighted by how often each counts, depends neither on
the order of the rows nor on whether a row is repeated or weighted.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.sources.base import AbstractSource
from gaussmix.types import ND, IntN, N


@dataclass(frozen=True)
class DistinctRows:
    """The rows that count, each once, in sorted order, with their weights."""

    rows: ND
    weights: N
    inverse: IntN
    positive_weight_indices: IntN

    @classmethod
    def from_source(cls, source: AbstractSource) -> "DistinctRows":
        rows, weights = source.rows_and_weights()
        counted = np.flatnonzero(weights > 0)
        order = lexicographic_order(rows[counted])
        ordered = rows[counted][order]
        first = np.concatenate([[True], np.any(ordered[1:] != ordered[:-1], axis=1)])
        inverse = np.empty(len(counted), dtype=np.int64)
        inverse[order] = np.cumsum(first) - 1
        sums = np.add.reduceat(weights[counted][order], np.flatnonzero(first))
        return cls(ordered[first], sums, inverse, counted)

    def sample_rows(self, n_rows: int, rng: np.random.Generator) -> ND:
        """``count`` rows without replacement, as likely as they weigh; some repeat only if there are too few."""
        available = min(n_rows, len(self.rows))
        chosen = rng.choice(len(self.rows), size=available, replace=False, p=self.weights / self.weights.sum())
        return self.rows[np.resize(chosen, n_rows)]


def lexicographic_order(rows: ND) -> IntN:
    """Positions that sort rows by the first column, ties by the next."""
    order = np.argsort(rows[:, 0], kind="stable")
    leading = rows[order, 0]
    if rows.shape[1] > 1 and np.any(leading[1:] == leading[:-1]):
        order = np.lexsort(rows.T[::-1])
    return order
