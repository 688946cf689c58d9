"""Tiles for few columns: a row's differences, and all sums of a component, stay in registers from load to result.

With two, four or eight columns the loops of ``tiles`` would spend more time on themselves than on
arithmetic, so everything is written out here, once for each number of columns. A triangle is
packed row by row without gaps: (0, 0), (1, 0), (1, 1), ...
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.engines.kernels.codegen import emit
from gaussmix.engines.kernels.codegen.decorators import kernel
from gaussmix.engines.kernels.codegen.simd import (
    REGISTER_TYPE,
    get_item,
    load,
    multiply,
    pack_registers,
    register_tuple_type,
    request_full_width,
    zero_registers,
)
from gaussmix.engines.kernels.machine_constants import SIMD_WIDTH

GROUPS_TOGETHER = 2


def _load_differences(context, builder, array_types, tile, begin, center, column, n_columns):
    """x - center for one group, a register per column."""
    source = emit.element_pointer(context, builder, array_types[0], tile, begin)
    means = emit.element_pointer(context, builder, array_types[1], center, column)
    return [
        builder.fsub(
            emit.load(builder, emit.advance_pointer(builder, source, j * SIMD_WIDTH)),
            emit.splat(builder, builder.load(emit.advance_pointer(builder, means, j))),
        )
        for j in range(n_columns)
    ]


def _make_squared_norms(n_columns):
    """A function (tile, one, other, center, column, triangle, at) -> |L (x - center)|^2 of two groups."""

    @intrinsic
    def lengths(typingctx, tile, one, other, center, column, triangle, at):
        def codegen(context, builder, signature, arguments):
            tile, one, other, center, column, triangle, at = arguments
            kinds = signature.args[0], signature.args[3]
            rows = [
                _load_differences(context, builder, kinds, tile, b, center, column, n_columns) for b in (one, other)
            ]
            entry = emit.element_pointer(context, builder, signature.args[5], triangle, at)
            found = [emit.constant(0.0)] * GROUPS_TOGETHER
            for i in range(n_columns):
                sums = [None] * GROUPS_TOGETHER
                for j in range(i + 1):
                    factor = emit.splat(
                        builder, builder.load(emit.advance_pointer(builder, entry, i * (i + 1) // 2 + j))
                    )
                    for p in range(GROUPS_TOGETHER):
                        first = sums[p] is None
                        product = builder.fmul(factor, rows[p][j]) if first else None
                        sums[p] = product if first else emit.fma(builder, factor, rows[p][j], sums[p])
                found = [emit.fma(builder, value, value, length) for value, length in zip(sums, found, strict=True)]
            return pack_registers(context, builder, found)

        index = types.int64
        return register_tuple_type(GROUPS_TOGETHER)(tile, index, index, center, index, triangle, index), codegen

    return lengths


squared_norms_2, squared_norms_4, squared_norms_8 = (
    _make_squared_norms(2),
    _make_squared_norms(4),
    _make_squared_norms(8),
)


def _make_add_products(n_columns, rows):
    """A function adding, for one group, share * x_i and share * x_i x_j (j <= i, i in ``rows``); with row 0 share."""

    @intrinsic
    def products(typingctx, sums, tile, begin, center, column, share):
        def codegen(context, builder, signature, arguments):
            sums, tile, begin, center, column, share = arguments
            kinds = signature.args[1], signature.args[3]
            x = _load_differences(context, builder, kinds, tile, begin, center, column, max(rows) + 1)
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
            return pack_registers(context, builder, sums)

        return sums(sums, tile, types.int64, center, types.int64, REGISTER_TYPE), codegen

    return products


@intrinsic
def _store_lane_sums(typingctx, vectors, target):
    """The sum of the lanes of each register, to ``target[0], target[1], ...``."""

    def codegen(context, builder, signature, arguments):
        vectors = cgutils.unpack_tuple(builder, arguments[0])
        vectors += [emit.constant(0.0)] * (-len(vectors) % SIMD_WIDTH)
        pointer = emit.element_pointer(
            context, builder, signature.args[1], arguments[1], ir.Constant(emit.INDEX_TYPE, 0)
        )
        for first in range(0, len(vectors), SIMD_WIDTH):
            emit.store(
                builder,
                emit.sum_each_register(builder, vectors[first : first + SIMD_WIDTH]),
                emit.advance_pointer(builder, pointer, first),
            )
        return context.get_dummy_value()

    return types.none(vectors, target), codegen


def _make_moment_adder(n_columns, rows):
    """A function adding up one component's moments of the columns ``rows`` over a list of groups."""
    products = _make_add_products(n_columns, rows)
    first_row, stop_row = min(rows), max(rows) + 1
    n_sums = sum(i + 2 for i in rows) + (first_row == 0)

    @kernel
    def adder(
        tile, stride, groups, slots, begin, end, scores, factors, center, column, work, first, scatter, at, width
    ):
        request_full_width()
        sums = zero_registers(n_sums)
        for position in range(begin, end):
            group = get_item(groups, position)
            share = multiply(load(scores, get_item(slots, position) * SIMD_WIDTH), load(factors, group * SIMD_WIDTH))
            sums = products(sums, tile, group * stride, center, column, share)
        _store_lane_sums(sums, work)
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


add_moments_2 = _make_moment_adder(2, range(2))
add_moments_4 = _make_moment_adder(4, range(4))
_add_moment_rows_0_to_4, _add_moment_rows_5_to_7 = (
    _make_moment_adder(8, range(5)),
    _make_moment_adder(8, range(5, 8)),
)  # 20 and 24 registers


@kernel
def add_moments_8(
    tile,
    stride,
    groups,
    slots,
    begin,
    end,
    scores,
    factors,
    center,
    center_start,
    workspace,
    first_moments,
    scatter,
    scatter_start,
    scatter_stride,
):
    """The products of eight columns, in two halves that fit the registers; gives the mass."""
    mass = _add_moment_rows_0_to_4(
        tile,
        stride,
        groups,
        slots,
        begin,
        end,
        scores,
        factors,
        center,
        center_start,
        workspace,
        first_moments,
        scatter,
        scatter_start,
        scatter_stride,
    )
    _add_moment_rows_5_to_7(
        tile,
        stride,
        groups,
        slots,
        begin,
        end,
        scores,
        factors,
        center,
        center_start,
        workspace,
        first_moments,
        scatter,
        scatter_start,
        scatter_stride,
    )
    return mass
