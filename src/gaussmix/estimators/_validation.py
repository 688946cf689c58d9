"""Validation of rows, row weights, seeds and constructor parameters."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from gaussmix.core.input_arrays import (
    column_names,
    find_first_non_numeric,
    parse_weights,
    require_finite,
    require_observed_columns,
)
from gaussmix.core.input_kinds import fill_masked_with_nan, refuse_sparse, require_no_lazy_frame, require_no_source
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.scalar_checks import is_bool, is_real_number, require_integer
from gaussmix.covariance import Structure, parse_structure
from gaussmix.errors import ConstraintError, DataError, DataTypeError, ParameterError
from gaussmix.model import Constraints
from gaussmix.model.noise_volume import check_noise_parameter
from gaussmix.solvers.initialization import INIT_METHODS
from gaussmix.solvers.solver_table import SOLVERS
from gaussmix.types import AnyArray, ArrayLike, N

# An int, a numpy RandomState, a numpy Generator or None.
RandomStateLike = Any


# -- random generators -----------------------------------------------------------------------------


def make_estimator_generator(random_state: RandomStateLike) -> np.random.Generator:
    """Return a Generator for an int, a RandomState, a Generator or None, which is NumPy's global RandomState.

    A Generator is returned as it is. Four draws of a RandomState seed a new one.
    """
    if random_state is None or random_state is np.random or isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(check_random_state(random_state).randint(2**31, size=4))
    return make_generator(random_state, other_types="a numpy RandomState, ")


def make_two_independent_generators(random_state: RandomStateLike) -> tuple[np.random.Generator, np.random.Generator]:
    """Return the Generator of ``random_state`` and a new one; draws from either do not change those of the other."""
    first = make_estimator_generator(random_state)
    second = np.random.default_rng(deepcopy(first).integers(2**63, size=4))
    return first, second


def make_random_state(rng: np.random.Generator) -> np.random.RandomState:
    """Return a RandomState, the type that scikit-learn passes to callables, seeded by four draws of ``rng``."""
    return np.random.RandomState(rng.integers(2**31, size=4))


# -- fitted estimators -----------------------------------------------------------------------------


def require_fitted(estimator: Any, attribute: str) -> None:
    """Raise scikit-learn's NotFittedError unless the estimator has an attribute that `fit` sets."""
    if not hasattr(estimator, attribute):  # check_is_fitted takes longer than a prediction for a row
        check_is_fitted(estimator, attribute)


# -- rows and weights ------------------------------------------------------------------------------


def validate_rows(
    estimator: Any, X: ArrayLike, is_fitting: bool, min_fit_rows: int = 2, allow_missing: bool = False
) -> AnyArray:
    """Return the rows as a 2-d array of float64 or float32; arrays of these types are not copied.

    A fit needs ``min_fit_rows`` rows, and sets ``n_features_in_`` and ``feature_names_in_``.
    DataError names NaN, unless missing values are allowed, and infinity by row and column.
    """
    if isinstance(X, np.ndarray) and _can_skip_sklearn_validation(estimator, X, is_fitting, min_fit_rows):
        rows: AnyArray = X
        if is_fitting:
            _set_features_without_names(estimator, X.shape[1])
    else:
        rows = _validate_with_sklearn(estimator, X, is_fitting, min_fit_rows)
    names = getattr(estimator, "feature_names_in_", None)
    require_finite(rows, names, allow_missing)
    if is_fitting and allow_missing:
        require_observed_columns(rows, names)
    return rows


def _can_skip_sklearn_validation(estimator: Any, X: AnyArray, is_fitting: bool, min_fit_rows: int) -> bool:
    """Return whether X, an array for a fit or a fitted estimator, would pass scikit-learn's checks, which are slow."""
    if type(X) is not np.ndarray or X.ndim != 2 or X.dtype not in (np.float64, np.float32):
        return False
    if is_fitting:
        return len(X) >= max(min_fit_rows, 1) and X.shape[1] > 0
    has_fitted_shape = len(X) > 0 and X.shape[1] == getattr(estimator, "n_features_in_", None)
    return has_fitted_shape and not hasattr(estimator, "feature_names_in_")


def _set_features_without_names(estimator: Any, n_features: int) -> None:
    """Set the fitted attributes that scikit-learn's ``validate_data`` sets for an array, which has no names."""
    estimator.n_features_in_ = n_features
    if hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def _validate_with_sklearn(estimator: Any, X: ArrayLike, is_fitting: bool, min_fit_rows: int) -> AnyArray:
    """Return X as a 2-d float array by scikit-learn's ``validate_data``; raise its errors as DataErrors."""
    refuse_sparse(X)
    require_no_source(X)
    require_no_lazy_frame(X)
    column_names(X)  # raises the error of names that are not distinct
    try:
        rows: AnyArray = validate_data(
            estimator,
            fill_masked_with_nan(X),
            reset=is_fitting,
            dtype=[np.float64, np.float32],
            ensure_min_samples=min_fit_rows if is_fitting else 1,
            ensure_all_finite=False,
        )
    except ValueError as error:
        if "could not convert" in str(error):
            raise DataError.not_numeric(error, find_first_non_numeric(X)) from error
        if "at least one array" in str(error):  # a data frame without columns
            raise DataError.no_columns() from error
        raise DataError.from_sklearn_message(str(error)) from error
    except np.exceptions.DTypePromotionError as error:  # a frame with columns of dates and of numbers
        raise DataError.not_numeric(TypeError(str(error).partition(". ")[0]), find_first_non_numeric(X)) from error
    except (TypeError, OverflowError) as error:
        if hasattr(X, "toarray"):
            raise
        raise DataTypeError.not_numeric(error, find_first_non_numeric(X)) from error
    return rows


def get_feature_names(estimator: Any) -> tuple[str, ...] | None:
    """Return the column names that the estimator was fitted to; None if the input had none."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else tuple(str(name) for name in names)


def validate_sample_weight(sample_weight: ArrayLike | None, rows: AnyArray) -> N | None:
    """Return the row weights (n,), or None if every row has weight 1."""
    return parse_weights(sample_weight, len(rows))


# -- scalar parameters -----------------------------------------------------------------------------


def require_non_negative(parameter_name: str, value: object, allow_none: bool = False) -> None:
    """Raise ParameterError unless ``value`` is a finite number of at least 0, or None if ``allow_none``."""
    if allow_none and value is None:
        return
    if not _is_finite_number(value) or float(value) < 0.0:  # type: ignore[arg-type]
        allowed = "a finite number of at least 0" + (" or None" if allow_none else "")
        raise ParameterError.invalid_value(parameter_name, value, allowed)


def require_positive(parameter_name: str, value: object, allow_none: bool = False) -> None:
    """Raise ParameterError unless ``value`` is a finite number above 0, or None if ``allow_none``."""
    if allow_none and value is None:
        return
    if not _is_finite_number(value) or float(value) <= 0.0:  # type: ignore[arg-type]
        allowed = "a finite number above 0" + (" or None" if allow_none else "")
        raise ParameterError.invalid_value(parameter_name, value, allowed)


def require_verbose(value: object) -> None:
    """Raise ParameterError unless ``verbose`` is a bool or a whole number of at least 0."""
    if not is_bool(value):
        require_integer("verbose", value, 0)


def require_choice(parameter_name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise ParameterError unless ``value`` is one of the allowed strings."""
    if not isinstance(value, str) or value not in allowed:
        raise ParameterError.invalid_choice(parameter_name, value, allowed)


def _is_finite_number(value: object) -> bool:
    """Return whether the value is a finite real number; a bool is not."""
    is_number = is_real_number(value)
    return is_number and bool(np.isfinite(float(value)))  # type: ignore[arg-type]


# -- parameters of GaussianMixture -----------------------------------------------------------------


def validate_mixture_parameters(estimator: Any) -> Structure:
    """Check the scalar parameters of a GaussianMixture, and return its covariance structure."""
    require_integer("n_components", estimator.n_components, 1)
    require_non_negative("tol", estimator.tol)
    require_non_negative("reg_covar", estimator.reg_covar, allow_none=True)
    require_integer("max_iter", estimator.max_iter, 0)
    require_integer("n_init", estimator.n_init, 1)
    require_integer("n_split_merge", estimator.n_split_merge, 0)
    require_choice("init_params", estimator.init_params, list(INIT_METHODS))
    require_verbose(estimator.verbose)
    require_integer("verbose_interval", estimator.verbose_interval, 1)
    _validate_solver_parameters(estimator)
    check_noise_parameter(estimator.noise)
    if estimator.constraints is not None and not isinstance(estimator.constraints, Constraints):
        raise ConstraintError.not_constraints(estimator.constraints)
    if estimator.n_factors is not None:
        require_integer("n_factors", estimator.n_factors, 1)
    return parse_structure(estimator.covariance_type, estimator.n_factors, "covariance_type")


def _validate_solver_parameters(estimator: Any) -> None:
    """Raise ParameterError if the solver is unknown, or one of its options is invalid."""
    require_choice("solver", estimator.solver, list(SOLVERS))
    if estimator.learning_rate is not None:
        require_positive("learning_rate", estimator.learning_rate)
    if estimator.batch_size is not None:
        require_integer("batch_size", estimator.batch_size, 1)
    if SOLVERS[estimator.solver].uses_gradient and estimator.reg_covar is not None:
        raise ParameterError.ridge_with_gradient(estimator.solver)
