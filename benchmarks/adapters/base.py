"""The socket for peers. Nothing here or in an adapter's module may import the peer: only making one does."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from benchmarks.data import STRUCTURES

Array = np.ndarray
Parameters = tuple[Array, Array, Array]


def unit(structure: str, K: int, d: int) -> Array:
    """Unit covariances, which are their own inverses, in scikit-learn's shape for the structure."""
    matrices = {
        "full": np.repeat(np.eye(d)[None], K, axis=0),
        "tied": np.eye(d),
        "diag": np.ones((K, d)),
        "spherical": np.ones(K),
    }
    return matrices[structure]


class Peer(ABC):
    """A library on given rows: fits from given means, unit covariances and equal weights.

    Making one imports the library and brings the rows into the form it wants; neither is timed. A ridge on
    the covariances is switched off where the arithmetic is float64, so that all maximise the same likelihood.
    """

    name: ClassVar[str]
    distributions: ClassVar[tuple[str, ...]]
    """The packages whose versions stand in the table."""
    structures: ClassVar[tuple[str, ...]] = STRUCTURES
    """The structures that it offers."""
    takes_start: ClassVar[bool] = True
    """Whether it can be started from given parameters; if not, its likelihood cannot be compared."""

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        self.rows, self.means, self.structure = rows, means, structure
        self.K, self.d = means.shape
        self.weights = np.full(self.K, 1.0 / self.K)
        self.covariances = unit(structure, self.K, self.d)

    @abstractmethod
    def fit(self, passes: int) -> Any:
        """A fit of exactly so many passes of EM from the start: the only call that is timed."""

    @abstractmethod
    def parameters(self, fitted: Any) -> Parameters:
        """Weights, means and covariances, the latter in scikit-learn's shape, of what `fit` returned."""
