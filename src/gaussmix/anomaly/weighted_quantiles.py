"""Quantiles of scores, with or without weights."""

import numpy as np

from gaussmix.types import N


def weighted_quantile(scores: N, weights: N | None, probability: float) -> float:
    """Return a quantile of scores (n,), which is one of them; weights (n,) say how many times each counts.

    It is the smallest score that at least this fraction of the weight does not exceed.
    """
    if weights is None:
        return float(np.quantile(scores, probability, method="inverted_cdf"))
    order = np.argsort(scores, kind="stable")
    cumulative = np.cumsum(weights[order])
    return float(scores[order][np.searchsorted(cumulative, probability * cumulative[-1])])
