"""Find the candidate of each row, the component that looks nearest in a few projections, and sort rows by it."""

import math

import numpy as np

from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
    add,
    load,
    max_lane,
    maximum,
    multiply,
    select_greater,
    set_item,
    splat,
    store,
    subtract,
    zero_registers,
)
from gaussmix.kernels.machine_constants import ROWS_PER_PROJECTION, SIMD_WIDTH
from gaussmix.kernels.passes.projection import (
    find_nearest_outputs,
    project_rows,
    store_best_labels,
    update_best_in_cell,
)
from gaussmix.kernels.passes.row_loading import read_stored

MIN_SCORE = -1e300

# Cells in which a row looks before it takes a mean that is near enough.
MIN_CELLS_PER_ROW = 8


@kernel
def transform_row(rows, row, target, target_start):
    """Write a row in working coordinates; a row of weight zero is moved to the centre."""
    request_full_width()
    if rows.weights.shape[0] > 0 and rows.weights[row] == 0.0:
        for j in range(rows.prescale.shape[0]):
            target[target_start + j] = 0.0
        return
    for j in range(rows.prescale.shape[0]):
        target[target_start + j] = (read_stored(rows, row, j) * rows.prescale[j] - rows.center[j]) * rows.scale[j]


@kernel
def find_candidates(rows, bounds, screening, start, size):
    """Find the candidate and the projections of each of ``size`` rows from ``start`` on."""
    request_full_width()
    n_features = rows.prescale.shape[0]
    depth, n_outputs = bounds.depth, bounds.discriminant_constant.shape[0]
    projected_pitch = screening.projected_rows.shape[0] // screening.candidate.shape[0]
    is_direct = bounds.projection.shape[0] == 0
    lowest = splat(MIN_SCORE)
    for begin in range(0, size, ROWS_PER_PROJECTION):
        for r in range(ROWS_PER_PROJECTION):
            row = start + min(begin + r, size - 1)
            if is_direct:
                transform_row(rows, row, screening.projected_rows, (begin + r) * projected_pitch)
            else:
                transform_row(rows, row, screening.transformed_rows, r * n_features)
        start_index = begin * projected_pitch
        if not is_direct:
            project_rows(
                screening.transformed_rows,
                0,
                n_features,
                n_features,
                bounds.projection,
                projected_pitch,
                screening.projected_rows,
                start_index,
            )
        if bounds.anchor_constant.shape[0] > 0:
            find_candidates_by_cell(bounds, screening, begin, start_index, projected_pitch)
        else:
            find_nearest_outputs(
                screening.projected_rows, start_index, projected_pitch, depth,
                bounds.discriminant, bounds.discriminant_constant, bounds.component_numbers, n_outputs,
                (lowest, lowest, lowest, lowest), screening.candidate, begin,
            )  # fmt: skip


@kernel
def find_candidates_by_cell(bounds, screening, begin, row_start, row_stride):
    """Find the candidates of ROWS_PER_PROJECTION rows in the cells of the anchors."""
    n_anchors = bounds.anchor_constant.shape[0]
    project_rows(
        screening.projected_rows, row_start, row_stride, bounds.depth,
        bounds.anchors, n_anchors, screening.anchor_values, 0,
    )  # fmt: skip
    for r in range(ROWS_PER_PROJECTION):
        find_candidate_by_cell(bounds, screening, begin + r, row_start + r * row_stride, r * n_anchors)


@kernel
def find_candidate_by_cell(bounds, screening, row, row_start, value_start):
    """Find the candidate of one row: look in cells that can have a nearer mean, from the nearest anchor on.

    After MIN_CELLS_PER_ROW cells, a mean within ``max_cell_squared_distance`` suffices.
    """
    request_full_width()
    depth, values = bounds.depth, screening.anchor_values
    squared_norm = 0.0
    for j in range(depth):
        squared_norm += (screening.projected_rows[row_start + j] - bounds.overall_center[j]) ** 2
    for c in range(0, bounds.anchor_constant.shape[0], SIMD_WIDTH):
        store(values, value_start + c, add(load(values, value_start + c), load(bounds.anchor_constant, c)))
    # The nearest anchor is the first cell; no cell is too far yet.
    nearest_value = select_next_cell(bounds, screening, row, value_start, 0, 0.0, np.inf)
    nearest = screening.candidate[row]
    cell, n_cells = nearest, 0
    best, label = (splat(MIN_SCORE),), zero_registers(1)
    while cell >= 0:
        place = bounds.cell_start[cell]
        best, label = update_best_in_cell(
            screening.projected_rows, row_start, depth, bounds.cell_discriminant, place * depth,
            bounds.cell_constant, bounds.cell_numbers, place, bounds.cell_start[cell + 1] - place, best, label,
        )  # fmt: skip
        n_cells += 1
        squared_distance = max(squared_norm - 2.0 * max_lane(best[0]), 0.0)
        if n_cells >= MIN_CELLS_PER_ROW and squared_distance < bounds.max_cell_squared_distance:
            break
        set_item(values, value_start + cell, -np.inf)
        select_next_cell(bounds, screening, row, value_start, nearest, nearest_value, math.sqrt(squared_distance))
        cell = screening.candidate[row]
    store_best_labels(best, label, screening.candidate, row)


@kernel
def select_next_cell(bounds, screening, row, value_start, nearest, nearest_value, radius):
    """Write the nearest cell that can have a mean within ``radius`` to ``candidate``, -1 without one; return its value.

    Means of a cell lie beyond the plane half way between its anchor and the nearest one. Values of cells that have
    been searched are minus infinity.
    """
    request_full_width()
    lowest = splat(MIN_SCORE)
    best, label, limit, top = lowest, splat(-1.0), splat(radius), splat(nearest_value)
    n_anchors = bounds.anchor_constant.shape[0]
    for c in range(0, n_anchors, SIMD_WIDTH):
        value = load(screening.anchor_values, value_start + c)
        distance = multiply(subtract(top, value), load(bounds.anchor_inverse_distances, nearest * n_anchors + c))
        value = select_greater(limit, distance, value, lowest)
        label = select_greater(value, best, load(bounds.anchor_numbers, c), label)
        best = maximum(value, best)
    store_best_labels((best,), (label,), screening.candidate, row)
    return max_lane(best)


@kernel
def sort_rows_by_candidate(tile, screening, start, size, n_components):
    """Sort rows by candidate and fill up each candidate's last group with copies; return the number of groups."""
    first_group, n_filled = screening.first_group, screening.n_filled
    n_filled[:] = 0
    for row in range(size):
        n_filled[screening.candidate[row]] += 1
    group = 0
    for candidate in range(n_components):
        first_group[candidate] = group
        group += (n_filled[candidate] + SIMD_WIDTH - 1) // SIMD_WIDTH
        n_filled[candidate] = first_group[candidate] * SIMD_WIDTH
    first_group[n_components] = group
    for row in range(size):
        candidate = screening.candidate[row]
        tile.row_numbers[n_filled[candidate]], tile.is_real[n_filled[candidate]] = start + row, True
        n_filled[candidate] += 1
    for candidate in range(n_components):
        for place in range(n_filled[candidate], first_group[candidate + 1] * SIMD_WIDTH):
            tile.row_numbers[place], tile.is_real[place] = tile.row_numbers[n_filled[candidate] - 1], False
    return group
