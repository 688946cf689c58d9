"""Agglomerative clustering in compiled code: pack the arguments, unpack the result."""

import numpy as np

from gaussmix.core.group_costs import GroupCost, GroupMoments
from gaussmix.engines.agglomerator import AbstractAgglomerator
from gaussmix.engines.compiled.tile_workspaces import aligned_zeros
from gaussmix.kernels.argument_tuples import (
    GROUP_MASS,
    GROUP_TRACE,
    N_GROUP_SCALARS,
    AgglomerationState,
)
from gaussmix.kernels.compiled_functions import compute_pair_costs, merge_groups
from gaussmix.kernels.machine_constants import SIMD_WIDTH
from gaussmix.kernels.packed_arguments import pack_arguments
from gaussmix.types import Array, IntK, IntNC, K


class CompiledAgglomerator(AbstractAgglomerator):
    """Merges groups in compiled functions."""

    def should_run(self) -> bool:
        """Return True: compiled code handles any size."""
        return True

    def compute_pair_costs(self, groups: GroupMoments, cost: GroupCost, first: IntK, second: IntK) -> K:
        """Return the increase of the sum, (p,), for merging each pair of groups."""
        n_pairs = len(first)
        padding = -n_pairs % SIMD_WIDTH
        costs = np.empty(n_pairs + padding)
        members = [np.append(positions, np.zeros(padding, dtype=np.int64)) for positions in (first, second)]
        compute_pair_costs(pack_arguments(_make_state(groups, cost)), *members, costs)
        return costs[:n_pairs]

    def merge_groups(self, groups: GroupMoments, cost: GroupCost) -> IntNC | None:
        """Return the two groups that each step merges, (m - 1, 2); None if costs are not finite."""
        n_groups = len(groups.mass)
        group_ids, children = np.arange(n_groups), np.empty((n_groups - 1, 2), dtype=np.int64)
        n_merges = merge_groups(
            pack_arguments(_make_state(groups, cost)),
            np.empty((n_groups, n_groups)),
            np.empty(n_groups, dtype=np.int64),
            np.empty(n_groups),
            np.empty(n_groups, dtype=np.bool_),
            group_ids,
            children,
        )
        return children if n_merges == len(children) else None


def _make_state(groups: GroupMoments, cost: GroupCost) -> AgglomerationState:
    """Return the groups as columns of one array, with the constants of their costs and buffers."""
    n_columns, n_groups = groups.mean.shape
    rows, columns = np.triu_indices(0 if groups.scatter is None else n_columns)
    table = _zero_table(N_GROUP_SCALARS + n_columns + len(rows), _odd_number_of_registers(n_groups) * SIMD_WIDTH)
    table[GROUP_MASS] = 1.0  # columns that fill up a register stay finite
    table[GROUP_MASS, :n_groups], table[GROUP_TRACE, :n_groups] = groups.mass, groups.trace
    table[N_GROUP_SCALARS : N_GROUP_SCALARS + n_columns, :n_groups] = groups.mean
    if groups.scatter is not None:
        table[N_GROUP_SCALARS + n_columns :, :n_groups] = groups.scatter[rows, columns]
    return AgglomerationState(
        groups=table,
        cost_kind=int(cost.kind),
        mean_variance=float(cost.mean_variance),
        prior_scatter=float(cost.prior_scatter),
        prior_mass=float(cost.prior_mass),
        relative_pivot_tolerance=float(cost.relative_pivot_tolerance),
        min_pivot=float(cost.min_pivot),
        first_groups=aligned_zeros(len(table) * SIMD_WIDTH),
        second_groups=aligned_zeros(len(table) * SIMD_WIDTH),
        mean_buffer=_zero_table(n_columns, SIMD_WIDTH),
        weighted_buffer=_zero_table(n_columns, SIMD_WIDTH),
        matrix=_zero_table(len(rows), SIMD_WIDTH),
        new_costs=aligned_zeros(table.shape[1]),
    )


def _zero_table(n_rows: int, n_columns: int) -> Array:
    """Return zeros (n_rows, n_columns) that start on a cache line."""
    return aligned_zeros(n_rows * n_columns).reshape(n_rows, n_columns)


def _odd_number_of_registers(n_groups: int) -> int:
    """Return a number of registers that hold the groups; a power of two as stride would cause cache conflicts."""
    return -(-n_groups // SIMD_WIDTH) // 2 * 2 + 1
