"""The argument types of compiled functions that screen pairs of row and component."""

from typing import NamedTuple

from gaussmix.kernels.field_types import Booleans1, Doubles1, Doubles2, Integers1


class ScreeningBounds(NamedTuple):
    """Bounds on the scores of a row, computed from a few projections of it (see `screening`).

    ``projection`` (D, depth) maps rows to the space of the bounds. There, the largest of
    ``z @ discriminant + discriminant_constant`` determines a row's candidate b, whose number stands in
    ``component_numbers``. The list of candidate b holds the components
    ``listed_component[list_start[b]:list_start[b + 1]]``. Component k of that list is open to a row z with
    candidate score s only if ``(z @ directions + direction_shift)^2 + bound_offset < 2 (tolerance - s)``.
    Rows farther from b than ``max_squared_distance[b]`` are open to all components.

    If lists would be too long, all components stand in one list, with the first of their ``component_axes`` as
    directions. Those (K, n_axes, depth), with ``axis_shifts`` (K, n_axes), have length 0 otherwise. The squares along
    the axes of a component add up to a lower bound on its squared distance.

    With very many components, each mean belongs to the cell of its nearest anchor. Cell c has the places
    ``cell_start[c]`` to ``cell_start[c + 1]`` of ``cell_constant`` and ``cell_numbers``, and its discriminants
    (depth, size) start at ``depth * cell_start[c]``. A row looks in the cells that can contain the nearest mean,
    starting with the nearest anchor. After a few cells it stops at a mean within ``max_cell_squared_distance``.
    ``anchor_inverse_distances`` has 1 / |a - c| for each pair of anchors. ``overall_center`` is the origin of the
    discriminants.
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
    anchor_inverse_distances: Doubles1
    cell_start: Integers1
    cell_discriminant: Doubles1
    cell_constant: Doubles1
    cell_numbers: Doubles1
    overall_center: Doubles1
    max_cell_squared_distance: float
    component_axes: Doubles1
    axis_shifts: Doubles1


class NearComponents(NamedTuple):
    """Means and covariances in the space of the bounds, to find the components that can matter near each candidate.

    ``block_columns`` has the means in blocks of ``block_size`` candidates, (depth, block_size) each. ``covariance`` has
    rows that are padded to registers. ``spread`` bounds the largest deviation of a component. A component k
    is out of reach of rows near candidate b if |m_b - m_k| >= row_reach[b] + spread[k] score_reach[b]. It is not
    listed at all unless ``is_possible[k]``.
    """

    center: Doubles2
    block_columns: Doubles1
    covariance: Doubles1
    spread: Doubles1
    row_reach: Doubles1
    score_reach: Doubles1
    offset: Doubles1
    is_possible: Booleans1
    block_size: int
    max_distance: float
    tolerance: float


class OpenPairs(NamedTuple):
    """Pairs of candidate and component with the component's ``variance`` along m_b - m_k, and buffers to find them."""

    candidate: Integers1
    component: Integers1
    variance: Doubles1
    selected: Integers1
    differences: Doubles1
    products: Doubles1


class ScreeningWorkspace(NamedTuple):
    """Intermediate arrays of a screened tile, reused for every tile.

    ``transformed_rows`` holds a few rows, ``projected_rows`` the projections of all rows, ``group_rows`` those of one
    group and ``group_columns`` the same column by column. ``anchor_values`` compares a few rows with all anchors.
    ``candidate`` has one component per row. The groups of candidate b are ``first_group[b]`` to ``first_group[b + 1]``.
    ``pair_group`` and ``pair_component`` are the open pairs beside the candidates. The list of component k stands in
    ``list_groups`` and ``list_slots`` from ``component_list_start[k]`` on; ``n_filled`` counts entries while the lists
    are written.
    """

    transformed_rows: Doubles1
    projected_rows: Doubles1
    group_rows: Doubles1
    group_columns: Doubles1
    anchor_values: Doubles1
    candidate: Integers1
    first_group: Integers1
    n_filled: Integers1
    bound_limits: Doubles1
    pair_group: Integers1
    pair_component: Integers1
    component_list_start: Integers1
    list_groups: Integers1
    list_slots: Integers1
