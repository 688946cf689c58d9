"""Distances and moments of a fused run for one to four columns, with all values in registers, and for diagonal ones.

With so few columns, loops over columns would cost more than the arithmetic. So each number of columns has unrolled
versions here. Diagonal covariances take four columns at a time. Distances are those of two groups, which share the
numbers of the component.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width, request_inlining
from gaussmix.kernels.codegen.simd import (
    REGISTER_TYPE,
    load,
    pack_registers,
    zero_registers,
)
from gaussmix.kernels.machine_constants import FUSED_GROUPS_TOGETHER, SIMD_WIDTH
from gaussmix.kernels.passes.few_columns import load_differences

# Largest number of columns with unrolled versions.
MAX_UNROLLED_COLUMNS = 4


def _make_add_squared_distances(n_columns, is_diagonal):
    """Return a function that adds |L (x - center)|^2 of two groups, ``group_stride`` apart, to ``totals``.

    L (D, D) is lower triangular, or the diagonal (D,).
    """

    @intrinsic
    def add_squared_distances(typingctx, totals, rows, row_start, group_stride, center, center_start, root, root_start):
        def codegen(context, builder, signature, arguments):
            totals, rows, row_start, group_stride, center, center_start, root, root_start = arguments
            array_types = signature.args[1], signature.args[4]
            totals = cgutils.unpack_tuple(builder, totals)
            groups = []
            for _ in range(FUSED_GROUPS_TOGETHER):
                groups.append(
                    load_differences(context, builder, array_types, rows, row_start, center, center_start, n_columns)
                )
                row_start = builder.add(row_start, group_stride)
            entries = emit.element_pointer(context, builder, signature.args[6], root, root_start)
            for i in range(n_columns):
                white = [emit.constant(0.0)] * FUSED_GROUPS_TOGETHER
                for j in range(i if is_diagonal else 0, i + 1):
                    position = i if is_diagonal else i * n_columns + j
                    entry = emit.splat(builder, builder.load(emit.advance_pointer(builder, entries, position)))
                    white = [emit.fma(builder, entry, x[j], value) for x, value in zip(groups, white, strict=True)]
                totals = [emit.fma(builder, value, value, total) for value, total in zip(white, totals, strict=True)]
            return pack_registers(context, builder, totals)

        index = types.int64
        return totals(totals, rows, index, index, center, index, root, index), codegen

    return add_squared_distances


add_full_distances_1, add_full_distances_2, add_full_distances_3, add_full_distances_4 = (
    _make_add_squared_distances(n_columns, False) for n_columns in (1, 2, 3, 4)
)
add_diagonal_distances_1, add_diagonal_distances_4 = (
    _make_add_squared_distances(n_columns, True) for n_columns in (1, 4)
)


@kernel
def few_column_distances(rows, row_start, center, center_start, root, root_start, n_columns):
    """Return the squared distances of two groups from a centre, for at most MAX_UNROLLED_COLUMNS columns."""
    request_inlining()
    request_full_width()
    zeros, stride = zero_registers(FUSED_GROUPS_TOGETHER), n_columns * SIMD_WIDTH
    if n_columns == 1:
        return add_full_distances_1(zeros, rows, row_start, stride, center, center_start, root, root_start)
    if n_columns == 2:
        return add_full_distances_2(zeros, rows, row_start, stride, center, center_start, root, root_start)
    if n_columns == 3:
        return add_full_distances_3(zeros, rows, row_start, stride, center, center_start, root, root_start)
    return add_full_distances_4(zeros, rows, row_start, stride, center, center_start, root, root_start)


@kernel
def diagonal_distances(state, row_start, k):
    """Return the squared distances of two groups from the centre of component k, for any number of columns."""
    request_inlining()
    request_full_width()
    n, totals, column = state.center.shape[1], zero_registers(FUSED_GROUPS_TOGETHER), 0
    stride = n * SIMD_WIDTH
    while n - column >= 4:
        totals = add_diagonal_distances_4(
            totals, state.row_groups, row_start + column * SIMD_WIDTH, stride,
            state.center, k * n + column, state.precision_root, k * n + column,
        )  # fmt: skip
        column += 4
    while column < n:
        totals = add_diagonal_distances_1(
            totals, state.row_groups, row_start + column * SIMD_WIDTH, stride,
            state.center, k * n + column, state.precision_root, k * n + column,
        )  # fmt: skip
        column += 1
    return totals


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


def _make_add_to_memory(first, stop):
    """Return a function that adds the registers ``first`` to ``stop`` - 1 to those at ``target[start:]``."""

    @intrinsic
    def add_to_memory(typingctx, target, start, sums):
        def codegen(context, builder, signature, arguments):
            target, start, sums = arguments
            pointer = emit.element_pointer(context, builder, signature.args[0], target, start)
            for position, value in enumerate(cgutils.unpack_tuple(builder, sums)[first:stop]):
                place = emit.advance_pointer(builder, pointer, position * SIMD_WIDTH)
                emit.store(builder, builder.fadd(emit.load(builder, place), value), place)
            return context.get_dummy_value()

        return types.none(target, types.int64, sums), codegen

    return add_to_memory


def _make_moment_adder(n_columns):
    """Return a kernel that adds the moments of a block of groups to the lane sums of component k."""
    n_sums = 1 + n_columns + n_columns * (n_columns + 1) // 2
    add_products, add_to_memory = _make_add_products(n_columns, False), _make_add_to_memory(0, n_sums)

    @kernel
    def add_moments(state, k, first, stop):
        """Add mass, first moments and products of groups ``first`` to ``stop`` - 1."""
        request_inlining()
        request_full_width()
        sums, n_components = zero_registers(n_sums), state.center.shape[0]
        for group in range(first, stop):
            responsibility = load(state.responsibilities, ((group - first) * n_components + k) * SIMD_WIDTH)
            sums = add_products(
                sums, responsibility, state.row_groups, group * n_columns * SIMD_WIDTH, state.center, k * n_columns
            )
        add_to_memory(state.lane_sums, k * state.lane_sums.shape[1] * SIMD_WIDTH, sums)

    return add_moments


_add_full_moments_1, _add_full_moments_2, _add_full_moments_3, _add_full_moments_4 = (
    _make_moment_adder(n_columns) for n_columns in (1, 2, 3, 4)
)


@kernel
def add_few_column_moments(state, k, first, stop):
    """Add the moments of a block of groups to the sums of component k, for at most MAX_UNROLLED_COLUMNS columns."""
    request_inlining()
    request_full_width()
    n_columns = state.center.shape[1]
    if n_columns == 1:
        _add_full_moments_1(state, k, first, stop)
    elif n_columns == 2:
        _add_full_moments_2(state, k, first, stop)
    elif n_columns == 3:
        _add_full_moments_3(state, k, first, stop)
    else:
        _add_full_moments_4(state, k, first, stop)


def _make_column_adder(n_columns):
    """Return a kernel that adds first moments and squares of a few columns to the lane sums of component k."""
    add_products = _make_add_products(n_columns, True)
    add_mass = _make_add_to_memory(0, 1)
    add_first, add_squares = (
        _make_add_to_memory(1, 1 + n_columns), _make_add_to_memory(1 + n_columns, 1 + 2 * n_columns)
    )  # fmt: skip
    n_sums = 1 + 2 * n_columns

    @kernel
    def add_columns(state, k, first, stop, column):
        """Add the columns from ``column`` on of groups ``first`` to ``stop`` - 1; with column 0 also the mass."""
        request_inlining()
        request_full_width()
        n_components, n = state.center.shape
        sums, row_start = zero_registers(n_sums), (first * n + column) * SIMD_WIDTH
        for slot in range(stop - first):
            responsibility = load(state.responsibilities, (slot * n_components + k) * SIMD_WIDTH)
            sums = add_products(sums, responsibility, state.row_groups, row_start, state.center, k * n + column)
            row_start += n * SIMD_WIDTH
        start = k * state.lane_sums.shape[1]
        if column == 0:
            add_mass(state.lane_sums, start * SIMD_WIDTH, sums)
        add_first(state.lane_sums, (start + 1 + column) * SIMD_WIDTH, sums)
        add_squares(state.lane_sums, (start + 1 + n + column) * SIMD_WIDTH, sums)

    return add_columns


_add_one_column, _add_two_columns, _add_four_columns = (_make_column_adder(n_columns) for n_columns in (1, 2, 4))


@kernel
def add_diagonal_moments(state, k, first, stop):
    """Add mass, first moments and squares of a block of groups to the sums of component k."""
    request_inlining()
    request_full_width()
    n, column = state.center.shape[1], 0
    while n - column >= 4:
        _add_four_columns(state, k, first, stop, column)
        column += 4
    if n - column >= 2:
        _add_two_columns(state, k, first, stop, column)
        column += 2
    if column < n:
        _add_one_column(state, k, first, stop, column)
