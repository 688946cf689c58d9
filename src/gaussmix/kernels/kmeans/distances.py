"""Squared distances of rows to centers for k-means, in groups of rows and tiles of centers.

Distances are sums of squared differences, so that nothing cancels. Centers fill whole tiles; those that fill up the
last tile are so far away that their squared distances are infinite.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width, request_inlining
from gaussmix.kernels.codegen.simd import (
    fma,
    get_item,
    load,
    pack_registers,
    register_tuple_type,
    set_item,
    splat,
    sum_lanes,
    zero_registers,
)
from gaussmix.kernels.machine_constants import GROUPS_PER_CHUNK, SIMD_WIDTH, TILE_SIDE
from gaussmix.kernels.passes.register_tiles import REGISTERS_PER_TILE, add_squared_differences_4


@entry_point
def arrange_rows_in_groups(rows, row_groups):
    """Write rows (n, D) to groups of SIMD_WIDTH rows, (n_groups, D, SIMD_WIDTH); zeros fill up the last ones."""
    n_rows, n_columns = rows.shape
    n_full_groups = n_rows // SIMD_WIDTH
    for group in range(n_full_groups):
        for j in range(n_columns):
            for lane in range(SIMD_WIDTH):
                value = get_item(rows, (group * SIMD_WIDTH + lane) * n_columns + j)
                set_item(row_groups, (group * n_columns + j) * SIMD_WIDTH + lane, value)
    for group in range(n_full_groups, row_groups.shape[0]):
        for lane in range(SIMD_WIDTH):
            row = group * SIMD_WIDTH + lane
            for j in range(n_columns):
                row_groups[group, j, lane] = rows[row, j] if row < n_rows else 0.0


@intrinsic
def _chunk_starts(typingctx, first_group, stride):
    """Return the start positions of GROUPS_PER_CHUNK successive groups."""
    result_type = types.UniTuple(types.int64, GROUPS_PER_CHUNK)

    def codegen(context, builder, signature, arguments):
        group, stride = arguments
        starts = [builder.mul(builder.add(group, emit.INDEX_TYPE(v)), stride) for v in range(GROUPS_PER_CHUNK)]
        return context.make_tuple(builder, result_type, starts)

    return result_type(types.int64, types.int64), codegen


@kernel
def squared_distances_to_tile(rows, group, n_columns, center, first_center):
    """Return the squared distances of GROUPS_PER_CHUNK groups of rows to TILE_SIDE centers, one register each."""
    request_inlining()
    request_full_width()
    begins, squares = _chunk_starts(group, n_columns * SIMD_WIDTH), zero_registers(REGISTERS_PER_TILE)
    for j in range(n_columns):
        squares = add_squared_differences_4(
            squares, rows, begins, j * SIMD_WIDTH, center, first_center * n_columns + j, n_columns, center, 0, 0
        )
    return squares


@intrinsic
def _infinite_nearest(typingctx):
    """Return infinite squared distances and center numbers 0 for GROUPS_PER_CHUNK groups."""

    def codegen(context, builder, signature, arguments):
        infinite = [emit.constant(float("inf"))] * GROUPS_PER_CHUNK
        return pack_registers(context, builder, infinite + [emit.constant(0.0)] * GROUPS_PER_CHUNK)

    return register_tuple_type(2 * GROUPS_PER_CHUNK)(), codegen


@intrinsic
def _update_nearest(typingctx, nearest, squares, first_center):
    """Update the smallest squared distances and center numbers of GROUPS_PER_CHUNK groups with a tile of centers."""

    def codegen(context, builder, signature, arguments):
        nearest, squares, first = arguments
        nearest, squares = cgutils.unpack_tuple(builder, nearest), cgutils.unpack_tuple(builder, squares)
        for c in range(TILE_SIDE):
            number = builder.sitofp(builder.add(first, emit.INDEX_TYPE(c)), emit.DOUBLE_TYPE)
            number = emit.splat(builder, number)
            for v in range(GROUPS_PER_CHUNK):
                square = squares[c * GROUPS_PER_CHUNK + v]
                is_closer = builder.fcmp_ordered("<", square, nearest[v])
                nearest[v] = builder.select(is_closer, square, nearest[v])
                nearest[GROUPS_PER_CHUNK + v] = builder.select(is_closer, number, nearest[GROUPS_PER_CHUNK + v])
        return pack_registers(context, builder, nearest)

    return nearest(nearest, squares, types.int64), codegen


@intrinsic
def store_nearest(typingctx, nearest, squares, labels, index):
    """Write squared distances of GROUPS_PER_CHUNK groups to ``squares[index:]``, and center numbers to ``labels``."""

    def codegen(context, builder, signature, arguments):
        nearest = cgutils.unpack_tuple(builder, arguments[0])
        for target, values, array_type in (
            (arguments[1], nearest[:GROUPS_PER_CHUNK], signature.args[1]),
            (arguments[2], nearest[GROUPS_PER_CHUNK:], signature.args[2]),
        ):
            pointer = emit.element_pointer(context, builder, array_type, target, arguments[3])
            for v, value in enumerate(values):
                emit.store(builder, value, emit.advance_pointer(builder, pointer, v * SIMD_WIDTH))
        return context.get_dummy_value()

    return types.none(nearest, squares, labels, types.int64), codegen


@intrinsic
def add_potentials(typingctx, totals, squares, nearest_squares, row_weights, index):
    """Add to totals[c] the weighted minimum of the squared distances to center c and those to the nearest seed."""

    def codegen(context, builder, signature, arguments):
        totals, squares = cgutils.unpack_tuple(builder, arguments[0]), cgutils.unpack_tuple(builder, arguments[1])
        nearest, weights = (
            emit.element_pointer(context, builder, signature.args[position], arguments[position], arguments[4])
            for position in (2, 3)
        )
        for v in range(GROUPS_PER_CHUNK):
            nearest_square, weight = (
                emit.load(builder, emit.advance_pointer(builder, pointer, v * SIMD_WIDTH))
                for pointer in (nearest, weights)
            )
            for c in range(TILE_SIDE):
                smaller = emit.minimum(builder, squares[c * GROUPS_PER_CHUNK + v], nearest_square)
                totals[c] = emit.fma(builder, weight, smaller, totals[c])
        return pack_registers(context, builder, totals)

    return totals(totals, squares, nearest_squares, row_weights, types.int64), codegen


@kernel
def find_nearest_of_chunk(rows, group, n_columns, center):
    """Return the smallest squared distances of GROUPS_PER_CHUNK groups of rows, and the numbers of these centers."""
    request_inlining()
    request_full_width()
    nearest = _infinite_nearest()
    for k in range(0, center.shape[0], TILE_SIDE):
        nearest = _update_nearest(nearest, squared_distances_to_tile(rows, group, n_columns, center, k), k)
    return nearest


@kernel
def find_nearest_centers(state):
    """Write the nearest center of every row and its squared distance; return the weighted sum of these."""
    request_full_width()
    n_groups, n_columns, inertia = state.row_groups.shape[0], state.row_groups.shape[1], splat(0.0)
    for group in range(0, n_groups, GROUPS_PER_CHUNK):
        nearest = find_nearest_of_chunk(state.row_groups, group, n_columns, state.center)
        store_nearest(nearest, state.squares, state.labels, group * SIMD_WIDTH)
        for v in range(GROUPS_PER_CHUNK):
            place = (group + v) * SIMD_WIDTH
            inertia = fma(load(state.row_weights, place), load(state.squares, place), inertia)
    return sum_lanes(inertia)
