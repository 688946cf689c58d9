"""Ways to hold the square root of a precision matrix: dense, shared, diagonal, spherical, low rank.

A root R of component k satisfies R R^T = inverse covariance, so the squared Mahalanobis distance
of a row x is ``||R^T (x - center)||^2``. Engines choose their arithmetic by the type of the root;
``whiten`` is the definition every one of them must reproduce. A root of full matrices may carry the
square root F of the covariance itself, with F F^T = covariance, for bounds on distances.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from gaussmix.core.linalg import marginal_precision_roots, precision_condition_numbers
from gaussmix.types import DD, KD, KDD, KDQ, KQ, ND, Array, IntD, K


class AbstractPrecisionRoot(ABC):
    """Precision roots of all components of a mixture."""

    @abstractmethod
    def whiten(self, differences: ND, component: int) -> ND:
        """``differences @ R_k``: rows x - center_k (n, D) in units in which component k is round."""

    @abstractmethod
    def append_zero_root(self, n_components: int) -> "AbstractPrecisionRoot":
        """The roots of K components and one of zeros after them, to which every row is equally near."""

    @abstractmethod
    def scale(self, factor: float) -> "AbstractPrecisionRoot":
        """The same roots times a number above zero."""

    @abstractmethod
    def to_dense(self, n_components: int, n_features: int) -> KDD:
        """The same roots as (K, D, D) matrices."""

    @abstractmethod
    def marginal(self, columns: IntD) -> "AbstractPrecisionRoot":
        """Return the precision roots of the covariances of some columns, by position."""

    @abstractmethod
    def condition_numbers(self, n_components: int) -> K:
        """Ratio of the largest to the smallest eigenvalue of each covariance, (K,)."""


@dataclass(frozen=True)
class DensePrecisionRoot(AbstractPrecisionRoot):
    """One D x D matrix per component; ``factors`` are those of the covariances, R_k = F_k^-T."""

    root_matrices: KDD
    covariance_factors: KDD | None = None

    def whiten(self, differences: ND, component: int) -> ND:
        return np.asarray(differences @ self.root_matrices[component])

    def append_zero_root(self, n_components: int) -> "DensePrecisionRoot":
        return DensePrecisionRoot(np.concatenate([self.root_matrices, np.zeros((1, *self.root_matrices.shape[1:]))]))

    def scale(self, factor: float) -> "DensePrecisionRoot":
        return DensePrecisionRoot(
            self.root_matrices * factor, None if self.covariance_factors is None else self.covariance_factors / factor
        )

    def to_dense(self, n_components: int, n_features: int) -> KDD:
        return self.root_matrices

    def marginal(self, columns: IntD) -> "DensePrecisionRoot":
        return DensePrecisionRoot(marginal_precision_roots(self.root_matrices, columns))

    def condition_numbers(self, n_components: int) -> K:
        return precision_condition_numbers(self.root_matrices)


@dataclass(frozen=True)
class SharedPrecisionRoot(AbstractPrecisionRoot):
    """One D x D matrix for all components; ``factor`` is that of the covariance, R = F^-T."""

    root_matrix: DD
    covariance_factor: DD | None = None

    def whiten(self, differences: ND, component: int) -> ND:
        return np.asarray(differences @ self.root_matrix)

    def append_zero_root(self, n_components: int) -> DensePrecisionRoot:
        return DensePrecisionRoot(np.repeat(self.root_matrix[None], n_components, axis=0)).append_zero_root(
            n_components
        )

    def scale(self, factor: float) -> "SharedPrecisionRoot":
        return SharedPrecisionRoot(
            self.root_matrix * factor, None if self.covariance_factor is None else self.covariance_factor / factor
        )

    def to_dense(self, n_components: int, n_features: int) -> KDD:
        return np.broadcast_to(self.root_matrix, (n_components, n_features, n_features))

    def marginal(self, columns: IntD) -> "SharedPrecisionRoot":
        return SharedPrecisionRoot(marginal_precision_roots(self.root_matrix[None], columns)[0])

    def condition_numbers(self, n_components: int) -> K:
        return np.full(n_components, precision_condition_numbers(self.root_matrix[None])[0])


@dataclass(frozen=True)
class DiagonalPrecisionRoot(AbstractPrecisionRoot):
    """One inverse standard deviation per component and column."""

    inverse_deviations: KD

    def whiten(self, differences: ND, component: int) -> ND:
        return np.asarray(differences * self.inverse_deviations[component])

    def append_zero_root(self, n_components: int) -> "DiagonalPrecisionRoot":
        return DiagonalPrecisionRoot(
            np.concatenate([self.inverse_deviations, np.zeros((1, self.inverse_deviations.shape[1]))])
        )

    def scale(self, factor: float) -> "DiagonalPrecisionRoot":
        return DiagonalPrecisionRoot(self.inverse_deviations * factor)

    def to_dense(self, n_components: int, n_features: int) -> KDD:
        return np.asarray(self.inverse_deviations[:, :, None] * np.eye(n_features))

    def marginal(self, columns: IntD) -> "DiagonalPrecisionRoot":
        return DiagonalPrecisionRoot(self.inverse_deviations[:, columns])

    def condition_numbers(self, n_components: int) -> K:
        return np.asarray((self.inverse_deviations.max(axis=1) / self.inverse_deviations.min(axis=1)) ** 2)


@dataclass(frozen=True)
class SphericalPrecisionRoot(AbstractPrecisionRoot):
    """One inverse standard deviation per component."""

    inverse_deviations: K

    def whiten(self, differences: ND, component: int) -> ND:
        return np.asarray(differences * self.inverse_deviations[component])

    def append_zero_root(self, n_components: int) -> "SphericalPrecisionRoot":
        return SphericalPrecisionRoot(np.append(self.inverse_deviations, 0.0))

    def scale(self, factor: float) -> "SphericalPrecisionRoot":
        return SphericalPrecisionRoot(self.inverse_deviations * factor)

    def to_dense(self, n_components: int, n_features: int) -> KDD:
        return np.asarray(self.inverse_deviations[:, None, None] * np.eye(n_features))

    def marginal(self, columns: IntD) -> "SphericalPrecisionRoot":
        return self

    def condition_numbers(self, n_components: int) -> K:
        return np.ones(n_components)


@dataclass(frozen=True)
class LowRankPrecisionRoot(AbstractPrecisionRoot):
    """Roots of precisions whose covariances are noise along the columns plus a part of rank q: no D x D matrix.

    ``scales`` (K, D) are the inverse standard deviations of the noise, ``axes`` (K, D, q) orthonormal directions in
    units of the noise, and ``stretches`` (K, q) the standard deviations along them, at least 1, in the same units:
    covariance = N (I + U (diag(stretches^2) - I) U^T) N with N = diag(1 / scales). A row is divided by the noise, and
    what then lies along the axes by their stretches; no difference of two large distances is ever formed.
    """

    inverse_noise_deviations: KD
    axes: KDQ
    axis_deviations: KQ

    def whiten(self, differences: ND, component: int) -> ND:
        plain = differences * self.inverse_noise_deviations[component]
        axes = self.axes[component]
        return np.asarray(plain - ((plain @ axes) * self.whitening_fractions[component]) @ axes.T)

    def append_zero_root(self, n_components: int) -> "LowRankPrecisionRoot":
        """Without scale nothing is left to shrink."""

        def longer(parts: Array) -> Array:
            return np.concatenate([parts, np.zeros((1, *parts.shape[1:]))])

        return LowRankPrecisionRoot(
            longer(self.inverse_noise_deviations), longer(self.axes), longer(self.axis_deviations - 1.0) + 1.0
        )

    def scale(self, factor: float) -> "LowRankPrecisionRoot":
        return LowRankPrecisionRoot(self.inverse_noise_deviations * factor, self.axes, self.axis_deviations)

    def to_dense(self, n_components: int, n_features: int) -> KDD:
        inner = np.eye(n_features) - (self.axes * self.whitening_fractions[:, None, :]) @ np.swapaxes(self.axes, 1, 2)
        return np.asarray(self.inverse_noise_deviations[:, :, None] * inner)

    def marginal(self, columns: IntD) -> DensePrecisionRoot:
        n_components, n_features = self.inverse_noise_deviations.shape
        return DensePrecisionRoot(marginal_precision_roots(self.to_dense(n_components, n_features), columns))

    def condition_numbers(self, n_components: int) -> K:
        return precision_condition_numbers(self.to_dense(n_components, self.inverse_noise_deviations.shape[1]))

    @property
    def whitening_fractions(self) -> KQ:
        """1 - 1 / stretches: the share of a row's part along each axis that whitening takes away."""
        return np.asarray((self.axis_deviations - 1.0) / self.axis_deviations)
