"""Which columns a rule may match: a quick check of all columns at once, since tables may have thousands of them."""

import numpy as np
from scipy.special import ndtri

from gaussmix.diagnostics import rules
from gaussmix.types import Array, BoolN, N

_SLACK = 1e-6  # relative; thresholds are lower here, so that rounding never hides a column


def find_columns_to_diagnose(columns: Array) -> BoolN:
    """Return a mask (D,) of the columns that a rule may match.

    The values of any other column are distinct, few of them are far outside, and they are nearly normal or of both
    signs.

    Parameters
    ----------
    columns : ndarray of shape (D, n)
        Each column sorted; all rows have the same weight.
    """
    if columns.shape[1] <= rules.MAX_DISCRETE_VALUES:
        return np.ones(len(columns), dtype=bool)
    is_repeated = (columns[:, 1:] == columns[:, :-1]).any(axis=1)
    scale = np.abs(columns[:, [0, -1]]).max(axis=1)
    scaled = columns / np.where(scale > 0, scale, 1.0)[:, None]
    return np.asarray(is_repeated | _may_have_heavy_tails(scaled) | _may_be_skewed(scaled))


def _may_have_heavy_tails(scaled: Array) -> BoolN:
    """Return a mask (D,) of the scaled and sorted columns with many values beyond the fence."""
    n_rows = scaled.shape[1]
    cumulative = np.cumsum(np.full(n_rows, 1.0 / n_rows))
    positions = np.searchsorted(cumulative, np.array([0.05, 0.5, 0.95]) * (1.0 - 1e-12))
    low, median, high = scaled[:, np.minimum(positions, n_rows - 1)].T
    fence = (1.0 - _SLACK) * rules.FENCE * 0.5 * (high - low)
    n_beyond = np.count_nonzero(np.abs(scaled - median[:, None]) > fence[:, None], axis=1)
    return np.asarray(n_beyond >= rules.MIN_ROWS_BEYOND_FENCE)


def _may_be_skewed(scaled: Array) -> BoolN:
    """Return a mask (D,) of the scaled and sorted columns that are not normal and have values of one sign only."""
    n_rows = scaled.shape[1]
    has_one_sign = (scaled[:, 0] >= 0) | (scaled[:, -1] <= 0)
    may_match = has_one_sign & (n_rows >= rules.MIN_SKEW_ROWS)
    if not may_match.any():
        return np.asarray(may_match)
    scores: N = ndtri((np.arange(n_rows) + 0.5) / n_rows)
    deviations = scaled[may_match] - scaled[may_match].mean(axis=1, keepdims=True)
    sizes = np.einsum("jn,jn->j", deviations, deviations) * (scores @ scores)
    non_normality = 1.0 - (deviations @ scores) ** 2 / np.where(sizes > 0, sizes, 1.0)
    may_match[may_match] = non_normality >= (1.0 - _SLACK) * rules.MIN_SKEW_NON_NORMALITY - _SLACK
    return np.asarray(may_match)
