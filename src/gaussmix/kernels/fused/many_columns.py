"""Distances and moments of full covariances of a fused run for more than four columns, in tiles of registers.

A tile holds up to four rows of a product for two groups, or up to four rows and two columns of the products of a
component. So each number that is loaded serves several multiplications.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width, request_inlining
from gaussmix.kernels.codegen.simd import (
    add,
    bits_above,
    get_item,
    load,
    multiply,
    pack_registers,
    splat,
    store,
    subtract,
    zero_registers,
)
from gaussmix.kernels.machine_constants import FUSED_GROUPS_TOGETHER, FUSED_TILE_COLUMNS, SIMD_WIDTH


@kernel
def product_position(n_columns, i, j):
    """Return the position of the product of columns i and j <= i among those of a component."""
    request_inlining()
    return i * (n_columns + n_columns % FUSED_TILE_COLUMNS) + j


def _make_add_root_products(n_rows):
    """Return a function for one column: tile[r, g] += root[r] difference[g], with rows of the root n apart."""

    @intrinsic
    def add_root_products(typingctx, tile, root, root_start, n_columns, differences, difference_start):
        def codegen(context, builder, signature, arguments):
            tile, root, root_start, n_columns, differences, difference_start = arguments
            entry = emit.element_pointer(context, builder, signature.args[1], root, root_start)
            source = emit.element_pointer(context, builder, signature.args[4], differences, difference_start)
            columns = [
                emit.load(builder, emit.advance_pointer(builder, source, g * SIMD_WIDTH))
                for g in range(FUSED_GROUPS_TOGETHER)
            ]
            sums = cgutils.unpack_tuple(builder, tile)
            for r in range(n_rows):
                factor = emit.splat(builder, builder.load(entry))
                for g, column in enumerate(columns):
                    position = r * FUSED_GROUPS_TOGETHER + g
                    sums[position] = emit.fma(builder, factor, column, sums[position])
                entry = builder.gep(entry, [n_columns])
            return pack_registers(context, builder, sums)

        index = types.int64
        return tile(tile, root, index, index, differences, index), codegen

    return add_root_products


@intrinsic
def _add_squares(typingctx, norms, tile):
    """Add the squares of the rows of a tile to the norms of each group."""

    def codegen(context, builder, signature, arguments):
        norms = cgutils.unpack_tuple(builder, arguments[0])
        for position, value in enumerate(cgutils.unpack_tuple(builder, arguments[1])):
            g = position % FUSED_GROUPS_TOGETHER
            norms[g] = emit.fma(builder, value, value, norms[g])
        return pack_registers(context, builder, norms)

    return norms(norms, tile), codegen


def _make_add_row_norms(n_rows):
    """Return a kernel that adds the squares of ``n_rows`` rows of L (x - center) to the norms of two groups."""
    add_root_products, n_registers = _make_add_root_products(n_rows), n_rows * FUSED_GROUPS_TOGETHER

    @kernel
    def add_row_norms(norms, state, k, row):
        """Add the squares of the rows from ``row`` on."""
        request_inlining()
        request_full_width()
        n, tile = state.center.shape[1], zero_registers(n_registers)
        root_start = (k * n + row) * n
        for j in range(row + n_rows):  # entries above the diagonal are zero
            tile = add_root_products(
                tile, state.precision_root, root_start + j, n,
                state.difference_buffer, j * FUSED_GROUPS_TOGETHER * SIMD_WIDTH,
            )  # fmt: skip
        return _add_squares(norms, tile)

    return add_row_norms


_add_norms_of_one_row, _add_norms_of_two_rows, _add_norms_of_four_rows = (_make_add_row_norms(n) for n in (1, 2, 4))


@kernel
def many_column_distances(state, row_start, k):
    """Return the squared Mahalanobis distances of two groups from the centre of component k."""
    request_inlining()
    request_full_width()
    n, row = state.center.shape[1], 0
    for j in range(n):
        center = splat(get_item(state.center, k * n + j))
        for g in range(FUSED_GROUPS_TOGETHER):
            value = subtract(load(state.row_groups, row_start + (g * n + j) * SIMD_WIDTH), center)
            store(state.difference_buffer, (j * FUSED_GROUPS_TOGETHER + g) * SIMD_WIDTH, value)
    norms = zero_registers(FUSED_GROUPS_TOGETHER)
    while n - row >= 4:
        norms = _add_norms_of_four_rows(norms, state, k, row)
        row += 4
    if n - row >= 2:
        norms = _add_norms_of_two_rows(norms, state, k, row)
        row += 2
    if row < n:
        norms = _add_norms_of_one_row(norms, state, k, row)
    return norms


def _make_add_outer_products(n_rows):
    """Return a function for one group: tile[r, c] += weighted[r] difference[c]."""

    @intrinsic
    def add_outer_products(typingctx, tile, weighted, weighted_start, differences, difference_start):
        def codegen(context, builder, signature, arguments):
            tile, weighted, weighted_start, differences, difference_start = arguments
            left = emit.element_pointer(context, builder, signature.args[1], weighted, weighted_start)
            right = emit.element_pointer(context, builder, signature.args[3], differences, difference_start)
            columns = [
                emit.load(builder, emit.advance_pointer(builder, right, c * SIMD_WIDTH))
                for c in range(FUSED_TILE_COLUMNS)
            ]
            sums = cgutils.unpack_tuple(builder, tile)
            for r in range(n_rows):
                factor = emit.load(builder, emit.advance_pointer(builder, left, r * SIMD_WIDTH))
                for c, column in enumerate(columns):
                    sums[r * FUSED_TILE_COLUMNS + c] = emit.fma(
                        builder, factor, column, sums[r * FUSED_TILE_COLUMNS + c]
                    )
            return pack_registers(context, builder, sums)

        index = types.int64
        return tile(tile, weighted, index, differences, index), codegen

    return add_outer_products


@intrinsic
def _add_tile_to_memory(typingctx, target, start, row_stride, tile):
    """Add a tile to ``target[start:]``, whose rows are ``row_stride`` apart."""

    def codegen(context, builder, signature, arguments):
        target, start, row_stride, tile = arguments
        row = emit.element_pointer(context, builder, signature.args[0], target, start)
        values = cgutils.unpack_tuple(builder, tile)
        for first in range(0, len(values), FUSED_TILE_COLUMNS):
            for c in range(FUSED_TILE_COLUMNS):
                place = emit.advance_pointer(builder, row, c * SIMD_WIDTH)
                emit.store(builder, builder.fadd(emit.load(builder, place), values[first + c]), place)
            row = builder.gep(row, [row_stride])
        return context.get_dummy_value()

    return types.none(target, types.int64, types.int64, tile), codegen


def _make_add_product_rows(n_rows):
    """Return a kernel that adds ``n_rows`` rows of the products of a component, up to the diagonal."""
    add_outer_products, n_registers = _make_add_outer_products(n_rows), n_rows * FUSED_TILE_COLUMNS

    @kernel
    def add_product_rows(state, products, row, n_active):
        """Add the rows from ``row`` on, summed over ``n_active`` groups in the buffers."""
        request_inlining()
        request_full_width()
        row_length = state.group_differences.shape[1]
        for column in range(0, row + n_rows, FUSED_TILE_COLUMNS):
            tile, start = zero_registers(n_registers), 0
            for _ in range(n_active):
                tile = add_outer_products(
                    tile, state.group_weighted_differences, (start + row) * SIMD_WIDTH,
                    state.group_differences, (start + column) * SIMD_WIDTH,
                )  # fmt: skip
                start += row_length
            place = products + (row * row_length + column) * SIMD_WIDTH
            _add_tile_to_memory(state.lane_sums, place, row_length * SIMD_WIDTH, tile)

    return add_product_rows


_add_one_product_row, _add_two_product_rows, _add_four_product_rows = (_make_add_product_rows(n) for n in (1, 2, 4))


@kernel
def add_many_column_moments(state, k, first, stop):
    """Add mass, first moments and products of a block of groups to the sums of component k."""
    request_inlining()
    request_full_width()
    n, row, sums = state.center.shape[1], 0, k * state.lane_sums.shape[1] * SIMD_WIDTH
    n_active = _write_differences(state, k, first, stop, sums)
    products = sums + (1 + n) * SIMD_WIDTH
    while n - row >= 4:
        _add_four_product_rows(state, products, row, n_active)
        row += 4
    if n - row >= 2:
        _add_two_product_rows(state, products, row, n_active)
        row += 2
    if row < n:
        _add_one_product_row(state, products, row, n_active)


@kernel
def _write_differences(state, k, first, stop, sums):
    """Write the differences of the groups with a responsibility from the centre, and these times the responsibility.

    Add the responsibilities and the weighted differences to the sums. Return the number of groups.
    """
    request_inlining()
    request_full_width()
    n_components, n = state.center.shape
    n_active, mass, row_length = 0, load(state.lane_sums, sums), state.group_differences.shape[1]
    for group in range(first, stop):
        responsibility = load(state.responsibilities, ((group - first) * n_components + k) * SIMD_WIDTH)
        if bits_above(responsibility, 0.0) == 0:
            continue
        mass = add(mass, responsibility)
        for j in range(n):
            center = splat(get_item(state.center, k * n + j))
            difference = subtract(load(state.row_groups, (group * n + j) * SIMD_WIDTH), center)
            place = (n_active * row_length + j) * SIMD_WIDTH
            store(state.group_differences, place, difference)
            store(state.group_weighted_differences, place, multiply(responsibility, difference))
        n_active += 1
    store(state.lane_sums, sums, mass)
    for j in range(n):
        total, place = load(state.lane_sums, sums + (1 + j) * SIMD_WIDTH), j * SIMD_WIDTH
        for _ in range(n_active):
            total = add(total, load(state.group_weighted_differences, place))
            place += row_length * SIMD_WIDTH
        store(state.lane_sums, sums + (1 + j) * SIMD_WIDTH, total)
    return n_active
