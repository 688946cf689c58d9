"""Four ways to hold covariances (full, shared, diagonal, spherical) whatever structure they obey."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.roots import DenseRoot, DiagonalRoot, SharedRoot, SphericalRoot
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError, ParameterError
from gaussmix.types import DD, KD, KDD, ND, AnyArray, Array, BoolK, IntD, K


@dataclass(frozen=True)
class FullCovariance(AbstractCovariance):
    """One matrix per component: factors F (K, D, D) and precision roots F^-T."""

    factors: KDD
    root_matrices: KDD
    log_determinants_: K

    @cached_property
    def root(self) -> DenseRoot:
        return DenseRoot(self.root_matrices, self.factors)

    @property
    def log_determinants(self) -> K:
        return self.log_determinants_

    @property
    def n_features(self) -> int:
        return int(self.factors.shape[1])

    def matrices(self) -> KDD:
        return np.asarray(self.factors @ np.swapaxes(self.factors, 1, 2))

    def spread(self, noise: ND, component: int) -> ND:
        return np.asarray(noise @ self.factors[component].T)

    def permute(self, order: IntD) -> "FullCovariance":
        return replace(
            self,
            floored=self.floored[order],
            factors=self.factors[order],
            root_matrices=self.root_matrices[order],
            log_determinants_=self.log_determinants_[order],
        )


@dataclass(frozen=True)
class SharedCovariance(AbstractCovariance):
    """One matrix for all components."""

    factor: DD
    root_matrix: DD
    log_determinant: float

    @cached_property
    def root(self) -> SharedRoot:
        return SharedRoot(self.root_matrix, self.factor)

    @property
    def log_determinants(self) -> K:
        return np.full(self.n_components, self.log_determinant)

    @property
    def n_features(self) -> int:
        return len(self.factor)

    def matrices(self) -> KDD:
        return np.repeat((self.factor @ self.factor.T)[None], self.n_components, axis=0)

    def spread(self, noise: ND, component: int) -> ND:
        return np.asarray(noise @ self.factor.T)

    def permute(self, order: IntD) -> "SharedCovariance":
        return replace(self, floored=self.floored[order])


@dataclass(frozen=True)
class DiagonalCovariance(AbstractCovariance):
    """One variance per component and column."""

    variances: KD

    @cached_property
    def root(self) -> DiagonalRoot:
        return DiagonalRoot(1.0 / np.sqrt(self.variances))

    @property
    def log_determinants(self) -> K:
        return np.asarray(np.log(self.variances).sum(axis=1))

    @property
    def n_features(self) -> int:
        return int(self.variances.shape[1])

    def matrices(self) -> KDD:
        return np.asarray(self.variances[:, :, None] * np.eye(self.n_features))

    def spread(self, noise: ND, component: int) -> ND:
        return np.asarray(noise * np.sqrt(self.variances[component]))

    def permute(self, order: IntD) -> "DiagonalCovariance":
        return replace(self, floored=self.floored[order], variances=self.variances[order])


@dataclass(frozen=True)
class SphericalCovariance(AbstractCovariance):
    """One variance per component."""

    variances: K
    dimension: int

    @cached_property
    def root(self) -> SphericalRoot:
        return SphericalRoot(1.0 / np.sqrt(self.variances))

    @property
    def log_determinants(self) -> K:
        return np.asarray(self.dimension * np.log(self.variances))

    @property
    def n_features(self) -> int:
        return self.dimension

    def matrices(self) -> KDD:
        return np.asarray(self.variances[:, None, None] * np.eye(self.dimension))

    def spread(self, noise: ND, component: int) -> ND:
        return np.asarray(noise * np.sqrt(self.variances[component]))

    def permute(self, order: IntD) -> "SphericalCovariance":
        return replace(self, floored=self.floored[order], variances=self.variances[order])


def from_cholesky(structure: Structure, matrices: KDD) -> FullCovariance:
    """Full form of positive definite matrices.

    Raises
    ------
    CollapseError
        Naming the components whose matrix is not positive definite.
    """
    factors, failed = linalg.factorised(matrices)
    if failed.any():
        raise CollapseError([int(k) for k in np.flatnonzero(failed)])
    return from_factors(structure, factors)


def from_factors(structure: Structure, factors: KDD) -> FullCovariance:
    """Full form from lower triangular factors F with positive diagonals."""
    free = np.zeros(len(factors), dtype=bool)
    roots, logs = linalg.inverse_transposes(factors), linalg.log_determinants(factors)
    return FullCovariance(structure, free, factors, roots, logs)


def from_eigen(structure: Structure, values: KD, vectors: KDD, floored: BoolK) -> FullCovariance:
    """Full form of matrices given by eigenvalues (K, D) > 0 and eigenvectors; keeps tiny eigenvalues exact."""
    deviations = np.sqrt(values)[:, None, :]
    logs = np.log(values).sum(axis=1)
    return FullCovariance(structure, floored, vectors * deviations, vectors / deviations, logs)


def put(covariance: FullCovariance, chosen: BoolK, others: FullCovariance) -> FullCovariance:
    """A full covariance with the chosen components replaced by others, in their order."""

    def merged(old: AnyArray, new: AnyArray) -> AnyArray:
        result = old.copy()
        result[chosen] = new
        return result

    return FullCovariance(
        covariance.structure,
        merged(covariance.floored, others.floored),
        merged(covariance.factors, others.factors),
        merged(covariance.root_matrices, others.root_matrices),
        merged(covariance.log_determinants_, others.log_determinants_),
    )


def share(covariance: FullCovariance, n_components: int) -> SharedCovariance:
    """The shared form of the first matrix of a full covariance."""
    return SharedCovariance(
        covariance.structure,
        np.repeat(covariance.floored[:1], n_components),
        covariance.factors[0],
        covariance.root_matrices[0],
        float(covariance.log_determinants_[0]),
    )


def from_roots(structure: Structure, roots: KDD) -> FullCovariance:
    """Full form from precision roots R (upper triangular): F = R^-T."""
    factors = np.array([linalg.lower_inverse(root.T) for root in roots])
    logs = -np.array([linalg.log_determinant(root) for root in roots])
    return FullCovariance(structure, np.zeros(len(roots), dtype=bool), factors, roots, logs)


def natural_shape(structure: Structure, n_components: int, n_features: int) -> tuple[int, ...]:
    """The shape in which scikit-learn would hold the covariances of a structure."""
    if structure.orientation == "I":
        return (n_components,) if structure.shape == "I" else (n_components, n_features)
    if str(structure) == "EEE":
        return (n_features, n_features)
    return (n_components, n_features, n_features)


def expand(structure: Structure, natural: Array, n_components: int, n_features: int) -> KDD:
    """Any natural shape, or (K, D, D) itself, as (K, D, D)."""
    full = (n_components, n_features, n_features)
    expected = natural_shape(structure, n_components, n_features)
    if natural.shape == full:
        return natural
    if natural.shape != expected:
        raise ParameterError.shape("covariances", natural.shape, expected)
    if natural.ndim == 1:
        return np.asarray(natural[:, None, None] * np.eye(n_features))
    if expected == (n_components, n_features) and structure.orientation == "I":
        return np.asarray(natural[:, :, None] * np.eye(n_features))
    return np.broadcast_to(natural, full)


def contract(structure: Structure, full: KDD) -> Array:
    """(K, D, D) matrices in the natural shape of the structure."""
    shape = natural_shape(structure, full.shape[0], full.shape[1])
    if structure.orientation == "I":
        variances = np.einsum("kii->ki", full)
        return np.asarray(variances.mean(axis=1) if len(shape) == 1 else variances.copy())
    return np.asarray(full[0] if str(structure) == "EEE" else full)
