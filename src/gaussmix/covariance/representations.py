"""Four ways to hold covariances (full, shared, diagonal, spherical) whatever structure they obey."""

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
from gaussmix.errors import CollapseError, ParameterError
from gaussmix.types import DD, KD, KDD, ND, AnyArray, Array, BoolK, IntD, K


@dataclass(frozen=True)
class FullCovariance(AbstractCovariance):
    """One matrix per component: factors F (K, D, D) and precision roots F^-T."""

    factors: KDD
    precision_root_matrices: KDD
    stored_log_determinants: K

    @cached_property
    def precision_root(self) -> DensePrecisionRoot:
        return DensePrecisionRoot(self.precision_root_matrices, self.factors)

    @property
    def log_determinants(self) -> K:
        return self.stored_log_determinants

    @property
    def n_features(self) -> int:
        return int(self.factors.shape[1])

    def matrices(self) -> KDD:
        return np.asarray(self.factors @ np.swapaxes(self.factors, 1, 2))

    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        return np.asarray(standard_normal @ self.factors[component].T)

    def permute_components(self, order: IntD) -> "FullCovariance":
        return replace(
            self,
            is_floored=self.is_floored[order],
            factors=self.factors[order],
            precision_root_matrices=self.precision_root_matrices[order],
            stored_log_determinants=self.stored_log_determinants[order],
        )


@dataclass(frozen=True)
class SharedCovariance(AbstractCovariance):
    """One matrix for all components."""

    factor: DD
    precision_root_matrix: DD
    log_determinant: float

    @cached_property
    def precision_root(self) -> SharedPrecisionRoot:
        return SharedPrecisionRoot(self.precision_root_matrix, self.factor)

    @property
    def log_determinants(self) -> K:
        return np.full(self.n_components, self.log_determinant)

    @property
    def n_features(self) -> int:
        return len(self.factor)

    def matrices(self) -> KDD:
        return np.repeat((self.factor @ self.factor.T)[None], self.n_components, axis=0)

    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        return np.asarray(standard_normal @ self.factor.T)

    def permute_components(self, order: IntD) -> "SharedCovariance":
        return replace(self, is_floored=self.is_floored[order])


@dataclass(frozen=True)
class DiagonalCovariance(AbstractCovariance):
    """One variance per component and column."""

    variances: KD

    @cached_property
    def precision_root(self) -> DiagonalPrecisionRoot:
        return DiagonalPrecisionRoot(1.0 / np.sqrt(self.variances))

    @property
    def log_determinants(self) -> K:
        return np.asarray(np.log(self.variances).sum(axis=1))

    @property
    def n_features(self) -> int:
        return int(self.variances.shape[1])

    def matrices(self) -> KDD:
        return np.asarray(self.variances[:, :, None] * np.eye(self.n_features))

    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        return np.asarray(standard_normal * np.sqrt(self.variances[component]))

    def permute_components(self, order: IntD) -> "DiagonalCovariance":
        return replace(self, is_floored=self.is_floored[order], variances=self.variances[order])


@dataclass(frozen=True)
class SphericalCovariance(AbstractCovariance):
    """One variance per component."""

    variances: K
    n_columns: int

    @cached_property
    def precision_root(self) -> SphericalPrecisionRoot:
        return SphericalPrecisionRoot(1.0 / np.sqrt(self.variances))

    @property
    def log_determinants(self) -> K:
        return np.asarray(self.n_columns * np.log(self.variances))

    @property
    def n_features(self) -> int:
        return self.n_columns

    def matrices(self) -> KDD:
        return np.asarray(self.variances[:, None, None] * np.eye(self.n_columns))

    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        return np.asarray(standard_normal * np.sqrt(self.variances[component]))

    def permute_components(self, order: IntD) -> "SphericalCovariance":
        return replace(self, is_floored=self.is_floored[order], variances=self.variances[order])


def full_from_matrices(structure: Structure, matrices: KDD) -> FullCovariance:
    """Full form of positive definite matrices.

    Raises
    ------
    CollapseError
        Naming the components whose matrix is not positive definite.
    """
    factors, failed = linalg.cholesky_stack(matrices)
    if failed.any():
        raise CollapseError([int(k) for k in np.flatnonzero(failed)])
    return full_from_factors(structure, factors)


def full_from_factors(structure: Structure, factors: KDD) -> FullCovariance:
    """Full form from lower triangular factors F with positive diagonals."""
    free = np.zeros(len(factors), dtype=bool)
    roots, logs = linalg.triangular_inverse_transposes(factors), linalg.log_determinants(factors)
    return FullCovariance(structure, free, factors, roots, logs)


def full_from_eigenpairs(structure: Structure, values: KD, vectors: KDD, is_floored: BoolK) -> FullCovariance:
    """Full form of matrices given by eigenvalues (K, D) > 0 and eigenvectors; keeps tiny eigenvalues exact."""
    deviations = np.sqrt(values)[:, None, :]
    logs = np.log(values).sum(axis=1)
    return FullCovariance(structure, is_floored, vectors * deviations, vectors / deviations, logs)


def replace_full_components(
    covariance: FullCovariance, is_replaced: BoolK, replacements: FullCovariance
) -> FullCovariance:
    """A full covariance with the chosen components replaced by others, in their order."""

    def merged(old: AnyArray, new: AnyArray) -> AnyArray:
        result = old.copy()
        result[is_replaced] = new
        return result

    return FullCovariance(
        covariance.structure,
        merged(covariance.is_floored, replacements.is_floored),
        merged(covariance.factors, replacements.factors),
        merged(covariance.precision_root_matrices, replacements.precision_root_matrices),
        merged(covariance.stored_log_determinants, replacements.stored_log_determinants),
    )


def shared_from_full(covariance: FullCovariance, n_components: int) -> SharedCovariance:
    """The shared form of the first matrix of a full covariance."""
    return SharedCovariance(
        covariance.structure,
        np.repeat(covariance.is_floored[:1], n_components),
        covariance.factors[0],
        covariance.precision_root_matrices[0],
        float(covariance.stored_log_determinants[0]),
    )


def full_from_precision_roots(structure: Structure, precision_roots: KDD) -> FullCovariance:
    """Full form from precision roots R (upper triangular): F = R^-T."""
    factors = np.array([linalg.invert_lower(root.T) for root in precision_roots])
    logs = -np.array([linalg.log_determinant(root) for root in precision_roots])
    return FullCovariance(structure, np.zeros(len(precision_roots), dtype=bool), factors, precision_roots, logs)


def sklearn_shape(structure: Structure, n_components: int, n_features: int) -> tuple[int, ...]:
    """The shape in which scikit-learn would hold the covariances of a structure."""
    if structure.orientation == "I":
        return (n_components,) if structure.shape == "I" else (n_components, n_features)
    if str(structure) == "EEE":
        return (n_features, n_features)
    return (n_components, n_features, n_features)


def expand_covariances(structure: Structure, covariances: Array, n_components: int, n_features: int) -> KDD:
    """Any natural shape, or (K, D, D) itself, as (K, D, D)."""
    full = (n_components, n_features, n_features)
    expected = sklearn_shape(structure, n_components, n_features)
    if covariances.shape == full:
        return covariances
    if covariances.shape != expected:
        raise ParameterError.wrong_shape("covariances", covariances.shape, expected)
    if covariances.ndim == 1:
        return np.asarray(covariances[:, None, None] * np.eye(n_features))
    if expected == (n_components, n_features) and structure.orientation == "I":
        return np.asarray(covariances[:, :, None] * np.eye(n_features))
    return np.broadcast_to(covariances, full)


def contract_covariances(structure: Structure, matrices: KDD) -> Array:
    """(K, D, D) matrices in the natural shape of the structure."""
    shape = sklearn_shape(structure, matrices.shape[0], matrices.shape[1])
    if structure.orientation == "I":
        variances = np.einsum("kii->ki", matrices)
        return np.asarray(variances.mean(axis=1) if len(shape) == 1 else variances.copy())
    return np.asarray(matrices[0] if str(structure) == "EEE" else matrices)
