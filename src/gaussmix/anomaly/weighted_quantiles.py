"""Quantiles of scores, with or without weights."""

import numpy as np

from gaussmix.types import N


def weighted_quantile(scores: N, weights: N | None, probability: float) -> float:
    """Return a quantile of scores (n,); with weights (n,) it is one of the scores.

    Without weights it is interpolated between two scores, as `numpy.quantile` does by default.
    """
    if weights is None:
        return float(np.quantile(scores, probability))
    order = np.argsort(scores, kind="stable")
    cumulative = np.cumsum(weights[order])
    return float(scores[order][np.searchsorted(cumulative, probability * cumulative[-1])])
