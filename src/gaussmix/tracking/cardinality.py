"""Distributions of the number of objects: prediction, and the update of the cardinalized PHD filter.

A distribution is an array of log probabilities of 0, 1, 2, ... objects; its end is cut where it holds next to nothing.
Logarithms keep products of hundreds of detections from overflow and underflow.

Source: Vo, Vo & Cantoni, "Analytic implementations of the cardinalized probability hypothesis density filter", IEEE
Trans. Signal Processing 55, 2007, equations 13 to 22.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, pdtrc, xlog1py, xlogy

from gaussmix.tracking.symmetric_functions import log_leave_one_out, log_partial_products, log_sum
from gaussmix.types import Array, K, N

_TAIL = 1e-15  # probability of the numbers that are cut off
_MIN_FRACTION = 1e-100  # of objects that are missed, and of detections that are false, at least


class CardinalityUpdate(NamedTuple):
    """What n detections say of the number of objects.

    ``log_probabilities`` (L,) are those of the numbers 0, 1, ..., ``missed_factor`` is a factor of the intensity of
    missed objects, and ``log_detection_factors`` (n,) are logs of factors of the intensity of detected ones.
    """

    log_probabilities: K
    missed_factor: float
    log_detection_factors: N


@lru_cache(maxsize=16)  # births are the same in each scan
def poisson_cardinality(mean: float) -> K:
    """Return the log probabilities of a Poisson distribution, read-only."""
    numbers = np.arange(math.ceil(mean + 10.0 * math.sqrt(mean)) + 20)
    numbers = numbers[: int((pdtrc(numbers, mean) > _TAIL).sum()) + 2]
    log_probabilities: K = np.asarray(xlogy(numbers, mean) - mean - gammaln(numbers + 1.0))
    log_probabilities.setflags(write=False)
    return log_probabilities


def predict_cardinality(log_probabilities: K, survival: float, n_born: float, n_spawned: float = 0.0) -> K:
    """Return the distribution after each object survives or not and spawns others (Poisson), and new ones appear.

    Parameters
    ----------
    log_probabilities : array of shape (L,)
    survival : float
    n_born : float
        Expected number of new objects.
    n_spawned : float, default=0.0
        Expected number of objects that each object spawns, whether it survives or not.
    """
    numbers = np.arange(len(log_probabilities))
    before, after = numbers[:, None], numbers[None, :]
    lost = np.maximum(before - after, 0)
    log_binomial = gammaln(before + 1.0) - gammaln(after + 1.0) - gammaln(lost + 1.0)
    log_thinning = np.where(before >= after, log_binomial + xlogy(after, survival) + xlog1py(lost, -survival), -np.inf)
    if n_spawned > 0.0:
        log_thinning = _add_spawned(log_thinning, n_spawned)
    survivors = log_sum(log_probabilities[:, None] + log_thinning, axis=0)
    return trim_cardinality(_log_convolve(poisson_cardinality(n_born), survivors))


def _add_spawned(log_survivors: Array, n_spawned: float) -> Array:
    """Return log probabilities of numbers after spawning; row n of the input is for n objects before."""
    rows = [_log_convolve(poisson_cardinality(n * n_spawned), row) for n, row in enumerate(log_survivors)]
    result = np.full((len(rows), max(len(row) for row in rows)), -np.inf)
    for n, row in enumerate(rows):
        result[n, : len(row)] = row
    return result


def _log_convolve(first: K, second: K) -> K:
    """Return the log probabilities of the sum of two independent numbers."""
    sums = np.full((len(first), len(first) + len(second) - 1), -np.inf)
    for n, log_probability in enumerate(first):
        sums[n, n : n + len(second)] = log_probability + second
    return log_sum(sums, axis=0)


def update_cardinality(
    log_probabilities: K, mass: float, n_missed: float, log_detected: N, log_clutter: N
) -> CardinalityUpdate:
    """Return the distribution after a scan with n detections, and factors for the intensity.

    Parameters
    ----------
    log_probabilities : array of shape (L,)
        Predicted distribution.
    mass : float
        Integral of the predicted intensity.
    n_missed : float
        Integral of the predicted intensity times 1 - p_D.
    log_detected : array of shape (n,)
        Logs of the integral of the predicted intensity times p_D times the density of each detection.
    log_clutter : array of shape (n,)
        Logs of the intensity of false detections (Poisson).
    """
    factors = np.full(len(log_detected), -np.inf)
    is_used = np.isfinite(log_detected)  # others are false for sure, and say nothing of the number
    log_mass = np.log(max(mass, np.finfo(np.float64).tiny))
    log_false = np.maximum(log_clutter[is_used], log_detected[is_used] + np.log(_MIN_FRACTION))
    log_true = log_detected[is_used] - log_mass
    scale = np.logaddexp(log_false, log_true)
    log_false, log_true = log_false - scale, log_true - scale
    degree = min(len(scale), len(log_probabilities) - 1)
    log_missed = np.log(max(n_missed / mass if mass > 0.0 else 1.0, _MIN_FRACTION))
    by_number = _log_permutations(len(log_probabilities), degree, log_missed, 0)
    products = log_partial_products(log_false, log_true, degree)
    detected = products[-1]
    joint = log_probabilities + log_sum(by_number + detected, axis=1)
    log_total = log_sum(joint, axis=0)
    one_more = log_sum(
        log_probabilities[:, None] + _log_permutations(len(log_probabilities), degree, log_missed, 1), axis=0
    )
    missed_factor = float(np.exp(log_sum(detected + one_more, axis=0) - log_total - log_mass))
    factors[is_used] = log_leave_one_out(products, log_false, log_true, one_more) - log_total - scale - log_mass
    return CardinalityUpdate(trim_cardinality(joint - log_total), missed_factor, factors)


def trim_cardinality(log_probabilities: K) -> K:
    """Return the distribution without the large numbers that together have next to no probability, adding up to 1."""
    normalized = log_probabilities - log_sum(log_probabilities, axis=0)
    tails = np.cumsum(np.exp(normalized[::-1]))[::-1]
    kept = normalized[: max(int((tails > _TAIL).sum()), 1)]
    return np.asarray(kept - log_sum(kept, axis=0))


def mean_number(log_probabilities: K) -> float:
    """Return the mean of a distribution."""
    return float(np.exp(log_probabilities) @ np.arange(len(log_probabilities)))


def _log_permutations(n_numbers: int, degree: int, log_missed: float, n_more: int) -> Array:
    """Return logs of n! / (n - k)! times q^(n - k), k = j + ``n_more``, for numbers n and degrees j: (L, degree + 1).

    q is the fraction of objects that are missed.
    """
    numbers, chosen = np.arange(n_numbers)[:, None], np.arange(degree + 1)[None, :] + n_more
    left = np.maximum(numbers - chosen, 0)
    log_values = gammaln(numbers + 1.0) - gammaln(left + 1.0) + left * log_missed
    return np.where(numbers >= chosen, log_values, -np.inf)
