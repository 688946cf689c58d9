"""The argument types of compiled functions: named tuples of contiguous arrays and numbers."""

from collections import namedtuple
from typing import Any, NamedTuple

from gaussmix.engines.kernels.pixel_arguments import PixelMixtureState as PixelMixtureState


class RowArrays(NamedTuple):
    """Rows as stored, with their transformation to working coordinates: ``(x * prescale - center) * scale``.

    ``weights`` (n,), ``labels`` (n,) and ``log_label_prior`` (n, K) have length 0 if absent.
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

    ``distance_code`` is FULL_DISTANCE, DIAGONAL_DISTANCE or SPHERICAL_DISTANCE. ``packed_root`` holds
    triangles (full) or scales (diagonal, spherical). ``center`` (K, columns) has the coordinates of the
    distances, ``row_center`` (K, columns) those of the rows. They differ if one ``whitening`` triangle
    (length 0 if absent) serves all components.
    """

    distance_code: int
    offset: Any
    center: Any
    packed_root: Any
    row_center: Any
    whitening: Any


class ScreeningBounds(NamedTuple):
    """Bounds on the scores of a row, computed from a few projections of it (see `screening`).

    ``projection`` (D, depth) maps rows to the space of the bounds. There, the largest of
    ``z @ discriminant + discriminant_constant`` determines a row's candidate b, whose number stands in
    ``component_numbers``. The list of candidate b holds the components
    ``listed_component[list_start[b]:list_start[b + 1]]``. Component k of that list is open to a row z with
    candidate score s only if ``(z @ directions + direction_shift)^2 + bound_offset < 2 (tolerance - s)``.
    Rows farther from b than ``max_squared_distance[b]`` are open to all components.

    With very many components, a row first looks for the nearest of the ``anchors``, then among the
    components of that anchor's cell. If none lies within ``max_cell_squared_distance``, it looks among all.
    ``overall_center`` is the origin of the discriminants.
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
    """Intermediate arrays of a screened tile, reused for every tile.

    ``transformed_rows`` holds a few rows, ``projected_rows`` the projections of all rows and ``group_rows``
    those of one group. ``candidate`` has one component per row. The groups of candidate b are
    ``first_group[b]`` to ``first_group[b + 1]``. ``pair_group`` and ``pair_component`` are the open pairs
    beside the candidates. The list of component k stands in ``list_groups`` and ``list_slots`` from
    ``component_list_start[k]`` on; ``n_filled`` counts entries while the lists are written.
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
    """A tile of rows and everything computed from it, reused for every tile.

    ``columns`` holds the rows in groups: one register per column, groups ``group_stride`` apart.
    ``whitened_columns`` holds the same in the coordinates of the distances, ``row_copies`` the rows one
    after another, ``row_stride`` apart. ``row_numbers`` are positions in the block, ``row_weights`` their
    weights; ``is_real`` is False for copies that fill up a group. The slots of group g are
    ``first_slot[g]`` to ``stop_slot[g]``. A slot has one register of ``scores``, a component
    (``slot_component``) and the bits of the rows for which it is active (``active_rows``).
    After the softmax, a responsibility is ``scores`` times ``group_factors`` of its group.
    ``weighted_rows`` are the bits of the rows with positive weight. ``member_places`` and
    ``member_responsibilities`` are the rows of one component while they are accumulated.
    ``component_slots`` holds the slots of all components, ``selected_groups`` and ``selected_slots`` the
    active part of the current list.
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
    """Sums over a block about the fixed centres of the pass, so that blocks simply add.

    ``totals`` are the log-likelihood, the entropy, the number of computed pairs, and the summed log of the largest
    responsibility of each row.
    """

    mass: Any
    first_moments: Any
    scatter: Any
    totals: Any


class RowResults(NamedTuple):
    """Results for every row of a batch; arrays that nobody requested have length 0."""

    labels: Any
    best_scores: Any
    log_densities: Any
    scores: Any


# Which slots hold responsibilities: all; the active ones, in most of their lanes; the active ones, in few lanes.
ALL_SLOTS, MANY_LANES, FEW_LANES = 0, 1, 2

# How squared distances are computed.
FULL_DISTANCE, DIAGONAL_DISTANCE, SPHERICAL_DISTANCE = 0, 1, 2

# What a pass accumulates: nothing; mass and mean; also squares; also products of columns; products pooled over the
# components.
SUM_NOTHING, SUM_FIRST_MOMENTS, SUM_SQUARES, SUM_PRODUCTS, SUM_POOLED_PRODUCTS = -1, 0, 1, 2, 3


class FusedRows(NamedTuple):
    """The rows of a fused EM run in groups, filled up to whole groups.

    ``row_groups`` (n_groups, D, SIMD_WIDTH) are in working coordinates, ``row_weights`` (n_groups, SIMD_WIDTH) are 0
    for filled rows, and ``known_components`` (n_groups, SIMD_WIDTH) are doubles, -1 if unknown, of length 0 without
    labels.
    """

    row_groups: Any
    row_weights: Any
    known_components: Any


class FusedConstants(NamedTuple):
    """The order in which axes are rotated, and the prior of a fused EM run.

    ``prior_strength`` (2,) is shrinkage and mass of the prior, with ``prior_location`` (D,) and ``prior_scatter``
    (D, D); arrays of length 0 without a prior.
    """

    axis_pairs: Any
    prior_strength: Any
    prior_location: Any
    prior_scatter: Any


class FusedParameters(NamedTuple):
    """The parameters of a fused EM run, which it overwrites, and its results.

    ``noise`` is weight, log density and mass of the noise component, of length 0 without one. Parameters:
    ``component_weights`` (K,), ``center`` (K, D), ``axis_variances`` (K, D) along ``axes`` (K, D, D) and
    ``covariance`` (K, D, D). ``covariance_factor`` is the Cholesky factor of ``covariance``, ``min_variances`` (D,) the
    variance floor. Results: ``log_likelihoods`` has one value per iteration; ``totals`` (3,) are log-likelihood,
    entropy, and the summed log of the largest responsibility of the last E-step.
    """

    component_weights: Any
    noise: Any
    center: Any
    axis_variances: Any
    axes: Any
    covariance: Any
    covariance_factor: Any
    min_variances: Any
    log_likelihoods: Any
    totals: Any


class FusedWorkspace(NamedTuple):
    """The arrays of a fused EM run that nobody reads afterwards; all threads of the run share them.

    ``precision_root`` (K, D, D) is the inverse of the Cholesky factor. Sums: ``mass``, ``first_moments``, ``scatter``,
    and those of each chunk of rows, ``chunk_sums`` (n_chunks, n_sums). ``control`` coordinates the threads
    (fused/chunks.py). The others are the next parameters and buffers. Axis-aligned structures have no matrices, but for
    one row (K, 1, D) of precision roots and of scatter.
    """

    precision_root: Any
    log_determinant: Any
    mass: Any
    first_moments: Any
    scatter: Any
    chunk_sums: Any
    control: Any
    next_axis_variances: Any
    next_axes: Any
    next_covariance_factor: Any
    next_precision_root: Any
    score_offset: Any
    component_buffer: Any
    feature_buffer: Any
    axis_scatter: Any
    matrix_buffer: Any
    rotated_scatter: Any


class FusedBuffers(NamedTuple):
    """The arrays that each thread of a fused EM run has for itself.

    ``lane_sums`` (K, 1 + D + number of products, SIMD_WIDTH) are the sums of a chunk before the lanes are added.
    """

    lane_sums: Any
    responsibilities: Any
    best_scores: Any
    difference_buffer: Any
    group_differences: Any
    group_weighted_differences: Any


# All arrays of a fused EM run.
FusedState = namedtuple(  # type: ignore[misc]
    "FusedState",
    (
        *FusedRows._fields,
        *FusedConstants._fields,
        *FusedParameters._fields,
        *FusedWorkspace._fields,
        *FusedBuffers._fields,
    ),
)


# Rows of ``groups`` in `AgglomerationState` before the means.
GROUP_MASS, GROUP_TRACE, GROUP_COST, N_GROUP_SCALARS = 0, 1, 2, 3


class AgglomerationState(NamedTuple):
    """Groups, the constants of their costs (`core/group_costs.py`), and buffers for one register of groups.

    ``groups`` (rows, groups) has one column per group: mass, trace, cost, the D means, and the upper triangle of the
    scatter row by row, of length 0 if no cost needs it. Its columns are whole registers. ``matrix`` has one entry of
    that triangle per element of its first axis, ``mean_buffer`` and ``weighted_buffer`` one column. ``new_costs`` has
    one number per group.
    """

    groups: Any
    cost_kind: int
    mean_variance: float
    prior_scatter: float
    prior_mass: float
    relative_pivot_tolerance: float
    min_pivot: float
    first_groups: Any
    second_groups: Any
    mean_buffer: Any
    weighted_buffer: Any
    matrix: Any
    new_costs: Any
