"""The prior of a Bayesian mixture: parameters of the constructor checked, and what they leave open from the data."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.core.linalg import cholesky
from gaussmix.covariance import SKLEARN_NAMES, Structure
from gaussmix.covariance.forms import natural_shape
from gaussmix.errors import DataError, ParameterError
from gaussmix.estimators import _base
from gaussmix.model import Problem
from gaussmix.model.concentration import CONCENTRATIONS
from gaussmix.model.variational import Prior
from gaussmix.solvers.start import STARTS
from gaussmix.types import Array, D

_FARTHEST = 1e100  # deviations of the data: a mean that lies further away cannot be set beside them


def checked_parameters(estimator: Any) -> Structure:
    """Check the constructor's scalars, and read the structure."""
    _base.require_integer("n_components", estimator.n_components, 1)
    _base.require_choice("covariance_type", estimator.covariance_type, list(SKLEARN_NAMES))
    _base.require_real("tol", estimator.tol)
    _base.require_real("reg_covar", estimator.reg_covar)
    _base.require_integer("max_iter", estimator.max_iter, 0)
    _base.require_integer("n_init", estimator.n_init, 1)
    _base.require_choice("init_params", estimator.init_params, list(STARTS))
    kind = estimator.weight_concentration_prior_type
    _base.require_choice("weight_concentration_prior_type", kind, list(CONCENTRATIONS))
    for name in ("weight_concentration_prior", "mean_precision_prior", "degrees_of_freedom_prior"):
        _base.require_positive(name, getattr(estimator, name), optional=True)
    _base.require_integer("verbose_interval", estimator.verbose_interval, 1)
    return Structure.parse(estimator.covariance_type, "covariance_type")


@dataclass(frozen=True)
class GivenPrior:
    """The prior in the data's units, complete but for what the data say: None there.

    ``scale`` is the covariance_prior in the shape of one component: (D, D), (D,) or ().
    """

    kind: str
    concentration: float
    mean_precision: float
    degrees: float
    mean: D | None
    scale: Array | None

    @classmethod
    def parse(cls, estimator: Any, structure: Structure, n_features: int) -> "GivenPrior":
        """Check what the constructor was given against the number of columns."""
        concentration, precision = estimator.weight_concentration_prior, estimator.mean_precision_prior
        return cls(
            str(estimator.weight_concentration_prior_type),
            1.0 / int(estimator.n_components) if concentration is None else float(concentration),
            1.0 if precision is None else float(precision),
            _degrees(estimator.degrees_of_freedom_prior, n_features),
            _mean(estimator.mean_prior, n_features),
            _scale(estimator.covariance_prior, structure, str(estimator.covariance_type), n_features),
        )

    def resolved(self, problem: Problem, ridge: float) -> Prior:
        """The prior in the frame of a problem; ``ridge`` is in the data's units squared."""
        frame = problem.source.frame
        center = problem.total.mean[0] if self.mean is None else frame.apply(self.mean[None])[0]
        powers = 2 * frame.total_exponent
        with np.errstate(over="ignore", under="ignore"):
            amounts = np.ldexp(np.full(len(powers), ridge), powers)
        if not (np.abs(center) < _FARTHEST).all():
            raise ParameterError.value("mean_prior", self.mean, "a point less than 1e100 deviations of the data away")
        if not np.isfinite(amounts).all():
            raise ParameterError.value("reg_covar", ridge, "0, or in some proportion to the variances of the data")
        return Prior(
            problem.family.structure,
            CONCENTRATIONS[self.kind](self.concentration),
            self.mean_precision,
            center,
            self.degrees,
            self._framed(problem),
            amounts,
            frame,
            problem.feature_names,
        )

    def _framed(self, problem: Problem) -> Array:
        """The scale in the frame; without one, the covariance of all rows in the part that the structure holds."""
        structure, frame, powers = problem.family.structure, problem.source.frame, problem.source.frame.total_exponent
        is_matrix, is_round = structure.orientation != "I", structure.shape == "I"
        if self.scale is None:
            scatter = problem.pooled_total.scatter if is_matrix else problem.total.scatter[0]
            found = scatter / max(problem.total_weight - 1.0, 1.0)
            return np.asarray(found.mean() if is_round else found)
        with np.errstate(over="ignore", under="ignore"):
            if is_matrix:
                return frame.apply_covariances(self.scale)
            return np.asarray(np.ldexp(self.scale, 2 * powers[0] if is_round else 2 * powers))


def restored_scale(prior: Prior) -> Array | float:
    """The scale of a prior in the data's units."""
    if prior.scale.ndim == 2:
        return prior.frame.restore_covariances(prior.scale)
    variances = prior.frame.restore_variances(np.broadcast_to(prior.scale, (1, len(prior.center))))[0]
    return variances if prior.scale.ndim else float(variances[0])


def _numbers(name: str, values: object) -> Array:
    try:
        parsed = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError.value(name, values, "numbers") from None
    if not np.isfinite(parsed).all():
        raise DataError.not_finite_parameter(name)
    return parsed


def _degrees(given: float | None, n_features: int) -> float:
    if given is None:
        return float(n_features)
    if given <= n_features - 1:
        raise ParameterError(
            "The parameter 'degrees_of_freedom_prior' should be greater than "
            f"{n_features - 1}, but got {float(given):.3f}."
        )
    return float(given)


def _mean(given: object, n_features: int) -> D | None:
    if given is None:
        return None
    mean = _numbers("mean_prior", given)
    if mean.shape != (n_features,):
        raise ParameterError.shape("means", mean.shape, (n_features,))
    return mean


def _scale(given: object, structure: Structure, name: str, n_features: int) -> Array | None:
    if given is None:
        return None
    scale = _numbers("covariance_prior", given)
    shape = natural_shape(structure, 1, n_features)
    expected = shape if str(structure) == "EEE" else shape[1:]
    if scale.shape != expected:
        raise ParameterError.shape(f"{name} covariance_prior", scale.shape, expected)
    if scale.ndim == 2:
        if not np.allclose(scale, scale.T) or cholesky(scale) is None:
            raise ParameterError(f"'{name} covariance_prior' should be symmetric, positive-definite")
    elif not (scale > 0).all():
        raise ParameterError(f"'{name} covariance_prior' should be positive")
    return scale
