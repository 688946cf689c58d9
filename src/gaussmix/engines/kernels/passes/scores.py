"""Scores of one component for the groups on its list: offset less half a squared distance."""

import numpy as np

from gaussmix.engines.kernels.argument_tuples import DIAGONAL_DISTANCE, FULL_DISTANCE, SPHERICAL_DISTANCE
from gaussmix.engines.kernels.codegen.decorators import kernel
from gaussmix.engines.kernels.codegen.simd import fma, get_item, load, request_full_width, splat, store, zero_registers
from gaussmix.engines.kernels.machine_constants import (
    GROUPS_PER_CHUNK,
    MAX_FEW_COLUMNS,
    ROWS_PER_CHUNK,
    SIMD_WIDTH,
    TILE_SIDE,
)
from gaussmix.engines.kernels.passes.few_columns import squared_norms_2, squared_norms_4, squared_norms_8
from gaussmix.engines.kernels.passes.register_tiles import (
    REGISTERS_PER_TILE,
    add_scaled_squared_differences_1,
    add_scaled_squared_differences_4,
    add_squared_differences_1,
    add_squared_differences_4,
    group_starts,
    squared_norms,
    store_centered,
    store_registers,
)


@kernel
def compute_scores_of_few_columns(model, k, tile, groups, slots, begin, end):
    """`measure` for full covariances of two, four or eight columns: two groups at a time."""
    request_full_width()
    stride, columns, scores = tile.group_stride, tile.columns, tile.scores
    n_columns = stride // SIMD_WIDTH
    offset, half = splat(model.offset[k]), splat(-0.5)
    at, column = k * (n_columns * (n_columns + 1) // 2), k * model.center.shape[1]
    for i in range(begin, end, 2):
        other = min(i + 1, end - 1)
        first, second = get_item(groups, i) * stride, get_item(groups, other) * stride
        if n_columns == 2:
            lengths = squared_norms_2(columns, first, second, model.center, column, model.packed_root, at)
        elif n_columns == 4:
            lengths = squared_norms_4(columns, first, second, model.center, column, model.packed_root, at)
        else:
            lengths = squared_norms_8(columns, first, second, model.center, column, model.packed_root, at)
        store(scores, get_item(slots, i) * SIMD_WIDTH, fma(lengths[0], half, offset))
        store(scores, get_item(slots, other) * SIMD_WIDTH, fma(lengths[1], half, offset))


@kernel
def compute_component_scores(model, k, tile, groups, slots, begin, end):
    """Scores of component k for the groups ``groups[begin:end]``, written to their slots."""
    request_full_width()
    stride, chunk = tile.group_stride, tile.chunk
    columns = tile.whitened_columns if model.whitening.shape[0] > 0 else tile.columns
    n_columns, pitch = stride // SIMD_WIDTH, model.center.shape[1]
    if model.distance_code == FULL_DISTANCE and n_columns <= MAX_FEW_COLUMNS:
        compute_scores_of_few_columns(model, k, tile, groups, slots, begin, end)
        return
    offset, factor = splat(model.offset[k]), splat(squared_distance_factor(model, k))
    n_blocks = n_columns // TILE_SIDE
    triangle = k * TILE_SIDE * TILE_SIDE * (n_blocks * (n_blocks + 1) // 2)
    for i in range(begin, end, GROUPS_PER_CHUNK):
        begins = group_starts(groups, i, end - 1, stride)
        if model.distance_code == FULL_DISTANCE:
            for j in range(n_columns):
                store_centered(chunk, j * ROWS_PER_CHUNK, columns, begins, j * SIMD_WIDTH, model.center[k, j])
            lengths = squared_norms(chunk, model.packed_root, triangle, n_blocks)
        else:
            lengths = zero_registers(GROUPS_PER_CHUNK)
            for j in range(n_columns):
                if model.distance_code == DIAGONAL_DISTANCE:
                    lengths = add_scaled_squared_differences_1(
                        lengths,
                        columns,
                        begins,
                        j * SIMD_WIDTH,
                        model.center,
                        k * pitch + j,
                        0,
                        model.packed_root,
                        k * n_columns + j,
                        0,
                    )
                else:
                    lengths = add_squared_differences_1(
                        lengths,
                        columns,
                        begins,
                        j * SIMD_WIDTH,
                        model.center,
                        k * pitch + j,
                        0,
                        model.packed_root,
                        0,
                        0,
                    )
        store_registers(lengths, chunk, 0)
        for v in range(min(GROUPS_PER_CHUNK, end - i)):
            store(tile.scores, slots[i + v] * SIMD_WIDTH, fma(load(chunk, v * SIMD_WIDTH), factor, offset))


@kernel
def squared_distance_factor(model, k):
    """What a squared length of component k is multiplied by: -1/2, times the common precision of all its columns."""
    return -0.5 * model.packed_root[k] * model.packed_root[k] if model.distance_code == SPHERICAL_DISTANCE else -0.5


@kernel
def compute_all_scores(model, tile, n_groups):
    """Scores of all components for all groups of a tile; along the axes, four components for each row read."""
    request_full_width()
    n_components, first = model.center.shape[0], 0
    if model.distance_code != FULL_DISTANCE:
        first = n_components // TILE_SIDE * TILE_SIDE
        for k in range(0, first, TILE_SIDE):
            compute_scores_of_four(model, k, tile, n_groups)
    for k in range(first, n_components):
        compute_component_scores(model, k, tile, tile.groups, tile.component_slots[k], 0, n_groups)


@kernel
def compute_scores_of_four(model, k, tile, n_groups):
    """Scores of the components k to k + 3, whose covariances lie along the axes, for all groups of a tile."""
    request_full_width()
    stride, chunk = tile.group_stride, tile.chunk
    columns = tile.whitened_columns if model.whitening.shape[0] > 0 else tile.columns
    n_columns, pitch = stride // SIMD_WIDTH, model.center.shape[1]
    for group in range(0, n_groups, GROUPS_PER_CHUNK):
        begins = group_starts(tile.groups, group, n_groups - 1, stride)
        lengths = zero_registers(REGISTERS_PER_TILE)
        if model.distance_code == DIAGONAL_DISTANCE:
            for j in range(n_columns):
                lengths = add_scaled_squared_differences_4(
                    lengths, columns, begins, j * SIMD_WIDTH, model.center, k * pitch + j, pitch,
                    model.packed_root, k * n_columns + j, n_columns,
                )  # fmt: skip
        else:
            for j in range(n_columns):
                lengths = add_squared_differences_4(
                    lengths,
                    columns,
                    begins,
                    j * SIMD_WIDTH,
                    model.center,
                    k * pitch + j,
                    pitch,
                    model.packed_root,
                    0,
                    0,
                )
        store_registers(lengths, chunk, 0)
        for c in range(TILE_SIDE):
            offset, factor = splat(model.offset[k + c]), splat(squared_distance_factor(model, k + c))
            for v in range(min(GROUPS_PER_CHUNK, n_groups - group)):
                score = fma(load(chunk, (c * GROUPS_PER_CHUNK + v) * SIMD_WIDTH), factor, offset)
                store(tile.scores, tile.component_slots[k + c, group + v] * SIMD_WIDTH, score)


@kernel
def add_label_prior(rows, tile, n_groups, n_components):
    """Scores (every pair computed) with what is known of the rows' components."""
    for place in range(n_groups * SIMD_WIDTH):
        row = tile.row_numbers[place]
        group, lane = place // SIMD_WIDTH, place % SIMD_WIDTH
        for k in range(n_components):
            at = (tile.first_slot[group] + k) * SIMD_WIDTH + lane
            if rows.log_label_prior.shape[0] > 0:
                tile.scores[at] += rows.log_label_prior[row, k]
            elif 0 <= rows.labels[row] != k:
                tile.scores[at] = -np.inf
