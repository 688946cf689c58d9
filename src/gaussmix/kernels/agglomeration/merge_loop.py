"""Merge the cheapest pair of groups again and again, without Python in between.

It does what `solvers/initialization/agglomeration.py` does in NumPy, with the same choice among equal costs.
"""

import numpy as np

from gaussmix.kernels.agglomeration.group_costs import (
    REGULARIZED_VARIANCES,
    compute_group_costs,
    compute_merged_costs,
)
from gaussmix.kernels.argument_tuples import GROUP_COST, GROUP_MASS, GROUP_TRACE, N_GROUP_SCALARS
from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.simd import load, store, subtract
from gaussmix.kernels.machine_constants import SIMD_WIDTH


@entry_point
def compute_pair_costs(state, first, second, costs):
    """Write the cost of merging each pair; ``first`` and ``second`` are whole registers of positions."""
    _store_group_costs(state, state.groups.shape[1])
    for start in range(0, costs.shape[0], SIMD_WIDTH):
        _gather_groups(state.groups, first, start, state.first_groups)
        _gather_groups(state.groups, second, start, state.second_groups)
        merged = compute_merged_costs(state, state.first_groups, 0, SIMD_WIDTH, state.second_groups, 0, SIMD_WIDTH)
        own = GROUP_COST * SIMD_WIDTH
        store(costs, start, subtract(subtract(merged, load(state.first_groups, own)), load(state.second_groups, own)))


@entry_point
def merge_groups(state, buffers):
    """Merge all groups into one; write the two that each step merges to ``children``, and return the number of steps.

    It stops early where no cost is finite.
    """
    pair_costs, partner, lowest_costs = buffers.pair_costs, buffers.partner, buffers.lowest_costs
    is_active, group_ids, children = buffers.is_active, buffers.group_ids, buffers.children
    n_groups, n_merges = group_ids.shape[0], 0
    for i in range(n_groups):
        group_ids[i] = i
    _store_group_costs(state, n_groups)
    _compute_all_pair_costs(state, pair_costs, n_groups)
    while n_groups > 1:
        for i in range(n_groups):
            is_active[i] = True
            _find_cheapest_partner(pair_costs, i, n_groups, partner, lowest_costs)
        for _ in range(n_groups // 2):
            first = 0
            for i in range(1, n_groups):
                if lowest_costs[i] < lowest_costs[first]:
                    first = i
            if not lowest_costs[first] < np.inf:
                return n_merges
            second = partner[first]
            children[n_merges, 0], children[n_merges, 1] = group_ids[first], group_ids[second]
            group_ids[first] = children.shape[0] + 1 + n_merges
            n_merges += 1
            is_active[second] = False
            _merge_into_first(state, first, second)
            _update_pair_costs(state, pair_costs, first, second, is_active, n_groups)
            _update_cheapest_partners(pair_costs, partner, lowest_costs, is_active, first, second, n_groups)
        n_groups = _move_active_to_front(state, pair_costs, is_active, group_ids, n_groups)
    return n_merges


@kernel
def _store_group_costs(state, n_groups):
    """Write the cost of every group to its place among the groups."""
    stride = state.groups.shape[1]
    for start in range(0, n_groups, SIMD_WIDTH):
        store(state.groups, GROUP_COST * stride + start, compute_group_costs(state, state.groups, start, stride))


@kernel
def _gather_groups(groups, positions, start, target):
    """Copy the groups at one register of positions to ``target``, one register per row."""
    for lane in range(SIMD_WIDTH):
        position = positions[start + lane]
        for row in range(groups.shape[0]):
            target[row * SIMD_WIDTH + lane] = groups[row, position]


@kernel
def _compute_costs_with_group(state, index, begin, end):
    """Write the cost of merging a group with each of the groups ``begin`` to ``end`` to ``new_costs``."""
    stride = state.groups.shape[1]
    for row in range(state.groups.shape[0]):
        for lane in range(SIMD_WIDTH):
            state.first_groups[row * SIMD_WIDTH + lane] = state.groups[row, index]
    own = load(state.first_groups, GROUP_COST * SIMD_WIDTH)
    for start in range(begin // SIMD_WIDTH * SIMD_WIDTH, end, SIMD_WIDTH):
        merged = compute_merged_costs(state, state.first_groups, 0, SIMD_WIDTH, state.groups, start, stride)
        costs = subtract(subtract(merged, own), load(state.groups, GROUP_COST * stride + start))
        store(state.new_costs, start, costs)


@kernel
def _compute_all_pair_costs(state, pair_costs, n_groups):
    """Write the cost of every pair of groups, infinite on the diagonal."""
    for i in range(n_groups):
        pair_costs[i, i] = np.inf
        _compute_costs_with_group(state, i, i + 1, n_groups)
        for j in range(i + 1, n_groups):
            pair_costs[i, j] = state.new_costs[j]
            pair_costs[j, i] = state.new_costs[j]


@kernel
def _merge_into_first(state, first, second):
    """Overwrite a group by its union with another."""
    groups, n = state.groups, state.mean_buffer.shape[0]
    first_mass, second_mass = groups[GROUP_MASS, first], groups[GROUP_MASS, second]
    mass = first_mass + second_mass
    fraction = second_mass / mass
    reduced_mass = first_mass * fraction
    squares, row = 0.0, N_GROUP_SCALARS + n
    has_scatter = state.matrix.shape[0] > 0
    for i in range(n):
        difference = groups[N_GROUP_SCALARS + i, second] - groups[N_GROUP_SCALARS + i, first]
        weighted = reduced_mass * difference
        squares += weighted * difference
        if has_scatter:
            for j in range(i, i + 1 if state.cost_kind == REGULARIZED_VARIANCES else n):
                other = groups[N_GROUP_SCALARS + j, second] - groups[N_GROUP_SCALARS + j, first]
                groups[row, first] = (weighted * other + groups[row, first]) + groups[row, second]
                row += 1
    for i in range(N_GROUP_SCALARS, N_GROUP_SCALARS + n):
        groups[i, first] += fraction * (groups[i, second] - groups[i, first])
    groups[GROUP_MASS, first] = mass
    groups[GROUP_TRACE, first] = (groups[GROUP_TRACE, first] + groups[GROUP_TRACE, second]) + squares
    start, stride = first // SIMD_WIDTH * SIMD_WIDTH, groups.shape[1]
    store(groups, GROUP_COST * stride + start, compute_group_costs(state, groups, start, stride))


@kernel
def _update_pair_costs(state, pair_costs, first, second, is_active, n_groups):
    """Compute the costs of all pairs of which one is the new group; those of the other are infinite from now on."""
    _compute_costs_with_group(state, first, 0, n_groups)
    state.new_costs[first] = np.inf
    for j in range(n_groups):
        if not is_active[j]:
            state.new_costs[j] = np.inf
        pair_costs[first, j] = state.new_costs[j]
        pair_costs[j, first] = state.new_costs[j]
        pair_costs[second, j] = np.inf
        pair_costs[j, second] = np.inf


@kernel
def _update_cheapest_partners(pair_costs, partner, lowest_costs, is_active, first, second, n_groups):
    """Update the cheapest partner of each group; only groups whose partner was merged search all costs again."""
    lowest_costs[second] = np.inf
    for i in range(n_groups):
        if is_active[i] and (i == first or partner[i] == first or partner[i] == second):
            _find_cheapest_partner(pair_costs, i, n_groups, partner, lowest_costs)
        elif pair_costs[first, i] < lowest_costs[i]:
            partner[i], lowest_costs[i] = first, pair_costs[first, i]


@kernel
def _find_cheapest_partner(pair_costs, index, n_groups, partner, lowest_costs):
    """Find the cheapest partner of a group, the first of equals."""
    best = 0
    for j in range(1, n_groups):
        if pair_costs[index, j] < pair_costs[index, best]:
            best = j
    partner[index], lowest_costs[index] = best, pair_costs[index, best]


@kernel
def _move_active_to_front(state, pair_costs, is_active, group_ids, n_groups):
    """Move the active groups and their costs to the front, in their order; return their number."""
    n_active = 0
    for i in range(n_groups):
        if not is_active[i]:
            continue
        group_ids[n_active] = group_ids[i]
        for row in range(state.groups.shape[0]):
            state.groups[row, n_active] = state.groups[row, i]
        n_columns = 0
        for j in range(n_groups):
            if is_active[j]:
                pair_costs[n_active, n_columns] = pair_costs[i, j]
                n_columns += 1
        n_active += 1
    return n_active
