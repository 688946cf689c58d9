"""Costs of groups, and of groups merged pair by pair, one group per lane of a register.

Groups are the columns of an array: mass, trace, cost, the means, and the upper triangle of the scatter row by row.
``stride`` is the distance between two of these rows, and ``start`` the first of the groups in one row. The operations
and their order are those of NumPy in `solvers/initialization/merge_criteria.py`, without fused multiply-add, so that
equal pairs stay equal.
"""

from gaussmix.kernels.argument_tuples import GROUP_MASS, GROUP_TRACE, N_GROUP_SCALARS
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
    add,
    bits_greater,
    divide,
    load,
    log,
    multiply,
    select_greater,
    splat,
    store,
    subtract,
)
from gaussmix.kernels.machine_constants import SIMD_WIDTH

# `GroupCostKind` of `core/group_costs.py`.
TRACE, SPHERICAL_VOLUME, DETERMINANT_AND_TRACE, REGULARIZED_DETERMINANT = 0, 1, 2, 3


@kernel
def compute_group_costs(state, groups, start, stride):
    """Return the costs of the groups in one register."""
    request_full_width()
    n, n_entries = state.mean_buffer.shape[0], state.matrix.shape[0]
    mass, trace = load(groups, start + GROUP_MASS * stride), load(groups, start + GROUP_TRACE * stride)
    for entry in range(n_entries):
        store(state.matrix, entry * SIMD_WIDTH, load(groups, start + (N_GROUP_SCALARS + n + entry) * stride))
    return _cost_of_matrix(state, mass, trace)


@kernel
def compute_merged_costs(state, first, first_start, first_stride, second, second_start, second_stride):
    """Return the costs of each group of one register merged with the group in the same lane of another."""
    request_full_width()
    n = state.mean_buffer.shape[0]
    first_mass = load(first, first_start + GROUP_MASS * first_stride)
    second_mass = load(second, second_start + GROUP_MASS * second_stride)
    mass = add(first_mass, second_mass)
    reduced_mass = multiply(first_mass, divide(second_mass, mass))
    squares = splat(0.0)
    for i in range(n):
        row = N_GROUP_SCALARS + i
        difference = subtract(
            load(second, second_start + row * second_stride), load(first, first_start + row * first_stride)
        )
        weighted = multiply(reduced_mass, difference)
        store(state.mean_buffer, i * SIMD_WIDTH, difference)
        store(state.weighted_buffer, i * SIMD_WIDTH, weighted)
        squares = add(squares, multiply(weighted, difference))
    trace = add(
        load(first, first_start + GROUP_TRACE * first_stride), load(second, second_start + GROUP_TRACE * second_stride)
    )
    trace = add(trace, squares)
    if state.matrix.shape[0] > 0 and _needs_determinant(state, mass):
        entry = 0
        for i in range(n):
            weighted = load(state.weighted_buffer, i * SIMD_WIDTH)
            for j in range(i, n):
                row = N_GROUP_SCALARS + n + entry
                value = multiply(weighted, load(state.mean_buffer, j * SIMD_WIDTH))
                value = add(value, load(first, first_start + row * first_stride))
                value = add(value, load(second, second_start + row * second_stride))
                store(state.matrix, entry * SIMD_WIDTH, value)
                entry += 1
    return _cost_of_matrix(state, mass, trace)


@kernel
def _needs_determinant(state, mass):
    """Return whether the cost of any group in a register depends on a determinant."""
    if state.cost_kind == DETERMINANT_AND_TRACE:
        return bits_greater(mass, splat(float(state.mean_buffer.shape[0]))) != 0
    return state.cost_kind == REGULARIZED_DETERMINANT


@kernel
def _cost_of_matrix(state, mass, trace):
    """Return the costs of groups with this mass and trace; overwrite ``matrix``, their scatter."""
    request_full_width()
    if state.cost_kind == TRACE:
        return trace
    if state.cost_kind == REGULARIZED_DETERMINANT:
        return multiply(mass, log(_determinant(state, add(mass, splat(state.prior_mass)), state.prior_scatter)))
    variance = divide(add(trace, splat(state.mean_variance)), mass)
    if state.matrix.shape[0] > 0 and _needs_determinant(state, mass):
        zero, n_columns = splat(0.0), splat(float(state.mean_buffer.shape[0]))
        variance = add(select_greater(mass, n_columns, _determinant(state, mass, 0.0), zero), variance)
    return multiply(mass, log(variance))


@kernel
def _determinant(state, divisor, diagonal_increase):
    """Return the determinants of the matrices in ``matrix`` divided by ``divisor``, zero if singular.

    They are computed by Gaussian elimination of the upper triangles, which are overwritten. ``diagonal_increase`` is
    added to the diagonals first. Without scatter, the matrices are zero before.
    """
    request_full_width()
    n, zero, one = state.mean_buffer.shape[0], splat(0.0), splat(1.0)
    determinant, start = one, 0
    if state.matrix.shape[0] == 0:
        for _ in range(n):
            determinant = multiply(determinant, divide(splat(diagonal_increase), divisor))
        return determinant
    for column in range(n):
        diagonal = add(load(state.matrix, start * SIMD_WIDTH), splat(diagonal_increase))
        store(state.matrix, start * SIMD_WIDTH, diagonal)
        least = multiply(splat(state.relative_pivot_tolerance), diagonal)
        least = select_greater(least, splat(state.min_pivot), least, splat(state.min_pivot))
        store(state.mean_buffer, column * SIMD_WIDTH, least)
        start += n - column
    start = 0
    for column in range(n):
        pivot, least = load(state.matrix, start * SIMD_WIDTH), load(state.mean_buffer, column * SIMD_WIDTH)
        pivot = select_greater(pivot, least, pivot, zero)
        determinant = multiply(determinant, divide(pivot, divisor))
        inverse = select_greater(pivot, zero, divide(one, pivot), zero)
        target = start + n - column
        for i in range(column + 1, n):
            factor = multiply(load(state.matrix, (start + i - column) * SIMD_WIDTH), inverse)
            for j in range(i, n):
                product = multiply(factor, load(state.matrix, (start + j - column) * SIMD_WIDTH))
                store(state.matrix, target * SIMD_WIDTH, subtract(load(state.matrix, target * SIMD_WIDTH), product))
                target += 1
        start += n - column
    return determinant
