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
from gaussmix.types import KD, Array, D, IntK

_RELATIVE_FLOOR = 1e-9  # variance of equal rows, relative to the overall variance
# Standard deviations of both groups between their means: beyond lies a row in 160. The halves of one normal group that
# is divided at its mean are 1.3 apart.
_MIN_SEPARATION = 2.5
_MAX_COMPARED_VALUES = 1_000_000  # of differences between means

# With more columns, variances alone choose the pairs to merge, since determinants take much longer.
MAX_COLUMNS_FOR_DETERMINANTS = 32


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
    labels = find_unions(moments, n_components, column_variances, mean_row_weight, agglomerator)
    return unite_groups(moments, labels, n_components)


def find_unions(
    moments: Moments,
    n_components: int,
    column_variances: D,
    mean_row_weight: float,
    agglomerator: AbstractAgglomerator | None = None,
) -> IntK:
    """Return the union of each group, (m,), from 0 to ``n_components`` - 1, and -1 for dropped groups.

    The parameters are those of `merge_groups`. Unions are numbered by their first group.
    """
    n_kept = max(n_components, int((moments.mass > 0).sum()))
    kept = np.sort(np.argsort(moments.mass <= 0, kind="stable")[:n_kept])
    labels = np.full(len(moments.mass), -1)
    if n_kept == n_components:
        labels[kept] = np.arange(n_kept)
        return labels
    groups = moments if n_kept == len(labels) else moments.select_components(kept)
    kind, statistics = _scale_to_prior(groups, column_variances, mean_row_weight)
    children = merge_groups_into_tree(statistics, LIKELIHOOD_CRITERIA[kind], 1.0, agglomerator)
    labels[kept] = cut_merges(children, n_components)
    return labels


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
    return groups.kind is MomentKind.FULL and groups.mean.shape[1] <= MAX_COLUMNS_FOR_DETERMINANTS


def _make_statistics(mass: Array, mean: Array, trace: Array, scatter: Array | None) -> GroupStatistics:
    """Return groups numbered from 0, of contiguous arrays."""
    contiguous = None if scatter is None else np.ascontiguousarray(scatter)
    return GroupStatistics(np.arange(len(mass)), mass, np.ascontiguousarray(mean), np.asarray(trace), contiguous)


def unite_groups(groups: Moments, labels: IntK, n_components: int) -> Moments:
    """Return the moments of the unions of groups, given the union of each group, (m,), as `find_unions` returns it."""
    kept = np.flatnonzero(labels >= 0)
    if len(kept) == n_components:  # each group by itself, perhaps without rows
        return groups.select_components(kept)
    members = (labels == np.arange(n_components)[:, None]).astype(float)
    mass = members @ groups.mass
    mean = (members * groups.mass) @ groups.mean / mass[:, None]
    between = groups.kind.weighted_outer_products(groups.mean - mean[labels], groups.mass)
    scatter = np.tensordot(members, groups.scatter + between, axes=1)
    return Moments(mass, mean, scatter, groups.kind)


def are_separated(groups: Moments) -> bool:
    """Return whether hardly a row of normal groups with these moments lies nearer to another group than to its own.

    For each pair of groups, the rows are projected to the direction that separates them best if columns do not
    correlate. The distance of the means is compared with the standard deviations there. With very many groups the
    answer is False.
    """
    n_groups, n_columns = groups.mean.shape
    if n_groups**2 * n_columns > _MAX_COMPARED_VALUES or not (groups.mass > 0).all():
        return False
    first, second = np.triu_indices(n_groups, 1)
    variances = _column_variances(groups)
    differences, sums = groups.mean[first] - groups.mean[second], variances[first] + variances[second]
    directions = differences / np.where(sums > 0, sums, np.inf)  # a column without variance separates nothing
    deviations = np.zeros(len(first))
    for members in (first, second):
        if groups.kind is MomentKind.FULL:
            squares = _quadratic_forms(groups, members, directions)
        else:
            squares = np.einsum("pd,pd,pd->p", variances[members], directions, directions)
        deviations += np.sqrt(np.maximum(squares, 0.0))
    return bool((np.einsum("pd,pd->p", differences, directions) > _MIN_SEPARATION * deviations).all())


def _column_variances(groups: Moments) -> KD:
    """Return the variance of each column in each group, (m, D); the mean one for moments of kind trace."""
    n_columns = groups.mean.shape[1]
    if groups.kind is MomentKind.TRACE:
        return np.repeat((groups.scatter / (groups.mass * n_columns))[:, None], n_columns, axis=1)
    squares = np.einsum("kii->ki", groups.scatter) if groups.kind is MomentKind.FULL else groups.scatter
    return np.asarray(squares / groups.mass[:, None])


def _quadratic_forms(groups: Moments, members: IntK, directions: Array) -> Array:
    """Return the variance of the groups ``members`` (p,) along directions (p, D), (p,); moments are full."""
    squares = np.empty(len(members))
    for k, (scatter, mass) in enumerate(zip(groups.scatter, groups.mass, strict=True)):
        pairs = np.flatnonzero(members == k)
        squares[pairs] = np.einsum("pd,pd->p", directions[pairs] @ scatter, directions[pairs]) / mass
    return squares
