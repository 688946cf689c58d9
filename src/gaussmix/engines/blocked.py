"""The everyday engine: NumPy and BLAS on blocks that stay in cache.

Distances use centred rows, so no offset can cancel; the scatter is gathered about the centres of
the pass that is running and shifted to the new means at the end (stale-mean shift), so one reading
of the rows serves both halves of an EM step.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments, weighted_scatter
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.roots import AbstractRoot, DenseRoot, DiagonalRoot, SharedRoot, SphericalRoot
from gaussmix.engines.base import AbstractEngine, Assign, add_hints, share_out
from gaussmix.types import KD, ND, NK


class BlockedEngine(AbstractEngine):
    """One block at a time: distances by the shape of the root, sums by the kind of moment."""

    def score(self, quadratics: Quadratics, batch: Batch) -> NK:
        distances = _DISTANCES[type(quadratics.root)](quadratics.root, batch.rows, quadratics.center)
        return add_hints(quadratics.offset - 0.5 * distances, batch)

    def expect(
        self, quadratics: Quadratics, batch: Batch, kind: MomentKind, assign: Assign = Assign.SOFT
    ) -> Expectation:
        shares, log_likelihood, entropy = share_out(self.score(quadratics, batch), batch, assign)
        moments = _stale_moments(batch.rows, shares, quadratics.center, kind)
        return Expectation(moments, log_likelihood, entropy, batch.n_rows)


def _dense(root: DenseRoot, rows: ND, center: KD) -> NK:
    distances = np.empty((len(rows), len(center)))
    for k, matrix in enumerate(root.matrices):
        white = (rows - center[k]) @ matrix
        np.einsum("nd,nd->n", white, white, out=distances[:, k])
    return distances


def _shared(root: SharedRoot, rows: ND, center: KD) -> NK:
    return np.asarray(cdist(rows @ root.matrix, center @ root.matrix, "sqeuclidean"))


def _diagonal(root: DiagonalRoot, rows: ND, center: KD) -> NK:
    distances = np.empty((len(rows), len(center)))
    for k, scales in enumerate(root.scales):
        white = (rows - center[k]) * scales
        np.einsum("nd,nd->n", white, white, out=distances[:, k])
    return distances


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
    mass = shares.sum(axis=0)
    first = np.zeros_like(center)
    parts = []
    for k in range(len(center)):
        differences = rows - center[k]
        weights = np.ascontiguousarray(shares[:, k])
        first[k] = weights @ differences
        parts.append(weighted_scatter(differences, weights, kind))
    pooled = kind in (MomentKind.POOLED_FULL, MomentKind.POOLED_DIAGONAL)
    scatter = np.sum(parts, axis=0) if pooled else np.array(parts)
    return Moments.shifted(mass, center, first, scatter, kind)

