"""What a compiled pass is given and what it fills: plain tuples of contiguous arrays."""

from typing import Any, NamedTuple


class Rows(NamedTuple):
    """Rows as they are stored, and how they become working coordinates: ``(x * shrink - center) * scale``.

    ``weights`` (n,), ``labels`` (n,) and ``log_hints`` (n, K) have length 0 where there are none.
    """

    stored: Any
    shrink: Any
    center: Any
    scale: Any
    weights: Any
    labels: Any
    log_hints: Any


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
    """Bounds on the scores of a row, from a few projections of it (see ``screening``).

    ``projection`` (D, depth) takes rows to the space of the bounds; ``discriminant`` (depth, outputs),
    ``constant`` and ``numbers`` find a row's candidate b there. The list of b holds the components
    ``others[first[b]:first[b + 1]]``; k of them is open to a row z with score s for b only if
    ``(z @ directions + shift)^2 + extra < 2 (tolerance - s)``. Rows farther from b than ``reach[b]``
    (squared distance) are open to all components.

    Where there are very many components a row looks first for the nearest of some ``anchors``, then among the
    components of that one's cell; only if none is ``near`` (squared distance; ``middle`` is the origin of the
    discriminants), among all.
    """

    depth: int
    projection: Any
    discriminant: Any
    constant: Any
    numbers: Any
    first: Any
    others: Any
    directions: Any
    shift: Any
    extra: Any
    reach: Any
    tolerance: float
    anchors: Any
    anchor_constant: Any
    anchor_numbers: Any
    cells: Any
    cell_constant: Any
    cell_numbers: Any
    middle: Any
    near: float


class Sieve(NamedTuple):
    """What is found out about the rows of a screened tile, in arrays that are used again.

    ``framed`` holds a few rows one after the other, ``projected`` the projections of all, ``gathered`` those
    of one group. ``candidate`` has a component for each row; the groups of candidate b are
    ``first_group[b]`` to ``first_group[b + 1]``. Open pairs besides are ``pair_group`` and ``pair_component``;
    component k's list are ``list_groups`` and
    ``list_slots`` from ``first_listed[k]`` on, ``filled`` counts while they are written.
    """

    framed: Any
    projected: Any
    gathered: Any
    candidate: Any
    first_group: Any
    filled: Any
    limits: Any
    pair_group: Any
    pair_component: Any
    first_listed: Any
    list_groups: Any
    list_slots: Any


class Tile(NamedTuple):
    """The rows at hand and everything made of them, in arrays that are used again for every tile.

    ``columns`` holds the rows in groups (one register per column, groups ``stride`` apart), ``white``
    the same in the coordinates of the distances, ``flat`` the rows one after the other (``pitch``
    apart). ``positions`` are their numbers in the block, ``counts`` their weights, ``real`` whether a
    place is a row's or a stand-in's. The slots of group g are ``first_slot[g]`` to ``stop_slot[g]``;
    each has a register of ``scores``, a ``component``, and the rows to which it is ``active``, as bits.
    Once rows are shared out, a share is ``scores`` times the ``factors`` of its group;
    the bits of ``present`` tell the rows of a group that have any weight. ``members`` and
    ``shares`` are a component's rows while they are added up; ``slots`` the lists of all components.
    ``chosen_groups`` and ``chosen_slots`` hold those of a list that matter, while it is worked on.
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
    stop_slot: Any
    scores: Any
    factors: Any
    present: Any
    component: Any
    active: Any
    members: Any
    shares: Any
    slots: Any
    chosen_groups: Any
    chosen_slots: Any


class Sums(NamedTuple):
    """What a block adds up: about the pass' centres, so that blocks simply add.

    ``totals`` are log-likelihood, entropy, and pairs whose distance was computed.
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


EVERY, MANY, FEW = 0, 1, 2
"""Which slots hold shares: every one; the active ones, in many of their lanes; the active ones, in few of them."""

FULL, DIAGONAL, SPHERICAL = 0, 1, 2
"""How distances are measured."""

NOTHING, MASS, SQUARES, PRODUCTS, POOLED = -1, 0, 1, 2, 3
"""What is added up: nothing; mass and mean; squares too; products of columns too; these for all components together."""


class Whole(NamedTuple):
    """Everything that a whole run over few rows reads and writes.

    ``rows`` (n, D) in working coordinates, their ``weights`` (n,) and ``known`` components (n,), -1 where unknown, of
    length 0 if there are none; the state: ``noise`` (3,), its weight, log density and mass, of length 0 if there is
    none, ``weight`` (K,), ``center`` (K, D), ``values`` (K, D) variances along ``axes`` (K, D, D), ``factor``, ``root``
    (its inverse) and ``covariance`` (K, D, D); what a pass adds up: ``mass``, ``first``, ``scatter``; a prior:
    ``belief`` (2,), its shrinkage and mass, of length 0 if there is none, ``location`` (D,) and ``believed`` (D, D)
    scatter; the next state; ``pairs`` of axes in the order in which they are turned; ``floor`` (D,), the least
    variances; ``trace``, the log-likelihood of every pass; and room to work in.
    """

    rows: Any
    weights: Any
    known: Any
    weight: Any
    noise: Any
    center: Any
    values: Any
    axes: Any
    factor: Any
    root: Any
    covariance: Any
    log_determinant: Any
    mass: Any
    first: Any
    scatter: Any
    belief: Any
    location: Any
    believed: Any
    next_values: Any
    next_axes: Any
    next_factor: Any
    next_root: Any
    pairs: Any
    floor: Any
    trace: Any
    offset: Any
    numbers: Any
    line: Any
    apart: Any
    squares: Any
    square: Any
    along: Any
