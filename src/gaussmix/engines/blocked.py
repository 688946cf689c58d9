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
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.reduce import Reduce
from gaussmix.core.roots import AbstractRoot, DenseRoot, DiagonalRoot, LowRankRoot, SharedRoot, SphericalRoot
from gaussmix.engines.base import AbstractEngine, Assign, add_hints, share_out, tiles
from gaussmix.types import KD, ND, NK, Array, K

_TILE_NUMBERS = 1 << 16  # differences (K, rows, D) held at one time: half a megabyte
_COLUMNS_PER_ROW = 4  # a tile has so many rows at least that adding its scatter (K, D, D) costs less than making it


@dataclass(frozen=True, slots=True)
class _Sums:
    """What a tile adds up to about the fixed centres of a pass; sums add plainly."""

    mass: K
    first: KD
    scatter: Array
    log_likelihood: float
    entropy: float
    n_rows: int

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(
            self.mass + other.mass,
            self.first + other.first,
            self.scatter + other.scatter,
            self.log_likelihood + other.log_likelihood,
            self.entropy + other.entropy,
            self.n_rows + other.n_rows,
        )


class BlockedEngine(AbstractEngine):
    """One tile at a time: distances by the shape of the root, sums by the kind of moment."""

    def sweep(
        self,
        reduce: Reduce,
        quadratics: Quadratics,
        kind: MomentKind,
        assign: Assign = Assign.SOFT,
        total: Moments | None = None,
    ) -> Expectation:
        center = quadratics.center

        def of(batch: Batch) -> _Sums:
            parts = (batch.part(tile.start, tile.stop) for tile in _tiles(batch.n_rows, center))
            return functools.reduce(operator.add, (_sums(quadratics, part, kind, assign) for part in parts))

        sums = reduce(of)
        moments = Moments.shifted(sums.mass, center, sums.first, sums.scatter, kind)
        n_pairs = sums.n_rows * quadratics.n_components
        return Expectation(moments, sums.log_likelihood, sums.entropy, sums.n_rows, n_pairs)

    def score(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        scores = np.empty((batch.n_rows, quadratics.n_components)) if out is None else out
        for tile in _tiles(batch.n_rows, quadratics.center):
            scores[tile] = _scores(quadratics, batch.part(tile.start, tile.stop))
        return scores


def _tiles(n_rows: int, center: KD) -> Iterator[slice]:
    """Slices of rows whose differences to all centres stay in cache."""
    return tiles(n_rows, max(16, center.shape[1] // _COLUMNS_PER_ROW, _TILE_NUMBERS // center.size))


def _scores(quadratics: Quadratics, tile: Batch) -> NK:
    distances = _DISTANCES[type(quadratics.root)](quadratics.root, tile.rows, quadratics.center)
    return add_hints(quadratics.offset - 0.5 * distances, tile)


def _sums(quadratics: Quadratics, tile: Batch, kind: MomentKind, assign: Assign) -> _Sums:
    """Sums about the running centres, in one reading of the rows."""
    shares, log_likelihood, entropy = share_out(_scores(quadratics, tile), tile, assign)
    differences = tile.rows - quadratics.center[:, None, :]
    weights = np.ascontiguousarray(shares.T)
    first = np.matmul(weights[:, None, :], differences)[:, 0]
    scatter = _SCATTER[kind](differences, weights)
    return _Sums(shares.sum(axis=0), first, scatter, log_likelihood, entropy, tile.n_rows)


def _squared_lengths(white: Array) -> NK:
    """Squared lengths (n, K) of whitened differences (K, n, D)."""
    return np.asarray(np.einsum("knd,knd->nk", white, white))


def _dense(root: DenseRoot, rows: ND, center: KD) -> NK:
    return _squared_lengths((rows - center[:, None, :]) @ root.matrices)


def _shared(root: SharedRoot, rows: ND, center: KD) -> NK:
    return np.asarray(cdist(rows @ root.matrix, center @ root.matrix, "sqeuclidean"))


def _diagonal(root: DiagonalRoot, rows: ND, center: KD) -> NK:
    return _squared_lengths((rows - center[:, None, :]) * root.scales[:, None, :])


def _spherical(root: SphericalRoot, rows: ND, center: KD) -> NK:
    return np.asarray(cdist(rows, center, "sqeuclidean") * root.scales**2)


def _low_rank(root: LowRankRoot, rows: ND, center: KD) -> NK:
    plain = (rows - center[:, None, :]) * root.scales[:, None, :]
    along = (plain @ root.axes) * root.shrinkage[:, None, :]
    return _squared_lengths(plain - along @ np.swapaxes(root.axes, 1, 2))


_DISTANCES: dict[type[AbstractRoot], Callable[[Any, ND, KD], NK]] = {
    DenseRoot: _dense,
    SharedRoot: _shared,
    DiagonalRoot: _diagonal,
    SphericalRoot: _spherical,
    LowRankRoot: _low_rank,
}


def _full(differences: Array, weights: NK) -> Array:
    return np.asarray(np.swapaxes(differences * weights[:, :, None], 1, 2) @ differences)


def _pooled(differences: Array, weights: NK) -> Array:
    flat = differences.reshape(-1, differences.shape[2])
    return np.asarray((flat * weights.reshape(-1, 1)).T @ flat)


def _squares(differences: Array, weights: NK) -> Array:
    return np.asarray(np.matmul(weights[:, None, :], differences * differences)[:, 0])


_SCATTER: dict[MomentKind, Callable[[Array, NK], Array]] = {
    MomentKind.FULL: _full,
    MomentKind.POOLED_FULL: _pooled,
    MomentKind.DIAGONAL: _squares,
    MomentKind.POOLED_DIAGONAL: lambda differences, weights: _squares(differences, weights).sum(axis=0),
    MomentKind.TRACE: lambda differences, weights: _squares(differences, weights).sum(axis=1),
    MomentKind.NOTHING: lambda differences, weights: np.zeros((len(weights), 0)),
}
