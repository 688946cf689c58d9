"""The arrays in which a tile of rows is worked on, made once for a thread and a pass.

Scores of a group of rows and a component live in *slots*; the slots of a group lie side by side. Each
component has a *list* of the groups that it is open to, with the slot of each.
"""

import numpy as np

from gaussmix.engines.kernels.argument_tuples import (
    SUM_POOLED_PRODUCTS,
    SUM_PRODUCTS,
    ModelArrays,
    ScreeningBounds,
    ScreeningWorkspace,
    TileWorkspace,
)
from gaussmix.engines.kernels.machine_constants import (
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
from gaussmix.types import Array

MAX_SLOTS = 4096
"""Slots of a tile in which every pair is computed: 256 kB of scores."""

MAX_ROWS_PER_COMPONENT, MIN_ROWS_PER_COMPONENT, MAX_SCREENED_TILE_BYTES = 64, 16, 1 << 22
"""A screened tile has this many rows for each component, or as many as fit the bytes, but not fewer than the second."""

MAX_OPEN_PAIRS_PER_GROUP = 16
"""Open pairs of a group, besides its candidate, for which a screened tile has room."""

MAX_GROUPS, MIN_GROUPS, MAX_COLUMN_BYTES = 256, 64, 1 << 18
"""Groups of a tile in which every pair is computed, if its slots allow: as many as fit the bytes, but not fewer than
the second. Every component's turn at a tile has a cost of its own, which many groups share.
"""


def make_full_tile(model: ModelArrays, n_padded_columns: int, moment_code: int) -> TileWorkspace:
    """Arrays for a tile in which every pair is computed."""
    n_components = model.center.shape[0]
    fitting = min(MAX_GROUPS, max(MIN_GROUPS, MAX_COLUMN_BYTES // (8 * SIMD_WIDTH * n_padded_columns)))
    n_groups = max(GROUPS_PER_CHUNK, min(fitting, MAX_SLOTS // n_components) // GROUPS_PER_CHUNK * GROUPS_PER_CHUNK)
    apart = n_components | 1  # an even number of slots from group to group would share cache lines
    tile = allocate_tile(model, n_padded_columns, moment_code, n_groups, n_groups * apart)
    pairs = np.arange(n_groups)[:, None] * apart + np.arange(n_components)
    tile.first_slot[:] = pairs[:, 0]
    tile.stop_slot[:] = pairs[:, 0] + n_components
    tile.slot_component[pairs] = np.arange(n_components)
    return tile._replace(component_slots=np.ascontiguousarray(pairs.T))


def make_screened_tile(
    model: ModelArrays, n_padded_columns: int, moment_code: int, bounds: ScreeningBounds
) -> tuple[TileWorkspace, ScreeningWorkspace]:
    """Arrays for tiles in which pairs are chosen, as large as cache allows: each candidate's groups are fuller then."""
    n_components = len(model.center)
    flat = (model.row_center.shape[1] + SIMD_WIDTH) * _needs_row_copies(moment_code, n_padded_columns)
    row_bytes = 8 * (n_padded_columns * (1 + bool(len(model.whitening))) + flat)
    fitting = max(256, MAX_SCREENED_TILE_BYTES // row_bytes, MIN_ROWS_PER_COMPONENT * n_components)
    n_rows = min(MAX_ROWS_PER_COMPONENT * n_components, fitting) // SIMD_WIDTH * SIMD_WIDTH
    n_groups = n_rows // SIMD_WIDTH + n_components
    room = n_groups * min(n_components, MAX_OPEN_PAIRS_PER_GROUP) + n_components
    tile = allocate_tile(model, n_padded_columns, moment_code, n_groups, n_groups + room)
    pitch = _round_up_to_registers(bounds.depth)
    sieve = ScreeningWorkspace(
        transformed_rows=aligned_zeros(ROWS_PER_PROJECTION * n_padded_columns),
        projected_rows=aligned_zeros(n_rows * pitch),
        group_rows=aligned_zeros(max(SIMD_WIDTH, ROWS_PER_PROJECTION) * pitch),
        candidate=np.zeros(n_rows, dtype=np.int64),
        first_group=np.zeros(n_components + 1, dtype=np.int64),
        n_filled=np.zeros(n_components, dtype=np.int64),
        bound_limits=aligned_zeros(max(SIMD_WIDTH, ROWS_PER_PROJECTION)),
        pair_group=np.zeros(room, dtype=np.int64),
        pair_component=np.zeros(room, dtype=np.int64),
        component_list_start=np.zeros(n_components + 1, dtype=np.int64),
        list_groups=np.zeros(room + n_groups, dtype=np.int64),
        list_slots=np.zeros(room + n_groups, dtype=np.int64),
    )
    return tile, sieve


def _round_up_to_registers(count: int) -> int:
    """The next whole number of registers."""
    return count + -count % SIMD_WIDTH


def _needs_row_copies(moment_code: int, n_padded_columns: int) -> bool:
    """Whether products may be added up row by row, which needs the rows one after the other too."""
    return moment_code in (SUM_PRODUCTS, SUM_POOLED_PRODUCTS) and n_padded_columns >= MAX_FEW_COLUMNS


def allocate_tile(
    model: ModelArrays, n_padded_columns: int, moment_code: int, n_groups: int, n_slots: int
) -> TileWorkspace:
    """Arrays for ``n_groups`` groups; what a pass does not need has length 0."""
    width, stride = model.row_center.shape[1], n_padded_columns * SIMD_WIDTH
    pitch = width + SIMD_WIDTH  # rows a power of two apart would share cache lines
    by_row = _needs_row_copies(moment_code, n_padded_columns)
    batch = NARROW_BATCH_ROWS if width <= MAX_NARROW_COLUMNS else WIDE_BATCH_ROWS
    n_rows = n_groups * SIMD_WIDTH
    return TileWorkspace(
        group_stride=stride,
        row_stride=pitch,
        columns=aligned_zeros(n_groups * stride),
        whitened_columns=aligned_zeros(n_groups * stride * bool(len(model.whitening))),
        row_copies=aligned_zeros(n_rows * pitch * by_row),
        chunk=aligned_zeros((n_padded_columns + TILE_SIDE) * ROWS_PER_CHUNK),
        workspace=aligned_zeros(max(2 * batch * pitch * by_row, 8 * SIMD_WIDTH)),
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
    """Zeros that begin on a cache line: a register that straddles two lines costs two loads."""
    numbers = np.zeros(size + 8)
    skip = -(numbers.ctypes.data // 8) % 8
    return numbers[skip : skip + size]
