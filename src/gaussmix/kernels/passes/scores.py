"""Scores of components for groups of rows: offset minus half a squared distance."""

import numpy as np

from gaussmix.kernels.argument_tuples import DIAGONAL_DISTANCE, FULL_DISTANCE, SPHERICAL_DISTANCE
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import fma, get_item, load, splat, store, zero_registers
from gaussmix.kernels.machine_constants import (
    GROUPS_PER_CHUNK,
    MAX_FEW_COLUMNS,
    ROWS_PER_CHUNK,
    SIMD_WIDTH,
    TILE_SIDE,
)
from gaussmix.kernels.passes.few_columns import squared_norms_2, squared_norms_4, squared_norms_8
from gaussmix.kernels.passes.register_tiles import (
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
    """Compute the scores for full covariances of two, four or eight columns, two groups at a time."""
    request_full_width()
    stride, columns, scores = tile.group_stride, tile.columns, tile.scores
    n_columns = stride // SIMD_WIDTH
    offset, half = splat(model.offset[k]), splat(-0.5)
    root_start, center_start = k * (n_columns * (n_columns + 1) // 2), k * model.center.shape[1]
    for i in range(begin, end, 2):
        second = min(i + 1, end - 1)
        first_start, second_start = get_item(groups, i) * stride, get_item(groups, second) * stride
        if n_columns == 2:
            norms = squared_norms_2(
                columns, first_start, second_start, model.center, center_start, model.packed_root, root_start
            )
        elif n_columns == 4:
            norms = squared_norms_4(
                columns, first_start, second_start, model.center, center_start, model.packed_root, root_start
            )
        else:
            norms = squared_norms_8(
                columns, first_start, second_start, model.center, center_start, model.packed_root, root_start
            )
        store(scores, get_item(slots, i) * SIMD_WIDTH, fma(norms[0], half, offset))
        store(scores, get_item(slots, second) * SIMD_WIDTH, fma(norms[1], half, offset))


@kernel
def compute_component_scores(model, k, tile, groups, slots, begin, end):
    """Write the scores of component k for the groups ``groups[begin:end]`` to their slots."""
    request_full_width()
    stride, chunk = tile.group_stride, tile.chunk
    columns = tile.whitened_columns if model.whitening.shape[0] > 0 else tile.columns
    n_columns, center_stride = stride // SIMD_WIDTH, model.center.shape[1]
    if model.distance_code == FULL_DISTANCE and n_columns <= MAX_FEW_COLUMNS:
        compute_scores_of_few_columns(model, k, tile, groups, slots, begin, end)
        return
    offset, factor = splat(model.offset[k]), splat(squared_distance_factor(model, k))
    n_blocks = n_columns // TILE_SIDE
    root_start = k * TILE_SIDE * TILE_SIDE * (n_blocks * (n_blocks + 1) // 2)
    for i in range(begin, end, GROUPS_PER_CHUNK):
        begins = group_starts(groups, i, end - 1, stride)
        if model.distance_code == FULL_DISTANCE:
            for j in range(n_columns):
                store_centered(chunk, j * ROWS_PER_CHUNK, columns, begins, j * SIMD_WIDTH, model.center[k, j])
            norms = squared_norms(chunk, model.packed_root, root_start, n_blocks)
        else:
            norms = zero_registers(GROUPS_PER_CHUNK)
            for j in range(n_columns):
                if model.distance_code == DIAGONAL_DISTANCE:
                    norms = add_scaled_squared_differences_1(
                        norms,
                        columns,
                        begins,
                        j * SIMD_WIDTH,
                        model.center,
                        k * center_stride + j,
                        0,
                        model.packed_root,
                        k * n_columns + j,
                        0,
                    )
                else:
                    norms = add_squared_differences_1(
                        norms,
                        columns,
                        begins,
                        j * SIMD_WIDTH,
                        model.center,
                        k * center_stride + j,
                        0,
                        model.packed_root,
                        0,
                        0,
                    )
        store_registers(norms, chunk, 0)
        for v in range(min(GROUPS_PER_CHUNK, end - i)):
            store(tile.scores, slots[i + v] * SIMD_WIDTH, fma(load(chunk, v * SIMD_WIDTH), factor, offset))


@kernel
def squared_distance_factor(model, k):
    """Return the factor of a squared distance of component k: -1/2 times the precision of a spherical component."""
    return -0.5 * model.packed_root[k] * model.packed_root[k] if model.distance_code == SPHERICAL_DISTANCE else -0.5


@kernel
def compute_all_scores(model, tile, n_groups):
    """Compute the scores of all components for all groups of a tile; diagonal ones four components at a time."""
    request_full_width()
    n_components, n_in_fours = model.center.shape[0], 0
    if model.distance_code != FULL_DISTANCE:
        n_in_fours = n_components // TILE_SIDE * TILE_SIDE
        for k in range(0, n_in_fours, TILE_SIDE):
            compute_scores_of_four(model, k, tile, n_groups)
    for k in range(n_in_fours, n_components):
        compute_component_scores(model, k, tile, tile.groups, tile.component_slots[k], 0, n_groups)


@kernel
def compute_scores_of_four(model, k, tile, n_groups):
    """Compute the scores of components k to k + 3 with diagonal or spherical covariances, for all groups."""
    request_full_width()
    stride, chunk = tile.group_stride, tile.chunk
    columns = tile.whitened_columns if model.whitening.shape[0] > 0 else tile.columns
    n_columns, center_stride = stride // SIMD_WIDTH, model.center.shape[1]
    for group in range(0, n_groups, GROUPS_PER_CHUNK):
        begins = group_starts(tile.groups, group, n_groups - 1, stride)
        norms = zero_registers(REGISTERS_PER_TILE)
        if model.distance_code == DIAGONAL_DISTANCE:
            for j in range(n_columns):
                norms = add_scaled_squared_differences_4(
                    norms, columns, begins, j * SIMD_WIDTH, model.center, k * center_stride + j, center_stride,
                    model.packed_root, k * n_columns + j, n_columns,
                )  # fmt: skip
        else:
            for j in range(n_columns):
                norms = add_squared_differences_4(
                    norms,
                    columns,
                    begins,
                    j * SIMD_WIDTH,
                    model.center,
                    k * center_stride + j,
                    center_stride,
                    model.packed_root,
                    0,
                    0,
                )
        store_registers(norms, chunk, 0)
        for c in range(TILE_SIDE):
            offset, factor = splat(model.offset[k + c]), splat(squared_distance_factor(model, k + c))
            for v in range(min(GROUPS_PER_CHUNK, n_groups - group)):
                score = fma(load(chunk, (c * GROUPS_PER_CHUNK + v) * SIMD_WIDTH), factor, offset)
                store(tile.scores, tile.component_slots[k + c, group + v] * SIMD_WIDTH, score)


@kernel
def add_label_prior(rows, tile, n_groups, n_components):
    """Add the label prior of the rows to the scores; every pair must be computed."""
    for place in range(n_groups * SIMD_WIDTH):
        row = tile.row_numbers[place]
        group, lane = place // SIMD_WIDTH, place % SIMD_WIDTH
        for k in range(n_components):
            index = (tile.first_slot[group] + k) * SIMD_WIDTH + lane
            if rows.log_label_prior.shape[0] > 0:
                tile.scores[index] += rows.log_label_prior[row, k]
            elif 0 <= rows.labels[row] != k:
                tile.scores[index] = -np.inf
