"""Rows into a tile: working coordinates, groups of registers, weights, and whitened rows where one root serves all."""

from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.tiles import (
    centre,
    load_and_keep_square,
    load_pairs,
    load_square,
    places,
    row_block,
    store_all,
)
from gaussmix.engines.kernels.compiled.vectors import count_up, load, ones_where, store, wide
from gaussmix.engines.kernels.machine import CHUNK, TILE, VECTORS, WIDTH


@kernel
def load_rows(rows, tile, n_groups):
    """Bring rows into the first groups of the tile, in working coordinates; row by row too where there is ``flat``."""
    wide()
    n_features = rows.shrink.shape[0]
    keep = tile.flat.shape[0] > 0
    stride, pitch = tile.stride, tile.pitch
    whole = n_features // WIDTH * WIDTH
    for group in range(n_groups):
        at, to = group * stride, group * WIDTH * pitch
        place = group * WIDTH
        first = tile.positions[place]
        if n_features == 2 and not keep and tile.positions[place + WIDTH - 1] == first + WIDTH - 1:
            load_pairs(rows.stored, first, rows.shrink, rows.center, rows.scale, tile.columns, at)
            continue
        for column in range(0, whole, WIDTH):
            if keep:
                load_and_keep_square(
                    rows.stored, tile.positions, place, column, n_features, rows.shrink, rows.center, rows.scale,
                    tile.columns, at + column * WIDTH, tile.flat, to + column, pitch,
                )  # fmt: skip
            else:
                load_square(
                    rows.stored, tile.positions, place, column, n_features, rows.shrink, rows.center, rows.scale,
                    tile.columns, at + column * WIDTH, tile.flat, to, pitch,
                )  # fmt: skip
        for column in range(whole, n_features):
            shrink, center, scale = rows.shrink[column], rows.center[column], rows.scale[column]
            for lane in range(WIDTH):
                value = (rows.stored[tile.positions[place + lane], column] * shrink - center) * scale
                tile.columns[at + column * WIDTH + lane] = value
                if keep:
                    tile.flat[to + lane * pitch + column] = value


@kernel
def place_rows(tile, start, size):
    """The rows ``start`` to ``start + size`` in their order; stand-ins, copies of the last, fill up its group."""
    n_groups = (size + WIDTH - 1) // WIDTH
    for group in range(n_groups):
        count_up(tile.positions, group * WIDTH, start + group * WIDTH)
        for lane in range(WIDTH):
            tile.real[group * WIDTH + lane] = True
    for place in range(size, n_groups * WIDTH):
        tile.positions[place], tile.real[place] = start + size - 1, False
    return n_groups


@kernel
def weigh_rows(rows, tile, n_groups):
    """Weights of the tile's rows: 0 for stand-ins; a row of weight 0 stands at the centre, however far away it lies."""
    wide()
    stride, pitch, counts = tile.stride, tile.pitch, tile.counts
    if rows.weights.shape[0] == 0:
        for group in range(n_groups):
            store(counts, group * WIDTH, ones_where(tile.real, group * WIDTH))
        return
    for place in range(n_groups * WIDTH):
        counts[place] = 0.0
        if tile.real[place]:
            counts[place] = rows.weights[tile.positions[place]]
            if counts[place] == 0.0:
                group, lane = place // WIDTH, place % WIDTH
                for at in range(group * stride + lane, (group + 1) * stride, WIDTH):
                    tile.columns[at] = 0.0
                if tile.flat.shape[0] > 0:
                    tile.flat[place * pitch : (place + 1) * pitch] = 0.0


@kernel
def whiten_tile(tile, whitening, n_groups):
    """The tile in coordinates in which the common covariance is round."""
    wide()
    stride, chunk = tile.stride, tile.chunk
    n_columns = stride // WIDTH
    for g in range(0, n_groups, VECTORS):
        begins = places(tile.groups, g, n_groups - 1, stride)
        for j in range(n_columns):
            centre(chunk, j * CHUNK, tile.columns, begins, j * WIDTH, 0.0)
        at = 0
        for block in range(n_columns // TILE):
            store_all(row_block(chunk, whitening, at, block), chunk, n_columns * CHUNK)
            at += TILE * TILE * (block + 1)
            for v in range(min(VECTORS, n_groups - g)):
                for r in range(TILE):
                    value = load(chunk, n_columns * CHUNK + (r * VECTORS + v) * WIDTH)
                    store(tile.white, (g + v) * stride + (block * TILE + r) * WIDTH, value)
