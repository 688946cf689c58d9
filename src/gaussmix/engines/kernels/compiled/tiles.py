"""Tiles of registers for groups of rows: distances, linear functions, sums of squares.

Rows lie in groups of ``WIDTH``, one register per column: column j of group g begins at
``g * stride + j * WIDTH``. ``VECTORS`` groups are handled together, so that each number of a matrix is
read once for all of them, and four outputs at a time, so that each column is read once for four.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.engines.kernels.compiled import emit
from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.vectors import pack, wide, zeros
from gaussmix.engines.kernels.machine import BLOCK, CHUNK, TILE, VECTORS, WIDTH

SQUARE = TILE * VECTORS
"""Registers of a square tile: four outputs of each of VECTORS groups."""


@intrinsic
def _product(typingctx, tile, matrix, row, chunk, column, skip):
    """tile[r, v] += matrix[row + r] * chunk[column + v * WIDTH] for r >= skip (a literal)."""
    if not isinstance(skip, types.IntegerLiteral):
        return None
    first = skip.literal_value

    def codegen(context, builder, signature, arguments):
        tile, matrix, row, chunk, column, _ = arguments
        left = emit.address(context, builder, signature.args[1], matrix, row)
        right = emit.address(context, builder, signature.args[3], chunk, column)
        columns = [emit.load(builder, emit.step(builder, right, v * WIDTH)) for v in range(VECTORS)]
        sums = cgutils.unpack_tuple(builder, tile)
        for r in range(first, TILE):
            factor = emit.splat(builder, builder.load(emit.step(builder, left, r)))
            for v in range(VECTORS):
                sums[r * VECTORS + v] = emit.fma(builder, factor, columns[v], sums[r * VECTORS + v])
        return pack(context, builder, sums)

    return tile(tile, matrix, types.int64, chunk, types.int64, skip), codegen


@intrinsic
def _add_squares(typingctx, lengths, tile):
    """lengths[v] += sum_r tile[r, v]^2."""

    def codegen(context, builder, signature, arguments):
        lengths = cgutils.unpack_tuple(builder, arguments[0])
        for position, value in enumerate(cgutils.unpack_tuple(builder, arguments[1])):
            v = position % VECTORS
            lengths[v] = emit.fma(builder, value, value, lengths[v])
        return pack(context, builder, lengths)

    return lengths(lengths, tile), codegen


@kernel
def row_block(chunk, matrix, at, block):
    """Four outputs of the triangular product for every row of the chunk; their matrix entries begin at ``at``."""
    wide()
    tile = zeros(SQUARE)
    for j in range(TILE * block):
        tile = _product(tile, matrix, at + j * TILE, chunk, j * CHUNK, 0)
    j = TILE * block
    tile = _product(tile, matrix, at + j * TILE, chunk, j * CHUNK, 0)
    tile = _product(tile, matrix, at + (j + 1) * TILE, chunk, (j + 1) * CHUNK, 1)
    tile = _product(tile, matrix, at + (j + 2) * TILE, chunk, (j + 2) * CHUNK, 2)
    return _product(tile, matrix, at + (j + 3) * TILE, chunk, (j + 3) * CHUNK, 3)


@kernel
def squared_lengths(chunk, matrix, at, n_blocks):
    """|L x|^2 of every row x of a chunk (column-major, ``CHUNK`` rows) for a packed lower triangle L."""
    wide()
    lengths = zeros(VECTORS)
    for block in range(n_blocks):
        lengths = _add_squares(lengths, row_block(chunk, matrix, at, block))
        at += TILE * TILE * (block + 1)
    return lengths


@intrinsic
def store_all(typingctx, vectors, target, index):
    """Write registers one after the other to ``target[index:]``."""

    def codegen(context, builder, signature, arguments):
        vectors, target, index = arguments
        pointer = emit.address(context, builder, signature.args[1], target, index)
        for position, value in enumerate(cgutils.unpack_tuple(builder, vectors)):
            emit.store(builder, value, emit.step(builder, pointer, position * WIDTH))
        return context.get_dummy_value()

    return types.none(vectors, target, types.int64), codegen


@intrinsic
def places(typingctx, groups, first, last, stride):
    """Where groups[first], groups[first + 1], ... begin, VECTORS of them; those after ``last`` repeat it."""
    kind = types.UniTuple(types.int64, VECTORS)

    def codegen(context, builder, signature, arguments):
        groups, first, last, stride = arguments
        data = context.make_array(signature.args[0])(context, builder, groups).data
        found = []
        for v in range(VECTORS):
            index = builder.add(first, emit.INDEX(v))
            index = builder.select(builder.icmp_signed("<", index, last), index, last)
            found.append(builder.mul(builder.load(builder.gep(data, [index])), stride))
        return context.make_tuple(builder, kind, found)

    return kind(groups, types.int64, types.int64, types.int64), codegen


@intrinsic
def centre(typingctx, chunk, at, rows, begins, offset, mean):
    """chunk[at + v * WIDTH] = rows[begins[v] + offset] - mean."""

    def codegen(context, builder, signature, arguments):
        chunk, at, rows, begins, offset, mean = arguments
        target = emit.address(context, builder, signature.args[0], chunk, at)
        source = emit.address(context, builder, signature.args[2], rows, offset)
        mean = emit.splat(builder, mean)
        for v, begin in enumerate(cgutils.unpack_tuple(builder, begins)):
            value = builder.fsub(emit.load(builder, builder.gep(source, [begin])), mean)
            emit.store(builder, value, emit.step(builder, target, v * WIDTH))
        return context.get_dummy_value()

    return types.none(chunk, types.int64, rows, begins, types.int64, types.float64), codegen


def _axis_lengths(together, scaled):
    """A function for one column: lengths[c, v] += ((rows[begins[v] + offset] - mean_c) * scale_c)^2.

    The means of ``together`` components lie ``pitch`` apart from ``at`` on, their scales (1 unless ``scaled``)
    ``root_pitch`` apart from ``root_at`` on. Each row is read once for all of them.
    """

    @intrinsic
    def axis_lengths(typingctx, lengths, rows, begins, offset, center, at, pitch, root, root_at, root_pitch):
        def codegen(context, builder, signature, arguments):
            lengths, rows, begins, offset, center, at, pitch, root, root_at, root_pitch = arguments
            source = emit.address(context, builder, signature.args[1], rows, offset)
            mean = emit.address(context, builder, signature.args[4], center, at)
            scale = emit.address(context, builder, signature.args[7], root, root_at)
            begins, lengths = cgutils.unpack_tuple(builder, begins), cgutils.unpack_tuple(builder, lengths)
            columns = [emit.load(builder, builder.gep(source, [begin])) for begin in begins]
            for c in range(together):
                middle = emit.splat(builder, builder.load(mean))
                factor = emit.splat(builder, builder.load(scale)) if scaled else None
                for v, column in enumerate(columns):
                    value = builder.fsub(column, middle)
                    value = builder.fmul(value, factor) if scaled else value
                    place = c * VECTORS + v
                    lengths[place] = emit.fma(builder, value, value, lengths[place])
                mean, scale = builder.gep(mean, [pitch]), builder.gep(scale, [root_pitch])
            return pack(context, builder, lengths)

        index = types.int64
        return lengths(lengths, rows, begins, index, center, index, index, root, index, index), codegen

    return axis_lengths


add_squares_of_one, add_scaled_squares_of_one = _axis_lengths(1, False), _axis_lengths(1, True)
add_squares_of_four, add_scaled_squares_of_four = _axis_lengths(TILE, False), _axis_lengths(TILE, True)


@intrinsic
def add_moments(typingctx, sums, rows, at, means, column, share):
    """For BLOCK columns: sums[c] += share * x, sums[BLOCK + c] += share * x^2, with x = rows - means."""

    def codegen(context, builder, signature, arguments):
        sums, rows, at, means, column, share = arguments
        source = emit.address(context, builder, signature.args[1], rows, at)
        centres = emit.address(context, builder, signature.args[3], means, column)
        sums = cgutils.unpack_tuple(builder, sums)
        for c in range(BLOCK):
            mean = emit.splat(builder, builder.load(emit.step(builder, centres, c)))
            value = builder.fsub(emit.load(builder, emit.step(builder, source, c * WIDTH)), mean)
            if len(sums) == BLOCK:
                sums[c] = emit.fma(builder, share, value, sums[c])
                continue
            shared = builder.fmul(share, value)
            sums[c] = builder.fadd(sums[c], shared)
            sums[BLOCK + c] = emit.fma(builder, shared, value, sums[BLOCK + c])
        return pack(context, builder, sums)

    return sums(sums, rows, types.int64, means, types.int64, share), codegen


@intrinsic
def add_lane_sums(typingctx, vectors, target, at, offset):
    """target[at + c] += sum of the lanes of vectors[offset + c] for c < BLOCK; ``offset`` is a literal."""
    if not isinstance(offset, types.IntegerLiteral):
        return None
    first = offset.literal_value

    def codegen(context, builder, signature, arguments):
        vectors, target, at, _ = arguments
        vectors = cgutils.unpack_tuple(builder, vectors)[first : first + BLOCK]
        pointer = emit.address(context, builder, signature.args[1], target, at)
        for start in range(0, BLOCK, WIDTH):
            place = emit.step(builder, pointer, start)
            added = builder.fadd(emit.load(builder, place), emit.sums(builder, vectors[start : start + WIDTH]))
            emit.store(builder, added, place)
        return context.get_dummy_value()

    return types.none(vectors, target, types.int64, offset), codegen


@intrinsic
def load_pairs(typingctx, stored, row, shrink, center, scale, tile, at):
    """WIDTH consecutive rows of two columns into working coordinates, one register per column."""
    single = stored.dtype == types.float32

    def codegen(context, builder, signature, arguments):
        stored, row, _, _, _, tile, at = arguments
        kinds, point = signature.args, emit.address
        source = point(context, builder, kinds[0], stored, builder.mul(row, emit.INDEX(2)))
        load = emit.load_single if single else emit.load
        low, high = load(builder, source), load(builder, emit.step(builder, source, WIDTH))
        target = point(context, builder, kinds[5], tile, at)
        for column in range(2):
            value = emit.shuffle(builder, low, high, list(range(column, 2 * WIDTH, 2)))
            shrink, center, scale = (
                emit.splat(builder, builder.load(point(context, builder, kinds[i], arguments[i], emit.INDEX(column))))
                for i in (2, 3, 4)
            )
            value = builder.fmul(builder.fsub(builder.fmul(value, shrink), center), scale)
            emit.store(builder, value, emit.step(builder, target, column * WIDTH))
        return context.get_dummy_value()

    return types.none(stored, types.int64, shrink, center, scale, tile, types.int64), codegen


def _load_square(keep):
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
            kinds, point = signature.args, emit.address
            source = point(context, builder, kinds[0], stored, column)
            numbers = point(context, builder, kinds[1], positions, place)
            shrink, center, scale = (
                emit.load(builder, point(context, builder, kinds[i], arguments[i], column)) for i in (5, 6, 7)
            )
            line = point(context, builder, kinds[10], flat, to)
            lanes = []
            for lane in range(WIDTH):
                number = builder.load(emit.step(builder, numbers, lane))
                pointer = builder.gep(source, [builder.mul(number, n_features)])
                value = emit.load_single(builder, pointer) if single else emit.load(builder, pointer)
                value = builder.fmul(builder.fsub(builder.fmul(value, shrink), center), scale)
                if keep:
                    emit.store(builder, value, line)
                    line = builder.gep(line, [pitch])
                lanes.append(value)
            target = point(context, builder, kinds[8], tile, at)
            for c, value in enumerate(emit.transpose(builder, lanes)):
                emit.store(builder, value, emit.step(builder, target, c * WIDTH))
            return context.get_dummy_value()

        i = types.int64
        kinds = (stored, positions, i, i, i, shrink, center, scale, tile, i, flat, i, i)
        return types.none(*kinds), codegen

    return load_square


load_square, load_and_keep_square = _load_square(False), _load_square(True)
