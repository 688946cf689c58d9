"""Which columns a rule may match: quick checks of all columns at once, since tables may have thousands of them."""

import math

import numpy as np
from scipy.special import ndtri

from gaussmix.core.frame import ColumnRange
from gaussmix.core.random_numbers import splitmix64
from gaussmix.diagnostics import rules
from gaussmix.diagnostics.sorted_column import copy_columns
from gaussmix.types import AnyArray, Array, BoolN, IntN, N

_SLACK = 1e-6  # relative; thresholds are lower here, so that rounding never hides a column
_N_QUICK_ROWS = 512  # a value of 4 % of the rows is repeated among them, except with probability 2e-8
_MIN_ROWS_FOR_QUICK_CHECK = 2 * _N_QUICK_ROWS


def find_columns_by_range_and_few_rows(rows: AnyArray) -> BoolN:
    """Return a mask (D,) of the columns of rows (n, D) that a rule may match, without sorting long columns.

    The others are of both signs, some hundreds of their values are distinct, and all values are so near to the central
    three quarters that tails cannot be heavy: a rule asks for tails over several orders of magnitude beyond its fence.
    """
    if len(rows) < _MIN_ROWS_FOR_QUICK_CHECK:
        return np.ones(rows.shape[1], dtype=bool)
    value_range = ColumnRange.from_rows(rows)
    minimum, maximum = value_range.minimum.astype(np.float64), value_range.maximum.astype(np.float64)
    columns = copy_columns(rows[_stratified_positions(len(rows))])
    columns.sort(axis=1)
    is_repeated = (columns[:, 1:] == columns[:, :-1]).any(axis=1)
    low, high = columns[:, [_N_QUICK_ROWS // 8, -1 - _N_QUICK_ROWS // 8]].T
    # Differences of halves cannot overflow. The median is between the two quantiles, the fence wider than this one.
    reach = np.maximum(0.5 * maximum - 0.5 * low, 0.5 * high - 0.5 * minimum)
    fence = rules.FENCE * 0.5 * (0.5 * high - 0.5 * low)
    may_have_heavy_tails = reach >= math.exp(rules.MIN_TAIL_LOG_SPREAD) * fence
    return np.asarray(is_repeated | may_have_heavy_tails | (minimum >= 0) | (maximum <= 0))


def _stratified_positions(n_rows: int) -> IntN:
    """Return the positions of some hundred rows, a pseudo-random one of each stretch of rows, ascending."""
    bounds = np.arange(_N_QUICK_ROWS + 1) * n_rows // _N_QUICK_ROWS
    fractions = (splitmix64(np.arange(_N_QUICK_ROWS, dtype=np.uint64)) >> np.uint64(11)) * 2.0**-53
    return np.asarray(bounds[:-1] + (fractions * np.diff(bounds)).astype(np.int64))


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
    scale = np.where(scale > 0, scale, 1.0)[:, None]
    return np.asarray(is_repeated | _may_have_heavy_tails(columns, scale) | _may_be_skewed(columns, scale))


def _may_have_heavy_tails(columns: Array, scale: Array) -> BoolN:
    """Return a mask (D,) of the sorted columns with many values beyond the fence.

    The lowest and the highest values suffice, as many at either end as a rule asks for in all. They are divided by
    ``scale`` (D, 1), so that no difference overflows.
    """
    n_rows, n_asked = columns.shape[1], min(rules.MIN_ROWS_BEYOND_FENCE, columns.shape[1] // 2)
    cumulative = np.cumsum(np.full(n_rows, 1.0 / n_rows))
    positions = np.searchsorted(cumulative, np.array([0.05, 0.5, 0.95]) * (1.0 - 1e-12))
    low, median, high = (columns[:, np.minimum(positions, n_rows - 1)] / scale).T
    fence = (1.0 - _SLACK) * rules.FENCE * 0.5 * (high - low)
    ends = np.hstack([columns[:, :n_asked], columns[:, n_rows - n_asked :]]) / scale
    n_beyond = np.count_nonzero(np.abs(ends - median[:, None]) > fence[:, None], axis=1)
    return np.asarray(n_beyond >= rules.MIN_ROWS_BEYOND_FENCE)


def _may_be_skewed(columns: Array, scale: Array) -> BoolN:
    """Return a mask (D,) of the sorted columns that are not normal and have values of one sign only."""
    n_rows = columns.shape[1]
    has_one_sign = (columns[:, 0] >= 0) | (columns[:, -1] <= 0)
    may_match = has_one_sign & (n_rows >= rules.MIN_SKEW_ROWS)
    if not may_match.any():
        return np.asarray(may_match)
    scores: N = ndtri((np.arange(n_rows) + 0.5) / n_rows)
    scaled = columns[may_match] / scale[may_match]
    deviations = scaled - scaled.mean(axis=1, keepdims=True)
    sizes = np.einsum("jn,jn->j", deviations, deviations) * (scores @ scores)
    non_normality = 1.0 - (deviations @ scores) ** 2 / np.where(sizes > 0, sizes, 1.0)
    may_match[may_match] = non_normality >= (1.0 - _SLACK) * rules.MIN_SKEW_NON_NORMALITY - _SLACK
    return np.asarray(may_match)
