"""The everyday engine: NumPy and BLAS on tiles that stay in cache, all components at once.

Distances use centred rows, so no offset can cancel; the scatter is gathered about the centres of
the pass that is running and shifted to the new means at the end (stale-mean shift), so one reading
of the rows serves both halves of an EM step.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.roots import AbstractRoot, DenseRoot, DiagonalRoot, SharedRoot, SphericalRoot
from gaussmix.engines.base import AbstractEngine, Assign, add_hints, share_out
from gaussmix.types import KD, ND, NK, Array

_TILE_NUMBERS = 1 << 16  # differences (K, rows, D) held at one time: half a megabyte


class BlockedEngine(AbstractEngine):
    """One tile at a time: distances by the shape of the root, sums by the kind of moment."""

    def score(self, quadratics: Quadratics, batch: Batch) -> NK:
        distances = _DISTANCES[type(quadratics.root)](quadratics.root, batch.rows, quadratics.center)
        return add_hints(quadratics.offset - 0.5 * distances, batch)

    def expect(
        self, quadratics: Quadratics, batch: Batch, kind: MomentKind, assign: Assign = Assign.SOFT
    ) -> Expectation:
        shares, log_likelihood, entropy = share_out(self.score(quadratics, batch), batch, assign)
        moments = _stale_moments(batch.rows, shares, quadratics.center, kind)
        return Expectation(moments, log_likelihood, entropy, batch.n_rows)


def _tiles(n_rows: int, center: KD) -> Iterator[slice]:
    """Slices of rows whose differences to all centres stay in cache."""
    step = max(16, _TILE_NUMBERS // center.size)
    return (slice(start, start + step) for start in range(0, n_rows, step))


def _white_distances(rows: ND, center: KD, whiten: Callable[[Array], Array]) -> NK:
    """Squared lengths of whitened differences; ``whiten`` maps (K, n, D) to (K, n, D)."""
    distances = np.empty((len(rows), len(center)))
    for tile in _tiles(len(rows), center):
        white = whiten(rows[tile] - center[:, None, :])
        np.einsum("knd,knd->nk", white, white, out=distances[tile])
    return distances


def _dense(root: DenseRoot, rows: ND, center: KD) -> NK:
    return _white_distances(rows, center, lambda differences: differences @ root.matrices)


def _shared(root: SharedRoot, rows: ND, center: KD) -> NK:
    return np.asarray(cdist(rows @ root.matrix, center @ root.matrix, "sqeuclidean"))


def _diagonal(root: DiagonalRoot, rows: ND, center: KD) -> NK:
    return _white_distances(rows, center, lambda differences: differences * root.scales[:, None, :])


def _spherical(root: SphericalRoot, rows: ND, center: KD) -> NK:
    return np.asarray(cdist(rows, center, "sqeuclidean") * root.scales**2)


_DISTANCES: dict[type[AbstractRoot], Callable[[Any, ND, KD], NK]] = {
    DenseRoot: _dense,
    SharedRoot: _shared,
    DiagonalRoot: _diagonal,
    SphericalRoot: _spherical,
}


def _stale_moments(rows: ND, shares: NK, center: KD, kind: MomentKind) -> Moments:
    """Moments from sums about the running centres, in one reading of the rows."""
    first, scatter = np.zeros_like(center), np.zeros(())
    for tile in _tiles(len(rows), center):
        differences = rows[tile] - center[:, None, :]
        weights = np.ascontiguousarray(shares[tile].T)
        first += np.matmul(weights[:, None, :], differences)[:, 0]
        scatter = scatter + _SCATTER[kind](differences, weights)
    return Moments.shifted(shares.sum(axis=0), center, first, scatter, kind)


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
}
