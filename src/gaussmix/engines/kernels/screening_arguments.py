"""The argument types of compiled functions that screen pairs of row and component."""

from typing import Any, NamedTuple


class ScreeningBounds(NamedTuple):
    """Bounds on the scores of a row, computed from a few projections of it (see `screening`).

    ``projection`` (D, depth) maps rows to the space of the bounds. There, the largest of
    ``z @ discriminant + discriminant_constant`` determines a row's candidate b, whose number stands in
    ``component_numbers``. The list of candidate b holds the components
    ``listed_component[list_start[b]:list_start[b + 1]]``. Component k of that list is open to a row z with
    candidate score s only if ``(z @ directions + direction_shift)^2 + bound_offset < 2 (tolerance - s)``.
    Rows farther from b than ``max_squared_distance[b]`` are open to all components.

    With very many components, each mean belongs to the cell of its nearest anchor. Cell c has the places
    ``cell_start[c]`` to ``cell_start[c + 1]`` of ``cell_constant`` and ``cell_numbers``, and its discriminants
    (depth, size) start at ``depth * cell_start[c]``. A row looks in the cells that can contain the nearest mean,
    starting with the nearest anchor. After a few cells it stops at a mean within ``max_cell_squared_distance``.
    ``anchor_inverse_distances`` has 1 / |a - c| for each pair of anchors. ``overall_center`` is the origin of the
    discriminants.
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
    anchor_inverse_distances: Any
    cell_start: Any
    cell_discriminant: Any
    cell_constant: Any
    cell_numbers: Any
    overall_center: Any
    max_cell_squared_distance: float


class NearComponents(NamedTuple):
    """Means and covariances in the space of the bounds, to find the components that can matter near each candidate.

    ``block_columns`` has the means in blocks of ``block_size`` candidates, (depth, block_size) each. ``covariance`` has
    rows that are padded to registers. ``spread`` bounds the largest deviation of a component. A component k
    is out of reach of rows near candidate b if |m_b - m_k| >= row_reach[b] + spread[k] score_reach[b]. It is not
    listed at all unless ``is_possible[k]``.
    """

    center: Any
    block_columns: Any
    covariance: Any
    spread: Any
    row_reach: Any
    score_reach: Any
    offset: Any
    is_possible: Any
    block_size: int
    max_distance: float
    tolerance: float


class OpenPairs(NamedTuple):
    """Pairs of candidate and component with the component's ``variance`` along m_b - m_k, and buffers to find them."""

    candidate: Any
    component: Any
    variance: Any
    selected: Any
    differences: Any
    products: Any


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
    anchor_values: Any
    candidate: Any
    first_group: Any
    n_filled: Any
    bound_limits: Any
    pair_group: Any
    pair_component: Any
    component_list_start: Any
    list_groups: Any
    list_slots: Any
