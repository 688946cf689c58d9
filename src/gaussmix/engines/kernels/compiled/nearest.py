"""Hard passes that add up mass and mean alone: each row to the sums of its best component, without lists or shares."""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.engines.kernels.compiled import emit
from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.sharing import best_of_group
from gaussmix.engines.kernels.compiled.tiles import (
    SQUARE,
    add_squares_of_four,
    add_squares_of_one,
    places,
    store_all,
)
from gaussmix.engines.kernels.compiled.vectors import (
    add,
    choose,
    fma,
    item,
    load,
    multiply,
    pack,
    put,
    splat,
    store,
    subtract,
    tile_of,
    total,
    wide,
    zeros,
)
from gaussmix.engines.kernels.machine import TILE, VECTORS, WIDTH


@intrinsic
def no_best(typingctx):
    """Best scores of VECTORS groups before any is known, minus infinity, and the numbers of their components, 0."""

    def codegen(context, builder, signature, arguments):
        return pack(context, builder, [emit.every(float("-inf"))] * VECTORS + [emit.every(0.0)] * VECTORS)

    return tile_of(2 * VECTORS)(), codegen


@intrinsic
def keep_best(typingctx, best, lengths, offset, scales, first):
    """The best scores of VECTORS groups, and whose they are, once components from ``first`` on were looked at too.

    ``lengths`` are the squared distances of one component, or of several, a register for each group.
    """

    def codegen(context, builder, signature, arguments):
        best, lengths, offset, scales, first = arguments
        best, lengths = cgutils.unpack_tuple(builder, best), cgutils.unpack_tuple(builder, lengths)
        constant = emit.address(context, builder, signature.args[2], offset, first)
        scale = emit.address(context, builder, signature.args[3], scales, first)
        for c in range(len(lengths) // VECTORS):
            size = builder.load(emit.step(builder, scale, c))
            half = builder.fmul(builder.fmul(size, size), ir.Constant(emit.DOUBLE, -0.5))
            half, most = emit.splat(builder, half), emit.splat(builder, builder.load(emit.step(builder, constant, c)))
            number = builder.sitofp(builder.add(first, emit.INDEX(c)), emit.DOUBLE)
            number = emit.splat(builder, number)
            for v in range(VECTORS):
                score = emit.fma(builder, lengths[c * VECTORS + v], half, most)
                better = builder.fcmp_ordered(">", score, best[v])
                best[v] = builder.select(better, score, best[v])
                best[VECTORS + v] = builder.select(better, number, best[VECTORS + v])
        return pack(context, builder, best)

    return best(best, lengths, offset, scales, types.int64), codegen


@kernel
def find_nearest(model, tile, n_groups):
    """The best component of each row among round ones, its number and its score, without a score leaving registers."""
    wide()
    stride, chunk, root = tile.stride, tile.chunk, model.root
    columns = tile.white if model.whitening.shape[0] > 0 else tile.columns
    n_columns, pitch, n_components = stride // WIDTH, model.center.shape[1], model.center.shape[0]
    by_four = n_components // TILE * TILE
    for group in range(0, n_groups, VECTORS):
        begins = places(tile.groups, group, n_groups - 1, stride)
        best = no_best()
        for k in range(0, by_four, TILE):
            lengths = zeros(SQUARE)
            for j in range(n_columns):
                lengths = add_squares_of_four(
                    lengths, columns, begins, j * WIDTH, model.center, k * pitch + j, pitch, root, 0, 0
                )
            best = keep_best(best, lengths, model.offset, root, k)
        for k in range(by_four, n_components):
            single = zeros(VECTORS)
            for j in range(n_columns):
                single = add_squares_of_one(
                    single, columns, begins, j * WIDTH, model.center, k * pitch + j, 0, root, 0, 0
                )
            best = keep_best(best, single, model.offset, root, k)
        store_all(best, chunk, 0)
        for v in range(min(VECTORS, n_groups - group)):
            store(tile.tops, (group + v) * WIDTH, load(chunk, v * WIDTH))
            store(tile.labels, (group + v) * WIDTH, load(chunk, (VECTORS + v) * WIDTH))


@intrinsic
def turn_square(typingctx, columns, at, work):
    """WIDTH registers of columns, one after the other from ``at`` on, as rows, one after the other in ``work``."""

    def codegen(context, builder, signature, arguments):
        columns, at, work = arguments
        source = emit.address(context, builder, signature.args[0], columns, at)
        target = emit.address(context, builder, signature.args[2], work, emit.INDEX(0))
        loaded = [emit.load(builder, emit.step(builder, source, c * WIDTH)) for c in range(WIDTH)]
        for lane, value in enumerate(emit.transpose(builder, loaded)):
            emit.store(builder, value, emit.step(builder, target, lane * WIDTH))
        return context.get_dummy_value()

    return types.none(columns, types.int64, work), codegen


@kernel
def add_nearest(model, tile, n_groups, are_found, sums):
    """The whole weight of every row, and its distance from the centre, to its best component, found or to be found.

    Row by row, since rows of a group seldom share a component, and registers of rows would be mostly empty. A row that
    is infinitely far from all goes to the first.
    """
    wide()
    nothing, likelihood = splat(0.0), splat(0.0)
    if not are_found:
        for group in range(n_groups):
            best_of_group(tile, group)
    width, work = model.origin.shape[1], tile.work
    for group in range(n_groups):
        count = load(tile.counts, group * WIDTH)
        likelihood = add(likelihood, choose(count, nothing, multiply(count, load(tile.tops, group * WIDTH)), nothing))
        for lane in range(WIDTH):
            k = max(int(item(tile.labels, group * WIDTH + lane)), 0)
            put(sums.mass, k, item(sums.mass, k) + item(tile.counts, group * WIDTH + lane))
        for column in range(0, tile.stride // WIDTH, WIDTH):
            turn_square(tile.columns, group * tile.stride + column * WIDTH, work)
            for lane in range(WIDTH):
                k = max(int(item(tile.labels, group * WIDTH + lane)), 0)
                at = k * width + column
                apart = subtract(load(work, lane * WIDTH), load(model.origin, at))
                share = splat(item(tile.counts, group * WIDTH + lane))
                store(sums.first, at, fma(share, apart, load(sums.first, at)))
    sums.totals[0] += total(likelihood)
