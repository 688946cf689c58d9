"""``Expectation``: what one E-step over some rows comes to."""

from dataclasses import dataclass, replace

from gaussmix.core.moments import Moments
from gaussmix.core.statistics import Statistics
from gaussmix.types import IntK


@dataclass(frozen=True, slots=True)
class Expectation:
    """Statistics, log-likelihood and entropy of the responsibilities over some rows; expectations add.

    Attributes
    ----------
    statistics : Statistics
        Moments and counts, weighted by responsibilities.
    log_likelihood : float
        Weighted sum over rows of ``log sum_k exp(score)``, in the frame's units.
    entropy : float
        Weighted sum over rows of ``-sum_k r log r``, in nats.
    total_log_max_responsibility : float
        Weighted sum over rows of the log of the largest responsibility, at most 0; used by ICL.
    n_rows : int
        Number of rows, those of weight zero included.
    n_distances : int
        Number of pairs of row and component whose distance was computed: an engine may skip pairs that cannot matter.
    """

    statistics: Statistics
    log_likelihood: float
    entropy: float
    total_log_max_responsibility: float
    n_rows: int
    n_distances: int = 0

    @property
    def moments(self) -> Moments:
        """The moments of the statistics."""
        return self.statistics.moments

    @property
    def total_weight(self) -> float:
        """Sum of the row weights: what n means in a criterion."""
        return float(self.statistics.mass.sum())

    @property
    def fraction_of_distances_computed(self) -> float:
        """Fraction of all pairs of row and component whose distance was computed."""
        return self.n_distances / max(1, self.n_rows * len(self.statistics.mass))

    def with_moments(self, moments: Moments) -> "Expectation":
        """Return the expectation with other moments, and the same counts of categories."""
        return replace(self, statistics=replace(self.statistics, moments=moments))

    def permute_components(self, order: IntK) -> "Expectation":
        """Return the same expectation with all components in another order."""
        return replace(self, statistics=self.statistics.permute_components(order))

    def __add__(self, other: "Expectation") -> "Expectation":
        return Expectation(
            self.statistics + other.statistics,
            self.log_likelihood + other.log_likelihood,
            self.entropy + other.entropy,
            self.total_log_max_responsibility + other.total_log_max_responsibility,
            self.n_rows + other.n_rows,
            self.n_distances + other.n_distances,
        )
