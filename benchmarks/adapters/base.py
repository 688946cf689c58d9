"""Base class of peers. Adapter modules import a library only when a peer is created."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from benchmarks.data import STRUCTURES

Array = np.ndarray
Parameters = tuple[Array, Array, Array]


def unit_covariances(structure: str, n_components: int, n_features: int) -> Array:
    """Return unit covariances in scikit-learn's shape for the structure."""
    matrices = {
        "full": np.repeat(np.eye(n_features)[None], n_components, axis=0),
        "tied": np.eye(n_features),
        "diag": np.ones((n_components, n_features)),
        "spherical": np.ones(n_components),
    }
    return matrices[structure]


class Peer(ABC):
    """A library that fits some rows from given means, unit covariances and equal weights.

    The constructor imports the library and converts the rows, which is not timed. Regularisation of the covariances is
    off in float64, so that all peers maximise the same likelihood.
    """

    name: ClassVar[str]
    package_names: ClassVar[tuple[str, ...]]  # packages whose versions the report shows
    supported_structures: ClassVar[tuple[str, ...]] = STRUCTURES
    # If False, the peer has its own initialization, and its likelihood cannot be compared.
    can_start_from_parameters: ClassVar[bool] = True

    def __init__(self, rows: Array, initial_means: Array, structure: str) -> None:
        self.rows, self.initial_means, self.structure = rows, initial_means, structure
        self.n_components, self.n_features = initial_means.shape
        self.initial_weights = np.full(self.n_components, 1.0 / self.n_components)
        self.initial_covariances = unit_covariances(structure, self.n_components, self.n_features)

    @abstractmethod
    def fit(self, n_iter: int) -> Any:
        """Run exactly ``n_iter`` EM iterations from the initial parameters; only this call is timed."""

    @abstractmethod
    def extract_parameters(self, fitted_model: Any) -> Parameters:
        """Return weights, means and covariances, in scikit-learn's shape, of a model that `fit` returned."""
