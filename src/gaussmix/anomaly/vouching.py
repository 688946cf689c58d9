"""Which components of a mixture vouch for rows, where training rows may contain anomalies.

A component of less than a twentieth of the weight may be a group of anomalies, which must not explain itself. But a
mixture of many components also divides a normal group into light ones. Those overlap, so that components count by the
weight of all that they are connected to by overlap.
"""

from dataclasses import replace

import numpy as np
from scipy.sparse.csgraph import connected_components

from gaussmix.engines import AutomaticEngine
from gaussmix.model import Mixture, prediction
from gaussmix.sources import MemorySource
from gaussmix.types import ND, Array, K, N

MIN_VOUCHING_WEIGHT = 0.05
_MIN_OVERLAP = 0.05
_MAX_ROWS = 1500  # by which overlaps are estimated
_TINY = np.finfo(np.float64).tiny


def select_vouching_components(mixture: Mixture, rows: ND, weights: N | None) -> Mixture:
    """Return the mixture of the components that vouch, by overlaps among rows (n, d), with weights (n,) or None.

    The rows are in random order. Components that vouch belong to groups of overlapping components of at
    least a twentieth of the weight, or to the heaviest group.
    """
    if (mixture.weights >= MIN_VOUCHING_WEIGHT).all():
        return mixture
    some_weights = None if weights is None else weights[:_MAX_ROWS]
    group_weights = _sum_weights_of_groups(mixture.weights, estimate_overlaps(mixture, rows[:_MAX_ROWS], some_weights))
    kept = np.flatnonzero(group_weights >= min(MIN_VOUCHING_WEIGHT, group_weights.max()))
    kept_weights = mixture.weights[kept]
    covariance = mixture.covariance.permute_components(kept)
    return replace(
        mixture, weights=kept_weights / kept_weights.sum(), centers=mixture.centers[kept], covariance=covariance
    )


def estimate_overlaps(mixture: Mixture, rows: ND, weights: N | None) -> Array:
    """Return the overlaps (K, K): how much of the lighter of two components has rows in common with the other.

    It is the sum of products of membership probabilities over rows (n, d) with weights (n,), divided by the smaller of
    both sums of probabilities: 0 for components far apart, near 1 for a light one inside a heavy one (Hennig, Advances
    in Data Analysis and Classification 4, 2010, merges components by such probabilities of misclassification).
    """
    source = MemorySource.from_array(rows, frame=mixture.frame)
    memberships = prediction.responsibilities(mixture, source, AutomaticEngine(len(rows)))
    weighted = memberships if weights is None else memberships * weights[:, None]
    totals = weighted.sum(axis=0)
    return np.asarray(memberships.T @ weighted / np.maximum(np.minimum.outer(totals, totals), _TINY))


def _sum_weights_of_groups(weights: K, overlaps: Array) -> K:
    """Return the weight (K,) of the group of each component: of all that a chain of overlaps connects."""
    _, groups = connected_components(overlaps >= _MIN_OVERLAP, directed=False)
    return np.asarray(np.bincount(groups, weights=weights)[groups])
