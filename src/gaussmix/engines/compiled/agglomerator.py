"""Agglomerative clustering in compiled code: pack the arguments, unpack the result."""

import threading
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gaussmix.core.group_costs import GroupCost, GroupMoments
from gaussmix.engines.agglomerator import AbstractAgglomerator
from gaussmix.engines.compiled.tile_workspaces import aligned_zeros
from gaussmix.kernels.argument_tuples import (
    GROUP_MASS,
    GROUP_TRACE,
    N_GROUP_SCALARS,
    AgglomerationState,
    MergeBuffers,
)
from gaussmix.kernels.compiled_functions import compute_pair_costs, merge_groups
from gaussmix.kernels.machine_constants import SIMD_WIDTH
from gaussmix.kernels.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments
from gaussmix.types import Array, IntK, IntNC, K

# Groups up to which the arrays of a thread are kept for its next merges.
_MAX_KEPT_GROUPS, _MAX_WORKSPACES = 256, 8


class CompiledAgglomerator(AbstractAgglomerator):
    """Merges groups in compiled functions."""

    def compute_pair_costs(self, groups: GroupMoments, cost: GroupCost, first: IntK, second: IntK) -> K:
        """Return the increase of the sum, (p,), for merging each pair of groups."""
        n_pairs = len(first)
        padding = -n_pairs % SIMD_WIDTH
        costs = np.empty(n_pairs + padding)
        members = [np.append(positions, np.zeros(padding, dtype=np.int64)) for positions in (first, second)]
        workspace = _make_workspace(_Size.from_groups(groups, n_merge_groups=0))
        compute_pair_costs(workspace.join_state(groups, cost), *members, costs)
        return costs[:n_pairs]

    def merge_groups(self, groups: GroupMoments, cost: GroupCost) -> IntNC | None:
        """Return the two groups that each step merges, (m - 1, 2); None if costs are not finite."""
        n_groups = len(groups.mass)
        size = _Size.from_groups(groups, n_groups)
        workspace = _thread_cache.get_workspace(size) if n_groups <= _MAX_KEPT_GROUPS else _make_workspace(size)
        n_merges = merge_groups(workspace.join_state(groups, cost), workspace.merge_buffers)
        return workspace.children.copy() if n_merges == n_groups - 1 else None


class _Size(NamedTuple):
    """The sizes of the arrays: columns, groups, entries of the scatter that costs need, and groups to merge."""

    n_columns: int
    n_groups: int
    n_entries: int
    n_merge_groups: int

    @classmethod
    def from_groups(cls, groups: GroupMoments, n_merge_groups: int) -> "_Size":
        """Return the sizes for groups, of which all or none are merged."""
        n_columns, n_groups = groups.mean.shape
        if groups.scatter is None:
            n_entries = 0
        else:
            n_entries = n_columns if groups.scatter.ndim == 2 else n_columns * (n_columns + 1) // 2
        return cls(n_columns, n_groups, n_entries, n_merge_groups)


class _Workspace(NamedTuple):
    """The table of groups and all other arrays, packed."""

    table: Array
    packed_table: PackedArguments
    packed_buffers: PackedArguments
    children: IntNC
    merge_buffers: PackedArguments

    def join_state(self, groups: GroupMoments, cost: GroupCost) -> PackedArguments:
        """Copy groups to the table; return the state with the constants of their costs."""
        n_columns, n_groups = groups.mean.shape
        table = self.table
        table[GROUP_MASS, :n_groups], table[GROUP_TRACE, :n_groups] = groups.mass, groups.trace
        table[N_GROUP_SCALARS : N_GROUP_SCALARS + n_columns, :n_groups] = groups.mean
        if groups.scatter is not None:
            entries = groups.scatter if groups.scatter.ndim == 2 else groups.scatter[_upper_triangle(n_columns)]
            table[N_GROUP_SCALARS + n_columns :, :n_groups] = entries
        return join_packed_arguments(AgglomerationState, self.packed_table, _pack_cost(cost), self.packed_buffers)


def _make_workspace(size: _Size) -> _Workspace:
    """Return new arrays."""
    n_columns, n_groups, n_entries, n_merge_groups = size
    table = _zero_table(N_GROUP_SCALARS + n_columns + n_entries, _odd_number_of_registers(n_groups) * SIMD_WIDTH)
    table[GROUP_MASS] = 1.0  # columns that fill up a register stay finite
    buffers = (
        aligned_zeros(len(table) * SIMD_WIDTH),
        aligned_zeros(len(table) * SIMD_WIDTH),
        _zero_table(n_columns, SIMD_WIDTH),
        _zero_table(n_columns, SIMD_WIDTH),
        _zero_table(n_entries, SIMD_WIDTH),
        aligned_zeros(table.shape[1]),
    )
    merge_buffers = MergeBuffers(
        pair_costs=np.empty((n_merge_groups, n_merge_groups)),
        partner=np.empty(n_merge_groups, dtype=np.int64),
        lowest_costs=np.empty(n_merge_groups),
        is_active=np.empty(n_merge_groups, dtype=np.bool_),
        group_ids=np.empty(n_merge_groups, dtype=np.int64),
        children=np.empty((max(0, n_merge_groups - 1), 2), dtype=np.int64),
    )
    return _Workspace(
        table, pack_arguments((table,)), pack_arguments(buffers), merge_buffers.children, pack_arguments(merge_buffers)
    )


class _ThreadCache(threading.local):
    """The arrays that a thread keeps for its next merges; making them takes longer than merging a dozen groups."""

    def __init__(self) -> None:
        self.get_workspace = lru_cache(maxsize=_MAX_WORKSPACES)(_make_workspace)


_thread_cache = _ThreadCache()


@lru_cache(maxsize=64)
def _pack_cost(cost: GroupCost) -> PackedArguments:
    """Return the packed constants of costs."""
    return pack_arguments(
        (
            int(cost.kind),
            float(cost.mean_variance),
            float(cost.prior_scatter),
            float(cost.prior_mass),
            float(cost.relative_pivot_tolerance),
            float(cost.min_pivot),
        )
    )


@lru_cache(maxsize=16)
def _upper_triangle(n_columns: int) -> tuple[IntK, IntK]:
    """Return rows and columns of the upper triangle of a matrix."""
    rows, columns = np.triu_indices(n_columns)
    return rows, columns


def _zero_table(n_rows: int, n_columns: int) -> Array:
    """Return zeros (n_rows, n_columns) that start on a cache line."""
    return aligned_zeros(n_rows * n_columns).reshape(n_rows, n_columns)


def _odd_number_of_registers(n_groups: int) -> int:
    """Return a number of registers that hold the groups; a power of two as stride would cause cache conflicts."""
    return -(-n_groups // SIMD_WIDTH) // 2 * 2 + 1
