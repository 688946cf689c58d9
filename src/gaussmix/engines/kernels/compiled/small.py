"""Tiles for few columns: a row's differences, and all sums of a component, stay in registers from load to result.

With two, four or eight columns the loops of ``tiles`` would spend more time on themselves than on
arithmetic, so everything is written out here, once for each number of columns. A triangle is
packed row by row without gaps: (0, 0), (1, 0), (1, 1), ...
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.engines.kernels.compiled import emit
from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.vectors import LANES, item, load, multiply, pack, tile_of, wide, zeros
from gaussmix.engines.kernels.machine import WIDTH

PAIR = 2


def _differences(context, builder, kinds, tile, begin, center, column, n_columns):
    """x - center for one group, a register per column."""
    source = emit.address(context, builder, kinds[0], tile, begin)
    means = emit.address(context, builder, kinds[1], center, column)
    return [
        builder.fsub(
            emit.load(builder, emit.step(builder, source, j * WIDTH)),
            emit.splat(builder, builder.load(emit.step(builder, means, j))),
        )
        for j in range(n_columns)
    ]


def _lengths(n_columns):
    """A function (tile, one, other, center, column, triangle, at) -> |L (x - center)|^2 of two groups."""

    @intrinsic
    def lengths(typingctx, tile, one, other, center, column, triangle, at):
        def codegen(context, builder, signature, arguments):
            tile, one, other, center, column, triangle, at = arguments
            kinds = signature.args[0], signature.args[3]
            rows = [_differences(context, builder, kinds, tile, b, center, column, n_columns) for b in (one, other)]
            entry = emit.address(context, builder, signature.args[5], triangle, at)
            found = [emit.every(0.0)] * PAIR
            for i in range(n_columns):
                sums = [None] * PAIR
                for j in range(i + 1):
                    factor = emit.splat(builder, builder.load(emit.step(builder, entry, i * (i + 1) // 2 + j)))
                    for p in range(PAIR):
                        first = sums[p] is None
                        product = builder.fmul(factor, rows[p][j]) if first else None
                        sums[p] = product if first else emit.fma(builder, factor, rows[p][j], sums[p])
                found = [emit.fma(builder, value, value, length) for value, length in zip(sums, found, strict=True)]
            return pack(context, builder, found)

        index = types.int64
        return tile_of(PAIR)(tile, index, index, center, index, triangle, index), codegen

    return lengths


lengths_of_2, lengths_of_4, lengths_of_8 = _lengths(2), _lengths(4), _lengths(8)


def _products(n_columns, rows):
    """A function adding, for one group, share * x_i and share * x_i x_j (j <= i, i in ``rows``); with row 0 share."""

    @intrinsic
    def products(typingctx, sums, tile, begin, center, column, share):
        def codegen(context, builder, signature, arguments):
            sums, tile, begin, center, column, share = arguments
            kinds = signature.args[1], signature.args[3]
            x = _differences(context, builder, kinds, tile, begin, center, column, max(rows) + 1)
            sums, position = cgutils.unpack_tuple(builder, sums), 0
            for i in rows:
                if i == 0:
                    sums[position] = builder.fadd(sums[position], share)
                    position += 1
                shared = builder.fmul(share, x[i])
                sums[position] = builder.fadd(sums[position], shared)
                position += 1
                for j in range(i + 1):
                    sums[position] = emit.fma(builder, shared, x[j], sums[position])
                    position += 1
            return pack(context, builder, sums)

        return sums(sums, tile, types.int64, center, types.int64, LANES), codegen

    return products


@intrinsic
def _write_sums(typingctx, vectors, target):
    """The sum of the lanes of each register, to ``target[0], target[1], ...``."""

    def codegen(context, builder, signature, arguments):
        vectors = cgutils.unpack_tuple(builder, arguments[0])
        vectors += [emit.every(0.0)] * (-len(vectors) % WIDTH)
        pointer = emit.address(context, builder, signature.args[1], arguments[1], ir.Constant(emit.INDEX, 0))
        for first in range(0, len(vectors), WIDTH):
            emit.store(builder, emit.sums(builder, vectors[first : first + WIDTH]), emit.step(builder, pointer, first))
        return context.get_dummy_value()

    return types.none(vectors, target), codegen


def _adder(n_columns, rows):
    """A function adding up one component's moments of the columns ``rows`` over a list of groups."""
    products = _products(n_columns, rows)
    first_row, stop_row = min(rows), max(rows) + 1
    n_sums = sum(i + 2 for i in rows) + (first_row == 0)

    @kernel
    def adder(
        tile, stride, groups, slots, begin, end, scores, factors, center, column, work, first, scatter, at, width
    ):
        wide()
        sums = zeros(n_sums)
        for position in range(begin, end):
            group = item(groups, position)
            share = multiply(load(scores, item(slots, position) * WIDTH), load(factors, group * WIDTH))
            sums = products(sums, tile, group * stride, center, column, share)
        _write_sums(sums, work)
        place, mass = 0, 0.0
        if first_row == 0:
            place, mass = 1, work[0]
        for i in range(first_row, stop_row):
            first[column + i] += work[place]
            place += 1
            for j in range(i + 1):
                scatter[at + j * width + i] += work[place]
                place += 1
        return mass

    return adder


add_products_of_2 = _adder(2, range(2))
add_products_of_4 = _adder(4, range(4))
_low_rows_of_8, _high_rows_of_8 = _adder(8, range(5)), _adder(8, range(5, 8))  # 20 and 24 registers


@kernel
def add_products_of_8(
    tile, stride, groups, slots, begin, end, scores, factors, center, column, work, first, scatter, at, width
):
    """The products of eight columns, in two halves that fit the registers; gives the mass."""
    mass = _low_rows_of_8(
        tile, stride, groups, slots, begin, end, scores, factors, center, column, work, first, scatter, at, width
    )
    _high_rows_of_8(
        tile, stride, groups, slots, begin, end, scores, factors, center, column, work, first, scatter, at, width
    )
    return mass
