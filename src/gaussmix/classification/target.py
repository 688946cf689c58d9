"""Read the classes of the rows: the codes of a target, its levels in order, and the weights of the classes."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import column_or_1d

from gaussmix.core.scalar_checks import is_real_number
from gaussmix.core.user_warnings import warn_user
from gaussmix.errors import ClassifierParameterError, DataWarning, ParameterError, TargetError
from gaussmix.types import AnyArray, IntN, N

MAX_CLASSES = 20
_UNUSABLE_TYPES = (bytes, complex, list, tuple, dict, set, np.ndarray)
_MAX_COPIES = 1e9  # of all rows; more are weights, not copies
_MIN_ROWS_PER_CLASS = 10  # on average, of a target of more classes


class Target(NamedTuple):
    """Class of each row (n,), from 0, and the levels of the classes in sorted order (Y,)."""

    codes: IntN
    classes: AnyArray


def parse_target(y: Any, n_rows: int) -> Target:
    """Return the classes of the rows; warn of numbers that look like amounts rather than classes.

    Raises
    ------
    TargetError
        If the target has missing values, one class only, another length, labels that are no classes, or more than 20
        classes of few rows.
    """
    classes, codes = np.unique(read_labels(y, n_rows), return_inverse=True)
    if len(classes) < 2:
        raise TargetError.single_class(classes.tolist()[0])
    if len(classes) > MAX_CLASSES and n_rows < _MIN_ROWS_PER_CLASS * len(classes):
        raise TargetError.too_many_classes(len(classes), n_rows)
    if len(classes) > MAX_CLASSES and classes.dtype.kind in "iuf":
        warn_user(DataWarning.many_numeric_classes(len(classes), classes[0].item(), classes[-1].item()))
    return Target(np.asarray(codes, dtype=np.int64).ravel(), classes)


def read_labels(y: Any, n_rows: int) -> AnyArray:
    """Return the labels (n,) of rows; raise TargetError if some are missing or no classes, or there are not n."""
    values = _to_labels(y)
    if len(values) != n_rows:
        raise TargetError.wrong_length(len(values), n_rows)
    _require_no_missing(values)
    _require_classes(values)
    if values.dtype.kind == "O" and not isinstance(values[0], str):
        return np.array(values.tolist())  # numbers and bools of a table's own types
    return values


class WeightedTarget(NamedTuple):
    """Classes of rows with weights.

    Attributes
    ----------
    codes : ndarray of int64 of shape (n,)
        Class of each row, -1 for rows of weight 0.
    classes : ndarray of shape (Y,)
        The levels of the classes.
    weights : ndarray of shape (n,)
        Weights of the rows times those of their classes.
    copies : ndarray of int64 of shape (n,)
        Number of rows that each row stands for: its own weight if all weights are whole numbers, else 1.
    """

    codes: IntN
    classes: AnyArray
    weights: N
    copies: IntN

    def select_rows(self, rows: IntN) -> "WeightedTarget":
        """Return the target of some rows, by positions."""
        return WeightedTarget(self.codes[rows], self.classes, self.weights[rows], self.copies[rows])


def weight_target(target: Target, weights: N, class_weight: object) -> WeightedTarget:
    """Return a target with the weights of rows and classes; rows of weight 0 count as absent.

    Parameters
    ----------
    target : Target
    weights : ndarray of shape (n,)
        Weights of the rows.
    class_weight : None, 'balanced' or mapping from classes to weights
        As in scikit-learn.

    Raises
    ------
    ParameterError, TargetError
        If the class weights are invalid, or fewer than two classes have a weight.
    """
    present = _drop_empty_classes(target, weights)
    weighted = _weight_classes(class_weight, present, weights)
    return WeightedTarget(*_drop_empty_classes(present, weighted), weighted, count_copies(weights))


def count_copies(weights: N) -> IntN:
    """Return how many customers or other units each row (n,) stands for: whole weights, or 1 if some are not whole."""
    is_whole = bool((weights == np.floor(weights)).all()) and float(weights.sum()) < _MAX_COPIES
    return weights.astype(np.int64) if is_whole else np.ones(len(weights), dtype=np.int64)


def _drop_empty_classes(target: Target, weights: N) -> Target:
    """Return a target without the classes whose rows all have weight 0; the rows of weight 0 get the code -1.

    Raises
    ------
    TargetError
        If fewer than two classes are left.
    """
    codes = np.where(weights > 0, target.codes, -1)
    counts = np.bincount(codes[codes >= 0], minlength=len(target.classes))
    kept = np.flatnonzero(counts > 0)
    if len(kept) < 2:
        raise TargetError.single_class(target.classes[kept].tolist()[0])
    new_codes = np.full(len(counts), -1, dtype=np.int64)
    new_codes[kept] = np.arange(len(kept))
    return Target(np.append(new_codes, -1)[codes], target.classes[kept])


def _to_labels(y: Any) -> AnyArray:
    """Return a target as an array (n,); text and labels of tables' own types are objects."""
    values = np.asarray(y)
    if (not isinstance(y, np.ndarray) and values.dtype.kind in "UT") or getattr(
        y, "dtype", values.dtype
    ) != values.dtype:
        values = np.asarray(y, dtype=object)  # NumPy would turn a list of text and NaN into text
    if values.ndim != 1 and not (values.ndim == 2 and values.shape[1] == 1):
        raise TargetError.wrong_shape(values.shape)
    if values.dtype.kind == "c":
        raise TargetError.unusable_label(values.ravel().tolist()[0], 0)
    return np.asarray(column_or_1d(values, warn=True))


def _require_no_missing(values: AnyArray) -> None:
    """Raise TargetError if a label is missing."""
    if values.dtype.kind in "OUTfM":
        is_missing = np.array([_is_missing(value) for value in values.tolist()], dtype=bool)
        if is_missing.any():
            raise TargetError.missing_values(int(is_missing.sum()), int(np.argmax(is_missing)))


def _require_classes(values: AnyArray) -> None:
    """Raise TargetError unless labels (n,), none of them missing, are text, whole numbers, bools or dates."""
    if values.dtype.kind in "biuUT":
        return
    kinds = set()
    for row, value in enumerate(values.tolist()):
        if isinstance(value, _UNUSABLE_TYPES):
            raise TargetError.unusable_label(value, row)
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if is_number and not float(value).is_integer():
            raise TargetError.numbers(value, row)
        kinds.add("number" if is_number else type(value).__name__)
    if len(kinds) > 1:
        raise TargetError.mixed_types(sorted(kinds))


def _is_missing(value: object) -> bool:
    """Return whether a label is None, NaN, NA or blank."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    is_equal = value == value
    return not (isinstance(is_equal, bool | np.bool_) and bool(is_equal))


def _weight_classes(class_weight: object, target: Target, weights: N) -> N:
    """Return row weights (n,) times the weight of each row's class."""
    n_rows = float(weights.sum())
    if n_rows < len(target.classes):
        warn_user(DataWarning.few_counted_rows(n_rows))
    if class_weight is None:
        return weights
    if class_weight != "balanced" and not isinstance(class_weight, Mapping):
        raise ParameterError.invalid_value(
            "class_weight", class_weight, "None, 'balanced' or a mapping from classes to weights"
        )
    if isinstance(class_weight, Mapping):
        invalid = [weight for weight in class_weight.values() if not _is_weight(weight)]
        labels = target.classes.tolist()
        unknown = [label for label in class_weight if label not in labels]
        if invalid:
            raise ParameterError.invalid_value("a weight of class_weight", invalid[0], "a finite number of at least 0")
        if unknown and not all(label in class_weight for label in labels):
            raise ClassifierParameterError.unknown_classes(unknown, labels)
    by_class = compute_class_weight(
        class_weight, classes=target.classes, y=target.classes[target.codes], sample_weight=weights
    )
    return np.asarray(weights * np.asarray(by_class, dtype=np.float64)[target.codes])


def _is_weight(value: object) -> bool:
    """Return whether a value is a finite number of at least 0."""
    return is_real_number(value) and 0.0 <= float(value) < np.inf  # type: ignore[arg-type]
