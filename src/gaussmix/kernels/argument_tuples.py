"""The argument types of compiled functions: named tuples of contiguous arrays and numbers."""

from typing import NamedTuple

from gaussmix.kernels.field_types import (
    Booleans1,
    Doubles1,
    Doubles2,
    Integers1,
    Integers2,
)
from gaussmix.kernels.fused_arguments import FusedState as FusedState
from gaussmix.kernels.kmeans_arguments import AssignmentWorkspace as AssignmentWorkspace
from gaussmix.kernels.kmeans_arguments import KMeansState as KMeansState
from gaussmix.kernels.pattern_arguments import PatternModel as PatternModel
from gaussmix.kernels.pattern_arguments import PatternRows as PatternRows
from gaussmix.kernels.pattern_arguments import PatternSums as PatternSums
from gaussmix.kernels.pattern_arguments import PatternWorkspace as PatternWorkspace
from gaussmix.kernels.pixel_arguments import PixelMixtureState as PixelMixtureState
from gaussmix.kernels.screening_arguments import NearComponents as NearComponents
from gaussmix.kernels.screening_arguments import OpenPairs as OpenPairs
from gaussmix.kernels.screening_arguments import ScreeningBounds as ScreeningBounds
from gaussmix.kernels.screening_arguments import ScreeningWorkspace as ScreeningWorkspace


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
    responsibilities: Doubles2


# Which slots hold responsibilities: all; the active ones, in most of their lanes; the active ones, in few lanes.
ALL_SLOTS, MANY_LANES, FEW_LANES = 0, 1, 2

# How squared distances are computed.
FULL_DISTANCE, DIAGONAL_DISTANCE, SPHERICAL_DISTANCE = 0, 1, 2

# What a pass accumulates: nothing; mass and mean; also squares; also products of columns; products pooled over the
# components.
SUM_NOTHING, SUM_FIRST_MOMENTS, SUM_SQUARES, SUM_PRODUCTS, SUM_POOLED_PRODUCTS = -1, 0, 1, 2, 3


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


class MergeBuffers(NamedTuple):
    """What a run of merges needs for m groups, and its result ``children`` (m - 1, 2).

    ``pair_costs`` (m, m) are the costs of all pairs. ``partner`` and ``lowest_costs`` say which pair of each group is
    the cheapest. ``group_ids`` are those of the groups that are left.
    """

    pair_costs: Doubles2
    partner: Integers1
    lowest_costs: Doubles1
    is_active: Booleans1
    group_ids: Integers1
    children: Integers2
