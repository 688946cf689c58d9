"""A pass over a block of rows that computes only pairs of row and component that can matter.

Rows are sorted by a candidate, the component that looks nearest in a few projections. Its score is computed
exactly. Every other component's score has an upper bound from one projection that is chosen for the
pair of components. A pair is open if the bound is less than ``tolerance`` below the candidate's score for
some row of the group. Only open pairs are computed; the rest is as in a full pass.
"""

from gaussmix.kernels.argument_tuples import SUM_NOTHING
from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
    absolute,
    fma,
    load,
    min_lane,
    multiply,
    splat,
    store,
    subtract,
)
from gaussmix.kernels.machine_constants import ROWS_PER_PROJECTION, SIMD_WIDTH
from gaussmix.kernels.passes.accumulation import accumulate_component
from gaussmix.kernels.passes.candidates import find_candidates, sort_rows_by_candidate
from gaussmix.kernels.passes.full_pass import compute_and_write_responsibilities
from gaussmix.kernels.passes.projection import (
    find_open_outputs_1,
    find_open_outputs_2,
    find_open_outputs_4,
)
from gaussmix.kernels.passes.row_loading import load_row_weights, load_rows, whiten_tile
from gaussmix.kernels.passes.scores import compute_component_scores

# Fraction of open pairs above which a block's remaining rows are computed in full.
MAX_OPEN_FRACTION = 0.6


@kernel
def append_open_pairs(bits, first_entry, group, bounds, screening, n_pairs):
    """Append the pairs of a group with the list entries whose bits are set; return the new number of pairs."""
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
    """Append the pairs of a group of the candidate with the components on its list that are open to one of its rows."""
    request_full_width()
    depth, list_start = bounds.depth, bounds.list_start[candidate]
    n_listed, direction_start = bounds.list_start[candidate + 1] - list_start, list_start * depth
    pitch = screening.projected_rows.shape[0] // screening.candidate.shape[0]
    score = load(tile.best_scores, group * SIMD_WIDTH)
    # The margins cover rounding errors of the bounds, which the tolerance does not include.
    limit = multiply(subtract(splat(bounds.tolerance + 1e-6), score), splat(2.0))
    store(screening.bound_limits, 0, fma(absolute(score), splat(1e-9), limit))
    for lane in range(SIMD_WIDTH):
        row = tile.row_numbers[group * SIMD_WIDTH + lane] - start
        for j in range(0, pitch, SIMD_WIDTH):
            store(screening.group_rows, lane * pitch + j, load(screening.projected_rows, row * pitch + j))
    output = 0
    while output < n_listed:
        bits = 0
        step = (
            4 * SIMD_WIDTH
            if n_listed - output >= 4 * SIMD_WIDTH
            else 2 * SIMD_WIDTH
            if n_listed - output >= 2 * SIMD_WIDTH
            else SIMD_WIDTH
        )
        for half in range(0, SIMD_WIDTH, ROWS_PER_PROJECTION):
            row_start = half * pitch
            if step == 4 * SIMD_WIDTH:
                bits |= find_open_outputs_4(
                    screening.group_rows, row_start, pitch, depth, bounds.directions, direction_start, output, n_listed,
                    bounds.direction_shift, bounds.bound_offset, list_start, screening.bound_limits, half,
                )  # fmt: skip
            elif step == 2 * SIMD_WIDTH:
                bits |= find_open_outputs_2(
                    screening.group_rows, row_start, pitch, depth, bounds.directions, direction_start, output, n_listed,
                    bounds.direction_shift, bounds.bound_offset, list_start, screening.bound_limits, half,
                )  # fmt: skip
            else:
                bits |= find_open_outputs_1(
                    screening.group_rows, row_start, pitch, depth, bounds.directions, direction_start, output, n_listed,
                    bounds.direction_shift, bounds.bound_offset, list_start, screening.bound_limits, half,
                )  # fmt: skip
        if bits != 0:
            n_pairs = append_open_pairs(bits, list_start + output, group, bounds, screening, n_pairs)
        output += step
    return n_pairs


@kernel
def find_open_pairs(start, n_groups, model, tile, bounds, screening):
    """Compute the scores of all candidates and list all open pairs; return their number, or -1 without enough space."""
    request_full_width()
    n_components, max_pairs = model.center.shape[0], screening.pair_group.shape[0]
    for candidate in range(n_components):
        compute_component_scores(
            model,
            candidate,
            tile,
            tile.groups,
            tile.groups,
            screening.first_group[candidate],
            screening.first_group[candidate + 1],
        )
    n_pairs = 0
    for candidate in range(n_components):
        for group in range(screening.first_group[candidate], screening.first_group[candidate + 1]):
            score = load(tile.scores, group * SIMD_WIDTH)
            store(tile.best_scores, group * SIMD_WIDTH, score)
            tile.first_slot[group] = group + n_pairs
            tile.slot_component[group + n_pairs] = candidate
            if n_pairs + n_components > max_pairs:
                return -1
            first_pair = n_pairs
            if 2.0 * (model.offset[candidate] - min_lane(score)) > bounds.max_squared_distance[candidate]:
                for k in range(n_components):
                    if k != candidate:
                        screening.pair_group[n_pairs], screening.pair_component[n_pairs] = group, k
                        n_pairs += 1
            else:
                n_pairs = find_open_pairs_of_group(start, group, candidate, tile, bounds, screening, n_pairs)
            tile.stop_slot[group] = group + n_pairs + 1
            for pair in range(first_pair, n_pairs):
                tile.slot_component[pair + group + 1] = screening.pair_component[pair]
    return n_pairs


@kernel
def build_component_lists(n_pairs, n_components, screening):
    """Build the list of every component: the groups it is the candidate of, then the other open groups."""
    list_start, n_filled = screening.component_list_start, screening.n_filled
    for k in range(n_components):
        n_filled[k] = screening.first_group[k + 1] - screening.first_group[k]
    for pair in range(n_pairs):
        n_filled[screening.pair_component[pair]] += 1
    list_start[0] = 0
    for k in range(n_components):
        list_start[k + 1] = list_start[k] + n_filled[k]
        n_filled[k] = list_start[k] + screening.first_group[k + 1] - screening.first_group[k]
    for pair in range(n_pairs):
        k, group = screening.pair_component[pair], screening.pair_group[pair]
        screening.list_groups[n_filled[k]], screening.list_slots[n_filled[k]] = group, pair + group + 1
        n_filled[k] += 1


@kernel
def run_screened_tile(rows, start, size, model, tile, bounds, screening, moment_code, is_hard, sums, row_results):
    """Process one tile; return the number of computed pairs of groups, or -1 if it must be computed in full."""
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
    slot_activity = compute_and_write_responsibilities(
        rows, tile, n_groups, is_hard, -bounds.tolerance, row_results, sums.totals
    )
    if moment_code != SUM_NOTHING:
        for k in range(n_components):
            begin, end = screening.component_list_start[k], screening.component_list_start[k + 1]
            if end > begin:
                accumulate_component(
                    model,
                    k,
                    moment_code,
                    slot_activity,
                    tile,
                    screening.list_groups,
                    screening.list_slots,
                    begin,
                    end,
                    sums,
                )
    sums.totals[2] += (n_groups + n_pairs) * SIMD_WIDTH
    return n_groups + n_pairs


@entry_point
def run_screened_pass(rows, n_rows, model, tile, bounds, screening, moment_code, is_hard, sums, row_results):
    """Process the rows of a block and return the number of processed rows.

    It stops early if a tile has too many open pairs; the caller computes the remaining rows in full.
    """
    n_components, max_rows = model.center.shape[0], screening.candidate.shape[0]
    start = 0
    while start < n_rows:
        size = min(max_rows, n_rows - start)
        n_computed = run_screened_tile(
            rows, start, size, model, tile, bounds, screening, moment_code, is_hard, sums, row_results
        )
        if n_computed < 0:
            return start
        start += size
        if n_computed * SIMD_WIDTH > size * n_components * MAX_OPEN_FRACTION:
            return start
    return start
