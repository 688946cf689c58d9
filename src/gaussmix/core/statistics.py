"""``Statistics``: all a model ever sees of the data, as one value that adds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.types import KD, KDD, Array, IntN, K


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

    def take(self, components: IntN) -> "Statistics":
        """Return the statistics of some components; the moments must be of a kind per component."""
        return self._map(lambda moments: moments.select_components(components), lambda table: table[components])

    def permute(self, order: IntN) -> "Statistics":
        """Return the same statistics with all components in another order."""
        return self._map(lambda moments: moments.permute_components(order), lambda table: table[order])

    def scale(self, factor: float) -> "Statistics":
        """Return the statistics of the same rows, each counted ``factor`` times."""
        return self._map(lambda moments: moments.scale(factor), lambda table: table * factor)

    def interpolate(self, other: "Statistics", fraction: float) -> "Statistics":
        """Return (1 - fraction) times these sums plus fraction times the others; mass must be left everywhere."""
        mixed = (
            (1.0 - fraction) * ours + fraction * theirs for ours, theirs in zip(self.counts, other.counts, strict=True)
        )
        return Statistics(self.moments.interpolate(other.moments, fraction), tuple(mixed))

    def to_kind(self, kind: MomentKind) -> "Statistics":
        """Return the statistics with moments of a coarser kind."""
        return Statistics(self.moments.to_kind(kind), self.counts)

    def recenter(self, mean: KD) -> "Statistics":
        """Return the statistics with scatter about given means (K, D) instead of the components' own."""
        return Statistics(self.moments.recenter(mean), self.counts)

    def split(self, deviation: KD) -> tuple["Statistics", "Statistics"]:
        """Return two halves of every component, cut at the mean across an axis with this deviation (K, D).

        The counts of categories halve.
        """
        halves = self.moments.split_at_means(deviation)
        counts = tuple(0.5 * table for table in self.counts)
        return Statistics(halves[0], counts), Statistics(halves[1], counts)

    def lift(self, matrix: KDD, offset: KD, covariance: KDD) -> "Statistics":
        """Return the statistics of ``matrix_k @ x + offset_k`` plus independent noise of ``covariance_k``.

        Statistics of rows with missing cells become expected statistics of all columns in this way (Ghahramani &
        Jordan, "Supervised learning from incomplete data via an EM approach", NIPS 6, 1994). The moments must be full.

        Parameters
        ----------
        matrix : ndarray of shape (K, D, d)
            Predicts all D columns from the d observed ones.
        offset : ndarray of shape (K, D)
            Intercepts of the prediction.
        covariance : ndarray of shape (K, D, D)
            Conditional covariance of all columns given the observed ones.
        """
        moments = self.moments
        mean = np.einsum("kij,kj->ki", matrix, moments.mean) + offset
        scatter = matrix @ moments.scatter @ np.swapaxes(matrix, 1, 2) + moments.mass[:, None, None] * covariance
        return Statistics(Moments(moments.mass, mean, scatter, MomentKind.FULL), self.counts)

    def _map(self, moments: Callable[[Moments], Moments], table: Callable[[Array], Array]) -> "Statistics":
        return Statistics(moments(self.moments), tuple(map(table, self.counts)))


def count_levels(codes: IntN, responsibilities: Array, n_levels: int) -> Array:
    """Return the total responsibility of each component for each level, (K, n_levels).

    ``codes`` (n,) are levels from 0, -1 where missing; ``responsibilities`` are (n, K), weights included.
    """
    present = codes >= 0
    counts = np.zeros((n_levels, responsibilities.shape[1]))
    np.add.at(counts, codes[present], responsibilities[present])
    return counts.T
