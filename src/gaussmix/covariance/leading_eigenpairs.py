"""Leading eigenvectors of a covariance in units of the noise: exact for few columns, else by subspace iteration."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.types import DQ, KD, KDD, Array, D, K

_MAX_COLUMNS_FOR_EXACT = 64  # with more columns, subspace iteration replaces the full eigendecomposition


@dataclass(frozen=True)
class ScatterPerGroup:
    """Scatter matrices W (G, D, D) of groups of components and their masses m (G,); S = W / m.

    A group is one component, or all components together.
    """

    mass: K
    scatter_matrices: KDD

    @classmethod
    def from_moments(cls, moments: Moments) -> "ScatterPerGroup":
        """Make one group per component from full moments, or a single group from pooled moments."""
        if moments.kind is MomentKind.POOLED_FULL:
            return cls(np.array([moments.mass.sum()]), moments.scatter[None])
        return cls(moments.mass, moments.scatter)

    @cached_property
    def _positive_mass(self) -> K:
        """The masses (G,) with 1 in place of 0."""
        return np.asarray(np.where(self.mass > 0, self.mass, 1.0))

    @cached_property
    def variances(self) -> KD:
        """The variances of the columns in each group, the diagonal of S, (G, D)."""
        return np.asarray(np.maximum(np.einsum("gii->gi", self.scatter_matrices), 0.0) / self._positive_mass[:, None])

    def multiply_covariance(self, group: int, columns: Array) -> Array:
        """Return the covariance matrix S of one group times columns (D, m), (D, m)."""
        return np.asarray(self.scatter_matrices[group] @ columns / self._positive_mass[group])

    def scaled_covariance(self, group: int, scales: D) -> Array:
        """Return diag(scales) S diag(scales), (D, D), for the covariance matrix S of one group."""
        return np.asarray(self.scatter_matrices[group] * (scales[:, None] * (scales / self._positive_mass[group])))


@dataclass(frozen=True)
class LeadingEigenpairs:
    """Leading eigenvalues (q,), descending, and eigenvectors (D, q) of A = Psi^-1/2 S Psi^-1/2.

    ``products`` are A times the eigenvectors. If ``is_exact`` is false, the eigenpairs are those of A restricted to a
    subspace; loadings and noise variances made of them are optimal within it.
    """

    eigenvalues: Array
    eigenvectors: DQ
    products: DQ
    is_exact: bool

    def optimal_loadings(self, noise_deviations: D) -> DQ:
        """Return the best loadings (D, q) for noise of these standard deviations (D,): U (L - 1)^1/2 in their units."""
        return np.asarray(
            noise_deviations[:, None] * self.eigenvectors * np.sqrt(np.maximum(self.eigenvalues - 1.0, 0.0))
        )

    def loadings_cross_products(self, noise_deviations: D) -> DQ:
        """Return S Sigma^-1 Lambda, (D, q), for the optimal loadings Lambda: the products times (L - 1)^1/2 / L."""
        clipped = np.maximum(self.eigenvalues, 1.0)
        return np.asarray(noise_deviations[:, None] * self.products * (np.sqrt(clipped - 1.0) / clipped))


def compute_leading_eigenpairs(
    scatter: ScatterPerGroup, group: int, inverse_deviations: D, initial_loadings: DQ | None, n_factors: int
) -> LeadingEigenpairs:
    """Return the ``n_factors`` leading eigenpairs of a group's S, scaled by ``inverse_deviations``.

    With many columns and ``initial_loadings``, the eigenvectors are searched for in the space of these loadings and of
    their products with the matrix. This is one step of subspace iteration (Rutishauser, Numerische Mathematik 13, 1969)
    in a space that contains its start, so that no eigenvalue can decrease.
    """
    n_features = len(inverse_deviations)
    if initial_loadings is None or n_features <= _MAX_COLUMNS_FOR_EXACT or 2 * n_factors >= n_features:
        values, vectors = linalg.largest_eigenpairs(scatter.scaled_covariance(group, inverse_deviations), n_factors)
        return LeadingEigenpairs(values, vectors, vectors * values, True)
    unit = inverse_deviations[:, None]
    scaled_loadings = initial_loadings * unit
    basis = linalg.orthonormal_basis(
        np.concatenate([scaled_loadings, unit * scatter.multiply_covariance(group, unit * scaled_loadings)], axis=1)
    )
    products = unit * scatter.multiply_covariance(group, unit * basis)
    values, inner_vectors = linalg.largest_eigenpairs(basis.T @ products, n_factors)
    return LeadingEigenpairs(values, basis @ inner_vectors, products @ inner_vectors, False)
