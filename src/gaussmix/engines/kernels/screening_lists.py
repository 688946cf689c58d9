"""The lists of components that screening checks for each candidate, with the data of their bounds."""

import math
from collections.abc import Callable

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.batch import Batch
from gaussmix.core.precision_roots import (
    DensePrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.threads import ordered_sum
from gaussmix.engines.kernels.argument_tuples import SUM_NOTHING
from gaussmix.engines.kernels.codegen.compiled_functions import fill_candidate_lists, mark_open_pairs, run_full_pass
from gaussmix.engines.kernels.codegen.packed_arguments import pack_arguments
from gaussmix.engines.kernels.machine_constants import COMPONENTS_PER_CELL_STEP, MIN_EXPONENT, SIMD_WIDTH
from gaussmix.engines.kernels.packing import NO_ROW_RESULTS, make_zero_sums, pack_model, pack_rows
from gaussmix.engines.kernels.tile_workspaces import make_full_tile
from gaussmix.types import KD, KDD, Array, D, IntD, K

# Up to this number of components, every candidate's list holds all components.
MAX_COMPONENTS_WITH_FULL_LISTS = 128

# Fraction c of the mean covariance that is added to S_k to choose a direction.
MEAN_COVARIANCE_FRACTION = 0.05


def pad_columns(matrix: Array, fill_value: float = 0.0, multiple: int = SIMD_WIDTH) -> Array:
    """Return the matrix with its last axis filled up to a multiple of ``multiple``, contiguous."""
    missing = -matrix.shape[-1] % multiple
    if not missing:
        return np.ascontiguousarray(matrix)
    return np.concatenate([matrix, np.full((*matrix.shape[:-1], missing), fill_value)], axis=-1)


def linear_discriminants(center: KD, offset: K, row_basis: Array) -> tuple[Array, K, K]:
    """Return linear functions of a projected row; the largest belongs to the nearest mean, the candidate."""
    middle = center.mean(axis=0)
    apart = center - middle
    constant = np.where(np.isfinite(offset), -apart @ middle - 0.5 * (apart**2).sum(axis=1), -np.inf)
    numbers = np.arange(len(center), dtype=np.float64)
    unit = (
        COMPONENTS_PER_CELL_STEP if len(center) > MAX_COMPONENTS_WITH_FULL_LISTS else SIMD_WIDTH
    )  # a single row is compared four registers at a time
    return (
        pad_columns(row_basis @ apart.T, multiple=unit).ravel(),
        pad_columns(constant, -np.inf, unit),
        pad_columns(numbers, multiple=unit),
    )


def full_candidate_lists(
    center: KD, projected_covariances: KDD, offset: K, row_basis: Array
) -> tuple[IntD, IntD, Array, Array, Array, K]:
    """Return lists that hold all components for every candidate."""
    n_components, depth = center.shape
    blended = projected_covariances + MEAN_COVARIANCE_FRACTION * np.eye(depth)
    # directions[k, :, b] = (S_k + c P)^-1 (m_b - m_k)
    directions = linalg.solve_common_columns(blended, center.T)
    directions -= directions[np.arange(n_components), :, np.arange(n_components)][:, :, None]
    squares = ((projected_covariances @ directions) * directions).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        directions /= np.where(squares > 0, np.sqrt(squares), np.inf)[:, None, :]
    shift = -(directions * center[:, :, None]).sum(axis=1)
    extra = np.repeat(-2.0 * offset[None], n_components, axis=0)
    np.fill_diagonal(extra, np.inf)
    width = n_components + -n_components % SIMD_WIDTH
    first = np.arange(n_components + 1) * width
    others = np.tile(np.arange(width), n_components)
    return (
        first,
        others,
        pad_columns(np.ascontiguousarray((row_basis @ directions).transpose(2, 1, 0))).ravel(),
        pad_columns(shift.T).ravel(),
        pad_columns(extra, np.inf).ravel(),
        np.full(n_components, np.inf),
    )


def near_candidate_lists(
    center: KD, projected_covariances: KDD, offset: K, tolerance: float
) -> tuple[IntD, IntD, Array, Array, Array, K] | None:
    """Return lists of the components that can be open to a row near the candidate; None if most pairs are."""
    n_components, depth = center.shape
    reach = math.sqrt(depth) + 3.0  # few rows lie farther from the component they belong to
    scores = _compute_pair_scores(center, projected_covariances)
    squares = (center**2).sum(axis=1)
    open_pairs = np.empty((n_components, n_components), dtype=bool)
    # A closed component (offset minus infinity) would make 0 * infinity: it is taken off the lists below.
    safe = np.where(np.isfinite(offset), offset, 0.0)
    products = center @ center.T
    _run_in_parallel(
        n_components,
        lambda *part: mark_open_pairs(products, squares, scores, safe, reach, tolerance, open_pairs, *part),
    )
    open_pairs &= np.isfinite(offset)
    np.fill_diagonal(open_pairs, False)
    counts = open_pairs.sum(axis=1)
    if counts.mean() > 0.5 * n_components:
        return None
    widths = counts + -counts % SIMD_WIDTH
    first = np.concatenate([[0], np.cumsum(widths)])
    others, shift = np.zeros(first[-1], dtype=np.int64), np.zeros(first[-1])
    extra, directions = np.full(first[-1], np.inf), np.zeros(first[-1] * depth)
    given = (open_pairs, np.ascontiguousarray(center), scores, safe, first, others, directions, shift, extra)
    _run_in_parallel(n_components, lambda *part: fill_candidate_lists(*given, *part))
    return first, others, directions, shift, extra, np.full(n_components, reach**2)


_N_PARALLEL_PARTS = 8


def _run_in_parallel(n_components: int, function: Callable[[int, int], int]) -> None:
    """Call ``function(begin, end)`` for parts of range(n_components) on the available threads."""
    borders = [n_components * part // _N_PARALLEL_PARTS for part in range(_N_PARALLEL_PARTS + 1)]
    ordered_sum(lambda part: function(borders[part], borders[part + 1]), range(_N_PARALLEL_PARTS))


_EMPTY = np.empty(0)

NO_ANCHOR_CELLS = (_EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, 0.0)

# Iterations of k-means on the means.
_N_ANCHOR_ITER = 6


def make_anchor_cells(center: KD, offset: K) -> tuple[Array, K, K, Array, K, K, D, float]:
    """Return anchors among the means, found by a few iterations of k-means, and the means nearest to each anchor."""
    n_components, depth = center.shape
    middle = center.mean(axis=0)
    apart = center - middle
    n_anchors = int(2.0 * math.sqrt(n_components)) // SIMD_WIDTH * SIMD_WIDTH
    spaced = np.argsort(apart[:, 0], kind="stable")[np.linspace(0, n_components - 1, n_anchors).astype(int)]
    anchors = apart[spaced]
    for _ in range(_N_ANCHOR_ITER):
        owner = (apart @ anchors.T - 0.5 * (anchors**2).sum(axis=1)).argmax(axis=1)
        members = np.zeros((n_anchors, n_components))
        members[owner, np.arange(n_components)] = 1.0
        counts = members.sum(axis=1)
        anchors = np.where(counts[:, None] > 0, members @ apart / np.maximum(counts, 1.0)[:, None], anchors)
    size = (
        min(4 * n_components // n_anchors // COMPONENTS_PER_CELL_STEP + 1, n_components // COMPONENTS_PER_CELL_STEP)
        * COMPONENTS_PER_CELL_STEP
    )
    distance = (apart**2).sum(axis=1) - 2.0 * anchors @ apart.T
    nearest = np.sort(np.argpartition(distance, size - 1, axis=1)[:, :size], axis=1)
    squares = np.where(np.isfinite(offset), -apart @ middle - 0.5 * (apart**2).sum(axis=1), -np.inf)
    return (
        np.ascontiguousarray(anchors.T).ravel(),
        -anchors @ middle - 0.5 * (anchors**2).sum(axis=1),
        np.arange(n_anchors, dtype=np.float64),
        np.ascontiguousarray(apart[nearest].transpose(0, 2, 1)).ravel(),
        squares[nearest].ravel(),
        nearest.astype(np.float64).ravel(),
        middle,
        (math.sqrt(depth) + 3.0) ** 2,
    )


def _compute_pair_scores(center: KD, projected_covariances: KDD) -> Array:
    """Return -1/2 (m_b - m_k)^T S_k (m_b - m_k) for all b (rows) and k, by the compiled full pass."""
    upper = linalg.upper_cholesky_stack(projected_covariances)
    packed = pack_model(Quadratics(np.zeros(len(center)), center, DensePrecisionRoot(upper)), SUM_NOTHING)
    scores = np.empty((len(center), len(center)))
    answered = NO_ROW_RESULTS._replace(scores=scores)
    rows, model, answers = (
        pack_arguments(part) for part in (pack_rows(Batch(center), len(center)), packed.arrays, answered)
    )

    def measure(begin: int, end: int) -> int:
        tile, sums = (
            make_full_tile(packed.arrays, packed.n_padded_columns, SUM_NOTHING),
            make_zero_sums(packed, SUM_NOTHING),
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
            answers,
        )

    _run_in_parallel(len(center), measure)
    return scores
