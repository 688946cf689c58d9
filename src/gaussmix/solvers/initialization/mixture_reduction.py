"""Many small groups merged into few: a start that k-means alone cannot find.

k-means with K centres often ends with two of them in one group and one between two others, and EM
cannot leave such a valley. With three times as many centres every group holds one at least; then
those two groups are joined, again and again, whose joining costs the least log-likelihood, as in
model-based hierarchical clustering (Fraley, "Algorithms for model-based Gaussian hierarchical
clustering", SIAM J. Sci. Comput. 20, 1998) with moments instead of rows (Runnalls, "Kullback-Leibler
approach to Gaussian mixture reduction", IEEE Trans. Aerospace and Electronic Systems 43, 2007).
"""

from collections.abc import Callable

import numpy as np

from gaussmix.core.linalg import symmetric_log_determinants
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.types import Array, D, IntN, K

_RELATIVE_FLOOR = 1e-9  # of the overall variance: what equal rows are taken to spread

NegativeLogLikelihood = Callable[[Moments], K]


def merge_groups(moments: Moments, n_components: int, variances: D, weight_per_row: float) -> Moments:
    """Groups joined until ``n_components`` are left; empty ones are dropped before, unless they are needed.

    ``moments`` are full, diagonal or trace; ``variances`` (D,) those of all rows, and
    ``row_weight`` what a row weighs: each group's covariance is drawn towards the pooled one as if
    D + 1 such rows came from there, so that small groups have one.
    """
    n_kept = max(n_components, int((moments.mass > 0).sum()))
    groups = moments.select_components(np.sort(np.argsort(moments.mass <= 0, kind="stable")[:n_kept]))
    describe = _make_nll_function(groups, variances, weight_per_row)
    lengths = describe(groups)
    n_groups = len(lengths)
    costs = np.full((n_groups, n_groups), np.inf)
    for one in range(n_groups - 1):
        costs[one, one + 1 :] = _merge_costs(groups, lengths, one, np.arange(one + 1, n_groups), describe)
    left = np.ones(n_groups, dtype=bool)
    for _ in range(n_groups - n_components):
        one, other = (int(i) for i in np.unravel_index(np.argmin(costs), costs.shape))
        joined = groups.select_components(np.array([one])) + groups.select_components(np.array([other]))
        groups.mass[one], groups.mean[one], groups.scatter[one] = joined.mass[0], joined.mean[0], joined.scatter[0]
        lengths[one] = describe(joined)[0]
        left[other] = False
        costs[other, :] = costs[:, other] = np.inf
        rest = np.flatnonzero(left & (np.arange(n_groups) != one))
        costs[np.minimum(one, rest), np.maximum(one, rest)] = _merge_costs(groups, lengths, one, rest, describe)
    return groups.select_components(np.flatnonzero(left))


def _merge_costs(
    groups: Moments, group_nll: K, index: int, other_indices: IntN, compute_nll: NegativeLogLikelihood
) -> K:
    """What joining one group with each of some others adds to the description, in nats."""
    joined = groups.select_components(np.full(len(other_indices), index)) + groups.select_components(other_indices)
    return np.asarray(compute_nll(joined) - group_nll[index] - group_nll[other_indices])


def _make_nll_function(groups: Moments, variances: D, weight_per_row: float) -> NegativeLogLikelihood:
    """Minus the log-likelihood of each group's rows under its own Gaussian, but for a constant per row."""
    n_features = len(variances)
    least = _RELATIVE_FLOOR * np.where(variances > 0, variances, 1.0)
    floor: Array = {MomentKind.FULL: np.diag(least), MomentKind.DIAGONAL: least}.get(groups.kind, least.sum())
    pooled = groups.scatter.sum(axis=0) / groups.mass.sum() + floor
    prior = weight_per_row * (n_features + 1)

    def describe(some: Moments) -> K:
        shape = (len(some.mass),) + (1,) * (some.scatter.ndim - 1)
        covariances = (some.scatter + prior * pooled) / (some.mass + prior).reshape(shape)
        return np.asarray(0.5 * some.mass * _log_determinants(covariances, some.kind, n_features))

    return describe


def _log_determinants(covariances: Array, kind: MomentKind, n_features: int) -> K:
    if kind is MomentKind.FULL:
        return symmetric_log_determinants(covariances)
    if kind is MomentKind.DIAGONAL:
        return np.asarray(np.log(covariances).sum(axis=1))
    return np.asarray(n_features * np.log(covariances / n_features))
