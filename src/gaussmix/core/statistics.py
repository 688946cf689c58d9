"""``Statistics``: all a model ever sees of the data, as one value that adds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.types import KD, KDD, Array, IntK, IntN, K


@dataclass(frozen=True, slots=True)
class Statistics:
    """Moments of the continuous columns and counts of the categories, weighted by responsibilities.

    Attributes
    ----------
    moments : Moments
        Mass, mean and scatter of each component.
    counts : tuple of ndarray of shape (K, n_levels)
        For each categorical column the total responsibility of each component for each level. Rows whose code is
        missing (-1) are not counted.
    """

    moments: Moments
    counts: tuple[Array, ...] = ()

    @property
    def mass(self) -> K:
        """Total responsibility of each component, (K,)."""
        return self.moments.mass

    def __add__(self, other: "Statistics") -> "Statistics":
        counts = tuple(a + b for a, b in zip(self.counts, other.counts, strict=True))
        return Statistics(self.moments + other.moments, counts)

    def select_components(self, components: IntK) -> "Statistics":
        """Return the statistics of some components; the moments must be of a kind per component."""
        return self._map(lambda moments: moments.select_components(components), lambda table: table[components])

    def permute_components(self, order: IntK) -> "Statistics":
        """Return the same statistics with all components in another order."""
        return self._map(lambda moments: moments.permute_components(order), lambda table: table[order])

    def scale_weights(self, factor: float) -> "Statistics":
        """Return the statistics of the same rows, each counted ``factor`` times."""
        return self._map(lambda moments: moments.scale_weights(factor), lambda table: table * factor)

    def interpolate(self, other: "Statistics", fraction: float) -> "Statistics":
        """Return the statistics of these rows, counted (1 - fraction) times, and of others, counted ``fraction`` times.

        Every mass must stay positive.
        """
        mixed = (
            (1.0 - fraction) * ours + fraction * theirs for ours, theirs in zip(self.counts, other.counts, strict=True)
        )
        return Statistics(self.moments.interpolate(other.moments, fraction), tuple(mixed))

    def to_kind(self, kind: MomentKind) -> "Statistics":
        """Return the statistics with moments of a coarser kind."""
        return Statistics(self.moments.to_kind(kind), self.counts)

    def with_scatter_about(self, mean: KD) -> "Statistics":
        """Return the statistics with ``mean`` (K, D) as means, and the scatter of the rows about them."""
        return Statistics(self.moments.with_scatter_about(mean), self.counts)

    def split_at_means(self, axis_deviation: KD) -> "StatisticsHalves":
        """Return the lower and upper half of every component, split at its mean across an axis.

        ``axis_deviation`` (K, D) is the axis times the standard deviation along it. The counts of categories halve.
        """
        halves = self.moments.split_at_means(axis_deviation)
        counts = tuple(0.5 * table for table in self.counts)
        return StatisticsHalves(Statistics(halves.lower, counts), Statistics(halves.upper, counts))

    def lift(self, matrix: KDD, offset: KD, noise_covariance: KDD) -> "Statistics":
        """Return the statistics of ``matrix_k @ x + offset_k`` plus independent noise of ``noise_covariance_k``.

        Statistics of rows with missing cells become expected statistics of all columns in this way (Ghahramani &
        Jordan, "Supervised learning from incomplete data via an EM approach", NIPS 6, 1994). The moments must be full.

        Parameters
        ----------
        matrix : ndarray of shape (K, D, d)
            Predicts all D columns from the d observed ones.
        offset : ndarray of shape (K, D)
            Intercepts of the prediction.
        noise_covariance : ndarray of shape (K, D, D)
            Conditional covariance of all columns given the observed ones.
        """
        moments = self.moments
        mean = np.einsum("kij,kj->ki", matrix, moments.mean) + offset
        scatter = matrix @ moments.scatter @ np.swapaxes(matrix, 1, 2) + moments.mass[:, None, None] * noise_covariance
        return Statistics(Moments(moments.mass, mean, scatter, MomentKind.FULL), self.counts)

    def _map(self, map_moments: Callable[[Moments], Moments], map_counts: Callable[[Array], Array]) -> "Statistics":
        """Return the statistics with one function applied to the moments, and another to each table of counts."""
        return Statistics(map_moments(self.moments), tuple(map(map_counts, self.counts)))


class StatisticsHalves(NamedTuple):
    """The statistics of the lower and the upper halves of all components, K components each."""

    lower: Statistics
    upper: Statistics


def count_levels(codes: IntN, responsibilities: Array, n_levels: int) -> Array:
    """Return the total responsibility of each component for each level, (K, n_levels).

    ``codes`` (n,) are levels from 0, -1 where missing; ``responsibilities`` are (n, K), weights included.
    """
    is_present = codes >= 0
    counts = np.zeros((n_levels, responsibilities.shape[1]))
    np.add.at(counts, codes[is_present], responsibilities[is_present])
    return counts.T
