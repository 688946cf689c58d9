"""The socket for parametrizations of covariances, and what those of mclust's structures have in common."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.structure import MclustStructure
from gaussmix.types import KD, Array, K

MAX_LOG_VARIANCE_CHANGE = 40.0  # relative to the reference; squares of larger changes overflow


class AbstractParametrization(ABC):
    """Unconstrained numbers for covariances near reference covariances.

    ``moment_kind`` is the scatter that a gradient needs.
    """

    moment_kind: MomentKind

    @abstractmethod
    def to_vector(self, covariance: AbstractCovariance) -> Array:
        """Return the vector of unconstrained numbers of covariances of the structure; zero for the reference."""

    @abstractmethod
    def to_covariance(self, vector: Array) -> AbstractCovariance:
        """Return the covariances of a vector of unconstrained numbers."""

    @abstractmethod
    def vector_gradient(self, vector: Array, covariance_gradient: Array) -> Array:
        """Return the gradient with respect to the vector, from that with respect to the covariances.

        ``covariance_gradient`` is the gradient with respect to the covariances (K, D, D) or to their variances (K, D).
        """


@dataclass(frozen=True)
class ParameterBlocks:
    """The numbers of a parametrization by meaning.

    ``log_volumes`` have the length 1 or K, ``shape_contrasts`` the shape (0, 1 or K, D - 1), and ``rotations`` the
    shape (0, 1 or K, D (D - 1) / 2).
    """

    log_volumes: Array
    shape_contrasts: Array
    rotations: Array

    def to_vector(self) -> Array:
        """Return all numbers as one vector."""
        return np.concatenate([self.log_volumes.ravel(), self.shape_contrasts.ravel(), self.rotations.ravel()])

    def split_vector(self, vector: Array) -> "ParameterBlocks":
        """Return the blocks of a vector, of the same shapes as these."""
        first, second = self.log_volumes.size, self.log_volumes.size + self.shape_contrasts.size
        parts = np.split(vector, [first, second])
        shapes = (self.log_volumes.shape, self.shape_contrasts.shape, self.rotations.shape)
        return ParameterBlocks(*(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))

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
class StructuredParametrization(AbstractParametrization):
    """Volumes and shapes, which all parametrizations of mclust's structures have in common.

    ``scales`` are square roots of the Fisher information of each number.
    """

    reference: AbstractCovariance
    masses: K
    scales: ParameterBlocks

    def to_vector(self, covariance: AbstractCovariance) -> Array:
        """Return the scaled vector of covariances of the structure; zero for the reference."""
        return (self._to_blocks(covariance) * self.scales).to_vector()

    def to_covariance(self, vector: Array) -> AbstractCovariance:
        """Return the covariances of a scaled vector."""
        return self._from_blocks(self._unscale_and_clip_volumes(vector))

    def vector_gradient(self, vector: Array, covariance_gradient: Array) -> Array:
        """Return the gradient with respect to the scaled vector, from that with respect to the covariances."""
        return (
            self._block_gradient(self._unscale_and_clip_volumes(vector), covariance_gradient) / self.scales
        ).to_vector()

    def _unscale_and_clip_volumes(self, vector: Array) -> ParameterBlocks:
        """Return the blocks of a vector without its scales, with volumes that do not overflow."""
        blocks = self.scales.split_vector(vector) / self.scales
        return ParameterBlocks(
            np.clip(blocks.log_volumes, -MAX_LOG_VARIANCE_CHANGE, MAX_LOG_VARIANCE_CHANGE),
            blocks.shape_contrasts,
            blocks.rotations,
        )

    @abstractmethod
    def _to_blocks(self, covariance: AbstractCovariance) -> ParameterBlocks:
        """Return the changes of volumes, contrasts and rotations from the reference to these covariances, unscaled."""

    @abstractmethod
    def _from_blocks(self, blocks: ParameterBlocks) -> AbstractCovariance:
        """Return the covariances at these unscaled changes of volumes, contrasts and rotations."""

    @abstractmethod
    def _block_gradient(self, blocks: ParameterBlocks, covariance_gradient: Array) -> ParameterBlocks:
        """Return the gradient with respect to the blocks, from that with respect to the covariances."""

    @property
    def structure(self) -> MclustStructure:
        """The structure of the reference."""
        return require_mclust_structure(self.reference)

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return self.reference.n_features

    def _average_if_shared(self, letter: str, per_component: Array) -> Array:
        """Return numbers per component (K, ...), their mean (1, ...) for letter E, or an empty array for letter I."""
        if letter == "V":
            return per_component
        if letter == "I":
            return per_component[:0]
        return np.average(per_component, axis=0, weights=self.masses)[None]

    def _log_variance_changes(self, blocks: ParameterBlocks) -> KD:
        """Return the changes of log variances (K, D) that volumes and contrasts make."""
        contrast_changes = (
            blocks.shape_contrasts @ linalg.helmert_contrasts(self.n_features)
            if blocks.shape_contrasts.shape[0]
            else 0.0
        )
        logs = blocks.log_volumes[:, None] + contrast_changes
        return np.asarray(
            np.broadcast_to(
                np.clip(logs, -MAX_LOG_VARIANCE_CHANGE, MAX_LOG_VARIANCE_CHANGE), (len(self.masses), self.n_features)
            )
        )

    def _volumes_and_contrasts(self, log_variances: KD) -> tuple[Array, Array]:
        """Return the log volumes and the shape contrasts of log variances (K, D), averaged where shared."""
        structure, volumes = self.structure, log_variances.mean(axis=1)
        contrasts = (log_variances - volumes[:, None]) @ linalg.helmert_contrasts(self.n_features).T
        return self._average_if_shared(structure.volume, volumes), self._average_if_shared(structure.shape, contrasts)

    def _volume_and_contrast_gradient(self, log_variance_gradient: KD) -> tuple[Array, Array]:
        """Return the gradients with respect to volumes and to contrasts, from that by log variances (K, D)."""
        structure, contrasts = self.structure, log_variance_gradient @ linalg.helmert_contrasts(self.n_features).T
        return sum_if_shared(structure.volume, log_variance_gradient.sum(axis=1)), sum_if_shared(
            structure.shape, contrasts
        )


def require_mclust_structure(covariance: AbstractCovariance) -> MclustStructure:
    """Return the structure of covariances, or raise TypeError if it is no structure of mclust."""
    if not isinstance(covariance.structure, MclustStructure):
        raise TypeError(f"structure {covariance.structure} has no volume, shape and orientation")
    return covariance.structure


def sum_if_shared(letter: str, per_component: Array) -> Array:
    """Return a gradient per component (K, ...), its sum (1, ...) for letter E, or an empty array for letter I."""
    if letter == "V":
        return per_component
    return per_component[:0] if letter == "I" else per_component.sum(axis=0, keepdims=True)
