"""Columns of a table as few bins, in which groups of customers are compared: deciles of numbers, known categories."""

from dataclasses import dataclass

import numpy as np

from gaussmix.classification.table.table_schema import InputCells, TableSchema
from gaussmix.types import Array, IntN, N

_N_BINS = 10


@dataclass(frozen=True, eq=False)
class BinnedColumn:
    """The bin (n,) of each row in one column, and the number of bins B; missing cells have the bin B."""

    bins: IntN
    n_bins: int

    def count(self, weights: N) -> Array:
        """Return the weight (B + 1,) of the rows in each bin; the last one is that of missing cells."""
        return np.asarray(np.bincount(self.bins, weights, self.n_bins + 1), dtype=np.float64)


def bin_columns(schema: TableSchema, cells: InputCells, weights: N) -> tuple[BinnedColumn, ...]:
    """Return the columns that a schema uses in bins, in the order of ``schema.readers``."""
    return tuple(
        _bin_numbers(cells.numbers[reader.name], weights)
        if reader.is_numeric
        else _bin_codes(cells.codes[reader.name], len(reader.levels))
        for reader in schema.readers
    )


def _bin_codes(codes: IntN, n_values: int) -> BinnedColumn:
    """Return codes (n,) of known values as bins; missing cells have the code -1."""
    return BinnedColumn(np.where(codes < 0, n_values, codes), n_values)


def _bin_numbers(values: N, weights: N) -> BinnedColumn:
    """Return numbers (n,) in bins between weighted deciles; equal numbers share a bin."""
    is_present = ~np.isnan(values)
    edges = np.unique(weighted_quantiles(values[is_present], weights[is_present], np.arange(1, _N_BINS) / _N_BINS))
    bins = np.searchsorted(edges, values, side="left")  # an edge belongs to the bin that it ends
    n_bins = len(edges) + 1
    return BinnedColumn(np.where(is_present, bins, n_bins), n_bins)


def weighted_quantiles(values: N, weights: N, probabilities: N) -> N:
    """Return the smallest values below or at which at least the given fractions (m,) of the weight lie.

    They are values that occur. Without values they are NaN.
    """
    if not len(values) or not weights.sum() > 0:
        return np.full(len(probabilities), np.nan)
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    targets = np.asarray(probabilities) * cumulated[-1]
    # Sums of rounded weights may miss a target by their last digit.
    positions = np.searchsorted(cumulated, targets * (1.0 - 1e-12), side="left")
    return np.asarray(values[order][np.minimum(positions, len(values) - 1)])


def relative_entropy(counts: Array, reference: Array) -> float:
    """Return the relative entropy in nats of a distribution from a reference, from weights (B,); 0 without weight."""
    total, reference_total = counts.sum(), reference.sum()
    if not (total > 0 and reference_total > 0):
        return 0.0
    is_positive = (counts > 0) & (reference > 0)
    p, q = counts[is_positive] / total, reference[is_positive] / reference_total
    return max(float((p * np.log(p / q)).sum()), 0.0)
