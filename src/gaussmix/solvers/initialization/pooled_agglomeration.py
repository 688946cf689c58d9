"""Agglomerative clustering with one covariance for all groups: merge the pair that increases its volume the least.

Structure EEE shares the covariance W / n, where W is the pooled scatter. Merging two groups therefore changes the
cost of every other pair, but in one way only. A merge adds u u^T to W, where u is the difference of the two means
times sqrt(m_i m_j / (m_i + m_j)), and det(W + u u^T) = det W + u^T adj(W) u. So one metric, the adjugate of W,
compares all pairs; it is computed again after each merge. While the determinant of W / n is small compared with the
mean variance of a column (it starts at zero), the trace is added to it as in mclust (Fraley, SIAM J. Sci. Comput.
20, 1998, section 3). That adds the Euclidean metric.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from gaussmix.core.linalg import eigh_descending
from gaussmix.engines.agglomerator import AbstractAgglomerator
from gaussmix.solvers.initialization.agglomeration import (
    MAX_GROUPS_FOR_ALL_PAIRS,
    GroupPairs,
    merge_pairs_and_append_children,
    mutually_cheapest_pairs,
)
from gaussmix.solvers.initialization.merge_criteria import MAX_DETERMINANT_COLUMNS, GroupStatistics, MergedPairs
from gaussmix.types import DD, ND, Array, IntK, K, N

_RELATIVE_EIGENVALUE_TOLERANCE = 1e-12  # a smaller eigenvalue, relative to the largest, is rounding error


class ProjectedMeans(NamedTuple):
    """The means of m groups under the two linear maps of a merge metric, (m, D) each."""

    under_volume_map: ND
    under_length_map: ND


@dataclass(frozen=True)
class MergeMetric:
    """Linear maps (D, D) that turn the cost of a merge into a squared length.

    Under ``volume_map`` the squared length of u is the increase of the determinant of W / n, under
    ``length_map`` the increase of its trace.
    """

    determinant: float
    volume_map: DD
    length_map: DD

    def project_means(self, groups: GroupStatistics) -> ProjectedMeans:
        """Return the means of the groups under the volume map and under the length map, (m, D) each."""
        return ProjectedMeans(groups.mean.T @ self.volume_map, groups.mean.T @ self.length_map)

    @classmethod
    def from_scatter(cls, scatter: DD, total_weight: float) -> "MergeMetric":
        """Return the metric for the pooled scatter W (D, D) and the total weight n of the rows."""
        n_columns = len(scatter)
        euclidean = np.eye(n_columns) / np.sqrt(total_weight)
        if n_columns > MAX_DETERMINANT_COLUMNS:
            return cls(0.0, np.zeros_like(euclidean), euclidean)
        eigenvalues, axes = eigh_descending(scatter / total_weight)
        eigenvalues = np.where(
            eigenvalues > _RELATIVE_EIGENVALUE_TOLERANCE * max(eigenvalues[0], 0.0), eigenvalues, 0.0
        )
        minors = np.array([np.delete(eigenvalues, column).prod() for column in range(n_columns)])
        return cls(float(eigenvalues.prod()), axes * np.sqrt(minors / total_weight), euclidean)


def agglomerate_pooled(
    rows: ND, weights: N, mean_variance: float, agglomerator: AbstractAgglomerator | None = None
) -> MergedPairs:
    """Merge groups of one covariance, at first rows (m, D); return the two that each step merges, (m - 1, 2).

    Rows are groups 0 to m - 1, step t makes group m + t. ``mean_variance`` is the mean variance of a
    column; once the determinant reaches it, the trace is no longer added. ``agglomerator`` is not used: its costs
    are those of single groups.
    """
    total_weight = float(weights.sum())
    groups = GroupStatistics.from_rows(rows, weights, with_scatter=False)
    scatter = np.zeros((rows.shape[1], rows.shape[1]))
    children: list[tuple[int, int]] = []
    while len(groups.mass) > MAX_GROUPS_FOR_ALL_PAIRS:
        metric = MergeMetric.from_scatter(scatter, total_weight)
        pairs = mutually_cheapest_pairs(
            np.hstack(metric.project_means(groups)), partial(_pair_merge_costs, groups, metric, mean_variance)
        )
        scatter = scatter + _scatter_increase(groups, *pairs)
        groups = merge_pairs_and_append_children(groups, pairs, children, len(rows))
    while len(groups.mass) > 1:
        costs = _all_pair_merge_costs(groups, MergeMetric.from_scatter(scatter, total_weight), mean_variance)
        first, second = sorted(int(index) for index in np.unravel_index(np.argmin(costs), costs.shape))
        pair = GroupPairs(np.array([first]), np.array([second]))
        scatter = scatter + _scatter_increase(groups, *pair)
        groups = merge_pairs_and_append_children(groups, pair, children, len(rows))
    return np.array(children, dtype=np.int64).reshape(-1, 2)


def _scatter_increase(groups: GroupStatistics, first: IntK, second: IntK) -> DD:
    """Return the sum (D, D) that merging all of these pairs adds to the pooled scatter."""
    differences = groups.mean[:, first] - groups.mean[:, second]
    return np.asarray((differences * _reduced_mass(groups.mass[first], groups.mass[second])) @ differences.T)


def _reduced_mass(first_mass: Array, second_mass: Array) -> Array:
    """Return m1 m2 / (m1 + m2), the mass that multiplies the squared distance of the means of two groups."""
    return first_mass * second_mass / (first_mass + second_mass)


def _pair_merge_costs(
    groups: GroupStatistics, metric: MergeMetric, mean_variance: float, first: IntK, second: IntK
) -> K:
    """Return the increase of the criterion, (p,), for merging each group of ``first`` with that of ``second``."""
    differences = (groups.mean[:, first] - groups.mean[:, second]).T
    mass = _reduced_mass(groups.mass[first], groups.mass[second])
    volume, length = (
        mass * ((differences @ linear_map) ** 2).sum(axis=1) for linear_map in (metric.volume_map, metric.length_map)
    )
    return np.asarray(_combine_increases(volume, length, metric.determinant, mean_variance))


def _all_pair_merge_costs(groups: GroupStatistics, metric: MergeMetric, mean_variance: float) -> Array:
    """Return the increase of the criterion for every pair of groups, (m, m), infinite on the diagonal."""
    from scipy.spatial.distance import cdist  # slow to import

    mass = _reduced_mass(groups.mass[:, None], groups.mass)
    volume, length = (mass * cdist(points, points, "sqeuclidean") for points in metric.project_means(groups))
    np.fill_diagonal(volume, np.inf)
    return _combine_increases(volume, length, metric.determinant, mean_variance)


def _combine_increases(
    determinant_increase: Array, trace_increase: Array, determinant: float, mean_variance: float
) -> Array:
    """Return EEE's merge costs: given increases of the pooled determinant, plus those of the trace while it is small.

    It is small if the best pair leaves it below ``mean_variance``.
    """
    is_determinant_large = determinant + determinant_increase.min() >= mean_variance
    return determinant_increase if is_determinant_large else determinant_increase + trace_increase
