"""Sums of products of columns where there are many columns: rows lie one after the other, columns in registers.

A square of the scatter, ``WIDTH`` columns high and up to three registers wide, stays in registers
while the rows of a component stream by; each row is read as one register per ``WIDTH`` columns and, times
its share, number by number. Only squares on and above the diagonal are computed.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.engines.kernels.codegen import emit
from gaussmix.engines.kernels.codegen.decorators import kernel
from gaussmix.engines.kernels.codegen.simd import (
    REGISTER_TYPE,
    pack_registers,
    request_full_width,
    splat,
    zero_registers,
)
from gaussmix.engines.kernels.machine_constants import SIMD_WIDTH

MAX_TILE_REGISTERS = 3


def _make_add_outer_product(n_registers):
    """A function: tile[i, v] += left[i] * right[v * WIDTH:] for i < WIDTH and v < ``across``."""

    @intrinsic
    def outer(typingctx, tile, left, i, right, j):
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
                    place = row * n_registers + v
                    sums[place] = emit.fma(builder, factor, columns[v], sums[place])
            return pack_registers(context, builder, sums)

        return tile(tile, left, types.int64, right, types.int64), codegen

    return outer


def _make_add_tile(n_registers):
    """A function: target[at + i * width + v * WIDTH:] += tile[i, v]."""

    @intrinsic
    def add_tile(typingctx, target, at, width, tile):
        def codegen(context, builder, signature, arguments):
            target, at, width, tile = arguments
            row = emit.element_pointer(context, builder, signature.args[0], target, at)
            for place, value in enumerate(cgutils.unpack_tuple(builder, tile)):
                pointer = emit.advance_pointer(builder, row, place % n_registers * SIMD_WIDTH)
                emit.store(builder, builder.fadd(emit.load(builder, pointer), value), pointer)
                if place % n_registers == n_registers - 1:
                    row = builder.gep(row, [width])
            return context.get_dummy_value()

        return types.none(target, types.int64, types.int64, tile), codegen

    return add_tile


def _make_square_adder(n_registers):
    outer, add_tile, size = _make_add_outer_product(n_registers), _make_add_tile(n_registers), SIMD_WIDTH * n_registers

    @kernel
    def square_adder(left, right, n_rows, pitch, i, j, target, at, width):
        request_full_width()
        tile = zero_registers(size)
        for row in range(n_rows):
            tile = outer(tile, left, row * pitch + i, right, row * pitch + j)
        add_tile(target, at + i * width + j, width, tile)

    return square_adder


_add_square_1, _add_square_2, _add_square_3 = _make_square_adder(1), _make_square_adder(2), _make_square_adder(3)


@kernel
def add_upper_products(left, right, n_rows, row_stride, target, target_start, width):
    """Upper squares of left^T right added to ``target`` (width x width) at ``at``; rows begin ``pitch`` apart."""
    for i in range(0, width, SIMD_WIDTH):
        j = i
        while width - j >= MAX_TILE_REGISTERS * SIMD_WIDTH:
            _add_square_3(left, right, n_rows, row_stride, i, j, target, target_start, width)
            j += MAX_TILE_REGISTERS * SIMD_WIDTH
        if width - j == 2 * SIMD_WIDTH:
            _add_square_2(left, right, n_rows, row_stride, i, j, target, target_start, width)
        elif width - j == SIMD_WIDTH:
            _add_square_1(left, right, n_rows, row_stride, i, j, target, target_start, width)


def _make_center_columns(n_registers):
    """A function for one row: right = x - mean and left = share * right, ``across`` registers of them; adds up left."""

    @intrinsic
    def centre(typingctx, sums, rows, begin, means, column, share, left, right, to):
        def codegen(context, builder, signature, arguments):
            sums, rows, begin, means, column, share, left, right, to = arguments
            kinds, place = signature.args, emit.element_pointer
            source = place(context, builder, kinds[1], rows, begin)
            centers = place(context, builder, kinds[3], means, column)
            scaled, plain = place(context, builder, kinds[6], left, to), place(context, builder, kinds[7], right, to)
            sums = cgutils.unpack_tuple(builder, sums)
            for v in range(n_registers):
                mean = emit.load(builder, emit.advance_pointer(builder, centers, v * SIMD_WIDTH))
                value = builder.fsub(emit.load(builder, emit.advance_pointer(builder, source, v * SIMD_WIDTH)), mean)
                shared = builder.fmul(value, share)
                emit.store(builder, value, emit.advance_pointer(builder, plain, v * SIMD_WIDTH))
                emit.store(builder, shared, emit.advance_pointer(builder, scaled, v * SIMD_WIDTH))
                sums[v] = builder.fadd(sums[v], shared)
            return pack_registers(context, builder, sums)

        index = types.int64
        return sums(sums, rows, index, means, index, REGISTER_TYPE, left, right, index), codegen

    add_tile = _make_add_tile(n_registers)

    @kernel
    def centre_columns(flat, places, shares, begin, n_rows, pitch, means, at, column, left, right, first):
        request_full_width()
        sums = zero_registers(n_registers)
        for row in range(n_rows):
            source = places[begin + row] * pitch + column
            share = splat(shares[begin + row])
            sums = centre(sums, flat, source, means, at + column, share, left, right, row * pitch + column)
        add_tile(first, at + column, 0, sums)

    return centre_columns


_center_columns_1, _center_columns_4 = _make_center_columns(1), _make_center_columns(4)


@kernel
def center_rows(
    row_copies,
    row_places,
    responsibilities,
    begin,
    n_rows,
    row_stride,
    means,
    mean_start,
    width,
    weighted_differences,
    differences,
    first_moments,
):
    """Chosen rows less their centre to ``right``, times their shares to ``left``, and these added up to ``first``."""
    column = 0
    while width - column >= 4 * SIMD_WIDTH:
        _center_columns_4(
            row_copies,
            row_places,
            responsibilities,
            begin,
            n_rows,
            row_stride,
            means,
            mean_start,
            column,
            weighted_differences,
            differences,
            first_moments,
        )
        column += 4 * SIMD_WIDTH
    while column < width:
        _center_columns_1(
            row_copies,
            row_places,
            responsibilities,
            begin,
            n_rows,
            row_stride,
            means,
            mean_start,
            column,
            weighted_differences,
            differences,
            first_moments,
        )
        column += SIMD_WIDTH
