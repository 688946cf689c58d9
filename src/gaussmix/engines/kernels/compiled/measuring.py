"""Scores of one component for the groups on its list: offset less half a squared distance."""

import numpy as np

from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.small import lengths_of_2, lengths_of_4, lengths_of_8
from gaussmix.engines.kernels.compiled.tiles import (
    SQUARE,
    add_scaled_squares_of_four,
    add_scaled_squares_of_one,
    add_squares_of_four,
    add_squares_of_one,
    centre,
    places,
    squared_lengths,
    store_all,
)
from gaussmix.engines.kernels.compiled.values import DIAGONAL, FULL, SPHERICAL
from gaussmix.engines.kernels.compiled.vectors import fma, item, load, splat, store, wide, zeros
from gaussmix.engines.kernels.machine import CHUNK, SMALL, TILE, VECTORS, WIDTH


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
    n_columns, pitch = stride // WIDTH, model.center.shape[1]
    if model.form == FULL and n_columns <= SMALL:
        measure_small(model, k, tile, groups, slots, begin, end)
        return
    offset, factor = splat(model.offset[k]), splat(half_precision(model, k))
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
                if model.form == DIAGONAL:
                    lengths = add_scaled_squares_of_one(
                        lengths,
                        columns,
                        begins,
                        j * WIDTH,
                        model.center,
                        k * pitch + j,
                        0,
                        model.root,
                        k * n_columns + j,
                        0,
                    )
                else:
                    lengths = add_squares_of_one(
                        lengths, columns, begins, j * WIDTH, model.center, k * pitch + j, 0, model.root, 0, 0
                    )
        store_all(lengths, chunk, 0)
        for v in range(min(VECTORS, end - i)):
            store(tile.scores, slots[i + v] * WIDTH, fma(load(chunk, v * WIDTH), factor, offset))


@kernel
def half_precision(model, k):
    """What a squared length of component k is multiplied by: -1/2, times the common precision of all its columns."""
    return -0.5 * model.root[k] * model.root[k] if model.form == SPHERICAL else -0.5


@kernel
def measure_all(model, tile, n_groups):
    """Scores of all components for all groups of a tile; along the axes, four components for each row read."""
    wide()
    n_components, first = model.center.shape[0], 0
    if model.form != FULL:
        first = n_components // TILE * TILE
        for k in range(0, first, TILE):
            measure_four(model, k, tile, n_groups)
    for k in range(first, n_components):
        measure(model, k, tile, tile.groups, tile.slots[k], 0, n_groups)


@kernel
def measure_four(model, k, tile, n_groups):
    """Scores of the components k to k + 3, whose covariances lie along the axes, for all groups of a tile."""
    wide()
    stride, chunk = tile.stride, tile.chunk
    columns = tile.white if model.whitening.shape[0] > 0 else tile.columns
    n_columns, pitch = stride // WIDTH, model.center.shape[1]
    for group in range(0, n_groups, VECTORS):
        begins = places(tile.groups, group, n_groups - 1, stride)
        lengths = zeros(SQUARE)
        if model.form == DIAGONAL:
            for j in range(n_columns):
                lengths = add_scaled_squares_of_four(
                    lengths, columns, begins, j * WIDTH, model.center, k * pitch + j, pitch,
                    model.root, k * n_columns + j, n_columns,
                )  # fmt: skip
        else:
            for j in range(n_columns):
                lengths = add_squares_of_four(
                    lengths, columns, begins, j * WIDTH, model.center, k * pitch + j, pitch, model.root, 0, 0
                )
        store_all(lengths, chunk, 0)
        for c in range(TILE):
            offset, factor = splat(model.offset[k + c]), splat(half_precision(model, k + c))
            for v in range(min(VECTORS, n_groups - group)):
                score = fma(load(chunk, (c * VECTORS + v) * WIDTH), factor, offset)
                store(tile.scores, tile.slots[k + c, group + v] * WIDTH, score)


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
