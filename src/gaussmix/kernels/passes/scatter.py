"""Sums of products of many columns: rows are contiguous, and a square of the scatter stays in registers.

The square is SIMD_WIDTH columns high and up to three registers wide. Each row of a component is read once
as registers and once, times its responsibility, number by number. Only squares on and above the diagonal
are computed.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
    REGISTER_TYPE,
    pack_registers,
    splat,
    zero_registers,
)
from gaussmix.kernels.machine_constants import SIMD_WIDTH

# Registers across a square.
MAX_TILE_REGISTERS = 3


def _make_add_outer_product(n_registers):
    """Return a function: tile[i, v] += left[i] * right[v * SIMD_WIDTH:] for i < SIMD_WIDTH and v < n_registers."""

    @intrinsic
    def add_outer_product(typingctx, tile, left, i, right, j):
        def codegen(context, builder, signature, arguments):
            tile, left, i, right, j = arguments
            numbers = emit.element_pointer(context, builder, signature.args[1], left, i)
            registers = emit.element_pointer(context, builder, signature.args[3], right, j)
            columns = [
                emit.load(builder, emit.advance_pointer(builder, registers, v * SIMD_WIDTH)) for v in range(n_registers)
            ]
            sums = cgutils.unpack_tuple(builder, tile)
            for row in range(SIMD_WIDTH):
                factor = emit.splat(builder, builder.load(emit.advance_pointer(builder, numbers, row)))
                for v in range(n_registers):
                    index = row * n_registers + v
                    sums[index] = emit.fma(builder, factor, columns[v], sums[index])
            return pack_registers(context, builder, sums)

        return tile(tile, left, types.int64, right, types.int64), codegen

    return add_outer_product


def _make_add_tile(n_registers):
    """Return a function: target[start + i * width + v * SIMD_WIDTH:] += tile[i, v]."""

    @intrinsic
    def add_tile(typingctx, target, start, width, tile):
        def codegen(context, builder, signature, arguments):
            target, start, width, tile = arguments
            row = emit.element_pointer(context, builder, signature.args[0], target, start)
            for index, value in enumerate(cgutils.unpack_tuple(builder, tile)):
                pointer = emit.advance_pointer(builder, row, index % n_registers * SIMD_WIDTH)
                emit.store(builder, builder.fadd(emit.load(builder, pointer), value), pointer)
                if index % n_registers == n_registers - 1:
                    row = builder.gep(row, [width])
            return context.get_dummy_value()

        return types.none(target, types.int64, types.int64, tile), codegen

    return add_tile


def _make_square_adder(n_registers):
    """Return a kernel that adds one square of left^T right to the target."""
    add_outer_product, add_tile, size = (
        _make_add_outer_product(n_registers),
        _make_add_tile(n_registers),
        SIMD_WIDTH * n_registers,
    )

    @kernel
    def add_square(left, right, n_rows, row_stride, i, j, target, start, width):
        """Add the square (i, j) of left^T right to ``target``."""
        request_full_width()
        tile = zero_registers(size)
        for row in range(n_rows):
            tile = add_outer_product(tile, left, row * row_stride + i, right, row * row_stride + j)
        add_tile(target, start + i * width + j, width, tile)

    return add_square


_add_square_1, _add_square_2, _add_square_3 = _make_square_adder(1), _make_square_adder(2), _make_square_adder(3)


@kernel
def add_upper_products(left, right, n_rows, row_stride, target, target_start, width):
    """Add the upper squares of left^T right to ``target`` (width x width) at ``target_start``."""
    for i in range(0, width, SIMD_WIDTH):
        j = i
        while width - j >= MAX_TILE_REGISTERS * SIMD_WIDTH:
            _add_square_3(left, right, n_rows, row_stride, i, j, target, target_start, width)
            j += MAX_TILE_REGISTERS * SIMD_WIDTH
        if width - j == 2 * SIMD_WIDTH:
            _add_square_2(left, right, n_rows, row_stride, i, j, target, target_start, width)
        elif width - j == SIMD_WIDTH:
            _add_square_1(left, right, n_rows, row_stride, i, j, target, target_start, width)


def _make_center_row(n_registers):
    """Return a function that writes a row's differences from the mean and these weighted, and sums the latter."""

    @intrinsic
    def center_row(
        typingctx, sums, rows, row_start, means, column, responsibility, weighted_differences, differences, target_start
    ):
        def codegen(context, builder, signature, arguments):
            sums, rows, row_start, means, column, responsibility, weighted_differences, differences, target_start = (
                arguments
            )
            array_types, pointer = signature.args, emit.element_pointer
            source = pointer(context, builder, array_types[1], rows, row_start)
            centers = pointer(context, builder, array_types[3], means, column)
            weighted_pointer, difference_pointer = (
                pointer(context, builder, array_types[6], weighted_differences, target_start),
                pointer(context, builder, array_types[7], differences, target_start),
            )
            sums = cgutils.unpack_tuple(builder, sums)
            for v in range(n_registers):
                mean = emit.load(builder, emit.advance_pointer(builder, centers, v * SIMD_WIDTH))
                value = builder.fsub(emit.load(builder, emit.advance_pointer(builder, source, v * SIMD_WIDTH)), mean)
                weighted = builder.fmul(value, responsibility)
                emit.store(builder, value, emit.advance_pointer(builder, difference_pointer, v * SIMD_WIDTH))
                emit.store(builder, weighted, emit.advance_pointer(builder, weighted_pointer, v * SIMD_WIDTH))
                sums[v] = builder.fadd(sums[v], weighted)
            return pack_registers(context, builder, sums)

        index = types.int64
        return sums(sums, rows, index, means, index, REGISTER_TYPE, weighted_differences, differences, index), codegen

    return center_row


def _make_center_columns(n_registers):
    """Return a kernel that centers and weights ``n_registers`` registers of columns."""
    center_row, add_tile = _make_center_row(n_registers), _make_add_tile(n_registers)

    @kernel
    def center_columns(
        row_copies, row_places, responsibilities, row_start, n_rows, row_stride, means, mean_start, column,
        weighted_differences, differences, first_moments,
    ):  # fmt: skip
        """Write differences and weighted differences of the rows; add the latter to the first moments."""
        request_full_width()
        sums = zero_registers(n_registers)
        for row in range(n_rows):
            source = row_places[row_start + row] * row_stride + column
            responsibility = splat(responsibilities[row_start + row])
            sums = center_row(
                sums, row_copies, source, means, mean_start + column, responsibility,
                weighted_differences, differences, row * row_stride + column,
            )  # fmt: skip
        add_tile(first_moments, mean_start + column, 0, sums)

    return center_columns


_center_columns_1, _center_columns_4 = _make_center_columns(1), _make_center_columns(4)


@kernel
def center_rows(
    row_copies, row_places, responsibilities, begin, n_rows, row_stride, means, mean_start, width,
    weighted_differences, differences, first_moments,
):  # fmt: skip
    """Write the differences of the given rows from their centre, and these times the responsibilities.

    The weighted differences are added to ``first_moments``.
    """
    column = 0
    while width - column >= 4 * SIMD_WIDTH:
        _center_columns_4(
            row_copies, row_places, responsibilities, begin, n_rows, row_stride, means, mean_start, column,
            weighted_differences, differences, first_moments,
        )  # fmt: skip
        column += 4 * SIMD_WIDTH
    while column < width:
        _center_columns_1(
            row_copies, row_places, responsibilities, begin, n_rows, row_stride, means, mean_start, column,
            weighted_differences, differences, first_moments,
        )  # fmt: skip
        column += SIMD_WIDTH
