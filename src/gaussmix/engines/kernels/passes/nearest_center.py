"""Hard passes that add up mass and mean alone: each row to the sums of its best component, without lists or shares."""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.engines.kernels.codegen import emit
from gaussmix.engines.kernels.codegen.decorators import kernel
from gaussmix.engines.kernels.codegen.simd import (
    add,
    fma,
    get_item,
    load,
    multiply,
    pack_registers,
    register_tuple_type,
    request_full_width,
    select_greater,
    set_item,
    splat,
    store,
    subtract,
    sum_lanes,
    zero_registers,
)
from gaussmix.engines.kernels.machine_constants import GROUPS_PER_CHUNK, SIMD_WIDTH, TILE_SIDE
from gaussmix.engines.kernels.passes.register_tiles import (
    REGISTERS_PER_TILE,
    add_squared_differences_1,
    add_squared_differences_4,
    group_starts,
    store_registers,
)
from gaussmix.engines.kernels.passes.responsibilities import find_best_of_group


@intrinsic
def initial_best(typingctx):
    """Best scores of VECTORS groups before any is known, minus infinity, and the numbers of their components, 0."""

    def codegen(context, builder, signature, arguments):
        return pack_registers(
            context,
            builder,
            [emit.constant(float("-inf"))] * GROUPS_PER_CHUNK + [emit.constant(0.0)] * GROUPS_PER_CHUNK,
        )

    return register_tuple_type(2 * GROUPS_PER_CHUNK)(), codegen


@intrinsic
def update_best(typingctx, best, squared_distances, offset, scales, first_component):
    """The best scores of VECTORS groups, and whose they are, once components from ``first`` on were looked at too.

    ``lengths`` are the squared distances of one component, or of several, a register for each group.
    """

    def codegen(context, builder, signature, arguments):
        best, lengths, offset, scales, first = arguments
        best, lengths = cgutils.unpack_tuple(builder, best), cgutils.unpack_tuple(builder, lengths)
        constant = emit.element_pointer(context, builder, signature.args[2], offset, first)
        scale = emit.element_pointer(context, builder, signature.args[3], scales, first)
        for c in range(len(lengths) // GROUPS_PER_CHUNK):
            size = builder.load(emit.advance_pointer(builder, scale, c))
            half = builder.fmul(builder.fmul(size, size), ir.Constant(emit.DOUBLE_TYPE, -0.5))
            half, most = (
                emit.splat(builder, half),
                emit.splat(builder, builder.load(emit.advance_pointer(builder, constant, c))),
            )
            number = builder.sitofp(builder.add(first, emit.INDEX_TYPE(c)), emit.DOUBLE_TYPE)
            number = emit.splat(builder, number)
            for v in range(GROUPS_PER_CHUNK):
                score = emit.fma(builder, lengths[c * GROUPS_PER_CHUNK + v], half, most)
                better = builder.fcmp_ordered(">", score, best[v])
                best[v] = builder.select(better, score, best[v])
                best[GROUPS_PER_CHUNK + v] = builder.select(better, number, best[GROUPS_PER_CHUNK + v])
        return pack_registers(context, builder, best)

    return best(best, squared_distances, offset, scales, types.int64), codegen


@kernel
def find_nearest_centers(model, tile, n_groups):
    """The best component of each row among round ones, its number and its score, without a score leaving registers."""
    request_full_width()
    stride, chunk, root = tile.group_stride, tile.chunk, model.packed_root
    columns = tile.whitened_columns if model.whitening.shape[0] > 0 else tile.columns
    n_columns, pitch, n_components = stride // SIMD_WIDTH, model.center.shape[1], model.center.shape[0]
    by_four = n_components // TILE_SIDE * TILE_SIDE
    for group in range(0, n_groups, GROUPS_PER_CHUNK):
        begins = group_starts(tile.groups, group, n_groups - 1, stride)
        best = initial_best()
        for k in range(0, by_four, TILE_SIDE):
            lengths = zero_registers(REGISTERS_PER_TILE)
            for j in range(n_columns):
                lengths = add_squared_differences_4(
                    lengths, columns, begins, j * SIMD_WIDTH, model.center, k * pitch + j, pitch, root, 0, 0
                )
            best = update_best(best, lengths, model.offset, root, k)
        for k in range(by_four, n_components):
            single = zero_registers(GROUPS_PER_CHUNK)
            for j in range(n_columns):
                single = add_squared_differences_1(
                    single, columns, begins, j * SIMD_WIDTH, model.center, k * pitch + j, 0, root, 0, 0
                )
            best = update_best(best, single, model.offset, root, k)
        store_registers(best, chunk, 0)
        for v in range(min(GROUPS_PER_CHUNK, n_groups - group)):
            store(tile.best_scores, (group + v) * SIMD_WIDTH, load(chunk, v * SIMD_WIDTH))
            store(tile.labels, (group + v) * SIMD_WIDTH, load(chunk, (GROUPS_PER_CHUNK + v) * SIMD_WIDTH))


@intrinsic
def transpose_square(typingctx, columns, start, workspace):
    """WIDTH registers of columns, one after the other from ``at`` on, as rows, one after the other in ``work``."""

    def codegen(context, builder, signature, arguments):
        columns, at, work = arguments
        source = emit.element_pointer(context, builder, signature.args[0], columns, at)
        target = emit.element_pointer(context, builder, signature.args[2], work, emit.INDEX_TYPE(0))
        loaded = [emit.load(builder, emit.advance_pointer(builder, source, c * SIMD_WIDTH)) for c in range(SIMD_WIDTH)]
        for lane, value in enumerate(emit.transpose(builder, loaded)):
            emit.store(builder, value, emit.advance_pointer(builder, target, lane * SIMD_WIDTH))
        return context.get_dummy_value()

    return types.none(columns, types.int64, workspace), codegen


@kernel
def accumulate_nearest(model, tile, n_groups, has_labels, sums):
    """The whole weight of every row, and its distance from the centre, to its best component, found or to be found.

    Row by row, since rows of a group seldom share a component, and registers of rows would be mostly empty. A row that
    is infinitely far from all goes to the first.
    """
    request_full_width()
    nothing, likelihood = splat(0.0), splat(0.0)
    if not has_labels:
        for group in range(n_groups):
            find_best_of_group(tile, group)
    width, work = model.row_center.shape[1], tile.workspace
    for group in range(n_groups):
        count = load(tile.row_weights, group * SIMD_WIDTH)
        likelihood = add(
            likelihood,
            select_greater(count, nothing, multiply(count, load(tile.best_scores, group * SIMD_WIDTH)), nothing),
        )
        for lane in range(SIMD_WIDTH):
            k = max(int(get_item(tile.labels, group * SIMD_WIDTH + lane)), 0)
            set_item(sums.mass, k, get_item(sums.mass, k) + get_item(tile.row_weights, group * SIMD_WIDTH + lane))
        for column in range(0, tile.group_stride // SIMD_WIDTH, SIMD_WIDTH):
            transpose_square(tile.columns, group * tile.group_stride + column * SIMD_WIDTH, work)
            for lane in range(SIMD_WIDTH):
                k = max(int(get_item(tile.labels, group * SIMD_WIDTH + lane)), 0)
                at = k * width + column
                apart = subtract(load(work, lane * SIMD_WIDTH), load(model.row_center, at))
                share = splat(get_item(tile.row_weights, group * SIMD_WIDTH + lane))
                store(sums.first_moments, at, fma(share, apart, load(sums.first_moments, at)))
    sums.totals[0] += sum_lanes(likelihood)
