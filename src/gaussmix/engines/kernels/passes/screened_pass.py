"""A pass over a block of rows that computes only the pairs of row and component that can matter.

Rows are sorted by a candidate, the component that looks nearest in a few projections, and its score
is computed exactly. Every other component's score has an upper bound from one projection chosen for
the pair of components; where it lies ``tolerance`` below the candidate's for all rows of a group, the pair
is skipped. What is left is computed exactly and shared out as in a full pass.
"""

from gaussmix.engines.kernels.argument_tuples import SUM_NOTHING
from gaussmix.engines.kernels.codegen.decorators import entry_point, kernel
from gaussmix.engines.kernels.codegen.simd import (
    absolute,
    fma,
    load,
    min_lane,
    multiply,
    request_full_width,
    splat,
    store,
    subtract,
)
from gaussmix.engines.kernels.machine_constants import ROWS_PER_PROJECTION, SIMD_WIDTH
from gaussmix.engines.kernels.passes.accumulation import accumulate_component
from gaussmix.engines.kernels.passes.full_pass import compute_and_write_responsibilities
from gaussmix.engines.kernels.passes.projection import (
    find_nearest_in_cell,
    find_nearest_outputs,
    find_open_outputs_1,
    find_open_outputs_2,
    find_open_outputs_4,
    project_rows,
)
from gaussmix.engines.kernels.passes.row_loading import load_row_weights, load_rows, whiten_tile
from gaussmix.engines.kernels.passes.scores import compute_component_scores

MIN_SCORE = -1e300

MAX_OPEN_FRACTION = 0.6
"""Share of all pairs that may be open before a block's remaining rows are computed in full."""


@kernel
def transform_row(rows, row, target, target_start):
    """A row in working coordinates; one of weight zero stands at the centre."""
    request_full_width()
    if rows.weights.shape[0] > 0 and rows.weights[row] == 0.0:
        for j in range(rows.prescale.shape[0]):
            target[target_start + j] = 0.0
        return
    for j in range(rows.prescale.shape[0]):
        target[target_start + j] = (rows.stored[row, j] * rows.prescale[j] - rows.center[j]) * rows.scale[j]


@kernel
def find_candidates(rows, bounds, screening, start, size):
    """The candidate of each of ``size`` rows from ``start`` on, and its projections."""
    request_full_width()
    n_features = rows.prescale.shape[0]
    depth, outputs = bounds.depth, bounds.discriminant_constant.shape[0]
    projected_pitch = screening.projected_rows.shape[0] // screening.candidate.shape[0]
    as_they_are = bounds.projection.shape[0] == 0
    lowest = splat(MIN_SCORE)
    for begin in range(0, size, ROWS_PER_PROJECTION):
        for r in range(ROWS_PER_PROJECTION):
            row = start + min(begin + r, size - 1)
            if as_they_are:
                transform_row(rows, row, screening.projected_rows, (begin + r) * projected_pitch)
            else:
                transform_row(rows, row, screening.transformed_rows, r * n_features)
        at = begin * projected_pitch
        if not as_they_are:
            project_rows(
                screening.transformed_rows,
                0,
                n_features,
                n_features,
                bounds.projection,
                projected_pitch,
                screening.projected_rows,
                at,
            )
        if bounds.anchor_constant.shape[0] > 0:
            find_candidates_by_cell(bounds, screening, begin, at, projected_pitch)
        else:
            find_nearest_outputs(
                screening.projected_rows, at, projected_pitch, depth,
                bounds.discriminant, bounds.discriminant_constant, bounds.component_numbers, outputs,
                (lowest, lowest, lowest, lowest), screening.candidate, begin,
            )  # fmt: skip


@kernel
def find_candidates_by_cell(bounds, screening, begin, row_start, row_stride):
    """Candidates of ABREAST rows by the cells of their anchors; of a row that finds none near, among all."""
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
    """Places for the rows, those of a candidate together, each candidate's filled up to whole groups."""
    first_group, filled = screening.first_group, screening.n_filled
    filled[:] = 0
    for row in range(size):
        filled[screening.candidate[row]] += 1
    group = 0
    for b in range(n_components):
        first_group[b] = group
        group += (filled[b] + SIMD_WIDTH - 1) // SIMD_WIDTH
        filled[b] = first_group[b] * SIMD_WIDTH
    first_group[n_components] = group
    for row in range(size):
        b = screening.candidate[row]
        tile.row_numbers[filled[b]], tile.is_real[filled[b]] = start + row, True
        filled[b] += 1
    for b in range(n_components):
        for place in range(filled[b], first_group[b + 1] * SIMD_WIDTH):
            tile.row_numbers[place], tile.is_real[place] = tile.row_numbers[filled[b] - 1], False
    return group


@kernel
def append_open_pairs(bits, first_entry, group, bounds, screening, n_pairs):
    """The pairs of a group with the list entries whose bits are set."""
    entry = first_entry
    while bits != 0:
        if bits & 1:
            screening.pair_group[n_pairs] = group
            screening.pair_component[n_pairs] = bounds.listed_component[entry]
            n_pairs += 1
        bits >>= 1
        entry += 1
    return n_pairs


@kernel
def find_open_pairs_of_group(start, group, candidate, tile, bounds, screening, n_pairs):
    """Pairs of a group of candidate b with the components on b's list that are open to one of its rows."""
    request_full_width()
    depth, begin = bounds.depth, bounds.list_start[candidate]
    width, matrix = bounds.list_start[candidate + 1] - begin, begin * depth
    pitch = screening.projected_rows.shape[0] // screening.candidate.shape[0]
    score = load(tile.best_scores, group * SIMD_WIDTH)
    # The margins are for rounding in the bounds, which the tolerance does not know.
    limit = multiply(subtract(splat(bounds.tolerance + 1e-6), score), splat(2.0))
    store(screening.bound_limits, 0, fma(absolute(score), splat(1e-9), limit))
    for lane in range(SIMD_WIDTH):
        row = tile.row_numbers[group * SIMD_WIDTH + lane] - start
        for j in range(0, pitch, SIMD_WIDTH):
            store(screening.group_rows, lane * pitch + j, load(screening.projected_rows, row * pitch + j))
    to = 0
    while to < width:
        bits = 0
        step = (
            4 * SIMD_WIDTH
            if width - to >= 4 * SIMD_WIDTH
            else 2 * SIMD_WIDTH
            if width - to >= 2 * SIMD_WIDTH
            else SIMD_WIDTH
        )
        for half in range(0, SIMD_WIDTH, ROWS_PER_PROJECTION):
            at = half * pitch
            if step == 4 * SIMD_WIDTH:
                bits |= find_open_outputs_4(
                    screening.group_rows, at, pitch, depth, bounds.directions, matrix, to, width,
                    bounds.direction_shift, bounds.bound_offset, begin, screening.bound_limits, half,
                )  # fmt: skip
            elif step == 2 * SIMD_WIDTH:
                bits |= find_open_outputs_2(
                    screening.group_rows, at, pitch, depth, bounds.directions, matrix, to, width,
                    bounds.direction_shift, bounds.bound_offset, begin, screening.bound_limits, half,
                )  # fmt: skip
            else:
                bits |= find_open_outputs_1(
                    screening.group_rows, at, pitch, depth, bounds.directions, matrix, to, width,
                    bounds.direction_shift, bounds.bound_offset, begin, screening.bound_limits, half,
                )  # fmt: skip
        if bits != 0:
            n_pairs = append_open_pairs(bits, begin + to, group, bounds, screening, n_pairs)
        to += step
    return n_pairs


@kernel
def find_open_pairs(start, n_groups, model, tile, bounds, screening):
    """Scores of all candidates and all open pairs besides; -1 where there are more than there is room for."""
    request_full_width()
    n_components, room = model.center.shape[0], screening.pair_group.shape[0]
    for b in range(n_components):
        compute_component_scores(
            model, b, tile, tile.groups, tile.groups, screening.first_group[b], screening.first_group[b + 1]
        )
    n_pairs = 0
    for b in range(n_components):
        for group in range(screening.first_group[b], screening.first_group[b + 1]):
            score = load(tile.scores, group * SIMD_WIDTH)
            store(tile.best_scores, group * SIMD_WIDTH, score)
            tile.first_slot[group] = group + n_pairs
            tile.slot_component[group + n_pairs] = b
            if n_pairs + n_components > room:
                return -1
            before = n_pairs
            if 2.0 * (model.offset[b] - min_lane(score)) > bounds.max_squared_distance[b]:
                for k in range(n_components):
                    if k != b:
                        screening.pair_group[n_pairs], screening.pair_component[n_pairs] = group, k
                        n_pairs += 1
            else:
                n_pairs = find_open_pairs_of_group(start, group, b, tile, bounds, screening, n_pairs)
            tile.stop_slot[group] = group + n_pairs + 1
            for pair in range(before, n_pairs):
                tile.slot_component[pair + group + 1] = screening.pair_component[pair]
    return n_pairs


@kernel
def build_component_lists(n_pairs, n_components, screening):
    """The list of every component: the groups whose candidate it is, then the others it is open to."""
    first, filled = screening.component_list_start, screening.n_filled
    for k in range(n_components):
        filled[k] = screening.first_group[k + 1] - screening.first_group[k]
    for pair in range(n_pairs):
        filled[screening.pair_component[pair]] += 1
    first[0] = 0
    for k in range(n_components):
        first[k + 1] = first[k] + filled[k]
        filled[k] = first[k] + screening.first_group[k + 1] - screening.first_group[k]
    for pair in range(n_pairs):
        k, group = screening.pair_component[pair], screening.pair_group[pair]
        screening.list_groups[filled[k]], screening.list_slots[filled[k]] = group, pair + group + 1
        filled[k] += 1


@kernel
def run_screened_tile(rows, start, size, model, tile, bounds, screening, moment_code, is_hard, sums, row_results):
    """One tile; the number of open pairs of groups, -1 where it has to be computed in full."""
    request_full_width()
    n_components = model.center.shape[0]
    find_candidates(rows, bounds, screening, start, size)
    n_groups = sort_rows_by_candidate(tile, screening, start, size, n_components)
    load_rows(rows, tile, n_groups)
    load_row_weights(rows, tile, n_groups)
    if model.whitening.shape[0] > 0:
        whiten_tile(tile, model.whitening, n_groups)
    n_pairs = find_open_pairs(start, n_groups, model, tile, bounds, screening)
    if n_pairs < 0:
        return -1
    build_component_lists(n_pairs, n_components, screening)
    for k in range(n_components):
        begin = screening.component_list_start[k]
        for group in range(screening.first_group[k], screening.first_group[k + 1]):
            screening.list_groups[begin], screening.list_slots[begin] = group, tile.first_slot[group]
            begin += 1
        compute_component_scores(
            model, k, tile, screening.list_groups, screening.list_slots, begin, screening.component_list_start[k + 1]
        )
    for group in range(n_groups):
        store(tile.scores, tile.first_slot[group] * SIMD_WIDTH, load(tile.best_scores, group * SIMD_WIDTH))
    held = compute_and_write_responsibilities(
        rows, tile, n_groups, is_hard, -bounds.tolerance, row_results, sums.totals
    )
    if moment_code != SUM_NOTHING:
        for k in range(n_components):
            begin, end = screening.component_list_start[k], screening.component_list_start[k + 1]
            if end > begin:
                accumulate_component(
                    model, k, moment_code, held, tile, screening.list_groups, screening.list_slots, begin, end, sums
                )
    sums.totals[2] += (n_groups + n_pairs) * SIMD_WIDTH
    return n_groups + n_pairs


@entry_point
def run_screened_pass(rows, n_rows, model, tile, bounds, screening, moment_code, is_hard, sums, row_results):
    """The rows of a block up to the one that is given back: where tiles turn out too open, the rest is left undone."""
    n_components, room = model.center.shape[0], screening.candidate.shape[0]
    start = 0
    while start < n_rows:
        size = min(room, n_rows - start)
        found = run_screened_tile(
            rows, start, size, model, tile, bounds, screening, moment_code, is_hard, sums, row_results
        )
        if found < 0:
            return start
        start += size
        if found * SIMD_WIDTH > size * n_components * MAX_OPEN_FRACTION:
            return start
    return start
