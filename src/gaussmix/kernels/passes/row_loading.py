"""Load rows into a tile: working coordinates, groups of registers, weights, whitened rows."""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
    get_item,
    load,
    ones_where_set,
    store,
    store_integers_from,
)
from gaussmix.kernels.machine_constants import GROUPS_PER_CHUNK, ROWS_PER_CHUNK, SIMD_WIDTH, TILE_SIDE
from gaussmix.kernels.passes.register_tiles import (
    group_starts,
    multiply_row_block,
    store_centered,
    store_registers,
)


def _stored_pointer(context, builder, array_type, stored, index, is_single):
    """Return a pointer to ``stored.ravel()[index]``, of floats if ``is_single``, else of doubles."""
    start = emit.element_pointer(context, builder, array_type, stored, emit.INDEX_TYPE(0))
    return builder.gep(builder.bitcast(start, ir.FloatType().as_pointer()) if is_single else start, [index])


@intrinsic
def _read_single(typingctx, stored, index):
    """Return the number at an index of rows that are stored as floats."""

    def codegen(context, builder, signature, arguments):
        pointer = _stored_pointer(context, builder, signature.args[0], *arguments, is_single=True)
        return builder.fpext(builder.load(pointer), emit.DOUBLE_TYPE)

    return types.float64(stored, types.int64), codegen


@kernel
def read_stored(rows, row, column):
    """Return one number of the rows as stored."""
    index = row * rows.prescale.shape[0] + column
    if rows.is_single:
        return _read_single(rows.stored, index)
    return get_item(rows.stored, index)


def _make_load_two_columns(is_single):
    """Return a function that loads SIMD_WIDTH consecutive rows of two columns into working coordinates.

    It writes one register per column.
    """

    @intrinsic
    def load_two_columns(typingctx, stored, row, prescale, center, scale, tile, tile_start):
        def codegen(context, builder, signature, arguments):
            stored, row, _, _, _, tile, index = arguments
            array_types, element_pointer = signature.args, emit.element_pointer
            source = _stored_pointer(
                context, builder, array_types[0], stored, builder.mul(row, emit.INDEX_TYPE(2)), is_single
            )
            load_register = emit.load_single if is_single else emit.load
            low, high = (
                load_register(builder, source),
                load_register(builder, emit.advance_pointer(builder, source, SIMD_WIDTH)),
            )
            target = element_pointer(context, builder, array_types[5], tile, index)
            for column in range(2):
                value = emit.shuffle(builder, low, high, list(range(column, 2 * SIMD_WIDTH, 2)))
                prescale_register, center, scale = (
                    emit.splat(
                        builder,
                        builder.load(
                            element_pointer(context, builder, array_types[i], arguments[i], emit.INDEX_TYPE(column))
                        ),
                    )
                    for i in (2, 3, 4)
                )
                value = builder.fmul(builder.fsub(builder.fmul(value, prescale_register), center), scale)
                emit.store(builder, value, emit.advance_pointer(builder, target, column * SIMD_WIDTH))
            return context.get_dummy_value()

        return types.none(stored, types.int64, prescale, center, scale, tile, types.int64), codegen

    return load_two_columns


load_two_doubles, load_two_singles = _make_load_two_columns(False), _make_load_two_columns(True)


def _make_load_square(is_single, keeps_row_copies):
    """Return a function that loads SIMD_WIDTH rows x SIMD_WIDTH columns into working coordinates.

    It writes one register per column. ``row_numbers[place:]`` are the rows, ``n_features`` the columns of
    ``stored``. If ``keeps_row_copies``, it also writes each row contiguously to ``row_copies``.
    """

    @intrinsic
    def load_square(
        typingctx, stored, row_numbers, place, column, n_features, prescale, center, scale, tile, tile_start,
        row_copies, copy_start, copy_stride,
    ):  # fmt: skip
        def codegen(context, builder, signature, arguments):
            stored, row_numbers, place, column, n_features, *_, tile, tile_start, copies, start, stride = arguments
            array_types, element_pointer = signature.args, emit.element_pointer
            source = _stored_pointer(context, builder, array_types[0], stored, column, is_single)
            numbers = element_pointer(context, builder, array_types[1], row_numbers, place)
            prescale, center, scale = (
                emit.load(builder, element_pointer(context, builder, array_types[i], arguments[i], column))
                for i in (5, 6, 7)
            )
            copy_pointer = element_pointer(context, builder, array_types[10], copies, start)
            lanes = []
            for lane in range(SIMD_WIDTH):
                number = builder.load(emit.advance_pointer(builder, numbers, lane))
                pointer = builder.gep(source, [builder.mul(number, n_features)])
                value = emit.load_single(builder, pointer) if is_single else emit.load(builder, pointer)
                value = builder.fmul(builder.fsub(builder.fmul(value, prescale), center), scale)
                if keeps_row_copies:
                    emit.store(builder, value, copy_pointer)
                    copy_pointer = builder.gep(copy_pointer, [stride])
                lanes.append(value)
            target = element_pointer(context, builder, array_types[8], tile, tile_start)
            for c, value in enumerate(emit.transpose(builder, lanes)):
                emit.store(builder, value, emit.advance_pointer(builder, target, c * SIMD_WIDTH))
            return context.get_dummy_value()

        i = types.int64
        array_types = (stored, row_numbers, i, i, i, prescale, center, scale, tile, i, row_copies, i, i)
        return types.none(*array_types), codegen

    return load_square


load_square, load_and_copy_square = _make_load_square(False, False), _make_load_square(False, True)
load_square_of_singles, load_and_copy_square_of_singles = _make_load_square(True, False), _make_load_square(True, True)


@kernel
def load_rows(rows, tile, n_groups):
    """Load rows into the first groups of the tile, in working coordinates; also contiguous copies if needed."""
    request_full_width()
    n_features = rows.prescale.shape[0]
    keeps_row_copies = tile.row_copies.shape[0] > 0
    stride, pitch = tile.group_stride, tile.row_stride
    for group in range(n_groups):
        group_start, copy_start = group * stride, group * SIMD_WIDTH * pitch
        place = group * SIMD_WIDTH
        first = tile.row_numbers[place]
        if (
            n_features == 2
            and not keeps_row_copies
            and tile.row_numbers[place + SIMD_WIDTH - 1] == first + SIMD_WIDTH - 1
        ):
            if rows.is_single:
                load_two_singles(rows.stored, first, rows.prescale, rows.center, rows.scale, tile.columns, group_start)
            else:
                load_two_doubles(rows.stored, first, rows.prescale, rows.center, rows.scale, tile.columns, group_start)
            continue
        n_loaded = load_squares(rows, tile, place, group_start, copy_start)
        for column in range(n_loaded, n_features):
            shrink, center, scale = rows.prescale[column], rows.center[column], rows.scale[column]
            for lane in range(SIMD_WIDTH):
                value = (read_stored(rows, tile.row_numbers[place + lane], column) * shrink - center) * scale
                tile.columns[group_start + column * SIMD_WIDTH + lane] = value
                if keeps_row_copies:
                    tile.row_copies[copy_start + lane * pitch + column] = value


@kernel
def load_squares(rows, tile, place, group_start, copy_start):
    """Load the columns that fill whole squares for one group of rows; return their number."""
    request_full_width()
    n_features, pitch = rows.prescale.shape[0], tile.row_stride
    n_in_squares = n_features // SIMD_WIDTH * SIMD_WIDTH
    for column in range(0, n_in_squares, SIMD_WIDTH):
        start = group_start + column * SIMD_WIDTH
        if tile.row_copies.shape[0] > 0:
            if rows.is_single:
                load_and_copy_square_of_singles(
                    rows.stored, tile.row_numbers, place, column, n_features, rows.prescale, rows.center, rows.scale,
                    tile.columns, start, tile.row_copies, copy_start + column, pitch,
                )  # fmt: skip
            else:
                load_and_copy_square(
                    rows.stored, tile.row_numbers, place, column, n_features, rows.prescale, rows.center, rows.scale,
                    tile.columns, start, tile.row_copies, copy_start + column, pitch,
                )  # fmt: skip
        elif rows.is_single:
            load_square_of_singles(
                rows.stored, tile.row_numbers, place, column, n_features, rows.prescale, rows.center, rows.scale,
                tile.columns, start, tile.row_copies, copy_start, pitch,
            )  # fmt: skip
        else:
            load_square(
                rows.stored, tile.row_numbers, place, column, n_features, rows.prescale, rows.center, rows.scale,
                tile.columns, start, tile.row_copies, copy_start, pitch,
            )  # fmt: skip
    return n_in_squares


@kernel
def assign_row_positions(tile, start, size):
    """Assign the rows ``start`` to ``start + size`` in order; copies of the last fill up its group."""
    n_groups = (size + SIMD_WIDTH - 1) // SIMD_WIDTH
    for group in range(n_groups):
        store_integers_from(tile.row_numbers, group * SIMD_WIDTH, start + group * SIMD_WIDTH)
        for lane in range(SIMD_WIDTH):
            tile.is_real[group * SIMD_WIDTH + lane] = True
    for place in range(size, n_groups * SIMD_WIDTH):
        tile.row_numbers[place], tile.is_real[place] = start + size - 1, False
    return n_groups


@kernel
def load_row_weights(rows, tile, n_groups):
    """Load the weights of the tile's rows; copies that fill up a group get weight 0.

    A row of weight 0 is moved to the centre, so that its values cannot overflow.
    """
    request_full_width()
    stride, pitch, counts = tile.group_stride, tile.row_stride, tile.row_weights
    if rows.weights.shape[0] == 0:
        for group in range(n_groups):
            store(counts, group * SIMD_WIDTH, ones_where_set(tile.is_real, group * SIMD_WIDTH))
        return
    for place in range(n_groups * SIMD_WIDTH):
        counts[place] = 0.0
        if tile.is_real[place]:
            counts[place] = rows.weights[tile.row_numbers[place]]
            if counts[place] == 0.0:
                group, lane = place // SIMD_WIDTH, place % SIMD_WIDTH
                for index in range(group * stride + lane, (group + 1) * stride, SIMD_WIDTH):
                    tile.columns[index] = 0.0
                if tile.row_copies.shape[0] > 0:
                    tile.row_copies[place * pitch : (place + 1) * pitch] = 0.0


@kernel
def whiten_tile(tile, whitening, n_groups):
    """Write the tile in coordinates in which the shared covariance is the identity."""
    request_full_width()
    stride, chunk = tile.group_stride, tile.chunk
    n_columns = stride // SIMD_WIDTH
    for first_group in range(0, n_groups, GROUPS_PER_CHUNK):
        starts = group_starts(tile.groups, first_group, n_groups - 1, stride)
        for j in range(n_columns):
            store_centered(chunk, j * ROWS_PER_CHUNK, tile.columns, starts, j * SIMD_WIDTH, 0.0)
        matrix_start = 0
        for block in range(n_columns // TILE_SIDE):
            store_registers(
                multiply_row_block(chunk, whitening, matrix_start, block), chunk, n_columns * ROWS_PER_CHUNK
            )
            matrix_start += TILE_SIDE * TILE_SIDE * (block + 1)
            for v in range(min(GROUPS_PER_CHUNK, n_groups - first_group)):
                for r in range(TILE_SIDE):
                    value = load(chunk, n_columns * ROWS_PER_CHUNK + (r * GROUPS_PER_CHUNK + v) * SIMD_WIDTH)
                    store(
                        tile.whitened_columns, (first_group + v) * stride + (block * TILE_SIDE + r) * SIMD_WIDTH, value
                    )
