"""What a compiled pass is given and what it fills: plain tuples of contiguous arrays."""

from typing import Any, NamedTuple


class RowArrays(NamedTuple):
    """Rows as they are stored, and how they become working coordinates: ``(x * shrink - center) * scale``.

    ``weights`` (n,), ``labels`` (n,) and ``log_hints`` (n, K) have length 0 where there are none.
    """

    stored: Any
    prescale: Any
    center: Any
    scale: Any
    weights: Any
    labels: Any
    log_label_prior: Any


class ModelArrays(NamedTuple):
    """Quadratics packed for the kernels.

    ``form`` is how distances are measured (`FULL`, `DIAGONAL`, `SPHERICAL`), ``root`` the packed
    triangles (full) or scales (diagonal), ``center`` (K, columns) the centres in the coordinates of
    the distances, ``origin`` (K, columns) in those of the rows: they differ where one ``whitening``
    triangle (length 0 if none) serves all components.
    """

    distance_code: int
    offset: Any
    center: Any
    packed_root: Any
    row_center: Any
    whitening: Any


class ScreeningBounds(NamedTuple):
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
    discriminant_constant: Any
    component_numbers: Any
    list_start: Any
    listed_component: Any
    directions: Any
    direction_shift: Any
    bound_offset: Any
    max_squared_distance: Any
    tolerance: float
    anchors: Any
    anchor_constant: Any
    anchor_numbers: Any
    cell_discriminant: Any
    cell_constant: Any
    cell_numbers: Any
    overall_center: Any
    max_cell_squared_distance: float


class ScreeningWorkspace(NamedTuple):
    """What is found out about the rows of a screened tile, in arrays that are used again.

    ``framed`` holds a few rows one after the other, ``projected`` the projections of all, ``gathered`` those
    of one group. ``candidate`` has a component for each row; the groups of candidate b are
    ``first_group[b]`` to ``first_group[b + 1]``. Open pairs besides are ``pair_group`` and ``pair_component``;
    component k's list are ``list_groups`` and
    ``list_slots`` from ``first_listed[k]`` on, ``filled`` counts while they are written.
    """

    transformed_rows: Any
    projected_rows: Any
    group_rows: Any
    candidate: Any
    first_group: Any
    n_filled: Any
    bound_limits: Any
    pair_group: Any
    pair_component: Any
    component_list_start: Any
    list_groups: Any
    list_slots: Any


class TileWorkspace(NamedTuple):
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

    group_stride: int
    row_stride: int
    columns: Any
    whitened_columns: Any
    row_copies: Any
    chunk: Any
    workspace: Any
    row_numbers: Any
    is_real: Any
    row_weights: Any
    labels: Any
    best_scores: Any
    log_densities: Any
    groups: Any
    first_slot: Any
    stop_slot: Any
    scores: Any
    group_factors: Any
    weighted_rows: Any
    slot_component: Any
    active_rows: Any
    member_places: Any
    member_responsibilities: Any
    component_slots: Any
    selected_groups: Any
    selected_slots: Any


class MomentSums(NamedTuple):
    """What a block adds up: about the pass' centres, so that blocks simply add.

    ``totals`` are log-likelihood, entropy, and pairs whose distance was computed.
    """

    mass: Any
    first_moments: Any
    scatter: Any
    totals: Any


class RowResults(NamedTuple):
    """What is said of each row where somebody asks: arrays over all rows, or of length 0."""

    labels: Any
    best_scores: Any
    log_densities: Any
    scores: Any


ALL_SLOTS, MANY_LANES, FEW_LANES = 0, 1, 2
"""Which slots hold shares: every one; the active ones, in many of their lanes; the active ones, in few of them."""

FULL_DISTANCE, DIAGONAL_DISTANCE, SPHERICAL_DISTANCE = 0, 1, 2
"""How distances are measured."""

SUM_NOTHING, SUM_FIRST_MOMENTS, SUM_SQUARES, SUM_PRODUCTS, SUM_POOLED_PRODUCTS = -1, 0, 1, 2, 3
"""What is added up: nothing; mass and mean; squares too; products of columns too; these for all components together."""


class FusedState(NamedTuple):
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
    row_weights: Any
    known_components: Any
    component_weights: Any
    noise: Any
    center: Any
    axis_variances: Any
    axes: Any
    covariance_factor: Any
    precision_root: Any
    covariance: Any
    log_determinant: Any
    mass: Any
    first_moments: Any
    scatter: Any
    prior_strength: Any
    prior_location: Any
    prior_scatter: Any
    next_axis_variances: Any
    next_axes: Any
    next_covariance_factor: Any
    next_precision_root: Any
    axis_pairs: Any
    min_variances: Any
    log_likelihoods: Any
    score_offset: Any
    component_buffer: Any
    feature_buffer: Any
    difference_buffer: Any
    axis_scatter: Any
    matrix_buffer: Any
    rotated_scatter: Any
