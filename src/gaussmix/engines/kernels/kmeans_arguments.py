"""The argument tuple of compiled k-means."""

from typing import Any, NamedTuple


class KMeansState(NamedTuple):
    """Rows in two layouts, centers, and arrays that a run overwrites.

    ``rows`` (n, D) are in working coordinates. ``row_groups`` (n_groups, D, SIMD_WIDTH) are the same rows in groups;
    zeros of weight 0 fill up the last chunk of groups. ``row_weights``, ``squares`` and ``labels`` (n_groups *
    SIMD_WIDTH,) have one double per row: its weight, and squared distance and number of its nearest center.
    ``center`` (K', D) and ``mass`` (K',) fill whole tiles, of which ``n_clusters`` are centers. ``sums`` (K', D') are
    weighted differences from the centers. For seeds, ``center`` holds candidates, ``candidates`` (K',) their rows, and
    ``mass`` their potentials, summed lane by lane in ``potentials`` (TILE_SIDE * SIMD_WIDTH,).
    """

    rows: Any
    row_groups: Any
    row_weights: Any
    squares: Any
    labels: Any
    center: Any
    mass: Any
    sums: Any
    candidates: Any
    potentials: Any
    n_clusters: int
