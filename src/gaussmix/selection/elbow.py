"""Where a curve bends: the breakpoint of the two straight pieces that follow it best."""

from collections.abc import Sequence

import numpy as np

from gaussmix.types import N


def find_elbow(values: Sequence[float]) -> int:
    """The breakpoint c, counted from 1, of two least-squares lines through ``values`` 1..c and c..K.

    Both hold the breakpoint, each needs two values; the first of equals. Two values or one have no bend: all of them.
    Baudry et al., J. Comput. Graph. Stat. 19 (2010), section 4.
    """
    count, places = len(values), np.arange(1.0, len(values) + 1.0)
    if count < 3:
        return count
    heights = np.asarray(values, dtype=np.float64)
    breaks = range(2, count)
    misses = [
        _line_fit_error(places[:c], heights[:c]) + _line_fit_error(places[c - 1 :], heights[c - 1 :]) for c in breaks
    ]
    return breaks[int(np.argmin(misses))]


def _line_fit_error(positions: N, values: N) -> float:
    """Squared distances from the least-squares line."""
    x, y = positions - positions.mean(), values - values.mean()
    return float(((y - x * (x @ y) / (x @ x)) ** 2).sum())
