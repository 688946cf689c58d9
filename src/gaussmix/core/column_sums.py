"""``ColumnSums``: sums of powers of each column, from which follow its mean, variance and kurtosis; they add."""

import functools
import operator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.types import ND, AnyArray, BoolN, D

_MAX_VALUES_AT_ONCE = 1 << 15
_MIN_SUMMED_WIDTH = 256  # NumPy is slow for shorter rows, so that several rows are summed side by side
_MAX_CENTERED_DEVIATIONS = 8.0  # of a mean from zero; beyond, central moments lose more than two digits


@dataclass(frozen=True, eq=False)
class ColumnSums:
    """Sums (4, D) of the first to fourth power of each column, weighted by row, and the total weight."""

    weight: float
    powers: AnyArray

    @classmethod
    def from_batch(cls, batch: Batch) -> "ColumnSums":
        """Return the sums of a batch, in its working coordinates."""
        n_block = max(1, _MAX_VALUES_AT_ONCE // batch.raw_rows.shape[1])
        if batch.n_rows <= n_block:
            return cls._from_block(batch)
        blocks = (batch.sub_batch(start, start + n_block) for start in range(0, batch.n_rows, n_block))
        return functools.reduce(operator.add, map(cls._from_block, blocks))

    @classmethod
    def _from_block(cls, block: Batch) -> "ColumnSums":
        """Return the sums of a batch whose rows and their powers stay in the cache."""
        rows, weights = block.rows, block.weights
        n_side, n_features = max(1, _MIN_SUMMED_WIDTH // rows.shape[1]), rows.shape[1]
        n_wide = len(rows) // n_side * n_side
        powers = _sum_powers(rows[n_wide:], None if weights is None else weights[n_wide:, None])
        if n_wide:
            wide_weights = (
                None if weights is None else np.repeat(weights[:n_wide], n_features).reshape(-1, n_side * n_features)
            )
            wide = _sum_powers(rows[:n_wide].reshape(-1, n_side * n_features), wide_weights)
            powers += wide.reshape(len(wide), n_side, n_features).sum(axis=1)
        return cls(float(len(rows) if weights is None else weights.sum()), powers)

    def __add__(self, other: "ColumnSums") -> "ColumnSums":
        return ColumnSums(self.weight + other.weight, self.powers + other.powers)

    @cached_property
    def mean(self) -> D:
        """Mean of each column, (D,)."""
        return np.asarray(self.powers[0] / self.weight)

    @cached_property
    def variance(self) -> D:
        """Variance of each column, (D,)."""
        return np.asarray(np.maximum(self.powers[1] - self.powers[0] * self.mean, 0.0) / self.weight)

    @cached_property
    def is_centered(self) -> BoolN:
        """Which columns (D,) have a mean near enough to zero for accurate central moments."""
        return np.asarray(np.abs(self.mean) <= _MAX_CENTERED_DEVIATIONS * np.sqrt(self.variance))

    @cached_property
    def kurtosis(self) -> D:
        """Fourth central moment over the squared variance (D,); infinity or NaN where rounding hides it."""
        mean = self.mean
        _, second, third, fourth = self.powers / self.weight
        with np.errstate(divide="ignore", invalid="ignore"):
            central = fourth - mean * (4.0 * third - mean * (6.0 * second - 3.0 * mean * mean))
            return np.asarray(np.where(self.is_centered, central / self.variance**2, np.inf))


def _sum_powers(rows: ND, weights: AnyArray | None) -> AnyArray:
    """Return the sums (4, D) of the powers of columns (n, D), times weights that broadcast to them."""
    squares = rows * rows
    weighted, weighted_squares = (rows, squares) if weights is None else (rows * weights, squares * weights)
    return np.array(
        [
            np.add.reduce(weighted, axis=0),
            np.add.reduce(weighted_squares, axis=0),
            np.einsum("nj,nj->j", weighted, squares),
            np.einsum("nj,nj->j", weighted_squares, squares),
        ]
    )
