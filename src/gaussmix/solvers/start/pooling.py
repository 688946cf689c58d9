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

from gaussmix.core.linalg import symmetric_eigen
from gaussmix.solvers.start.agglomeration import MOST_COLUMNS, MOST_GROUPS, Groups, joined_at_once, neighbours
from gaussmix.types import DD, ND, Array, IntN, K

_SINGULAR = 1e-12  # of the largest eigenvalue: less is rounding


@dataclass(frozen=True)
class Metric:
    """Maps (D, D) under which squared lengths are what a pair adds to the determinant and to the trace of W / n."""

    determinant: float
    volume: DD
    length: DD

    def places(self, groups: Groups) -> tuple[ND, ND]:
        """Where the means of groups lie in each, (m, D)."""
        return groups.mean.T @ self.volume, groups.mean.T @ self.length

    @classmethod
    def of(cls, scatter: DD, total: float) -> "Metric":
        """Of pooled scatter W (D, D) and the weight n of all rows."""
        n_columns = len(scatter)
        plain = np.eye(n_columns) / np.sqrt(total)
        if n_columns > MOST_COLUMNS:
            return cls(0.0, np.zeros_like(plain), plain)
        values, axes = symmetric_eigen(scatter / total)
        values = np.where(values > _SINGULAR * max(values[0], 0.0), values, 0.0)
        minors = np.array([np.delete(values, column).prod() for column in range(n_columns)])
        return cls(float(values.prod()), axes * np.sqrt(minors / total), plain)


def pooled(rows: ND, weights: K, spread: float) -> IntN:
    """Which two groups each step joins, (m - 1, 2): rows are groups 0 to m - 1, step t makes group m + t.

    ``spread`` is the mean variance of a column; above it determinants alone decide.
    """
    total = float(weights.sum())
    groups = Groups.of(rows, weights, with_scatter=False)
    scatter = np.zeros((rows.shape[1], rows.shape[1]))
    steps: list[tuple[int, int]] = []
    while len(groups.mass) > MOST_GROUPS:
        metric = Metric.of(scatter, total)
        pairs = neighbours(np.hstack(metric.places(groups)), partial(_costs, groups, metric, spread))
        scatter = scatter + _gained(groups, *pairs)
        groups = joined_at_once(groups, pairs, steps, len(rows))
    while len(groups.mass) > 1:
        costs = _all_costs(groups, Metric.of(scatter, total), spread)
        one, other = sorted(int(place) for place in np.unravel_index(np.argmin(costs), costs.shape))
        pair = np.array([one]), np.array([other])
        scatter = scatter + _gained(groups, *pair)
        groups = joined_at_once(groups, pair, steps, len(rows))
    return np.array(steps, dtype=np.int64).reshape(-1, 2)


def _gained(groups: Groups, ones: IntN, others: IntN) -> DD:
    """What joining some pairs adds to the pooled scatter, (D, D)."""
    apart = groups.mean[:, ones] - groups.mean[:, others]
    return np.asarray((apart * _harmonic(groups.mass[ones], groups.mass[others])) @ apart.T)


def _harmonic(one: Array, other: Array) -> Array:
    return one * other / (one + other)


def _costs(groups: Groups, metric: Metric, spread: float, ones: IntN, others: IntN) -> K:
    """What joining each of some groups with each of some others adds to the criterion."""
    apart = (groups.mean[:, ones] - groups.mean[:, others]).T
    mass = _harmonic(groups.mass[ones], groups.mass[others])
    volume, length = (mass * ((apart @ scale) ** 2).sum(axis=1) for scale in (metric.volume, metric.length))
    return np.asarray(_combined(volume, length, metric.determinant, spread))


def _all_costs(groups: Groups, metric: Metric, spread: float) -> Array:
    """What joining any two groups adds to the criterion, (m, m); infinite for one with itself."""
    mass = _harmonic(groups.mass[:, None], groups.mass)
    volume, length = (mass * cdist(places, places, "sqeuclidean") for places in metric.places(groups))
    np.fill_diagonal(volume, np.inf)
    return _combined(volume, length, metric.determinant, spread)


def _combined(volume: Array, length: Array, determinant: float, spread: float) -> Array:
    """The growth of the determinant, with that of the trace while even the best pair leaves the former small."""
    return volume if determinant + volume.min() >= spread else volume + length
