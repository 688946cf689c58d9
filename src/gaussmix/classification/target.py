"""Read the classes of the rows: the codes of a target, its levels in order, and the weights of the classes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from gaussmix.errors import ParameterError, TargetError
from gaussmix.types import AnyArray, IntN, N

MAX_CLASSES = 20
_MIN_ROWS_PER_CLASS = 10  # on average, of a target of more classes


class Target(NamedTuple):
    """Class of each row (n,), from 0, and the levels of the classes in sorted order (Y,)."""

    codes: IntN
    classes: AnyArray


def parse_target(y: Any, n_rows: int) -> Target:
    """Return the classes of the rows.

    Raises
    ------
    TargetError
        If the target has missing values, one class only, another length, or more than 20 classes of few rows.
    """
    values = column_or_1d(_to_array(y), warn=True)
    if len(values) != n_rows:
        raise TargetError.wrong_length(len(values), n_rows)
    is_missing = np.array([_is_missing(value) for value in values]) if values.dtype.kind in "OfM" else np.zeros(1, bool)
    if is_missing.any():
        raise TargetError.missing_values(int(is_missing.sum()), int(np.argmax(is_missing)))
    check_classification_targets(values)
    try:
        classes, codes = np.unique(values, return_inverse=True)
    except TypeError:
        raise TargetError.mixed_types(sorted({type(value).__name__ for value in values})) from None
    if len(classes) < 2:
        raise TargetError.single_class(classes[0])
    if len(classes) > MAX_CLASSES and n_rows < _MIN_ROWS_PER_CLASS * len(classes):
        raise TargetError.too_many_classes(len(classes), n_rows)
    return Target(np.asarray(codes, dtype=np.int64).ravel(), classes)


def drop_empty_classes(target: Target, weights: N) -> Target:
    """Return a target without the classes whose rows all have weight 0; these rows get the code -1.

    Raises
    ------
    TargetError
        If fewer than two classes are left.
    """
    counts = np.bincount(target.codes, weights=weights, minlength=len(target.classes))
    kept = np.flatnonzero(counts > 0)
    if len(kept) < 2:
        raise TargetError.single_class(target.classes[kept[0]])
    new_codes = np.full(len(counts), -1, dtype=np.int64)
    new_codes[kept] = np.arange(len(kept))
    return Target(new_codes[target.codes], target.classes[kept])


def _to_array(y: Any) -> AnyArray:
    """Return a target as an array; labels of pandas' own types become objects."""
    values = np.asarray(y)
    if values.dtype.kind == "T" or (hasattr(y, "dtype") and values.dtype != y.dtype):
        values = np.asarray(y, dtype=object)
    return values


def _is_missing(value: object) -> bool:
    """Return whether a label is None, NaN, NA or blank."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    is_equal = value == value
    return not (isinstance(is_equal, bool | np.bool_) and bool(is_equal))


def weight_classes(class_weight: object, target: Target, weights: N) -> N:
    """Return row weights (n,) times the weight of each row's class.

    ``class_weight`` is None, 'balanced' or a mapping from classes to weights, as in scikit-learn.
    """
    if class_weight is None:
        return weights
    if class_weight != "balanced" and not isinstance(class_weight, Mapping):
        raise ParameterError.invalid_value(
            "class_weight", class_weight, "None, 'balanced' or a mapping from classes to weights"
        )
    by_class = compute_class_weight(
        class_weight, classes=target.classes, y=target.classes[target.codes], sample_weight=weights
    )
    return np.asarray(weights * np.asarray(by_class, dtype=np.float64)[target.codes])
