"""The leading eigenvectors of a scatter in units of some noise: exact where that is cheap, else better than before."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.types import DQ, KD, KDD, Array, D, K

_MAX_COLUMNS_FOR_EXACT = 64
"""Columns up to which all eigenvectors are computed at every turn."""


@dataclass(frozen=True)
class GroupScatter:
    """Sums of squares W (G, D, D) of groups, one per component or one for all, and their masses m (G,); S = W / m."""

    mass: K
    scatter_matrices: KDD

    @classmethod
    def from_moments(cls, moments: Moments) -> "GroupScatter":
        """From full moments, or from pooled ones as one group."""
        if moments.kind is MomentKind.POOLED_FULL:
            return cls(np.array([moments.mass.sum()]), moments.scatter[None])
        return cls(moments.mass, moments.scatter)

    @cached_property
    def _positive_mass(self) -> K:
        return np.asarray(np.where(self.mass > 0, self.mass, 1.0))

    @cached_property
    def variances(self) -> KD:
        """The diagonal of each S."""
        return np.asarray(np.maximum(np.einsum("gii->gi", self.scatter_matrices), 0.0) / self._positive_mass[:, None])

    def multiply_covariance(self, group: int, columns: Array) -> Array:
        """S columns, of one group."""
        return np.asarray(self.scatter_matrices[group] @ columns / self._positive_mass[group])

    def scaled_covariance(self, group: int, scales: D) -> Array:
        """diag(scales) S diag(scales), of one group."""
        return np.asarray(self.scatter_matrices[group] * (scales[:, None] * (scales / self._positive_mass[group])))


@dataclass(frozen=True)
class LeadingEigenpairs:
    """Eigenvalues (q,), falling, and orthonormal vectors (D, q) of Psi^-1/2 S Psi^-1/2, and its products with these.

    Where they are not exact, they are those of the matrix seen from a subspace: all that is said of loadings and noise
    made of them holds of the subspace.
    """

    eigenvalues: Array
    eigenvectors: DQ
    products: DQ
    is_exact: bool

    def optimal_loadings(self, noise_deviation: D) -> DQ:
        """The best loadings for noise of this standard deviation: U (L - 1)^1/2 in its units."""
        return np.asarray(
            noise_deviation[:, None] * self.eigenvectors * np.sqrt(np.maximum(self.eigenvalues - 1.0, 0.0))
        )

    def cross_products(self, noise_deviation: D) -> DQ:
        """S Sigma^-1 Lambda for these loadings: the products with U (L - 1)^1/2 / L."""
        over = np.maximum(self.eigenvalues, 1.0)
        return np.asarray(noise_deviation[:, None] * self.products * (np.sqrt(over - 1.0) / over))


def compute_leading_eigenpairs(
    scatter: GroupScatter, group: int, inverse_deviations: D, initial_loadings: DQ | None, n_factors: int
) -> LeadingEigenpairs:
    """The ``count`` leading eigenvectors of a group's S, with rows and columns scaled by ``inverse``.

    With many columns, and loadings to begin with, they are sought in the space of these, and of their products with
    the matrix: a step of subspace iteration (Rutishauser, Numerische Mathematik 13, 1969) that keeps where it began,
    so that no eigenvalue can fall.
    """
    n_features = len(inverse_deviations)
    if initial_loadings is None or n_features <= _MAX_COLUMNS_FOR_EXACT or 2 * n_factors >= n_features:
        values, vectors = linalg.largest_eigenpairs(scatter.scaled_covariance(group, inverse_deviations), n_factors)
        return LeadingEigenpairs(values, vectors, vectors * values, True)
    unit = inverse_deviations[:, None]
    plain = initial_loadings * unit
    basis = linalg.orthonormal_basis(
        np.concatenate([plain, unit * scatter.multiply_covariance(group, unit * plain)], axis=1)
    )
    pushed = unit * scatter.multiply_covariance(group, unit * basis)
    values, inner = linalg.largest_eigenpairs(basis.T @ pushed, n_factors)
    return LeadingEigenpairs(values, basis @ inner, pushed @ inner, False)
