"""Ways to hold the square root of a precision matrix: dense, shared, diagonal, spherical.

A root R of component k satisfies R R^T = inverse covariance, so the squared Mahalanobis distance
of a row x is ``||R^T (x - center)||^2``. Engines choose their arithmetic by the type of the root;
``whiten`` is the definition every one of them must reproduce. A root of full matrices may carry the
square root F of the covariance itself, with F F^T = covariance, for bounds on distances.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from gaussmix.core.linalg import condition
from gaussmix.types import DD, KD, KDD, ND, K


class AbstractRoot(ABC):
    """Precision roots of all components of a mixture."""

    @abstractmethod
    def whiten(self, differences: ND, component: int) -> ND:
        """``differences @ R_k``: rows x - center_k (n, D) in units in which component k is round."""

    @abstractmethod
    def with_flat(self, n_components: int) -> "AbstractRoot":
        """The roots of K components and one of zeros after them, to which every row is equally near."""

    @abstractmethod
    def dense(self, n_components: int, n_features: int) -> KDD:
        """The same roots as (K, D, D) matrices."""

    @abstractmethod
    def conditions(self, n_components: int) -> K:
        """Ratio of the largest to the smallest eigenvalue of each covariance, (K,)."""


@dataclass(frozen=True)
class DenseRoot(AbstractRoot):
    """One D x D matrix per component; ``factors`` are those of the covariances, R_k = F_k^-T."""

    matrices: KDD
    factors: KDD | None = None

    def whiten(self, differences: ND, component: int) -> ND:
        return np.asarray(differences @ self.matrices[component])

    def with_flat(self, n_components: int) -> "DenseRoot":
        return DenseRoot(np.concatenate([self.matrices, np.zeros((1, *self.matrices.shape[1:]))]))

    def dense(self, n_components: int, n_features: int) -> KDD:
        return self.matrices

    def conditions(self, n_components: int) -> K:
        return condition(self.matrices)


@dataclass(frozen=True)
class SharedRoot(AbstractRoot):
    """One D x D matrix for all components; ``factor`` is that of the covariance, R = F^-T."""

    matrix: DD
    factor: DD | None = None

    def whiten(self, differences: ND, component: int) -> ND:
        return np.asarray(differences @ self.matrix)

    def with_flat(self, n_components: int) -> DenseRoot:
        return DenseRoot(np.repeat(self.matrix[None], n_components, axis=0)).with_flat(n_components)

    def dense(self, n_components: int, n_features: int) -> KDD:
        return np.broadcast_to(self.matrix, (n_components, n_features, n_features))

    def conditions(self, n_components: int) -> K:
        return np.full(n_components, condition(self.matrix[None])[0])


@dataclass(frozen=True)
class DiagonalRoot(AbstractRoot):
    """One inverse standard deviation per component and column."""

    scales: KD

    def whiten(self, differences: ND, component: int) -> ND:
        return np.asarray(differences * self.scales[component])

    def with_flat(self, n_components: int) -> "DiagonalRoot":
        return DiagonalRoot(np.concatenate([self.scales, np.zeros((1, self.scales.shape[1]))]))

    def dense(self, n_components: int, n_features: int) -> KDD:
        return np.asarray(self.scales[:, :, None] * np.eye(n_features))

    def conditions(self, n_components: int) -> K:
        return np.asarray((self.scales.max(axis=1) / self.scales.min(axis=1)) ** 2)


@dataclass(frozen=True)
class SphericalRoot(AbstractRoot):
    """One inverse standard deviation per component."""

    scales: K

    def whiten(self, differences: ND, component: int) -> ND:
        return np.asarray(differences * self.scales[component])

    def with_flat(self, n_components: int) -> "SphericalRoot":
        return SphericalRoot(np.append(self.scales, 0.0))

    def dense(self, n_components: int, n_features: int) -> KDD:
        return np.asarray(self.scales[:, None, None] * np.eye(n_features))

    def conditions(self, n_components: int) -> K:
        return np.ones(n_components)
