"""Tiles of registers for groups of rows: distances, triangular products, weighted moments.

A group has SIMD_WIDTH rows, one register per column: column j of group g starts at
``g * stride + j * SIMD_WIDTH``. GROUPS_PER_CHUNK groups are processed together, so that each entry of a
matrix is loaded once for all of them. Four outputs are computed together, so that each column is
loaded once for four.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import pack_registers, zero_registers
from gaussmix.kernels.machine_constants import (
    COLUMNS_PER_BLOCK,
    GROUPS_PER_CHUNK,
    ROWS_PER_CHUNK,
    SIMD_WIDTH,
    TILE_SIDE,
)

# Registers of a square tile: four outputs for each of GROUPS_PER_CHUNK groups.
REGISTERS_PER_TILE = TILE_SIDE * GROUPS_PER_CHUNK


@intrinsic
def _add_product(typingctx, tile, matrix, matrix_start, chunk, chunk_start, n_skipped_rows):
    """Compute tile[r, v] += matrix[matrix_start + r] * chunk[chunk_start + v * SIMD_WIDTH].

    It covers r >= n_skipped_rows, which is a literal.
    """
    if not isinstance(n_skipped_rows, types.IntegerLiteral):
        return None
    first = n_skipped_rows.literal_value

    def codegen(context, builder, signature, arguments):
        tile, matrix, matrix_index, chunk, chunk_index, _ = arguments
        left = emit.element_pointer(context, builder, signature.args[1], matrix, matrix_index)
        right = emit.element_pointer(context, builder, signature.args[3], chunk, chunk_index)
        columns = [
            emit.load(builder, emit.advance_pointer(builder, right, v * SIMD_WIDTH)) for v in range(GROUPS_PER_CHUNK)
        ]
        sums = cgutils.unpack_tuple(builder, tile)
        for r in range(first, TILE_SIDE):
            factor = emit.splat(builder, builder.load(emit.advance_pointer(builder, left, r)))
            for v in range(GROUPS_PER_CHUNK):
                sums[r * GROUPS_PER_CHUNK + v] = emit.fma(builder, factor, columns[v], sums[r * GROUPS_PER_CHUNK + v])
        return pack_registers(context, builder, sums)

    return tile(tile, matrix, types.int64, chunk, types.int64, n_skipped_rows), codegen


@intrinsic
def _add_squared_tile(typingctx, norms, tile):
    """Compute norms[v] += sum_r tile[r, v]^2."""

    def codegen(context, builder, signature, arguments):
        norms = cgutils.unpack_tuple(builder, arguments[0])
        for position, value in enumerate(cgutils.unpack_tuple(builder, arguments[1])):
            v = position % GROUPS_PER_CHUNK
            norms[v] = emit.fma(builder, value, value, norms[v])
        return pack_registers(context, builder, norms)

    return norms(norms, tile), codegen


@kernel
def multiply_row_block(chunk, matrix, matrix_start, block):
    """Return four outputs of the triangular product for every row of the chunk."""
    request_full_width()
    tile = zero_registers(REGISTERS_PER_TILE)
    for j in range(TILE_SIDE * block):
        tile = _add_product(tile, matrix, matrix_start + j * TILE_SIDE, chunk, j * ROWS_PER_CHUNK, 0)
    j = TILE_SIDE * block
    tile = _add_product(tile, matrix, matrix_start + j * TILE_SIDE, chunk, j * ROWS_PER_CHUNK, 0)
    tile = _add_product(tile, matrix, matrix_start + (j + 1) * TILE_SIDE, chunk, (j + 1) * ROWS_PER_CHUNK, 1)
    tile = _add_product(tile, matrix, matrix_start + (j + 2) * TILE_SIDE, chunk, (j + 2) * ROWS_PER_CHUNK, 2)
    return _add_product(tile, matrix, matrix_start + (j + 3) * TILE_SIDE, chunk, (j + 3) * ROWS_PER_CHUNK, 3)


@kernel
def squared_norms(chunk, matrix, matrix_start, n_blocks):
    """Return |L x|^2 of every row x of a chunk (column-major) for a packed lower triangle L."""
    request_full_width()
    norms = zero_registers(GROUPS_PER_CHUNK)
    for block in range(n_blocks):
        norms = _add_squared_tile(norms, multiply_row_block(chunk, matrix, matrix_start, block))
        matrix_start += TILE_SIDE * TILE_SIDE * (block + 1)
    return norms


@intrinsic
def store_registers(typingctx, vectors, target, index):
    """Write registers one after another to ``target[index:]``."""

    def codegen(context, builder, signature, arguments):
        vectors, target, index = arguments
        pointer = emit.element_pointer(context, builder, signature.args[1], target, index)
        for position, value in enumerate(cgutils.unpack_tuple(builder, vectors)):
            emit.store(builder, value, emit.advance_pointer(builder, pointer, position * SIMD_WIDTH))
        return context.get_dummy_value()

    return types.none(vectors, target, types.int64), codegen


@intrinsic
def group_starts(typingctx, groups, first, last, stride):
    """Return the start positions of GROUPS_PER_CHUNK groups; positions after ``last`` repeat it."""
    result_type = types.UniTuple(types.int64, GROUPS_PER_CHUNK)

    def codegen(context, builder, signature, arguments):
        groups, first, last, stride = arguments
        data = context.make_array(signature.args[0])(context, builder, groups).data
        starts = []
        for v in range(GROUPS_PER_CHUNK):
            index = builder.add(first, emit.INDEX_TYPE(v))
            index = builder.select(builder.icmp_signed("<", index, last), index, last)
            starts.append(builder.mul(builder.load(builder.gep(data, [index])), stride))
        return context.make_tuple(builder, result_type, starts)

    return result_type(groups, types.int64, types.int64, types.int64), codegen


@intrinsic
def store_centered(typingctx, chunk, chunk_start, rows, begins, offset, mean):
    """Compute chunk[chunk_start + v * SIMD_WIDTH] = rows[begins[v] + offset] - mean."""

    def codegen(context, builder, signature, arguments):
        chunk, index, rows, begins, offset, mean = arguments
        target = emit.element_pointer(context, builder, signature.args[0], chunk, index)
        source = emit.element_pointer(context, builder, signature.args[2], rows, offset)
        mean = emit.splat(builder, mean)
        for v, begin in enumerate(cgutils.unpack_tuple(builder, begins)):
            value = builder.fsub(emit.load(builder, builder.gep(source, [begin])), mean)
            emit.store(builder, value, emit.advance_pointer(builder, target, v * SIMD_WIDTH))
        return context.get_dummy_value()

    return types.none(chunk, types.int64, rows, begins, types.int64, types.float64), codegen


def _make_add_squared_differences(n_components, is_scaled):
    """Return a function for one column: norms[c, v] += ((rows[begins[v] + offset] - mean_c) * scale_c)^2.

    The means of the ``n_components`` components are ``center_stride`` apart, their scales ``root_stride``
    apart (scale 1 unless ``is_scaled``). Each row is loaded once for all of them.
    """

    @intrinsic
    def add_squared_differences(
        typingctx, norms, rows, begins, offset, center, center_start, center_stride, root, root_start, root_stride
    ):
        def codegen(context, builder, signature, arguments):
            norms, rows, begins, offset, center, center_start, center_stride, root, root_start, root_stride = arguments
            source = emit.element_pointer(context, builder, signature.args[1], rows, offset)
            mean = emit.element_pointer(context, builder, signature.args[4], center, center_start)
            scale = emit.element_pointer(context, builder, signature.args[7], root, root_start)
            begins, norms = cgutils.unpack_tuple(builder, begins), cgutils.unpack_tuple(builder, norms)
            columns = [emit.load(builder, builder.gep(source, [begin])) for begin in begins]
            for c in range(n_components):
                mean_register = emit.splat(builder, builder.load(mean))
                factor = emit.splat(builder, builder.load(scale)) if is_scaled else None
                for v, column in enumerate(columns):
                    value = builder.fsub(column, mean_register)
                    value = builder.fmul(value, factor) if is_scaled else value
                    position = c * GROUPS_PER_CHUNK + v
                    norms[position] = emit.fma(builder, value, value, norms[position])
                mean, scale = builder.gep(mean, [center_stride]), builder.gep(scale, [root_stride])
            return pack_registers(context, builder, norms)

        index = types.int64
        return norms(norms, rows, begins, index, center, index, index, root, index, index), codegen

    return add_squared_differences


add_squared_differences_1, add_scaled_squared_differences_1 = (
    _make_add_squared_differences(1, False),
    _make_add_squared_differences(1, True),
)
add_squared_differences_4, add_scaled_squared_differences_4 = (
    _make_add_squared_differences(TILE_SIDE, False),
    _make_add_squared_differences(TILE_SIDE, True),
)


@intrinsic
def add_weighted_moments(typingctx, sums, rows, row_start, means, mean_start, responsibilities):
    """Add weighted differences x = rows - means, and their squares if there are sums for them.

    For COLUMNS_PER_BLOCK columns: sums[c] += r x and sums[COLUMNS_PER_BLOCK + c] += r x^2.
    """

    def codegen(context, builder, signature, arguments):
        sums, rows, index, means, mean_index, responsibility = arguments
        source = emit.element_pointer(context, builder, signature.args[1], rows, index)
        mean_pointer = emit.element_pointer(context, builder, signature.args[3], means, mean_index)
        sums = cgutils.unpack_tuple(builder, sums)
        for c in range(COLUMNS_PER_BLOCK):
            mean = emit.splat(builder, builder.load(emit.advance_pointer(builder, mean_pointer, c)))
            value = builder.fsub(emit.load(builder, emit.advance_pointer(builder, source, c * SIMD_WIDTH)), mean)
            if len(sums) == COLUMNS_PER_BLOCK:
                sums[c] = emit.fma(builder, responsibility, value, sums[c])
                continue
            weighted = builder.fmul(responsibility, value)
            sums[c] = builder.fadd(sums[c], weighted)
            sums[COLUMNS_PER_BLOCK + c] = emit.fma(builder, weighted, value, sums[COLUMNS_PER_BLOCK + c])
        return pack_registers(context, builder, sums)

    return sums(sums, rows, types.int64, means, types.int64, responsibilities), codegen


@intrinsic
def add_lane_sums(typingctx, vectors, target, target_start, offset):
    """Compute target[target_start + c] += sum of the lanes of vectors[offset + c] for c < COLUMNS_PER_BLOCK.

    ``offset`` is a literal.
    """
    if not isinstance(offset, types.IntegerLiteral):
        return None
    first = offset.literal_value

    def codegen(context, builder, signature, arguments):
        vectors, target, index, _ = arguments
        vectors = cgutils.unpack_tuple(builder, vectors)[first : first + COLUMNS_PER_BLOCK]
        pointer = emit.element_pointer(context, builder, signature.args[1], target, index)
        for start in range(0, COLUMNS_PER_BLOCK, SIMD_WIDTH):
            block_pointer = emit.advance_pointer(builder, pointer, start)
            total = builder.fadd(
                emit.load(builder, block_pointer), emit.sum_each_register(builder, vectors[start : start + SIMD_WIDTH])
            )
            emit.store(builder, total, block_pointer)
        return context.get_dummy_value()

    return types.none(vectors, target, types.int64, offset), codegen
