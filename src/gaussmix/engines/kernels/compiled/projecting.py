"""Rows times a matrix, row by row with outputs in registers: what screening asks of every row.

Outputs lie in registers (several components side by side) and rows are broadcast, so that rows are
read as they are stored and nothing is rearranged.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.engines.kernels.compiled import emit
from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.vectors import largest, pack, wide, zeros
from gaussmix.engines.kernels.machine import ABREAST, CELL_UNIT, FOUR, WIDTH


def _broadcast(across, abreast=ABREAST):
    """A function: tile[r, v] += rows[at + r * pitch] * matrix[to + v * WIDTH:] for ``abreast`` rows."""

    @intrinsic
    def broadcast(typingctx, tile, rows, at, pitch, matrix, to):
        def codegen(context, builder, signature, arguments):
            tile, rows, at, pitch, matrix, to = arguments
            number = emit.address(context, builder, signature.args[1], rows, at)
            outputs = emit.address(context, builder, signature.args[4], matrix, to)
            columns = [emit.load(builder, emit.step(builder, outputs, v * WIDTH)) for v in range(across)]
            sums = cgutils.unpack_tuple(builder, tile)
            for r in range(abreast):
                factor = emit.splat(builder, builder.load(number))
                for v in range(across):
                    sums[r * across + v] = emit.fma(builder, factor, columns[v], sums[r * across + v])
                number = builder.gep(number, [pitch])
            return pack(context, builder, sums)

        index = types.int64
        return tile(tile, rows, index, index, matrix, index), codegen

    return broadcast


def _write(across):
    """A function: target[at + r * pitch + v * WIDTH:] = tile[r, v]."""

    @intrinsic
    def write(typingctx, tile, target, at, pitch):
        def codegen(context, builder, signature, arguments):
            tile, target, at, pitch = arguments
            row = emit.address(context, builder, signature.args[1], target, at)
            for place, value in enumerate(cgutils.unpack_tuple(builder, tile)):
                emit.store(builder, value, emit.step(builder, row, place % across * WIDTH))
                if place % across == across - 1:
                    row = builder.gep(row, [pitch])
            return context.get_dummy_value()

        return types.none(tile, target, types.int64, types.int64), codegen

    return write


def _open_bits(across):
    """A function: bits of v * WIDTH + lane where (tile[r, v] + constant)^2 + extra < limit[r] for a row r."""

    @intrinsic
    def open_bits(typingctx, tile, constant, extra, at, limits, first):
        def codegen(context, builder, signature, arguments):
            tile, constant, extra, at, limits, first = arguments
            added = emit.address(context, builder, signature.args[1], constant, at)
            offset = emit.address(context, builder, signature.args[2], extra, at)
            limit = emit.address(context, builder, signature.args[4], limits, first)
            rows = [emit.splat(builder, builder.load(emit.step(builder, limit, r))) for r in range(ABREAST)]
            values, found = cgutils.unpack_tuple(builder, tile), ir.Constant(emit.INDEX, 0)
            for v in range(across):
                shift = emit.load(builder, emit.step(builder, added, v * WIDTH))
                more = emit.load(builder, emit.step(builder, offset, v * WIDTH))
                any_row = None
                for r in range(ABREAST):
                    value = builder.fadd(values[r * across + v], shift)
                    below = builder.fcmp_ordered("<", emit.fma(builder, value, value, more), rows[r])
                    any_row = below if any_row is None else builder.or_(any_row, below)
                bits = builder.zext(builder.bitcast(any_row, ir.IntType(WIDTH)), emit.INDEX)
                found = builder.or_(found, builder.shl(bits, ir.Constant(emit.INDEX, v * WIDTH)))
            return found

        index = types.int64
        return index(tile, constant, extra, index, limits, index), codegen

    return open_bits


def _best_lanes(across, abreast=ABREAST):
    """A function: for each row, where tile[r, v] + constant is larger, best becomes that and label its number."""

    @intrinsic
    def best_lanes(typingctx, best, label, tile, constant, at, numbers):
        kind = types.Tuple((best, label))

        def codegen(context, builder, signature, arguments):
            best, label, tile, constant, at, numbers = arguments
            best, label = cgutils.unpack_tuple(builder, best), cgutils.unpack_tuple(builder, label)
            values = cgutils.unpack_tuple(builder, tile)
            added = emit.address(context, builder, signature.args[3], constant, at)
            number = emit.address(context, builder, signature.args[5], numbers, at)
            for v in range(across):
                shift = emit.load(builder, emit.step(builder, added, v * WIDTH))
                name = emit.load(builder, emit.step(builder, number, v * WIDTH))
                for r in range(abreast):
                    value = builder.fadd(values[r * across + v], shift)
                    label[r] = emit.greater(builder, value, best[r], name, label[r])
                    best[r] = emit.greater(builder, value, best[r], value, best[r])
            return context.make_tuple(builder, kind, [pack(context, builder, best), pack(context, builder, label)])

        return kind(best, label, tile, constant, types.int64, numbers), codegen

    return best_lanes


@intrinsic
def write_labels(typingctx, best, label, target, at):
    """The label of the best lane of each row, to ``target[at:]`` (integers); the first of equals."""

    def codegen(context, builder, signature, arguments):
        best, label, target, at = arguments
        pointer = emit.address(context, builder, signature.args[2], target, at)
        pairs = zip(cgutils.unpack_tuple(builder, best), cgutils.unpack_tuple(builder, label), strict=True)
        for row, (value, name) in enumerate(pairs):
            number = emit.label_of_largest(builder, value, name)
            builder.store(builder.fptosi(number, emit.INDEX), emit.step(builder, pointer, row))
        return context.get_dummy_value()

    return types.none(best, label, target, types.int64), codegen


def _row_functions(across):
    """Functions for ``across`` registers of outputs: their product, which of them are open, the best of them."""
    broadcast, open_bits, size = _broadcast(across), _open_bits(across), ABREAST * across

    @kernel
    def multiply_rows(rows, at, pitch, depth, matrix, to, n_outputs):
        wide()
        tile = zeros(size)
        for j in range(depth):
            tile = broadcast(tile, rows, at + j, pitch, matrix, to + j * n_outputs)
        return tile

    @kernel
    def open_outputs(rows, at, pitch, depth, matrix, begin, to, n_outputs, constant, extra, place, limits, first):
        """Bits of the outputs from ``to`` on that are open to one of ABREAST rows."""
        wide()
        tile = multiply_rows(rows, at, pitch, depth, matrix, begin + to, n_outputs)
        return open_bits(tile, constant, extra, place + to, limits, first)

    return multiply_rows, open_outputs, _best_lanes(across)


_multiply_1, open_outputs_1, _best_1 = _row_functions(1)
_multiply_2, open_outputs_2, _best_2 = _row_functions(2)
_multiply_4, open_outputs_4, _best_4 = _row_functions(4)
_write_1, _write_2 = _write(1), _write(2)


@kernel
def project(rows, at, pitch, depth, matrix, n_outputs, target, to):
    """target[r, :] = rows[r, :depth] @ matrix (depth x n_outputs, a multiple of WIDTH) for ABREAST rows."""
    wide()
    output = 0
    while n_outputs - output >= 2 * WIDTH:
        _write_2(_multiply_2(rows, at, pitch, depth, matrix, output, n_outputs), target, to + output, n_outputs)
        output += 2 * WIDTH
    if output < n_outputs:
        _write_1(_multiply_1(rows, at, pitch, depth, matrix, output, n_outputs), target, to + output, n_outputs)


@kernel
def nearest(rows, at, pitch, depth, matrix, constant, numbers, n_outputs, lowest, labels, to):
    """The number of the largest of rows[r, :depth] @ matrix + constant for ABREAST rows, to ``labels[to:]``."""
    wide()
    best, label = lowest, zeros(ABREAST)
    output = 0
    while n_outputs - output >= 4 * WIDTH:
        tile = _multiply_4(rows, at, pitch, depth, matrix, output, n_outputs)
        best, label = _best_4(best, label, tile, constant, output, numbers)
        output += 4 * WIDTH
    while n_outputs - output >= 2 * WIDTH:
        tile = _multiply_2(rows, at, pitch, depth, matrix, output, n_outputs)
        best, label = _best_2(best, label, tile, constant, output, numbers)
        output += 2 * WIDTH
    while n_outputs - output >= WIDTH:
        tile = _multiply_1(rows, at, pitch, depth, matrix, output, n_outputs)
        best, label = _best_1(best, label, tile, constant, output, numbers)
        output += WIDTH
    write_labels(best, label, labels, to)


_broadcast_one, _best_of_one = _broadcast(4, 1), _best_lanes(4, 1)


@kernel
def nearest_in_cell(rows, at, depth, matrix, to, constant, numbers, place, size, lowest, labels, row):
    """`nearest` for one row among ``size`` outputs (a multiple of CELL_UNIT); gives the largest value."""
    wide()
    best, label = (lowest,), (lowest,)
    for output in range(0, size, CELL_UNIT):
        tile = zeros(FOUR)
        for j in range(depth):
            tile = _broadcast_one(tile, rows, at + j, 0, matrix, to + j * size + output)
        best, label = _best_of_one(best, label, tile, constant, place + output, numbers)
    write_labels(best, label, labels, row)
    return largest(best[0])
