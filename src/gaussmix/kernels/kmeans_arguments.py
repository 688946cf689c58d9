"""The argument tuples of compiled k-means."""

from typing import NamedTuple

from gaussmix.kernels.field_types import Doubles1, Doubles2, Doubles3, Integers1


class KMeansState(NamedTuple):
    """Rows in two layouts, centers, and arrays that a run overwrites.

    ``rows`` (n, D) are in working coordinates. ``row_groups`` (n_groups, D, SIMD_WIDTH) are the same rows in groups;
    zeros of weight 0 fill up the last chunk of groups. ``row_weights``, ``squares`` and ``labels`` (n_groups *
    SIMD_WIDTH,) have one double per row: its weight, and squared distance and number of its nearest center.
    ``center`` (K', D) and ``mass`` (K',) fill whole tiles, of which ``n_clusters`` are centers. ``sums`` (K', D') are
    weighted differences from the centers. For seeds, ``center`` holds candidates, ``candidates`` (K',) their rows, and
    ``mass`` their potentials, summed lane by lane in ``potentials`` (TILE_SIDE * SIMD_WIDTH,).
    """

    rows: Doubles2
    row_groups: Doubles3
    row_weights: Doubles1
    squares: Doubles1
    labels: Doubles1
    center: Doubles2
    mass: Doubles1
    sums: Doubles2
    candidates: Integers1
    potentials: Doubles1
    n_clusters: int


class AssignmentWorkspace(NamedTuple):
    """Centers (K', D) that fill whole tiles, and arrays that hold a chunk of rows on its way to them.

    ``row_groups`` (groups of a chunk, D, SIMD_WIDTH) are the rows in working coordinates, ``row_numbers`` (rows of a
    chunk,) their positions. ``labels`` (rows of a chunk,) and ``results`` (TILE_SIDE * rows of a chunk,) are what a
    chunk gives.
    """

    center: Doubles2
    row_groups: Doubles3
    row_numbers: Integers1
    labels: Doubles1
    results: Doubles1
