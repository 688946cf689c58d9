"""Rows times a matrix, row by row with outputs in registers: what screening asks of every row.

Outputs lie in registers (several components side by side) and rows are broadcast, so that rows are
read as they are stored and nothing is rearranged.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.engines.kernels.codegen import emit
from gaussmix.engines.kernels.codegen.decorators import kernel
from gaussmix.engines.kernels.codegen.simd import max_lane, pack_registers, request_full_width, zero_registers
from gaussmix.engines.kernels.machine_constants import (
    COMPONENTS_PER_CELL_STEP,
    REGISTERS_PER_CELL_STEP,
    ROWS_PER_PROJECTION,
    SIMD_WIDTH,
)


def _make_multiply_add(n_registers, n_rows=ROWS_PER_PROJECTION):
    """A function: tile[r, v] += rows[at + r * pitch] * matrix[to + v * WIDTH:] for ``abreast`` rows."""

    @intrinsic
    def broadcast(typingctx, tile, rows, at, pitch, matrix, to):
        def codegen(context, builder, signature, arguments):
            tile, rows, at, pitch, matrix, to = arguments
            number = emit.element_pointer(context, builder, signature.args[1], rows, at)
            outputs = emit.element_pointer(context, builder, signature.args[4], matrix, to)
            columns = [
                emit.load(builder, emit.advance_pointer(builder, outputs, v * SIMD_WIDTH)) for v in range(n_registers)
            ]
            sums = cgutils.unpack_tuple(builder, tile)
            for r in range(n_rows):
                factor = emit.splat(builder, builder.load(number))
                for v in range(n_registers):
                    sums[r * n_registers + v] = emit.fma(builder, factor, columns[v], sums[r * n_registers + v])
                number = builder.gep(number, [pitch])
            return pack_registers(context, builder, sums)

        index = types.int64
        return tile(tile, rows, index, index, matrix, index), codegen

    return broadcast


def _make_store_outputs(n_registers):
    """A function: target[at + r * pitch + v * WIDTH:] = tile[r, v]."""

    @intrinsic
    def write(typingctx, tile, target, at, pitch):
        def codegen(context, builder, signature, arguments):
            tile, target, at, pitch = arguments
            row = emit.element_pointer(context, builder, signature.args[1], target, at)
            for place, value in enumerate(cgutils.unpack_tuple(builder, tile)):
                emit.store(builder, value, emit.advance_pointer(builder, row, place % n_registers * SIMD_WIDTH))
                if place % n_registers == n_registers - 1:
                    row = builder.gep(row, [pitch])
            return context.get_dummy_value()

        return types.none(tile, target, types.int64, types.int64), codegen

    return write


def _make_open_bits(n_registers):
    """A function: bits of v * WIDTH + lane where (tile[r, v] + constant)^2 + extra < limit[r] for a row r."""

    @intrinsic
    def open_bits(typingctx, tile, constant, extra, at, limits, first):
        def codegen(context, builder, signature, arguments):
            tile, constant, extra, at, limits, first = arguments
            added = emit.element_pointer(context, builder, signature.args[1], constant, at)
            offset = emit.element_pointer(context, builder, signature.args[2], extra, at)
            limit = emit.element_pointer(context, builder, signature.args[4], limits, first)
            rows = [
                emit.splat(builder, builder.load(emit.advance_pointer(builder, limit, r)))
                for r in range(ROWS_PER_PROJECTION)
            ]
            values, found = cgutils.unpack_tuple(builder, tile), ir.Constant(emit.INDEX_TYPE, 0)
            for v in range(n_registers):
                shift = emit.load(builder, emit.advance_pointer(builder, added, v * SIMD_WIDTH))
                more = emit.load(builder, emit.advance_pointer(builder, offset, v * SIMD_WIDTH))
                any_row = None
                for r in range(ROWS_PER_PROJECTION):
                    value = builder.fadd(values[r * n_registers + v], shift)
                    below = builder.fcmp_ordered("<", emit.fma(builder, value, value, more), rows[r])
                    any_row = below if any_row is None else builder.or_(any_row, below)
                bits = builder.zext(builder.bitcast(any_row, ir.IntType(SIMD_WIDTH)), emit.INDEX_TYPE)
                found = builder.or_(found, builder.shl(bits, ir.Constant(emit.INDEX_TYPE, v * SIMD_WIDTH)))
            return found

        index = types.int64
        return index(tile, constant, extra, index, limits, index), codegen

    return open_bits


def _make_update_best(n_registers, n_rows=ROWS_PER_PROJECTION):
    """A function: for each row, where tile[r, v] + constant is larger, best becomes that and label its number."""

    @intrinsic
    def best_lanes(typingctx, best, label, tile, constant, at, numbers):
        kind = types.Tuple((best, label))

        def codegen(context, builder, signature, arguments):
            best, label, tile, constant, at, numbers = arguments
            best, label = cgutils.unpack_tuple(builder, best), cgutils.unpack_tuple(builder, label)
            values = cgutils.unpack_tuple(builder, tile)
            added = emit.element_pointer(context, builder, signature.args[3], constant, at)
            number = emit.element_pointer(context, builder, signature.args[5], numbers, at)
            for v in range(n_registers):
                shift = emit.load(builder, emit.advance_pointer(builder, added, v * SIMD_WIDTH))
                name = emit.load(builder, emit.advance_pointer(builder, number, v * SIMD_WIDTH))
                for r in range(n_rows):
                    value = builder.fadd(values[r * n_registers + v], shift)
                    label[r] = emit.select_greater(builder, value, best[r], name, label[r])
                    best[r] = emit.select_greater(builder, value, best[r], value, best[r])
            return context.make_tuple(
                builder, kind, [pack_registers(context, builder, best), pack_registers(context, builder, label)]
            )

        return kind(best, label, tile, constant, types.int64, numbers), codegen

    return best_lanes


@intrinsic
def store_best_labels(typingctx, best, label, target, start):
    """The label of the best lane of each row, to ``target[at:]`` (integers); the first of equals."""

    def codegen(context, builder, signature, arguments):
        best, label, target, at = arguments
        pointer = emit.element_pointer(context, builder, signature.args[2], target, at)
        pairs = zip(cgutils.unpack_tuple(builder, best), cgutils.unpack_tuple(builder, label), strict=True)
        for row, (value, name) in enumerate(pairs):
            number = emit.label_of_largest(builder, value, name)
            builder.store(builder.fptosi(number, emit.INDEX_TYPE), emit.advance_pointer(builder, pointer, row))
        return context.get_dummy_value()

    return types.none(best, label, target, types.int64), codegen


def _make_row_functions(n_registers):
    """Functions for ``across`` registers of outputs: their product, which of them are open, the best of them."""
    broadcast, open_bits, size = (
        _make_multiply_add(n_registers),
        _make_open_bits(n_registers),
        ROWS_PER_PROJECTION * n_registers,
    )

    @kernel
    def multiply_rows(rows, at, pitch, depth, matrix, to, n_outputs):
        request_full_width()
        tile = zero_registers(size)
        for j in range(depth):
            tile = broadcast(tile, rows, at + j, pitch, matrix, to + j * n_outputs)
        return tile

    @kernel
    def open_outputs(rows, at, pitch, depth, matrix, begin, to, n_outputs, constant, extra, place, limits, first):
        """Bits of the outputs from ``to`` on that are open to one of ABREAST rows."""
        request_full_width()
        tile = multiply_rows(rows, at, pitch, depth, matrix, begin + to, n_outputs)
        return open_bits(tile, constant, extra, place + to, limits, first)

    return multiply_rows, open_outputs, _make_update_best(n_registers)


_multiply_rows_1, find_open_outputs_1, _update_best_1 = _make_row_functions(1)
_multiply_rows_2, find_open_outputs_2, _update_best_2 = _make_row_functions(2)
_multiply_rows_4, find_open_outputs_4, _update_best_4 = _make_row_functions(4)
_store_outputs_1, _store_outputs_2 = _make_store_outputs(1), _make_store_outputs(2)


@kernel
def project_rows(rows, row_start, row_stride, depth, matrix, n_outputs, target, target_start):
    """target[r, :] = rows[r, :depth] @ matrix (depth x n_outputs, a multiple of WIDTH) for ABREAST rows."""
    request_full_width()
    output = 0
    while n_outputs - output >= 2 * SIMD_WIDTH:
        _store_outputs_2(
            _multiply_rows_2(rows, row_start, row_stride, depth, matrix, output, n_outputs),
            target,
            target_start + output,
            n_outputs,
        )
        output += 2 * SIMD_WIDTH
    if output < n_outputs:
        _store_outputs_1(
            _multiply_rows_1(rows, row_start, row_stride, depth, matrix, output, n_outputs),
            target,
            target_start + output,
            n_outputs,
        )


@kernel
def find_nearest_outputs(
    rows, row_start, row_stride, depth, matrix, constant, numbers, n_outputs, lowest_scores, labels, label_start
):
    """The number of the largest of rows[r, :depth] @ matrix + constant for ABREAST rows, to ``labels[to:]``."""
    request_full_width()
    best, label = lowest_scores, zero_registers(ROWS_PER_PROJECTION)
    output = 0
    while n_outputs - output >= 4 * SIMD_WIDTH:
        tile = _multiply_rows_4(rows, row_start, row_stride, depth, matrix, output, n_outputs)
        best, label = _update_best_4(best, label, tile, constant, output, numbers)
        output += 4 * SIMD_WIDTH
    while n_outputs - output >= 2 * SIMD_WIDTH:
        tile = _multiply_rows_2(rows, row_start, row_stride, depth, matrix, output, n_outputs)
        best, label = _update_best_2(best, label, tile, constant, output, numbers)
        output += 2 * SIMD_WIDTH
    while n_outputs - output >= SIMD_WIDTH:
        tile = _multiply_rows_1(rows, row_start, row_stride, depth, matrix, output, n_outputs)
        best, label = _update_best_1(best, label, tile, constant, output, numbers)
        output += SIMD_WIDTH
    store_best_labels(best, label, labels, label_start)


_multiply_add_one_row, _update_best_one_row = _make_multiply_add(4, 1), _make_update_best(4, 1)


@kernel
def find_nearest_in_cell(
    rows,
    row_start,
    depth,
    matrix,
    cell_start,
    constant,
    numbers,
    constant_start,
    n_outputs,
    lowest_score,
    labels,
    label_index,
):
    """`nearest` for one row among ``size`` outputs (a multiple of CELL_UNIT); gives the largest value."""
    request_full_width()
    best, label = (lowest_score,), (lowest_score,)
    for output in range(0, n_outputs, COMPONENTS_PER_CELL_STEP):
        tile = zero_registers(REGISTERS_PER_CELL_STEP)
        for j in range(depth):
            tile = _multiply_add_one_row(tile, rows, row_start + j, 0, matrix, cell_start + j * n_outputs + output)
        best, label = _update_best_one_row(best, label, tile, constant, constant_start + output, numbers)
    store_best_labels(best, label, labels, label_index)
    return max_lane(best[0])
