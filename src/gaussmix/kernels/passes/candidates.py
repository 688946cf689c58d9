"""Find the candidate of each row, the component that looks nearest in a few projections, and sort rows by it."""

from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
    splat,
)
from gaussmix.kernels.machine_constants import ROWS_PER_PROJECTION, SIMD_WIDTH
from gaussmix.kernels.passes.projection import (
    find_nearest_in_cell,
    find_nearest_outputs,
    project_rows,
)
from gaussmix.kernels.passes.row_loading import read_stored

MIN_SCORE = -1e300


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
    """Find the candidates of ROWS_PER_PROJECTION rows in their anchors' cells; distant rows search everywhere."""
    request_full_width()
    depth, lowest = bounds.depth, splat(MIN_SCORE)
    n_anchors = bounds.anchor_constant.shape[0]
    size = bounds.cell_constant.shape[0] // n_anchors
    find_nearest_outputs(
        screening.projected_rows, row_start, row_stride, depth,
        bounds.anchors, bounds.anchor_constant, bounds.anchor_numbers, n_anchors,
        (lowest, lowest, lowest, lowest), screening.candidate, begin,
    )  # fmt: skip
    for r in range(ROWS_PER_PROJECTION):
        cell, row = screening.candidate[begin + r], row_start + r * row_stride
        value = find_nearest_in_cell(
            screening.projected_rows, row, depth, bounds.cell_discriminant, cell * size * depth,
            bounds.cell_constant, bounds.cell_numbers, cell * size, size, lowest, screening.candidate, begin + r,
        )  # fmt: skip
        distance = -2.0 * value
        for j in range(depth):
            distance += (screening.projected_rows[row + j] - bounds.overall_center[j]) ** 2
        if not distance < bounds.max_cell_squared_distance:
            find_nearest_in_cell(
                screening.projected_rows, row, depth, bounds.discriminant, 0,
                bounds.discriminant_constant, bounds.component_numbers, 0, bounds.discriminant_constant.shape[0],
                lowest, screening.candidate, begin + r,
            )  # fmt: skip


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
