"""Unconstrained parameter vectors of mixtures, and the gradient of the likelihood with respect to them.

A vector describes a mixture relative to an origin. Weights are a softmax, means are measured in standard deviations of
their component, and covariances follow their structure (`covariance/parametrization.py`). The gradient needs only the
mass n_k, mean m_k and scatter W_k of a pass over the rows (Fisher's identity; Salakhutdinov, Roweis & Ghahramani,
"Optimization with EM and expectation-conjugate-gradient", ICML 2003):

    d/d log weight_k = n_k - n weight_k,    d/d mean_k = S_k^-1 n_k (m_k - mean_k),
    d/d S_k = S_k^-1 (W_k + n_k (m_k - mean_k)(m_k - mean_k)^T - n_k S_k) S_k^-1 / 2.

Parameters are scaled by the square root of the complete-data Fisher information at the origin. There, a gradient
step of length one equals an EM step to first order.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance import AbstractCovariance
from gaussmix.covariance.factor_parametrization import LoadingsParametrization
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.parametrization import make_parametrization
from gaussmix.covariance.parametrization_base import AbstractParametrization
from gaussmix.model.fixed_parameters import FixedParameters
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import append_noise_weight
from gaussmix.types import KD, KDD, Array, K

_MIN_RELATIVE_MASS = 1e-3  # lower bound of a component's mass, relative to equal weights, for the Fisher information
_MAX_LOG_WEIGHT_CHANGE = 300.0  # relative to the origin


class _VectorParts(NamedTuple):
    """Parts of a parameter vector: for log weights, (K,) or with noise (K + 1,), means (K, D) and covariances (p,)."""

    log_weights: K
    means: KD
    covariance_vector: Array


@dataclass(frozen=True, eq=False)
class MixtureParametrization:
    """A map between the mixtures of a structure and vectors, in which ``origin`` is zero.

    ``total_weight`` is that of the rows, ``origin_masses`` (K,), or (K + 1,) with noise, is how it is distributed
    over the components of the origin. ``scale_factors`` are factors (K, D, D) of the origin's covariances, or its
    standard deviations (K, D).
    """

    origin: Mixture
    total_weight: float
    origin_masses: K
    covariance_parametrization: AbstractParametrization
    scale_factors: Array

    @classmethod
    def from_origin(cls, origin: Mixture, total_weight: float) -> "MixtureParametrization":
        """Make the parametrization in which a mixture is the zero vector, for rows of this total weight."""
        weights = append_noise_weight(origin.weights, origin.noise)
        masses = total_weight * np.maximum(weights, _MIN_RELATIVE_MASS / len(weights))
        covariance_parametrization = _parametrize_changes_from(origin.covariance, masses[: origin.n_components])
        return cls(
            origin,
            total_weight,
            masses,
            covariance_parametrization,
            _cholesky_factors_or_deviations(origin.covariance, covariance_parametrization),
        )

    @property
    def n_parameters(self) -> int:
        """Length of a parameter vector."""
        return len(self.to_vector(self.origin))

    def to_vector(self, mixture: Mixture) -> Array:
        """Return the parameter vector (n_parameters,) of a mixture; zero for the origin."""
        weights, origin_weights = (append_noise_weight(model.weights, model.noise) for model in (mixture, self.origin))
        with np.errstate(divide="ignore"):
            log_ratios = np.log(np.where(origin_weights > 0, weights, 1.0)) - np.log(
                np.where(origin_weights > 0, origin_weights, 1.0)
            )
        log_ratios = np.clip(log_ratios, -_MAX_LOG_WEIGHT_CHANGE, _MAX_LOG_WEIGHT_CHANGE)
        log_ratios -= self.origin_masses @ log_ratios / self.origin_masses.sum()
        means = self._whiten(mixture.centers - self.origin.centers) * self._sqrt_component_masses[:, None]
        return np.concatenate(
            [
                np.sqrt(self.origin_masses) * log_ratios,
                means.ravel(),
                self.covariance_parametrization.to_vector(mixture.covariance),
            ]
        )

    def to_mixture(self, vector: Array) -> Mixture:
        """Return the mixture that a parameter vector describes."""
        _, scaled_means, covariance_vector = self._split_vector(vector)
        weights = self._weights_from_vector(vector)
        mean_changes = self._unwhiten(scaled_means / self._sqrt_component_masses[:, None])
        noise = None if self.origin.noise is None else replace(self.origin.noise, weight=float(weights[-1]))
        return replace(
            self.origin,
            weights=weights[: self.origin.n_components],
            centers=self.origin.centers + mean_changes,
            covariance=self.covariance_parametrization.to_covariance(covariance_vector),
            noise=noise,
        )

    def log_posterior_gradient(
        self,
        vector: Array,
        mixture: Mixture,
        moments: Moments,
        prior_statistics: PriorStatistics | None = None,
        fixed: FixedParameters | None = None,
    ) -> Array:
        """Return the gradient of log-likelihood plus log prior with respect to the vector, (n_parameters,).

        Parameters
        ----------
        vector, mixture
            The same mixture in both forms.
        moments : Moments
            Moments under ``mixture``, unpooled, of the kind of the covariance parametrization, noise last.
        prior_statistics : PriorStatistics, optional
        fixed : FixedParameters, optional
            The gradient with respect to fixed parameters is zero.
        """
        n_components, kind = mixture.n_components, self.covariance_parametrization.moment_kind
        component_moments = replace(
            moments,
            mass=moments.mass[:n_components],
            mean=moments.mean[:n_components],
            scatter=moments.scatter[:n_components],
        )
        weights = append_noise_weight(mixture.weights, mixture.noise)
        weight_gradient = _log_weight_gradient(weights, moments.mass, self._weights_from_vector(vector), fixed)
        means, covariances = _mean_and_covariance_gradients(mixture, component_moments, kind, prior_statistics)
        if fixed is not None:
            means = np.where(np.isfinite(fixed.centers), 0.0, means)
            mask = fixed.is_covariance_fixed.reshape(-1, *[1] * (covariances.ndim - 1))
            covariances = np.where(mask, 0.0, covariances)
        mean_gradient = self._whitened_mean_gradient(means) / self._sqrt_component_masses[:, None]
        inner = self.covariance_parametrization.vector_gradient(self._split_vector(vector)[2], covariances)
        return np.concatenate([weight_gradient / np.sqrt(self.origin_masses), mean_gradient.ravel(), inner])

    def _weights_from_vector(self, vector: Array) -> K:
        """Return the weights (K,) that a vector describes; with noise (K + 1,), its weight last."""
        changes = self._split_vector(vector)[0] / np.sqrt(self.origin_masses)
        with np.errstate(divide="ignore"):
            logs = np.log(append_noise_weight(self.origin.weights, self.origin.noise))
        logs = logs + np.clip(changes, -_MAX_LOG_WEIGHT_CHANGE, _MAX_LOG_WEIGHT_CHANGE)
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())

    @property
    def _sqrt_component_masses(self) -> K:
        """Square roots of the masses of the Gaussians at the origin, (K,)."""
        return np.sqrt(self.origin_masses[: self.origin.n_components])

    def _split_vector(self, vector: Array) -> _VectorParts:
        """Return the parts of a vector that describe weights, means (K, D) and covariances."""
        shape = self.origin.centers.shape
        first, second = len(self.origin_masses), len(self.origin_masses) + shape[0] * shape[1]
        return _VectorParts(vector[:first], vector[first:second].reshape(shape), vector[second:])

    def _unwhiten(self, whitened: KD) -> KD:
        """Return F_k v_k, (K, D): vectors in standard deviations of their component, converted to the frame."""
        if self.scale_factors.ndim == 2:
            return np.asarray(whitened * self.scale_factors)
        return np.asarray(np.einsum("kij,kj->ki", self.scale_factors, whitened))

    def _whitened_mean_gradient(self, mean_gradient: KD) -> KD:
        """Return F_k^T g_k, (K, D): the gradient with respect to whitened means, from that with respect to means."""
        if self.scale_factors.ndim == 2:
            return np.asarray(mean_gradient * self.scale_factors)
        return np.asarray(np.einsum("kij,ki->kj", self.scale_factors, mean_gradient))

    def _whiten(self, differences: KD) -> KD:
        """Return F_k^-1 d_k, (K, D): differences in the frame, converted to standard deviations of their component."""
        if self.scale_factors.ndim == 2:
            return np.asarray(differences / self.scale_factors)
        return linalg.solve_vectors(self.scale_factors, differences)


def _parametrize_changes_from(covariance: AbstractCovariance, masses: K) -> AbstractParametrization:
    """Return the parametrization in which a covariance is zero, given the masses of its components (K,)."""
    if isinstance(covariance, LowRankCovariance):
        return LoadingsParametrization(covariance, masses)
    return make_parametrization(covariance, masses)


def _cholesky_factors_or_deviations(
    covariance: AbstractCovariance, covariance_parametrization: AbstractParametrization
) -> Array:
    """Return Cholesky factors (K, D, D), or standard deviations (K, D) for low-rank and diagonal covariances."""
    if isinstance(covariance, LowRankCovariance) or covariance_parametrization.moment_kind is MomentKind.DIAGONAL:
        variances = np.einsum("kii->ki", covariance.matrices())
        return np.asarray(np.sqrt(variances))
    return linalg.cholesky_stack(covariance.matrices())[0]


def _log_weight_gradient(weights: K, mass: K, unconstrained_weights: K, fixed: FixedParameters | None) -> K:
    """Return the gradient with respect to log weights, (K,) or (K + 1,) with noise, zero for fixed weights.

    ``unconstrained_weights`` are the weights of the vector if none were fixed.
    """
    if fixed is None:
        return np.asarray(mass - mass.sum() * weights)
    n_components = len(fixed.weights)
    if fixed.equal_weights:
        gradient, proportions = mass - mass.sum() * weights, unconstrained_weights[:n_components]
        gradient[:n_components] = gradient[:n_components].sum() * proportions / proportions.sum()
        return np.asarray(gradient)
    is_free = np.append(np.isnan(fixed.weights), np.ones(len(weights) - n_components, dtype=bool))
    fractions = weights / weights[is_free].sum() if is_free.any() else weights
    return np.where(is_free, mass - mass[is_free].sum() * fractions, 0.0)


def _mean_and_covariance_gradients(
    mixture: Mixture, moments: Moments, kind: MomentKind, prior_statistics: PriorStatistics | None
) -> tuple[KD, Array]:
    """Return the gradients with respect to means (K, D) and to covariances (K, D, D), or variances (K, D)."""
    mass, differences = moments.mass, moments.mean - mixture.centers
    shrinkage = 0.0 if prior_statistics is None else prior_statistics.shrinkage
    prior_mass = 0.0 if prior_statistics is None else prior_statistics.mass
    prior_differences = (
        np.zeros_like(differences) if prior_statistics is None else prior_statistics.location - mixture.centers
    )
    scatter = (
        moments.scatter
        + kind.weighted_outer_products(differences, mass)
        + kind.weighted_outer_products(prior_differences, np.full(len(mass), shrinkage))
    )
    if prior_statistics is not None:
        prior_scatter = prior_statistics.scatter
        scatter = scatter + (prior_scatter if kind is MomentKind.FULL else np.diagonal(prior_scatter))
    roots = mixture.covariance.precision_root.to_dense(*mixture.centers.shape)
    forces = mass[:, None] * differences + shrinkage * prior_differences
    if kind is MomentKind.DIAGONAL:
        precisions = (roots**2).sum(axis=2)
        return forces * precisions, 0.5 * (scatter * precisions - (mass + prior_mass)[:, None]) * precisions
    return _apply_precisions(roots, forces), _covariance_gradient(roots, scatter, mass + prior_mass)


def _apply_precisions(precision_roots: KDD, vectors: KD) -> KD:
    """Return P_k v_k, (K, D), for precisions with the roots (K, D, D) and vectors (K, D)."""
    return np.asarray(np.einsum("kij,klj,kl->ki", precision_roots, precision_roots, vectors, optimize=True))


def _covariance_gradient(precision_roots: KDD, scatter: KDD, mass: K) -> KDD:
    """Return S_k^-1 (scatter_k - mass_k S_k) S_k^-1 / 2, (K, D, D), from precision roots (K, D, D)."""
    whitened = np.swapaxes(precision_roots, 1, 2) @ scatter @ precision_roots
    np.einsum("kii->ki", whitened)[:] -= mass[:, None]
    return np.asarray(0.5 * precision_roots @ whitened @ np.swapaxes(precision_roots, 1, 2))
