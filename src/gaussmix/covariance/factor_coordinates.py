"""Loadings and noise of factor analysers as free numbers about some of their values, and gradients along them."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.coordinates import AbstractCoordinates, summed
from gaussmix.covariance.factor_structure import FactorStructure
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.types import KDD, KDQ, Array, K

_MOST = 40.0  # of a log variance about the one begun at


@dataclass(frozen=True)
class ByLoadings(AbstractCoordinates):
    """Loadings in standard deviations of the noise begun at, and log noise variances, each times a root of its rows.

    Loadings that a turn of the factors takes into one another describe the same covariance; of those the nearest to
    the ones begun at is meant.
    """

    before: LowRankCovariance
    masses: K

    kind = MomentKind.FULL

    def vector(self, covariance: AbstractCovariance) -> Array:
        assert isinstance(covariance, LowRankCovariance)
        own, old = covariance.loadings / self._deviations, self.before.loadings / self._deviations
        own = _nearest(own, old, self.shape.shares_loadings)
        logs = np.log(covariance.noise) - np.log(self.before.noise)
        loadings = self._kept(own - old, self._loadings)
        return np.concatenate([(loadings * self._rows(self._loadings, 3)).ravel(), self._noise_vector(logs)])

    def _noise_vector(self, logs: Array) -> Array:
        kept = self._kept(logs, self._noise)
        kept = kept.mean(axis=1, keepdims=True) if self.shape.is_isotropic else kept
        return np.asarray((kept * self._noise_scale).ravel())

    def covariance(self, vector: Array) -> LowRankCovariance:
        (n_components, n, q), groups = self.before.loadings.shape, len(self._rows(self._loadings, 3))
        first, second = vector[: groups * n * q], vector[groups * n * q :]
        moved = first.reshape(groups, n, q) / self._rows(self._loadings, 3)
        logs = second.reshape(self._noise_scale.shape[0], -1) / self._noise_scale
        noise = self.before.noise * np.exp(np.clip(np.broadcast_to(logs, (n_components, n)), -_MOST, _MOST))
        free = np.zeros(n_components, dtype=bool)
        return LowRankCovariance(self.shape, free, self.before.loadings + moved * self._deviations, noise)

    def pulled_back(self, vector: Array, slope: KDD) -> Array:
        """Of L L^T + N with gradient G: 2 G L along L, and along the log variances of N those times diag(G)."""
        at = self.covariance(vector)
        along = summed(self._loadings, 2.0 * slope @ at.loadings * self._deviations) / self._rows(self._loadings, 3)
        noise = summed(self._noise, np.einsum("kii->ki", slope) * at.noise)
        noise = noise.sum(axis=1, keepdims=True) if self.shape.is_isotropic else noise
        return np.concatenate([along.ravel(), (noise / self._noise_scale).ravel()])

    @property
    def shape(self) -> FactorStructure:
        assert isinstance(self.before.structure, FactorStructure)
        return self.before.structure

    @property
    def _loadings(self) -> str:
        return "E" if self.shape.shares_loadings else "V"

    @property
    def _noise(self) -> str:
        return "E" if self.shape.shares_noise else "V"

    @property
    def _deviations(self) -> Array:
        """What loadings are measured in; loadings that are one for all components move as one, so in one measure."""
        logs = np.log(self.before.noise)
        return np.asarray(np.exp(0.5 * np.broadcast_to(self._kept(logs, self._loadings), logs.shape))[:, :, None])

    def _rows(self, letter: str, n_axes: int) -> Array:
        """Roots of the rows that a part is read from, one for each component or one for all."""
        found: Array = np.sqrt(summed(letter, self.masses)).reshape(-1, *[1] * (n_axes - 1))
        return found

    @property
    def _noise_scale(self) -> Array:
        columns = self.before.n_features if self.shape.is_isotropic else 1
        each = np.sqrt(0.5 * columns) * np.ones((1, self.before.n_features // columns))
        return np.asarray(self._rows(self._noise, 2) * each)

    def _kept(self, each: Array, letter: str) -> Array:
        return each if letter == "V" else np.average(each, axis=0, weights=self.masses)[None]


def _nearest(loadings: KDQ, targets: KDQ, shared: bool) -> KDQ:
    """Loadings after the turn of the factors that brings them nearest to others (orthogonal Procrustes)."""
    crossed = np.swapaxes(loadings, 1, 2) @ targets
    crossed = np.broadcast_to(crossed.sum(axis=0), crossed.shape) if shared else crossed
    return np.asarray(loadings @ linalg.nearest_turns(crossed))
