"""Loadings and noise of factor analysers as free numbers about some of their values, and gradients along them."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.factor_structure import FactorStructure
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.parametrization import AbstractParametrization, sum_shared
from gaussmix.types import KDD, KDQ, Array, K

_MAX_LOG_VARIANCE_CHANGE = 40.0  # of a log variance about the one begun at


@dataclass(frozen=True)
class LoadingsParametrization(AbstractParametrization):
    """Loadings in standard deviations of the noise begun at, and log noise variances, each times a root of its rows.

    Loadings that a turn of the factors takes into one another describe the same covariance; of those the nearest to
    the ones begun at is meant.
    """

    reference: LowRankCovariance
    masses: K

    moment_kind = MomentKind.FULL

    def to_vector(self, covariance: AbstractCovariance) -> Array:
        assert isinstance(covariance, LowRankCovariance)
        own, old = covariance.loadings / self._noise_deviations, self.reference.loadings / self._noise_deviations
        own = _rotate_to_targets(own, old, self.factor_structure.has_shared_loadings)
        logs = np.log(covariance.noise_variance) - np.log(self.reference.noise_variance)
        loadings = self._average_shared(own - old, self._loadings_letter)
        return np.concatenate(
            [(loadings * self._root_row_counts(self._loadings_letter, 3)).ravel(), self._noise_variance_vector(logs)]
        )

    def _noise_variance_vector(self, log_variance_changes: Array) -> Array:
        kept = self._average_shared(log_variance_changes, self._noise_variance_letter)
        kept = kept.mean(axis=1, keepdims=True) if self.factor_structure.has_isotropic_noise_variance else kept
        return np.asarray((kept * self._noise_variance_scale).ravel())

    def to_covariance(self, vector: Array) -> LowRankCovariance:
        (n_components, n, q), groups = (
            self.reference.loadings.shape,
            len(self._root_row_counts(self._loadings_letter, 3)),
        )
        first, second = vector[: groups * n * q], vector[groups * n * q :]
        moved = first.reshape(groups, n, q) / self._root_row_counts(self._loadings_letter, 3)
        logs = second.reshape(self._noise_variance_scale.shape[0], -1) / self._noise_variance_scale
        noise = self.reference.noise_variance * np.exp(
            np.clip(np.broadcast_to(logs, (n_components, n)), -_MAX_LOG_VARIANCE_CHANGE, _MAX_LOG_VARIANCE_CHANGE)
        )
        free = np.zeros(n_components, dtype=bool)
        return LowRankCovariance(
            self.factor_structure, free, self.reference.loadings + moved * self._noise_deviations, noise
        )

    def vector_gradient(self, vector: Array, covariance_gradient: KDD) -> Array:
        """Of L L^T + N with gradient G: 2 G L along L, and along the log variances of N those times diag(G)."""
        at = self.to_covariance(vector)
        along = sum_shared(
            self._loadings_letter, 2.0 * covariance_gradient @ at.loadings * self._noise_deviations
        ) / self._root_row_counts(self._loadings_letter, 3)
        noise = sum_shared(self._noise_variance_letter, np.einsum("kii->ki", covariance_gradient) * at.noise_variance)
        noise = noise.sum(axis=1, keepdims=True) if self.factor_structure.has_isotropic_noise_variance else noise
        return np.concatenate([along.ravel(), (noise / self._noise_variance_scale).ravel()])

    @property
    def factor_structure(self) -> FactorStructure:
        assert isinstance(self.reference.structure, FactorStructure)
        return self.reference.structure

    @property
    def _loadings_letter(self) -> str:
        return "E" if self.factor_structure.has_shared_loadings else "V"

    @property
    def _noise_variance_letter(self) -> str:
        return "E" if self.factor_structure.has_shared_noise_variance else "V"

    @property
    def _noise_deviations(self) -> Array:
        """What loadings are measured in; loadings that are one for all components move as one, so in one measure."""
        logs = np.log(self.reference.noise_variance)
        return np.asarray(
            np.exp(0.5 * np.broadcast_to(self._average_shared(logs, self._loadings_letter), logs.shape))[:, :, None]
        )

    def _root_row_counts(self, letter: str, n_axes: int) -> Array:
        """Roots of the rows that a part is read from, one for each component or one for all."""
        found: Array = np.sqrt(sum_shared(letter, self.masses)).reshape(-1, *[1] * (n_axes - 1))
        return found

    @property
    def _noise_variance_scale(self) -> Array:
        columns = self.reference.n_features if self.factor_structure.has_isotropic_noise_variance else 1
        each = np.sqrt(0.5 * columns) * np.ones((1, self.reference.n_features // columns))
        return np.asarray(self._root_row_counts(self._noise_variance_letter, 2) * each)

    def _average_shared(self, per_component: Array, letter: str) -> Array:
        return per_component if letter == "V" else np.average(per_component, axis=0, weights=self.masses)[None]


def _rotate_to_targets(loadings: KDQ, targets: KDQ, is_shared: bool) -> KDQ:
    """Loadings after the turn of the factors that brings them nearest to others (orthogonal Procrustes)."""
    crossed = np.swapaxes(loadings, 1, 2) @ targets
    crossed = np.broadcast_to(crossed.sum(axis=0), crossed.shape) if is_shared else crossed
    return np.asarray(loadings @ linalg.procrustes_rotations(crossed))
