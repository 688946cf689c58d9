"""Agglomerative clustering: merge the two groups that increase a criterion the least, again and again.

The cost of every pair of groups is stored, with the cheapest partner of every group. Above
``MAX_GROUPS_FOR_ALL_PAIRS`` groups, storing all pairs takes too much memory. Then groups that are each
other's cheapest neighbor are merged first, many pairs at a time.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree

from gaussmix.solvers.initialization.merge_criteria import GroupStatistics, MergeCriterion, MergedPairs
from gaussmix.types import ND, Array, BoolK, IntK, K, N

MAX_GROUPS_FOR_ALL_PAIRS = 500
_N_NEIGHBORS = 5  # spatial neighbors that are candidates for the cheapest partner
_PAIRS_PER_CHUNK = 8192


class GroupPairs(NamedTuple):
    """Disjoint pairs of groups: the positions (p,) of their first and of their second members."""

    first: IntK
    second: IntK


class _GroupsWithMergeCosts(NamedTuple):
    """Groups, and the cost of merging every pair of them, (m, m), infinite on the diagonal."""

    groups: GroupStatistics
    pair_costs: Array


def agglomerate(rows: ND, weights: N, mean_variance: float, criterion: MergeCriterion) -> MergedPairs:
    """Merge the groups of rows (m, D) pair by pair; return the two groups that each step merges, (m - 1, 2).

    The numbering is that of scikit-learn's ``children_``: rows are groups 0 to m - 1, step t makes group m + t.
    ``mean_variance`` is the mean variance of a column.
    """
    groups = GroupStatistics.from_rows(rows, weights, criterion.needs_scatter)
    children: list[tuple[int, int]] = []
    while len(groups.mass) > MAX_GROUPS_FOR_ALL_PAIRS:
        pairs = mutually_cheapest_pairs(groups.mean.T, partial(_pair_merge_costs, groups, criterion, mean_variance))
        groups = merge_pairs_and_append_children(groups, pairs, children, len(rows))
    costs = _all_pair_merge_costs(groups, criterion, mean_variance)
    while len(groups.mass) > 1:
        groups, costs = _merge_half_and_append_children(groups, costs, criterion, mean_variance, children, len(rows))
    return np.array(children, dtype=np.int64).reshape(-1, 2)


def mutually_cheapest_pairs(points: ND, pair_costs: Callable[[IntK, IntK], K]) -> GroupPairs:
    """Return the pairs of groups that are each other's cheapest merge among near neighbors, the cheapest pair first.

    Groups lie at ``points`` (m, D). ``pair_costs(first, second)`` returns the cost of merging each pair. Merging
    the returned pairs leaves at least ``MAX_GROUPS_FOR_ALL_PAIRS`` groups.
    """
    n_groups = len(points)
    neighbors = KDTree(points).query(points, k=_N_NEIGHBORS + 1)[1]
    first, second = np.repeat(np.arange(n_groups), _N_NEIGHBORS + 1), neighbors.ravel()
    first, second = np.minimum(first, second), np.maximum(first, second)
    first, second = first[first < second], second[first < second]
    order = np.argsort(pair_costs(first, second), kind="stable")
    rank = np.full(n_groups, len(order))  # position, in order of cost, of the cheapest pair that contains a group
    for members in (first[order], second[order]):
        np.minimum.at(rank, members, np.arange(len(order)))
    is_mutual = (rank[first[order]] == np.arange(len(order))) & (rank[second[order]] == np.arange(len(order)))
    pairs = order[is_mutual][: n_groups - MAX_GROUPS_FOR_ALL_PAIRS]
    return GroupPairs(first[pairs], second[pairs])


def _pair_merge_costs(
    groups: GroupStatistics, criterion: MergeCriterion, mean_variance: float, first: IntK, second: IntK
) -> K:
    """Return the increase of the criterion, (p,), for merging each group of ``first`` with that of ``second``."""
    group_costs = criterion.group_costs(groups, mean_variance)
    merged = groups.take(first).merge_pairwise_with(groups.take(second))
    return np.asarray(criterion.group_costs(merged, mean_variance) - group_costs[first] - group_costs[second])


def merge_pairs_and_append_children(
    groups: GroupStatistics, pairs: GroupPairs, children: list[tuple[int, int]], n_leaves: int
) -> GroupStatistics:
    """Return the groups left after merging pairs; append each merge to ``children``, and overwrite ``groups``."""
    first, second = pairs
    merged = groups.take(first).merge_pairwise_with(groups.take(second))
    group_ids = n_leaves + len(children) + np.arange(len(first))
    children.extend(zip(groups.group_ids[first].tolist(), groups.group_ids[second].tolist(), strict=True))
    for position, (index, group_id) in enumerate(zip(first.tolist(), group_ids.tolist(), strict=True)):
        groups.overwrite_group_in_place(index, merged.take(np.array([position])), group_id)
    return groups.take(np.delete(np.arange(len(groups.mass)), second))


def _all_pair_merge_costs(groups: GroupStatistics, criterion: MergeCriterion, mean_variance: float) -> Array:
    """Return the increase of the criterion for every pair of groups, (m, m), infinite on the diagonal."""
    n_groups = len(groups.mass)
    costs = np.full((n_groups, n_groups), np.inf)
    first, second = np.triu_indices(n_groups, 1)
    for start in range(0, len(first), _PAIRS_PER_CHUNK):
        first_chunk, second_chunk = first[start : start + _PAIRS_PER_CHUNK], second[start : start + _PAIRS_PER_CHUNK]
        costs[first_chunk, second_chunk] = costs[second_chunk, first_chunk] = _pair_merge_costs(
            groups, criterion, mean_variance, first_chunk, second_chunk
        )
    return costs


def _merge_half_and_append_children(
    groups: GroupStatistics,
    costs: Array,
    criterion: MergeCriterion,
    mean_variance: float,
    children: list[tuple[int, int]],
    n_leaves: int,
) -> _GroupsWithMergeCosts:
    """Merge the cheapest pair until half of the groups are left, and return these; append each merge to ``children``.

    ``groups`` and ``costs`` are overwritten. Merged groups keep their place in the arrays until the end. Halving them
    bounds the cost of empty places.
    """
    n_groups = len(groups.mass)
    group_costs = criterion.group_costs(groups, mean_variance)
    partner = np.argmin(costs, axis=1)
    lowest_costs = costs[np.arange(n_groups), partner]
    is_active = np.ones(n_groups, dtype=bool)
    for _ in range(n_groups // 2):
        first = int(np.argmin(lowest_costs))
        second = int(partner[first])
        merged = groups.take(np.array([first])).merge_pairwise_with(groups.take(np.array([second])))
        children.append((int(groups.group_ids[first]), int(groups.group_ids[second])))
        groups.overwrite_group_in_place(first, merged, n_leaves + len(children) - 1)
        group_costs[first] = criterion.group_costs(merged, mean_variance)[0]
        is_active[second] = False
        new_costs = np.where(
            is_active, _merge_costs_with_group(groups, group_costs, first, criterion, mean_variance), np.inf
        )
        costs[first] = costs[:, first] = new_costs
        costs[second] = costs[:, second] = np.inf
        lowest_costs[second] = np.inf
        _update_best_partners_in_place(costs, partner, lowest_costs, is_active, (first, second))
    active = np.flatnonzero(is_active)
    return _GroupsWithMergeCosts(groups.take(active), costs[np.ix_(active, active)])


def _merge_costs_with_group(
    groups: GroupStatistics, group_costs: K, index: int, criterion: MergeCriterion, mean_variance: float
) -> K:
    """Return the increase of the criterion, (m,), for merging the group at ``index`` with each; infinite for itself."""
    merged = groups.take(np.array([index])).merge_pairwise_with(groups)
    costs: K = criterion.group_costs(merged, mean_variance) - group_costs[index] - group_costs
    costs[index] = np.inf
    return costs


def _update_best_partners_in_place(
    costs: Array, partner: IntK, lowest_costs: K, is_active: BoolK, merged_pair: tuple[int, int]
) -> None:
    """Overwrite ``partner`` and ``lowest_costs`` (m,) by the cheapest partner of each group, after a merge.

    Only groups whose partner was one of the two search all costs again.
    """
    first, second = merged_pair
    new_costs = costs[first]
    needs_search = is_active & ((partner == first) | (partner == second))
    needs_search[first] = True
    is_closer = new_costs < lowest_costs
    partner[is_closer] = first
    lowest_costs[is_closer] = new_costs[is_closer]
    indices = np.flatnonzero(needs_search)
    partner[indices] = np.argmin(costs[indices], axis=1)
    lowest_costs[indices] = costs[indices, partner[indices]]
