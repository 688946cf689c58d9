"""The socket for k-means runs: a fast path of k-means that some engines offer."""

from abc import ABC, abstractmethod

from gaussmix.core.batch import Batch
from gaussmix.core.kmeans_run import LloydRunInput, LloydRunResult, NearestCenters
from gaussmix.types import KD, ND, NK, Array, IntK, N


class AbstractKMeansRunner(ABC):
    """Draws seeds by k-means++, runs Lloyd's algorithm over rows in memory, and measures distances; one call each."""

    @abstractmethod
    def draw_seeds(self, rows: ND, row_weights: N, uniforms: Array, n_trials: int) -> IntK | None:
        """Return the positions (K,) of seeds among rows (n, D), by greedy k-means++; None if it cannot run.

        Parameters
        ----------
        rows : ndarray of shape (n, D)
            Rows in working coordinates. Nobody may change them.
        row_weights : ndarray of shape (n,)
        uniforms : ndarray of shape (1 + (K - 1) * n_trials,)
            Random numbers in [0, 1): one for the first seed, and one for each candidate of each other seed.
        n_trials : int
            Number of candidates of a seed, of which the best is kept.
        """

    @abstractmethod
    def run_lloyd(self, run_input: LloydRunInput) -> LloydRunResult | None:
        """Return the centers after the last complete iteration; None if the runner cannot run at all."""

    @abstractmethod
    def find_nearest_centers(self, batch: Batch, centers: KD, out: NearestCenters) -> bool:
        """Write the nearest of the centers (K, D) for each row of a batch to ``out``; return whether that was possible.

        ``out`` are contiguous arrays of one number for each row. If a distance overflows, it is infinite.
        """

    @abstractmethod
    def measure_distances(self, batch: Batch, centers: KD, out: NK) -> bool:
        """Write the distances of the rows of a batch to centers (K, D) to ``out``; return whether that was possible.

        ``out`` (n, K) is contiguous. A distance whose square overflows is infinite.
        """


class SupportsKMeansRuns(ABC):
    """An engine that offers k-means runs."""

    @property
    @abstractmethod
    def kmeans_runner(self) -> AbstractKMeansRunner:
        """The object that runs k-means for this engine."""
