"""Gaussian mixture reduction: merge many small groups into few, by their moments.

k-means with K centers often puts two centers into one group and one between two others. EM cannot leave
such a local optimum. With three times as many centers, every group contains at least one. Then the two
groups whose merge loses the least log-likelihood are merged, again and again. This is model-based
hierarchical clustering (Fraley, "Algorithms for model-based Gaussian hierarchical clustering", SIAM J.
Sci. Comput. 20, 1998) on moments instead of rows (Runnalls, "Kullback-Leibler approach to Gaussian
mixture reduction", IEEE Trans. Aerospace and Electronic Systems 43, 2007).
"""

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.engines.agglomerator import AbstractAgglomerator
from gaussmix.solvers.initialization.agglomeration import cut_merges, merge_groups_into_tree
from gaussmix.solvers.initialization.merge_criteria import LIKELIHOOD_CRITERIA, PRIOR_VARIANCE, GroupStatistics
from gaussmix.types import Array, D, IntK

_RELATIVE_FLOOR = 1e-9  # variance of equal rows, relative to the overall variance
_MAX_FULL_COLUMNS = 32  # with more columns, variances alone choose the pairs to merge; determinants take much longer


def merge_groups(
    moments: Moments,
    n_components: int,
    column_variances: D,
    mean_row_weight: float,
    agglomerator: AbstractAgglomerator | None = None,
) -> Moments:
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
    agglomerator : AbstractAgglomerator, optional
        Without one, NumPy makes all merges.
    """
    n_kept = max(n_components, int((moments.mass > 0).sum()))
    groups = moments.select_components(np.sort(np.argsort(moments.mass <= 0, kind="stable")[:n_kept]))
    if n_kept == n_components:
        return groups
    kind, statistics = _scale_to_prior(groups, column_variances, mean_row_weight)
    children = merge_groups_into_tree(statistics, LIKELIHOOD_CRITERIA[kind], 1.0, agglomerator)
    return _unite_groups(groups, cut_merges(children, n_components), n_components)


def _scale_to_prior(groups: Moments, column_variances: D, mean_row_weight: float) -> tuple[MomentKind, GroupStatistics]:
    """Return the groups in rows of mean weight, in coordinates whose pooled variances are `PRIOR_VARIANCE`.

    The kind says which part of their scatter the result contains.
    """
    floor = _RELATIVE_FLOOR * np.where(column_variances > 0, column_variances, 1.0)
    mass = groups.mass / mean_row_weight
    centered = groups.mean - groups.mass @ groups.mean / groups.mass.sum()
    pooled = groups.scatter.sum(axis=0) / groups.mass.sum()
    factor = linalg.cholesky((pooled + np.diag(floor)) / PRIOR_VARIANCE) if _is_small_and_full(groups) else None
    if factor is not None:
        root = linalg.invert_lower(factor)
        scatter = (root @ groups.scatter @ root.T).transpose(1, 2, 0) / mean_row_weight
        return MomentKind.FULL, _make_statistics(mass, root @ centered.T, np.einsum("iim->m", scatter), scatter)
    if groups.kind is MomentKind.TRACE:
        factor_of_squares = PRIOR_VARIANCE * len(floor) / (pooled + floor.sum())
        trace = groups.scatter * factor_of_squares / mean_row_weight
        return groups.kind, _make_statistics(mass, centered.T * np.sqrt(factor_of_squares), trace, None)
    is_full = groups.kind is MomentKind.FULL
    factors = PRIOR_VARIANCE / ((np.diagonal(pooled) if is_full else pooled) + floor)
    squares = np.einsum("mii->mi", groups.scatter) if is_full else groups.scatter
    variances = (squares * (factors / mean_row_weight)).T
    means = (centered * np.sqrt(factors)).T
    return MomentKind.DIAGONAL, _make_statistics(mass, means, variances.sum(axis=0), variances)


def _is_small_and_full(groups: Moments) -> bool:
    """Return whether determinants of the groups' scatter choose the pairs to merge."""
    return groups.kind is MomentKind.FULL and groups.mean.shape[1] <= _MAX_FULL_COLUMNS


def _make_statistics(mass: Array, mean: Array, trace: Array, scatter: Array | None) -> GroupStatistics:
    """Return groups numbered from 0, of contiguous arrays."""
    contiguous = None if scatter is None else np.ascontiguousarray(scatter)
    return GroupStatistics(np.arange(len(mass)), mass, np.ascontiguousarray(mean), np.asarray(trace), contiguous)


def _unite_groups(groups: Moments, labels: IntK, n_components: int) -> Moments:
    """Return the moments of the unions of groups with equal labels, (m,), from 0 to ``n_components`` - 1."""
    members = (labels == np.arange(n_components)[:, None]).astype(float)
    mass = members @ groups.mass
    mean = (members * groups.mass) @ groups.mean / mass[:, None]
    between = groups.kind.weighted_outer_products(groups.mean - mean[labels], groups.mass)
    scatter = np.tensordot(members, groups.scatter + between, axes=1)
    return Moments(mass, mean, scatter, groups.kind)
