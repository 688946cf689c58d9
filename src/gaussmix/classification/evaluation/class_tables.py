"""Parsing of probabilities for two or more classes, and of class priors."""

from typing import NamedTuple

import numpy as np

from gaussmix.classification.evaluation.outcomes import as_float_array, clip_rounding
from gaussmix.errors import OutcomeError, PriorError
from gaussmix.types import NK, ArrayLike, K

_SUM_TOLERANCE = 1e-6  # of the probabilities of a row, and of a prior


class ClassTable(NamedTuple):
    """Probabilities (n, K) of K classes, and whether the user gave those of the positive one of two only."""

    probabilities: NK
    is_binary_column: bool


def parse_class_table(p: ArrayLike) -> ClassTable:
    """Return class probabilities whose rows add up to about one; one column (n,) is the positive one of two classes."""
    values = as_float_array(p)
    is_binary_column = values.ndim == 1
    table = clip_rounding(values)
    if is_binary_column:
        table = np.column_stack([1.0 - table, table])
    if table.ndim != 2 or not len(table):
        raise OutcomeError.no_rows() if table.ndim == 2 else OutcomeError.not_a_class_table(values.shape)
    if table.shape[1] < 2:
        raise PriorError.one_class()
    totals = table.sum(axis=1)
    is_valid = np.abs(totals - 1.0) <= _SUM_TOLERANCE
    if not is_valid.all():
        row = int(np.argmin(is_valid))
        raise OutcomeError.probabilities_do_not_sum_to_one(row, float(totals[row]))
    return ClassTable(table, is_binary_column)


def parse_prior(name: str, prior: ArrayLike, n_classes: int, is_zero_allowed: bool) -> K:
    """Return a prior (K,); one number is the prior of the positive one of two classes."""
    try:
        values = np.asarray(prior, dtype=np.float64)
    except (TypeError, ValueError):
        raise PriorError.not_numeric(name, prior) from None
    if values.ndim == 0 and n_classes == 2:
        values = np.array([1.0 - values, values])
    if values.shape != (n_classes,):
        raise PriorError.wrong_n_classes(name, values.shape, n_classes)
    is_low = values < 0.0 if is_zero_allowed else values <= 0.0
    if not np.isfinite(values).all() or is_low.any() or abs(values.sum() - 1.0) > _SUM_TOLERANCE:
        raise PriorError.invalid(name, values.tolist(), is_zero_allowed)
    return np.asarray(values / values.sum())
