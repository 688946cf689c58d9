"""The constructor's parameters, checked when a fit begins: one sentence for each that cannot be used."""

from typing import Any

from gaussmix.covariance import Structure, structure_of
from gaussmix.errors import ConstraintError, ParameterError
from gaussmix.estimators import _base
from gaussmix.model import Constraints
from gaussmix.model.volume import require_noise
from gaussmix.solvers.start import STARTS
from gaussmix.solvers.table import SOLVERS


def checked_structure(estimator: Any) -> Structure:
    """Check the constructor's scalars of a mixture, and read its structure."""
    _base.require_integer("n_components", estimator.n_components, 1)
    _base.require_real("tol", estimator.tol)
    _base.require_real("reg_covar", estimator.reg_covar, optional=True)
    _base.require_integer("max_iter", estimator.max_iter, 0)
    _base.require_integer("n_init", estimator.n_init, 1)
    _base.require_integer("moves", estimator.moves, 0)
    _base.require_choice("init_params", estimator.init_params, list(STARTS))
    _base.require_integer("verbose_interval", estimator.verbose_interval, 1)
    check_solver(estimator)
    require_noise(estimator.noise)
    check_constraints(estimator.constraints)
    if estimator.n_factors is not None:
        _base.require_integer("n_factors", estimator.n_factors, 1)
    return structure_of(estimator.covariance_type, estimator.n_factors, "covariance_type")


def check_solver(estimator: Any) -> None:
    """ParameterError unless there is such a solver, and its options are what it can use."""
    _base.require_choice("solver", estimator.solver, list(SOLVERS))
    if estimator.learning_rate is not None:
        _base.require_positive("learning_rate", estimator.learning_rate)
    if estimator.batch_size is not None:
        _base.require_integer("batch_size", estimator.batch_size, 1)
    if SOLVERS[estimator.solver].by_gradient and estimator.reg_covar is not None:
        raise ParameterError.ridge_with_gradient(estimator.solver)


def check_constraints(constraints: object) -> None:
    """ConstraintError unless constraints are what they are called."""
    if constraints is not None and not isinstance(constraints, Constraints):
        raise ConstraintError.kind(constraints)
