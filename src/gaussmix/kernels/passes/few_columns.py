"""Distances and moments for two, four or eight columns, with all values in registers.

With so few columns, the loops of `register_tiles` would cost more than the arithmetic. So each number
of columns has an unrolled version here. A triangle is packed row by row without gaps:
(0, 0), (1, 0), (1, 1), ...
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
    REGISTER_TYPE,
    get_item,
    load,
    multiply,
    pack_registers,
    register_tuple_type,
    zero_registers,
)
from gaussmix.kernels.machine_constants import SIMD_WIDTH

# Groups whose distances are computed together.
GROUPS_TOGETHER = 2


def load_differences(context, builder, array_types, tile, begin, center, column, n_columns):
    """Return x - center of one group, one register per column."""
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
    """Return a function that computes |L (x - center)|^2 of two groups."""

    @intrinsic
    def squared_norms(typingctx, tile, first_group, second_group, center, center_start, triangle, triangle_start):
        def codegen(context, builder, signature, arguments):
            tile, first_group, second_group, center, center_start, triangle, triangle_start = arguments
            array_types = signature.args[0], signature.args[3]
            rows = [
                load_differences(context, builder, array_types, tile, start, center, center_start, n_columns)
                for start in (first_group, second_group)
            ]
            entries = emit.element_pointer(context, builder, signature.args[5], triangle, triangle_start)
            norms = [emit.constant(0.0)] * GROUPS_TOGETHER
            for i in range(n_columns):
                sums = [None] * GROUPS_TOGETHER
                for j in range(i + 1):
                    factor = emit.splat(
                        builder, builder.load(emit.advance_pointer(builder, entries, i * (i + 1) // 2 + j))
                    )
                    for p in range(GROUPS_TOGETHER):
                        is_first = sums[p] is None
                        product = builder.fmul(factor, rows[p][j]) if is_first else None
                        sums[p] = product if is_first else emit.fma(builder, factor, rows[p][j], sums[p])
                norms = [emit.fma(builder, value, value, norm) for value, norm in zip(sums, norms, strict=True)]
            return pack_registers(context, builder, norms)

        index = types.int64
        return register_tuple_type(GROUPS_TOGETHER)(tile, index, index, center, index, triangle, index), codegen

    return squared_norms


squared_norms_2, squared_norms_4, squared_norms_8 = (
    _make_squared_norms(2),
    _make_squared_norms(4),
    _make_squared_norms(8),
)


def _make_add_products(n_columns, rows):
    """Return a function that adds r x_i and r x_i x_j of one group to the sums, for i in ``rows`` and j <= i.

    r is the responsibility; row 0 also adds r itself.
    """

    @intrinsic
    def add_products(typingctx, sums, tile, start, center, center_start, responsibility):
        def codegen(context, builder, signature, arguments):
            sums, tile, start, center, center_start, responsibility = arguments
            array_types = signature.args[1], signature.args[3]
            x = load_differences(context, builder, array_types, tile, start, center, center_start, max(rows) + 1)
            sums, position = cgutils.unpack_tuple(builder, sums), 0
            for i in rows:
                if i == 0:
                    sums[position] = builder.fadd(sums[position], responsibility)
                    position += 1
                weighted = builder.fmul(responsibility, x[i])
                sums[position] = builder.fadd(sums[position], weighted)
                position += 1
                for j in range(i + 1):
                    sums[position] = emit.fma(builder, weighted, x[j], sums[position])
                    position += 1
            return pack_registers(context, builder, sums)

        return sums(sums, tile, types.int64, center, types.int64, REGISTER_TYPE), codegen

    return add_products


@intrinsic
def _store_lane_sums(typingctx, vectors, target):
    """Write the sum of the lanes of each register to ``target[0], target[1], ...``."""

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
    """Return a kernel that adds one component's moments of the columns ``rows`` over a list of groups."""
    add_products = _make_add_products(n_columns, rows)
    first_row, stop_row = min(rows), max(rows) + 1
    n_sums = sum(i + 2 for i in rows) + (first_row == 0)

    @kernel
    def add_moments(
        tile, stride, groups, slots, begin, end, scores, factors, center, center_start, workspace,
        first_moments, scatter, scatter_start, scatter_stride,
    ):  # fmt: skip
        """Add the moments of the listed groups to the component's sums and return the mass."""
        request_full_width()
        sums = zero_registers(n_sums)
        for position in range(begin, end):
            group = get_item(groups, position)
            responsibility = multiply(
                load(scores, get_item(slots, position) * SIMD_WIDTH), load(factors, group * SIMD_WIDTH)
            )
            sums = add_products(sums, tile, group * stride, center, center_start, responsibility)
        _store_lane_sums(sums, workspace)
        index, mass = 0, 0.0
        if first_row == 0:
            index, mass = 1, workspace[0]
        for i in range(first_row, stop_row):
            first_moments[center_start + i] += workspace[index]
            index += 1
            for j in range(i + 1):
                scatter[scatter_start + j * scatter_stride + i] += workspace[index]
                index += 1
        return mass

    return add_moments


add_moments_2 = _make_moment_adder(2, range(2))
add_moments_4 = _make_moment_adder(4, range(4))
_add_moment_rows_0_to_4, _add_moment_rows_5_to_7 = (
    _make_moment_adder(8, range(5)),
    _make_moment_adder(8, range(5, 8)),
)  # they need 20 and 24 registers


@kernel
def add_moments_8(
    tile, stride, groups, slots, begin, end, scores, factors, center, center_start, workspace,
    first_moments, scatter, scatter_start, scatter_stride,
):  # fmt: skip
    """Add the moments of eight columns, in two halves that fit into the registers; return the mass."""
    mass = _add_moment_rows_0_to_4(
        tile, stride, groups, slots, begin, end, scores, factors, center, center_start, workspace,
        first_moments, scatter, scatter_start, scatter_stride,
    )  # fmt: skip
    _add_moment_rows_5_to_7(
        tile, stride, groups, slots, begin, end, scores, factors, center, center_start, workspace,
        first_moments, scatter, scatter_start, scatter_stride,
    )  # fmt: skip
    return mass
