"""``MixedRows``: the features of rows with missing cells, sorted by which columns of the block are present."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.types import KD, KN, ND, Array, BoolGB, IntN, IntNC, N


@dataclass(frozen=True, eq=False)
class MixedRows:
    """Features (n, P) of rows, sorted so that rows of one pattern of the block are consecutive.

    Attributes
    ----------
    layout : FeatureLayout
    features : ndarray of shape (n, P)
    order : ndarray of int64 of shape (n,)
        Original position of each sorted row.
    is_observed : ndarray of bool of shape (G, b)
        Which columns of the block are present in the rows of each of the G patterns.
    pattern_rows : tuple of slice
        The sorted rows of each pattern.
    weights : ndarray of shape (n,) or None
        How often each sorted row counts; None counts each once.
    """

    layout: FeatureLayout
    features: ND
    order: IntN
    is_observed: BoolGB
    pattern_rows: tuple[slice, ...]
    weights: N | None = None

    @classmethod
    def from_cells(cls, layout: FeatureLayout, numeric: ND, codes: IntNC, weights: N | None = None) -> "MixedRows":
        """Compute the features of numeric cells (n, D), NaN where missing, and codes (n, C), -1 where missing."""
        is_present = ~np.isnan(numeric)
        block_pattern = is_present[:, layout.block_columns]
        order = np.lexsort(block_pattern.T) if block_pattern.shape[1] else np.arange(len(numeric))
        sorted_pattern = block_pattern[order]
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = (sorted_pattern[1:] != sorted_pattern[:-1]).any(axis=1)
        starts = np.flatnonzero(is_first)
        stops = [*starts[1:], len(order)]
        pattern_rows = tuple(slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True))
        features = _compute_features(layout, numeric[order], is_present[order], codes[order])
        ordered_weights = None if weights is None else weights[order]
        return cls(layout, features, order, sorted_pattern[starts], pattern_rows, ordered_weights)

    @property
    def n_rows(self) -> int:
        """Number of rows n."""
        return len(self.order)

    @cached_property
    def total_weight(self) -> float:
        """Total weight of the rows."""
        return float(self.n_rows if self.weights is None else self.weights.sum())

    def apply_weights(self, values: Array) -> Array:
        """Return values (..., n) times the weight of each sorted row."""
        return values if self.weights is None else values * self.weights

    def to_original_order(self, values: Array) -> Array:
        """Return values (..., n) of the sorted rows in the original order of the rows."""
        original = np.empty_like(values)
        original[..., self.order] = values
        return original

    def accumulate(self, responsibilities: KN) -> "PatternSums":
        """Return the sums of features weighted by responsibilities (K, n) of the sorted rows, by pattern."""
        weighted = self.apply_weights(responsibilities)
        sums = np.empty((len(self.pattern_rows), len(weighted), self.layout.n_features))
        for index, rows in enumerate(self.pattern_rows):
            np.matmul(weighted[:, rows], self.features[rows], out=sums[index])
        return PatternSums(self.layout, self.is_observed, sums)


class BlockSums(NamedTuple):
    """Sums over the rows of each pattern: mass (G, K), and first (G, K, b) and second moments (G, K, b, b).

    Moments are about given means, and zero in the missing columns of a pattern.
    """

    mass: Array
    first: Array
    second: Array


@dataclass(frozen=True, eq=False)
class PatternSums:
    """Responsibility-weighted sums (G, K, P) of the features, for each of the G patterns of the block.

    ``is_observed`` (G, b) are the columns of the block that are present in each pattern.
    """

    layout: FeatureLayout
    is_observed: BoolGB
    by_pattern: Array

    @cached_property
    def total(self) -> Array:
        """Sums (K, P) over all rows."""
        return np.asarray(self.by_pattern.sum(axis=0))

    def block_sums_about(self, means: KD) -> BlockSums:
        """Return the sums of the block's columns about means (K, b)."""
        layout, n_block = self.layout, len(self.layout.block)
        mass = self.by_pattern[:, :, layout.constant]
        values = self.by_pattern[:, :, layout.block_values]
        raw = np.empty((*mass.shape, n_block, n_block))
        first, second = layout.block_pairs
        raw[..., first, second] = raw[..., second, first] = self.by_pattern[:, :, layout.block_products]
        observed = self.is_observed[:, None, :]
        centers = np.where(observed, means, 0.0)
        cross = centers[..., :, None] * values[..., None, :]
        squares = mass[..., None, None] * centers[..., :, None] * centers[..., None, :]
        return BlockSums(mass, values - mass[..., None] * centers, raw - cross - np.swapaxes(cross, 2, 3) + squares)


def _compute_features(layout: FeatureLayout, numeric: ND, is_present: Array, codes: IntNC) -> ND:
    """Return the features (n, P) of rows; those of missing cells are zero."""
    filled = np.where(is_present, numeric, 0.0)
    features = np.zeros((len(numeric), layout.n_features))
    features[:, layout.constant] = 1.0
    values, block = filled[:, layout.independent_columns], filled[:, layout.block_columns]
    features[:, layout.present] = is_present[:, layout.independent_columns]
    features[:, layout.values] = values
    np.square(values, out=features[:, layout.squares])
    features[:, layout.block_values] = block
    first, second = layout.block_pairs
    np.multiply(block[:, first], block[:, second], out=features[:, layout.block_products])
    for column, levels in zip(codes.T, layout.levels, strict=True):
        known = np.flatnonzero(column >= 0)
        features[known, levels.start + column[known]] = 1.0
    return features
