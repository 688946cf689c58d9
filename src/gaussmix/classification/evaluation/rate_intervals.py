"""Confidence intervals of rates, from counts of equal rows and from rows with probabilities of their own."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtri

from gaussmix.classification.evaluation.outcomes import BinaryOutcomes
from gaussmix.types import N

_MIN_PROBABILITY = 1e-15  # a probability of 0 has no log-odds
_MAX_SHIFT = 100.0  # of log-odds: all probabilities become 0 or 1 to the last digit


class Interval(NamedTuple):
    """The ends of a confidence interval."""

    low: float
    high: float


def normal_quantile(level: float) -> float:
    """Return z such that a standard normal number lies in (-z, z) with the probability ``level``."""
    return float(ndtri(0.5 + 0.5 * level))


def effective_count(weights: N) -> float:
    """Return Kish's effective number of rows, (sum w)^2 / sum w^2; the number of rows if all weights are equal."""
    relative = weights / weights.max()
    return float(relative.sum() ** 2 / (relative @ relative))


def wilson_interval(rate: float, count: float, level: float) -> Interval:
    """Return the score interval of a rate among ``count`` rows, which need not be a whole number.

    Wilson, Journal of the American Statistical Association 22 (1927).
    """
    z2_per_row = normal_quantile(level) ** 2 / count
    center = (rate + 0.5 * z2_per_row) / (1.0 + z2_per_row)
    half_width = np.sqrt(z2_per_row * (rate * (1.0 - rate) + 0.25 * z2_per_row)) / (1.0 + z2_per_row)
    low, high = float(center - half_width), float(center + half_width)
    return Interval(0.0 if rate == 0.0 else max(low, 0.0), 1.0 if rate == 1.0 else min(high, 1.0))


def rate_interval_given_probabilities(outcomes: BinaryOutcomes, level: float) -> Interval:
    """Return the score interval of the expected rate of rows whose probabilities differ.

    The log-odds of all rows are shifted by a; the interval holds the mean probabilities of all a for which
    |sum w (y - p_a)| <= z sqrt(sum w^2 p_a (1 - p_a)). If all probabilities and weights are equal, this is Wilson's
    interval. It is shorter where the probabilities explain a part of the outcomes.
    """
    log_odds = logit(np.clip(outcomes.probabilities, _MIN_PROBABILITY, 1.0 - _MIN_PROBABILITY))
    weights = outcomes.weights / outcomes.weights.max()
    n_positive, z = float(weights[outcomes.is_positive].sum()), normal_quantile(level)

    def excess(shift: float, n_deviations: float) -> float:
        """Return the observed positive weight, minus the expected one and some standard deviations of it."""
        expected = expit(log_odds + shift)
        deviation = np.sqrt(weights**2 @ (expected * expit(-log_odds - shift)))
        return float(n_positive - weights @ expected - n_deviations * deviation)

    def mean_at(shift: float) -> float:
        return float(weights @ expit(log_odds + shift) / weights.sum())

    center = _find_root(lambda shift: excess(shift, 0.0), -_MAX_SHIFT, _MAX_SHIFT)
    low = _find_root(lambda shift: excess(shift, z), -_MAX_SHIFT, center)
    high = _find_root(lambda shift: excess(shift, -z), center, _MAX_SHIFT)
    return Interval(
        mean_at(low) if outcomes.is_positive.any() else 0.0, 1.0 if outcomes.is_positive.all() else mean_at(high)
    )


def _find_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the root of a function that falls from ``low`` to ``high``, or the nearer end if it has none."""
    if function(low) <= 0.0:
        return low
    return high if function(high) >= 0.0 else float(brentq(function, low, high, xtol=1e-12))
