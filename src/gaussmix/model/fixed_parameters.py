"""Parameters that a fit keeps fixed, in the coordinates of its frame, and the constrained M-step.

Each part of the constrained M-step maximizes the expected likelihood given the fixed parameters, so that
the likelihood never decreases. Free weights are proportional to their mass. The scatter is taken about the
fixed means. Single covariances can only be fixed in structures whose component covariances are independent.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.core.moments import Moments
from gaussmix.covariance import AbstractCovariance, AbstractCovarianceEstimator
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import all_weights, drop_noise
from gaussmix.types import KD, KDD, BoolK, IntD, K


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
        return bool(self.is_constrained.any())

    @property
    def is_constrained(self) -> BoolK:
        """Mask (K,) of the components that have a fixed parameter."""
        return np.asarray(self.is_covariance_fixed | np.isfinite(self.weights) | np.isfinite(self.centers).any(axis=1))

    def compute_weights(self, mass: K) -> K:
        """Return the weights that maximize the expected likelihood for components of a given mass (K,).

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

    def replace_centers(self, centers: KD) -> KD:
        """Return centers (K, D) with the fixed ones in place."""
        return np.where(np.isnan(self.centers), centers, self.centers)

    def replace_covariances(self, covariance: AbstractCovariance) -> AbstractCovariance:
        """Return covariances with the fixed ones in place."""
        if self.covariance is None:
            return covariance
        return (
            self.covariance
            if self.is_covariance_fixed.all()
            else covariance.replace_components(self.is_covariance_fixed, self.covariance)
        )


def apply_fixed(mixture: Mixture, fixed: FixedParameters) -> Mixture:
    """Return a mixture with the fixed parameters in place of its own."""
    weights = fixed.compute_weights(all_weights(mixture.weights, mixture.noise))
    covariance = fixed.replace_covariances(mixture.covariance)
    centers = fixed.replace_centers(mixture.centers)
    return replace(
        _with_weights(mixture, weights), centers=centers, covariance=covariance, n_fixed_parameters=fixed.n_parameters
    )


def constrained_m_step(
    mixture: Mixture, moments: Moments, covariance_estimator: AbstractCovarianceEstimator, fixed: FixedParameters
) -> Mixture:
    """Return the mixture that maximizes the expected likelihood given the fixed parameters."""
    component_moments = moments if mixture.noise is None else drop_noise(moments, covariance_estimator.moment_kind)
    with_prior = covariance_estimator.with_prior(component_moments)
    centers = fixed.replace_centers(with_prior.mean)
    if np.isfinite(fixed.centers).any():
        with_prior = with_prior.with_scatter_about(centers)
    if fixed.is_covariance_fixed.all():
        covariance = mixture.covariance
    else:
        covariance = fixed.replace_covariances(covariance_estimator.estimate(with_prior, mixture.covariance))
    return replace(_with_weights(mixture, fixed.compute_weights(moments.mass)), centers=centers, covariance=covariance)


def _with_weights(mixture: Mixture, weights: K) -> Mixture:
    """Return the mixture with other weights, the noise weight at the end."""
    noise = None if mixture.noise is None else replace(mixture.noise, weight=float(weights[-1]))
    return replace(mixture, weights=weights[: mixture.n_components], noise=noise)


def match_components_to_fixed(mixture: Mixture, fixed: FixedParameters) -> IntD:
    """Return the order of a mixture's components in which applying the fixed parameters changes them the least.

    The cost of giving the fixed parameters of component j to component k is the decrease of the expected
    log-likelihood of its rows: its mass times the divergence of the two Gaussians and of the two weights.
    """
    n_components = mixture.n_components
    costs = np.array([_matching_costs(mixture, fixed, component) for component in range(n_components)])
    return np.asarray(linear_sum_assignment(costs)[1])


def _matching_costs(mixture: Mixture, fixed: FixedParameters, component: int) -> K:
    """Return the cost (K,) of giving the fixed parameters of one component to each component of the mixture."""
    roots, log_determinants = _target_covariances(mixture, fixed, component)
    center = fixed.centers[component]
    differences = np.where(np.isnan(center), 0.0, center - mixture.centers)
    whitened = np.einsum("kd,kde->ke", differences, roots)
    traces = np.einsum("kde,kdf,kfe->k", roots, mixture.covariance.matrices(), roots)
    squares = traces - mixture.n_features + (whitened**2).sum(axis=1)
    divergence = 0.5 * (squares + log_determinants - mixture.covariance.log_determinants)
    weight = fixed.weights[component]
    log_odds = 0.0 if np.isnan(weight) else np.log(np.maximum(mixture.weights, np.finfo(float).tiny) / weight)
    return np.asarray(mixture.weights * (divergence + log_odds))


def _target_covariances(mixture: Mixture, fixed: FixedParameters, component: int) -> tuple[KDD, K]:
    """Return precision roots (K, D, D) and log determinants (K,): the fixed covariance, or each component's own."""
    shape = mixture.centers.shape
    if fixed.covariance is None or not fixed.is_covariance_fixed[component]:
        return mixture.covariance.precision_root.to_dense(*shape), mixture.covariance.log_determinants
    index, n_fixed = int(fixed.is_covariance_fixed[:component].sum()), int(fixed.is_covariance_fixed.sum())
    root = fixed.covariance.precision_root.to_dense(n_fixed, shape[1])[index]
    log_determinant = fixed.covariance.log_determinants[index]
    return np.broadcast_to(root, (shape[0], *root.shape)), np.full(shape[0], log_determinant)
