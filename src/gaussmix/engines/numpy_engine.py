"""The NumPy engine: NumPy and BLAS on tiles that stay in cache, all components at once.

Distances use centred rows, so that large offsets cannot cancel. Scatter is accumulated about the centres of the
current model and shifted to the new means at the end, so one reading of the rows serves E-step and M-step.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.precision_roots import (
    AbstractPrecisionRoot,
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    LowRankPrecisionRoot,
    SharedPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.statistics import Statistics
from gaussmix.engines.base import (
    AbstractEStep,
    AssignmentKind,
    BatchEngine,
)
from gaussmix.engines.responsibilities import (
    add_category_and_label_log_probabilities,
    compute_weighted_responsibilities,
    sum_responsibilities_by_level,
)
from gaussmix.engines.score_tiles import iterate_tiles
from gaussmix.types import DD, KD, KDD, ND, NK, Array, K

# Differences (K, rows, D) held at one time: half a megabyte.
_DIFFERENCES_PER_TILE = 1 << 16
# A tile has at least D / 4 rows, so that adding its scatter (K, D, D) costs less than computing it.
_MAX_COLUMNS_PER_TILE_ROW = 4


@dataclass(frozen=True, slots=True)
class _TileSums:
    """Sums of a tile about the fixed centres of a pass; they simply add."""

    mass: K
    first_moments: KD
    scatter: Array
    log_likelihood: float
    entropy: float
    total_log_max_responsibility: float
    n_rows: int
    counts: tuple[Array, ...] = ()

    def __add__(self, other: "_TileSums") -> "_TileSums":
        return _TileSums(
            self.mass + other.mass,
            self.first_moments + other.first_moments,
            self.scatter + other.scatter,
            self.log_likelihood + other.log_likelihood,
            self.entropy + other.entropy,
            self.total_log_max_responsibility + other.total_log_max_responsibility,
            self.n_rows + other.n_rows,
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
        )


@dataclass(frozen=True)
class NumpyEStep(AbstractEStep[_TileSums]):
    """One E-step, a tile at a time; sums are about the centers of the model."""

    quadratics: Quadratics
    moment_kind: MomentKind
    assignment: AssignmentKind

    def __call__(self, batch: Batch) -> _TileSums:
        total: _TileSums | None = None
        for tile in _iterate_tiles(batch.n_rows, self.quadratics, self.moment_kind):
            rows = batch.sub_batch(tile.start, tile.stop)
            sums = _accumulate_tile(self.quadratics, rows, self.moment_kind, self.assignment)
            total = sums if total is None else total + sums
        assert total is not None
        return total

    def finish(self, total: _TileSums) -> Expectation:
        """Return the expectation, made from the sums over all rows."""
        moments = Moments.from_centered_sums(
            total.mass, self.quadratics.center, total.first_moments, total.scatter, self.moment_kind
        )
        n_distances = total.n_rows * self.quadratics.n_components
        statistics = Statistics(moments, total.counts)
        totals = total.log_likelihood, total.entropy, total.total_log_max_responsibility
        return Expectation(statistics, *totals, total.n_rows, n_distances)


class NumpyEngine(BatchEngine):
    """An engine that processes one tile at a time, by the type of the root and the kind of moments."""

    name = "numpy"

    def make_e_step(
        self,
        quadratics: Quadratics,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> NumpyEStep:
        """Return the E-step; it does not use the total moments."""
        return NumpyEStep(quadratics, moment_kind, assignment)

    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        """Return the scores (n, K) of a batch, in ``out`` if given."""
        scores = np.empty((batch.n_rows, quadratics.n_components)) if out is None else out
        for tile in _iterate_tiles(batch.n_rows, quadratics, MomentKind.NONE):
            scores[tile] = _compute_tile_scores(quadratics, batch.sub_batch(tile.start, tile.stop))
        return scores


def _iterate_tiles(n_rows: int, quadratics: Quadratics, moment_kind: MomentKind) -> Iterator[slice]:
    """Yield slices of rows whose differences to all centres, where a pass computes them, stay in cache."""
    n_components, n_features = quadratics.center.shape
    values_per_row = n_components * n_features
    if moment_kind is MomentKind.NONE and isinstance(quadratics.precision_root, _ROOTS_WITHOUT_DIFFERENCES):
        values_per_row = n_components + n_features
    n_tile_rows = max(16, n_features // _MAX_COLUMNS_PER_TILE_ROW, _DIFFERENCES_PER_TILE // values_per_row)
    return iterate_tiles(n_rows, n_tile_rows)


def _compute_tile_scores(quadratics: Quadratics, tile: Batch) -> NK:
    """Return the scores (n, K) of the n rows of a tile."""
    distances = _SQUARED_DISTANCES_BY_ROOT[type(quadratics.precision_root)](
        quadratics.precision_root, tile.rows, quadratics.center
    )
    return add_category_and_label_log_probabilities(quadratics.offset - 0.5 * distances, quadratics, tile)


def _accumulate_tile(
    quadratics: Quadratics, tile: Batch, moment_kind: MomentKind, assignment: AssignmentKind
) -> _TileSums:
    """Return the sums of a tile about the centres of the model."""
    weighted = compute_weighted_responsibilities(_compute_tile_scores(quadratics, tile), tile, assignment)
    responsibilities = weighted.responsibilities
    first_moments, scatter = _accumulate_moments(quadratics.center, tile.rows, responsibilities, moment_kind)
    counts = sum_responsibilities_by_level(quadratics, tile, responsibilities)
    totals = weighted.log_likelihood, weighted.entropy, weighted.total_log_max_responsibility
    return _TileSums(responsibilities.sum(axis=0), first_moments, scatter, *totals, tile.n_rows, counts)


def _accumulate_moments(center: KD, rows: ND, responsibilities: NK, moment_kind: MomentKind) -> tuple[KD, Array]:
    """Return weighted sums of differences to the centres (K, D), and of their products by the kind of moments."""
    if moment_kind is MomentKind.NONE:  # means keep the digits of the rows without differences
        mass = responsibilities.sum(axis=0)
        return responsibilities.T @ rows - mass[:, None] * center, np.zeros((len(center), 0))
    differences = rows - center[:, None, :]
    weights = np.ascontiguousarray(responsibilities.T)
    first_moments = np.matmul(weights[:, None, :], differences)[:, 0]
    return first_moments, _SCATTER_BY_MOMENT_KIND[moment_kind](differences, weights)


def _squared_norms(whitened: Array) -> NK:
    """Return squared norms (n, K) of whitened differences (K, n, D)."""
    return np.asarray(np.einsum("knd,knd->nk", whitened, whitened))


def _dense_squared_distances(root: DensePrecisionRoot, rows: ND, center: KD) -> NK:
    """Return squared Mahalanobis distances (n, K) for one matrix per component."""
    return _squared_norms((rows - center[:, None, :]) @ root.root_matrices)


def _shared_squared_distances(root: SharedPrecisionRoot, rows: ND, center: KD) -> NK:
    """Return squared Mahalanobis distances (n, K) for one matrix for all components."""
    from scipy.spatial.distance import cdist  # slow to import

    return np.asarray(cdist(rows @ root.root_matrix, center @ root.root_matrix, "sqeuclidean"))


def _diagonal_squared_distances(root: DiagonalPrecisionRoot, rows: ND, center: KD) -> NK:
    """Return squared Mahalanobis distances (n, K) for diagonal covariances."""
    return _squared_norms((rows - center[:, None, :]) * root.inverse_deviations[:, None, :])


def _spherical_squared_distances(root: SphericalPrecisionRoot, rows: ND, center: KD) -> NK:
    """Return squared Mahalanobis distances (n, K) for spherical covariances."""
    from scipy.spatial.distance import cdist  # slow to import

    return np.asarray(cdist(rows, center, "sqeuclidean") * root.inverse_deviations**2)


def _low_rank_squared_distances(root: LowRankPrecisionRoot, rows: ND, center: KD) -> NK:
    """Return squared Mahalanobis distances (n, K) for factor analysers."""
    differences = (rows - center[:, None, :]) * root.inverse_noise_deviations[:, None, :]
    projections = (differences @ root.axes) * root.whitening_fractions[:, None, :]
    return _squared_norms(differences - projections @ np.swapaxes(root.axes, 1, 2))


_SQUARED_DISTANCES_BY_ROOT: dict[type[AbstractPrecisionRoot], Callable[[Any, ND, KD], NK]] = {
    DensePrecisionRoot: _dense_squared_distances,
    SharedPrecisionRoot: _shared_squared_distances,
    DiagonalPrecisionRoot: _diagonal_squared_distances,
    SphericalPrecisionRoot: _spherical_squared_distances,
    LowRankPrecisionRoot: _low_rank_squared_distances,
}


def _sums_of_products(differences: Array, weights: Array) -> KDD:
    """Return weighted sums over rows of products, (K, D, D), from differences (K, n, D) and weights (K, n)."""
    return np.asarray(np.swapaxes(differences * weights[:, :, None], 1, 2) @ differences)


def _pooled_sums_of_products(differences: Array, weights: Array) -> DD:
    """Return weighted sums of products over rows and components, (D, D), from (K, n, D) and weights (K, n)."""
    stacked = differences.reshape(-1, differences.shape[2])
    return np.asarray((stacked * weights.reshape(-1, 1)).T @ stacked)


def _sums_of_squares(differences: Array, weights: Array) -> KD:
    """Return weighted sums over rows of squares, (K, D), from differences (K, n, D) and weights (K, n)."""
    return np.asarray(np.matmul(weights[:, None, :], differences * differences)[:, 0])


_SCATTER_BY_MOMENT_KIND: dict[MomentKind, Callable[[Array, Array], Array]] = {
    MomentKind.FULL: _sums_of_products,
    MomentKind.POOLED_FULL: _pooled_sums_of_products,
    MomentKind.DIAGONAL: _sums_of_squares,
    MomentKind.POOLED_DIAGONAL: lambda differences, weights: _sums_of_squares(differences, weights).sum(axis=0),
    MomentKind.TRACE: lambda differences, weights: _sums_of_squares(differences, weights).sum(axis=1),
}
_ROOTS_WITHOUT_DIFFERENCES = (SharedPrecisionRoot, SphericalPrecisionRoot)
