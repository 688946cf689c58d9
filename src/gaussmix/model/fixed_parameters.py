"""Parameters that a fit keeps fixed, in the coordinates of its frame, and the constrained M-step.

Each part of the constrained M-step maximizes the expected likelihood given the fixed parameters, so that
the likelihood never decreases. Free weights are proportional to their mass. The scatter is taken about the
fixed means. Single covariances can only be fixed in structures whose component covariances are independent.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.core.moments import Moments
from gaussmix.covariance import AbstractCovariance, AbstractCovarianceEstimator
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import append_noise_weight, drop_noise_moments
from gaussmix.types import KD, KDD, BoolK, IntK, K


@dataclass(frozen=True, eq=False)
class FixedParameters:
    """Fixed weights (K,) and centers (K, D), NaN where free, and the covariances of some components.

    ``covariance`` has the covariances of the components where ``is_covariance_fixed`` (K,) is True, in their
    order, and is None if there are none. If ``equal_weights``, all components have the same weight; the
    noise component has a weight of its own. ``n_parameters`` is the number of fixed parameters.
    """

    equal_weights: bool
    weights: K
    centers: KD
    is_covariance_fixed: BoolK
    covariance: AbstractCovariance | None
    n_parameters: int

    @property
    def has_constrained_components(self) -> bool:
        """Whether parameters of single components are fixed, so that the order of the components matters."""
        return bool(self.is_component_constrained.any())

    @property
    def is_component_constrained(self) -> BoolK:
        """Mask (K,): True for components that have a fixed parameter."""
        return np.asarray(self.is_covariance_fixed | np.isfinite(self.weights) | np.isfinite(self.centers).any(axis=1))

    def m_step_weights(self, mass: K) -> K:
        """Return all weights (K,) after an M-step: fixed ones as they are, free ones in proportion to mass (K,).

        With noise, the mass and the result have one entry more, (K + 1,).
        """
        if self.equal_weights:
            n_components = len(self.weights)
            noise_weight = mass[n_components:] / mass.sum()
            return np.append(np.full(n_components, (1.0 - noise_weight.sum()) / n_components), noise_weight)
        weights = np.append(self.weights, np.full(len(mass) - len(self.weights), np.nan))
        is_free = np.isnan(weights)
        if not is_free.any():
            return weights
        free_mass = float(mass[is_free].sum())
        fractions = mass[is_free] / free_mass if free_mass > 0 else np.full(int(is_free.sum()), 1.0 / is_free.sum())
        weights[is_free] = (1.0 - weights[~is_free].sum()) * fractions
        return weights

    def insert_fixed_centers(self, centers: KD) -> KD:
        """Return a copy of centers (K, D) in which the fixed centers replace those of their components."""
        return np.where(np.isnan(self.centers), centers, self.centers)

    def insert_fixed_covariances(self, covariance: AbstractCovariance) -> AbstractCovariance:
        """Return the covariances of all components, in which the fixed ones replace those of their components."""
        if self.covariance is None:
            return covariance
        return (
            self.covariance
            if self.is_covariance_fixed.all()
            else covariance.replace_components(self.is_covariance_fixed, self.covariance)
        )


def apply_fixed_parameters(mixture: Mixture, fixed: FixedParameters) -> Mixture:
    """Return the mixture with the fixed parameters instead of its own; free weights are scaled to fill the rest."""
    weights = fixed.m_step_weights(append_noise_weight(mixture.weights, mixture.noise))
    covariance = fixed.insert_fixed_covariances(mixture.covariance)
    centers = fixed.insert_fixed_centers(mixture.centers)
    return replace(
        _with_weights_and_noise_weight(mixture, weights),
        centers=centers,
        covariance=covariance,
        n_fixed_parameters=fixed.n_parameters,
    )


def constrained_m_step(
    mixture: Mixture, moments: Moments, covariance_estimator: AbstractCovarianceEstimator, fixed: FixedParameters
) -> Mixture:
    """Return the mixture of an M-step: it maximizes the expected likelihood given the fixed parameters."""
    component_moments = (
        moments if mixture.noise is None else drop_noise_moments(moments, covariance_estimator.moment_kind)
    )
    with_prior = covariance_estimator.with_prior(component_moments)
    centers = fixed.insert_fixed_centers(with_prior.mean)
    if np.isfinite(fixed.centers).any():
        with_prior = with_prior.with_scatter_about(centers)
    if fixed.is_covariance_fixed.all():
        covariance = mixture.covariance
    else:
        covariance = fixed.insert_fixed_covariances(covariance_estimator.estimate(with_prior, mixture.covariance))
    weights = fixed.m_step_weights(moments.mass)
    return replace(_with_weights_and_noise_weight(mixture, weights), centers=centers, covariance=covariance)


def _with_weights_and_noise_weight(mixture: Mixture, weights: K) -> Mixture:
    """Return the mixture with other weights: those of the Gaussians (K,), then that of the noise if there is one."""
    noise = None if mixture.noise is None else replace(mixture.noise, weight=float(weights[-1]))
    return replace(mixture, weights=weights[: mixture.n_components], noise=noise)


def find_component_order_for_fixed(mixture: Mixture, fixed: FixedParameters) -> IntK:
    """Return the order (K,) of a mixture's components in which applying the fixed parameters changes them the least.

    The cost of giving the fixed parameters of component j to component k is the decrease of the expected
    log-likelihood of its rows: its mass times the divergence of the two Gaussians and of the two weights.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import

    n_components = mixture.n_components
    costs = np.array([_matching_costs(mixture, fixed, component) for component in range(n_components)])
    return np.asarray(linear_sum_assignment(costs)[1])


def _matching_costs(mixture: Mixture, fixed: FixedParameters, fixed_component: int) -> K:
    """Return the cost (K,) of giving the parameters at ``fixed_component`` to each component of the mixture."""
    roots, log_determinants = _fixed_or_own_covariances(mixture, fixed, fixed_component)
    center = fixed.centers[fixed_component]
    differences = np.where(np.isnan(center), 0.0, center - mixture.centers)
    whitened = np.einsum("kd,kde->ke", differences, roots)
    traces = np.einsum("kde,kdf,kfe->k", roots, mixture.covariance.matrices(), roots)
    squares = traces - mixture.n_features + (whitened**2).sum(axis=1)
    divergence = 0.5 * (squares + log_determinants - mixture.covariance.log_determinants)
    weight = fixed.weights[fixed_component]
    log_odds = 0.0 if np.isnan(weight) else np.log(np.maximum(mixture.weights, np.finfo(float).tiny) / weight)
    return np.asarray(mixture.weights * (divergence + log_odds))


class _RootsAndLogDeterminants(NamedTuple):
    """Roots of the precisions (K, D, D), and log determinants of the covariances (K,)."""

    precision_roots: KDD
    log_determinants: K


def _fixed_or_own_covariances(
    mixture: Mixture, fixed: FixedParameters, fixed_component: int
) -> _RootsAndLogDeterminants:
    """Return the covariance at ``fixed_component`` K times; each component's own if that covariance is free."""
    shape = mixture.centers.shape
    if fixed.covariance is None or not fixed.is_covariance_fixed[fixed_component]:
        own_roots = mixture.covariance.precision_root.to_dense(*shape)
        return _RootsAndLogDeterminants(own_roots, mixture.covariance.log_determinants)
    index, n_fixed = int(fixed.is_covariance_fixed[:fixed_component].sum()), int(fixed.is_covariance_fixed.sum())
    root = fixed.covariance.precision_root.to_dense(n_fixed, shape[1])[index]
    log_determinant = fixed.covariance.log_determinants[index]
    roots = np.broadcast_to(root, (shape[0], *root.shape))
    return _RootsAndLogDeterminants(roots, np.full(shape[0], log_determinant))
