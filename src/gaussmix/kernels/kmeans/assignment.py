"""Nearest centers of rows as they are stored, and their distances to all centers, in one pass without copies of rows.

A chunk of rows is brought to working coordinates in groups, and is compared with one tile of centers after the other.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import get_item, set_item
from gaussmix.kernels.kmeans.distances import find_nearest_of_chunk, squared_distances_to_tile, store_nearest
from gaussmix.kernels.machine_constants import GROUPS_PER_CHUNK, ROWS_PER_CHUNK, SIMD_WIDTH, TILE_SIDE
from gaussmix.kernels.passes.row_loading import load_square, load_square_of_singles, read_stored


@intrinsic
def _store_square_roots(typingctx, squares, target):
    """Write the square roots of registers to the beginning of ``target``, one after the other."""

    def codegen(context, builder, signature, arguments):
        pointer = emit.element_pointer(context, builder, signature.args[1], arguments[1], emit.INDEX_TYPE(0))
        kind = ir.FunctionType(emit.VECTOR_TYPE, [emit.VECTOR_TYPE])
        square_root = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{SIMD_WIDTH}f64")
        for v, square in enumerate(cgutils.unpack_tuple(builder, arguments[0])):
            root = builder.call(square_root, [square])
            emit.store(builder, root, emit.advance_pointer(builder, pointer, v * SIMD_WIDTH))
        return context.get_dummy_value()

    return types.none(squares, target), codegen


@entry_point
def assign_rows_to_centers(rows, work, labels, squares):
    """Write the number of the nearest center of each row to ``labels``, and the squared distance to ``squares``."""
    n_rows, n_columns = rows.stored.shape
    for first in range(0, n_rows, ROWS_PER_CHUNK):
        n_loaded = _load_chunk(rows, first, work)
        store_nearest(find_nearest_of_chunk(work.row_groups, 0, n_columns, work.center), work.results, work.labels, 0)
        for place in range(n_loaded):
            set_item(labels, first + place, int(get_item(work.labels, place)))
            set_item(squares, first + place, get_item(work.results, place))


@entry_point
def measure_distances_to_centers(rows, work, distances):
    """Write the distance of each row to each center to ``distances`` (n, K)."""
    n_rows, n_columns = rows.stored.shape
    n_clusters = distances.shape[1]
    for first in range(0, n_rows, ROWS_PER_CHUNK):
        n_loaded = _load_chunk(rows, first, work)
        for first_center in range(0, n_clusters, TILE_SIDE):
            squares = squared_distances_to_tile(work.row_groups, 0, n_columns, work.center, first_center)
            _store_square_roots(squares, work.results)
            n_centers = min(TILE_SIDE, n_clusters - first_center)
            for place in range(n_loaded):
                target = (first + place) * n_clusters + first_center
                for c in range(n_centers):
                    set_item(distances, target + c, get_item(work.results, c * ROWS_PER_CHUNK + place))


@kernel
def _load_chunk(rows, first, work):
    """Load a chunk of rows into groups, in working coordinates; copies of the last row fill it. Return their number."""
    request_full_width()
    n_columns, n_loaded = rows.stored.shape[1], min(ROWS_PER_CHUNK, rows.stored.shape[0] - first)
    n_in_squares = n_columns // SIMD_WIDTH * SIMD_WIDTH
    for place in range(ROWS_PER_CHUNK):
        set_item(work.row_numbers, place, first + min(place, n_loaded - 1))
    for group in range(GROUPS_PER_CHUNK):
        place = group * SIMD_WIDTH
        for column in range(0, n_in_squares, SIMD_WIDTH):
            start = (group * n_columns + column) * SIMD_WIDTH
            if rows.is_single:
                load_square_of_singles(
                    rows.stored, work.row_numbers, place, column, n_columns, rows.prescale, rows.center, rows.scale,
                    work.row_groups, start, work.results, 0, 0,
                )  # fmt: skip
            else:
                load_square(
                    rows.stored, work.row_numbers, place, column, n_columns, rows.prescale, rows.center, rows.scale,
                    work.row_groups, start, work.results, 0, 0,
                )  # fmt: skip
        for column in range(n_in_squares, n_columns):
            shrink, center = get_item(rows.prescale, column), get_item(rows.center, column)
            scale, start = get_item(rows.scale, column), (group * n_columns + column) * SIMD_WIDTH
            for lane in range(SIMD_WIDTH):
                value = read_stored(rows, get_item(work.row_numbers, place + lane), column)
                set_item(work.row_groups, start + lane, (value * shrink - center) * scale)
    return n_loaded
