"""Multiply rows by a matrix; screening projects every row this way.

Outputs (several components side by side) stay in registers and rows are broadcast, so rows are read in
the order in which they are stored.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import max_lane, pack_registers, zero_registers
from gaussmix.kernels.machine_constants import (
    COMPONENTS_PER_CELL_STEP,
    REGISTERS_PER_CELL_STEP,
    ROWS_PER_PROJECTION,
    SIMD_WIDTH,
)


def _make_multiply_add(n_registers, n_rows=ROWS_PER_PROJECTION):
    """Return a function: tile[r, v] += rows[row_start + r * row_stride] * matrix[matrix_start + v * SIMD_WIDTH:]."""

    @intrinsic
    def multiply_add(typingctx, tile, rows, row_start, row_stride, matrix, matrix_start):
        def codegen(context, builder, signature, arguments):
            tile, rows, row_start, row_stride, matrix, matrix_start = arguments
            number = emit.element_pointer(context, builder, signature.args[1], rows, row_start)
            outputs = emit.element_pointer(context, builder, signature.args[4], matrix, matrix_start)
            columns = [
                emit.load(builder, emit.advance_pointer(builder, outputs, v * SIMD_WIDTH)) for v in range(n_registers)
            ]
            sums = cgutils.unpack_tuple(builder, tile)
            for r in range(n_rows):
                factor = emit.splat(builder, builder.load(number))
                for v in range(n_registers):
                    sums[r * n_registers + v] = emit.fma(builder, factor, columns[v], sums[r * n_registers + v])
                number = builder.gep(number, [row_stride])
            return pack_registers(context, builder, sums)

        index = types.int64
        return tile(tile, rows, index, index, matrix, index), codegen

    return multiply_add


def _make_store_outputs(n_registers):
    """Return a function: target[start + r * row_stride + v * SIMD_WIDTH:] = tile[r, v]."""

    @intrinsic
    def store_outputs(typingctx, tile, target, start, row_stride):
        def codegen(context, builder, signature, arguments):
            tile, target, start, row_stride = arguments
            row = emit.element_pointer(context, builder, signature.args[1], target, start)
            for position, value in enumerate(cgutils.unpack_tuple(builder, tile)):
                emit.store(builder, value, emit.advance_pointer(builder, row, position % n_registers * SIMD_WIDTH))
                if position % n_registers == n_registers - 1:
                    row = builder.gep(row, [row_stride])
            return context.get_dummy_value()

        return types.none(tile, target, types.int64, types.int64), codegen

    return store_outputs


def _make_open_bits(n_registers):
    """Return a function that gives the bits of the outputs that are open to at least one row r.

    Output v * SIMD_WIDTH + lane is open to row r if (tile[r, v] + constant)^2 + bound_offset < limits[r].
    """

    @intrinsic
    def open_bits(typingctx, tile, constant, bound_offset, constant_start, limits, limit_start):
        def codegen(context, builder, signature, arguments):
            tile, constant, bound_offset, constant_start, limits, limit_start = arguments
            constants = emit.element_pointer(context, builder, signature.args[1], constant, constant_start)
            offsets = emit.element_pointer(context, builder, signature.args[2], bound_offset, constant_start)
            limit_pointer = emit.element_pointer(context, builder, signature.args[4], limits, limit_start)
            row_limits = [
                emit.splat(builder, builder.load(emit.advance_pointer(builder, limit_pointer, r)))
                for r in range(ROWS_PER_PROJECTION)
            ]
            values, all_bits = cgutils.unpack_tuple(builder, tile), ir.Constant(emit.INDEX_TYPE, 0)
            for v in range(n_registers):
                constant_register = emit.load(builder, emit.advance_pointer(builder, constants, v * SIMD_WIDTH))
                offset = emit.load(builder, emit.advance_pointer(builder, offsets, v * SIMD_WIDTH))
                any_row = None
                for r in range(ROWS_PER_PROJECTION):
                    value = builder.fadd(values[r * n_registers + v], constant_register)
                    below = builder.fcmp_ordered("<", emit.fma(builder, value, value, offset), row_limits[r])
                    any_row = below if any_row is None else builder.or_(any_row, below)
                bits = builder.zext(builder.bitcast(any_row, ir.IntType(SIMD_WIDTH)), emit.INDEX_TYPE)
                all_bits = builder.or_(all_bits, builder.shl(bits, ir.Constant(emit.INDEX_TYPE, v * SIMD_WIDTH)))
            return all_bits

        index = types.int64
        return index(tile, constant, bound_offset, index, limits, index), codegen

    return open_bits


def _make_update_best(n_registers, n_rows=ROWS_PER_PROJECTION):
    """Return a function that updates each row's best value and label with tile[r, v] + constant."""

    @intrinsic
    def update_best(typingctx, best, label, tile, constant, start, numbers):
        result_type = types.Tuple((best, label))

        def codegen(context, builder, signature, arguments):
            best, label, tile, constant, start, numbers = arguments
            best, label = cgutils.unpack_tuple(builder, best), cgutils.unpack_tuple(builder, label)
            values = cgutils.unpack_tuple(builder, tile)
            constants = emit.element_pointer(context, builder, signature.args[3], constant, start)
            number_pointer = emit.element_pointer(context, builder, signature.args[5], numbers, start)
            for v in range(n_registers):
                constant_register = emit.load(builder, emit.advance_pointer(builder, constants, v * SIMD_WIDTH))
                number = emit.load(builder, emit.advance_pointer(builder, number_pointer, v * SIMD_WIDTH))
                for r in range(n_rows):
                    value = builder.fadd(values[r * n_registers + v], constant_register)
                    label[r] = emit.select_greater(builder, value, best[r], number, label[r])
                    best[r] = emit.select_greater(builder, value, best[r], value, best[r])
            return context.make_tuple(
                builder, result_type, [pack_registers(context, builder, best), pack_registers(context, builder, label)]
            )

        return result_type(best, label, tile, constant, types.int64, numbers), codegen

    return update_best


@intrinsic
def store_best_labels(typingctx, best, label, target, start):
    """Write the label of each row's best lane to ``target[start:]`` (integers); ties take the smallest label."""

    def codegen(context, builder, signature, arguments):
        best, label, target, index = arguments
        pointer = emit.element_pointer(context, builder, signature.args[2], target, index)
        pairs = zip(cgutils.unpack_tuple(builder, best), cgutils.unpack_tuple(builder, label), strict=True)
        for row, (value, label_lanes) in enumerate(pairs):
            number = emit.label_of_largest(builder, value, label_lanes)
            builder.store(builder.fptosi(number, emit.INDEX_TYPE), emit.advance_pointer(builder, pointer, row))
        return context.get_dummy_value()

    return types.none(best, label, target, types.int64), codegen


def _make_row_functions(n_registers):
    """Return functions for ``n_registers`` of outputs: their product, the open ones, the update of the best."""
    multiply_add, open_bits, size = (
        _make_multiply_add(n_registers),
        _make_open_bits(n_registers),
        ROWS_PER_PROJECTION * n_registers,
    )

    @kernel
    def multiply_rows(rows, row_start, row_stride, depth, matrix, output, n_outputs):
        """Return rows @ matrix for ROWS_PER_PROJECTION rows and one tile of outputs."""
        request_full_width()
        tile = zero_registers(size)
        for j in range(depth):
            tile = multiply_add(tile, rows, row_start + j, row_stride, matrix, output + j * n_outputs)
        return tile

    @kernel
    def open_outputs(
        rows,
        row_start,
        row_stride,
        depth,
        matrix,
        matrix_start,
        output,
        n_outputs,
        constant,
        bound_offset,
        constant_start,
        limits,
        limit_start,
    ):
        """Return the bits of the outputs from ``output`` on that are open to one of ROWS_PER_PROJECTION rows."""
        request_full_width()
        tile = multiply_rows(rows, row_start, row_stride, depth, matrix, matrix_start + output, n_outputs)
        return open_bits(tile, constant, bound_offset, constant_start + output, limits, limit_start)

    return multiply_rows, open_outputs, _make_update_best(n_registers)


_multiply_rows_1, find_open_outputs_1, _update_best_1 = _make_row_functions(1)
_multiply_rows_2, find_open_outputs_2, _update_best_2 = _make_row_functions(2)
_multiply_rows_4, find_open_outputs_4, _update_best_4 = _make_row_functions(4)
_store_outputs_1, _store_outputs_2 = _make_store_outputs(1), _make_store_outputs(2)


@kernel
def project_rows(rows, row_start, row_stride, depth, matrix, n_outputs, target, target_start):
    """Compute target[r, :] = rows[r, :depth] @ matrix for ROWS_PER_PROJECTION rows.

    ``matrix`` is (depth, n_outputs); n_outputs is a multiple of SIMD_WIDTH.
    """
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
    """Write the number of the largest of rows[r, :depth] @ matrix + constant to ``labels[label_start:]``.

    It handles ROWS_PER_PROJECTION rows.
    """
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
    """Write the number of one row's largest output to ``labels[label_index]`` and return the largest value.

    ``n_outputs`` is a multiple of COMPONENTS_PER_CELL_STEP.
    """
    request_full_width()
    best, label = (lowest_score,), (lowest_score,)
    for output in range(0, n_outputs, COMPONENTS_PER_CELL_STEP):
        tile = zero_registers(REGISTERS_PER_CELL_STEP)
        for j in range(depth):
            tile = _multiply_add_one_row(tile, rows, row_start + j, 0, matrix, cell_start + j * n_outputs + output)
        best, label = _update_best_one_row(best, label, tile, constant, constant_start + output, numbers)
    store_best_labels(best, label, labels, label_index)
    return max_lane(best[0])
