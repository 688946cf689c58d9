"""The distinct rows of a source in sorted order, from which random initializations draw.

A weighted draw from the distinct rows in sorted order depends neither on the order of the rows nor on
whether a row is repeated or weighted.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.sources.base import AbstractSource
from gaussmix.types import ND, IntN, N


@dataclass(frozen=True)
class DistinctRows:
    """The m distinct rows of positive weight in lexicographic order, with their total weights.

    ``rows`` (m, D), ``weights`` (m,); ``positive_weight_indices`` are the positions of the rows of positive
    weight in the source, and ``inverse`` is the distinct row of each of these (as in ``numpy.unique``).
    """

    rows: ND
    weights: N
    inverse: IntN
    positive_weight_indices: IntN

    @classmethod
    def from_source(cls, source: AbstractSource) -> "DistinctRows":
        """Return the distinct rows of a source, which are all collected in memory."""
        rows, weights = source.collect(None)
        positive = np.flatnonzero(weights > 0)
        if len(positive) < len(rows):
            rows, weights = rows[positive], weights[positive]
        order = lexicographic_order(rows)
        sorted_rows, sorted_weights = rows[order], weights[order]
        numbers = np.arange(len(rows))
        ties = np.flatnonzero(sorted_rows[1:, 0] == sorted_rows[:-1, 0])
        repeated = ties[(sorted_rows[ties + 1] == sorted_rows[ties]).all(axis=1)] + 1
        if len(repeated):
            is_first = np.ones(len(rows), dtype=bool)
            is_first[repeated] = False
            numbers = np.cumsum(is_first) - 1
            sorted_rows = sorted_rows[is_first]
            sorted_weights = np.add.reduceat(sorted_weights, np.flatnonzero(is_first))
        inverse = np.empty(len(positive), dtype=np.int64)
        inverse[order] = numbers
        return cls(sorted_rows, sorted_weights, inverse, positive)

    def draw_coreset(self, n_rows: int, rng: np.random.Generator) -> "DistinctRows":
        """Return a weighted sample on which the inertia of any centers is about that on all rows; all if so few.

        Half of the draws are in proportion to the weights, half also to the squared distance from the mean, so that
        small distant groups are not missed (Bachem, Lucic & Krause, "Scalable k-means clustering via lightweight
        coresets", KDD 2018). Draws at equal steps over sorted rows are stratified. All rows are returned, too, if heavy
        ones would be drawn so often that fewer than half as many distinct ones result.
        """
        if len(self.rows) <= n_rows:
            return self
        total = self.weights.sum()
        mean = self.weights @ self.rows / total
        squares = np.einsum("nd,nd->n", self.rows, self.rows) - 2.0 * (self.rows @ mean) + mean @ mean
        potential = self.weights * np.maximum(squares, 0.0)
        shares = self.weights / total
        if 0.0 < potential.sum() < np.inf:
            shares = 0.5 * (shares + potential / potential.sum())
        cumulative = np.cumsum(shares)
        targets = (np.arange(n_rows) + rng.random()) * (cumulative[-1] / n_rows)
        drawn = np.minimum(np.searchsorted(cumulative, targets, side="right"), len(self.rows) - 1)
        positions, counts = np.unique(drawn, return_counts=True)
        if 2 * len(positions) < n_rows:
            return self
        no_rows = np.empty(0, dtype=np.int64)
        weights = counts * self.weights[positions] / (n_rows * shares[positions])
        return DistinctRows(self.rows[positions], weights, no_rows, no_rows)

    def draw_weighted_rows(self, n_draws: int, rng: np.random.Generator) -> ND:
        """Draw rows (n_draws, D) in proportion to their weights, without replacement; repeat them if too few."""
        n_distinct = min(n_draws, len(self.rows))
        indices = rng.choice(len(self.rows), size=n_distinct, replace=False, p=self.weights / self.weights.sum())
        return self.rows[np.resize(indices, n_draws)]


def lexicographic_order(rows: ND) -> IntN:
    """Return the positions (n,) that sort rows (n, D) by the first column, ties by the next."""
    order = np.argsort(rows[:, 0])
    leading = rows[order, 0]
    if rows.shape[1] > 1 and np.any(leading[1:] == leading[:-1]):
        order = np.lexsort(rows.T[::-1])
    return order
