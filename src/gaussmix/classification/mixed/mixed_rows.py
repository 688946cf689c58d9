"""``MixedRows``: the features of rows with missing cells, sorted by which columns of the block are present."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.types import KN, ND, Array, IntD, IntN, IntNC, N


class PatternGroup(NamedTuple):
    """Rows in which the same columns of the block are present: these columns (b',), and a slice of the sorted rows."""

    observed: IntD
    rows: slice


@dataclass(frozen=True, eq=False)
class MixedRows:
    """Features (n, P) of rows, sorted so that rows of one pattern of the block are consecutive.

    Attributes
    ----------
    layout : FeatureLayout
    features : ndarray of shape (n, P)
    order : ndarray of int64 of shape (n,)
        Original position of each sorted row.
    patterns : tuple of PatternGroup
    weights : ndarray of shape (n,) or None
        How often each sorted row counts; None counts each once.
    """

    layout: FeatureLayout
    features: ND
    order: IntN
    patterns: tuple[PatternGroup, ...]
    weights: N | None = None

    @classmethod
    def from_cells(cls, layout: FeatureLayout, numeric: ND, codes: IntNC, weights: N | None = None) -> "MixedRows":
        """Compute the features of numeric cells (n, D), NaN where missing, and codes (n, C), -1 where missing."""
        is_present = ~np.isnan(numeric)
        block_pattern = is_present[:, layout.block_columns]
        order = np.lexsort(block_pattern.T) if block_pattern.shape[1] else np.arange(len(numeric))
        sorted_pattern = block_pattern[order]
        starts = np.flatnonzero(np.r_[True, (sorted_pattern[1:] != sorted_pattern[:-1]).any(axis=1)])
        stops = np.r_[starts[1:], len(order)]
        patterns = tuple(
            PatternGroup(np.flatnonzero(sorted_pattern[start]), slice(int(start), int(stop)))
            for start, stop in zip(starts, stops, strict=True)
            if stop > start
        )
        features = _compute_features(layout, numeric[order], is_present[order], codes[order])
        return cls(layout, features, order, patterns, None if weights is None else weights[order])

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
        return PatternSums(
            self.layout,
            tuple(group.observed for group in self.patterns),
            tuple(weighted[:, group.rows] @ self.features[group.rows] for group in self.patterns),
        )


class BlockSums(NamedTuple):
    """Sums over the rows of one pattern: observed columns (b',), mass (K,), values (K, b'), products (K, b', b')."""

    observed: IntD
    mass: Array
    values: Array
    products: Array

    def scatter_about(self, means: Array) -> Array:
        """Return the scatter (K, b', b') about means (K, b')."""
        cross = means[:, :, None] * self.values[:, None, :]
        squares = means[:, :, None] * means[:, None, :]
        return np.asarray(self.products - cross - np.swapaxes(cross, 1, 2) + self.mass[:, None, None] * squares)

    def to_moments(self) -> Moments:
        """Return the moments of the observed columns."""
        means = self.values / np.where(self.mass > 0, self.mass, 1.0)[:, None]
        return Moments(self.mass, means, self.scatter_about(means), MomentKind.FULL)


@dataclass(frozen=True, eq=False)
class PatternSums:
    """Responsibility-weighted sums (K, P) of the features, for each pattern of the block."""

    layout: FeatureLayout
    observed: tuple[IntD, ...]
    by_pattern: tuple[Array, ...]

    @cached_property
    def total(self) -> Array:
        """Sums (K, P) over all rows."""
        return np.asarray(sum(self.by_pattern))

    def iterate_block_sums(self) -> Iterator[BlockSums]:
        """Yield the sums of the block's columns for each pattern."""
        first, second = self.layout.block_pairs
        n_block = len(self.layout.block)
        for observed, sums in zip(self.observed, self.by_pattern, strict=True):
            products = np.zeros((len(sums), n_block, n_block))
            products[:, first, second] = products[:, second, first] = sums[:, self.layout.block_products]
            values = sums[:, self.layout.block_values][:, observed]
            yield BlockSums(observed, sums[:, 0], values, products[:, observed[:, None], observed])


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
