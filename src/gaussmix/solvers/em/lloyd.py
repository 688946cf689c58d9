"""k-means: passes of Lloyd's from given centres, until these rest; clusters that lose all their rows are given one.

One pass with hard assignment under equal round covariances brings the mass and mean of every cluster, and its
likelihood is minus half the inertia (Lloyd, "Least squares quantization in PCM", IEEE Trans. Information Theory 28,
1982; Bishop, "Pattern Recognition and Machine Learning", 2006, section 9.3.2).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import CentersModel, ScoringModel
from gaussmix.engines.base import AbstractEngine, AssignmentKind
from gaussmix.model import prediction
from gaussmix.solvers.initialization.distinct_rows import lexicographic_order
from gaussmix.sources.base import AbstractSource
from gaussmix.types import KD, IntN, N

_RELATIVE_ROUNDING = 4.0 * np.finfo(float).eps
"""A share of the largest coordinate, or mean distance of a row; centres that move less have moved by rounding alone."""

InertiaCallback = Callable[[int, float], None]
"""Called after each pass with its number (from 1) and the inertia before its step, in the frame's units squared."""


@dataclass(frozen=True)
class LloydResult:
    """Where passes of k-means ended: centres (K, D) in the frame, how many passes there were, whether centres rest."""

    centers: KD
    n_iter: int
    has_converged: bool


def run_lloyd(
    source: AbstractSource,
    initial_centers: KD,
    engine: AbstractEngine,
    tolerance: float,
    max_iter: int,
    callback: InertiaCallback | None = None,
) -> LloydResult:
    """Centres moved to the means of the rows nearest to them, until they rest or the passes are used up.

    They rest where the squares of their movements add up to ``tolerance`` or less, in the frame. A cluster without a
    row is given the row that is farthest from its centre.
    """
    center = initial_centers
    for number in range(1, max_iter + 1):
        quadratics = CentersModel.euclidean(center)
        found = engine.bind(source).e_step(quadratics, MomentKind.NONE, AssignmentKind.HARD)
        moved = _relocate_empty_clusters(found.moments, quadratics, source, engine)
        movement = float(((moved - center) ** 2).sum())
        center = moved
        if callback is not None:
            callback(number, -2.0 * found.log_likelihood)
        size = max(float(np.abs(center).max()), np.sqrt(-2.0 * found.log_likelihood / found.total_weight))
        if movement <= max(tolerance, center.size * (_RELATIVE_ROUNDING * size) ** 2):
            return LloydResult(center, number, True)
    return LloydResult(center, max_iter, False)


def assign_to_nearest(centers: KD, source: AbstractSource, engine: AbstractEngine) -> tuple[IntN, N]:
    """The nearest centre of each row, the first of equals, (n,), and the squared distance to it, (n,), in the frame."""
    return _assign_by_score(CentersModel.euclidean(centers), source, engine)


def _assign_by_score(model: ScoringModel, source: AbstractSource, engine: AbstractEngine) -> tuple[IntN, N]:
    labels, scores = prediction.labels_and_best_scores(model, source, engine)
    return labels, -2.0 * scores


def _relocate_empty_clusters(
    moments: Moments, quadratics: ScoringModel, source: AbstractSource, engine: AbstractEngine
) -> KD:
    """The means, where clusters without a row have taken those that lie farthest from their centres.

    A row leaves with all its copies, so that it is the same as one of that weight.
    """
    empty = np.flatnonzero(moments.mass == 0)
    if not len(empty):
        return moments.mean
    rows, weights = source.collect(None)
    labels, squares = _assign_by_score(quadratics, source, engine)
    squares = np.where(weights > 0, squares, 0.0)
    least = np.partition(squares, -min(len(empty), len(squares)))[-min(len(empty), len(squares))]
    far = np.flatnonzero((squares >= least) & (squares > 0))
    far = far[lexicographic_order(rows[far])] if len(far) else far
    far = far[np.argsort(-squares[far], kind="stable")]
    center, mass = moments.mean.copy(), moments.mass.copy()
    first = np.ones(len(far), dtype=bool)
    first[1:] = np.any(rows[far[1:]] != rows[far[:-1]], axis=1)
    taken = np.add.reduceat(weights[far], np.flatnonzero(first)) if len(far) else weights[far]
    for cluster, row, weight in zip(empty, far[first], taken, strict=False):
        before = labels[row]
        left = mass[before] - weight
        if left > _RELATIVE_ROUNDING * mass[before]:
            center[before] += weight / left * (center[before] - rows[row])
            mass[before] = left
        center[cluster] = rows[row]
    return center
