"""What a compiled pass is given and what it fills: plain tuples of contiguous arrays."""

from typing import Any, NamedTuple


class Rows(NamedTuple):
    """Rows as they are stored, and how they become working coordinates: ``(x * shrink - center) * scale``.

    ``weights`` (n,), ``labels`` (n,) and ``log_prior`` (n, K) have length 0 where there are none.
    """

    stored: Any
    shrink: Any
    center: Any
    scale: Any
    weights: Any
    labels: Any
    log_prior: Any


class Model(NamedTuple):
    """Quadratics packed for the kernels.

    ``form`` is how distances are measured (`FULL`, `DIAGONAL`, `SPHERICAL`), ``root`` the packed
    triangles (full) or scales (diagonal), ``center`` (K, columns) the centres in the coordinates of
    the distances, ``origin`` (K, columns) in those of the rows: they differ where one ``whitening``
    triangle (length 0 if none) serves all components.
    """

    form: int
    offset: Any
    center: Any
    root: Any
    origin: Any
    whitening: Any


class Screen(NamedTuple):
    """Which components a row can belong to, given the distance to one candidate (see ``screening``).

    ``discriminant`` (packed) and ``constant`` find the candidate b; the components ``others[first[b]:first[b + 1]]``
    are open to rows whose squared distance to b exceeds ``radius`` of the same position, and all
    of them to rows beyond ``limit[b]``. Length 0 where every pair is to be computed.
    """

    discriminant: Any
    constant: Any
    first: Any
    others: Any
    radius: Any
    limit: Any


class Tile(NamedTuple):
    """The rows at hand and everything made of them, in arrays that are used again for every tile.

    ``columns`` holds the rows in groups (one register per column, groups ``stride`` apart), ``white``
    the same in the coordinates of the distances, ``flat`` the rows one after the other (``pitch``
    apart). ``positions`` are their numbers in the block, ``counts`` their weights, ``real`` whether a
    place is a row's or a stand-in's. The slots of group g are ``first_slot[g]`` to ``first_slot[g + 1]``;
    each has a register of ``scores``, a ``component``, and whether it is ``active``. ``members`` and
    ``shares`` are a component's rows while they are added up; ``slots`` the lists of all components.
    """

    stride: int
    pitch: int
    columns: Any
    white: Any
    flat: Any
    chunk: Any
    work: Any
    positions: Any
    real: Any
    counts: Any
    labels: Any
    tops: Any
    densities: Any
    groups: Any
    first_slot: Any
    scores: Any
    component: Any
    active: Any
    members: Any
    shares: Any
    slots: Any


class Sums(NamedTuple):
    """What a block adds up: about the pass' centres, so that blocks simply add.

    ``totals`` are log-likelihood, entropy, weight of rows, pairs whose distance was computed, and
    pairs whose share was added up.
    """

    mass: Any
    first: Any
    scatter: Any
    totals: Any


class Answers(NamedTuple):
    """What is said of each row where somebody asks: arrays over all rows, or of length 0."""

    label: Any
    top: Any
    log_density: Any
    scores: Any


FULL, DIAGONAL, SPHERICAL = 0, 1, 2
"""How distances are measured."""

NOTHING, MASS, SQUARES, PRODUCTS, POOLED = -1, 0, 1, 2, 3
"""What is added up: nothing, mass and mean, squares too, products of columns too, products for all components together."""
