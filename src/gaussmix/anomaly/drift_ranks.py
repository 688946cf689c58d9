"""Sequential conformal p-values of new rows, in memory that does not grow with the stream.

Row t of a column is ranked among the n reference rows and all earlier rows, and ties are broken at random:

    u_t = (number of smaller values + U_t * (number of equal values, its own included)) / (n + t),   t = 1, 2, ...

If all rows are exchangeable, u_1, u_2, ... are independent and uniform, exactly (Vovk, Gammerman & Shafer, "Algorithmic
Learning in a Random World", Springer 2005, theorem 8.2). Ranks among the reference alone are not independent: all of
them share the error of one sample.

All earlier rows need not be kept. The order statistics of the reference cut the line into n + 1 gaps. Given the gaps of
the earlier rows, the next row falls into a gap that has c earlier rows of the stream with probability
(1 + c) / (n + t): Polya's urn. Within its gap its rank is uniform. So counts per gap, and a uniform number within the
gap, give p-values of exactly the same distribution. Neighbouring gaps are merged into at most `MAX_BINS` bins; a bin of
g gaps starts with the count g, and the urn stays exact.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.core.random_numbers import draw_uniform_by_row
from gaussmix.types import ND, Array, BoolN, IntArray, IntN, N

MAX_BINS = 1024  # per column: the p-values resolve tails of a thousandth

_BLOCK_ROWS = 32  # all pairs of rows within a block are compared
_ROW_TIES, _WITHIN_BIN, _EDGE_TIES = range(3)  # what a random number decides; _EDGE_TIES + column for the reference


class _ReferenceColumn(NamedTuple):
    """Edges of one column's bins, their keys among equal edges (B - 1,), and the initial counts (B,)."""

    edges: N
    keys: N
    counts: IntN


@dataclass(frozen=True)
class RankBins:
    """Bins of each column between order statistics of its reference values; arrays are padded to the longest column.

    Attributes
    ----------
    edges : array (C, B - 1)
        Upper ends of the bins, without the last; infinity after the last edge of a column.
    keys : array (C, B - 1)
        Position of the first equal edge, plus the random number that orders equal reference values.
    n_edges : array (C,) of int
    seed : int
        Seed of the random numbers that break ties.
    """

    edges: Array
    keys: Array
    n_edges: IntArray
    seed: int

    def locate(self, values: ND, first_row: int) -> IntArray:
        """Return the bin (n, C) of each value (n, C); random numbers order values that equal an edge."""
        bins = np.empty(values.shape, dtype=np.int64)
        draws = None
        for column, n_edges in enumerate(self.n_edges.tolist()):
            edges, column_values = self.edges[column, :n_edges], values[:, column]
            bins[:, column] = np.searchsorted(edges, column_values, side="left")
            is_tied = np.searchsorted(edges, column_values, side="right") > bins[:, column]
            if is_tied.any():
                draws = self._draw(_ROW_TIES, first_row, len(values)) if draws is None else draws
                keys = bins[is_tied, column] + draws[is_tied, column]
                bins[is_tied, column] = np.searchsorted(self.keys[column, :n_edges], keys, side="left")
        return bins

    def draw_within_bins(self, first_row: int, n_rows: int) -> ND:
        """Return uniform numbers (n, C) that place each row within its bin."""
        return self._draw(_WITHIN_BIN, first_row, n_rows)

    def _draw(self, purpose: int, first_row: int, n_rows: int) -> ND:
        """Return uniform numbers (n, C) for one purpose; they depend on row and column only."""
        n_columns = len(self.n_edges)
        draws = draw_uniform_by_row(self.seed, purpose, first_row * n_columns, n_rows * n_columns)
        return draws.reshape(n_rows, n_columns)


class BinsAndCounts(NamedTuple):
    """Bins of the columns, and their counts (C, B) before the first row of the stream."""

    bins: RankBins
    counts: IntArray


def make_rank_bins(reference: ND, seed: int) -> BinsAndCounts:
    """Return bins between order statistics of the reference (n, C), and their initial counts; NaN is left out."""
    columns = [_make_column(reference[:, column], column, seed) for column in range(reference.shape[1])]
    n_bins = max(len(column.counts) for column in columns)
    edges, keys = (np.full((len(columns), n_bins - 1), np.inf) for _ in range(2))
    counts = np.zeros((len(columns), n_bins), dtype=np.int64)
    for index, column in enumerate(columns):
        edges[index, : len(column.edges)] = column.edges
        keys[index, : len(column.keys)] = column.keys
        counts[index, : len(column.counts)] = column.counts
    n_edges = np.array([len(column.edges) for column in columns], dtype=np.int64)
    return BinsAndCounts(RankBins(edges, keys, n_edges, seed), counts)


def _make_column(values: N, column: int, seed: int) -> _ReferenceColumn:
    """Return the bins of one column: all gaps of its reference values, or equally many gaps in each bin."""
    ordered = np.sort(values[~np.isnan(values)])
    draws = draw_uniform_by_row(seed, _EDGE_TIES + column, 0, len(ordered))
    is_new_value = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    draws = draws[np.lexsort([draws, np.cumsum(is_new_value)])]
    n_bins = min(len(ordered) + 1, MAX_BINS)
    n_gaps_below = np.arange(n_bins + 1) * (len(ordered) + 1) // n_bins
    chosen = n_gaps_below[1:-1] - 1  # the order statistic above that many gaps
    edges = ordered[chosen]
    return _ReferenceColumn(edges, np.searchsorted(edges, edges) + draws[chosen], np.diff(n_gaps_below))


class RankResult(NamedTuple):
    """P-values (n, C), NaN where a cell is missing, and the counts (C, B) after the last row."""

    p_values: ND
    counts: IntArray


def rank_sequentially(values: ND, first_row: int, bins: RankBins, counts: IntArray) -> RankResult:
    """Return the conformal p-value of each value (n, C) among the reference and all earlier rows.

    P-values near 0 are those of the smallest values. A missing cell is not ranked, and later rows do not count it. Any
    split of a stream into batches gives the same p-values, bit for bit.
    """
    is_missing = np.isnan(values)
    bin_of_cell = bins.locate(values, first_row)
    within = bins.draw_within_bins(first_row, len(values))
    p_values = np.empty(values.shape)
    counts = counts.copy()
    for start in range(0, len(values), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        p_values[block] = _rank_block(bin_of_cell[block], within[block], ~is_missing[block], counts)
    p_values[is_missing] = np.nan
    return RankResult(p_values, counts)


def _rank_block(bin_of_cell: IntArray, within: ND, is_present: BoolN, counts: IntArray) -> ND:
    """Return the p-values (n, C) of a few rows, and add the rows to the counts in place."""
    n_columns, n_bins = counts.shape
    column = np.arange(n_columns)
    n_up_to_bin = np.cumsum(counts, axis=1)
    n_equal = counts[column, bin_of_cell]
    n_smaller = n_up_to_bin[column, bin_of_cell] - n_equal
    own = bin_of_cell.T.astype(np.int16)[:, :, None]
    earlier = np.where(is_present, bin_of_cell, n_bins).T.astype(np.int16)[:, None, :]  # n_bins: nobody counts it
    is_earlier = np.tri(len(within), k=-1, dtype=bool)
    n_equal = n_equal + ((earlier == own) & is_earlier).sum(axis=2, dtype=np.int16).T
    n_smaller = n_smaller + ((earlier < own) & is_earlier).sum(axis=2, dtype=np.int16).T
    n_total = n_up_to_bin[:, -1] + np.cumsum(is_present, axis=0) - is_present
    flat = (column * n_bins + bin_of_cell)[is_present]
    counts += np.bincount(flat, minlength=counts.size).reshape(counts.shape)
    return np.asarray((n_smaller + within * n_equal) / n_total)
