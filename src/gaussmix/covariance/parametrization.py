"""Covariances of a structure as unconstrained numbers relative to reference covariances, and gradients.

A covariance is exp(v_k) M_k, where M_k has determinant one: a volume, a shape and an orientation (`structure.py`).
The numbers are:

- v_k, the log volume;
- contrasts z of log variances, which add up to zero over the columns;
- if shape and orientation are both shared or both free: the entries below the diagonal of a triangular factor S_k,
  M_k = L_k S_k S_k^T L_k^T, with L_k from the reference;
- if only one of them is shared: a skew matrix W, Q = Q_0 (I - W)(I + W)^-1 (Cayley transform).

All numbers are zero at the reference. They are scaled so that the Fisher information of ``masses`` rows per component
is one there, whatever the units of the data.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.factorizations import CayleyTransform
from gaussmix.core.moments import MomentKind
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.eigen_arrays import to_eigen_arrays
from gaussmix.covariance.parametrization_base import (
    AbstractParametrization,
    ParameterBlocks,
    StructuredParametrization,
    require_mclust_structure,
    sum_if_shared,
)
from gaussmix.covariance.representations import (
    DiagonalCovariance,
    SphericalCovariance,
    full_from_eigenpairs,
    full_from_factors,
    shared_from_full,
)
from gaussmix.types import KD, KDD, Array, IntD, K

_MIN_ROTATION_INFORMATION = 1e-3  # per row; equal variances have no direction and would give zero


@dataclass(frozen=True)
class DiagonalParametrization(StructuredParametrization):
    """Variances along the columns."""

    moment_kind = MomentKind.DIAGONAL

    def _to_blocks(self, covariance: AbstractCovariance) -> ParameterBlocks:
        """Return the changes of volumes and contrasts from the reference to these covariances."""
        logs = np.log(_column_variances(covariance)) - np.log(_column_variances(self.reference))
        return ParameterBlocks(*self._volumes_and_contrasts(logs), np.empty((0, 0)))

    def _from_blocks(self, blocks: ParameterBlocks) -> AbstractCovariance:
        """Return the spherical or diagonal covariances of these blocks."""
        variances, structure = (
            _column_variances(self.reference) * np.exp(self._log_variance_changes(blocks)),
            self.structure,
        )
        free = np.zeros(len(variances), dtype=bool)
        if structure.is_spherical:
            return SphericalCovariance(structure, free, variances[:, 0].copy(), self.n_features)
        return DiagonalCovariance(structure, free, variances)

    def _block_gradient(self, blocks: ParameterBlocks, covariance_gradient: KD) -> ParameterBlocks:
        """Return the gradient with respect to volumes and contrasts, from that with respect to variances (K, D)."""
        variances = _column_variances(self.reference) * np.exp(self._log_variance_changes(blocks))
        return ParameterBlocks(*self._volume_and_contrast_gradient(covariance_gradient * variances), np.empty((0, 0)))


def _column_variances(covariance: AbstractCovariance) -> KD:
    """Return the diagonals of the covariances, (K, D)."""
    if isinstance(covariance, DiagonalCovariance):
        return covariance.variances
    return np.asarray(np.einsum("kii->ki", covariance.matrices()))


@dataclass(frozen=True)
class CholeskyParametrization(StructuredParametrization):
    """Triangular factors S_k relative to the factors L_k (K, D, D) of the reference."""

    factors: KDD
    inverse_factors: KDD

    moment_kind = MomentKind.FULL

    def _to_blocks(self, covariance: AbstractCovariance) -> ParameterBlocks:
        """Return the changes of volumes, contrasts and triangular factors from the reference to these covariances."""
        relative_covariances = self.inverse_factors @ covariance.matrices() @ np.swapaxes(self.inverse_factors, 1, 2)
        relative_factors = linalg.cholesky_stack(relative_covariances).factors
        logs = 2.0 * np.log(np.einsum("kii->ki", relative_factors))
        volumes, contrasts = self._volumes_and_contrasts(logs)
        unit_factors = relative_factors / np.exp(0.5 * logs.mean(axis=1))[:, None, None]
        return ParameterBlocks(
            volumes,
            contrasts,
            self._average_if_shared(self.structure.orientation, _entries_below_diagonal(unit_factors)),
        )

    def _from_blocks(self, blocks: ParameterBlocks) -> AbstractCovariance:
        """Return the covariances of these blocks, with the factors L_k S_k."""
        factors = self.factors @ self._relative_factors(blocks)
        if self.structure.is_tied:
            return shared_from_full(full_from_factors(self.structure, factors[:1]), len(factors))
        return full_from_factors(self.structure, factors)

    def _block_gradient(self, blocks: ParameterBlocks, covariance_gradient: KDD) -> ParameterBlocks:
        """Return the gradient with respect to the blocks, from that with respect to covariances (K, D, D).

        With F = L S e^(v/2), with respect to S it is 2 e^v L^T G L S, with respect to the log volume tr(G F F^T).
        """
        relative_factors, structure = self._relative_factors(blocks), self.structure
        factor_gradient = 2.0 * np.swapaxes(self.factors, 1, 2) @ covariance_gradient @ self.factors @ relative_factors
        log_variance_gradient = 0.5 * np.einsum("kii,kii->ki", relative_factors, factor_gradient)
        unit_gradient = (
            factor_gradient * np.exp(0.5 * np.broadcast_to(blocks.log_volumes, len(relative_factors)))[:, None, None]
        )
        volume_gradient = 0.5 * np.einsum("kij,kij->k", relative_factors, factor_gradient)
        contrast_gradient = log_variance_gradient @ linalg.helmert_contrasts(self.n_features).T
        return ParameterBlocks(
            sum_if_shared(structure.volume, volume_gradient),
            sum_if_shared(structure.shape, contrast_gradient),
            sum_if_shared(structure.shape, _entries_below_diagonal(unit_gradient)),
        )

    def _relative_factors(self, blocks: ParameterBlocks) -> KDD:
        """Return the triangular factors S e^(v/2) relative to the reference, (K, D, D)."""
        n_components, n = self.factors.shape[:2]
        unit = np.zeros((n_components, n, n))
        unit[:, *np.tril_indices(n, -1)] = blocks.rotations
        volumes = np.broadcast_to(blocks.log_volumes, n_components)[:, None]
        np.einsum("kii->ki", unit)[:] = np.exp(0.5 * (self._log_variance_changes(blocks) - volumes))
        return np.asarray(unit * np.exp(0.5 * volumes)[:, :, None])


def _entries_below_diagonal(matrices: KDD) -> Array:
    """Return the entries below the diagonals, (K, D (D - 1) / 2)."""
    return np.asarray(matrices[:, *np.tril_indices(matrices.shape[1], -1)])


@dataclass(frozen=True)
class CayleyParametrization(StructuredParametrization):
    """Variances (K, D) along axes (K, D, D) that rotate together or per component."""

    axis_variances: KD
    axes: KDD

    moment_kind = MomentKind.FULL

    def _to_blocks(self, covariance: AbstractCovariance) -> ParameterBlocks:
        """Return the changes of volumes and contrasts, and the rotations of axes, from the reference to covariances."""
        values, axes, _ = to_eigen_arrays(covariance)
        values, relative_axes = self._reorder_and_flip_axes(values, np.swapaxes(self.axes, 1, 2) @ axes)
        volumes, contrasts = self._volumes_and_contrasts(np.log(values) - np.log(self.axis_variances))
        return ParameterBlocks(
            volumes,
            contrasts,
            self._average_if_shared(
                self._orientation_letter, _entries_below_diagonal(linalg.inverse_cayley_transform(relative_axes))
            ),
        )

    def _from_blocks(self, blocks: ParameterBlocks) -> AbstractCovariance:
        """Return the covariances of these blocks: the reference's variances scaled and its axes rotated."""
        values, axes = (
            self.axis_variances * np.exp(self._log_variance_changes(blocks)),
            self.axes @ self._cayley_transform(blocks).rotations,
        )
        return full_from_eigenpairs(self.structure, values, axes, np.zeros(len(values), dtype=bool))

    def _block_gradient(self, blocks: ParameterBlocks, covariance_gradient: KDD) -> ParameterBlocks:
        """Return the gradient with respect to the blocks, from that with respect to covariances (K, D, D).

        With respect to Q it is 2 G Q diag(variances). The derivative of the Cayley transform (I - W)(I + W)^-1 is
        -2 (I + W)^-1 dW (I + W)^-1.
        """
        values, (rotations, inner) = (
            self.axis_variances * np.exp(self._log_variance_changes(blocks)),
            self._cayley_transform(blocks),
        )
        axes = self.axes @ rotations
        products = covariance_gradient @ axes
        log_variance_gradient = np.einsum("kij,kij->kj", axes, products) * values
        rotation_gradient = np.swapaxes(self.axes, 1, 2) @ (2.0 * products * values[:, None, :])
        inner_transposed = np.swapaxes(inner, 1, 2)
        skew_gradient = -2.0 * inner_transposed @ rotation_gradient @ inner_transposed
        return ParameterBlocks(
            *self._volume_and_contrast_gradient(log_variance_gradient),
            sum_if_shared(
                self._orientation_letter, _entries_below_diagonal(skew_gradient - np.swapaxes(skew_gradient, 1, 2))
            ),
        )

    @property
    def _orientation_letter(self) -> str:
        """'E' if all components share their axes, else 'V'."""
        return self.structure.orientation

    def _cayley_transform(self, blocks: ParameterBlocks) -> CayleyTransform:
        """Return the rotations (I - W)(I + W)^-1 of the axes, and (I + W)^-1, (K, D, D) each."""
        n_components, n = self.axis_variances.shape
        skew = np.zeros((len(blocks.rotations), n, n))
        skew[:, *np.tril_indices(n, -1)] = blocks.rotations
        skew -= np.swapaxes(skew, 1, 2)
        rotations, inner = linalg.cayley_transform(skew)
        shape = (n_components, n, n)
        return CayleyTransform(np.broadcast_to(rotations, shape), np.broadcast_to(inner, shape))

    def _reorder_and_flip_axes(self, axis_variances: KD, relative_axes: KDD) -> tuple[KD, KDD]:
        """Return variances and relative axes in the order and with the signs of the smallest rotation."""
        order = _best_axis_order(relative_axes)
        axis_variances, relative_axes = axis_variances[:, order], relative_axes[:, :, order]
        signs = np.where(np.einsum("kii->ki", relative_axes) < 0, -1.0, 1.0)
        if self._orientation_letter == "E":
            signs = np.repeat(signs[:1], len(signs), axis=0)
        return axis_variances, relative_axes * signs[:, None, :]


def _best_axis_order(relative_axes: KDD) -> IntD:
    """Return the order of axes (D,), common to all components, that is nearest to the reference."""
    from scipy.optimize import linear_sum_assignment  # slow to import

    return np.asarray(linear_sum_assignment(-(relative_axes**2).sum(axis=0))[1])


def make_parametrization(reference: AbstractCovariance, masses: K) -> AbstractParametrization:
    """Return the parametrization of a structure relative to ``reference``, for components of these ``masses`` (K,)."""
    structure, n = require_mclust_structure(reference), reference.n_features
    values, axes, matrices = to_eigen_arrays(reference)

    def row_counts(letter: str) -> Array:
        return sum_if_shared(letter, masses)

    volumes = np.sqrt(0.5 * n * row_counts(structure.volume))
    contrasts = np.sqrt(0.5 * row_counts(structure.shape))[:, None] * np.ones(n - 1)
    if structure.is_axis_aligned:
        return DiagonalParametrization(reference, masses, ParameterBlocks(volumes, contrasts, np.empty((0, 0))))
    rotations = np.sqrt(row_counts(structure.orientation))[:, None] * np.ones(n * (n - 1) // 2)
    if structure.shape == structure.orientation:
        factors = linalg.cholesky_stack(matrices).factors
        inverses = np.swapaxes(linalg.triangular_inverse_transposes(factors), 1, 2)
        return CholeskyParametrization(
            reference, masses, ParameterBlocks(volumes, contrasts, rotations), factors, inverses
        )
    info = sum_if_shared(structure.orientation, masses[:, None] * _rotation_information(values))
    return CayleyParametrization(reference, masses, ParameterBlocks(volumes, contrasts, np.sqrt(info)), values, axes)


def _rotation_information(axis_variances: KD) -> Array:
    """Return the Fisher information of one row about each entry of W below the diagonal, (K, D (D - 1) / 2).

    It is 4 (a / b + b / a - 2) for variances a and b, since an entry of W rotates by twice its value.
    """
    first, second = np.tril_indices(axis_variances.shape[1], -1)
    ratio = axis_variances[:, first] / axis_variances[:, second]
    return np.asarray(4.0 * np.maximum(ratio + 1.0 / ratio - 2.0, _MIN_ROTATION_INFORMATION))
