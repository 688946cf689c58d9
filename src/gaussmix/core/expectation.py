"""``Expectation``: all a model ever sees of the data."""

from dataclasses import dataclass

from gaussmix.core.moments import Moments


@dataclass(frozen=True, slots=True)
class Expectation:
    """Moments, log-likelihood and entropy of the responsibilities over some rows; expectations add.

    ``log_likelihood`` is the weighted sum over rows of ``log sum_k exp(score)``, in the frame's
    units; ``entropy`` is the weighted sum of ``-sum_k r log r``, in nats. ``n_pairs`` counts the pairs of
    row and component whose distance was computed: an engine may skip those that cannot matter.
    """

    moments: Moments
    log_likelihood: float
    entropy: float
    n_rows: int
    n_distances: int = 0

    @property
    def total_weight(self) -> float:
        """Sum of the row weights: what n means in a criterion."""
        return float(self.moments.mass.sum())

    @property
    def fraction_computed(self) -> float:
        """The part of all pairs of row and component whose distance was computed."""
        return self.n_distances / max(1, self.n_rows * len(self.moments.mass))

    def __add__(self, other: "Expectation") -> "Expectation":
        return Expectation(
            self.moments + other.moments,
            self.log_likelihood + other.log_likelihood,
            self.entropy + other.entropy,
            self.n_rows + other.n_rows,
            self.n_distances + other.n_distances,
        )
