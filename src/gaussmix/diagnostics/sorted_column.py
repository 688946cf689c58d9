"""``SortedColumn``: the distinct values of a column with their weights, and the statistics that a diagnosis needs."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from gaussmix.types import AnyArray, Array, N


@dataclass(frozen=True, eq=False)
class SortedColumn:
    """The m distinct values of a column in ascending order (m,), and the total weight of the rows of each (m,).

    No statistic here changes if all weights are multiplied by one number.
    """

    values: N
    weights: N

    @property
    def n_distinct(self) -> int:
        """Number of distinct values."""
        return len(self.values)

    @cached_property
    def fractions(self) -> N:
        """Fraction of the total weight at each value, (m,)."""
        return np.asarray(self.weights / self.weights.sum())

    @property
    def mirror_image(self) -> "SortedColumn":
        """The column with the opposite sign."""
        return SortedColumn(0.0 - self.values[::-1], self.weights[::-1])

    @cached_property
    def has_unequal_weights(self) -> bool:
        """Whether some values occur more often than others."""
        return bool(self.weights.max() > self.weights.min())

    @property
    def effective_n_values(self) -> float:
        """Inverse probability that two random rows have equal values; about 3.5 deviations / step if rounded."""
        return float(1.0 / (self.fractions @ self.fractions))

    @property
    def step(self) -> float:
        """Median distance of neighbouring values."""
        return 2.0 * float(np.median(np.diff(0.5 * self.values)))  # differences of halves cannot overflow

    @cached_property
    def most_frequent(self) -> int:
        """Position of the value with the largest weight."""
        return int(self.weights.argmax())

    @property
    def median_fraction_of_others(self) -> float:
        """Weighted median of the fractions of all values but the most frequent one: how often a typical row repeats."""
        others = np.sort(np.delete(self.fractions, self.most_frequent))
        cumulative = np.cumsum(others)
        return float(others[np.searchsorted(cumulative, 0.5 * cumulative[-1])])

    @property
    def skewness(self) -> float:
        """Third standardised moment."""
        scaled = self.values / np.abs(self.values).max()
        deviations = scaled - self.fractions @ scaled
        variance = float(self.fractions @ deviations**2)
        return float((self.fractions @ deviations**3) / variance**1.5)

    def quantile(self, probability: float) -> float:
        """Return the smallest value that at least this fraction of the weight does not exceed."""
        position = np.searchsorted(self._cumulative_fractions, probability * (1.0 - 1e-12))
        return float(self.values[min(int(position), self.n_distinct - 1)])

    @cached_property
    def _cumulative_fractions(self) -> N:
        return np.asarray(np.cumsum(self.fractions))

    @cached_property
    def _normal_scores(self) -> N:
        """Quantiles (m,) of the standard normal distribution at the middle of each value's weight."""
        return np.asarray(ndtri(self._cumulative_fractions - 0.5 * self.fractions))

    def non_normality(self, transformed_values: Array | None = None) -> float:
        """Return one minus the squared correlation of the values with normal scores (Shapiro & Francia, JASA 67, 1972).

        0 is a straight line in a normal probability plot. ``transformed_values`` (m,), ascending, replace the values.
        """
        values = self.values if transformed_values is None else transformed_values
        largest = np.abs(values).max()
        deviations = values / largest if largest > 0 else values
        deviations = deviations - self.fractions @ deviations
        scores, fractions = self._normal_scores, self.fractions
        total = (fractions @ (deviations * deviations)) * (fractions @ (scores * scores))
        return 1.0 if total <= 0.0 else float(1.0 - (fractions @ (deviations * scores)) ** 2 / total)


def copy_columns(rows: AnyArray) -> Array:
    """Return the columns of rows (n, D) as doubles (D, n), with zeros instead of minus zeros."""
    columns = np.array(rows.T, dtype=np.float64, order="C")
    columns += 0.0
    return columns


def merge_equal_values(values: N, weights: N | None) -> SortedColumn:
    """Return the distinct values of an ascending array (n,) with the total weight of each."""
    first = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    if weights is not None:
        return SortedColumn(values[first], np.add.reduceat(weights, first))
    return SortedColumn(values[first], np.diff(np.append(first, len(values))).astype(np.float64))
