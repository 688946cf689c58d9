"""The lists of components that screening checks for each candidate, with the data of their bounds."""

import math
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.threads import ordered_sum
from gaussmix.kernels.argument_tuples import NearComponents, OpenPairs
from gaussmix.kernels.compiled_functions import fill_candidate_lists, list_open_pairs
from gaussmix.kernels.machine_constants import COMPONENTS_PER_CELL_STEP, ROWS_PER_PROJECTION, SIMD_WIDTH
from gaussmix.kernels.packed_arguments import PackedArguments, pack_arguments
from gaussmix.types import KD, KDD, Array, D, IntArray, K

# Up to this number of components, every candidate's list holds all components.
MAX_COMPONENTS_WITH_FULL_LISTS = 128

# Fraction c of the mean covariance that is added to S_k to choose a direction.
MEAN_COVARIANCE_FRACTION = 0.05


def pad_last_axis(matrix: Array, fill_value: float = 0.0, multiple: int = SIMD_WIDTH) -> Array:
    """Return the matrix, contiguous, with its last axis filled up with ``fill_value`` to a multiple of ``multiple``."""
    missing = -matrix.shape[-1] % multiple
    if not missing:
        return np.ascontiguousarray(matrix)
    return np.concatenate([matrix, np.full((*matrix.shape[:-1], missing), fill_value)], axis=-1)


class LinearDiscriminants(NamedTuple):
    """Linear functions of a row, one per component: slopes (depth * K,), constants (K,) and component numbers (K,).

    All are padded to full registers. The names are those of `ScreeningBounds`.
    """

    discriminant: Array
    discriminant_constant: K
    component_numbers: K


class CandidateLists(NamedTuple):
    """The list of components of each candidate, with the data of their bounds; see `ScreeningBounds`."""

    list_start: IntArray
    listed_component: IntArray
    directions: Array
    direction_shift: Array
    bound_offset: Array
    max_squared_distance: K


class ComponentAxes(NamedTuple):
    """Axes of every component and shifts of rows along them; see `ScreeningBounds`."""

    component_axes: Array
    axis_shifts: Array


NO_COMPONENT_AXES = ComponentAxes(np.empty(0), np.empty(0))


class AnchorCells(NamedTuple):
    """Anchors among the means, and the means nearest to each anchor; see `ScreeningBounds`."""

    anchors: Array
    anchor_constant: K
    anchor_numbers: K
    anchor_inverse_distances: Array
    cell_start: IntArray
    cell_discriminant: Array
    cell_constant: K
    cell_numbers: K
    overall_center: D
    max_cell_squared_distance: float


def linear_discriminants(center: KD, offset: K, row_basis: Array) -> LinearDiscriminants:
    """Return linear functions of a projected row, of which the largest belongs to the nearest mean, the candidate."""
    overall_center = center.mean(axis=0)
    deviations = center - overall_center
    constant = np.where(np.isfinite(offset), -deviations @ overall_center - 0.5 * (deviations**2).sum(axis=1), -np.inf)
    numbers = np.arange(len(center), dtype=np.float64)
    multiple = (
        COMPONENTS_PER_CELL_STEP if len(center) > MAX_COMPONENTS_WITH_FULL_LISTS else SIMD_WIDTH
    )  # a single row is compared four registers at a time
    return LinearDiscriminants(
        pad_last_axis(row_basis @ deviations.T, multiple=multiple).ravel(),
        pad_last_axis(constant, -np.inf, multiple),
        pad_last_axis(numbers, multiple=multiple),
    )


def full_candidate_lists(center: KD, projected_covariances: KDD, offset: K, row_basis: Array) -> CandidateLists:
    """Return the lists in which every candidate has all components."""
    n_components, depth = center.shape
    blended = projected_covariances + MEAN_COVARIANCE_FRACTION * np.eye(depth)
    # directions[k, :, b] = (S_k + c P)^-1 (m_b - m_k)
    directions = linalg.solve_common_columns(blended, center.T)
    directions -= directions[np.arange(n_components), :, np.arange(n_components)][:, :, None]
    variances = ((projected_covariances @ directions) * directions).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        directions /= np.where(variances > 0, np.sqrt(variances), np.inf)[:, None, :]
    direction_shift = -(directions * center[:, :, None]).sum(axis=1)
    bound_offset = np.repeat(-2.0 * offset[None], n_components, axis=0)
    np.fill_diagonal(bound_offset, np.inf)
    list_length = n_components + -n_components % SIMD_WIDTH
    list_start = np.arange(n_components + 1) * list_length
    listed_component = np.tile(np.arange(list_length), n_components)
    return CandidateLists(
        list_start,
        listed_component,
        pad_last_axis(np.ascontiguousarray((row_basis @ directions).transpose(2, 1, 0))).ravel(),
        pad_last_axis(direction_shift.T).ravel(),
        pad_last_axis(bound_offset, np.inf).ravel(),
        np.full(n_components, np.inf),
    )


def near_candidate_lists(center: KD, projected_covariances: KDD, offset: K, tolerance: float) -> CandidateLists | None:
    """Return for each candidate the list of components that can be open to rows near it; None if they are too long."""
    n_components, depth = center.shape
    near = _make_near_components(center, projected_covariances, offset, tolerance)
    packed_near = pack_arguments(near)
    max_entries = min(n_components**2 // 2, _MAX_DIRECTION_BYTES // (8 * depth))
    parts = _list_open_pairs_in_parallel(near, packed_near, max_entries)
    if parts is None:
        return None
    n_open = sum(np.bincount(pairs.source_values.candidate[:n], minlength=n_components) for pairs, n in parts)
    list_start = np.concatenate([[0], np.cumsum(n_open + -n_open % SIMD_WIDTH)])
    n_entries = int(list_start[-1])
    listed_component, direction_shift = np.zeros(n_entries, dtype=np.int64), np.zeros(n_entries)
    bound_offset, directions = np.full(n_entries, np.inf), np.zeros(n_entries * depth)
    lists = (list_start, listed_component, directions, direction_shift, bound_offset)
    n_filled = np.zeros(n_components, dtype=np.int64)
    outputs = (near.center, near.offset, list_start, n_filled, listed_component, directions)
    ordered_sum(
        lambda part: fill_candidate_lists(*part, *outputs, direction_shift, bound_offset),
        parts,
    )
    return CandidateLists(*lists, np.full(n_components, near.max_distance**2))


# Variance that is added along every axis, in units of the mean covariance, so that rounding cannot matter.
_MIN_AXIS_VARIANCE = 1e-6


def one_candidate_list(center: KD, projected_covariances: KDD, offset: K) -> tuple[CandidateLists, ComponentAxes]:
    """Return one list of all components for every candidate, and the axes of the components.

    The axes are eigenvectors of the covariance in units of their deviations. Those along which the means differ most
    come first. The first one is the direction in the list.
    """
    n_components, depth = center.shape
    variances, vectors = linalg.eigh_descending(projected_covariances)
    deviations = center - center.mean(axis=0)
    mean_scatter = deviations.T @ deviations / n_components
    spread = np.einsum("kji,jl,kli->ki", vectors, mean_scatter, vectors, optimize=True)
    order = np.argsort(-spread / (variances + _MIN_AXIS_VARIANCE), axis=1)
    scales = 1.0 / np.sqrt(np.maximum(variances, 0.0) + _MIN_AXIS_VARIANCE)
    axes = np.swapaxes(vectors * scales[:, None, :], 1, 2)[np.arange(n_components)[:, None], order]
    shifts = -(axes @ center[:, :, None])[:, :, 0]
    if depth % 2:
        axes = np.concatenate([axes, np.zeros((n_components, 1, depth))], axis=1)
        shifts = np.concatenate([shifts, np.zeros((n_components, 1))], axis=1)
    n_entries = n_components + -n_components % SIMD_WIDTH
    lists = CandidateLists(
        np.zeros(n_components + 1, dtype=np.int64),
        np.arange(n_entries),
        pad_last_axis(axes[:, 0].T).ravel(),
        pad_last_axis(shifts[:, 0]),
        pad_last_axis(-2.0 * offset, np.inf),
        np.full(n_components, np.inf),
    )
    return lists, ComponentAxes(np.ascontiguousarray(axes).ravel(), np.ascontiguousarray(shifts).ravel())


# Candidates that are compared with each component together.
_CANDIDATES_PER_BLOCK = 64

# Space for the directions of all lists.
_MAX_DIRECTION_BYTES = 1 << 31


def _make_near_components(center: KD, projected_covariances: KDD, offset: K, tolerance: float) -> NearComponents:
    """Return means, covariances and bounds of their reach, packed for `list_open_pairs`."""
    n_components, depth = center.shape
    max_distance = math.sqrt(depth) + 3.0  # few rows lie farther from their component
    # An offset of minus infinity would give 0 * infinity; such a component is never listed.
    is_possible = np.isfinite(offset)
    finite_offset = np.where(is_possible, offset, 0.0)
    # The eighth root of the sum of the eighth powers of the eigenvalues bounds the largest one, and is near it.
    fourth_powers = projected_covariances @ projected_covariances
    fourth_powers = fourth_powers @ fourth_powers
    spread = (fourth_powers**2).sum(axis=(1, 2)) ** (1.0 / 16.0) * (1.0 + 1e-9)
    max_score_distance = max_distance**2 + 2.0 * (tolerance - finite_offset + finite_offset.max())
    n_missing = -n_components % _CANDIDATES_PER_BLOCK
    blocks = np.concatenate([center, np.zeros((n_missing, depth))]).reshape(-1, _CANDIDATES_PER_BLOCK, depth)
    return NearComponents(
        np.ascontiguousarray(center),
        np.ascontiguousarray(blocks.transpose(0, 2, 1)).ravel(),
        pad_last_axis(projected_covariances).ravel(),
        spread,
        pad_last_axis(max_distance * spread),
        pad_last_axis(np.sqrt(max_score_distance)),
        finite_offset,
        is_possible,
        _CANDIDATES_PER_BLOCK,
        max_distance,
        tolerance,
    )


def _list_open_pairs_in_parallel(
    near: NearComponents, packed_near: PackedArguments, max_entries: int
) -> list[tuple[PackedArguments, int]] | None:
    """Return the open pairs of parts of the candidates, with their number; None beyond ``max_entries``."""
    n_components, depth = near.center.shape
    n_blocks = -(-n_components // _CANDIDATES_PER_BLOCK)
    borders = np.linspace(0, n_blocks, min(_N_PARALLEL_PARTS, n_blocks) + 1).astype(int).tolist()
    buffer_size = ROWS_PER_PROJECTION * (depth + -depth % SIMD_WIDTH)

    def list_part(part: int) -> list[tuple[PackedArguments, int]]:
        # Candidates may have lists of unequal length. Memory that is not written is never taken from the system.
        n_candidates = (borders[part + 1] - borders[part]) * _CANDIDATES_PER_BLOCK
        n_places = min(max_entries, 3 * max_entries * n_candidates // n_components) + _CANDIDATES_PER_BLOCK
        pairs = pack_arguments(
            OpenPairs(
                np.empty(n_places, dtype=np.int64),
                np.empty(n_places, dtype=np.int64),
                np.empty(n_places),
                np.zeros(_CANDIDATES_PER_BLOCK + SIMD_WIDTH, dtype=np.int64),
                np.zeros(buffer_size),
                np.zeros(buffer_size),
            )
        )
        return [(pairs, list_open_pairs(packed_near, pairs, borders[part], borders[part + 1]))]

    parts = ordered_sum(list_part, range(len(borders) - 1))
    has_space = all(n_pairs >= 0 for _, n_pairs in parts) and sum(n_pairs for _, n_pairs in parts) <= max_entries
    return parts if has_space else None


_N_PARALLEL_PARTS = 8


_EMPTY = np.empty(0)

NO_ANCHOR_CELLS = AnchorCells(
    _EMPTY, _EMPTY, _EMPTY, _EMPTY, np.empty(0, dtype=np.int64), _EMPTY, _EMPTY, _EMPTY, _EMPTY, 0.0
)

# Iterations of k-means on the means.
_N_ANCHOR_ITER = 6


def make_anchor_cells(center: KD, offset: K) -> AnchorCells:
    """Return anchors among the means, found by a few iterations of k-means, and the cells of means nearest to each."""
    n_components, depth = center.shape
    overall_center = center.mean(axis=0)
    deviations = center - overall_center
    n_anchors = int(2.0 * math.sqrt(n_components)) // SIMD_WIDTH * SIMD_WIDTH
    initial_anchors = np.argsort(deviations[:, 0], kind="stable")[
        np.linspace(0, n_components - 1, n_anchors).astype(int)
    ]
    anchors = deviations[initial_anchors]
    for _ in range(_N_ANCHOR_ITER):
        labels = (deviations @ anchors.T - 0.5 * (anchors**2).sum(axis=1)).argmax(axis=1)
        members = np.zeros((n_anchors, n_components))
        members[labels, np.arange(n_components)] = 1.0
        counts = members.sum(axis=1)
        anchors = np.where(counts[:, None] > 0, members @ deviations / np.maximum(counts, 1.0)[:, None], anchors)
    squares = (anchors**2).sum(axis=1)
    labels = (deviations @ anchors.T - 0.5 * squares).argmax(axis=1)
    with np.errstate(divide="ignore"):
        distances = np.sqrt(np.maximum(squares[:, None] + squares - 2.0 * anchors @ anchors.T, 0.0))
        inverse_distances = np.where(distances > 0, 1.0 / distances, 0.0)
    constant = np.where(np.isfinite(offset), -deviations @ overall_center - 0.5 * (deviations**2).sum(axis=1), -np.inf)
    cells = [np.flatnonzero(labels == anchor) for anchor in range(n_anchors)]
    padded_sizes = [len(cell) + -len(cell) % COMPONENTS_PER_CELL_STEP for cell in cells]
    discriminants = [pad_last_axis(deviations[cell].T, multiple=COMPONENTS_PER_CELL_STEP).ravel() for cell in cells]
    constants = [pad_last_axis(constant[cell], -np.inf, COMPONENTS_PER_CELL_STEP) for cell in cells]
    numbers = [pad_last_axis(cell.astype(np.float64), multiple=COMPONENTS_PER_CELL_STEP) for cell in cells]
    return AnchorCells(
        np.ascontiguousarray(anchors.T).ravel(),
        -anchors @ overall_center - 0.5 * squares,
        np.arange(n_anchors, dtype=np.float64),
        inverse_distances.ravel(),
        np.concatenate([[0], np.cumsum(padded_sizes)]),
        np.concatenate(discriminants),
        np.concatenate(constants),
        np.concatenate(numbers),
        overall_center,
        (math.sqrt(depth) + 3.0) ** 2,
    )
