"""Whole runs of Lloyd's algorithm: assignments of rows and means of clusters in turn, without Python in between.

It does what `solvers/em/lloyd.py` does with passes of an engine. Where an empty cluster is to be relocated, or a
distance overflows, it stops before the centers move, and the Python loop continues.
"""

from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import fma, get_item, load, set_item, splat, store, subtract
from gaussmix.kernels.kmeans.distances import find_nearest_centers
from gaussmix.kernels.machine_constants import SIMD_WIDTH

# Why a run ended.
CONVERGED, MAX_ITER_REACHED, NEEDS_PYTHON = 0, 1, 2

# Larger sums are left to the Python loop.
MAX_INERTIA = 1e300


@entry_point
def run_lloyd(state, objectives, total_weight, tolerance, squared_rounding, relocates_empty, finds_nearest, max_iter):
    """Run Lloyd's algorithm; return 4 * n_iter + the reason for the end: CONVERGED, MAX_ITER_REACHED or NEEDS_PYTHON.

    It writes minus half the inertia of each iteration to ``objectives``. If ``finds_nearest``, ``labels`` and
    ``squares`` of a run that has not stopped for Python are those of its last centers. A squared movement per
    coordinate of at most ``squared_rounding`` times the largest squared coordinate or mean squared distance is
    rounding, and counts as 0.
    """
    for iteration in range(max_iter):
        inertia = find_nearest_centers(state)
        if not inertia < MAX_INERTIA:
            return 4 * iteration + NEEDS_PYTHON
        _sum_differences_from_centers(state)
        if relocates_empty:
            for k in range(state.n_clusters):
                if state.mass[k] == 0.0:
                    return 4 * iteration + NEEDS_PYTHON
        objectives[iteration] = -0.5 * inertia
        if _move_centers(state, inertia / total_weight, squared_rounding) <= tolerance:
            if finds_nearest:
                find_nearest_centers(state)
            return 4 * (iteration + 1) + CONVERGED
    if finds_nearest:
        find_nearest_centers(state)
    return 4 * max_iter + MAX_ITER_REACHED


@kernel
def _sum_differences_from_centers(state):
    """Sum the weights and the weighted differences from the center of the rows of each cluster."""
    request_full_width()
    n_rows, n_columns = state.rows.shape
    n_in_registers, stride = n_columns // SIMD_WIDTH * SIMD_WIDTH, state.sums.shape[1]
    for k in range(state.n_clusters):
        state.mass[k] = 0.0
        for j in range(stride):
            set_item(state.sums, k * stride + j, 0.0)
    for i in range(n_rows):
        k, weight = int(get_item(state.labels, i)), get_item(state.row_weights, i)
        set_item(state.mass, k, get_item(state.mass, k) + weight)
        row, center, target = i * n_columns, k * n_columns, k * stride
        for j in range(0, n_in_registers, SIMD_WIDTH):
            difference = subtract(load(state.rows, row + j), load(state.center, center + j))
            store(state.sums, target + j, fma(splat(weight), difference, load(state.sums, target + j)))
        for j in range(n_in_registers, n_columns):
            scalar_difference = get_item(state.rows, row + j) - get_item(state.center, center + j)
            set_item(state.sums, target + j, get_item(state.sums, target + j) + weight * scalar_difference)


@kernel
def _move_centers(state, mean_square, squared_rounding):
    """Move the centers to the means of their clusters; return the summed squared movement, 0 if it is rounding."""
    n_columns, stride, movement, largest = state.rows.shape[1], state.sums.shape[1], 0.0, mean_square
    for k in range(state.n_clusters):
        mass = state.mass[k]
        for j in range(n_columns):
            coordinate = get_item(state.center, k * n_columns + j)
            if mass > 0.0:
                moved = coordinate + get_item(state.sums, k * stride + j) / mass
                set_item(state.center, k * n_columns + j, moved)
                movement += (moved - coordinate) * (moved - coordinate)
                coordinate = moved
            largest = max(largest, coordinate * coordinate)
    return 0.0 if movement <= state.n_clusters * n_columns * squared_rounding * largest else movement
