"""Limits beyond which a number is a slip of the keyboard, such as an income of 1e12, and counts as missing.

Limits are generous, so that long tails stay: a number beyond them is absurd on the scale of the column, and on a
logarithmic one far from all others. They keep one number from deciding scales, transforms and predictions.
"""

from typing import NamedTuple

import numpy as np

from gaussmix.types import BoolN, N

_MAX_DEVIATIONS = 100.0  # robust standard deviations from the median
_MAX_LOG_DEVIATIONS = 8.0  # the same of logarithms
_MIN_LOG_GAP = 3.0  # from a number to the ones before it, in robust standard deviations of logarithms
_LOW, _HIGH = 0.05, 0.95
_CENTRAL_WIDTH = 3.29  # standard deviations between these quantiles of a normal distribution
_MIN_VALUES = 20


class Limits(NamedTuple):
    """The smallest and the largest number that count, in the data's units."""

    lowest: float = -np.inf
    highest: float = np.inf

    def is_beyond(self, numbers: N) -> BoolN:
        """Return which numbers (n,) are beyond the limits; NaN is not."""
        return np.asarray((numbers < self.lowest) | (numbers > self.highest))


NO_LIMITS = Limits()


def find_limits(values: N) -> Limits:
    """Return the limits of present values (m,); infinite if they are few, or if nearly all of them are equal."""
    sizes = np.sort(np.abs(values[values != 0]))
    if len(values) < _MIN_VALUES or not len(sizes):
        return NO_LIMITS
    unit = float(sizes[int(_LOW * len(sizes))])  # logarithms count multiples of a small value
    ascending = np.sort(values)
    return Limits(-_find_highest(-ascending[::-1], unit), _find_highest(ascending, unit))


def _find_highest(ascending: N, unit: float) -> float:
    """Return the upper limit of ascending values (m,)."""
    logs = np.sign(ascending) * np.log1p(np.abs(ascending) / unit)
    deviation, log_deviation = _robust_deviation(ascending), _robust_deviation(logs)
    if not (deviation > 0 and log_deviation > 0):
        return np.inf
    middle = len(ascending) // 2
    highest = max(
        float(ascending[middle]) + _MAX_DEVIATIONS * deviation,
        _from_log(float(logs[middle]) + _MAX_LOG_DEVIATIONS * log_deviation, unit),
    )
    n_ordinary = int(np.searchsorted(ascending, highest, side="right"))
    gaps = np.diff(logs[n_ordinary - 1 :])
    is_gap = gaps >= _MIN_LOG_GAP * log_deviation
    last = n_ordinary - 1 + (int(np.argmax(is_gap)) if is_gap.any() else len(gaps))
    return max(highest, _from_log(float(logs[last]) + _MIN_LOG_GAP * log_deviation, unit))


def _robust_deviation(ascending: N) -> float:
    """Return the standard deviation that the central nine tenths of ascending values (m,) suggest."""
    low, high = (ascending[int(probability * (len(ascending) - 1))] for probability in (_LOW, _HIGH))
    return float(0.5 * high - 0.5 * low) / (0.5 * _CENTRAL_WIDTH)  # differences of halves cannot overflow


def _from_log(log_value: float, unit: float) -> float:
    """Return the value of a signed logarithm; infinity beyond the largest float."""
    with np.errstate(over="ignore"):
        return float(np.sign(log_value) * np.expm1(np.float64(abs(log_value))) * unit)
