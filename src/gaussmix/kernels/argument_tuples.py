"""The argument types of compiled functions: named tuples of contiguous arrays and numbers."""

from collections import namedtuple
from typing import NamedTuple, get_type_hints

from gaussmix.kernels.field_types import (
    Booleans1,
    Doubles1,
    Doubles2,
    Doubles3,
    Integers1,
    Integers2,
)
from gaussmix.kernels.pixel_arguments import PixelMixtureState as PixelMixtureState


class RowArrays(NamedTuple):
    """Rows as stored, with their transformation to working coordinates: ``(x * prescale - center) * scale``.

    ``stored`` (n, D) holds floats if ``is_single``, else doubles.
    ``weights`` (n,), ``labels`` (n,) and ``log_label_prior`` (n, K) have length 0 if absent.
    """

    stored: Doubles2
    is_single: bool
    prescale: Doubles1
    center: Doubles1
    scale: Doubles1
    weights: Doubles1
    labels: Integers1
    log_label_prior: Doubles2


class ModelArrays(NamedTuple):
    """Quadratics packed for the kernels.

    ``distance_code`` is FULL_DISTANCE, DIAGONAL_DISTANCE or SPHERICAL_DISTANCE. ``packed_root`` holds
    triangles (full) or scales (diagonal, spherical). ``center`` (K, columns) has the coordinates of the
    distances, ``row_center`` (K, columns) those of the rows. They differ if one ``whitening`` triangle
    (length 0 if absent) serves all components.
    """

    distance_code: int
    offset: Doubles1
    center: Doubles2
    packed_root: Doubles1
    row_center: Doubles2
    whitening: Doubles1


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
    projection: Doubles1
    discriminant: Doubles1
    discriminant_constant: Doubles1
    component_numbers: Doubles1
    list_start: Integers1
    listed_component: Integers1
    directions: Doubles1
    direction_shift: Doubles1
    bound_offset: Doubles1
    max_squared_distance: Doubles1
    tolerance: float
    anchors: Doubles1
    anchor_constant: Doubles1
    anchor_numbers: Doubles1
    cell_discriminant: Doubles1
    cell_constant: Doubles1
    cell_numbers: Doubles1
    overall_center: Doubles1
    max_cell_squared_distance: float


class ScreeningWorkspace(NamedTuple):
    """Intermediate arrays of a screened tile, reused for every tile.

    ``transformed_rows`` holds a few rows, ``projected_rows`` the projections of all rows and ``group_rows``
    those of one group. ``candidate`` has one component per row. The groups of candidate b are
    ``first_group[b]`` to ``first_group[b + 1]``. ``pair_group`` and ``pair_component`` are the open pairs
    beside the candidates. The list of component k stands in ``list_groups`` and ``list_slots`` from
    ``component_list_start[k]`` on; ``n_filled`` counts entries while the lists are written.
    """

    transformed_rows: Doubles1
    projected_rows: Doubles1
    group_rows: Doubles1
    candidate: Integers1
    first_group: Integers1
    n_filled: Integers1
    bound_limits: Doubles1
    pair_group: Integers1
    pair_component: Integers1
    component_list_start: Integers1
    list_groups: Integers1
    list_slots: Integers1


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
    columns: Doubles1
    whitened_columns: Doubles1
    row_copies: Doubles1
    chunk: Doubles1
    workspace: Doubles1
    row_numbers: Integers1
    is_real: Booleans1
    row_weights: Doubles1
    labels: Doubles1
    best_scores: Doubles1
    log_densities: Doubles1
    groups: Integers1
    first_slot: Integers1
    stop_slot: Integers1
    scores: Doubles1
    group_factors: Doubles1
    weighted_rows: Integers1
    slot_component: Integers1
    active_rows: Integers1
    member_places: Integers1
    member_responsibilities: Doubles1
    component_slots: Integers2
    selected_groups: Integers1
    selected_slots: Integers1


class MomentSums(NamedTuple):
    """Sums over a block about the fixed centres of the pass, so that blocks simply add.

    ``totals`` are the log-likelihood, the entropy, the number of computed pairs, and the summed log of the largest
    responsibility of each row.
    """

    mass: Doubles1
    first_moments: Doubles1
    scatter: Doubles1
    totals: Doubles1


class RowResults(NamedTuple):
    """Results for every row of a batch; arrays that nobody requested have length 0."""

    labels: Integers1
    best_scores: Doubles1
    log_densities: Doubles1
    scores: Doubles2


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

    row_groups: Doubles3
    row_weights: Doubles2
    known_components: Doubles2


class FusedConstants(NamedTuple):
    """The order in which axes are rotated, and the prior of a fused EM run.

    ``prior_strength`` (2,) is shrinkage and mass of the prior, with ``prior_location`` (D,) and ``prior_scatter``
    (D, D); arrays of length 0 without a prior.
    """

    axis_pairs: Integers2
    prior_strength: Doubles1
    prior_location: Doubles1
    prior_scatter: Doubles2


class FusedParameters(NamedTuple):
    """The parameters of a fused EM run, which it overwrites, and its results.

    ``noise`` is weight, log density and mass of the noise component, of length 0 without one. Parameters:
    ``component_weights`` (K,), ``center`` (K, D), ``axis_variances`` (K, D) along ``axes`` (K, D, D) and
    ``covariance`` (K, D, D). ``covariance_factor`` is the Cholesky factor of ``covariance``, ``min_variances`` (D,) the
    variance floor. Results: ``log_likelihoods`` has one value per iteration; ``totals`` (3,) are log-likelihood,
    entropy, and the summed log of the largest responsibility of the last E-step.
    """

    component_weights: Doubles1
    noise: Doubles1
    center: Doubles2
    axis_variances: Doubles2
    axes: Doubles3
    covariance: Doubles3
    covariance_factor: Doubles3
    min_variances: Doubles1
    log_likelihoods: Doubles1
    totals: Doubles1


class FusedWorkspace(NamedTuple):
    """The arrays of a fused EM run that nobody reads afterwards.

    ``precision_root`` (K, D, D) is the inverse of the Cholesky factor. Sums: ``mass``, ``first_moments``, ``scatter``,
    and before the lanes are added ``lane_sums`` (K, 1 + D + D (D + 1) / 2, SIMD_WIDTH). The others are the next
    parameters and buffers.
    """

    precision_root: Doubles3
    log_determinant: Doubles1
    mass: Doubles1
    first_moments: Doubles2
    scatter: Doubles3
    lane_sums: Doubles3
    next_axis_variances: Doubles2
    next_axes: Doubles3
    next_covariance_factor: Doubles3
    next_precision_root: Doubles3
    score_offset: Doubles1
    responsibilities: Doubles3
    component_buffer: Doubles1
    feature_buffer: Doubles1
    difference_buffer: Doubles2
    axis_scatter: Doubles2
    matrix_buffer: Doubles2
    rotated_scatter: Doubles3


# All arrays of a fused EM run.
_FUSED_PARTS = (FusedRows, FusedConstants, FusedParameters, FusedWorkspace)
FusedState = namedtuple("FusedState", [field for part in _FUSED_PARTS for field in part._fields])  # type: ignore[misc]
FusedState.__annotations__ = {
    name: kind for part in _FUSED_PARTS for name, kind in get_type_hints(part, include_extras=True).items()
}


# Rows of ``groups`` in `AgglomerationState` before the means.
GROUP_MASS, GROUP_TRACE, GROUP_COST, N_GROUP_SCALARS = 0, 1, 2, 3


class AgglomerationState(NamedTuple):
    """Groups, the constants of their costs (`core/group_costs.py`), and buffers for one register of groups.

    ``groups`` (rows, groups) has one column per group: mass, trace, cost, the D means, and the upper triangle of the
    scatter row by row, of length 0 if no cost needs it. Its columns are whole registers. ``matrix`` has one entry of
    that triangle per element of its first axis, ``mean_buffer`` and ``weighted_buffer`` one column. ``new_costs`` has
    one number per group.
    """

    groups: Doubles2
    cost_kind: int
    mean_variance: float
    prior_scatter: float
    prior_mass: float
    relative_pivot_tolerance: float
    min_pivot: float
    first_groups: Doubles1
    second_groups: Doubles1
    mean_buffer: Doubles2
    weighted_buffer: Doubles2
    matrix: Doubles2
    new_costs: Doubles1
