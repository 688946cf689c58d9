"""The everyday engine: NumPy and BLAS on tiles that stay in cache, all components at once.

Distances use centred rows, so no offset can cancel; the scatter is gathered about the centres of
the pass that is running and shifted to the new means at the end (stale-mean shift), so one reading
of the rows serves both halves of an EM step.
"""

import functools
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

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
    add_row_terms,
    compute_responsibilities,
    count_categories,
    iterate_tiles,
)
from gaussmix.types import KD, ND, NK, Array, K

_DIFFERENCES_PER_TILE = 1 << 16  # differences (K, rows, D) held at one time: half a megabyte
_MAX_COLUMNS_PER_TILE_ROW = (
    4  # a tile has so many rows at least that adding its scatter (K, D, D) costs less than making it
)


@dataclass(frozen=True, slots=True)
class _TileSums:
    """What a tile adds up to about the fixed centres of a pass; sums add plainly."""

    mass: K
    first_moments: KD
    scatter: Array
    log_likelihood: float
    entropy: float
    n_rows: int
    counts: tuple[Array, ...] = ()

    def __add__(self, other: "_TileSums") -> "_TileSums":
        return _TileSums(
            self.mass + other.mass,
            self.first_moments + other.first_moments,
            self.scatter + other.scatter,
            self.log_likelihood + other.log_likelihood,
            self.entropy + other.entropy,
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
        tiles = (
            batch.sub_batch(tile.start, tile.stop) for tile in _iterate_tiles(batch.n_rows, self.quadratics.center)
        )
        return functools.reduce(
            operator.add,
            (_accumulate_tile(self.quadratics, tile, self.moment_kind, self.assignment) for tile in tiles),
        )

    def finish(self, total: _TileSums) -> Expectation:
        moments = Moments.from_centered_sums(
            total.mass, self.quadratics.center, total.first_moments, total.scatter, self.moment_kind
        )
        n_distances = total.n_rows * self.quadratics.n_components
        statistics = Statistics(moments, total.counts)
        return Expectation(statistics, total.log_likelihood, total.entropy, total.n_rows, n_distances)


class NumpyEngine(BatchEngine):
    """One tile at a time: distances by the type of the root, sums by the kind of moment."""

    name = "numpy"

    def make_e_step(
        self,
        quadratics: Quadratics,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> NumpyEStep:
        return NumpyEStep(quadratics, moment_kind, assignment)

    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        scores = np.empty((batch.n_rows, quadratics.n_components)) if out is None else out
        for tile in _iterate_tiles(batch.n_rows, quadratics.center):
            scores[tile] = _compute_tile_scores(quadratics, batch.sub_batch(tile.start, tile.stop))
        return scores


def _iterate_tiles(n_rows: int, center: KD) -> Iterator[slice]:
    """Slices of rows whose differences to all centres stay in cache."""
    return iterate_tiles(
        n_rows, max(16, center.shape[1] // _MAX_COLUMNS_PER_TILE_ROW, _DIFFERENCES_PER_TILE // center.size)
    )


def _compute_tile_scores(quadratics: Quadratics, tile: Batch) -> NK:
    distances = _SQUARED_DISTANCES_BY_ROOT[type(quadratics.precision_root)](
        quadratics.precision_root, tile.rows, quadratics.center
    )
    return add_row_terms(quadratics.offset - 0.5 * distances, quadratics, tile)


def _accumulate_tile(
    quadratics: Quadratics, tile: Batch, moment_kind: MomentKind, assignment: AssignmentKind
) -> _TileSums:
    """Sums about the running centres, in one reading of the rows."""
    responsibilities, log_likelihood, entropy = compute_responsibilities(
        _compute_tile_scores(quadratics, tile), tile, assignment
    )
    differences = tile.rows - quadratics.center[:, None, :]
    weights = np.ascontiguousarray(responsibilities.T)
    first = np.matmul(weights[:, None, :], differences)[:, 0]
    scatter = _SCATTER_BY_MOMENT_KIND[moment_kind](differences, weights)
    counts = count_categories(quadratics, tile, responsibilities)
    return _TileSums(responsibilities.sum(axis=0), first, scatter, log_likelihood, entropy, tile.n_rows, counts)


def _squared_norms(whitened: Array) -> NK:
    """Squared lengths (n, K) of whitened differences (K, n, D)."""
    return np.asarray(np.einsum("knd,knd->nk", whitened, whitened))


def _dense_squared_distances(root: DensePrecisionRoot, rows: ND, center: KD) -> NK:
    return _squared_norms((rows - center[:, None, :]) @ root.root_matrices)


def _shared_squared_distances(root: SharedPrecisionRoot, rows: ND, center: KD) -> NK:
    return np.asarray(cdist(rows @ root.root_matrix, center @ root.root_matrix, "sqeuclidean"))


def _diagonal_squared_distances(root: DiagonalPrecisionRoot, rows: ND, center: KD) -> NK:
    return _squared_norms((rows - center[:, None, :]) * root.inverse_deviations[:, None, :])


def _spherical_squared_distances(root: SphericalPrecisionRoot, rows: ND, center: KD) -> NK:
    return np.asarray(cdist(rows, center, "sqeuclidean") * root.inverse_deviations**2)


def _low_rank_squared_distances(root: LowRankPrecisionRoot, rows: ND, center: KD) -> NK:
    plain = (rows - center[:, None, :]) * root.inverse_noise_deviations[:, None, :]
    along = (plain @ root.axes) * root.whitening_fractions[:, None, :]
    return _squared_norms(plain - along @ np.swapaxes(root.axes, 1, 2))


_SQUARED_DISTANCES_BY_ROOT: dict[type[AbstractPrecisionRoot], Callable[[Any, ND, KD], NK]] = {
    DensePrecisionRoot: _dense_squared_distances,
    SharedPrecisionRoot: _shared_squared_distances,
    DiagonalPrecisionRoot: _diagonal_squared_distances,
    SphericalPrecisionRoot: _spherical_squared_distances,
    LowRankPrecisionRoot: _low_rank_squared_distances,
}


def _full_scatter(differences: Array, weights: NK) -> Array:
    return np.asarray(np.swapaxes(differences * weights[:, :, None], 1, 2) @ differences)


def _pooled_scatter(differences: Array, weights: NK) -> Array:
    flat = differences.reshape(-1, differences.shape[2])
    return np.asarray((flat * weights.reshape(-1, 1)).T @ flat)


def _diagonal_scatter(differences: Array, weights: NK) -> Array:
    return np.asarray(np.matmul(weights[:, None, :], differences * differences)[:, 0])


_SCATTER_BY_MOMENT_KIND: dict[MomentKind, Callable[[Array, NK], Array]] = {
    MomentKind.FULL: _full_scatter,
    MomentKind.POOLED_FULL: _pooled_scatter,
    MomentKind.DIAGONAL: _diagonal_scatter,
    MomentKind.POOLED_DIAGONAL: lambda differences, weights: _diagonal_scatter(differences, weights).sum(axis=0),
    MomentKind.TRACE: lambda differences, weights: _diagonal_scatter(differences, weights).sum(axis=1),
    MomentKind.NONE: lambda differences, weights: np.zeros((len(weights), 0)),
}
