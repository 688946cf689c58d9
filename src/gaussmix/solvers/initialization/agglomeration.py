"""Groups joined two by two, each time those whose joining costs a criterion the least.

A criterion is a sum over groups of a function of mass and scatter, so that joining two groups changes
its own terms only. Groups are moments, never rows: a row of weight 2 is that row twice. What joining
costs is kept for every pair, and every group knows its cheapest partner. Where there are more than
``MOST_GROUPS`` groups, so many pairs are too many; those whose cheapest neighbour is one another are
joined before, all at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.spatial import KDTree

from gaussmix.types import ND, Array, IntN, K

MAX_GROUPS_FOR_ALL_PAIRS = 500
_N_NEIGHBORS = 5  # in space, among which the cheapest partner is looked for before
MAX_DETERMINANT_COLUMNS = 12  # beyond, determinants are below 1e-7 of what they are added to, and left out
_PAIRS_PER_CHUNK = 8192
_PRIOR_VARIANCE = 0.1  # of rows whose covariance is one
_RELATIVE_PIVOT_TOLERANCE = 1e-12  # of a variance: what is left of it by the columns before it is rounding


@dataclass(frozen=True)
class GroupStatistics:
    """Mass (m,), mean (D, m), trace (m,) and, if determinants are wanted, scatter (D, D, m) of groups with names."""

    group_ids: IntN
    mass: K
    mean: Array
    trace: K
    scatter: Array | None

    @classmethod
    def from_rows(cls, rows: ND, weights: K, with_scatter: bool) -> "GroupStatistics":
        """Every row a group."""
        n_rows, n_columns = rows.shape
        scatter = (
            np.zeros((n_columns, n_columns, n_rows)) if with_scatter and n_columns <= MAX_DETERMINANT_COLUMNS else None
        )
        return cls(np.arange(n_rows), weights.copy(), rows.T.copy(), np.zeros(n_rows), scatter)

    def take(self, indices: IntN) -> "GroupStatistics":
        """A copy of some of the groups."""
        scatter = None if self.scatter is None else self.scatter[..., indices]
        return GroupStatistics(
            self.group_ids[indices], self.mass[indices], self.mean[:, indices], self.trace[indices], scatter
        )

    def merge_with(self, others: "GroupStatistics") -> "GroupStatistics":
        """Each group with its partner; one group goes with all partners. Names are those of the partners."""
        mass = self.mass + others.mass
        share = others.mass / mass
        apart = others.mean - self.mean
        squares = (self.mass * share) * apart
        trace = self.trace + others.trace + np.einsum("im,im->m", squares, apart)
        scatter = None
        if self.scatter is not None and others.scatter is not None:
            scatter = squares[:, None] * apart
            scatter += self.scatter
            scatter += others.scatter
        return GroupStatistics(others.group_ids, mass, self.mean + share * apart, trace, scatter)

    def replace_group(self, index: int, group: "GroupStatistics", group_id: int) -> None:
        """One group instead of another, in place."""
        self.group_ids[index], self.mass[index], self.trace[index] = group_id, group.mass[0], group.trace[0]
        self.mean[:, index] = group.mean[:, 0]
        if self.scatter is not None and group.scatter is not None:
            self.scatter[..., index] = group.scatter[..., 0]


@dataclass(frozen=True)
class MergeCriterion:
    """What groups add to it, by their moments and the spread of a row, and what it wants the rows to be.

    ``whitened`` rows have covariance one, else mclust's scaling; ``with_scatter`` if traces do not suffice.
    """

    group_costs: Callable[[GroupStatistics, float], K]
    needs_scatter: bool = False
    needs_whitening: bool = False


def _trace_cost(groups: GroupStatistics, mean_variance: float) -> K:
    return groups.trace


def _spherical_volume_cost(groups: GroupStatistics, mean_variance: float) -> K:
    return np.asarray(groups.mass * np.log((groups.trace + mean_variance) / groups.mass))


def _determinant_and_trace_cost(groups: GroupStatistics, mean_variance: float) -> K:
    """A determinant that the trace keeps from zero; of fewer rows than columns + 1 it is zero."""
    determinant = np.zeros(len(groups.mass))
    large = groups.mass > len(groups.mean)
    if groups.scatter is not None and large.any():
        some = slice(None) if large.all() else large
        determinant[some] = _determinants(groups.scatter[..., some] / groups.mass[some])
    return np.asarray(groups.mass * np.log(determinant + (groups.trace + mean_variance) / groups.mass))


def _regularized_determinant_cost(groups: GroupStatistics, mean_variance: float) -> K:
    """A covariance drawn towards a small ball as if D + 1 rows came from there, so that small groups have one."""
    n_columns = len(groups.mean)
    scatter = np.zeros((n_columns, n_columns, len(groups.mass))) if groups.scatter is None else groups.scatter.copy()
    np.einsum("iim->im", scatter)[:] += (n_columns + 1) * _PRIOR_VARIANCE
    return np.asarray(groups.mass * np.log(_determinants(scatter / (groups.mass + n_columns + 1))))


MERGE_CRITERIA = {
    "EII": MergeCriterion(_trace_cost),
    "VII": MergeCriterion(_spherical_volume_cost),
    "VVV": MergeCriterion(_determinant_and_trace_cost, needs_scatter=True),
    "whitened": MergeCriterion(_regularized_determinant_cost, needs_scatter=True, needs_whitening=True),
}
"""The first three are Fraley's (1998, sections 2 and 3, with alpha = beta = 1) for the structures of their names."""


def _determinants(matrices: Array) -> K:
    """Of positive semidefinite matrices (D, D, m) by elimination, which overwrites them; zero where singular."""
    least = _RELATIVE_PIVOT_TOLERANCE * np.einsum("iim->im", matrices)
    determinant = np.ones(matrices.shape[2])
    for column, smallest in enumerate(least):
        pivot = matrices[column, column]
        pivot = np.where(pivot > smallest, pivot, 0.0)
        determinant *= pivot
        if column + 1 < len(matrices):
            rest = matrices[column, column + 1 :]
            factors = rest / np.where(pivot > 0, pivot, np.inf)
            matrices[column + 1 :, column + 1 :] -= factors[:, None] * rest
    return determinant


def agglomerate(rows: ND, weights: K, mean_variance: float, criterion: MergeCriterion) -> IntN:
    """Which two groups each step joins, (m - 1, 2): rows are groups 0 to m - 1, step t makes group m + t."""
    groups = GroupStatistics.from_rows(rows, weights, criterion.needs_scatter)
    steps: list[tuple[int, int]] = []
    while len(groups.mass) > MAX_GROUPS_FOR_ALL_PAIRS:
        pairs = mutual_nearest_pairs(groups.mean.T, partial(_pair_merge_costs, groups, criterion, mean_variance))
        groups = merge_pairs(groups, pairs, steps, len(rows))
    costs = _all_pair_costs(groups, criterion, mean_variance)
    while len(groups.mass) > 1:
        groups, costs = _merge_until_half(groups, costs, criterion, mean_variance, steps, len(rows))
    return np.array(steps, dtype=np.int64).reshape(-1, 2)


def mutual_nearest_pairs(points: ND, pair_costs: Callable[[IntN, IntN], K]) -> tuple[IntN, IntN]:
    """Groups at ``places`` (m, D) that are one another's cheapest neighbours, down to ``MOST_GROUPS`` if joined.

    The cheapest pair comes first; ``costs`` gives what joining each of some groups with each of some others costs.
    """
    n_groups = len(points)
    near = KDTree(points).query(points, k=_N_NEIGHBORS + 1)[1]
    ones, others = np.repeat(np.arange(n_groups), _N_NEIGHBORS + 1), near.ravel()
    ones, others = np.minimum(ones, others), np.maximum(ones, others)
    ones, others = ones[ones < others], others[ones < others]
    order = np.argsort(pair_costs(ones, others), kind="stable")
    rank = np.full(n_groups, len(order))  # of the cheapest pair that a group is in; the cheapest of all is in it twice
    for ends in (ones[order], others[order]):
        np.minimum.at(rank, ends, np.arange(len(order)))
    mutual = (rank[ones[order]] == np.arange(len(order))) & (rank[others[order]] == np.arange(len(order)))
    pairs = order[mutual][: n_groups - MAX_GROUPS_FOR_ALL_PAIRS]
    return ones[pairs], others[pairs]


def _pair_merge_costs(
    groups: GroupStatistics, criterion: MergeCriterion, mean_variance: float, first: IntN, second: IntN
) -> K:
    terms = criterion.group_costs(groups, mean_variance)
    joined = groups.take(first).merge_with(groups.take(second))
    return np.asarray(criterion.group_costs(joined, mean_variance) - terms[first] - terms[second])


def merge_pairs(
    groups: GroupStatistics, pairs: tuple[IntN, IntN], children: list[tuple[int, int]], n_rows: int
) -> GroupStatistics:
    """The groups after some pairs, of which no two share a group, were joined; ``steps`` grow by as many."""
    first, second = pairs
    joined = groups.take(first).merge_with(groups.take(second))
    names = n_rows + len(children) + np.arange(len(first))
    children.extend(zip(groups.group_ids[first].tolist(), groups.group_ids[second].tolist(), strict=True))
    for number, (place, name) in enumerate(zip(first.tolist(), names.tolist(), strict=True)):
        groups.replace_group(place, joined.take(np.array([number])), name)
    return groups.take(np.delete(np.arange(len(groups.mass)), second))


def _all_pair_costs(groups: GroupStatistics, criterion: MergeCriterion, mean_variance: float) -> Array:
    """What joining any two groups adds to the criterion, (m, m)."""
    n_groups = len(groups.mass)
    costs = np.full((n_groups, n_groups), np.inf)
    ones, others = np.triu_indices(n_groups, 1)
    for start in range(0, len(ones), _PAIRS_PER_CHUNK):
        one, other = ones[start : start + _PAIRS_PER_CHUNK], others[start : start + _PAIRS_PER_CHUNK]
        costs[one, other] = costs[other, one] = _pair_merge_costs(groups, criterion, mean_variance, one, other)
    return costs


def _merge_until_half(
    groups: GroupStatistics,
    costs: Array,
    criterion: MergeCriterion,
    mean_variance: float,
    children: list[tuple[int, int]],
    n_rows: int,
) -> tuple[GroupStatistics, Array]:
    """The cheapest two of all groups are joined until half of them are left, which are then packed."""
    n_groups = len(groups.mass)
    terms = criterion.group_costs(groups, mean_variance)
    partner = np.argmin(costs, axis=1)
    least = costs[np.arange(n_groups), partner]
    left = np.ones(n_groups, dtype=bool)
    for _ in range(n_groups // 2):
        one = int(np.argmin(least))
        other = int(partner[one])
        joined = groups.take(np.array([one])).merge_with(groups.take(np.array([other])))
        children.append((int(groups.group_ids[one]), int(groups.group_ids[other])))
        groups.replace_group(one, joined, n_rows + len(children) - 1)
        terms[one] = criterion.group_costs(joined, mean_variance)[0]
        left[other] = False
        row = np.where(left, _costs_with_one_group(groups, terms, one, criterion, mean_variance), np.inf)
        costs[one] = costs[:, one] = row
        costs[other] = costs[:, other] = np.inf
        least[other] = np.inf
        _update_best_partners(costs, partner, least, left, (one, other))
    kept = np.flatnonzero(left)
    return groups.take(kept), costs[np.ix_(kept, kept)]


def _costs_with_one_group(
    groups: GroupStatistics, group_costs: K, index: int, criterion: MergeCriterion, mean_variance: float
) -> K:
    """What joining one group with each adds to the criterion; infinite for itself."""
    joined = groups.take(np.array([index])).merge_with(groups)
    costs: K = criterion.group_costs(joined, mean_variance) - group_costs[index] - group_costs
    costs[index] = np.inf
    return costs


def _update_best_partners(
    costs: Array, partner: IntN, lowest_costs: K, is_active: Array, merged_pair: tuple[int, int]
) -> None:
    """Cheapest partners after two groups became one: sought anew by those who had one of the two."""
    one, other = merged_pair
    row = costs[one]
    bereft = is_active & ((partner == one) | (partner == other))
    bereft[one] = True
    closer = row < lowest_costs
    partner[closer] = one
    lowest_costs[closer] = row[closer]
    places = np.flatnonzero(bereft)
    partner[places] = np.argmin(costs[places], axis=1)
    lowest_costs[places] = costs[places, partner[places]]
