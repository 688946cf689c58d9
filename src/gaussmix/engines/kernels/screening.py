"""Which components can matter to a row: bounds from a few projections, prepared once for a pass.

For any direction u, Cauchy and Schwarz give ``(u^T (x - m_k))^2 / (u^T S_k u) <= (x - m_k)^T S_k^-1 (x - m_k)``: one
number bounds the squared distance of a row x to component k from below, and so its score from
above. The direction that separates component k from the row's candidate b best is chosen for each
pair, ``(S_k + c P)^-1 (m_b - m_k)`` with P the mean covariance (the c keeps it from being all noise
when S_k is nearly singular). All of it happens in the few dimensions in which the means differ most, in units of
P. A pair whose bound lies 53 log 2 + log K below the candidate's score is less than rounding of
the row's density, and never computed.

With very many components a list is kept for each candidate: component k is not on it if no row within
``reach`` of the candidate can be open to it, by ``|u^T (x - m_k)| >= |u^T (m_b - m_k)| - sqrt(u^T S_b u) delta``
for a row at distance delta from b.
"""

import math
from collections.abc import Callable

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.batch import Batch
from gaussmix.core.precision_roots import (
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    SharedPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.threads import ordered_sum
from gaussmix.engines.kernels.argument_tuples import SUM_NOTHING, ScreeningBounds
from gaussmix.engines.kernels.codegen.compiled_functions import fill_candidate_lists, mark_open_pairs, run_full_pass
from gaussmix.engines.kernels.codegen.packed_arguments import pack_arguments
from gaussmix.engines.kernels.machine_constants import COMPONENTS_PER_CELL_STEP, MIN_EXPONENT, SIMD_WIDTH
from gaussmix.engines.kernels.packing import NO_ROW_RESULTS, make_zero_sums, pack_model, pack_rows
from gaussmix.engines.kernels.tile_workspaces import make_full_tile
from gaussmix.types import KD, KDD, Array, D, IntD, K

MAX_BOUND_DIMENSIONS = 16
"""Dimensions of the space in which bounds are computed."""

MIN_COMPONENTS, MIN_FEATURES, MIN_COMPONENTS_TIMES_FEATURES = 6, 4, 512
"""With fewer, or a smaller product, every distance is computed: looking would cost as much."""

MIN_MULTIPLICATIONS_PER_ROW = 4096
"""Along the axes, or with one root for all, distances are cheap: with fewer multiplications a row all are computed."""

MAX_COMPONENTS_WITH_FULL_LISTS = 128
"""Up to so many components every candidate's list holds all of them."""

_N_COVARIANCES_IN_MEAN = 4
"""Components whose mean covariance stands for all where there are many columns: any would do, some bound better."""

MEAN_COVARIANCE_FRACTION = 0.05
"""Share of the mean covariance in the one that a direction is chosen by."""

ROUNDING_NATS = 53 * math.log(2.0)
HARD_TOLERANCE_NATS = 1e-3
"""Tolerance, in nats, where only the best component is asked for."""


def make_screening_bounds(quadratics: Quadratics, is_hard: bool) -> ScreeningBounds | None:
    """Bounds for a pass, or None where every pair is to be computed."""
    n_components, n_features = quadratics.center.shape
    if not _is_screening_worthwhile(quadratics):
        return None
    factors, variances = _covariance_factors_or_variances(quadratics)
    mean = _mean_covariance(factors, variances)
    basis = None if mean is None else _projection_basis(quadratics, mean)
    if basis is None:
        return None
    spread = _project_covariances(basis, factors, variances, n_components)
    center = quadratics.center @ basis
    allowed = HARD_TOLERANCE_NATS if is_hard else rounding_tolerance(n_components)
    # In few dimensions the bounds are written for the rows as they are, and nothing is projected.
    is_direct = n_features <= MAX_BOUND_DIMENSIONS and n_components <= MAX_COMPONENTS_WITH_FULL_LISTS
    back = basis if is_direct else np.eye(basis.shape[1])
    if n_components <= MAX_COMPONENTS_WITH_FULL_LISTS:
        lists = _full_candidate_lists(center, spread, quadratics.offset, back)
        cells = _NO_ANCHOR_CELLS
    else:
        near = _near_candidate_lists(center, spread, quadratics.offset, allowed)
        if near is None:
            return None
        lists, cells = near, _make_anchor_cells(center, quadratics.offset)
    projection = np.empty(0) if is_direct else _pad_columns(basis).ravel()
    discriminant = _linear_discriminants(center, quadratics.offset, back)
    return ScreeningBounds(*(basis.shape[1], projection, *discriminant, *lists, allowed, *cells))


def _is_screening_worthwhile(quadratics: Quadratics) -> bool:
    """Whether the distances of a row are so many that looking for those that matter costs less."""
    n_components, n_features = quadratics.center.shape
    numbers = n_components * n_features
    if n_components < MIN_COMPONENTS or n_features < MIN_FEATURES or numbers < MIN_COMPONENTS_TIMES_FEATURES:
        return False
    each = {SharedPrecisionRoot: 1, SphericalPrecisionRoot: 1, DiagonalPrecisionRoot: 2}.get(
        type(quadratics.precision_root)
    )
    return each is None or numbers * each > MIN_MULTIPLICATIONS_PER_ROW


def rounding_tolerance(n_components: int) -> float:
    """How far below a row's best, in nats, a score is lost in rounding: log(2^53 K)."""
    return ROUNDING_NATS + math.log(n_components)


def _pad_columns(matrix: Array, fill_value: float = 0.0, multiple: int = SIMD_WIDTH) -> Array:
    """Columns filled up to whole registers, or to a multiple of some."""
    missing = -matrix.shape[-1] % multiple
    if not missing:
        return np.ascontiguousarray(matrix)
    return np.concatenate([matrix, np.full((*matrix.shape[:-1], missing), fill_value)], axis=-1)


def _covariance_factors_or_variances(quadratics: Quadratics) -> tuple[KDD | None, KD | None]:
    """F with F F^T = covariance of each component (or of the one shared), or variances (K, D); None for the other."""
    root, n_features = quadratics.precision_root, quadratics.n_features
    if isinstance(root, DensePrecisionRoot):
        return linalg.general_inverse_transposes(
            root.root_matrices
        ) if root.covariance_factors is None else root.covariance_factors, None
    if isinstance(root, SharedPrecisionRoot):
        return linalg.general_inverse_transposes(
            root.root_matrix[None]
        ) if root.covariance_factor is None else root.covariance_factor[None], None
    if not isinstance(root, (DiagonalPrecisionRoot, SphericalPrecisionRoot)):
        return None, None
    with np.errstate(divide="ignore"):
        variances = 1.0 / root.inverse_deviations**2
    return None, variances if variances.ndim == 2 else np.repeat(variances[:, None], n_features, axis=1)


def _mean_covariance(factors: KDD | None, variances: KD | None) -> Array | None:
    """Mean of the components' covariances (D, D), of some of them where there are many columns."""
    if variances is not None:
        return np.diag(variances.mean(axis=0))
    if factors is None:
        return None
    n_features = factors.shape[1]
    some = factors if n_features <= MAX_BOUND_DIMENSIONS else factors[:: max(1, len(factors) // _N_COVARIANCES_IN_MEAN)]
    stacked = np.swapaxes(some, 0, 1).reshape(n_features, -1)
    return np.asarray(stacked @ stacked.T / len(some))


def _projection_basis(quadratics: Quadratics, mean_covariance: Array) -> Array | None:
    """(D, depth): directions in which the means differ most, in units of the mean covariance; None without any."""
    n_features = quadratics.n_features
    factor = linalg.cholesky(mean_covariance) if np.isfinite(mean_covariance).all() else None
    if factor is None:
        return None
    inverse = linalg.invert_lower(factor)
    if n_features <= MAX_BOUND_DIMENSIONS:
        return np.ascontiguousarray(inverse.T)
    apart = (quadratics.center - quadratics.center.mean(axis=0)) @ inverse.T
    if len(apart) < n_features:
        values, vectors = linalg.eigh_descending(apart @ apart.T)
        kept = values[:MAX_BOUND_DIMENSIONS] > 1e-12 * values[0]
        axes = apart.T @ (vectors[:, :MAX_BOUND_DIMENSIONS][:, kept] / np.sqrt(values[:MAX_BOUND_DIMENSIONS][kept]))
    else:
        axes = linalg.eigh_descending(apart.T @ apart)[1][:, :MAX_BOUND_DIMENSIONS]
    return inverse.T @ axes if axes.shape[1] else None


def _project_covariances(basis: Array, factors: KDD | None, variances: KD | None, n_components: int) -> KDD:
    """Covariances of the components along the basis."""
    if variances is not None:
        return np.asarray(basis.T @ (variances[:, :, None] * basis))
    along = np.swapaxes(np.asarray(factors), 1, 2) @ basis
    spread = np.swapaxes(along, 1, 2) @ along
    return np.repeat(spread, n_components, axis=0) if len(spread) < n_components else spread


def _linear_discriminants(center: KD, offset: K, row_basis: Array) -> tuple[Array, K, K]:
    """Linear functions of a projected row whose largest tells the candidate: the nearest mean."""
    middle = center.mean(axis=0)
    apart = center - middle
    constant = np.where(np.isfinite(offset), -apart @ middle - 0.5 * (apart**2).sum(axis=1), -np.inf)
    numbers = np.arange(len(center), dtype=np.float64)
    unit = (
        COMPONENTS_PER_CELL_STEP if len(center) > MAX_COMPONENTS_WITH_FULL_LISTS else SIMD_WIDTH
    )  # a single row is compared four registers at a time
    return (
        _pad_columns(row_basis @ apart.T, multiple=unit).ravel(),
        _pad_columns(constant, -np.inf, unit),
        _pad_columns(numbers, multiple=unit),
    )


def _full_candidate_lists(
    center: KD, projected_covariances: KDD, offset: K, row_basis: Array
) -> tuple[IntD, IntD, Array, Array, Array, K]:
    """Lists of all components for every candidate."""
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
        _pad_columns(np.ascontiguousarray((row_basis @ directions).transpose(2, 1, 0))).ravel(),
        _pad_columns(shift.T).ravel(),
        _pad_columns(extra, np.inf).ravel(),
        np.full(n_components, np.inf),
    )


def _near_candidate_lists(
    center: KD, projected_covariances: KDD, offset: K, tolerance: float
) -> tuple[IntD, IntD, Array, Array, Array, K] | None:
    """Lists of the components that a row within reach of the candidate can be open to."""
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
    """function(begin, end) for all components, by parts on the threads there are."""
    borders = [n_components * part // _N_PARALLEL_PARTS for part in range(_N_PARALLEL_PARTS + 1)]
    ordered_sum(lambda part: function(borders[part], borders[part + 1]), _N_PARALLEL_PARTS)


_EMPTY = np.empty(0)
_NO_ANCHOR_CELLS = (_EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, 0.0)

_N_ANCHOR_ITER = 6


def _make_anchor_cells(center: KD, offset: K) -> tuple[Array, K, K, Array, K, K, D, float]:
    """Anchors among the means (by a few passes of k-means), and the means nearest to each."""
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
    """-1/2 (m_b - m_k)^T S_k (m_b - m_k) for all b (rows) and k, by the kernel that measures distances."""
    upper = linalg.upper_cholesky_stack(projected_covariances)
    packed = pack_model(Quadratics(np.zeros(len(center)), center, DensePrecisionRoot(upper)), SUM_NOTHING)
    scores = np.empty((len(center), len(center)))
    answered = NO_ROW_RESULTS._replace(scores=scores)
    rows, model, answers = (pack_arguments(part) for part in (pack_rows(Batch(center)), packed.arrays, answered))

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
