"""Representations of covariances: full, shared, diagonal and spherical, each for any structure."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.precision_roots import (
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    SharedPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError
from gaussmix.types import DD, KD, KDD, ND, AnyArray, BoolK, IntK, K


@dataclass(frozen=True)
class FullCovariance(AbstractCovariance):
    """One matrix per component: factors F (K, D, D) and precision roots F^-T."""

    factors: KDD
    precision_root_matrices: KDD
    stored_log_determinants: K

    @cached_property
    def precision_root(self) -> DensePrecisionRoot:
        """Square roots of the precisions."""
        return DensePrecisionRoot(self.precision_root_matrices, self.factors)

    @property
    def log_determinants(self) -> K:
        """log |covariance| of each component, (K,)."""
        return self.stored_log_determinants

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return int(self.factors.shape[1])

    def matrices(self) -> KDD:
        """Return the covariance matrices F F^T, (K, D, D)."""
        return np.asarray(self.factors @ np.swapaxes(self.factors, 1, 2))

    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        """Return standard normal rows (n, D) times F_k^T, so that they have the covariance of a component."""
        return np.asarray(standard_normal @ self.factors[component].T)

    def permute_components(self, order: IntK) -> "FullCovariance":
        """Return the covariances with the components in another order."""
        return replace(
            self,
            is_floored=self.is_floored[order],
            factors=self.factors[order],
            precision_root_matrices=self.precision_root_matrices[order],
            stored_log_determinants=self.stored_log_determinants[order],
        )

    def replace_components(self, is_replaced: BoolK, replacements_in_order: AbstractCovariance) -> "FullCovariance":
        """Return the covariances with those marked replaced by ``replacements_in_order``, one for each mark."""
        assert isinstance(replacements_in_order, FullCovariance)
        return FullCovariance(
            self.structure,
            _replace_entries(self.is_floored, is_replaced, replacements_in_order.is_floored),
            _replace_entries(self.factors, is_replaced, replacements_in_order.factors),
            _replace_entries(self.precision_root_matrices, is_replaced, replacements_in_order.precision_root_matrices),
            _replace_entries(self.stored_log_determinants, is_replaced, replacements_in_order.stored_log_determinants),
        )


@dataclass(frozen=True)
class SharedCovariance(AbstractCovariance):
    """One matrix for all components."""

    factor: DD
    precision_root_matrix: DD
    log_determinant: float

    @cached_property
    def precision_root(self) -> SharedPrecisionRoot:
        """Square root of the precision."""
        return SharedPrecisionRoot(self.precision_root_matrix, self.factor)

    @property
    def log_determinants(self) -> K:
        """log |covariance|, repeated for each component."""
        return np.full(self.n_components, self.log_determinant)

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return len(self.factor)

    def matrices(self) -> KDD:
        """Return the covariance matrix, repeated for each component, (K, D, D)."""
        return np.repeat((self.factor @ self.factor.T)[None], self.n_components, axis=0)

    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        """Return standard normal rows (n, D) times F^T, so that they have the common covariance."""
        return np.asarray(standard_normal @ self.factor.T)

    def permute_components(self, order: IntK) -> "SharedCovariance":
        """Return the same covariance with ``is_floored`` in another order."""
        return replace(self, is_floored=self.is_floored[order])


@dataclass(frozen=True)
class DiagonalCovariance(AbstractCovariance):
    """One variance per component and column."""

    variances: KD

    @cached_property
    def precision_root(self) -> DiagonalPrecisionRoot:
        """Inverse standard deviations (K, D) as square roots of the precisions."""
        return DiagonalPrecisionRoot(1.0 / np.sqrt(self.variances))

    @property
    def log_determinants(self) -> K:
        """log |covariance| of each component (K,): the sum of its log variances."""
        return np.asarray(np.log(self.variances).sum(axis=1))

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return int(self.variances.shape[1])

    def matrices(self) -> KDD:
        """Return the covariance matrices, which are diagonal, (K, D, D)."""
        return np.asarray(self.variances[:, :, None] * np.eye(self.n_features))

    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        """Return standard normal rows (n, D) times the standard deviations of a component."""
        return np.asarray(standard_normal * np.sqrt(self.variances[component]))

    def permute_components(self, order: IntK) -> "DiagonalCovariance":
        """Return the covariances with the components in another order."""
        return replace(self, is_floored=self.is_floored[order], variances=self.variances[order])

    def replace_components(self, is_replaced: BoolK, replacements_in_order: AbstractCovariance) -> "DiagonalCovariance":
        """Return the covariances with those marked replaced by ``replacements_in_order``, one for each mark."""
        assert isinstance(replacements_in_order, DiagonalCovariance)
        is_floored = _replace_entries(self.is_floored, is_replaced, replacements_in_order.is_floored)
        variances = _replace_entries(self.variances, is_replaced, replacements_in_order.variances)
        return DiagonalCovariance(self.structure, is_floored, variances)


@dataclass(frozen=True)
class SphericalCovariance(AbstractCovariance):
    """One variance per component."""

    variances: K
    n_columns: int

    @cached_property
    def precision_root(self) -> SphericalPrecisionRoot:
        """Inverse standard deviations (K,) as square roots of the precisions."""
        return SphericalPrecisionRoot(1.0 / np.sqrt(self.variances))

    @property
    def log_determinants(self) -> K:
        """log |covariance| of each component (K,): D times its log variance."""
        return np.asarray(self.n_columns * np.log(self.variances))

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return self.n_columns

    def matrices(self) -> KDD:
        """Return the covariance matrices, which are multiples of the identity, (K, D, D)."""
        return np.asarray(self.variances[:, None, None] * np.eye(self.n_columns))

    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        """Return standard normal rows (n, D) times the standard deviation of a component."""
        return np.asarray(standard_normal * np.sqrt(self.variances[component]))

    def permute_components(self, order: IntK) -> "SphericalCovariance":
        """Return the covariances with the components in another order."""
        return replace(self, is_floored=self.is_floored[order], variances=self.variances[order])

    def replace_components(
        self, is_replaced: BoolK, replacements_in_order: AbstractCovariance
    ) -> "SphericalCovariance":
        """Return the covariances with those marked replaced by ``replacements_in_order``, one for each mark."""
        assert isinstance(replacements_in_order, SphericalCovariance)
        is_floored = _replace_entries(self.is_floored, is_replaced, replacements_in_order.is_floored)
        variances = _replace_entries(self.variances, is_replaced, replacements_in_order.variances)
        return SphericalCovariance(self.structure, is_floored, variances, self.n_columns)


def _replace_entries(values: AnyArray, is_replaced: BoolK, replacements_in_order: AnyArray) -> AnyArray:
    """Return a copy whose marked entries are ``replacements_in_order``, one for each mark."""
    result = values.copy()
    result[is_replaced] = replacements_in_order
    return result


def full_from_matrices(structure: Structure, matrices: KDD) -> FullCovariance:
    """Make the full representation of matrices (K, D, D); raise CollapseError unless all are positive definite.

    Raises
    ------
    CollapseError
        If a matrix is not positive definite; it names the components.
    """
    factors, has_failed = linalg.cholesky_stack(matrices)
    if has_failed.any():
        raise CollapseError([int(k) for k in np.flatnonzero(has_failed)])
    return full_from_factors(structure, factors)


def full_from_factors(structure: Structure, factors: KDD) -> FullCovariance:
    """Make the full representation from lower triangular factors F with positive diagonals."""
    is_floored = np.zeros(len(factors), dtype=bool)
    roots, logs = linalg.triangular_inverse_transposes(factors), linalg.log_determinants_from_factors(factors)
    return FullCovariance(structure, is_floored, factors, roots, logs)


def full_from_eigenpairs(structure: Structure, values: KD, vectors: KDD, is_floored: BoolK) -> FullCovariance:
    """Make the full representation from eigenvalues (K, D) > 0 and eigenvectors in columns (K, D, D)."""
    deviations = np.sqrt(values)[:, None, :]
    logs = np.log(values).sum(axis=1)
    return FullCovariance(structure, is_floored, vectors * deviations, vectors / deviations, logs)


def full_from_precision_roots(structure: Structure, precision_roots: KDD) -> FullCovariance:
    """Make the full representation from upper triangular precision roots R (K, D, D): the factors are R^-T."""
    factors = np.array([linalg.invert_lower(root.T) for root in precision_roots])
    logs = -np.array([linalg.log_determinant_from_factor(root) for root in precision_roots])
    return FullCovariance(structure, np.zeros(len(precision_roots), dtype=bool), factors, precision_roots, logs)


def shared_from_full(covariance: FullCovariance, n_components: int) -> SharedCovariance:
    """Make the shared representation, for ``n_components``, of the first matrix of a full covariance."""
    return SharedCovariance(
        covariance.structure,
        np.repeat(covariance.is_floored[:1], n_components),
        covariance.factors[0],
        covariance.precision_root_matrices[0],
        float(covariance.stored_log_determinants[0]),
    )
