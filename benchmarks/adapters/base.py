"""The socket for peers. Nothing here or in an adapter's module may import the peer: only making one does."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from benchmarks.data import STRUCTURES

Array = np.ndarray
Parameters = tuple[Array, Array, Array]


def unit_covariances(structure: str, n_components: int, n_features: int) -> Array:
    """Unit covariances, which are their own inverses, in scikit-learn's shape for the structure."""
    matrices = {
        "full": np.repeat(np.eye(n_features)[None], n_components, axis=0),
        "tied": np.eye(n_features),
        "diag": np.ones((n_components, n_features)),
        "spherical": np.ones(n_components),
    }
    return matrices[structure]


class Peer(ABC):
    """A library on given rows: fits from given means, unit covariances and equal weights.

    Making one imports the library and brings the rows into the form it wants; neither is timed. A ridge on
    the covariances is switched off where the arithmetic is float64, so that all maximise the same likelihood.
    """

    name: ClassVar[str]
    package_names: ClassVar[tuple[str, ...]]
    """The packages whose versions stand in the table."""
    supported_structures: ClassVar[tuple[str, ...]] = STRUCTURES
    """The structures that it offers."""
    can_start_from_parameters: ClassVar[bool] = True
    """Whether it can be started from given parameters; if not, its likelihood cannot be compared."""

    def __init__(self, rows: Array, initial_means: Array, structure: str) -> None:
        self.rows, self.initial_means, self.structure = rows, initial_means, structure
        self.n_components, self.n_features = initial_means.shape
        self.initial_weights = np.full(self.n_components, 1.0 / self.n_components)
        self.initial_covariances = unit_covariances(structure, self.n_components, self.n_features)

    @abstractmethod
    def fit(self, n_iter: int) -> Any:
        """A fit of exactly so many passes of EM from the start: the only call that is timed."""

    @abstractmethod
    def extract_parameters(self, fitted_model: Any) -> Parameters:
        """Weights, means and covariances, the latter in scikit-learn's shape, of what `fit` returned."""
