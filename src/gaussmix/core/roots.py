"""Ways to hold the square root of a precision matrix: dense, shared, diagonal, spherical, low rank.

A root R of component k satisfies R R^T = inverse covariance, so the squared Mahalanobis distance
of a row x is ``||R^T (x - center)||^2``. Engines choose their arithmetic by the type of the root;
``whiten`` is the definition every one of them must reproduce. A root of full matrices may carry the
square root F of the covariance itself, with F F^T = covariance, for bounds on distances.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from gaussmix.core.linalg import condition
from gaussmix.types import DD, KD, KDD, KDQ, KQ, ND, Array, K


class AbstractRoot(ABC):
    """Precision roots of all components of a mixture."""

    @abstractmethod
    def whiten(self, differences: ND, component: int) -> ND:
        """``differences @ R_k``: rows x - center_k (n, D) in units in which component k is round."""

    @abstractmethod
    def with_flat(self, n_components: int) -> "AbstractRoot":
        """The roots of K components and one of zeros after them, to which every row is equally near."""

    @abstractmethod
    def scaled(self, factor: float) -> "AbstractRoot":
        """The same roots times a number above zero."""

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

    def scaled(self, factor: float) -> "DenseRoot":
        return DenseRoot(self.matrices * factor, None if self.factors is None else self.factors / factor)

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

    def scaled(self, factor: float) -> "SharedRoot":
        return SharedRoot(self.matrix * factor, None if self.factor is None else self.factor / factor)

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

    def scaled(self, factor: float) -> "DiagonalRoot":
        return DiagonalRoot(self.scales * factor)

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

    def scaled(self, factor: float) -> "SphericalRoot":
        return SphericalRoot(self.scales * factor)

    def dense(self, n_components: int, n_features: int) -> KDD:
        return np.asarray(self.scales[:, None, None] * np.eye(n_features))

    def conditions(self, n_components: int) -> K:
        return np.ones(n_components)


@dataclass(frozen=True)
class LowRankRoot(AbstractRoot):
    """Roots of precisions whose covariances are noise along the columns plus a part of rank q: no D x D matrix.

    ``scales`` (K, D) are the inverse standard deviations of the noise, ``axes`` (K, D, q) orthonormal directions in
    units of the noise, and ``stretches`` (K, q) the standard deviations along them, at least 1, in the same units:
    covariance = N (I + U (diag(stretches^2) - I) U^T) N with N = diag(1 / scales). A row is divided by the noise, and
    what then lies along the axes by their stretches; no difference of two large distances is ever formed.
    """

    scales: KD
    axes: KDQ
    stretches: KQ

    def whiten(self, differences: ND, component: int) -> ND:
        plain = differences * self.scales[component]
        axes = self.axes[component]
        return np.asarray(plain - ((plain @ axes) * self.shrinkage[component]) @ axes.T)

    def with_flat(self, n_components: int) -> "LowRankRoot":
        """Without scale nothing is left to shrink."""

        def longer(parts: Array) -> Array:
            return np.concatenate([parts, np.zeros((1, *parts.shape[1:]))])

        return LowRankRoot(longer(self.scales), longer(self.axes), longer(self.stretches - 1.0) + 1.0)

    def scaled(self, factor: float) -> "LowRankRoot":
        return LowRankRoot(self.scales * factor, self.axes, self.stretches)

    def dense(self, n_components: int, n_features: int) -> KDD:
        inner = np.eye(n_features) - (self.axes * self.shrinkage[:, None, :]) @ np.swapaxes(self.axes, 1, 2)
        return np.asarray(self.scales[:, :, None] * inner)

    def conditions(self, n_components: int) -> K:
        return condition(self.dense(n_components, self.scales.shape[1]))

    @property
    def shrinkage(self) -> KQ:
        """1 - 1 / stretches: the share of a row's part along each axis that whitening takes away."""
        return np.asarray((self.stretches - 1.0) / self.stretches)
