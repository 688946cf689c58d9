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
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.roots import DenseRoot, DiagonalRoot, SharedRoot, SphericalRoot
from gaussmix.core.threads import ordered_sum
from gaussmix.engines.kernels.compiled.values import NOTHING, Screen
from gaussmix.engines.kernels.entries import fill_lists, full_pass, mark_open
from gaussmix.engines.kernels.machine import CELL_UNIT, SMALLEST, WIDTH
from gaussmix.engines.kernels.packing import NO_ANSWERS, new_sums, pack, rows_of
from gaussmix.engines.kernels.tile import full_tile
from gaussmix.engines.kernels.words import words_of
from gaussmix.types import KD, KDD, Array, D, IntD, K

DEPTH = 16
"""Dimensions of the space in which bounds are computed."""

FEWEST_COMPONENTS, FEWEST_FEATURES, FEWEST_NUMBERS = 6, 4, 512
"""With fewer, or a smaller product, every distance is computed: looking would cost as much."""

FEWEST_PRODUCTS = 4096
"""Along the axes, or with one root for all, distances are cheap: with fewer multiplications a row all are computed."""

MOST_ALL_PAIRS = 128
"""Up to so many components every candidate's list holds all of them."""

_ENOUGH = 4
"""Components whose mean covariance stands for all where there are many columns: any would do, some bound better."""

BLEND = 0.05
"""Share of the mean covariance in the one that a direction is chosen by."""

ROUNDING = 53 * math.log(2.0)
MARGIN = 1e-3
"""Tolerance, in nats, where only the best component is asked for."""


def screen_of(quadratics: Quadratics, hard: bool) -> Screen | None:
    """Bounds for a pass, or None where every pair is to be computed."""
    n_components, n_features = quadratics.center.shape
    if not _pays(quadratics):
        return None
    factors, variances = _covariances(quadratics)
    mean = _mean_covariance(factors, variances)
    basis = None if mean is None else _basis(quadratics, mean)
    if basis is None:
        return None
    spread = _spread(basis, factors, variances, n_components)
    center = quadratics.center @ basis
    allowed = MARGIN if hard else tolerance(n_components)
    # In few dimensions the bounds are written for the rows as they are, and nothing is projected.
    is_direct = n_features <= DEPTH and n_components <= MOST_ALL_PAIRS
    back = basis if is_direct else np.eye(basis.shape[1])
    if n_components <= MOST_ALL_PAIRS:
        lists = _all_pairs(center, spread, quadratics.offset, back)
        cells = _NO_CELLS
    else:
        near = _near_pairs(center, spread, quadratics.offset, allowed)
        if near is None:
            return None
        lists, cells = near, _cells(center, quadratics.offset)
    projection = np.empty(0) if is_direct else _across(basis).ravel()
    discriminant = _discriminant(center, quadratics.offset, back)
    return Screen(*(basis.shape[1], projection, *discriminant, *lists, allowed, *cells))


def _pays(quadratics: Quadratics) -> bool:
    """Whether the distances of a row are so many that looking for those that matter costs less."""
    n_components, n_features = quadratics.center.shape
    numbers = n_components * n_features
    if n_components < FEWEST_COMPONENTS or n_features < FEWEST_FEATURES or numbers < FEWEST_NUMBERS:
        return False
    each = {SharedRoot: 1, SphericalRoot: 1, DiagonalRoot: 2}.get(type(quadratics.root))
    return each is None or numbers * each > FEWEST_PRODUCTS


def tolerance(n_components: int) -> float:
    """How far below a row's best, in nats, a score is lost in rounding: log(2^53 K)."""
    return ROUNDING + math.log(n_components)


def _across(matrix: Array, fill: float = 0.0, unit: int = WIDTH) -> Array:
    """Columns filled up to whole registers, or to a multiple of some."""
    missing = -matrix.shape[-1] % unit
    if not missing:
        return np.ascontiguousarray(matrix)
    return np.concatenate([matrix, np.full((*matrix.shape[:-1], missing), fill)], axis=-1)


def _covariances(quadratics: Quadratics) -> tuple[KDD | None, KD | None]:
    """F with F F^T = covariance of each component (or of the one shared), or variances (K, D); None for the other."""
    root, n_features = quadratics.root, quadratics.n_features
    if isinstance(root, DenseRoot):
        return linalg.general_inverse_transposes(root.matrices) if root.factors is None else root.factors, None
    if isinstance(root, SharedRoot):
        return linalg.general_inverse_transposes(root.matrix[None]) if root.factor is None else root.factor[None], None
    if not isinstance(root, (DiagonalRoot, SphericalRoot)):
        return None, None
    with np.errstate(divide="ignore"):
        variances = 1.0 / root.scales**2
    return None, variances if variances.ndim == 2 else np.repeat(variances[:, None], n_features, axis=1)


def _mean_covariance(factors: KDD | None, variances: KD | None) -> Array | None:
    """Mean of the components' covariances (D, D), of some of them where there are many columns."""
    if variances is not None:
        return np.diag(variances.mean(axis=0))
    if factors is None:
        return None
    n_features = factors.shape[1]
    some = factors if n_features <= DEPTH else factors[:: max(1, len(factors) // _ENOUGH)]
    stacked = np.swapaxes(some, 0, 1).reshape(n_features, -1)
    return np.asarray(stacked @ stacked.T / len(some))


def _basis(quadratics: Quadratics, mean: Array) -> Array | None:
    """(D, depth): directions in which the means differ most, in units of the mean covariance; None without any."""
    n_features = quadratics.n_features
    factor = linalg.cholesky(mean) if np.isfinite(mean).all() else None
    if factor is None:
        return None
    inverse = linalg.lower_inverse(factor)
    if n_features <= DEPTH:
        return np.ascontiguousarray(inverse.T)
    apart = (quadratics.center - quadratics.center.mean(axis=0)) @ inverse.T
    if len(apart) < n_features:
        values, vectors = linalg.symmetric_eigen(apart @ apart.T)
        kept = values[:DEPTH] > 1e-12 * values[0]
        axes = apart.T @ (vectors[:, :DEPTH][:, kept] / np.sqrt(values[:DEPTH][kept]))
    else:
        axes = linalg.symmetric_eigen(apart.T @ apart)[1][:, :DEPTH]
    return inverse.T @ axes if axes.shape[1] else None


def _spread(basis: Array, factors: KDD | None, variances: KD | None, n_components: int) -> KDD:
    """Covariances of the components along the basis."""
    if variances is not None:
        return np.asarray(basis.T @ (variances[:, :, None] * basis))
    along = np.swapaxes(np.asarray(factors), 1, 2) @ basis
    spread = np.swapaxes(along, 1, 2) @ along
    return np.repeat(spread, n_components, axis=0) if len(spread) < n_components else spread


def _discriminant(center: KD, offset: K, back: Array) -> tuple[Array, K, K]:
    """Linear functions of a projected row whose largest tells the candidate: the nearest mean."""
    middle = center.mean(axis=0)
    apart = center - middle
    constant = np.where(np.isfinite(offset), -apart @ middle - 0.5 * (apart**2).sum(axis=1), -np.inf)
    numbers = np.arange(len(center), dtype=np.float64)
    unit = CELL_UNIT if len(center) > MOST_ALL_PAIRS else WIDTH  # a single row is compared four registers at a time
    return _across(back @ apart.T, unit=unit).ravel(), _across(constant, -np.inf, unit), _across(numbers, unit=unit)


def _all_pairs(center: KD, spread: KDD, offset: K, back: Array) -> tuple[IntD, IntD, Array, Array, Array, K]:
    """Lists of all components for every candidate."""
    n_components, depth = center.shape
    blended = spread + BLEND * np.eye(depth)
    # directions[k, :, b] = (S_k + c P)^-1 (m_b - m_k)
    directions = linalg.solve_each(blended, center.T)
    directions -= directions[np.arange(n_components), :, np.arange(n_components)][:, :, None]
    squares = ((spread @ directions) * directions).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        directions /= np.where(squares > 0, np.sqrt(squares), np.inf)[:, None, :]
    shift = -(directions * center[:, :, None]).sum(axis=1)
    extra = np.repeat(-2.0 * offset[None], n_components, axis=0)
    np.fill_diagonal(extra, np.inf)
    width = n_components + -n_components % WIDTH
    first = np.arange(n_components + 1) * width
    others = np.tile(np.arange(width), n_components)
    return (
        first,
        others,
        _across(np.ascontiguousarray((back @ directions).transpose(2, 1, 0))).ravel(),
        _across(shift.T).ravel(),
        _across(extra, np.inf).ravel(),
        np.full(n_components, np.inf),
    )


def _near_pairs(
    center: KD, spread: KDD, offset: K, allowed: float
) -> tuple[IntD, IntD, Array, Array, Array, K] | None:
    """Lists of the components that a row within reach of the candidate can be open to."""
    n_components, depth = center.shape
    reach = math.sqrt(depth) + 3.0  # few rows lie farther from the component they belong to
    scores = _pair_scores(center, spread)
    squares = (center**2).sum(axis=1)
    open_pairs = np.empty((n_components, n_components), dtype=bool)
    # A closed component (offset minus infinity) would make 0 * infinity: it is taken off the lists below.
    safe = np.where(np.isfinite(offset), offset, 0.0)
    products = center @ center.T
    _in_parts(n_components, lambda *part: mark_open(products, squares, scores, safe, reach, allowed, open_pairs, *part))
    open_pairs &= np.isfinite(offset)
    np.fill_diagonal(open_pairs, False)
    counts = open_pairs.sum(axis=1)
    if counts.mean() > 0.5 * n_components:
        return None
    widths = counts + -counts % WIDTH
    first = np.concatenate([[0], np.cumsum(widths)])
    others, shift = np.zeros(first[-1], dtype=np.int64), np.zeros(first[-1])
    extra, directions = np.full(first[-1], np.inf), np.zeros(first[-1] * depth)
    given = (open_pairs, np.ascontiguousarray(center), scores, safe, first, others, directions, shift, extra)
    _in_parts(n_components, lambda *part: fill_lists(*given, *part))
    return first, others, directions, shift, extra, np.full(n_components, reach**2)


_PARTS = 8


def _in_parts(n_components: int, function: Callable[[int, int], int]) -> None:
    """function(begin, end) for all components, by parts on the threads there are."""
    borders = [n_components * part // _PARTS for part in range(_PARTS + 1)]
    ordered_sum(lambda part: function(borders[part], borders[part + 1]), _PARTS)


_NONE = np.empty(0)
_NO_CELLS = (_NONE, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE, 0.0)

_ANCHOR_PASSES = 6


def _cells(center: KD, offset: K) -> tuple[Array, K, K, Array, K, K, D, float]:
    """Anchors among the means (by a few passes of k-means), and the means nearest to each."""
    n_components, depth = center.shape
    middle = center.mean(axis=0)
    apart = center - middle
    n_anchors = int(2.0 * math.sqrt(n_components)) // WIDTH * WIDTH
    spaced = np.argsort(apart[:, 0], kind="stable")[np.linspace(0, n_components - 1, n_anchors).astype(int)]
    anchors = apart[spaced]
    for _ in range(_ANCHOR_PASSES):
        owner = (apart @ anchors.T - 0.5 * (anchors**2).sum(axis=1)).argmax(axis=1)
        members = np.zeros((n_anchors, n_components))
        members[owner, np.arange(n_components)] = 1.0
        counts = members.sum(axis=1)
        anchors = np.where(counts[:, None] > 0, members @ apart / np.maximum(counts, 1.0)[:, None], anchors)
    size = min(4 * n_components // n_anchors // CELL_UNIT + 1, n_components // CELL_UNIT) * CELL_UNIT
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


def _pair_scores(center: KD, spread: KDD) -> Array:
    """-1/2 (m_b - m_k)^T S_k (m_b - m_k) for all b (rows) and k, by the kernel that measures distances."""
    upper = linalg.upper_roots(spread)
    packed = pack(Quadratics(np.zeros(len(center)), center, DenseRoot(upper)), NOTHING)
    scores = np.empty((len(center), len(center)))
    answered = NO_ANSWERS._replace(scores=scores)
    rows, model, answers = (words_of(part) for part in (rows_of(Batch(center)), packed.model, answered))

    def measure(begin: int, end: int) -> int:
        tile, sums = full_tile(packed.model, packed.n_columns, NOTHING), new_sums(packed, NOTHING)
        return full_pass(
            rows, begin, end, model, words_of(tile), NOTHING, False, SMALLEST, words_of(sums), answers
        )

    _in_parts(len(center), measure)
    return scores
