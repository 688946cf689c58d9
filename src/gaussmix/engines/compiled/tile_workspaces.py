"""Allocate the arrays in which a tile of rows is processed; each thread allocates them once per pass.

The scores of one group of rows for one component fill one *slot*. The slots of a group are adjacent.
Each component has a *list* of the groups it is computed for, with their slots.
"""

import numpy as np

from gaussmix.kernels.argument_tuples import (
    SUM_POOLED_PRODUCTS,
    SUM_PRODUCTS,
    ModelArrays,
    ScreeningBounds,
    ScreeningWorkspace,
    TileWorkspace,
)
from gaussmix.kernels.machine_constants import (
    GROUPS_PER_CHUNK,
    MAX_FEW_COLUMNS,
    MAX_NARROW_COLUMNS,
    NARROW_BATCH_ROWS,
    ROWS_PER_CHUNK,
    ROWS_PER_PROJECTION,
    SIMD_WIDTH,
    TILE_SIDE,
    WIDE_BATCH_ROWS,
)
from gaussmix.kernels.packed_arguments import read_address
from gaussmix.types import Array

# Slots of a tile in which every pair is computed: 256 kB of scores.
MAX_SLOTS = 4096

# A screened tile has MAX_ROWS_PER_COMPONENT rows per component if they fit into MAX_SCREENED_TILE_BYTES, and never
# fewer than MIN_ROWS_PER_COMPONENT.
MAX_ROWS_PER_COMPONENT, MIN_ROWS_PER_COMPONENT, MAX_SCREENED_TILE_BYTES = 64, 16, 1 << 22

# Open pairs per group, beside the candidate, for which a screened tile has space.
MAX_OPEN_PAIRS_PER_GROUP = 16
# The same if all components stand in one list, and its largest part of the components. Unused space takes no memory.
MAX_OPEN_PAIRS_WITH_ONE_LIST, MAX_OPEN_FRACTION_WITH_ONE_LIST = 128, 0.3

# Groups of a tile in which every pair is computed: as many as fit into MAX_COLUMN_BYTES and MAX_SLOTS, at least
# MIN_GROUPS. Each component costs a fixed time per tile, so large tiles are cheaper.
MAX_GROUPS, MIN_GROUPS, MAX_COLUMN_BYTES = 256, 64, 1 << 18


def make_full_tile(model: ModelArrays, n_padded_columns: int, moment_code: int) -> TileWorkspace:
    """Return a new workspace of a tile in which every pair of row and component is computed."""
    n_components = model.center.shape[0]
    max_groups = min(MAX_GROUPS, max(MIN_GROUPS, MAX_COLUMN_BYTES // (8 * SIMD_WIDTH * n_padded_columns)))
    n_groups = max(GROUPS_PER_CHUNK, min(max_groups, MAX_SLOTS // n_components) // GROUPS_PER_CHUNK * GROUPS_PER_CHUNK)
    slot_stride = n_components | 1  # an even distance between groups would cause cache conflicts
    tile = allocate_tile(model, n_padded_columns, moment_code, n_groups, n_groups * slot_stride)
    slots = np.arange(n_groups)[:, None] * slot_stride + np.arange(n_components)
    tile.first_slot[:] = slots[:, 0]
    tile.stop_slot[:] = slots[:, 0] + n_components
    tile.slot_component[slots] = np.arange(n_components)
    return tile._replace(component_slots=np.ascontiguousarray(slots.T))


def make_screened_tile(
    model: ModelArrays, n_padded_columns: int, moment_code: int, bounds: ScreeningBounds
) -> tuple[TileWorkspace, ScreeningWorkspace]:
    """Return new workspaces of a screened tile, as large as the cache allows so that groups are well filled."""
    n_components = len(model.center)
    row_copy_length = (model.row_center.shape[1] + SIMD_WIDTH) * _needs_row_copies(moment_code, n_padded_columns)
    row_bytes = 8 * (n_padded_columns * (1 + bool(len(model.whitening))) + row_copy_length)
    max_rows = max(256, MAX_SCREENED_TILE_BYTES // row_bytes, MIN_ROWS_PER_COMPONENT * n_components)
    n_rows = min(MAX_ROWS_PER_COMPONENT * n_components, max_rows) // SIMD_WIDTH * SIMD_WIDTH
    n_groups = n_rows // SIMD_WIDTH + n_components
    max_pairs_per_group = min(n_components, MAX_OPEN_PAIRS_PER_GROUP)
    if len(bounds.component_axes):
        max_pairs_per_group = min(int(MAX_OPEN_FRACTION_WITH_ONE_LIST * n_components), MAX_OPEN_PAIRS_WITH_ONE_LIST)
    max_pairs = n_groups * max_pairs_per_group + n_components
    tile = allocate_tile(model, n_padded_columns, moment_code, n_groups, n_groups + max_pairs)
    row_stride = _round_up_to_registers(bounds.depth)
    screening = ScreeningWorkspace(
        transformed_rows=aligned_zeros(ROWS_PER_PROJECTION * n_padded_columns),
        projected_rows=aligned_zeros(n_rows * row_stride),
        group_rows=aligned_zeros(max(SIMD_WIDTH, ROWS_PER_PROJECTION) * row_stride),
        group_columns=aligned_zeros(SIMD_WIDTH * bounds.depth),
        anchor_values=aligned_zeros(ROWS_PER_PROJECTION * len(bounds.anchor_constant)),
        candidate=np.zeros(n_rows, dtype=np.int64),
        first_group=np.zeros(n_components + 1, dtype=np.int64),
        n_filled=np.zeros(n_components, dtype=np.int64),
        bound_limits=aligned_zeros(max(SIMD_WIDTH, ROWS_PER_PROJECTION)),
        pair_group=np.zeros(max_pairs, dtype=np.int64),
        pair_component=np.zeros(max_pairs, dtype=np.int64),
        component_list_start=np.zeros(n_components + 1, dtype=np.int64),
        list_groups=np.zeros(max_pairs + n_groups, dtype=np.int64),
        list_slots=np.zeros(max_pairs + n_groups, dtype=np.int64),
    )
    return tile, screening


def _round_up_to_registers(count: int) -> int:
    """Return ``count`` rounded up to a multiple of the register width."""
    return count + -count % SIMD_WIDTH


def _needs_row_copies(moment_code: int, n_padded_columns: int) -> bool:
    """Return whether the pass accumulates products row by row, which needs contiguous copies of the rows."""
    return moment_code in (SUM_PRODUCTS, SUM_POOLED_PRODUCTS) and n_padded_columns >= MAX_FEW_COLUMNS


def allocate_tile(
    model: ModelArrays, n_padded_columns: int, moment_code: int, n_groups: int, n_slots: int
) -> TileWorkspace:
    """Return a new workspace for ``n_groups`` groups of rows; arrays that the pass does not need have length 0."""
    row_length, group_stride = model.row_center.shape[1], n_padded_columns * SIMD_WIDTH
    row_stride = row_length + SIMD_WIDTH  # a power of two as row stride would cause cache conflicts
    needs_row_copies = _needs_row_copies(moment_code, n_padded_columns)
    n_batch_rows = NARROW_BATCH_ROWS if row_length <= MAX_NARROW_COLUMNS else WIDE_BATCH_ROWS
    n_rows = n_groups * SIMD_WIDTH
    return TileWorkspace(
        group_stride=group_stride,
        row_stride=row_stride,
        columns=aligned_zeros(n_groups * group_stride),
        whitened_columns=aligned_zeros(n_groups * group_stride * bool(len(model.whitening))),
        row_copies=aligned_zeros(n_rows * row_stride * needs_row_copies),
        chunk=aligned_zeros((n_padded_columns + TILE_SIDE) * ROWS_PER_CHUNK),
        workspace=aligned_zeros(max(2 * n_batch_rows * row_stride * needs_row_copies, 8 * SIMD_WIDTH)),
        row_numbers=np.empty(n_rows, np.int64),
        is_real=np.empty(n_rows, np.bool_),
        row_weights=aligned_zeros(n_rows),
        labels=aligned_zeros(n_rows),
        best_scores=aligned_zeros(n_rows),
        log_densities=aligned_zeros(n_rows),
        groups=np.arange(n_groups),
        first_slot=np.empty(n_groups, np.int64),
        stop_slot=np.empty(n_groups, np.int64),
        scores=aligned_zeros(n_slots * SIMD_WIDTH),
        group_factors=aligned_zeros(n_rows),
        weighted_rows=np.empty(n_groups, np.int64),
        slot_component=np.zeros(n_slots, np.int64),
        active_rows=np.empty(n_slots, np.int64),
        member_places=np.empty(n_rows + SIMD_WIDTH, np.int64),
        member_responsibilities=aligned_zeros(n_rows + SIMD_WIDTH),
        component_slots=np.empty((0, 0), np.int64),
        selected_groups=np.empty(n_groups + 1, np.int64),
        selected_slots=np.empty(max(n_groups, len(model.center)) + 1, np.int64),
    )


def aligned_zeros(size: int) -> Array:
    """Return ``size`` zeros that start on a cache line; a register across two lines costs two loads."""
    values = np.zeros(size + 8)
    n_skipped = -(read_address(values) // 8) % 8
    return values[n_skipped : n_skipped + size]
