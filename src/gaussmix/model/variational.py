"""``Prior`` and ``Posterior``: a mixture whose parameters are distributions, before and after the data.

Every component has a mean and a precision matrix of its own with a normal-Wishart prior, and the weights have one of
`concentration`. Variational Bayes seeks the distribution of parameters and components of rows that is nearest to the
true posterior among those in which the two are independent (Attias, NIPS 12, 2000; Bishop, *Pattern Recognition and
Machine Learning*, 2006, section 10.2). To the data the posterior is a set of quadratics, so a pass knows nothing of
it; and the posterior learns from the moments that a pass brings.

All four structures are one model. What differs is the posterior of the precision of component k, a Wishart
distribution of ``degrees`` nu_k and scale W_k: any W_k, a diagonal one, a multiple of the identity, or one nu and W for
all components. The best in each of these families is found in closed form, from the mean over the directions or the
components that share a number. So one formula gives the bound of all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma, gammaln

from gaussmix.core.frame import Frame
from gaussmix.core.linalg import cholesky, log_determinant
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.covariance import AbstractCovariance, Structure, covariance_from_matrices
from gaussmix.covariance.representations import (
    DiagonalCovariance,
    FullCovariance,
    SphericalCovariance,
    full_from_matrices,
    shared_from_full,
)
from gaussmix.errors import CollapseError
from gaussmix.model.mixture import Mixture
from gaussmix.model.weight_prior import AbstractWeightPrior
from gaussmix.types import DD, KDD, Array, D, K

_PSEUDO_MASS = 10 * float(np.finfo(np.float64).eps)  # scikit-learn's: an empty component has a little ridge too
_COLLAPSE_ADVICE = "a covariance_prior that is positive-definite keeps every covariance usable"


@dataclass(frozen=True)
class VariationalPrior:
    """What is believed before the data, in the coordinates of ``frame``.

    Parameters
    ----------
    structure : Structure
        VVV, EEE, VVI or VII: what is common to the components' posteriors.
    concentration : AbstractConcentration
        The prior of the weights.
    mean_precision : float
        beta_0: as many rows as the prior of a mean is worth.
    center : D
        m_0: where means are believed to be.
    degrees : float
        nu_0: degrees of freedom of the Wishart prior, more than D - 1.
    scale : Array
        The inverse of the prior's W_0, in the part of it that the structure holds: (D, D), (D,) or ().
    ridge : D
        Added to the variances of the rows of every component, as scikit-learn does it.
    """

    structure: Structure
    weight_prior: AbstractWeightPrior
    mean_precision: float
    center: D
    degrees_of_freedom: float
    inverse_scale: Array
    ridge: D
    frame: Frame
    feature_names: tuple[str, ...] | None = None

    def compute_posterior(self, moments: Moments) -> "VariationalPosterior":
        """What is believed after a pass: Bishop, equations 10.58 and 10.60 to 10.63.

        Raises
        ------
        CollapseError
            If a covariance is singular, which takes a singular ``scale`` and no ridge.
        """
        mass = moments.mass
        precision = self.mean_precision + mass
        gap = moments.mean - self.center
        center = self.center + (mass / precision)[:, None] * gap
        between = moments.kind.weighted_outer_products(gap, mass * self.mean_precision / precision)
        learned = self.weight_prior.posterior_concentration(mass)
        is_shared = moments.kind.per_component is not moments.kind
        degrees = self.degrees_of_freedom + (np.full_like(mass, mass.mean()) if is_shared else mass)
        covariance = self._estimate_covariance(moments.scatter + between, moments, degrees)
        weights = self.weight_prior.expected_weights(learned)
        mixture = Mixture(weights, center, covariance, self.frame, self.feature_names)
        return VariationalPosterior(self, mixture, learned, precision, degrees)

    def _estimate_covariance(self, scatter: Array, moments: Moments, degrees_of_freedom: K) -> AbstractCovariance:
        """The inverses of the expected precisions, W_k^-1 / nu_k, from scatter about the posterior's means."""
        count, free = len(moments.mass), np.zeros(len(moments.mass), dtype=bool)
        mass = moments.mass + _PSEUDO_MASS
        with np.errstate(over="ignore", invalid="ignore"):
            if moments.kind is MomentKind.TRACE:
                variances = (
                    self.inverse_scale + scatter / len(self.center) + mass * self.ridge.mean()
                ) / degrees_of_freedom
                return SphericalCovariance(self.structure, free, _check_variances_positive(variances), len(self.center))
            if moments.kind is MomentKind.DIAGONAL:
                variances = (self.inverse_scale + scatter + mass[:, None] * self.ridge) / degrees_of_freedom[:, None]
                return DiagonalCovariance(self.structure, free, _check_variances_positive(variances))
            if moments.kind is MomentKind.POOLED_FULL:
                matrix = self.inverse_scale + scatter / count + np.diag(mass.mean() * self.ridge)
                return shared_from_full(
                    _factorize_covariances(self.structure, (matrix / degrees_of_freedom[0])[None]), count
                )
            matrices = self.inverse_scale + scatter + mass[:, None, None] * np.diag(self.ridge)
            return _factorize_covariances(self.structure, matrices / degrees_of_freedom[:, None, None])

    def marginal(self, columns: Sequence[int]) -> "VariationalPrior":
        """Return the prior of some columns, by position: a degree of freedom is lost for each column left out."""
        kept = np.asarray(columns, dtype=np.int64)
        inverse_scale = self.inverse_scale
        if inverse_scale.ndim == 2:
            inverse_scale = inverse_scale[np.ix_(kept, kept)]
        elif inverse_scale.ndim == 1:
            inverse_scale = inverse_scale[kept]
        return replace(
            self,
            center=self.center[kept],
            degrees_of_freedom=self.degrees_of_freedom - (len(self.center) - len(kept)),
            inverse_scale=inverse_scale,
            ridge=self.ridge[kept],
            frame=self.frame.select_columns(kept),
            feature_names=None if self.feature_names is None else tuple(self.feature_names[j] for j in kept),
        )

    @property
    def inverse_scale_matrix(self) -> DD:
        """The inverse of W_0 as a matrix."""
        n_features = len(self.center)
        return (
            self.inverse_scale
            if self.inverse_scale.ndim == 2
            else np.diag(np.broadcast_to(self.inverse_scale, (n_features,)))
        )


@dataclass(frozen=True)
class VariationalPosterior:
    """What is believed after a pass.

    ``mixture`` is the point model: expected weights, the centres m_k of the means, and the inverses of the expected
    precisions, W_k^-1 / nu_k. ``learned`` are the numbers of the weights' posterior, ``mean_precision`` is beta_k and
    ``degrees`` nu_k, each (K,).
    """

    prior: VariationalPrior
    mixture: Mixture
    weight_concentration: Array
    mean_precision: K
    degrees_of_freedom: K

    def to_quadratics(self) -> Quadratics:
        """What the data sees of it: expected log of weight times density (Bishop, equations 10.46, 10.64 to 10.66).

        offset = E log weight + (E log|precision| - D log 2 pi - D / beta) / 2, and the root of nu W.
        """
        n_features = self.mixture.n_features
        log_precision = n_features * math.log(2.0) + self._digamma_sums + self._log_det_scales
        constant = n_features * (math.log(2.0 * math.pi) + 1.0 / self.mean_precision)
        offset = self.prior.weight_prior.expected_log_weights(self.weight_concentration) + 0.5 * (
            log_precision - constant
        )
        return Quadratics(offset, self.mixture.centers, self.mixture.covariance.precision_root)

    def marginal(self, columns: Sequence[int]) -> "VariationalPosterior":
        """Return the posterior of some columns, whatever the others are, by position.

        The inverse of a Wishart precision has an inverse Wishart distribution, of which a diagonal block keeps its
        part of the scale and loses a degree of freedom for every column that is left out (Eaton, *Multivariate
        Statistics*, 1983, proposition 8.7).
        """
        kept = np.asarray(columns, dtype=np.int64)
        n_dropped = self.mixture.n_features - len(kept)
        degrees = self.degrees_of_freedom - n_dropped
        mixture = self.mixture.marginal(columns)
        matrices = mixture.covariance.matrices() * (self.degrees_of_freedom / degrees)[:, None, None]
        covariance = covariance_from_matrices(Structure.from_name("VVV"), matrices, *mixture.centers.shape)
        return replace(
            self,
            prior=self.prior.marginal(columns),
            mixture=replace(mixture, covariance=covariance),
            degrees_of_freedom=degrees,
        )

    def sklearn_lower_bound(self, entropy: float) -> float:
        """The bound as scikit-learn counts it, without what does not change, in the data's units.

        ``entropy`` is that of the responsibilities which this posterior was learned from. Given those it is the best
        there is, and most terms of the bound are then constants. Units enter by the log volume of the frame, of which
        the passes themselves add the part that goes with rows.
        """
        n_features = self.mixture.n_features
        wishart = 0.5 * self.degrees_of_freedom * (
            self._log_det_scales + n_features * math.log(2.0)
        ) + self._log_gamma_sums(self.degrees_of_freedom)
        means = 0.5 * n_features * np.log(self.mean_precision)
        units = self.mixture.n_components * self.prior.degrees_of_freedom * self.prior.frame.log_abs_det_jacobian
        weights = self.prior.weight_prior.log_normalizer(self.weight_concentration)
        return float(entropy + (wishart - means).sum() + units - weights)

    @property
    def kl_divergence(self) -> float:
        """Kullback-Leibler divergence of the posterior of all parameters from their prior, in nats.

        The log-likelihood under the quadratics less this is the bound on the log evidence with every constant (Bishop,
        equation 10.70, put together). Infinite where the prior's scale is singular: such a prior has no density.
        """
        prior, n_features, degrees = self.prior, self.mixture.n_features, self.degrees_of_freedom
        factor = cholesky(prior.inverse_scale_matrix)
        if factor is None:
            return np.inf
        root, components = self.mixture.covariance.precision_root, range(self.mixture.n_components)
        gaps = self.mixture.centers - prior.center
        moved = np.array([(root.whiten(gaps[k : k + 1], k) ** 2).sum() for k in components])
        traces = np.array([(root.whiten(factor.T, k) ** 2).sum() for k in components])  # nu_k tr(W_0^-1 W_k)
        share = prior.mean_precision / self.mean_precision
        means = 0.5 * (n_features * (share - 1.0 - np.log(share)) + prior.mean_precision * moved)
        before = -log_determinant(factor)  # log|W_0|
        wishart = 0.5 * prior.degrees_of_freedom * (before - self._log_det_scales) + 0.5 * (
            traces - degrees * n_features
        )
        wishart += self._log_gamma_sums(np.full_like(degrees, prior.degrees_of_freedom)) - self._log_gamma_sums(degrees)
        wishart += 0.5 * (degrees - prior.degrees_of_freedom) * self._digamma_sums
        return float((means + wishart).sum()) + prior.weight_prior.kl_divergence(self.weight_concentration)

    @property
    def _log_det_scales(self) -> K:
        """log|W_k|."""
        return np.asarray(
            -self.mixture.covariance.log_determinants - self.mixture.n_features * np.log(self.degrees_of_freedom)
        )

    @property
    def _digamma_sums(self) -> K:
        """sum_i digamma((nu_k - i) / 2) over i = 0 ... D - 1."""
        return np.asarray(digamma(self._gamma_arguments(self.degrees_of_freedom)).sum(axis=1))

    def _log_gamma_sums(self, degrees_of_freedom: K) -> K:
        """sum_i log gamma((nu_k - i) / 2) over i = 0 ... D - 1."""
        return np.asarray(gammaln(self._gamma_arguments(degrees_of_freedom)).sum(axis=1))

    def _gamma_arguments(self, degrees_of_freedom: K) -> Array:
        return np.asarray(0.5 * (degrees_of_freedom[:, None] - np.arange(self.mixture.n_features)))


def _check_variances_positive(variances: Array) -> Array:
    """Variances (K, ...), or CollapseError where one is not above zero."""
    bad = ~(np.isfinite(variances) & (variances > 0)).reshape(len(variances), -1).all(axis=1)
    if bad.any():
        raise CollapseError([int(k) for k in np.flatnonzero(bad)], _COLLAPSE_ADVICE)
    return variances


def _factorize_covariances(structure: Structure, matrices: KDD) -> FullCovariance:
    """The full form of matrices (K, D, D), or CollapseError where one is not positive definite."""
    try:
        return full_from_matrices(structure, matrices)
    except CollapseError as error:
        raise CollapseError(error.components, _COLLAPSE_ADVICE) from None
