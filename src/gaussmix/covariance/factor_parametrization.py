"""Loadings and noise variances of factor analysers as unconstrained numbers relative to a reference, and gradients."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.factor_structure import FactorStructure
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.parametrization_base import MAX_LOG_VARIANCE_CHANGE, AbstractParametrization, sum_if_shared
from gaussmix.types import KDD, KDQ, Array, K


@dataclass(frozen=True)
class LoadingsParametrization(AbstractParametrization):
    """Loadings in noise standard deviations of the reference, and log noise variances.

    Both are scaled by square roots of row counts. Loadings that differ by a rotation of the factors describe the same
    covariance; the rotation nearest to the reference is used.
    """

    reference: LowRankCovariance
    masses: K

    moment_kind = MomentKind.FULL

    def to_vector(self, covariance: AbstractCovariance) -> Array:
        """Return the vector of low-rank covariances: scaled changes of loadings, then of log noise variances."""
        assert isinstance(covariance, LowRankCovariance)
        scaled, reference = (
            covariance.loadings / self._loading_units,
            self.reference.loadings / self._loading_units,
        )
        scaled = _rotate_to_targets(scaled, reference, self.factor_structure.has_shared_loadings)
        log_changes = np.log(covariance.noise_variance) - np.log(self.reference.noise_variance)
        loadings = self._average_if_shared(self._loadings_letter, scaled - reference)
        return np.concatenate(
            [
                (loadings * self._root_masses_summed_if_shared(self._loadings_letter, 3)).ravel(),
                self._noise_variance_vector(log_changes),
            ]
        )

    def _noise_variance_vector(self, log_variance_changes: Array) -> Array:
        """Return the part of the vector for changes of log noise variances (K, D)."""
        kept = self._average_if_shared(self._noise_variance_letter, log_variance_changes)
        kept = kept.mean(axis=1, keepdims=True) if self.factor_structure.has_isotropic_noise_variance else kept
        return np.asarray((kept * self._noise_variance_scale).ravel())

    def to_covariance(self, vector: Array) -> LowRankCovariance:
        """Return the low-rank covariances of a vector."""
        (n_components, n, q), n_groups = (
            self.reference.loadings.shape,
            len(self._root_masses_summed_if_shared(self._loadings_letter, 3)),
        )
        first, second = vector[: n_groups * n * q], vector[n_groups * n * q :]
        changes = first.reshape(n_groups, n, q) / self._root_masses_summed_if_shared(self._loadings_letter, 3)
        log_changes = second.reshape(self._noise_variance_scale.shape[0], -1) / self._noise_variance_scale
        noise_variance = self.reference.noise_variance * np.exp(
            np.clip(np.broadcast_to(log_changes, (n_components, n)), -MAX_LOG_VARIANCE_CHANGE, MAX_LOG_VARIANCE_CHANGE)
        )
        is_floored = np.zeros(n_components, dtype=bool)
        return LowRankCovariance(
            self.factor_structure,
            is_floored,
            self.reference.loadings + changes * self._loading_units,
            noise_variance,
        )

    def vector_gradient(self, vector: Array, covariance_gradient: KDD) -> Array:
        """Return the gradient with respect to the vector, from that with respect to covariances (K, D, D).

        For L L^T + N it is 2 G L with respect to L, and N diag(G) with respect to the log variances of N.
        """
        covariance = self.to_covariance(vector)
        loadings_gradient = sum_if_shared(
            self._loadings_letter, 2.0 * covariance_gradient @ covariance.loadings * self._loading_units
        ) / self._root_masses_summed_if_shared(self._loadings_letter, 3)
        noise_gradient = sum_if_shared(
            self._noise_variance_letter, np.einsum("kii->ki", covariance_gradient) * covariance.noise_variance
        )
        noise_gradient = (
            noise_gradient.sum(axis=1, keepdims=True)
            if self.factor_structure.has_isotropic_noise_variance
            else noise_gradient
        )
        return np.concatenate([loadings_gradient.ravel(), (noise_gradient / self._noise_variance_scale).ravel()])

    @property
    def factor_structure(self) -> FactorStructure:
        """The structure of the reference."""
        assert isinstance(self.reference.structure, FactorStructure)
        return self.reference.structure

    @property
    def _loadings_letter(self) -> str:
        """'E' if all components share their loadings, else 'V'."""
        return "E" if self.factor_structure.has_shared_loadings else "V"

    @property
    def _noise_variance_letter(self) -> str:
        """'E' if all components share their noise variances, else 'V'."""
        return "E" if self.factor_structure.has_shared_noise_variance else "V"

    @property
    def _loading_units(self) -> Array:
        """Noise deviations of the reference (K, D, 1), the units of loadings; shared loadings have common ones."""
        logs = np.log(self.reference.noise_variance)
        return np.asarray(
            np.exp(0.5 * np.broadcast_to(self._average_if_shared(self._loadings_letter, logs), logs.shape))[:, :, None]
        )

    def _root_masses_summed_if_shared(self, letter: str, ndim: int) -> Array:
        """Return square roots of the row counts, (K, 1, ...), or of their sum, (1, 1, ...), for letter E."""
        roots: Array = np.sqrt(sum_if_shared(letter, self.masses)).reshape(-1, *[1] * (ndim - 1))
        return roots

    @property
    def _noise_variance_scale(self) -> Array:
        """Square roots of the Fisher information of the log noise variances, (1 or K, 1 or D)."""
        columns = self.reference.n_features if self.factor_structure.has_isotropic_noise_variance else 1
        each = np.sqrt(0.5 * columns) * np.ones((1, self.reference.n_features // columns))
        return np.asarray(self._root_masses_summed_if_shared(self._noise_variance_letter, 2) * each)

    def _average_if_shared(self, letter: str, per_component: Array) -> Array:
        """Return numbers per component (K, ...), or their mean (1, ...) for letter E."""
        return per_component if letter == "V" else np.average(per_component, axis=0, weights=self.masses)[None]


def _rotate_to_targets(loadings: KDQ, targets: KDQ, has_common_rotation: bool) -> KDQ:
    """Return loadings whose factors are rotated so that they are nearest to ``targets`` (orthogonal Procrustes)."""
    products = np.swapaxes(loadings, 1, 2) @ targets
    products = np.broadcast_to(products.sum(axis=0), products.shape) if has_common_rotation else products
    return np.asarray(loadings @ linalg.procrustes_rotations(products))
