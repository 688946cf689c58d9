"""Find the class that means that a customer left."""

from typing import Any

import numpy as np

from gaussmix.errors import ChurnParameterError
from gaussmix.types import AnyArray

POSITIVE_TEXTS = frozenset(
    {
        *("yes", "y", "true", "t", "1", "churn", "churned", "churner", "left", "leaver", "lost", "exited", "cancelled"),
        *("canceled", "attrited", "attrited customer", "attrition"),
    }
)
_NEGATIVE_NUMBERS = (0, -1)


def find_positive_class(classes: AnyArray, positive: object) -> Any:
    """Return the label of the positive class among the classes (Y,).

    Raises
    ------
    ChurnParameterError
        If ``positive`` is no class, or if it is None and not exactly one class has a name that means churn.
    """
    if positive is not None:
        found = [label for label in classes.tolist() if _is_equal(label, positive)]
        if len(found) != 1:
            raise ChurnParameterError.unknown_positive(positive, classes.tolist())
        return found[0]
    found = [label for label in classes.tolist() if _means_churn(label, classes)]
    if len(found) != 1:
        raise ChurnParameterError.unclear_positive(classes.tolist())
    return found[0]


def _is_equal(label: object, positive: object) -> bool:
    """Return whether a label is the given one; texts do not equal numbers, and True is no 1 among texts."""
    is_text = isinstance(label, str), isinstance(positive, str)
    return is_text[0] == is_text[1] and bool(label == positive)


def _means_churn(label: object, classes: AnyArray) -> bool:
    """Return whether a label means churn: by its name, or as 1 beside 0 or -1."""
    if isinstance(label, str):
        return label.strip().casefold() in POSITIVE_TEXTS
    if isinstance(label, bool | np.bool_):
        return bool(label)
    is_binary = len(classes) == 2 and any(bool(other == each) for each in _NEGATIVE_NUMBERS for other in classes)
    return is_binary and bool(label == 1)
