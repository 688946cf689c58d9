"""The prior of a BayesianGaussianMixture: validation, defaults from the data, and the data's units."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.core.linalg import cholesky
from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.core.scalar_checks import require_integer
from gaussmix.core.symmetric_matrices import is_symmetric
from gaussmix.covariance import SKLEARN_TO_MCLUST, Structure, sklearn_shape
from gaussmix.errors import ParameterError, StartingValueError
from gaussmix.estimators import _validation
from gaussmix.model import Problem
from gaussmix.model.variational import VariationalPrior
from gaussmix.model.weight_prior import WEIGHT_PRIORS
from gaussmix.solvers.initialization import INIT_METHODS
from gaussmix.types import Array, D

# Largest distance of mean_prior from the data, in standard deviations. Beyond it, squares may overflow.
_MAX_MEAN_DISTANCE_IN_SDS = 1e100


def validate_bayesian_parameters(estimator: Any) -> Structure:
    """Check the scalar parameters of a BayesianGaussianMixture, and return its covariance structure."""
    require_integer("n_components", estimator.n_components, 1)
    _validation.require_choice("covariance_type", estimator.covariance_type, list(SKLEARN_TO_MCLUST))
    _validation.require_non_negative("tol", estimator.tol)
    _validation.require_non_negative("reg_covar", estimator.reg_covar)
    require_integer("max_iter", estimator.max_iter, 0)
    require_integer("n_init", estimator.n_init, 1)
    _validation.require_choice("init_params", estimator.init_params, list(INIT_METHODS))
    prior_type = estimator.weight_concentration_prior_type
    _validation.require_choice("weight_concentration_prior_type", prior_type, list(WEIGHT_PRIORS))
    for name in ("weight_concentration_prior", "mean_precision_prior", "degrees_of_freedom_prior"):
        _validation.require_positive(name, getattr(estimator, name), allow_none=True)
    _validation.require_verbose(estimator.verbose)
    require_integer("verbose_interval", estimator.verbose_interval, 1)
    return Structure.from_name(estimator.covariance_type, "covariance_type")


@dataclass(frozen=True)
class PriorParameters:
    """The constructor's prior in the data's units; ``mean`` and ``covariance`` are None where the data set them.

    ``covariance`` is the covariance_prior in the shape of one component: (D, D), (D,) or ().
    """

    concentration_type: str
    concentration: float
    mean_precision: float
    degrees_of_freedom: float
    mean: D | None
    covariance: Array | None

    @classmethod
    def from_estimator(cls, estimator: Any, structure: Structure, n_features: int) -> "PriorParameters":
        """Return the constructor's prior, checked for ``n_features`` columns, with all defaults that need no data."""
        concentration, precision = estimator.weight_concentration_prior, estimator.mean_precision_prior
        return cls(
            str(estimator.weight_concentration_prior_type),
            1.0 / int(estimator.n_components) if concentration is None else float(concentration),
            1.0 if precision is None else float(precision),
            _degrees_of_freedom_or_default(estimator.degrees_of_freedom_prior, n_features),
            _parse_mean_prior(estimator.mean_prior, n_features),
            _parse_covariance_prior(estimator.covariance_prior, structure, str(estimator.covariance_type), n_features),
        )

    def make_prior(self, problem: Problem, reg_covar: float) -> VariationalPrior:
        """Return the prior in a problem's frame, completed from its rows; ``reg_covar`` is in data units squared."""
        frame = problem.source.frame
        center = problem.total_moments.mean[0] if self.mean is None else frame.transform_rows(self.mean[None])[0]
        if not (np.abs(center) < _MAX_MEAN_DISTANCE_IN_SDS).all():
            allowed = "a point less than 1e100 standard deviations away from the data"
            raise ParameterError.invalid_value("mean_prior", self.mean, allowed)
        powers = 2 * frame.total_exponent
        with np.errstate(over="ignore", under="ignore"):
            ridge = np.ldexp(np.full(len(powers), reg_covar), powers)
        if not np.isfinite(ridge).all():
            allowed = "0, or at most about 1e300 times the variances of the data"
            raise ParameterError.invalid_value("reg_covar", reg_covar, allowed)
        return VariationalPrior(
            problem.covariance_estimator.structure,
            WEIGHT_PRIORS[self.concentration_type](self.concentration),
            self.mean_precision,
            center,
            self.degrees_of_freedom,
            self._inverse_scale_in_frame(problem),
            ridge,
            frame,
            problem.feature_names,
        )

    def _inverse_scale_in_frame(self, problem: Problem) -> Array:
        """Return the covariance_prior in the frame, (D, D), (D,) or (); by default the covariance of all rows.

        Of that, diagonal structures take the diagonal, and spherical ones the mean variance.
        """
        structure, frame = problem.covariance_estimator.structure, problem.source.frame
        is_matrix, is_round = not structure.is_axis_aligned, structure.is_spherical
        if self.covariance is None:
            scatter = problem.pooled_total_moments.scatter if is_matrix else problem.total_moments.scatter[0]
            covariance = scatter / max(problem.total_weight - 1.0, 1.0)
            return np.asarray(covariance.mean() if is_round else covariance)
        powers = frame.total_exponent
        with np.errstate(over="ignore", under="ignore"):
            if is_matrix:
                return frame.transform_covariances(self.covariance)
            return np.asarray(np.ldexp(self.covariance, 2 * powers[0] if is_round else 2 * powers))


def covariance_prior_in_data_units(prior: VariationalPrior) -> Array | float:
    """Return the inverse scale of a prior's Wishart in the data's units squared: (D, D), (D,) or a float."""
    if prior.inverse_scale.ndim == 2:
        return prior.frame.restore_covariances(prior.inverse_scale)
    variances = prior.frame.restore_variances(np.broadcast_to(prior.inverse_scale, (1, len(prior.center))))[0]
    return variances if prior.inverse_scale.ndim else float(variances[0])


def _degrees_of_freedom_or_default(value: float | None, n_features: int) -> float:
    """Return the value, or ``n_features`` for None; raise ParameterError unless it exceeds ``n_features`` - 1."""
    if value is None:
        return float(n_features)
    if value <= n_features - 1:
        raise StartingValueError.too_few_degrees_of_freedom(n_features, float(value))
    return float(value)


def _parse_mean_prior(value: object, n_features: int) -> D | None:
    """Return the mean_prior as an array (D,), or None for None; raise ParameterError for another shape."""
    if value is None:
        return None
    mean = parse_finite_numbers("mean_prior", value)
    if mean.shape != (n_features,):
        raise ParameterError.wrong_shape("means", mean.shape, (n_features,))
    return mean


def _parse_covariance_prior(value: object, structure: Structure, covariance_type: str, n_features: int) -> Array | None:
    """Return the covariance_prior as an array (D, D), (D,) or (), checked to be positive (definite); None for None."""
    if value is None:
        return None
    covariance, name = parse_finite_numbers("covariance_prior", value), f"{covariance_type} covariance_prior"
    shape = sklearn_shape(structure, 1, n_features)
    expected = shape if structure.is_tied else shape[1:]
    if covariance.shape != expected:
        raise ParameterError.wrong_shape(name, covariance.shape, expected)
    if covariance.ndim == 2:
        if not is_symmetric(covariance) or cholesky(covariance) is None:
            raise StartingValueError.unmet_requirement(name, "symmetric, positive-definite")
    elif not (covariance > 0).all():
        raise StartingValueError.unmet_requirement(name, "positive")
    return covariance
