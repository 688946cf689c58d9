"""Scores of one component for the groups on its list: offset less half a squared distance."""

import numpy as np

from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.emit import CHUNK, TILE, VECTORS, WIDTH
from gaussmix.engines.kernels.compiled.small import lengths_of_2, lengths_of_4, lengths_of_8
from gaussmix.engines.kernels.compiled.tiles import add_scaled_squares, centre, places, squared_lengths, store_all
from gaussmix.engines.kernels.compiled.values import DIAGONAL, FULL
from gaussmix.engines.kernels.compiled.vectors import fma, item, load, splat, store, wide, zeros
from gaussmix.engines.kernels.machine import SMALL


@kernel
def measure_small(model, k, tile, groups, slots, begin, end):
    """`measure` for full covariances of two, four or eight columns: two groups at a time."""
    wide()
    stride, columns, scores = tile.stride, tile.columns, tile.scores
    n_columns = stride // WIDTH
    offset, half = splat(model.offset[k]), splat(-0.5)
    at, column = k * (n_columns * (n_columns + 1) // 2), k * model.center.shape[1]
    for i in range(begin, end, 2):
        other = min(i + 1, end - 1)
        first, second = item(groups, i) * stride, item(groups, other) * stride
        if n_columns == 2:
            lengths = lengths_of_2(columns, first, second, model.center, column, model.root, at)
        elif n_columns == 4:
            lengths = lengths_of_4(columns, first, second, model.center, column, model.root, at)
        else:
            lengths = lengths_of_8(columns, first, second, model.center, column, model.root, at)
        store(scores, item(slots, i) * WIDTH, fma(lengths[0], half, offset))
        store(scores, item(slots, other) * WIDTH, fma(lengths[1], half, offset))


@kernel
def measure(model, k, tile, groups, slots, begin, end):
    """Scores of component k for the groups ``groups[begin:end]``, written to their slots."""
    wide()
    stride, chunk = tile.stride, tile.chunk
    columns = tile.white if model.whitening.shape[0] > 0 else tile.columns
    n_columns = stride // WIDTH
    if model.form == FULL and n_columns <= SMALL:
        measure_small(model, k, tile, groups, slots, begin, end)
        return
    offset, half = splat(model.offset[k]), splat(-0.5)
    n_blocks = n_columns // TILE
    triangle = k * TILE * TILE * (n_blocks * (n_blocks + 1) // 2)
    for i in range(begin, end, VECTORS):
        begins = places(groups, i, end - 1, stride)
        if model.form == FULL:
            for j in range(n_columns):
                centre(chunk, j * CHUNK, columns, begins, j * WIDTH, model.center[k, j])
            lengths = squared_lengths(chunk, model.root, triangle, n_blocks)
        else:
            lengths = zeros(VECTORS)
            for j in range(n_columns):
                scale = model.root[k * n_columns + j] if model.form == DIAGONAL else model.root[k]
                lengths = add_scaled_squares(lengths, columns, begins, j * WIDTH, model.center[k, j], scale)
        store_all(lengths, chunk, 0)
        for v in range(min(VECTORS, end - i)):
            store(tile.scores, slots[i + v] * WIDTH, fma(load(chunk, v * WIDTH), half, offset))


@kernel
def add_hints(rows, tile, n_groups, n_components):
    """Scores (every pair computed) with what is known of the rows' components."""
    for place in range(n_groups * WIDTH):
        row = tile.positions[place]
        group, lane = place // WIDTH, place % WIDTH
        for k in range(n_components):
            at = (tile.first_slot[group] + k) * WIDTH + lane
            if rows.log_hints.shape[0] > 0:
                tile.scores[at] += rows.log_hints[row, k]
            elif 0 <= rows.labels[row] != k:
                tile.scores[at] = -np.inf
