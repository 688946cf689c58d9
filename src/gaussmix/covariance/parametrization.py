"""Covariances of a structure as free numbers about some of its members, and gradients along them.

A covariance is exp(v_k) M_k with M_k of determinant one: a volume, and within M_k a shape and an orientation
(`structure.py`). Numbers without bounds say each part: v_k itself; contrasts z of log variances, which add up to zero
along the columns; below the diagonal of a triangular factor S what turns, where shape and orientation are both shared
or both free, M_k = L_k S_k S_k^T L_k^T with L_k from the member begun at; and a skew matrix W, where only one of them
is shared, Q = Q_0 (I - W)(I + W)^-1 (Cayley). All are zero at that member, and in units in which the Fisher information
of ``masses`` rows of each component is one there, whatever units the data have.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.eigen_arrays import to_eigen_arrays
from gaussmix.covariance.representations import (
    DiagonalCovariance,
    SphericalCovariance,
    full_from_eigenpairs,
    full_from_factors,
    shared_from_full,
)
from gaussmix.covariance.structure import MclustStructure
from gaussmix.types import KD, KDD, Array, IntD, K

_MAX_LOG_VARIANCE_CHANGE = 40.0  # of a log variance about the member: beyond, squares of such numbers overflow
_MIN_ROTATION_INFORMATION = 1e-3  # of a turn's information per row: variances that are equal know no direction


class AbstractParametrization(ABC):
    """Free numbers for covariances near to some of them; ``kind`` is the scatter that a gradient is made of."""

    moment_kind: MomentKind

    @abstractmethod
    def to_vector(self, covariance: AbstractCovariance) -> Array:
        """The numbers of a member of the structure."""

    @abstractmethod
    def to_covariance(self, vector: Array) -> AbstractCovariance:
        """The member that has these numbers."""

    @abstractmethod
    def vector_gradient(self, vector: Array, covariance_gradient: Array) -> Array:
        """The gradient along the numbers, from that along the covariances: (K, D, D), or (K, D) of their variances."""


@dataclass(frozen=True)
class ParameterBlocks:
    """Volumes (1 or K), contrasts of log variances (0, 1 or K, D - 1), and turns (0, 1 or K, D (D - 1) / 2)."""

    log_volumes: Array
    shape_contrasts: Array
    rotations: Array

    def to_vector(self) -> Array:
        return np.concatenate([self.log_volumes.ravel(), self.shape_contrasts.ravel(), self.rotations.ravel()])

    def split_vector(self, vector: Array) -> "ParameterBlocks":
        """A vector cut into parts as these are."""
        first, second = self.log_volumes.size, self.log_volumes.size + self.shape_contrasts.size
        cut = np.split(vector, [first, second])
        shapes = (self.log_volumes.shape, self.shape_contrasts.shape, self.rotations.shape)
        return ParameterBlocks(*(part.reshape(shape) for part, shape in zip(cut, shapes, strict=True)))

    def __mul__(self, scales: "ParameterBlocks") -> "ParameterBlocks":
        return ParameterBlocks(
            self.log_volumes * scales.log_volumes,
            self.shape_contrasts * scales.shape_contrasts,
            self.rotations * scales.rotations,
        )

    def __truediv__(self, scales: "ParameterBlocks") -> "ParameterBlocks":
        return ParameterBlocks(
            self.log_volumes / scales.log_volumes,
            self.shape_contrasts / scales.shape_contrasts,
            self.rotations / scales.rotations,
        )


@dataclass(frozen=True)
class _StructuredParametrization(AbstractParametrization):
    """What the three ways to turn have in common; ``scales`` are roots of the information of each number."""

    reference: AbstractCovariance
    masses: K
    scales: ParameterBlocks

    def to_vector(self, covariance: AbstractCovariance) -> Array:
        return (self._to_blocks(covariance) * self.scales).to_vector()

    def to_covariance(self, vector: Array) -> AbstractCovariance:
        return self._from_blocks(self._split_and_clip(vector))

    def vector_gradient(self, vector: Array, covariance_gradient: Array) -> Array:
        return (self._block_gradient(self._split_and_clip(vector), covariance_gradient) / self.scales).to_vector()

    def _split_and_clip(self, vector: Array) -> ParameterBlocks:
        parts = self.scales.split_vector(vector) / self.scales  # with volumes that do not overflow
        return ParameterBlocks(
            np.clip(parts.log_volumes, -_MAX_LOG_VARIANCE_CHANGE, _MAX_LOG_VARIANCE_CHANGE),
            parts.shape_contrasts,
            parts.rotations,
        )

    @abstractmethod
    def _to_blocks(self, covariance: AbstractCovariance) -> ParameterBlocks: ...

    @abstractmethod
    def _from_blocks(self, blocks: ParameterBlocks) -> AbstractCovariance: ...

    @abstractmethod
    def _block_gradient(self, blocks: ParameterBlocks, covariance_gradient: Array) -> ParameterBlocks: ...

    @property
    def structure(self) -> MclustStructure:
        """The structure of the reference."""
        return _require_mclust_structure(self.reference)

    @property
    def n_features(self) -> int:
        return self.reference.n_features

    def _average_shared(self, letter: str, per_component: Array) -> Array:
        """Of numbers of each component (K, ...): none, their mean, or all of them."""
        if letter == "V":
            return per_component
        if letter == "I":
            return per_component[:0]
        return np.average(per_component, axis=0, weights=self.masses)[None]

    def _log_variance_changes(self, blocks: ParameterBlocks) -> KD:
        """What log variances gain: volume and contrasts, (K, D)."""
        spread = (
            blocks.shape_contrasts @ linalg.helmert_contrasts(self.n_features)
            if blocks.shape_contrasts.shape[0]
            else 0.0
        )
        logs = blocks.log_volumes[:, None] + spread
        return np.asarray(
            np.broadcast_to(
                np.clip(logs, -_MAX_LOG_VARIANCE_CHANGE, _MAX_LOG_VARIANCE_CHANGE), (len(self.masses), self.n_features)
            )
        )

    def _volumes_and_contrasts(self, log_variances: KD) -> tuple[Array, Array]:
        """Volumes and contrasts of log variances (K, D)."""
        structure, volume = self.structure, log_variances.mean(axis=1)
        apart = (log_variances - volume[:, None]) @ linalg.helmert_contrasts(self.n_features).T
        return self._average_shared(structure.volume, volume), self._average_shared(structure.shape, apart)

    def _volume_and_contrast_gradient(self, log_variance_gradient: KD) -> tuple[Array, Array]:
        """The gradient along volumes and contrasts, from that along log variances (K, D)."""
        structure, apart = self.structure, log_variance_gradient @ linalg.helmert_contrasts(self.n_features).T
        return sum_shared(structure.volume, log_variance_gradient.sum(axis=1)), sum_shared(structure.shape, apart)


def _require_mclust_structure(covariance: AbstractCovariance) -> MclustStructure:
    if not isinstance(covariance.structure, MclustStructure):
        raise TypeError(f"structure {covariance.structure} has no volume, shape and orientation")
    return covariance.structure


def sum_shared(letter: str, per_component: Array) -> Array:
    """What falls to a part that all components share, that none has, or that each has by itself."""
    if letter == "V":
        return per_component
    return per_component[:0] if letter == "I" else per_component.sum(axis=0, keepdims=True)


@dataclass(frozen=True)
class DiagonalParametrization(_StructuredParametrization):
    """Variances along the columns."""

    moment_kind = MomentKind.DIAGONAL

    def _to_blocks(self, covariance: AbstractCovariance) -> ParameterBlocks:
        logs = np.log(_column_variances(covariance)) - np.log(_column_variances(self.reference))
        return ParameterBlocks(*self._volumes_and_contrasts(logs), np.empty((0, 0)))

    def _from_blocks(self, blocks: ParameterBlocks) -> AbstractCovariance:
        variances, structure = (
            _column_variances(self.reference) * np.exp(self._log_variance_changes(blocks)),
            self.structure,
        )
        free = np.zeros(len(variances), dtype=bool)
        if structure.is_spherical:
            return SphericalCovariance(structure, free, variances[:, 0].copy(), self.n_features)
        return DiagonalCovariance(structure, free, variances)

    def _block_gradient(self, blocks: ParameterBlocks, covariance_gradient: KD) -> ParameterBlocks:
        variances = _column_variances(self.reference) * np.exp(self._log_variance_changes(blocks))
        return ParameterBlocks(*self._volume_and_contrast_gradient(covariance_gradient * variances), np.empty((0, 0)))


def _column_variances(covariance: AbstractCovariance) -> KD:
    if isinstance(covariance, DiagonalCovariance):
        return covariance.variances
    return np.asarray(np.einsum("kii->ki", covariance.matrices()))


@dataclass(frozen=True)
class CholeskyParametrization(_StructuredParametrization):
    """Triangular factors relative to those (K, D, D) of the member begun at."""

    factors: KDD
    inverse_factors: KDD

    moment_kind = MomentKind.FULL

    def _to_blocks(self, covariance: AbstractCovariance) -> ParameterBlocks:
        inner = self.inverse_factors @ covariance.matrices() @ np.swapaxes(self.inverse_factors, 1, 2)
        own = linalg.cholesky_stack(inner)[0]
        logs = 2.0 * np.log(np.einsum("kii->ki", own))
        volumes, apart = self._volumes_and_contrasts(logs)
        unit = own / np.exp(0.5 * logs.mean(axis=1))[:, None, None]
        return ParameterBlocks(volumes, apart, self._average_shared(self.structure.orientation, _below_diagonal(unit)))

    def _from_blocks(self, blocks: ParameterBlocks) -> AbstractCovariance:
        factors = self.factors @ self._relative_factors(blocks)
        if self.structure.is_tied:
            return shared_from_full(full_from_factors(self.structure, factors[:1]), len(factors))
        return full_from_factors(self.structure, factors)

    def _block_gradient(self, blocks: ParameterBlocks, covariance_gradient: KDD) -> ParameterBlocks:
        """With F = L S e^(v/2): along S it is 2 e^v L^T G L S, along log volumes tr(G F F^T)."""
        own, structure = self._relative_factors(blocks), self.structure
        along = 2.0 * np.swapaxes(self.factors, 1, 2) @ covariance_gradient @ self.factors @ own
        levels = 0.5 * np.einsum("kii,kii->ki", own, along)
        rescaled = along * np.exp(0.5 * np.broadcast_to(blocks.log_volumes, len(own)))[:, None, None]
        whole = 0.5 * np.einsum("kij,kij->k", own, along)
        apart = levels @ linalg.helmert_contrasts(self.n_features).T
        return ParameterBlocks(
            sum_shared(structure.volume, whole),
            sum_shared(structure.shape, apart),
            sum_shared(structure.shape, _below_diagonal(rescaled)),
        )

    def _relative_factors(self, blocks: ParameterBlocks) -> KDD:
        """S e^(v/2), (K, D, D)."""
        n_components, n = self.factors.shape[:2]
        unit = np.zeros((n_components, n, n))
        unit[:, *np.tril_indices(n, -1)] = blocks.rotations
        volumes = np.broadcast_to(blocks.log_volumes, n_components)[:, None]
        np.einsum("kii->ki", unit)[:] = np.exp(0.5 * (self._log_variance_changes(blocks) - volumes))
        return np.asarray(unit * np.exp(0.5 * volumes)[:, :, None])


def _below_diagonal(matrices: KDD) -> Array:
    """What stands below the diagonals, (K, D (D - 1) / 2)."""
    return np.asarray(matrices[:, *np.tril_indices(matrices.shape[1], -1)])


@dataclass(frozen=True)
class CayleyParametrization(_StructuredParametrization):
    """Variances (K, D) along axes (K, D, D) that turn, all together or each by itself."""

    axis_variances: KD
    axes: KDD

    moment_kind = MomentKind.FULL

    def _to_blocks(self, covariance: AbstractCovariance) -> ParameterBlocks:
        values, axes, _ = to_eigen_arrays(covariance)
        values, turned = self._match_axes(values, np.swapaxes(self.axes, 1, 2) @ axes)
        volumes, apart = self._volumes_and_contrasts(np.log(values) - np.log(self.axis_variances))
        return ParameterBlocks(
            volumes,
            apart,
            self._average_shared(self._orientation_letter, _below_diagonal(linalg.inverse_cayley_transform(turned))),
        )

    def _from_blocks(self, blocks: ParameterBlocks) -> AbstractCovariance:
        values, axes = (
            self.axis_variances * np.exp(self._log_variance_changes(blocks)),
            self.axes @ self._rotations(blocks)[0],
        )
        return full_from_eigenpairs(self.structure, values, axes, np.zeros(len(values), dtype=bool))

    def _block_gradient(self, blocks: ParameterBlocks, covariance_gradient: KDD) -> ParameterBlocks:
        """Along Q it is 2 G Q diag(values); d(I - W)(I + W)^-1 = -2 (I + W)^-1 dW (I + W)^-1."""
        values, (turns, inner) = (
            self.axis_variances * np.exp(self._log_variance_changes(blocks)),
            self._rotations(blocks),
        )
        axes = self.axes @ turns
        along = covariance_gradient @ axes
        levels = np.einsum("kij,kij->kj", axes, along) * values
        turned = np.swapaxes(self.axes, 1, 2) @ (2.0 * along * values[:, None, :])
        outer = np.swapaxes(inner, 1, 2)
        skew = -2.0 * outer @ turned @ outer
        return ParameterBlocks(
            *self._volume_and_contrast_gradient(levels),
            sum_shared(self._orientation_letter, _below_diagonal(skew - np.swapaxes(skew, 1, 2))),
        )

    @property
    def _orientation_letter(self) -> str:
        return self.structure.orientation

    def _rotations(self, blocks: ParameterBlocks) -> tuple[KDD, KDD]:
        """(I - W)(I + W)^-1 and (I + W)^-1, (K, D, D)."""
        n_components, n = self.axis_variances.shape
        skew = np.zeros((len(blocks.rotations), n, n))
        skew[:, *np.tril_indices(n, -1)] = blocks.rotations
        skew -= np.swapaxes(skew, 1, 2)
        whole, inner = linalg.cayley_transform(skew)
        shape = (n_components, n, n)
        return np.broadcast_to(whole, shape), np.broadcast_to(inner, shape)

    def _match_axes(self, axis_variances: KD, relative_axes: KDD) -> tuple[KD, KDD]:
        """Variances and axes, relative to those before, in the order and with the signs that turn them least."""
        order = _best_axis_order(relative_axes)
        axis_variances, relative_axes = axis_variances[:, order], relative_axes[:, :, order]
        signs = np.where(np.einsum("kii->ki", relative_axes) < 0, -1.0, 1.0)
        if self._orientation_letter == "E":
            signs = np.repeat(signs[:1], len(signs), axis=0)
        return axis_variances, relative_axes * signs[:, None, :]


def _best_axis_order(relative_axes: KDD) -> IntD:
    """The one order of axes for all components in which they lie nearest to those before."""
    return np.asarray(linear_sum_assignment(-(relative_axes**2).sum(axis=0))[1])


def make_parametrization(reference: AbstractCovariance, masses: K) -> AbstractParametrization:
    """The coordinates of a structure about some of its members, for components of so many rows each."""
    structure, n = _require_mclust_structure(reference), reference.n_features
    values, axes, matrices = to_eigen_arrays(reference)

    def rows(letter: str) -> Array:
        return sum_shared(letter, masses)

    volumes = np.sqrt(0.5 * n * rows(structure.volume))
    apart = np.sqrt(0.5 * rows(structure.shape))[:, None] * np.ones(n - 1)
    if structure.is_axis_aligned:
        return DiagonalParametrization(reference, masses, ParameterBlocks(volumes, apart, np.empty((0, 0))))
    turns = np.sqrt(rows(structure.orientation))[:, None] * np.ones(n * (n - 1) // 2)
    if structure.shape == structure.orientation:
        factors = linalg.cholesky_stack(matrices)[0]
        inverses = np.swapaxes(linalg.triangular_inverse_transposes(factors), 1, 2)
        return CholeskyParametrization(reference, masses, ParameterBlocks(volumes, apart, turns), factors, inverses)
    info = sum_shared(structure.orientation, masses[:, None] * _rotation_information(values))
    return CayleyParametrization(reference, masses, ParameterBlocks(volumes, apart, np.sqrt(info)), values, axes)


def _rotation_information(axis_variances: KD) -> Array:
    """Of one row about the entries of W, which turns by twice as much: 4 (a / b + b / a - 2)."""
    first, second = np.tril_indices(axis_variances.shape[1], -1)
    ratio = axis_variances[:, first] / axis_variances[:, second]
    return np.asarray(4.0 * np.maximum(ratio + 1.0 / ratio - 2.0, _MIN_ROTATION_INFORMATION))
