"""Merge the cheapest of all pairs of groups, again and again, in NumPy.

The cost of every pair of groups is stored, with the cheapest partner of every group. Agglomerators of engines do the
same; this is their reference.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gaussmix.solvers.initialization.merge_criteria import GroupStatistics, MergeCriterion, MergedPairs
from gaussmix.types import Array, BoolK, IntK, K

_PAIRS_PER_CHUNK = 8192


class _GroupsWithMergeCosts(NamedTuple):
    """Groups, and the cost of merging every pair of them, (m, m), infinite on the diagonal."""

    groups: GroupStatistics
    pair_costs: Array


def merge_all_pairs(groups: GroupStatistics, criterion: MergeCriterion, mean_variance: float) -> MergedPairs:
    """Merge groups until one is left; return the two that each step merges, (m - 1, 2).

    The groups are 0 to m - 1, whatever their ids, and step t makes group m + t. Of equal pairs, the first in order
    of the positions is merged. A merged group takes the position of its first member.
    """
    n_groups = len(groups.mass)
    groups = replace(groups.take(np.arange(n_groups)), group_ids=np.arange(n_groups))
    children: list[tuple[int, int]] = []
    costs = _all_pair_merge_costs(groups, criterion, mean_variance)
    while len(groups.mass) > 1:
        groups, costs = _merge_half_and_append_children(groups, costs, criterion, mean_variance, children, n_groups)
    return np.array(children, dtype=np.int64).reshape(-1, 2)


def pair_merge_costs(
    groups: GroupStatistics, criterion: MergeCriterion, mean_variance: float, first: IntK, second: IntK
) -> K:
    """Return the increase of the criterion, (p,), for merging each group of ``first`` with that of ``second``."""
    group_costs = criterion.group_costs(groups, mean_variance)
    merged = groups.take(first).merge_pairwise_with(groups.take(second))
    return np.asarray(criterion.group_costs(merged, mean_variance) - group_costs[first] - group_costs[second])


def _all_pair_merge_costs(groups: GroupStatistics, criterion: MergeCriterion, mean_variance: float) -> Array:
    """Return the increase of the criterion for every pair of groups, (m, m), infinite on the diagonal."""
    n_groups = len(groups.mass)
    costs = np.full((n_groups, n_groups), np.inf)
    first, second = np.triu_indices(n_groups, 1)
    for start in range(0, len(first), _PAIRS_PER_CHUNK):
        first_chunk, second_chunk = first[start : start + _PAIRS_PER_CHUNK], second[start : start + _PAIRS_PER_CHUNK]
        costs[first_chunk, second_chunk] = costs[second_chunk, first_chunk] = pair_merge_costs(
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
        groups.overwrite_groups_in_place(np.array([first]), merged, np.array([n_leaves + len(children) - 1]))
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
