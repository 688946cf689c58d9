"""Quantiles of scores, with or without weights."""

import numpy as np

from gaussmix.types import N

_ROUNDING = 1e-12  # 0.07 times 100 is a little more than 7


def weighted_quantile(scores: N, weights: N | None, probability: float) -> float:
    """Return a quantile of scores (n,), which is one of them; weights (n,) say how many times each counts.

    It is the smallest score that at least this fraction of the weight does not exceed.
    """
    fraction = probability * (1.0 - _ROUNDING)
    if weights is None:
        position = max(int(np.ceil(fraction * len(scores))) - 1, 0)
        return float(np.partition(scores, position)[position])
    order = np.argsort(scores, kind="stable")
    cumulative = np.cumsum(weights[order])
    return float(scores[order][np.searchsorted(cumulative, fraction * cumulative[-1])])
