"""Hard passes that need only mass and mean: add each row to the sums of its best component."""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
    add,
    fma,
    get_item,
    load,
    multiply,
    pack_registers,
    register_tuple_type,
    select_greater,
    set_item,
    splat,
    store,
    subtract,
    sum_lanes,
    zero_registers,
)
from gaussmix.kernels.machine_constants import GROUPS_PER_CHUNK, SIMD_WIDTH, TILE_SIDE
from gaussmix.kernels.passes.register_tiles import (
    REGISTERS_PER_TILE,
    add_squared_differences_1,
    add_squared_differences_4,
    group_starts,
    store_registers,
)
from gaussmix.kernels.passes.responsibilities import find_best_of_group


@intrinsic
def initial_best(typingctx):
    """Return scores of minus infinity and component numbers 0 for GROUPS_PER_CHUNK groups."""

    def codegen(context, builder, signature, arguments):
        return pack_registers(
            context,
            builder,
            [emit.constant(float("-inf"))] * GROUPS_PER_CHUNK + [emit.constant(0.0)] * GROUPS_PER_CHUNK,
        )

    return register_tuple_type(2 * GROUPS_PER_CHUNK)(), codegen


@intrinsic
def update_best(typingctx, best, squared_distances, offset, scales, first_component):
    """Update the best scores and component numbers of GROUPS_PER_CHUNK groups with further components.

    ``squared_distances`` belong to one or several components from ``first_component`` on, one register per group.
    """

    def codegen(context, builder, signature, arguments):
        best, lengths, offset, scales, first = arguments
        best, lengths = cgutils.unpack_tuple(builder, best), cgutils.unpack_tuple(builder, lengths)
        offset_pointer = emit.element_pointer(context, builder, signature.args[2], offset, first)
        scale_pointer = emit.element_pointer(context, builder, signature.args[3], scales, first)
        for c in range(len(lengths) // GROUPS_PER_CHUNK):
            root = builder.load(emit.advance_pointer(builder, scale_pointer, c))
            factor = builder.fmul(builder.fmul(root, root), ir.Constant(emit.DOUBLE_TYPE, -0.5))
            factor, component_offset = (
                emit.splat(builder, factor),
                emit.splat(builder, builder.load(emit.advance_pointer(builder, offset_pointer, c))),
            )
            number = builder.sitofp(builder.add(first, emit.INDEX_TYPE(c)), emit.DOUBLE_TYPE)
            number = emit.splat(builder, number)
            for v in range(GROUPS_PER_CHUNK):
                score = emit.fma(builder, lengths[c * GROUPS_PER_CHUNK + v], factor, component_offset)
                is_better = builder.fcmp_ordered(">", score, best[v])
                best[v] = builder.select(is_better, score, best[v])
                best[GROUPS_PER_CHUNK + v] = builder.select(is_better, number, best[GROUPS_PER_CHUNK + v])
        return pack_registers(context, builder, best)

    return best(best, squared_distances, offset, scales, types.int64), codegen


@kernel
def find_nearest_centers(model, tile, n_groups):
    """Find the best spherical component of each row, with its score; scores stay in registers."""
    request_full_width()
    stride, chunk, root = tile.group_stride, tile.chunk, model.packed_root
    columns = tile.whitened_columns if model.whitening.shape[0] > 0 else tile.columns
    n_columns, center_stride, n_components = stride // SIMD_WIDTH, model.center.shape[1], model.center.shape[0]
    n_in_fours = n_components // TILE_SIDE * TILE_SIDE
    for group in range(0, n_groups, GROUPS_PER_CHUNK):
        begins = group_starts(tile.groups, group, n_groups - 1, stride)
        best = initial_best()
        for k in range(0, n_in_fours, TILE_SIDE):
            norms = zero_registers(REGISTERS_PER_TILE)
            for j in range(n_columns):
                norms = add_squared_differences_4(
                    norms,
                    columns,
                    begins,
                    j * SIMD_WIDTH,
                    model.center,
                    k * center_stride + j,
                    center_stride,
                    root,
                    0,
                    0,
                )
            best = update_best(best, norms, model.offset, root, k)
        for k in range(n_in_fours, n_components):
            one_norm = zero_registers(GROUPS_PER_CHUNK)
            for j in range(n_columns):
                one_norm = add_squared_differences_1(
                    one_norm, columns, begins, j * SIMD_WIDTH, model.center, k * center_stride + j, 0, root, 0, 0
                )
            best = update_best(best, one_norm, model.offset, root, k)
        store_registers(best, chunk, 0)
        for v in range(min(GROUPS_PER_CHUNK, n_groups - group)):
            store(tile.best_scores, (group + v) * SIMD_WIDTH, load(chunk, v * SIMD_WIDTH))
            store(tile.labels, (group + v) * SIMD_WIDTH, load(chunk, (GROUPS_PER_CHUNK + v) * SIMD_WIDTH))


@intrinsic
def transpose_square(typingctx, columns, start, workspace):
    """Transpose SIMD_WIDTH registers of columns from ``start`` on into rows in ``workspace``."""

    def codegen(context, builder, signature, arguments):
        columns, at, target_array = arguments
        source = emit.element_pointer(context, builder, signature.args[0], columns, at)
        target = emit.element_pointer(context, builder, signature.args[2], target_array, emit.INDEX_TYPE(0))
        loaded = [emit.load(builder, emit.advance_pointer(builder, source, c * SIMD_WIDTH)) for c in range(SIMD_WIDTH)]
        for lane, value in enumerate(emit.transpose(builder, loaded)):
            emit.store(builder, value, emit.advance_pointer(builder, target, lane * SIMD_WIDTH))
        return context.get_dummy_value()

    return types.none(columns, types.int64, workspace), codegen


@kernel
def accumulate_nearest(model, tile, n_groups, has_labels, sums):
    """Add every row's weight and its difference from the centre to its best component.

    Rows are added one by one, because rows of a group seldom have the same component. A row that is
    infinitely far from all components is added to the first.
    """
    request_full_width()
    zero, likelihood = splat(0.0), splat(0.0)
    if not has_labels:
        for group in range(n_groups):
            find_best_of_group(tile, group)
    row_length, workspace = model.row_center.shape[1], tile.workspace
    for group in range(n_groups):
        weight = load(tile.row_weights, group * SIMD_WIDTH)
        likelihood = add(
            likelihood,
            select_greater(weight, zero, multiply(weight, load(tile.best_scores, group * SIMD_WIDTH)), zero),
        )
        for lane in range(SIMD_WIDTH):
            k = max(int(get_item(tile.labels, group * SIMD_WIDTH + lane)), 0)
            set_item(sums.mass, k, get_item(sums.mass, k) + get_item(tile.row_weights, group * SIMD_WIDTH + lane))
        for column in range(0, tile.group_stride // SIMD_WIDTH, SIMD_WIDTH):
            transpose_square(tile.columns, group * tile.group_stride + column * SIMD_WIDTH, workspace)
            for lane in range(SIMD_WIDTH):
                k = max(int(get_item(tile.labels, group * SIMD_WIDTH + lane)), 0)
                center_start = k * row_length + column
                difference = subtract(load(workspace, lane * SIMD_WIDTH), load(model.row_center, center_start))
                row_weight = splat(get_item(tile.row_weights, group * SIMD_WIDTH + lane))
                store(
                    sums.first_moments,
                    center_start,
                    fma(row_weight, difference, load(sums.first_moments, center_start)),
                )
    sums.totals[0] += sum_lanes(likelihood)
