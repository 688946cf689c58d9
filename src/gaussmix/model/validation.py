"""Validation of the parameters from which a user builds a mixture, and of the columns that a user names."""

from collections.abc import Sequence

import numpy as np

from gaussmix.core.input_arrays import fill_masked_with_nan
from gaussmix.errors import ParameterError
from gaussmix.types import KD, ArrayLike, IntD, K

_WEIGHT_SUM_TOLERANCE = 1e-6


def parse_columns(
    columns: Sequence[int | str] | int | str, n_features: int, feature_names: tuple[str, ...] | None = None
) -> IntD:
    """Return distinct column positions (d,) from 0 to n_features - 1, from positions or names.

    Negative positions count from the end.

    Raises
    ------
    ParameterError
        If a name or a position does not exist, or a column is given twice.
    """
    entries = [columns] if isinstance(columns, str) or np.ndim(columns) == 0 else list(columns)  # type: ignore[arg-type]
    positions = np.asarray([_replace_name_by_position(column, feature_names) for column in entries])
    if not np.issubdtype(positions.dtype, np.integer) or positions.ndim != 1 or len(positions) == 0:
        raise ParameterError.invalid_value("columns", columns, "a non-empty list of column positions or names")
    wrapped = np.where(positions < 0, positions + n_features, positions)
    if wrapped.min() < 0 or wrapped.max() >= n_features or len(set(wrapped.tolist())) < len(wrapped):
        raise ParameterError.invalid_value("columns", columns, f"distinct positions from 0 to {n_features - 1}")
    return wrapped.astype(np.int64)


def _replace_name_by_position(column: object, feature_names: tuple[str, ...] | None) -> object:
    """Return the position of a column if it is given by name, else return ``column`` unchanged."""
    if not isinstance(column, str):
        return column
    if feature_names is None:
        raise ParameterError.invalid_value("columns", column, "a position, as the model has no feature names")
    if column not in feature_names:
        raise ParameterError.invalid_choice("columns", column, feature_names)
    return feature_names.index(column)


def parse_weights_and_means(weights: ArrayLike, means: ArrayLike) -> tuple[K, KD]:
    """Return weights (K,) that add up to 1, and finite means (K, D).

    Raises
    ------
    ParameterError
        If a shape is wrong, a mean is not finite, a weight is negative or the weights do not add up to 1.
    """
    component_weights = np.asarray(fill_masked_with_nan(weights), dtype=np.float64)
    component_means = np.asarray(fill_masked_with_nan(means), dtype=np.float64)
    if component_means.ndim != 2 or not np.isfinite(component_means).all():
        raise ParameterError.invalid_value("means", component_means.tolist(), "finite numbers of shape (K, D)")
    if component_weights.shape != (len(component_means),):
        raise ParameterError.wrong_shape("weights", component_weights.shape, (len(component_means),))
    require_weights_sum_to_one(component_weights, component_weights)
    return component_weights / component_weights.sum(), component_means


def require_weights_sum_to_one(weights: K, weights_with_noise: K) -> None:
    """Raise a ParameterError unless no weight (K,) is negative and ``weights_with_noise`` add up to 1."""
    if not (weights >= 0).all() or abs(float(weights_with_noise.sum()) - 1.0) > _WEIGHT_SUM_TOLERANCE:
        raise ParameterError.invalid_value("weights", weights.tolist(), "numbers of at least 0 that add up to 1")


def parse_feature_names(feature_names: Sequence[str] | None, n_features: int) -> tuple[str, ...] | None:
    """Return the feature names as a tuple of ``n_features`` distinct names; None for None.

    Raises
    ------
    ParameterError
        If there are too few or too many names, or a name twice.
    """
    if feature_names is None:
        return None
    names = tuple(feature_names)
    if len(names) != n_features:
        raise ParameterError.wrong_shape("feature_names", (len(names),), (n_features,))
    if len(set(names)) < len(names):
        raise ParameterError.invalid_value("feature_names", list(names), "different names")
    return names
