"""The lists of components that screening checks for each candidate, with the data of their bounds."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.batch import Batch
from gaussmix.core.precision_roots import (
    DensePrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.threads import ordered_sum
from gaussmix.engines.compiled.packing import NO_ROW_RESULTS, make_zero_sums, pack_model, pack_rows
from gaussmix.engines.compiled.tile_workspaces import make_full_tile
from gaussmix.kernels.argument_tuples import SUM_NOTHING
from gaussmix.kernels.compiled_functions import fill_candidate_lists, mark_open_pairs, run_full_pass
from gaussmix.kernels.machine_constants import COMPONENTS_PER_CELL_STEP, MIN_EXPONENT, SIMD_WIDTH
from gaussmix.kernels.packed_arguments import pack_arguments
from gaussmix.types import KD, KDD, Array, BoolKK, D, IntArray, K

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


class AnchorCells(NamedTuple):
    """Anchors among the means, and the means nearest to each anchor; see `ScreeningBounds`."""

    anchors: Array
    anchor_constant: K
    anchor_numbers: K
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
    """Return for each candidate the list of components that can be open to rows near it; None if most pairs are."""
    n_components, depth = center.shape
    max_distance = math.sqrt(depth) + 3.0  # few rows lie farther from their component
    scores = _compute_pair_scores(center, projected_covariances)
    # An offset of minus infinity would give 0 * infinity; such a component is removed from the lists.
    finite_offset = np.where(np.isfinite(offset), offset, 0.0)
    open_pairs = _open_pair_mask(center, scores, finite_offset, max_distance, tolerance)
    open_pairs &= np.isfinite(offset)
    np.fill_diagonal(open_pairs, False)
    n_open = open_pairs.sum(axis=1)
    if n_open.mean() > 0.5 * n_components:
        return None
    list_start = np.concatenate([[0], np.cumsum(n_open + -n_open % SIMD_WIDTH)])
    n_entries = int(list_start[-1])
    listed_component, direction_shift = np.zeros(n_entries, dtype=np.int64), np.zeros(n_entries)
    bound_offset, directions = np.full(n_entries, np.inf), np.zeros(n_entries * depth)
    lists = (list_start, listed_component, directions, direction_shift, bound_offset)
    inputs = (open_pairs, np.ascontiguousarray(center), scores, finite_offset)
    _run_ranges_in_parallel(n_components, lambda begin, end: fill_candidate_lists(*inputs, *lists, begin, end))
    return CandidateLists(*lists, np.full(n_components, max_distance**2))


def _open_pair_mask(center: KD, scores: Array, offset: K, max_distance: float, tolerance: float) -> BoolKK:
    """Return a mask (K, K): whether component k can be open to a row within ``max_distance`` of candidate b."""
    open_pairs = np.empty((len(center), len(center)), dtype=bool)
    products, squares = center @ center.T, (center**2).sum(axis=1)
    _run_ranges_in_parallel(
        len(center),
        lambda begin, end: mark_open_pairs(
            products, squares, scores, offset, max_distance, tolerance, open_pairs, begin, end
        ),
    )
    return open_pairs


_N_PARALLEL_PARTS = 8


def _run_ranges_in_parallel(n_components: int, function: Callable[[int, int], int]) -> None:
    """Call ``function(begin, end)`` for consecutive parts of range(n_components) on the available threads."""
    borders = [n_components * part // _N_PARALLEL_PARTS for part in range(_N_PARALLEL_PARTS + 1)]
    ordered_sum(lambda part: function(borders[part], borders[part + 1]), range(_N_PARALLEL_PARTS))


_EMPTY = np.empty(0)

NO_ANCHOR_CELLS = AnchorCells(_EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, 0.0)

# Iterations of k-means on the means.
_N_ANCHOR_ITER = 6


def make_anchor_cells(center: KD, offset: K) -> AnchorCells:
    """Return anchors among the means, found by a few iterations of k-means, and the means nearest to each anchor."""
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
    cell_size = (
        min(4 * n_components // n_anchors // COMPONENTS_PER_CELL_STEP + 1, n_components // COMPONENTS_PER_CELL_STEP)
        * COMPONENTS_PER_CELL_STEP
    )
    distance = (deviations**2).sum(axis=1) - 2.0 * anchors @ deviations.T
    nearest = np.sort(np.argpartition(distance, cell_size - 1, axis=1)[:, :cell_size], axis=1)
    cell_constant = np.where(
        np.isfinite(offset), -deviations @ overall_center - 0.5 * (deviations**2).sum(axis=1), -np.inf
    )
    return AnchorCells(
        np.ascontiguousarray(anchors.T).ravel(),
        -anchors @ overall_center - 0.5 * (anchors**2).sum(axis=1),
        np.arange(n_anchors, dtype=np.float64),
        np.ascontiguousarray(deviations[nearest].transpose(0, 2, 1)).ravel(),
        cell_constant[nearest].ravel(),
        nearest.astype(np.float64).ravel(),
        overall_center,
        (math.sqrt(depth) + 3.0) ** 2,
    )


def _compute_pair_scores(center: KD, projected_covariances: KDD) -> Array:
    """Return -1/2 (m_b - m_k)^T S_k (m_b - m_k) for all b (rows) and k, (K, K), by the compiled full pass."""
    upper = linalg.upper_cholesky_stack(projected_covariances)
    packed_model = pack_model(Quadratics(np.zeros(len(center)), center, DensePrecisionRoot(upper)), SUM_NOTHING)
    scores = np.empty((len(center), len(center)))
    results = NO_ROW_RESULTS._replace(scores=scores)
    rows, model, row_results = (
        pack_arguments(part) for part in (pack_rows(Batch(center), len(center)), packed_model.arrays, results)
    )

    def compute_scores(begin: int, end: int) -> int:
        tile, sums = (
            make_full_tile(packed_model.arrays, packed_model.n_padded_columns, SUM_NOTHING),
            make_zero_sums(packed_model, SUM_NOTHING),
        )
        return run_full_pass(
            rows,
            begin,
            end,
            model,
            pack_arguments(tile),
            SUM_NOTHING,
            False,
            MIN_EXPONENT,
            pack_arguments(sums),
            row_results,
        )

    _run_ranges_in_parallel(len(center), compute_scores)
    return scores
