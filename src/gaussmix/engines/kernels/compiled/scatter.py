"""Sums of products of columns where there are many columns: rows lie one after the other, columns in registers.

A square of the scatter, ``WIDTH`` columns high and up to three registers wide, stays in registers
while the rows of a component stream by; each row is read as one register per ``WIDTH`` columns and, times
its share, number by number. Only squares on and above the diagonal are computed.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.engines.kernels.compiled import emit
from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.vectors import LANES, pack, splat, wide, zeros
from gaussmix.engines.kernels.machine import WIDTH

ACROSS = 3


def _outer(across):
    """A function: tile[i, v] += left[i] * right[v * WIDTH:] for i < WIDTH and v < ``across``."""

    @intrinsic
    def outer(typingctx, tile, left, i, right, j):
        def codegen(context, builder, signature, arguments):
            tile, left, i, right, j = arguments
            numbers = emit.address(context, builder, signature.args[1], left, i)
            registers = emit.address(context, builder, signature.args[3], right, j)
            columns = [emit.load(builder, emit.step(builder, registers, v * WIDTH)) for v in range(across)]
            sums = cgutils.unpack_tuple(builder, tile)
            for row in range(WIDTH):
                factor = emit.splat(builder, builder.load(emit.step(builder, numbers, row)))
                for v in range(across):
                    place = row * across + v
                    sums[place] = emit.fma(builder, factor, columns[v], sums[place])
            return pack(context, builder, sums)

        return tile(tile, left, types.int64, right, types.int64), codegen

    return outer


def _add_tile(across):
    """A function: target[at + i * width + v * WIDTH:] += tile[i, v]."""

    @intrinsic
    def add_tile(typingctx, target, at, width, tile):
        def codegen(context, builder, signature, arguments):
            target, at, width, tile = arguments
            row = emit.address(context, builder, signature.args[0], target, at)
            for place, value in enumerate(cgutils.unpack_tuple(builder, tile)):
                pointer = emit.step(builder, row, place % across * WIDTH)
                emit.store(builder, builder.fadd(emit.load(builder, pointer), value), pointer)
                if place % across == across - 1:
                    row = builder.gep(row, [width])
            return context.get_dummy_value()

        return types.none(target, types.int64, types.int64, tile), codegen

    return add_tile


def _square_adder(across):
    outer, add_tile, size = _outer(across), _add_tile(across), WIDTH * across

    @kernel
    def square_adder(left, right, n_rows, pitch, i, j, target, at, width):
        wide()
        tile = zeros(size)
        for row in range(n_rows):
            tile = outer(tile, left, row * pitch + i, right, row * pitch + j)
        add_tile(target, at + i * width + j, width, tile)

    return square_adder


_add_one, _add_two, _add_three = _square_adder(1), _square_adder(2), _square_adder(3)


@kernel
def add_row_products(left, right, n_rows, pitch, target, at, width):
    """Upper squares of left^T right added to ``target`` (width x width) at ``at``; rows begin ``pitch`` apart."""
    for i in range(0, width, WIDTH):
        j = i
        while width - j >= ACROSS * WIDTH:
            _add_three(left, right, n_rows, pitch, i, j, target, at, width)
            j += ACROSS * WIDTH
        if width - j == 2 * WIDTH:
            _add_two(left, right, n_rows, pitch, i, j, target, at, width)
        elif width - j == WIDTH:
            _add_one(left, right, n_rows, pitch, i, j, target, at, width)


def _centre(across):
    """A function for one row: right = x - mean and left = share * right, ``across`` registers of them; adds up left."""

    @intrinsic
    def centre(typingctx, sums, rows, begin, means, column, share, left, right, to):
        def codegen(context, builder, signature, arguments):
            sums, rows, begin, means, column, share, left, right, to = arguments
            kinds, place = signature.args, emit.address
            source = place(context, builder, kinds[1], rows, begin)
            centers = place(context, builder, kinds[3], means, column)
            scaled, plain = place(context, builder, kinds[6], left, to), place(context, builder, kinds[7], right, to)
            sums = cgutils.unpack_tuple(builder, sums)
            for v in range(across):
                mean = emit.load(builder, emit.step(builder, centers, v * WIDTH))
                value = builder.fsub(emit.load(builder, emit.step(builder, source, v * WIDTH)), mean)
                shared = builder.fmul(value, share)
                emit.store(builder, value, emit.step(builder, plain, v * WIDTH))
                emit.store(builder, shared, emit.step(builder, scaled, v * WIDTH))
                sums[v] = builder.fadd(sums[v], shared)
            return pack(context, builder, sums)

        index = types.int64
        return sums(sums, rows, index, means, index, LANES, left, right, index), codegen

    add_tile = _add_tile(across)

    @kernel
    def centre_columns(flat, places, shares, begin, n_rows, pitch, means, at, column, left, right, first):
        wide()
        sums = zeros(across)
        for row in range(n_rows):
            source = places[begin + row] * pitch + column
            share = splat(shares[begin + row])
            sums = centre(sums, flat, source, means, at + column, share, left, right, row * pitch + column)
        add_tile(first, at + column, 0, sums)

    return centre_columns


_centre_one, _centre_four = _centre(1), _centre(4)


@kernel
def centre_rows(flat, places, shares, begin, n_rows, pitch, means, at, width, left, right, first):
    """Chosen rows less their centre to ``right``, times their shares to ``left``, and these added up to ``first``."""
    column = 0
    while width - column >= 4 * WIDTH:
        _centre_four(flat, places, shares, begin, n_rows, pitch, means, at, column, left, right, first)
        column += 4 * WIDTH
    while column < width:
        _centre_one(flat, places, shares, begin, n_rows, pitch, means, at, column, left, right, first)
        column += WIDTH
