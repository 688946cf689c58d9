"""Variational Bayes: prior and variational posterior of the parameters of a Gaussian mixture.

Every component has a normal-Wishart prior for its mean and precision matrix; the weights have a prior of
`weight_prior.py`. Variational Bayes approximates the posterior by a distribution in which the parameters and the
components of the rows are independent (Attias, NIPS 12, 2000; Bishop, *Pattern Recognition and Machine Learning*,
2006, section 10.2). An E-step needs only the quadratics of the variational posterior. The next posterior follows from
the moments of that E-step.

The four structures differ in the Wishart posterior of a precision, with degrees of freedom nu_k and scale W_k. VVV
allows any W_k, VVI a diagonal one and VII a multiple of the identity; EEE has one nu and W for all components. The
optimum within each family has a closed form, a mean over the shared directions or components. One formula therefore
gives the lower bound for all structures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import digamma, gammaln

from gaussmix.core.frame import Frame
from gaussmix.core.linalg import cholesky, log_determinant_from_factor
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

_PSEUDO_MASS = 10 * float(np.finfo(np.float64).eps)  # as in scikit-learn; gives an empty component a tiny ridge
_COLLAPSE_ADVICE = "a covariance_prior that is positive-definite keeps every covariance usable"


@dataclass(frozen=True)
class VariationalPrior:
    """The prior of all parameters, in the coordinates of ``frame``.

    Parameters
    ----------
    structure : Structure
        VVV, EEE, VVI or VII: the structure of the posteriors of the precisions.
    weight_prior : AbstractWeightPrior
        The prior of the weights.
    mean_precision : float
        beta_0, the number of rows that the prior of a mean counts as.
    center : ndarray of shape (D,)
        m_0, the prior mean of the means.
    degrees_of_freedom : float
        nu_0 of the Wishart prior, greater than D - 1.
    inverse_scale : ndarray of shape (D, D), (D,) or ()
        The inverse of the prior's W_0: a matrix, its diagonal, or one number, depending on the structure.
    ridge : ndarray of shape (D,)
        Added to the variances of every component, as in scikit-learn.
    frame : Frame
    feature_names : tuple of str, optional
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
        """Return the variational posterior, given the moments of an E-step (Bishop, equations 10.58, 10.60 to 10.63).

        Raises
        ------
        CollapseError
            If a covariance is singular. This needs a singular ``inverse_scale`` and no ridge.
        """
        mass = moments.mass
        mean_precision = self.mean_precision + mass
        differences = moments.mean - self.center
        centers = self.center + (mass / mean_precision)[:, None] * differences
        scatter = moments.kind.weighted_outer_products(differences, mass * self.mean_precision / mean_precision)
        scatter += moments.scatter
        weight_concentration = self.weight_prior.posterior_concentration(mass)
        is_pooled = moments.kind.per_component is not moments.kind
        degrees = self.degrees_of_freedom + (np.full_like(mass, mass.mean()) if is_pooled else mass)
        covariance = self._estimate_posterior_covariance(scatter, moments, degrees)
        weights = self.weight_prior.expected_weights(weight_concentration)
        mixture = Mixture(weights, centers, covariance, self.frame, self.feature_names)
        return VariationalPosterior(self, mixture, weight_concentration, mean_precision, degrees)

    def _estimate_posterior_covariance(
        self, scatter: Array, moments: Moments, degrees_of_freedom: K
    ) -> AbstractCovariance:
        """Return the inverses of the expected precisions, W_k^-1 / nu_k.

        ``scatter`` includes shifts of the means, and may be overwritten.
        """
        n_components, n_features = len(moments.mass), len(self.center)
        is_floored = np.zeros(n_components, dtype=bool)
        mass = moments.mass + _PSEUDO_MASS
        with np.errstate(over="ignore", invalid="ignore"):
            if moments.kind is MomentKind.TRACE:
                sums = self.inverse_scale + scatter / n_features + mass * self.ridge.mean()
                variances = _require_positive_variances(sums / degrees_of_freedom)
                return SphericalCovariance(self.structure, is_floored, variances, n_features)
            if moments.kind is MomentKind.DIAGONAL:
                sums = self.inverse_scale + scatter + mass[:, None] * self.ridge
                variances = _require_positive_variances(sums / degrees_of_freedom[:, None])
                return DiagonalCovariance(self.structure, is_floored, variances)
            if moments.kind is MomentKind.POOLED_FULL:
                matrix = self.inverse_scale + scatter / n_components + np.diag(mass.mean() * self.ridge)
                full = _factorize_covariances(self.structure, (matrix / degrees_of_freedom[0])[None])
                return shared_from_full(full, n_components)
            matrices = scatter  # changed in place: a copy of many columns takes as long as a factorization
            matrices += self.inverse_scale
            np.einsum("kdd->kd", matrices)[:] += mass[:, None] * self.ridge
            matrices /= degrees_of_freedom[:, None, None]
            return _factorize_covariances(self.structure, matrices)

    def marginal(self, columns: Sequence[int]) -> "VariationalPrior":
        """Return the marginal prior of the columns at some positions; each other column costs a degree of freedom."""
        positions = np.asarray(columns, dtype=np.int64)
        inverse_scale = self.inverse_scale
        if inverse_scale.ndim == 2:
            inverse_scale = inverse_scale[np.ix_(positions, positions)]
        elif inverse_scale.ndim == 1:
            inverse_scale = inverse_scale[positions]
        return replace(
            self,
            center=self.center[positions],
            degrees_of_freedom=self.degrees_of_freedom - (len(self.center) - len(positions)),
            inverse_scale=inverse_scale,
            ridge=self.ridge[positions],
            frame=self.frame.select_columns(positions),
            feature_names=None if self.feature_names is None else tuple(self.feature_names[j] for j in positions),
        )

    @property
    def inverse_scale_matrix(self) -> DD:
        """Inverse scale matrix W_0^-1 of the Wishart prior, (D, D)."""
        if self.inverse_scale.ndim == 2:
            return self.inverse_scale
        return np.diag(np.broadcast_to(self.inverse_scale, (len(self.center),)))


@dataclass(frozen=True)
class VariationalPosterior:
    """The variational posterior of all parameters.

    Parameters
    ----------
    prior : VariationalPrior
    mixture : Mixture
        The point estimate: expected weights, expected means m_k, and the inverses of the expected precisions,
        W_k^-1 / nu_k.
    weight_concentration : ndarray
        Parameters of the posterior of the weights; their shape depends on the weight prior.
    mean_precision : ndarray of shape (K,)
        beta_k.
    degrees_of_freedom : ndarray of shape (K,)
        nu_k.
    """

    prior: VariationalPrior
    mixture: Mixture
    weight_concentration: Array
    mean_precision: K
    degrees_of_freedom: K

    def to_quadratics(self) -> Quadratics:
        """Return quadratics whose scores are E[log(weight density)] (Bishop, equations 10.46, 10.64 to 10.66).

        The offset is E[log weight] + (E[log|precision|] - D log 2 pi - D / beta) / 2, the precision is nu W. They are
        one object at every call, so that an engine prepares a pass for them once.
        """
        quadratics: Quadratics | None = self.__dict__.get("_quadratics")
        if quadratics is None:
            quadratics = self.__dict__["_quadratics"] = self._compute_quadratics()
        return quadratics

    def __getstate__(self) -> dict[str, object]:
        """Return the fields alone, without what was computed from them."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def _compute_quadratics(self) -> Quadratics:
        """Return the quadratics, computed anew."""
        n_features = self.mixture.n_features
        log_precision = n_features * math.log(2.0) + self._digamma_sums + self._log_det_scales
        constant = n_features * (math.log(2.0 * math.pi) + 1.0 / self.mean_precision)
        log_weights = self.prior.weight_prior.expected_log_weights(self.weight_concentration)
        offset = log_weights + 0.5 * (log_precision - constant)
        return Quadratics(offset, self.mixture.centers, self.mixture.covariance.precision_root)

    def marginal(self, columns: Sequence[int]) -> "VariationalPosterior":
        """Return the marginal posterior of the columns at some positions, with structure VVV.

        The covariance has an inverse Wishart distribution. A diagonal block of it keeps its block of the scale and
        loses a degree of freedom for every column that is left out (Eaton, *Multivariate Statistics*, 1983,
        proposition 8.7).
        """
        positions = np.asarray(columns, dtype=np.int64)
        n_dropped = self.mixture.n_features - len(positions)
        degrees_of_freedom = self.degrees_of_freedom - n_dropped
        mixture = self.mixture.marginal(columns)
        matrices = mixture.covariance.matrices() * (self.degrees_of_freedom / degrees_of_freedom)[:, None, None]
        covariance = covariance_from_matrices(Structure.from_name("VVV"), matrices, *mixture.centers.shape)
        return replace(
            self,
            prior=self.prior.marginal(columns),
            mixture=replace(mixture, covariance=covariance),
            degrees_of_freedom=degrees_of_freedom,
        )

    def sklearn_lower_bound(self, entropy: float) -> float:
        """Return the lower bound as scikit-learn defines it, without constants, in the data's units.

        ``entropy`` is that of the responsibilities from which this posterior was computed. Given these the
        posterior is optimal, so that most terms of the bound are constants. The frame's part that is proportional
        to the number of rows is left out; the E-step adds it.
        """
        n_features, degrees = self.mixture.n_features, self.degrees_of_freedom
        log_scales = self._log_det_scales + n_features * math.log(2.0)
        wishart = 0.5 * degrees * log_scales + self._log_gamma_sums(degrees)
        means = 0.5 * n_features * np.log(self.mean_precision)
        units = self.mixture.n_components * self.prior.degrees_of_freedom * self.prior.frame.log_abs_det_jacobian
        weights = self.prior.weight_prior.log_normalizing_factor(self.weight_concentration)
        return float(entropy + (wishart - means).sum() + units - weights)

    @property
    def kl_divergence_from_prior(self) -> float:
        """Kullback-Leibler divergence of the posterior of all parameters from their prior, in nats.

        The log-likelihood under the quadratics minus this divergence is the lower bound on the log evidence with
        all constants (Bishop, equation 10.70). The divergence is infinite if the prior's scale is singular, because
        such a prior has no density.
        """
        prior, n_features, degrees = self.prior, self.mixture.n_features, self.degrees_of_freedom
        factor = cholesky(prior.inverse_scale_matrix)
        if factor is None:
            return np.inf
        root, components = self.mixture.covariance.precision_root, range(self.mixture.n_components)
        differences = self.mixture.centers - prior.center
        squares = np.array([(root.whiten(differences[k : k + 1], k) ** 2).sum() for k in components])
        traces = np.array([(root.whiten(factor.T, k) ** 2).sum() for k in components])  # nu_k tr(W_0^-1 W_k)
        ratio = prior.mean_precision / self.mean_precision
        means = 0.5 * (n_features * (ratio - 1.0 - np.log(ratio)) + prior.mean_precision * squares)
        prior_log_det_scale = -log_determinant_from_factor(factor)  # log|W_0|
        wishart = 0.5 * prior.degrees_of_freedom * (prior_log_det_scale - self._log_det_scales)
        wishart += 0.5 * (traces - degrees * n_features)
        wishart += self._log_gamma_sums(np.full_like(degrees, prior.degrees_of_freedom)) - self._log_gamma_sums(degrees)
        wishart += 0.5 * (degrees - prior.degrees_of_freedom) * self._digamma_sums
        return float((means + wishart).sum()) + prior.weight_prior.kl_divergence_from_prior(self.weight_concentration)

    @cached_property
    def _log_det_scales(self) -> K:
        """Log determinants log|W_k| of the Wishart scale matrices, (K,)."""
        covariance, n_features = self.mixture.covariance, self.mixture.n_features
        return np.asarray(-covariance.log_determinants - n_features * np.log(self.degrees_of_freedom))

    @property
    def _digamma_sums(self) -> K:
        """Sums of digamma((nu_k - i) / 2) over i = 0 ... D - 1, (K,)."""
        return np.asarray(digamma(self._gamma_arguments(self.degrees_of_freedom)).sum(axis=1))

    def _log_gamma_sums(self, degrees_of_freedom: K) -> K:
        """Return the sums of log gamma((nu_k - i) / 2) over i = 0 ... D - 1, (K,)."""
        return np.asarray(gammaln(self._gamma_arguments(degrees_of_freedom)).sum(axis=1))

    def _gamma_arguments(self, degrees_of_freedom: K) -> Array:
        """Return (nu_k - i) / 2 for i = 0 ... D - 1, (K, D)."""
        return np.asarray(0.5 * (degrees_of_freedom[:, None] - np.arange(self.mixture.n_features)))


def _require_positive_variances(variances: Array) -> Array:
    """Return variances (K,) or (K, D) unchanged if all are positive and finite, else raise a CollapseError."""
    is_invalid = ~(np.isfinite(variances) & (variances > 0)).reshape(len(variances), -1).all(axis=1)
    if is_invalid.any():
        raise CollapseError([int(k) for k in np.flatnonzero(is_invalid)], _COLLAPSE_ADVICE)
    return variances


def _factorize_covariances(structure: Structure, matrices: KDD) -> FullCovariance:
    """Return the covariances of positive definite matrices (K, D, D), else raise a CollapseError with advice."""
    try:
        return full_from_matrices(structure, matrices)
    except CollapseError as error:
        raise CollapseError(error.components, _COLLAPSE_ADVICE) from None
