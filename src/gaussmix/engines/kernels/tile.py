"""The arrays in which a tile of rows is worked on, made once for a thread and a pass.

Scores of a group of rows and a component live in *slots*; the slots of a group lie side by side. Each
component has a *list* of the groups that it is open to, with the slot of each.
"""

import numpy as np

from gaussmix.engines.kernels.compiled.adding import BATCH, NARROW, WIDE_BATCH
from gaussmix.engines.kernels.compiled.emit import CHUNK, TILE, VECTORS, WIDTH
from gaussmix.engines.kernels.compiled.measuring import SMALL
from gaussmix.engines.kernels.compiled.values import POOLED, PRODUCTS, Model, Tile
from gaussmix.types import Array

SLOTS = 2048
"""Slots of a tile in which every pair is computed: 128 kB of scores."""

GROUPS = 32
"""Groups of a tile in which every pair is computed, if its slots allow."""


def full_tile(model: Model, n_columns: int, kind: int) -> Tile:
    """Arrays for a tile in which every pair is computed."""
    n_components = model.center.shape[0]
    n_groups = max(VECTORS, min(GROUPS, SLOTS // n_components) // VECTORS * VECTORS)
    tile = make_tile(model, n_columns, kind, n_groups, n_groups * n_components)
    pairs = np.arange(n_groups * n_components).reshape(n_groups, n_components)
    tile.first_slot[:] = np.arange(n_groups + 1) * n_components
    tile.component[:] = (pairs % n_components).ravel()
    return tile._replace(slots=np.ascontiguousarray(pairs.T))


def make_tile(model: Model, n_columns: int, kind: int, n_groups: int, n_slots: int) -> Tile:
    """Arrays for ``n_groups`` groups; what a pass does not need has length 0."""
    width, stride = model.origin.shape[1], n_columns * WIDTH
    pitch = width + WIDTH  # rows a power of two apart would share cache lines
    by_row = kind in (PRODUCTS, POOLED) and n_columns > SMALL
    batch = BATCH if width <= NARROW else WIDE_BATCH
    n_rows = n_groups * WIDTH
    return Tile(
        stride=stride,
        pitch=pitch,
        columns=aligned(n_groups * stride),
        white=aligned(n_groups * stride * bool(len(model.whitening))),
        flat=aligned(n_rows * pitch * by_row),
        chunk=aligned((n_columns + TILE) * CHUNK),
        work=aligned(max(2 * batch * pitch * by_row, 8 * WIDTH)),
        positions=np.empty(n_rows, np.int64),
        real=np.empty(n_rows, np.bool_),
        counts=aligned(n_rows),
        labels=aligned(n_rows),
        tops=aligned(n_rows),
        densities=aligned(n_rows),
        groups=np.arange(n_groups),
        first_slot=np.empty(n_groups + 1, np.int64),
        scores=aligned(n_slots * WIDTH),
        component=np.empty(n_slots, np.int64),
        active=np.empty(n_slots, np.bool_),
        members=np.empty(n_rows, np.int64),
        shares=np.empty(n_rows),
        slots=np.empty((0, 0), np.int64),
    )


def aligned(size: int) -> Array:
    """Zeros that begin on a cache line: a register that straddles two lines costs two loads."""
    numbers = np.zeros(size + 8)
    skip = -(numbers.ctypes.data // 8) % 8
    return numbers[skip : skip + size]
