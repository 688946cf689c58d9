"""Churn rates of segments to which customers belong in part, with intervals."""

from dataclasses import dataclass

import numpy as np

from gaussmix.classification.evaluation.rate_intervals import Interval, normal_quantile, wilson_interval
from gaussmix.types import NK, BoolN, N


@dataclass(frozen=True)
class SegmentRate:
    """The churn rate of a segment.

    Attributes
    ----------
    rate : float
        Memberships of the customers who left, divided by those of all customers.
    interval : Interval
        ``low`` and ``high``.
    effective_count : float
        Number of customers whose known membership would tell the rate as well.
    """

    rate: float
    interval: Interval
    effective_count: float


def estimate_segment_rates(memberships: NK, has_left: BoolN, weights: N, level: float) -> tuple[SegmentRate, ...]:
    """Return the churn rate of each segment with its interval.

    With a = weight x membership, the rate is the ratio sum a y / sum a, and its variance by linearization
    sum a^2 (y - rate)^2 / (sum a)^2 (Cochran, "Sampling Techniques", 1977, section 6.3). The effective count is that of
    equal rows with the same variance, and the interval is Wilson's.

    Parameters
    ----------
    memberships : ndarray of shape (n, K)
        Probability of each segment given the row, by a mixture that has not seen who left.
    has_left : ndarray of bool of shape (n,)
    weights : ndarray of shape (n,)
    level : float
        Confidence level.
    """
    return tuple(_estimate_rate(weights * column, has_left, level) for column in memberships.T)


def _estimate_rate(parts: N, has_left: BoolN, level: float) -> SegmentRate:
    """Return the rate of a segment in which customers count in part (n,), of which one is positive at least."""
    parts = parts / parts.max()
    total, squares = float(parts.sum()), float(parts @ parts)
    rate = float(parts[has_left].sum()) / total
    squared_rate = float((parts[has_left] ** 2).sum()) / squares
    kish_count = total**2 / squares
    # The rates of the variance are shrunk as Wilson's interval is: a segment where nobody left has a variance, too.
    n_added = normal_quantile(level) ** 2
    shrunk, squared = ((kish_count * each + 0.5 * n_added) / (kish_count + n_added) for each in (rate, squared_rate))
    mean_square = squared * (1.0 - 2.0 * shrunk) + shrunk**2
    effective_count = kish_count * shrunk * (1.0 - shrunk) / mean_square
    return SegmentRate(rate, wilson_interval(rate, effective_count, level), effective_count)


def mean_rate(has_left: BoolN, weights: N) -> float:
    """Return the weighted fraction of the customers who left."""
    return float(np.average(has_left, weights=weights))
