"""The prior of a Bayesian mixture: parameters of the constructor checked, and what they leave open from the data."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.core.linalg import cholesky
from gaussmix.covariance import SKLEARN_TO_MCLUST, Structure, sklearn_shape
from gaussmix.errors import DataError, ParameterError
from gaussmix.estimators import _validation
from gaussmix.model import Problem
from gaussmix.model.variational import VariationalPrior
from gaussmix.model.weight_prior import WEIGHT_PRIORS
from gaussmix.solvers.initialization import INIT_METHODS
from gaussmix.types import Array, D

_MAX_MEAN_DISTANCE_IN_SDS = 1e100  # deviations of the data: a mean that lies further away cannot be set beside them


def validate_bayesian_parameters(estimator: Any) -> Structure:
    """Check the constructor's scalars, and read the structure."""
    _validation.require_integer("n_components", estimator.n_components, 1)
    _validation.require_choice("covariance_type", estimator.covariance_type, list(SKLEARN_TO_MCLUST))
    _validation.require_non_negative("tol", estimator.tol)
    _validation.require_non_negative("reg_covar", estimator.reg_covar)
    _validation.require_integer("max_iter", estimator.max_iter, 0)
    _validation.require_integer("n_init", estimator.n_init, 1)
    _validation.require_choice("init_params", estimator.init_params, list(INIT_METHODS))
    kind = estimator.weight_concentration_prior_type
    _validation.require_choice("weight_concentration_prior_type", kind, list(WEIGHT_PRIORS))
    for name in ("weight_concentration_prior", "mean_precision_prior", "degrees_of_freedom_prior"):
        _validation.require_positive(name, getattr(estimator, name), allow_none=True)
    _validation.require_integer("verbose_interval", estimator.verbose_interval, 1)
    return Structure.from_name(estimator.covariance_type, "covariance_type")


@dataclass(frozen=True)
class PriorParameters:
    """The prior in the data's units, complete but for what the data say: None there.

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
        """Check what the constructor was given against the number of columns."""
        concentration, precision = estimator.weight_concentration_prior, estimator.mean_precision_prior
        return cls(
            str(estimator.weight_concentration_prior_type),
            1.0 / int(estimator.n_components) if concentration is None else float(concentration),
            1.0 if precision is None else float(precision),
            _validate_degrees_of_freedom(estimator.degrees_of_freedom_prior, n_features),
            _validate_mean(estimator.mean_prior, n_features),
            _validate_covariance(estimator.covariance_prior, structure, str(estimator.covariance_type), n_features),
        )

    def make_prior(self, problem: Problem, reg_covar: float) -> VariationalPrior:
        """The prior in the frame of a problem; ``reg_covar`` is in the data's units squared."""
        frame = problem.source.frame
        center = problem.total_moments.mean[0] if self.mean is None else frame.transform_rows(self.mean[None])[0]
        powers = 2 * frame.total_exponent
        with np.errstate(over="ignore", under="ignore"):
            amounts = np.ldexp(np.full(len(powers), reg_covar), powers)
        if not (np.abs(center) < _MAX_MEAN_DISTANCE_IN_SDS).all():
            raise ParameterError.invalid_value(
                "mean_prior", self.mean, "a point less than 1e100 deviations of the data away"
            )
        if not np.isfinite(amounts).all():
            raise ParameterError.invalid_value(
                "reg_covar", reg_covar, "0, or in some proportion to the variances of the data"
            )
        return VariationalPrior(
            problem.covariance_estimator.structure,
            WEIGHT_PRIORS[self.concentration_type](self.concentration),
            self.mean_precision,
            center,
            self.degrees_of_freedom,
            self._covariance_in_frame(problem),
            amounts,
            frame,
            problem.feature_names,
        )

    def _covariance_in_frame(self, problem: Problem) -> Array:
        """The scale in the frame; without one, the covariance of all rows in the part that the structure holds."""
        structure, frame, powers = (
            problem.covariance_estimator.structure,
            problem.source.frame,
            problem.source.frame.total_exponent,
        )
        is_matrix, is_round = not structure.is_axis_aligned, structure.is_spherical
        if self.covariance is None:
            scatter = problem.pooled_total_moments.scatter if is_matrix else problem.total_moments.scatter[0]
            found = scatter / max(problem.total_weight - 1.0, 1.0)
            return np.asarray(found.mean() if is_round else found)
        with np.errstate(over="ignore", under="ignore"):
            if is_matrix:
                return frame.transform_covariances(self.covariance)
            return np.asarray(np.ldexp(self.covariance, 2 * powers[0] if is_round else 2 * powers))


def restore_covariance_prior(prior: VariationalPrior) -> Array | float:
    """The scale of a prior in the data's units."""
    if prior.inverse_scale.ndim == 2:
        return prior.frame.restore_covariances(prior.inverse_scale)
    variances = prior.frame.restore_variances(np.broadcast_to(prior.inverse_scale, (1, len(prior.center))))[0]
    return variances if prior.inverse_scale.ndim else float(variances[0])


def _require_finite_numbers(name: str, values: object) -> Array:
    try:
        parsed = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError.invalid_value(name, values, "numbers") from None
    if not np.isfinite(parsed).all():
        raise DataError.not_finite_parameter(name)
    return parsed


def _validate_degrees_of_freedom(value: float | None, n_features: int) -> float:
    if value is None:
        return float(n_features)
    if value <= n_features - 1:
        raise ParameterError(
            "The parameter 'degrees_of_freedom_prior' should be greater than "
            f"{n_features - 1}, but got {float(value):.3f}."
        )
    return float(value)


def _validate_mean(value: object, n_features: int) -> D | None:
    if value is None:
        return None
    mean = _require_finite_numbers("mean_prior", value)
    if mean.shape != (n_features,):
        raise ParameterError.wrong_shape("means", mean.shape, (n_features,))
    return mean


def _validate_covariance(value: object, structure: Structure, covariance_type: str, n_features: int) -> Array | None:
    if value is None:
        return None
    scale = _require_finite_numbers("covariance_prior", value)
    shape = sklearn_shape(structure, 1, n_features)
    expected = shape if structure.is_tied else shape[1:]
    if scale.shape != expected:
        raise ParameterError.wrong_shape(f"{covariance_type} covariance_prior", scale.shape, expected)
    if scale.ndim == 2:
        if not np.allclose(scale, scale.T) or cholesky(scale) is None:
            raise ParameterError(f"'{covariance_type} covariance_prior' should be symmetric, positive-definite")
    elif not (scale > 0).all():
        raise ParameterError(f"'{covariance_type} covariance_prior' should be positive")
    return scale
