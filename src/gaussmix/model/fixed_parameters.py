"""What a fit holds fixed, in the coordinates of its frame, and the M-step that leaves it so.

Each part of the M-step is still the best there is given what is held: free weights share what the
held ones leave in proportion to their mass, the scatter is taken about held means, and covariances
that are each component's own do not mind if another is held. So the likelihood never falls.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.core.moments import Moments
from gaussmix.covariance import AbstractCovariance, AbstractCovarianceEstimator
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import all_weights, drop_noise
from gaussmix.types import KD, BoolK, IntD, K


@dataclass(frozen=True, eq=False)
class FixedParameters:
    """Weights (K,) and centres (K, D), NaN where free, and covariances of the ``chosen`` components in their order.

    With ``equal_weights`` all components weigh the same; noise keeps a weight of its own. ``count`` is the number of
    parameters that are held.
    """

    equal_weights: bool
    weights: K
    centers: KD
    is_covariance_fixed: BoolK
    covariance: AbstractCovariance | None
    n_parameters: int

    @property
    def has_constrained_components(self) -> bool:
        """Whether single components are held, so that their numbers mean something."""
        return bool(self.is_constrained.any())

    @property
    def is_constrained(self) -> BoolK:
        """The components of which something is held, (K,)."""
        return np.asarray(self.is_covariance_fixed | np.isfinite(self.weights) | np.isfinite(self.centers).any(axis=1))

    def compute_weights(self, mass: K) -> K:
        """The best weights for components of given masses; one more mass than components is that of noise."""
        if self.equal_weights:
            n_components = len(self.weights)
            rest = mass[n_components:] / mass.sum()
            return np.append(np.full(n_components, (1.0 - rest.sum()) / n_components), rest)
        held = np.append(self.weights, np.full(len(mass) - len(self.weights), np.nan))
        free = np.isnan(held)
        if not free.any():
            return held
        total = float(mass[free].sum())
        part = mass[free] / total if total > 0 else np.full(int(free.sum()), 1.0 / free.sum())
        held[free] = (1.0 - held[~free].sum()) * part
        return held

    def replace_centers(self, centers: KD) -> KD:
        """Centres, held where they are held."""
        return np.where(np.isnan(self.centers), centers, self.centers)

    def replace_covariances(self, covariance: AbstractCovariance) -> AbstractCovariance:
        """Covariances, held where they are held."""
        if self.covariance is None:
            return covariance
        return (
            self.covariance
            if self.is_covariance_fixed.all()
            else covariance.replace_components(self.is_covariance_fixed, self.covariance)
        )


def apply_fixed(mixture: Mixture, fixed: FixedParameters) -> Mixture:
    """A start that obeys what is held."""
    weights = fixed.compute_weights(all_weights(mixture.weights, mixture.noise))
    covariance = fixed.replace_covariances(mixture.covariance)
    centers = fixed.replace_centers(mixture.centers)
    return replace(
        _with_weights(mixture, weights), centers=centers, covariance=covariance, n_fixed_parameters=fixed.n_parameters
    )


def constrained_m_step(
    mixture: Mixture, moments: Moments, covariance_estimator: AbstractCovarianceEstimator, fixed: FixedParameters
) -> Mixture:
    """The mixture that maximises the expected likelihood given what is held."""
    own = moments if mixture.noise is None else drop_noise(moments, covariance_estimator.moment_kind)
    informed = covariance_estimator.with_prior(own)
    centers = fixed.replace_centers(informed.mean)
    if np.isfinite(fixed.centers).any():
        informed = informed.recenter(centers)
    if fixed.is_covariance_fixed.all():
        covariance = mixture.covariance
    else:
        covariance = fixed.replace_covariances(covariance_estimator.estimate(informed, mixture.covariance))
    return replace(_with_weights(mixture, fixed.compute_weights(moments.mass)), centers=centers, covariance=covariance)


def _with_weights(mixture: Mixture, weights: K) -> Mixture:
    """The mixture with other weights, its noise's at the end."""
    noise = None if mixture.noise is None else replace(mixture.noise, weight=float(weights[-1]))
    return replace(mixture, weights=weights[: mixture.n_components], noise=noise)


def match_components_to_fixed(mixture: Mixture, fixed: FixedParameters) -> IntD:
    """The order of a start's components in which imposing what is held changes them least.

    The price of handing component j's held parameters to component k of the start is what that takes
    from the expected log-likelihood of its rows: its mass times the divergence of the two Gaussians
    and of the two weights.
    """
    n_components = mixture.n_components
    price = np.array([_matching_costs(mixture, fixed, j) for j in range(n_components)])
    return np.asarray(linear_sum_assignment(price)[1])


def _matching_costs(mixture: Mixture, fixed: FixedParameters, component: int) -> K:
    """What it costs each component of the start, (K,), to take the held parameters of one."""
    shape = mixture.centers.shape
    roots, logs = mixture.covariance.precision_root.to_dense(*shape), mixture.covariance.log_determinants
    if fixed.covariance is not None and fixed.is_covariance_fixed[component]:
        number = int(fixed.is_covariance_fixed[:component].sum())
        own = fixed.covariance.precision_root.to_dense(int(fixed.is_covariance_fixed.sum()), shape[1])[number]
        roots, targets = (
            np.broadcast_to(own, roots.shape),
            np.full(len(logs), fixed.covariance.log_determinants[number]),
        )
    else:
        targets = logs
    center = fixed.centers[component]
    apart = np.where(np.isnan(center), 0.0, center - mixture.centers)
    white = np.einsum("kd,kde->ke", apart, roots)
    traces = np.einsum("kde,kdf,kfe->k", roots, mixture.covariance.matrices(), roots)
    divergence = 0.5 * (traces - shape[1] + (white**2).sum(axis=1) + targets - logs)
    weight = fixed.weights[component]
    odds = 0.0 if np.isnan(weight) else np.log(np.maximum(mixture.weights, np.finfo(float).tiny) / weight)
    return np.asarray(mixture.weights * (divergence + odds))
