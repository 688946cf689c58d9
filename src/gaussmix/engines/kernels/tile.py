"""The arrays in which a tile of rows is worked on, made once for a thread and a pass.

Scores of a group of rows and a component live in *slots*; the slots of a group lie side by side. Each
component has a *list* of the groups that it is open to, with the slot of each.
"""

import numpy as np

from gaussmix.engines.kernels.compiled.values import POOLED, PRODUCTS, Model, Screen, Sieve, Tile
from gaussmix.engines.kernels.machine import (
    ABREAST,
    BATCH,
    CHUNK,
    NARROW,
    SMALL,
    TILE,
    VECTORS,
    WIDE_BATCH,
    WIDTH,
)
from gaussmix.types import Array

SLOTS = 4096
"""Slots of a tile in which every pair is computed: 256 kB of scores."""

ROWS_EACH, FEWEST_EACH, TILE_BYTES = 64, 16, 1 << 22
"""A screened tile has this many rows for each component, or as many as fit the bytes, but not fewer than the second."""

SPARE = 16
"""Open pairs of a group, besides its candidate, for which a screened tile has room."""

GROUPS, FEWEST_GROUPS, COLUMN_BYTES = 256, 64, 1 << 18
"""Groups of a tile in which every pair is computed, if its slots allow: as many as fit the bytes, but not fewer than
the second. Every component's turn at a tile has a cost of its own, which many groups share.
"""


def full_tile(model: Model, n_columns: int, kind: int) -> Tile:
    """Arrays for a tile in which every pair is computed."""
    n_components = model.center.shape[0]
    fitting = min(GROUPS, max(FEWEST_GROUPS, COLUMN_BYTES // (8 * WIDTH * n_columns)))
    n_groups = max(VECTORS, min(fitting, SLOTS // n_components) // VECTORS * VECTORS)
    apart = n_components | 1  # an even number of slots from group to group would share cache lines
    tile = make_tile(model, n_columns, kind, n_groups, n_groups * apart)
    pairs = np.arange(n_groups)[:, None] * apart + np.arange(n_components)
    tile.first_slot[:] = pairs[:, 0]
    tile.stop_slot[:] = pairs[:, 0] + n_components
    tile.component[pairs] = np.arange(n_components)
    return tile._replace(slots=np.ascontiguousarray(pairs.T))


def screened_tile_of(model: Model, n_columns: int, kind: int, screen: Screen) -> tuple[Tile, Sieve]:
    """Arrays for tiles in which pairs are chosen, as large as cache allows: each candidate's groups are fuller then."""
    n_components = len(model.center)
    flat = (model.origin.shape[1] + WIDTH) * _is_by_row(kind, n_columns)
    row_bytes = 8 * (n_columns * (1 + bool(len(model.whitening))) + flat)
    fitting = max(256, TILE_BYTES // row_bytes, FEWEST_EACH * n_components)
    n_rows = min(ROWS_EACH * n_components, fitting) // WIDTH * WIDTH
    n_groups = n_rows // WIDTH + n_components
    room = n_groups * min(n_components, SPARE) + n_components
    tile = make_tile(model, n_columns, kind, n_groups, n_groups + room)
    pitch = _up(screen.depth)
    sieve = Sieve(
        framed=aligned(ABREAST * n_columns),
        projected=aligned(n_rows * pitch),
        gathered=aligned(max(WIDTH, ABREAST) * pitch),
        candidate=np.zeros(n_rows, dtype=np.int64),
        first_group=np.zeros(n_components + 1, dtype=np.int64),
        filled=np.zeros(n_components, dtype=np.int64),
        limits=aligned(max(WIDTH, ABREAST)),
        pair_group=np.zeros(room, dtype=np.int64),
        pair_component=np.zeros(room, dtype=np.int64),
        first_listed=np.zeros(n_components + 1, dtype=np.int64),
        list_groups=np.zeros(room + n_groups, dtype=np.int64),
        list_slots=np.zeros(room + n_groups, dtype=np.int64),
    )
    return tile, sieve


def _up(count: int) -> int:
    """The next whole number of registers."""
    return count + -count % WIDTH


def _is_by_row(kind: int, n_columns: int) -> bool:
    """Whether products may be added up row by row, which needs the rows one after the other too."""
    return kind in (PRODUCTS, POOLED) and n_columns >= SMALL


def make_tile(model: Model, n_columns: int, kind: int, n_groups: int, n_slots: int) -> Tile:
    """Arrays for ``n_groups`` groups; what a pass does not need has length 0."""
    width, stride = model.origin.shape[1], n_columns * WIDTH
    pitch = width + WIDTH  # rows a power of two apart would share cache lines
    by_row = _is_by_row(kind, n_columns)
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
        first_slot=np.empty(n_groups, np.int64),
        stop_slot=np.empty(n_groups, np.int64),
        scores=aligned(n_slots * WIDTH),
        factors=aligned(n_rows),
        present=np.empty(n_groups, np.int64),
        component=np.zeros(n_slots, np.int64),
        active=np.empty(n_slots, np.int64),
        members=np.empty(n_rows + WIDTH, np.int64),
        shares=aligned(n_rows + WIDTH),
        slots=np.empty((0, 0), np.int64),
        chosen_groups=np.empty(n_groups + 1, np.int64),
        chosen_slots=np.empty(max(n_groups, len(model.center)) + 1, np.int64),
    )


def aligned(size: int) -> Array:
    """Zeros that begin on a cache line: a register that straddles two lines costs two loads."""
    numbers = np.zeros(size + 8)
    skip = -(numbers.ctypes.data // 8) % 8
    return numbers[skip : skip + size]
