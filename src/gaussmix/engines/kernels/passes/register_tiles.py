"""Tiles of registers for groups of rows: distances, linear functions, sums of squares.

Rows lie in groups of ``WIDTH``, one register per column: column j of group g begins at
``g * stride + j * WIDTH``. ``VECTORS`` groups are handled together, so that each number of a matrix is
read once for all of them, and four outputs at a time, so that each column is read once for four.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.engines.kernels.codegen import emit
from gaussmix.engines.kernels.codegen.decorators import kernel
from gaussmix.engines.kernels.codegen.simd import pack_registers, request_full_width, zero_registers
from gaussmix.engines.kernels.machine_constants import (
    COLUMNS_PER_BLOCK,
    GROUPS_PER_CHUNK,
    ROWS_PER_CHUNK,
    SIMD_WIDTH,
    TILE_SIDE,
)

REGISTERS_PER_TILE = TILE_SIDE * GROUPS_PER_CHUNK
"""Registers of a square tile: four outputs of each of VECTORS groups."""


@intrinsic
def _add_product(typingctx, tile, matrix, matrix_start, chunk, chunk_start, n_skipped_rows):
    """tile[r, v] += matrix[row + r] * chunk[column + v * WIDTH] for r >= skip (a literal)."""
    if not isinstance(n_skipped_rows, types.IntegerLiteral):
        return None
    first = n_skipped_rows.literal_value

    def codegen(context, builder, signature, arguments):
        tile, matrix, row, chunk, column, _ = arguments
        left = emit.element_pointer(context, builder, signature.args[1], matrix, row)
        right = emit.element_pointer(context, builder, signature.args[3], chunk, column)
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
def _add_squared_tile(typingctx, lengths, tile):
    """lengths[v] += sum_r tile[r, v]^2."""

    def codegen(context, builder, signature, arguments):
        lengths = cgutils.unpack_tuple(builder, arguments[0])
        for position, value in enumerate(cgutils.unpack_tuple(builder, arguments[1])):
            v = position % GROUPS_PER_CHUNK
            lengths[v] = emit.fma(builder, value, value, lengths[v])
        return pack_registers(context, builder, lengths)

    return lengths(lengths, tile), codegen


@kernel
def multiply_row_block(chunk, matrix, matrix_start, block):
    """Four outputs of the triangular product for every row of the chunk; their matrix entries begin at ``at``."""
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
    """|L x|^2 of every row x of a chunk (column-major, ``CHUNK`` rows) for a packed lower triangle L."""
    request_full_width()
    lengths = zero_registers(GROUPS_PER_CHUNK)
    for block in range(n_blocks):
        lengths = _add_squared_tile(lengths, multiply_row_block(chunk, matrix, matrix_start, block))
        matrix_start += TILE_SIDE * TILE_SIDE * (block + 1)
    return lengths


@intrinsic
def store_registers(typingctx, vectors, target, index):
    """Write registers one after the other to ``target[index:]``."""

    def codegen(context, builder, signature, arguments):
        vectors, target, index = arguments
        pointer = emit.element_pointer(context, builder, signature.args[1], target, index)
        for position, value in enumerate(cgutils.unpack_tuple(builder, vectors)):
            emit.store(builder, value, emit.advance_pointer(builder, pointer, position * SIMD_WIDTH))
        return context.get_dummy_value()

    return types.none(vectors, target, types.int64), codegen


@intrinsic
def group_starts(typingctx, groups, first, last, stride):
    """Where groups[first], groups[first + 1], ... begin, VECTORS of them; those after ``last`` repeat it."""
    kind = types.UniTuple(types.int64, GROUPS_PER_CHUNK)

    def codegen(context, builder, signature, arguments):
        groups, first, last, stride = arguments
        data = context.make_array(signature.args[0])(context, builder, groups).data
        found = []
        for v in range(GROUPS_PER_CHUNK):
            index = builder.add(first, emit.INDEX_TYPE(v))
            index = builder.select(builder.icmp_signed("<", index, last), index, last)
            found.append(builder.mul(builder.load(builder.gep(data, [index])), stride))
        return context.make_tuple(builder, kind, found)

    return kind(groups, types.int64, types.int64, types.int64), codegen


@intrinsic
def store_centered(typingctx, chunk, chunk_start, rows, begins, offset, mean):
    """chunk[at + v * WIDTH] = rows[begins[v] + offset] - mean."""

    def codegen(context, builder, signature, arguments):
        chunk, at, rows, begins, offset, mean = arguments
        target = emit.element_pointer(context, builder, signature.args[0], chunk, at)
        source = emit.element_pointer(context, builder, signature.args[2], rows, offset)
        mean = emit.splat(builder, mean)
        for v, begin in enumerate(cgutils.unpack_tuple(builder, begins)):
            value = builder.fsub(emit.load(builder, builder.gep(source, [begin])), mean)
            emit.store(builder, value, emit.advance_pointer(builder, target, v * SIMD_WIDTH))
        return context.get_dummy_value()

    return types.none(chunk, types.int64, rows, begins, types.int64, types.float64), codegen


def _make_add_squared_differences(n_components, is_scaled):
    """A function for one column: lengths[c, v] += ((rows[begins[v] + offset] - mean_c) * scale_c)^2.

    The means of ``together`` components lie ``pitch`` apart from ``at`` on, their scales (1 unless ``scaled``)
    ``root_pitch`` apart from ``root_at`` on. Each row is read once for all of them.
    """

    @intrinsic
    def axis_lengths(typingctx, lengths, rows, begins, offset, center, at, pitch, root, root_at, root_pitch):
        def codegen(context, builder, signature, arguments):
            lengths, rows, begins, offset, center, at, pitch, root, root_at, root_pitch = arguments
            source = emit.element_pointer(context, builder, signature.args[1], rows, offset)
            mean = emit.element_pointer(context, builder, signature.args[4], center, at)
            scale = emit.element_pointer(context, builder, signature.args[7], root, root_at)
            begins, lengths = cgutils.unpack_tuple(builder, begins), cgutils.unpack_tuple(builder, lengths)
            columns = [emit.load(builder, builder.gep(source, [begin])) for begin in begins]
            for c in range(n_components):
                middle = emit.splat(builder, builder.load(mean))
                factor = emit.splat(builder, builder.load(scale)) if is_scaled else None
                for v, column in enumerate(columns):
                    value = builder.fsub(column, middle)
                    value = builder.fmul(value, factor) if is_scaled else value
                    place = c * GROUPS_PER_CHUNK + v
                    lengths[place] = emit.fma(builder, value, value, lengths[place])
                mean, scale = builder.gep(mean, [pitch]), builder.gep(scale, [root_pitch])
            return pack_registers(context, builder, lengths)

        index = types.int64
        return lengths(lengths, rows, begins, index, center, index, index, root, index, index), codegen

    return axis_lengths


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
    """For BLOCK columns: sums[c] += share * x, sums[BLOCK + c] += share * x^2, with x = rows - means."""

    def codegen(context, builder, signature, arguments):
        sums, rows, at, means, column, share = arguments
        source = emit.element_pointer(context, builder, signature.args[1], rows, at)
        centres = emit.element_pointer(context, builder, signature.args[3], means, column)
        sums = cgutils.unpack_tuple(builder, sums)
        for c in range(COLUMNS_PER_BLOCK):
            mean = emit.splat(builder, builder.load(emit.advance_pointer(builder, centres, c)))
            value = builder.fsub(emit.load(builder, emit.advance_pointer(builder, source, c * SIMD_WIDTH)), mean)
            if len(sums) == COLUMNS_PER_BLOCK:
                sums[c] = emit.fma(builder, share, value, sums[c])
                continue
            shared = builder.fmul(share, value)
            sums[c] = builder.fadd(sums[c], shared)
            sums[COLUMNS_PER_BLOCK + c] = emit.fma(builder, shared, value, sums[COLUMNS_PER_BLOCK + c])
        return pack_registers(context, builder, sums)

    return sums(sums, rows, types.int64, means, types.int64, responsibilities), codegen


@intrinsic
def add_lane_sums(typingctx, vectors, target, target_start, offset):
    """target[at + c] += sum of the lanes of vectors[offset + c] for c < BLOCK; ``offset`` is a literal."""
    if not isinstance(offset, types.IntegerLiteral):
        return None
    first = offset.literal_value

    def codegen(context, builder, signature, arguments):
        vectors, target, at, _ = arguments
        vectors = cgutils.unpack_tuple(builder, vectors)[first : first + COLUMNS_PER_BLOCK]
        pointer = emit.element_pointer(context, builder, signature.args[1], target, at)
        for start in range(0, COLUMNS_PER_BLOCK, SIMD_WIDTH):
            place = emit.advance_pointer(builder, pointer, start)
            added = builder.fadd(
                emit.load(builder, place), emit.sum_each_register(builder, vectors[start : start + SIMD_WIDTH])
            )
            emit.store(builder, added, place)
        return context.get_dummy_value()

    return types.none(vectors, target, types.int64, offset), codegen


@intrinsic
def load_two_columns(typingctx, stored, row, prescale, center, scale, tile, tile_start):
    """WIDTH consecutive rows of two columns into working coordinates, one register per column."""
    single = stored.dtype == types.float32

    def codegen(context, builder, signature, arguments):
        stored, row, _, _, _, tile, at = arguments
        kinds, point = signature.args, emit.element_pointer
        source = point(context, builder, kinds[0], stored, builder.mul(row, emit.INDEX_TYPE(2)))
        load = emit.load_single if single else emit.load
        low, high = load(builder, source), load(builder, emit.advance_pointer(builder, source, SIMD_WIDTH))
        target = point(context, builder, kinds[5], tile, at)
        for column in range(2):
            value = emit.shuffle(builder, low, high, list(range(column, 2 * SIMD_WIDTH, 2)))
            shrink, center, scale = (
                emit.splat(
                    builder, builder.load(point(context, builder, kinds[i], arguments[i], emit.INDEX_TYPE(column)))
                )
                for i in (2, 3, 4)
            )
            value = builder.fmul(builder.fsub(builder.fmul(value, shrink), center), scale)
            emit.store(builder, value, emit.advance_pointer(builder, target, column * SIMD_WIDTH))
        return context.get_dummy_value()

    return types.none(stored, types.int64, prescale, center, scale, tile, types.int64), codegen


def _make_load_square(keeps_row_copies):
    """A function bringing WIDTH rows x WIDTH columns into working coordinates, one register per column.

    ``positions[place:]`` are the rows' numbers, ``n_features`` the columns of ``stored``. With ``keep``
    the rows are also written as they are to ``flat``, one after the other, ``pitch`` apart.
    """

    @intrinsic
    def load_square(
        typingctx, stored, positions, place, column, n_features, shrink, center, scale, tile, at, flat, to, pitch
    ):
        single = stored.dtype == types.float32

        def codegen(context, builder, signature, arguments):
            stored, positions, place, column, n_features, _, _, _, tile, at, flat, to, pitch = arguments
            kinds, point = signature.args, emit.element_pointer
            source = point(context, builder, kinds[0], stored, column)
            numbers = point(context, builder, kinds[1], positions, place)
            shrink, center, scale = (
                emit.load(builder, point(context, builder, kinds[i], arguments[i], column)) for i in (5, 6, 7)
            )
            line = point(context, builder, kinds[10], flat, to)
            lanes = []
            for lane in range(SIMD_WIDTH):
                number = builder.load(emit.advance_pointer(builder, numbers, lane))
                pointer = builder.gep(source, [builder.mul(number, n_features)])
                value = emit.load_single(builder, pointer) if single else emit.load(builder, pointer)
                value = builder.fmul(builder.fsub(builder.fmul(value, shrink), center), scale)
                if keeps_row_copies:
                    emit.store(builder, value, line)
                    line = builder.gep(line, [pitch])
                lanes.append(value)
            target = point(context, builder, kinds[8], tile, at)
            for c, value in enumerate(emit.transpose(builder, lanes)):
                emit.store(builder, value, emit.advance_pointer(builder, target, c * SIMD_WIDTH))
            return context.get_dummy_value()

        i = types.int64
        kinds = (stored, positions, i, i, i, shrink, center, scale, tile, i, flat, i, i)
        return types.none(*kinds), codegen

    return load_square


load_square, load_and_copy_square = _make_load_square(False), _make_load_square(True)
