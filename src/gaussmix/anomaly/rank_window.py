"""The p-value of a value among the values of the last rows of a stream.

It is a conformal p-value: the fraction of the last values that are at least as large, where the value itself counts
(Laxhammar & Falkman, "Conformal prediction for distribution-independent anomaly detection in streaming vessel data",
StreamKDD 2010). For exchangeable rows, P(p <= a) <= a.
"""

from bisect import bisect_left, insort
from collections import deque

import numpy as np

from gaussmix.types import N

# Values that differ by less than 1e-6 are ties, so that rounding doesn't rank the rows of a constant series.
_N_DECIMALS = 6


class RankWindow:
    """The last ``size`` values of a stream, in order of arrival and sorted.

    Parameters
    ----------
    size : int
        Number of values that are kept.
    values : (n,), optional
        Values so far, the oldest first.
    """

    def __init__(self, size: int, values: N | None = None) -> None:
        self.size = size
        self._arrivals: deque[float] = deque(() if values is None else values.tolist())
        self._ascending = sorted(self._arrivals)

    def p_value(self, value: float) -> float:
        """Return (1 + number of kept values >= value) / (1 + number of kept values)."""
        n_values = len(self._ascending)
        n_smaller = bisect_left(self._ascending, round(value, _N_DECIMALS))
        return (1 + n_values - n_smaller) / (1 + n_values)

    def append(self, value: float) -> None:
        """Add a value, and drop the oldest one if there are more than ``size``."""
        rounded = round(value, _N_DECIMALS)
        insort(self._ascending, rounded)
        self._arrivals.append(rounded)
        if len(self._arrivals) > self.size:
            del self._ascending[bisect_left(self._ascending, self._arrivals.popleft())]

    def to_array(self) -> N:
        """Return the values (n,), the oldest first."""
        return np.array(self._arrivals, dtype=np.float64)
