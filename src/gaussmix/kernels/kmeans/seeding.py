"""Greedy k-means++: draw rows that are far from the rows drawn before, and keep the best of several candidates.

It does what `kmeans_plusplus` of `solvers/initialization/kmeans.py` does in NumPy, from the same uniform numbers.
"""

from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
    fma,
    get_item,
    load,
    multiply,
    select_greater,
    set_item,
    splat,
    store,
    subtract,
    sum_lanes,
    zero_registers,
)
from gaussmix.kernels.kmeans.distances import add_potentials, squared_distances_to_tile
from gaussmix.kernels.machine_constants import GROUPS_PER_CHUNK, SIMD_WIDTH, TILE_SIDE
from gaussmix.kernels.passes.register_tiles import store_registers

# A larger sum of squared distances is left to NumPy.
MAX_POTENTIAL = 1e300


@entry_point
def draw_kmeans_seeds(state, uniforms, cumulative, seeds):
    """Write the positions of drawn rows to ``seeds``; return 1, or 0 if distances overflow.

    ``state.n_clusters`` is the number of candidates for each seed after the first, and ``state.center`` holds them.
    ``uniforms`` has one number for the first seed, and one for each candidate.
    """
    n_rows, n_trials, position = state.rows.shape[0], state.n_clusters, 1
    for place in range(state.squares.shape[0]):
        state.squares[place] = 1.0
    total = _accumulate_potential(state, cumulative)
    seeds[0] = _draw_row(state, cumulative, total, n_rows, uniforms[0])
    for place in range(state.squares.shape[0]):
        state.squares[place] = MAX_POTENTIAL
    _update_nearest_squares(state, seeds[0])
    for index in range(1, seeds.shape[0]):
        total = _accumulate_potential(state, cumulative)
        if not total < MAX_POTENTIAL:
            return 0
        for trial in range(n_trials):
            row = _draw_row(state, cumulative, total, n_rows, uniforms[position])
            position += 1
            state.candidates[trial] = row
            for j in range(state.rows.shape[1]):
                state.center[trial, j] = state.rows[row, j]
        _compute_potentials(state)
        best = 0
        for trial in range(1, n_trials):
            if state.mass[trial] < state.mass[best]:
                best = trial
        seeds[index] = state.candidates[best]
        _update_nearest_squares(state, seeds[index])
    return 1


@kernel
def _accumulate_potential(state, cumulative):
    """Write the sums of weight times squared distance up to the end of each group; return that of all rows."""
    request_full_width()
    total = 0.0
    for group in range(cumulative.shape[0]):
        place = group * SIMD_WIDTH
        total += sum_lanes(multiply(load(state.row_weights, place), load(state.squares, place)))
        cumulative[group] = total
    return total


@kernel
def _draw_row(state, cumulative, total, n_rows, uniform):
    """Return the position of a row drawn in proportion to its potential, or uniformly if all are zero."""
    if not total > 0.0:
        return min(int(uniform * n_rows), n_rows - 1)
    target, low, high = uniform * total, 0, cumulative.shape[0] - 1
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] > target:
            high = middle
        else:
            low = middle + 1
    while low > 0 and not cumulative[low] > cumulative[low - 1]:
        low -= 1  # rounding has led past the last row of positive potential
    reached, row = (cumulative[low - 1] if low > 0 else 0.0), 0
    for lane in range(SIMD_WIDTH):
        place = low * SIMD_WIDTH + lane
        potential = get_item(state.row_weights, place) * get_item(state.squares, place)
        if potential > 0.0:
            row = place
            reached += potential
            if reached > target:
                break
    return row


@kernel
def _compute_potentials(state):
    """Write the sum over rows of weight times squared distance, if a candidate became a seed, for each candidate."""
    request_full_width()
    n_groups, n_columns = state.row_groups.shape[0], state.row_groups.shape[1]
    for first in range(0, state.center.shape[0], TILE_SIDE):
        totals = zero_registers(TILE_SIDE)
        for group in range(0, n_groups, GROUPS_PER_CHUNK):
            squares = squared_distances_to_tile(state.row_groups, group, n_columns, state.center, first)
            totals = add_potentials(totals, squares, state.squares, state.row_weights, group * SIMD_WIDTH)
        store_registers(totals, state.potentials, 0)
        for c in range(TILE_SIDE):
            set_item(state.mass, first + c, sum_lanes(load(state.potentials, c * SIMD_WIDTH)))


@kernel
def _update_nearest_squares(state, seed):
    """Lower the squared distance of every row to its nearest seed by a new seed."""
    request_full_width()
    n_groups, n_columns = state.row_groups.shape[0], state.row_groups.shape[1]
    for group in range(n_groups):
        square = splat(0.0)
        for j in range(n_columns):
            seed_value = splat(get_item(state.rows, seed * n_columns + j))
            difference = subtract(load(state.row_groups, (group * n_columns + j) * SIMD_WIDTH), seed_value)
            square = fma(difference, difference, square)
        nearest = load(state.squares, group * SIMD_WIDTH)
        store(state.squares, group * SIMD_WIDTH, select_greater(nearest, square, square, nearest))
