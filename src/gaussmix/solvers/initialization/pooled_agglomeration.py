"""Groups joined two by two under one covariance for all: each time those that enlarge its volume the least.

Structure EEE shares one covariance, W / n with the pooled scatter W, so that joining two groups changes
what every other pair would cost. It does so in one way only: a pair adds u u^T to W, where u is the
distance between its means times the root of m_i m_j / (m_i + m_j), and det(W + u u^T) = det W + u^T adj(W) u. So
all pairs are compared in one metric, the adjugate of W, made anew after each joining. As long as the
determinant of W / n is small beside what one column varies by (at first it is zero), its trace is added to
it as in mclust (Fraley, SIAM J. Sci. Comput. 20, 1998, section 3), which adds the ordinary metric.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.spatial.distance import cdist

from gaussmix.core.linalg import eigh_descending
from gaussmix.solvers.initialization.agglomeration import (
    MAX_DETERMINANT_COLUMNS,
    MAX_GROUPS_FOR_ALL_PAIRS,
    GroupStatistics,
    merge_pairs,
    mutual_nearest_pairs,
)
from gaussmix.types import DD, ND, Array, IntN, K

_RELATIVE_EIGENVALUE_TOLERANCE = 1e-12  # of the largest eigenvalue: less is rounding


@dataclass(frozen=True)
class MergeMetric:
    """Maps (D, D) under which squared lengths are what a pair adds to the determinant and to the trace of W / n."""

    determinant: float
    volume_map: DD
    length_map: DD

    def project_means(self, groups: GroupStatistics) -> tuple[ND, ND]:
        """Where the means of groups lie in each, (m, D)."""
        return groups.mean.T @ self.volume_map, groups.mean.T @ self.length_map

    @classmethod
    def from_scatter(cls, scatter: DD, total_weight: float) -> "MergeMetric":
        """Of pooled scatter W (D, D) and the weight n of all rows."""
        n_columns = len(scatter)
        plain = np.eye(n_columns) / np.sqrt(total_weight)
        if n_columns > MAX_DETERMINANT_COLUMNS:
            return cls(0.0, np.zeros_like(plain), plain)
        values, axes = eigh_descending(scatter / total_weight)
        values = np.where(values > _RELATIVE_EIGENVALUE_TOLERANCE * max(values[0], 0.0), values, 0.0)
        minors = np.array([np.delete(values, column).prod() for column in range(n_columns)])
        return cls(float(values.prod()), axes * np.sqrt(minors / total_weight), plain)


def agglomerate_pooled(rows: ND, weights: K, mean_variance: float) -> IntN:
    """Which two groups each step joins, (m - 1, 2): rows are groups 0 to m - 1, step t makes group m + t.

    ``spread`` is the mean variance of a column; above it determinants alone decide.
    """
    total = float(weights.sum())
    groups = GroupStatistics.from_rows(rows, weights, with_scatter=False)
    scatter = np.zeros((rows.shape[1], rows.shape[1]))
    steps: list[tuple[int, int]] = []
    while len(groups.mass) > MAX_GROUPS_FOR_ALL_PAIRS:
        metric = MergeMetric.from_scatter(scatter, total)
        pairs = mutual_nearest_pairs(
            np.hstack(metric.project_means(groups)), partial(_pair_merge_costs, groups, metric, mean_variance)
        )
        scatter = scatter + _scatter_increase(groups, *pairs)
        groups = merge_pairs(groups, pairs, steps, len(rows))
    while len(groups.mass) > 1:
        costs = _all_pair_costs(groups, MergeMetric.from_scatter(scatter, total), mean_variance)
        one, other = sorted(int(place) for place in np.unravel_index(np.argmin(costs), costs.shape))
        pair = np.array([one]), np.array([other])
        scatter = scatter + _scatter_increase(groups, *pair)
        groups = merge_pairs(groups, pair, steps, len(rows))
    return np.array(steps, dtype=np.int64).reshape(-1, 2)


def _scatter_increase(groups: GroupStatistics, first: IntN, second: IntN) -> DD:
    """What joining some pairs adds to the pooled scatter, (D, D)."""
    apart = groups.mean[:, first] - groups.mean[:, second]
    return np.asarray((apart * _harmonic_mass(groups.mass[first], groups.mass[second])) @ apart.T)


def _harmonic_mass(one: Array, other: Array) -> Array:
    return one * other / (one + other)


def _pair_merge_costs(
    groups: GroupStatistics, metric: MergeMetric, mean_variance: float, first: IntN, second: IntN
) -> K:
    """What joining each of some groups with each of some others adds to the criterion."""
    apart = (groups.mean[:, first] - groups.mean[:, second]).T
    mass = _harmonic_mass(groups.mass[first], groups.mass[second])
    volume, length = (mass * ((apart @ scale) ** 2).sum(axis=1) for scale in (metric.volume_map, metric.length_map))
    return np.asarray(_combine_costs(volume, length, metric.determinant, mean_variance))


def _all_pair_costs(groups: GroupStatistics, metric: MergeMetric, mean_variance: float) -> Array:
    """What joining any two groups adds to the criterion, (m, m); infinite for one with itself."""
    mass = _harmonic_mass(groups.mass[:, None], groups.mass)
    volume, length = (mass * cdist(places, places, "sqeuclidean") for places in metric.project_means(groups))
    np.fill_diagonal(volume, np.inf)
    return _combine_costs(volume, length, metric.determinant, mean_variance)


def _combine_costs(volume: Array, length: Array, determinant: float, mean_variance: float) -> Array:
    """The growth of the determinant, with that of the trace while even the best pair leaves the former small."""
    return volume if determinant + volume.min() >= mean_variance else volume + length
