"""Agglomerative clustering: merge the two groups that increase a criterion the least, again and again.

Above ``MAX_GROUPS_FOR_ALL_PAIRS`` groups, storing the costs of all pairs takes too much memory. Then groups that are
each other's cheapest neighbor are merged first, many pairs at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from gaussmix.core.group_costs import GroupCost
from gaussmix.engines.agglomerator import AbstractAgglomerator, SupportsAgglomeration
from gaussmix.engines.base import AbstractEngine
from gaussmix.solvers.initialization.all_pair_merges import merge_all_pairs, pair_merge_costs
from gaussmix.solvers.initialization.merge_criteria import GroupStatistics, MergeCriterion, MergedPairs
from gaussmix.types import ND, IntK, K, N

MAX_GROUPS_FOR_ALL_PAIRS = 500
_N_NEIGHBORS = 5  # spatial neighbors that are candidates for the cheapest partner


class GroupPairs(NamedTuple):
    """Disjoint pairs of groups: the positions (p,) of their first and of their second members."""

    first: IntK
    second: IntK


def agglomerate(
    rows: ND,
    weights: N,
    mean_variance: float,
    agglomerator: AbstractAgglomerator | None = None,
    *,
    criterion: MergeCriterion,
) -> MergedPairs:
    """Merge the groups of rows (m, D) pair by pair; return the two groups that each step merges, (m - 1, 2).

    The numbering is that of scikit-learn's ``children_``: rows are groups 0 to m - 1, step t makes group m + t.
    ``mean_variance`` is the mean variance of a column. Without ``agglomerator``, NumPy makes all merges.
    """
    groups = GroupStatistics.from_rows(rows, weights, criterion.needs_scatter)
    merger = _Merger(criterion, mean_variance, criterion.to_group_cost(rows.shape[1], mean_variance), agglomerator)
    children: list[tuple[int, int]] = []
    while len(groups.mass) > MAX_GROUPS_FOR_ALL_PAIRS:
        pairs = mutually_cheapest_pairs(groups.mean.T, partial(merger.pair_costs, groups))
        groups = merge_pairs_and_append_children(groups, pairs, children, len(rows))
    last_children = merger.merge_all_pairs(groups)
    group_ids = np.append(groups.group_ids, len(rows) + len(children) + np.arange(len(last_children)))
    return np.concatenate([np.array(children, dtype=np.int64).reshape(-1, 2), group_ids[last_children]])


@dataclass(frozen=True)
class _Merger:
    """Merges by a criterion, by an agglomerator if there is one and it can run, else in NumPy."""

    criterion: MergeCriterion
    mean_variance: float
    group_cost: GroupCost | None
    agglomerator: AbstractAgglomerator | None

    def pair_costs(self, groups: GroupStatistics, first: IntK, second: IntK) -> K:
        """Return the increase of the criterion, (p,), for merging each group of ``first`` with that of ``second``."""
        costs = None
        if self.agglomerator is not None and self.group_cost is not None:
            costs = self.agglomerator.compute_pair_costs(groups.to_moments(), self.group_cost, first, second)
        return pair_merge_costs(groups, self.criterion, self.mean_variance, first, second) if costs is None else costs

    def merge_all_pairs(self, groups: GroupStatistics) -> MergedPairs:
        """Merge groups until one is left; return the two that each step merges, (m - 1, 2)."""
        children = None
        if self.agglomerator is not None and self.group_cost is not None:
            children = self.agglomerator.merge_groups(groups.to_moments(), self.group_cost)
        return merge_all_pairs(groups, self.criterion, self.mean_variance) if children is None else children


def merge_groups_into_tree(
    groups: GroupStatistics, criterion: MergeCriterion, mean_variance: float, agglomerator: AbstractAgglomerator | None
) -> MergedPairs:
    """Merge a few hundred groups until one is left; return the two that each step merges, (m - 1, 2)."""
    group_cost = criterion.to_group_cost(len(groups.mean), mean_variance)
    return _Merger(criterion, mean_variance, group_cost, agglomerator).merge_all_pairs(groups)


def cut_merges(children: MergedPairs, n_groups: int) -> IntK:
    """Return the group of each leaf, (m,), if all but the last ``n_groups`` - 1 merges are made.

    Groups are numbered by their first leaf. If there are fewer leaves than ``n_groups``, each of them is a group.
    """
    n_leaves = len(children) + 1
    n_merges = max(0, n_leaves - n_groups)
    root = list(range(n_leaves + n_merges))
    for step, (first, second) in reversed(list(enumerate(children[:n_merges].tolist()))):
        root[first] = root[second] = root[n_leaves + step]
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(leaf_root, len(numbers)) for leaf_root in root[:n_leaves]])


def agglomerator_or_none(engine: AbstractEngine) -> AbstractAgglomerator | None:
    """Return the engine's agglomerator; None if it has none."""
    return engine.agglomerator if isinstance(engine, SupportsAgglomeration) else None


def mutually_cheapest_pairs(points: ND, pair_costs: Callable[[IntK, IntK], K]) -> GroupPairs:
    """Return the pairs of groups that are each other's cheapest merge among near neighbors, the cheapest pair first.

    Groups lie at ``points`` (m, D). ``pair_costs(first, second)`` returns the cost of merging each pair. Merging
    the returned pairs leaves at least ``MAX_GROUPS_FOR_ALL_PAIRS`` groups.
    """
    n_groups, (first, second) = len(points), _neighbor_pairs(points)
    costs = pair_costs(first, second)
    lowest_costs = np.full(n_groups, np.inf)
    for members in (first, second):
        np.minimum.at(lowest_costs, members, costs)
    # Only the cheapest pairs of a group can be mutual; sorting all pairs would take longer.
    is_cheapest_of_a_group = ~((costs > lowest_costs[first]) & (costs > lowest_costs[second]))
    order = np.flatnonzero(is_cheapest_of_a_group)
    order = order[np.argsort(costs[order], kind="stable")]
    rank = np.full(n_groups, len(order))  # position, in order of cost, of the cheapest pair that contains a group
    for members in (first[order], second[order]):
        np.minimum.at(rank, members, np.arange(len(order)))
    is_mutual = (rank[first[order]] == np.arange(len(order))) & (rank[second[order]] == np.arange(len(order)))
    pairs = order[is_mutual][: n_groups - MAX_GROUPS_FOR_ALL_PAIRS]
    return GroupPairs(first[pairs], second[pairs])


def _neighbor_pairs(points: ND) -> GroupPairs:
    """Return the pairs of points (m, D) of which one is a spatial neighbor of the other; some appear twice."""
    from scipy.spatial import KDTree  # slow to import, and needed for many groups only

    neighbors = KDTree(points).query(points, k=_N_NEIGHBORS + 1)[1]
    points_of_pairs, neighbors_of_pairs = np.repeat(np.arange(len(points)), _N_NEIGHBORS + 1), neighbors.ravel()
    first, second = np.minimum(points_of_pairs, neighbors_of_pairs), np.maximum(points_of_pairs, neighbors_of_pairs)
    is_pair = first < second
    return GroupPairs(first[is_pair], second[is_pair])


def merge_pairs_and_append_children(
    groups: GroupStatistics, pairs: GroupPairs, children: list[tuple[int, int]], n_leaves: int
) -> GroupStatistics:
    """Return the groups left after merging pairs; append each merge to ``children``, and overwrite ``groups``."""
    first, second = pairs
    merged = groups.take(first).merge_pairwise_with(groups.take(second))
    group_ids = n_leaves + len(children) + np.arange(len(first))
    children.extend(zip(groups.group_ids[first].tolist(), groups.group_ids[second].tolist(), strict=True))
    groups.overwrite_groups_in_place(first, merged, group_ids)
    return groups.take(np.delete(np.arange(len(groups.mass)), second))
