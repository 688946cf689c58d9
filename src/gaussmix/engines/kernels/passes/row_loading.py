"""Rows into a tile: working coordinates, groups of registers, weights, and whitened rows where one root serves all."""

from gaussmix.engines.kernels.codegen.decorators import kernel
from gaussmix.engines.kernels.codegen.simd import load, ones_where_set, request_full_width, store, store_integers_from
from gaussmix.engines.kernels.machine_constants import GROUPS_PER_CHUNK, ROWS_PER_CHUNK, SIMD_WIDTH, TILE_SIDE
from gaussmix.engines.kernels.passes.register_tiles import (
    group_starts,
    load_and_copy_square,
    load_square,
    load_two_columns,
    multiply_row_block,
    store_centered,
    store_registers,
)


@kernel
def load_rows(rows, tile, n_groups):
    """Bring rows into the first groups of the tile, in working coordinates; row by row too where there is ``flat``."""
    request_full_width()
    n_features = rows.prescale.shape[0]
    keep = tile.row_copies.shape[0] > 0
    stride, pitch = tile.group_stride, tile.row_stride
    whole = n_features // SIMD_WIDTH * SIMD_WIDTH
    for group in range(n_groups):
        at, to = group * stride, group * SIMD_WIDTH * pitch
        place = group * SIMD_WIDTH
        first = tile.row_numbers[place]
        if n_features == 2 and not keep and tile.row_numbers[place + SIMD_WIDTH - 1] == first + SIMD_WIDTH - 1:
            load_two_columns(rows.stored, first, rows.prescale, rows.center, rows.scale, tile.columns, at)
            continue
        for column in range(0, whole, SIMD_WIDTH):
            if keep:
                load_and_copy_square(
                    rows.stored, tile.row_numbers, place, column, n_features, rows.prescale, rows.center, rows.scale,
                    tile.columns, at + column * SIMD_WIDTH, tile.row_copies, to + column, pitch,
                )  # fmt: skip
            else:
                load_square(
                    rows.stored, tile.row_numbers, place, column, n_features, rows.prescale, rows.center, rows.scale,
                    tile.columns, at + column * SIMD_WIDTH, tile.row_copies, to, pitch,
                )  # fmt: skip
        for column in range(whole, n_features):
            shrink, center, scale = rows.prescale[column], rows.center[column], rows.scale[column]
            for lane in range(SIMD_WIDTH):
                value = (rows.stored[tile.row_numbers[place + lane], column] * shrink - center) * scale
                tile.columns[at + column * SIMD_WIDTH + lane] = value
                if keep:
                    tile.row_copies[to + lane * pitch + column] = value


@kernel
def assign_row_positions(tile, start, size):
    """The rows ``start`` to ``start + size`` in their order; stand-ins, copies of the last, fill up its group."""
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
    """Weights of the tile's rows: 0 for stand-ins; a row of weight 0 stands at the centre, however far away it lies."""
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
                for at in range(group * stride + lane, (group + 1) * stride, SIMD_WIDTH):
                    tile.columns[at] = 0.0
                if tile.row_copies.shape[0] > 0:
                    tile.row_copies[place * pitch : (place + 1) * pitch] = 0.0


@kernel
def whiten_tile(tile, whitening, n_groups):
    """The tile in coordinates in which the common covariance is round."""
    request_full_width()
    stride, chunk = tile.group_stride, tile.chunk
    n_columns = stride // SIMD_WIDTH
    for g in range(0, n_groups, GROUPS_PER_CHUNK):
        begins = group_starts(tile.groups, g, n_groups - 1, stride)
        for j in range(n_columns):
            store_centered(chunk, j * ROWS_PER_CHUNK, tile.columns, begins, j * SIMD_WIDTH, 0.0)
        at = 0
        for block in range(n_columns // TILE_SIDE):
            store_registers(multiply_row_block(chunk, whitening, at, block), chunk, n_columns * ROWS_PER_CHUNK)
            at += TILE_SIDE * TILE_SIDE * (block + 1)
            for v in range(min(GROUPS_PER_CHUNK, n_groups - g)):
                for r in range(TILE_SIDE):
                    value = load(chunk, n_columns * ROWS_PER_CHUNK + (r * GROUPS_PER_CHUNK + v) * SIMD_WIDTH)
                    store(tile.whitened_columns, (g + v) * stride + (block * TILE_SIDE + r) * SIMD_WIDTH, value)
