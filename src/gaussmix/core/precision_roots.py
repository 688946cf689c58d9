"""Square roots of precision matrices: dense, shared, diagonal, spherical, low rank.

A root R of component k satisfies R R^T = inverse covariance, so the squared Mahalanobis distance of a row x is
``||R^T (x - center)||^2``. Engines choose their arithmetic by the class of the root. Each must reproduce ``whiten``,
the definition. A root of full matrices may carry the factor F of the covariance, F F^T = covariance, for bounds on
distances.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from gaussmix.core.linalg import marginal_precision_roots, precision_condition_numbers
from gaussmix.types import DD, KD, KDD, KDQ, KQ, ND, AnyArray, Array, IntD, K


class AbstractPrecisionRoot(ABC):
    """Precision roots of all components of a mixture."""

    @abstractmethod
    def whiten(self, differences: ND, component: int) -> ND:
        """Return ``differences @ R_k``: rows x - center_k (n, D) in units in which component k is round."""

    def whiten_each(self, differences: KD) -> KD:
        """Return R_k^T d_k for one difference per component, (K, D)."""
        return np.concatenate([self.whiten(differences[k : k + 1], k) for k in range(len(differences))])

    @abstractmethod
    def append_one_zero_root(self, n_components_before: int) -> "AbstractPrecisionRoot":
        """Return the roots of the components, then one root of zeros, for which every row has distance zero."""

    @abstractmethod
    def scale(self, factor: float) -> "AbstractPrecisionRoot":
        """Return the roots times a positive factor, which divides covariances by its square."""

    @abstractmethod
    def to_dense(self, n_components: int, n_features: int) -> KDD:
        """Return the roots of the precision matrices as dense matrices, (K, D, D)."""

    @abstractmethod
    def marginal(self, columns: IntD) -> "AbstractPrecisionRoot":
        """Return the precision roots of the covariances of some columns (positions), which are the marginals."""

    @abstractmethod
    def covariance_condition_numbers(self, n_components: int) -> K:
        """Return the ratio of the largest to the smallest eigenvalue of each covariance, (K,)."""


@dataclass(frozen=True)
class DensePrecisionRoot(AbstractPrecisionRoot):
    """One D x D matrix per component; ``covariance_factors`` are F_k with R_k = F_k^-T, if known."""

    root_matrices: KDD
    covariance_factors: KDD | None = None

    @cached_property
    def is_upper_triangular(self) -> bool:
        """Whether all entries below the diagonals are zero."""
        roots, n_features = self.root_matrices, self.root_matrices.shape[1]
        for begin in range(0, n_features, _ROWS_PER_TRIANGLE_CHECK):
            block = roots[:, begin : begin + _ROWS_PER_TRIANGLE_CHECK]
            square = block[:, :, begin : begin + _ROWS_PER_TRIANGLE_CHECK]
            if np.logical_and(square, _mask_below_diagonal(square.shape[1])).any() or block[:, :, :begin].any():
                return False
        return True

    def whiten(self, differences: ND, component: int) -> ND:
        """Return ``differences @ R_k`` for component k, (n, D)."""
        return np.asarray(differences @ self.root_matrices[component])

    def append_one_zero_root(self, n_components_before: int) -> "DensePrecisionRoot":
        """Return the roots of the components, then one root of zeros, for which every row has distance zero."""
        return DensePrecisionRoot(np.concatenate([self.root_matrices, np.zeros((1, *self.root_matrices.shape[1:]))]))

    def scale(self, factor: float) -> "DensePrecisionRoot":
        """Return the roots times a positive factor, which divides covariances by its square."""
        return DensePrecisionRoot(
            self.root_matrices * factor, None if self.covariance_factors is None else self.covariance_factors / factor
        )

    def to_dense(self, n_components: int, n_features: int) -> KDD:
        """Return the roots of the precision matrices as dense matrices, (K, D, D)."""
        return self.root_matrices

    def marginal(self, columns: IntD) -> "DensePrecisionRoot":
        """Return the precision roots of the covariances of some columns, as dense d x d matrices."""
        return DensePrecisionRoot(marginal_precision_roots(self.root_matrices, columns))

    def covariance_condition_numbers(self, n_components: int) -> K:
        """Return the condition number of each covariance, (K,)."""
        return precision_condition_numbers(self.root_matrices)


@dataclass(frozen=True)
class SharedPrecisionRoot(AbstractPrecisionRoot):
    """One D x D matrix for all components; ``covariance_factor`` is F with R = F^-T, if known."""

    root_matrix: DD
    covariance_factor: DD | None = None

    def whiten(self, differences: ND, component: int) -> ND:
        """Return ``differences @ R_k`` for component k, (n, D)."""
        return np.asarray(differences @ self.root_matrix)

    def append_one_zero_root(self, n_components_before: int) -> DensePrecisionRoot:
        """Return the roots of the components, then one root of zeros, for which every row has distance zero."""
        return DensePrecisionRoot(np.repeat(self.root_matrix[None], n_components_before, axis=0)).append_one_zero_root(
            n_components_before
        )

    def scale(self, factor: float) -> "SharedPrecisionRoot":
        """Return the roots times a positive factor, which divides covariances by its square."""
        return SharedPrecisionRoot(
            self.root_matrix * factor, None if self.covariance_factor is None else self.covariance_factor / factor
        )

    def to_dense(self, n_components: int, n_features: int) -> KDD:
        """Return the roots of the precision matrices as dense matrices, (K, D, D)."""
        return np.broadcast_to(self.root_matrix, (n_components, n_features, n_features))

    def marginal(self, columns: IntD) -> "SharedPrecisionRoot":
        """Return the shared precision root of the covariance of some columns, a d x d matrix."""
        return SharedPrecisionRoot(marginal_precision_roots(self.root_matrix[None], columns)[0])

    def covariance_condition_numbers(self, n_components: int) -> K:
        """Return the condition number of each covariance, (K,)."""
        return np.full(n_components, precision_condition_numbers(self.root_matrix[None])[0])


@dataclass(frozen=True)
class DiagonalPrecisionRoot(AbstractPrecisionRoot):
    """One inverse standard deviation per component and column."""

    inverse_deviations: KD

    def whiten(self, differences: ND, component: int) -> ND:
        """Return ``differences @ R_k`` for component k, (n, D)."""
        return np.asarray(differences * self.inverse_deviations[component])

    def whiten_each(self, differences: KD) -> KD:
        """Return R_k^T d_k for one difference per component, (K, D)."""
        return differences * self.inverse_deviations

    def append_one_zero_root(self, n_components_before: int) -> "DiagonalPrecisionRoot":
        """Return the roots of the components, then one root of zeros, for which every row has distance zero."""
        return DiagonalPrecisionRoot(
            np.concatenate([self.inverse_deviations, np.zeros((1, self.inverse_deviations.shape[1]))])
        )

    def scale(self, factor: float) -> "DiagonalPrecisionRoot":
        """Return the roots times a positive factor, which divides covariances by its square."""
        return DiagonalPrecisionRoot(self.inverse_deviations * factor)

    def to_dense(self, n_components: int, n_features: int) -> KDD:
        """Return the roots of the precision matrices as dense matrices, (K, D, D)."""
        return np.asarray(self.inverse_deviations[:, :, None] * np.eye(n_features))

    def marginal(self, columns: IntD) -> "DiagonalPrecisionRoot":
        """Return the inverse standard deviations of some columns."""
        return DiagonalPrecisionRoot(self.inverse_deviations[:, columns])

    def covariance_condition_numbers(self, n_components: int) -> K:
        """Return the condition number of each covariance, (K,)."""
        return np.asarray((self.inverse_deviations.max(axis=1) / self.inverse_deviations.min(axis=1)) ** 2)


@dataclass(frozen=True)
class SphericalPrecisionRoot(AbstractPrecisionRoot):
    """One inverse standard deviation per component."""

    inverse_deviations: K

    def whiten(self, differences: ND, component: int) -> ND:
        """Return ``differences @ R_k`` for component k, (n, D)."""
        return np.asarray(differences * self.inverse_deviations[component])

    def whiten_each(self, differences: KD) -> KD:
        """Return R_k^T d_k for one difference per component, (K, D)."""
        return differences * self.inverse_deviations[:, None]

    def append_one_zero_root(self, n_components_before: int) -> "SphericalPrecisionRoot":
        """Return the roots of the components, then one root of zeros, for which every row has distance zero."""
        return SphericalPrecisionRoot(np.append(self.inverse_deviations, 0.0))

    def scale(self, factor: float) -> "SphericalPrecisionRoot":
        """Return the roots times a positive factor, which divides covariances by its square."""
        return SphericalPrecisionRoot(self.inverse_deviations * factor)

    def to_dense(self, n_components: int, n_features: int) -> KDD:
        """Return the roots of the precision matrices as dense matrices, (K, D, D)."""
        return np.asarray(self.inverse_deviations[:, None, None] * np.eye(n_features))

    def marginal(self, columns: IntD) -> "SphericalPrecisionRoot":
        """Return this root: it is the same for any columns."""
        return self

    def covariance_condition_numbers(self, n_components: int) -> K:
        """Return the condition number of each covariance, (K,)."""
        return np.ones(n_components)


@dataclass(frozen=True)
class LowRankPrecisionRoot(AbstractPrecisionRoot):
    """Roots of precisions of low-rank covariances plus noise variances, without D x D matrices.

    ``inverse_noise_deviations`` (K, D) are inverse standard deviations of the noise. ``axes`` (K, D, q) are orthonormal
    directions in units of the noise. ``axis_deviations`` (K, q) are the standard deviations along them, at least 1, in
    the same units: covariance = N (I + U (diag(axis_deviations^2) - I) U^T) N with N = diag(1 /
    inverse_noise_deviations). Whitening divides a row by the noise deviations, and then its part along the axes by
    ``axis_deviations``. It never takes the difference of two large distances.
    """

    inverse_noise_deviations: KD
    axes: KDQ
    axis_deviations: KQ

    def whiten(self, differences: ND, component: int) -> ND:
        """Return ``differences @ R_k`` for component k, (n, D)."""
        scaled = differences * self.inverse_noise_deviations[component]
        axes = self.axes[component]
        return np.asarray(scaled - ((scaled @ axes) * self.whitening_fractions[component]) @ axes.T)

    def append_one_zero_root(self, n_components_before: int) -> "LowRankPrecisionRoot":
        """Return the roots of the components, then one root of zeros, for which every row has distance zero."""

        def append_zeros(parts: Array) -> Array:
            return np.concatenate([parts, np.zeros((1, *parts.shape[1:]))])

        return LowRankPrecisionRoot(
            append_zeros(self.inverse_noise_deviations),
            append_zeros(self.axes),
            append_zeros(self.axis_deviations - 1.0) + 1.0,
        )

    def scale(self, factor: float) -> "LowRankPrecisionRoot":
        """Return the roots times a positive factor, which divides covariances by its square."""
        return LowRankPrecisionRoot(self.inverse_noise_deviations * factor, self.axes, self.axis_deviations)

    def to_dense(self, n_components: int, n_features: int) -> KDD:
        """Return the roots of the precision matrices as dense matrices, (K, D, D)."""
        inner = np.eye(n_features) - (self.axes * self.whitening_fractions[:, None, :]) @ np.swapaxes(self.axes, 1, 2)
        return np.asarray(self.inverse_noise_deviations[:, :, None] * inner)

    def marginal(self, columns: IntD) -> DensePrecisionRoot:
        """Return the precision roots of the covariances of some columns, as a `DensePrecisionRoot`."""
        n_components, n_features = self.inverse_noise_deviations.shape
        return DensePrecisionRoot(marginal_precision_roots(self.to_dense(n_components, n_features), columns))

    def covariance_condition_numbers(self, n_components: int) -> K:
        """Return the condition number of each covariance, (K,)."""
        return precision_condition_numbers(self.to_dense(n_components, self.inverse_noise_deviations.shape[1]))

    @property
    def whitening_fractions(self) -> KQ:
        """1 - 1 / axis_deviations: the fraction of a row along each axis that whitening removes."""
        return np.asarray((self.axis_deviations - 1.0) / self.axis_deviations)


# Rows of a matrix that are checked together for entries below the diagonal.
_ROWS_PER_TRIANGLE_CHECK = 64


@lru_cache(maxsize=_ROWS_PER_TRIANGLE_CHECK)
def _mask_below_diagonal(n_features: int) -> AnyArray:
    """Return which entries of a square matrix are below its diagonal."""
    return np.tri(n_features, k=-1, dtype=bool)
