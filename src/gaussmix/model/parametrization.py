"""A whole mixture as free numbers about one, and the gradient of the likelihood along them, from moments.

Weights are a softmax, means move in standard deviations of their component, covariances as their structure lets them
(`covariance/coordinates.py`). The gradient needs no row: with mass n_k, mean m_k and scatter W_k of a pass (Fisher's
identity; Salakhutdinov, Roweis & Ghahramani, "Optimization with EM and expectation-conjugate-gradient", ICML 2003)

    d/d log weight_k = n_k - n weight_k,    d/d mean_k = S_k^-1 n_k (m_k - mean_k),
    d/d S_k = S_k^-1 (W_k + n_k (m_k - mean_k)(m_k - mean_k)^T - n_k S_k) S_k^-1 / 2.

The numbers are in units of the Fisher information of the rows, were their components known, at the mixture begun at:
there a step along the gradient of length one is, to first order, a step of EM.
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance import AbstractCovariance
from gaussmix.covariance.factor_parametrization import LoadingsParametrization
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.parametrization import AbstractParametrization, make_parametrization
from gaussmix.model.fixed_parameters import FixedParameters
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import all_weights
from gaussmix.types import KD, KDD, Array, K

_MIN_RELATIVE_MASS = 1e-3  # of an equal share of the rows: the information on a component that dies out
_MAX_LOG_WEIGHT_CHANGE = 300.0  # of a log weight about the one begun at


@dataclass(frozen=True, eq=False)
class MixtureParametrization:
    """Numbers of mixtures of one structure about ``origin``, for rows of so much ``weight`` in all.

    ``spreads`` (K, D, D) or (K, D) are factors of the origin's covariances, or its standard deviations.
    """

    origin: Mixture
    total_weight: float
    origin_masses: K
    covariance_parametrization: AbstractParametrization
    scale_factors: Array

    @classmethod
    def from_origin(cls, origin: Mixture, total_weight: float) -> "MixtureParametrization":
        """Coordinates in which a mixture has all numbers zero."""
        own = all_weights(origin.weights, origin.noise)
        masses = total_weight * np.maximum(own, _MIN_RELATIVE_MASS / len(own))
        inner = _parametrize_covariance(origin.covariance, masses[: origin.n_components])
        return cls(origin, total_weight, masses, inner, _covariance_scale_factors(origin.covariance, inner))

    @property
    def n_parameters(self) -> int:
        return len(self.to_vector(self.origin))

    def to_vector(self, mixture: Mixture) -> Array:
        """The numbers of a mixture."""
        own, old = (all_weights(each.weights, each.noise) for each in (mixture, self.origin))
        with np.errstate(divide="ignore"):
            logs = np.log(np.where(old > 0, own, 1.0)) - np.log(np.where(old > 0, old, 1.0))
        logs = np.clip(logs, -_MAX_LOG_WEIGHT_CHANGE, _MAX_LOG_WEIGHT_CHANGE)
        logs -= self.origin_masses @ logs / self.origin_masses.sum()
        moved = self._whiten(mixture.centers - self.origin.centers) * self._sqrt_masses[:, None]
        return np.concatenate(
            [
                np.sqrt(self.origin_masses) * logs,
                moved.ravel(),
                self.covariance_parametrization.to_vector(mixture.covariance),
            ]
        )

    def to_mixture(self, vector: Array) -> Mixture:
        """The mixture that has these numbers."""
        _, centers, inner = self._split_vector(vector)
        own = self._weights_from_vector(vector)
        moved = self._unwhiten(centers / self._sqrt_masses[:, None])
        noise = None if self.origin.noise is None else replace(self.origin.noise, weight=float(own[-1]))
        return replace(
            self.origin,
            weights=own[: self.origin.n_components],
            centers=self.origin.centers + moved,
            covariance=self.covariance_parametrization.to_covariance(inner),
            noise=noise,
        )

    def gradient(
        self,
        vector: Array,
        mixture: Mixture,
        moments: Moments,
        prior_statistics: PriorStatistics | None = None,
        fixed: FixedParameters | None = None,
    ) -> Array:
        """Of log-likelihood, and log density of a prior, at a mixture that has these numbers, from its own moments.

        ``moments`` are each component's own, those of the noise at the end, full where ``inner`` wants them. Along
        what is held it is zero.
        """
        count = mixture.n_components
        own = all_weights(mixture.weights, mixture.noise)
        weights = _log_weight_gradient(own, moments.mass, self._weights_from_vector(vector), fixed) / np.sqrt(
            self.origin_masses
        )
        apart = moments.mean[:count] - mixture.centers
        means, slope = _mean_and_covariance_gradients(
            mixture,
            moments.mass[:count],
            apart,
            moments.scatter[:count],
            self.covariance_parametrization.moment_kind,
            prior_statistics,
        )
        if fixed is not None:
            means = np.where(np.isfinite(fixed.centers), 0.0, means)
            slope = np.where(fixed.is_covariance_fixed.reshape(-1, *[1] * (slope.ndim - 1)), 0.0, slope)
        moved = self._pull_back_mean_gradient(means) / self._sqrt_masses[:, None]
        inner = self.covariance_parametrization.vector_gradient(self._split_vector(vector)[2], slope)
        return np.concatenate([weights, moved.ravel(), inner])

    def _weights_from_vector(self, vector: Array) -> K:
        """Weights, that of the noise at the end."""
        with np.errstate(divide="ignore"):
            powers = np.log(all_weights(self.origin.weights, self.origin.noise))
        powers = powers + np.clip(
            self._split_vector(vector)[0] / np.sqrt(self.origin_masses), -_MAX_LOG_WEIGHT_CHANGE, _MAX_LOG_WEIGHT_CHANGE
        )
        own = np.exp(powers - powers.max())
        return np.asarray(own / own.sum())

    @property
    def _sqrt_masses(self) -> K:
        return np.sqrt(self.origin_masses[: self.origin.n_components])

    def _split_vector(self, vector: Array) -> tuple[Array, Array, Array]:
        shape = self.origin.centers.shape
        first, second = len(self.origin_masses), len(self.origin_masses) + shape[0] * shape[1]
        return vector[:first], vector[first:second].reshape(shape), vector[second:]

    def _unwhiten(self, whitened: KD) -> KD:
        if self.scale_factors.ndim == 2:
            return np.asarray(whitened * self.scale_factors)
        return np.asarray(np.einsum("kij,kj->ki", self.scale_factors, whitened))

    def _pull_back_mean_gradient(self, gradient: KD) -> KD:
        if self.scale_factors.ndim == 2:
            return np.asarray(gradient * self.scale_factors)
        return np.asarray(np.einsum("kij,ki->kj", self.scale_factors, gradient))

    def _whiten(self, differences: KD) -> KD:
        if self.scale_factors.ndim == 2:
            return np.asarray(differences / self.scale_factors)
        return linalg.solve_vectors(self.scale_factors, differences)


def _parametrize_covariance(covariance: AbstractCovariance, masses: K) -> AbstractParametrization:
    if isinstance(covariance, LowRankCovariance):
        return LoadingsParametrization(covariance, masses)
    return make_parametrization(covariance, masses)


def _covariance_scale_factors(
    covariance: AbstractCovariance, covariance_parametrization: AbstractParametrization
) -> Array:
    """Factors of covariances, or standard deviations where there are too many columns, or nothing else."""
    if isinstance(covariance, LowRankCovariance) or covariance_parametrization.moment_kind is MomentKind.DIAGONAL:
        variances = np.einsum("kii->ki", covariance.matrices())
        return np.asarray(np.sqrt(variances))
    return linalg.cholesky_stack(covariance.matrices())[0]


def _log_weight_gradient(weights: K, mass: K, unconstrained_weights: K, fixed: FixedParameters | None) -> K:
    """The gradient along log weights, of which free ones share what held ones leave.

    ``free_shares`` are the weights that the numbers would stand for if nothing were held.
    """
    if fixed is None:
        return np.asarray(mass - mass.sum() * weights)
    count = len(fixed.weights)
    if fixed.equal_weights:
        slope = mass - mass.sum() * weights
        slope[:count] = slope[:count].sum() * unconstrained_weights[:count] / unconstrained_weights[:count].sum()
        return np.asarray(slope)
    free = np.append(np.isnan(fixed.weights), np.ones(len(weights) - count, dtype=bool))
    share = weights / weights[free].sum() if free.any() else weights
    return np.where(free, mass - mass[free].sum() * share, 0.0)


def _mean_and_covariance_gradients(
    mixture: Mixture,
    mass: K,
    mean_differences: KD,
    scatter: Array,
    kind: MomentKind,
    prior_statistics: PriorStatistics | None,
) -> tuple[KD, Array]:
    """The gradient along means (K, D), and along covariances (K, D, D), or (K, D) of variances along the columns."""
    gained = 0.0 if prior_statistics is None else prior_statistics.shrinkage
    pull = np.zeros_like(mean_differences) if prior_statistics is None else prior_statistics.location - mixture.centers
    extra = 0.0 if prior_statistics is None else prior_statistics.mass
    about = (
        scatter
        + kind.weighted_outer_products(mean_differences, mass)
        + kind.weighted_outer_products(pull, np.full(len(mass), gained))
    )
    if prior_statistics is not None:
        about = about + (prior_statistics.scatter if kind is MomentKind.FULL else np.diagonal(prior_statistics.scatter))
    roots = mixture.covariance.precision_root.to_dense(*mixture.centers.shape)
    force = mass[:, None] * mean_differences + gained * pull
    if kind is MomentKind.DIAGONAL:
        precisions = (roots**2).sum(axis=2)
        return force * precisions, 0.5 * (about * precisions - (mass + extra)[:, None]) * precisions
    return _apply_precisions(roots, force), _covariance_gradient(roots, about, mass + extra)


def _apply_precisions(roots: KDD, vectors: KD) -> KD:
    return np.asarray(np.einsum("kij,klj,kl->ki", roots, roots, vectors, optimize=True))


def _covariance_gradient(roots: KDD, scatter: KDD, mass: K) -> KDD:
    white = np.swapaxes(roots, 1, 2) @ scatter @ roots
    np.einsum("kii->ki", white)[:] -= mass[:, None]
    return np.asarray(0.5 * roots @ white @ np.swapaxes(roots, 1, 2))
