"""The constructor's parameters, checked when a fit begins: one sentence for each that cannot be used."""

from typing import Any

from gaussmix.covariance import Structure, parse_structure
from gaussmix.errors import ConstraintError, ParameterError
from gaussmix.estimators import _validation
from gaussmix.model import Constraints
from gaussmix.model.noise_volume import check_noise_parameter
from gaussmix.solvers.initialization import INIT_METHODS
from gaussmix.solvers.solver_table import SOLVERS


def validate_mixture_parameters(estimator: Any) -> Structure:
    """Check the constructor's scalars of a mixture, and read its structure."""
    _validation.require_integer("n_components", estimator.n_components, 1)
    _validation.require_non_negative("tol", estimator.tol)
    _validation.require_non_negative("reg_covar", estimator.reg_covar, allow_none=True)
    _validation.require_integer("max_iter", estimator.max_iter, 0)
    _validation.require_integer("n_init", estimator.n_init, 1)
    _validation.require_integer("n_split_merge", estimator.n_split_merge, 0)
    _validation.require_choice("init_params", estimator.init_params, list(INIT_METHODS))
    _validation.require_integer("verbose_interval", estimator.verbose_interval, 1)
    validate_solver(estimator)
    check_noise_parameter(estimator.noise)
    validate_constraints(estimator.constraints)
    if estimator.n_factors is not None:
        _validation.require_integer("n_factors", estimator.n_factors, 1)
    return parse_structure(estimator.covariance_type, estimator.n_factors, "covariance_type")


def validate_solver(estimator: Any) -> None:
    """ParameterError unless there is such a solver, and its options are what it can use."""
    _validation.require_choice("solver", estimator.solver, list(SOLVERS))
    if estimator.learning_rate is not None:
        _validation.require_positive("learning_rate", estimator.learning_rate)
    if estimator.batch_size is not None:
        _validation.require_integer("batch_size", estimator.batch_size, 1)
    if SOLVERS[estimator.solver].uses_gradient and estimator.reg_covar is not None:
        raise ParameterError.ridge_with_gradient(estimator.solver)


def validate_constraints(constraints: object) -> None:
    """ConstraintError unless constraints are what they are called."""
    if constraints is not None and not isinstance(constraints, Constraints):
        raise ConstraintError.wrong_type(constraints)
