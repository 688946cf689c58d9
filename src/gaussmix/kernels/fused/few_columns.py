"""Distances and moments of a fused run for one to four columns, with all values in registers.

With so few columns, loops over columns would cost more than the arithmetic. So each number of columns has unrolled
versions here, for full and for diagonal covariances.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width, request_inlining
from gaussmix.kernels.codegen.simd import (
    REGISTER_TYPE,
    bits_above,
    load,
    pack_registers,
    zero_registers,
)
from gaussmix.kernels.machine_constants import SIMD_WIDTH
from gaussmix.kernels.passes.few_columns import load_differences

# Largest number of columns with unrolled versions.
MAX_UNROLLED_COLUMNS = 4


def _make_squared_distances(n_columns, is_diagonal):
    """Return a function that computes |L (x - center)|^2 of one group; L (D, D) is lower triangular."""

    @intrinsic
    def squared_distances(typingctx, rows, row_start, center, center_start, root, root_start):
        def codegen(context, builder, signature, arguments):
            array_types = signature.args[0], signature.args[2]
            differences = load_differences(context, builder, array_types, *arguments[:4], n_columns)
            entries = emit.element_pointer(context, builder, signature.args[4], *arguments[4:])
            total = emit.constant(0.0)
            for i in range(n_columns):
                white = emit.constant(0.0)
                for j in range(i if is_diagonal else 0, i + 1):
                    entry = builder.load(emit.advance_pointer(builder, entries, i * n_columns + j))
                    white = emit.fma(builder, emit.splat(builder, entry), differences[j], white)
                total = emit.fma(builder, white, white, total)
            return total

        index = types.int64
        return REGISTER_TYPE(rows, index, center, index, root, index), codegen

    return squared_distances


def _make_add_products(n_columns, is_diagonal):
    """Return a function that adds r, r x_i and r x_i x_j of one group to sums, with j = i or with all j <= i.

    r is the responsibility.
    """

    @intrinsic
    def add_products(typingctx, sums, responsibility, rows, row_start, center, center_start):
        def codegen(context, builder, signature, arguments):
            sums, responsibility = cgutils.unpack_tuple(builder, arguments[0]), arguments[1]
            array_types = signature.args[2], signature.args[4]
            x = load_differences(context, builder, array_types, *arguments[2:], n_columns)
            weighted = [builder.fmul(responsibility, value) for value in x]
            products = [(i, j) for i in range(n_columns) for j in range(i if is_diagonal else 0, i + 1)]
            results = [builder.fadd(sums[0], responsibility)]
            results += [builder.fadd(sums[1 + i], weighted[i]) for i in range(n_columns)]
            results += [
                emit.fma(builder, weighted[i], x[j], total)
                for (i, j), total in zip(products, sums[1 + n_columns :], strict=True)
            ]
            return pack_registers(context, builder, results)

        index = types.int64
        return sums(sums, REGISTER_TYPE, rows, index, center, index), codegen

    return add_products


@intrinsic
def _add_to_memory(typingctx, target, start, sums):
    """Add registers to those at ``target[start:]``."""

    def codegen(context, builder, signature, arguments):
        target, start, sums = arguments
        pointer = emit.element_pointer(context, builder, signature.args[0], target, start)
        for position, value in enumerate(cgutils.unpack_tuple(builder, sums)):
            place = emit.advance_pointer(builder, pointer, position * SIMD_WIDTH)
            emit.store(builder, builder.fadd(emit.load(builder, place), value), place)
        return context.get_dummy_value()

    return types.none(target, types.int64, sums), codegen


def _make_moment_adder(n_columns, is_diagonal):
    """Return a kernel that adds the moments of a block of groups to the lane sums of component k."""
    add_products = _make_add_products(n_columns, is_diagonal)
    n_sums = 1 + n_columns + (n_columns if is_diagonal else n_columns * (n_columns + 1) // 2)

    @kernel
    def add_moments(state, k, first, stop):
        """Add mass, first moments, and squares or products of groups ``first`` to ``stop`` - 1."""
        request_inlining()
        request_full_width()
        sums, n_components = zero_registers(n_sums), state.center.shape[0]
        for group in range(first, stop):
            responsibility = load(state.responsibilities, ((group - first) * n_components + k) * SIMD_WIDTH)
            if bits_above(responsibility, 0.0) != 0:
                sums = add_products(
                    sums,
                    responsibility,
                    state.row_groups,
                    group * n_columns * SIMD_WIDTH,
                    state.center,
                    k * n_columns,
                )
        _add_to_memory(state.lane_sums, k * state.lane_sums.shape[1] * SIMD_WIDTH, sums)

    return add_moments


squared_distances_1 = _make_squared_distances(1, True)
diagonal_distances_2, full_distances_2 = _make_squared_distances(2, True), _make_squared_distances(2, False)
diagonal_distances_3, full_distances_3 = _make_squared_distances(3, True), _make_squared_distances(3, False)
diagonal_distances_4, full_distances_4 = _make_squared_distances(4, True), _make_squared_distances(4, False)
add_moments_1 = _make_moment_adder(1, True)
add_diagonal_moments_2, add_full_moments_2 = _make_moment_adder(2, True), _make_moment_adder(2, False)
add_diagonal_moments_3, add_full_moments_3 = _make_moment_adder(3, True), _make_moment_adder(3, False)
add_diagonal_moments_4, add_full_moments_4 = _make_moment_adder(4, True), _make_moment_adder(4, False)


@kernel
def few_column_distances(rows, row_start, center, center_start, root, root_start, n_columns, is_diagonal):
    """Return the squared Mahalanobis distances of a group from a centre, for at most MAX_UNROLLED_COLUMNS columns."""
    request_inlining()
    request_full_width()
    if n_columns == 1:
        return squared_distances_1(rows, row_start, center, center_start, root, root_start)
    if n_columns == 2:
        if is_diagonal:
            return diagonal_distances_2(rows, row_start, center, center_start, root, root_start)
        return full_distances_2(rows, row_start, center, center_start, root, root_start)
    if n_columns == 3:
        if is_diagonal:
            return diagonal_distances_3(rows, row_start, center, center_start, root, root_start)
        return full_distances_3(rows, row_start, center, center_start, root, root_start)
    if is_diagonal:
        return diagonal_distances_4(rows, row_start, center, center_start, root, root_start)
    return full_distances_4(rows, row_start, center, center_start, root, root_start)


@kernel
def add_few_column_moments(state, k, first, stop, is_diagonal):
    """Add the moments of a block of groups to the sums of component k, for at most MAX_UNROLLED_COLUMNS columns."""
    request_inlining()
    request_full_width()
    n_columns = state.center.shape[1]
    if n_columns == 1:
        add_moments_1(state, k, first, stop)
    elif n_columns == 2 and is_diagonal:
        add_diagonal_moments_2(state, k, first, stop)
    elif n_columns == 2:
        add_full_moments_2(state, k, first, stop)
    elif n_columns == 3 and is_diagonal:
        add_diagonal_moments_3(state, k, first, stop)
    elif n_columns == 3:
        add_full_moments_3(state, k, first, stop)
    elif is_diagonal:
        add_diagonal_moments_4(state, k, first, stop)
    else:
        add_full_moments_4(state, k, first, stop)
