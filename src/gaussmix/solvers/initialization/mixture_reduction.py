"""Gaussian mixture reduction: merge many small groups into few, by their moments.

k-means with K centers often puts two centers into one group and one between two others. EM cannot leave
such a local optimum. With three times as many centers, every group contains at least one. Then the two
groups whose merge loses the least log-likelihood are merged, again and again. This is model-based
hierarchical clustering (Fraley, "Algorithms for model-based Gaussian hierarchical clustering", SIAM J.
Sci. Comput. 20, 1998) on moments instead of rows (Runnalls, "Kullback-Leibler approach to Gaussian
mixture reduction", IEEE Trans. Aerospace and Electronic Systems 43, 2007).
"""

from collections.abc import Callable

import numpy as np

from gaussmix.core.linalg import symmetric_log_determinants
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.types import Array, D, IntK, K

_RELATIVE_FLOOR = 1e-9  # variance of equal rows, relative to the overall variance

NLLPerGroupFunction = Callable[[Moments], K]


def merge_groups(moments: Moments, n_components: int, column_variances: D, mean_row_weight: float) -> Moments:
    """Merge the groups whose merge loses the least likelihood; return the moments of the ``n_components`` left.

    Parameters
    ----------
    moments : Moments
        Moments of the groups, of kind full, diagonal or trace. Empty groups are dropped first, unless
        fewer than ``n_components`` would be left.
    n_components : int
    column_variances : D
        Variance of each column over all rows.
    mean_row_weight : float
        Mean weight of a row. Each group's covariance is shrunk toward the pooled one with the weight of
        D + 1 rows, so that small groups have a regular covariance.
    """
    n_kept = max(n_components, int((moments.mass > 0).sum()))
    groups = moments.select_components(np.sort(np.argsort(moments.mass <= 0, kind="stable")[:n_kept]))
    compute_nll_per_group = _make_nll_per_group_function(groups, column_variances, mean_row_weight)
    group_nll = compute_nll_per_group(groups)
    n_groups = len(group_nll)
    costs = np.full((n_groups, n_groups), np.inf)
    for first in range(n_groups - 1):
        costs[first, first + 1 :] = _merge_costs(
            groups, group_nll, first, np.arange(first + 1, n_groups), compute_nll_per_group
        )
    is_active = np.ones(n_groups, dtype=bool)
    for _ in range(n_groups - n_components):
        first, second = (int(i) for i in np.unravel_index(np.argmin(costs), costs.shape))
        merged = groups.select_components(np.array([first])) + groups.select_components(np.array([second]))
        groups.mass[first], groups.mean[first], groups.scatter[first] = (
            merged.mass[0],
            merged.mean[0],
            merged.scatter[0],
        )
        group_nll[first] = compute_nll_per_group(merged)[0]
        is_active[second] = False
        costs[second, :] = costs[:, second] = np.inf
        others = np.flatnonzero(is_active & (np.arange(n_groups) != first))
        costs[np.minimum(first, others), np.maximum(first, others)] = _merge_costs(
            groups, group_nll, first, others, compute_nll_per_group
        )
    return groups.select_components(np.flatnonzero(is_active))


def _merge_costs(
    groups: Moments, group_nll: K, index: int, other_indices: IntK, compute_nll_per_group: NLLPerGroupFunction
) -> K:
    """Return the loss of log-likelihood, in nats, for merging one group with each of some others, (m,)."""
    merged = groups.select_components(np.full(len(other_indices), index)) + groups.select_components(other_indices)
    return np.asarray(compute_nll_per_group(merged) - group_nll[index] - group_nll[other_indices])


def _make_nll_per_group_function(groups: Moments, column_variances: D, mean_row_weight: float) -> NLLPerGroupFunction:
    """Return a function from the moments of groups to each group's negative log-likelihood under its own Gaussian.

    A constant per row is left out.
    """
    n_features = len(column_variances)
    min_variances = _RELATIVE_FLOOR * np.where(column_variances > 0, column_variances, 1.0)
    floor: Array = {MomentKind.FULL: np.diag(min_variances), MomentKind.DIAGONAL: min_variances}.get(
        groups.kind, min_variances.sum()
    )
    pooled_matrix_variances_or_trace = groups.scatter.sum(axis=0) / groups.mass.sum() + floor
    prior_mass = mean_row_weight * (n_features + 1)

    def compute_nll_per_group(group_moments: Moments) -> K:
        shape = (len(group_moments.mass),) + (1,) * (group_moments.scatter.ndim - 1)
        matrices_variances_or_traces = (group_moments.scatter + prior_mass * pooled_matrix_variances_or_trace) / (
            group_moments.mass + prior_mass
        ).reshape(shape)
        return np.asarray(
            0.5 * group_moments.mass * _log_determinants(matrices_variances_or_traces, group_moments.kind, n_features)
        )

    return compute_nll_per_group


def _log_determinants(matrices_variances_or_traces: Array, kind: MomentKind, n_features: int) -> K:
    """Return the log determinants (K,) of covariances, given as matrices, column variances or traces by ``kind``."""
    if kind is MomentKind.FULL:
        return symmetric_log_determinants(matrices_variances_or_traces)
    if kind is MomentKind.DIAGONAL:
        return np.asarray(np.log(matrices_variances_or_traces).sum(axis=1))
    return np.asarray(n_features * np.log(matrices_variances_or_traces / n_features))
