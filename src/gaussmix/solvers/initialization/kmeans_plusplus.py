"""Greedy k-means++: draw rows that are far from each other.

Seeds are drawn from the distinct rows in sorted order, in proportion to their weights. The result therefore does not
depend on the order of the rows, and a row of weight 2 equals that row twice. k-means++ is the greedy variant that
scikit-learn uses (Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007): of 2 + log K
candidates it keeps the one that lowers the inertia the most.
"""

import numpy as np

from gaussmix.core.quadratics import CentersModel
from gaussmix.engines.base import AbstractEngine
from gaussmix.engines.kmeans_runner import SupportsKMeansRuns
from gaussmix.model import prediction
from gaussmix.model.problem import make_memory_source
from gaussmix.solvers.em.lloyd import Metric
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.types import KD, ND, Array, IntK, IntN, N


def kmeans_plusplus(
    distinct: DistinctRows,
    n_components: int,
    engine: AbstractEngine,
    rng: np.random.Generator,
    metric: Metric,
    max_trials: int | None = None,
) -> KD:
    """Draw K distinct rows that are far from each other in the metric, (K, D): greedy k-means++.

    Each seed is the best of 2 + log K candidates, or of ``max_trials`` if that is less.
    """
    n_trials = 2 + int(np.log(n_components))
    if max_trials is not None:
        n_trials = min(n_trials, max_trials)
    uniforms = rng.random(1 + (n_components - 1) * n_trials)
    indices = None
    if isinstance(engine, SupportsKMeansRuns):
        scaled_rows = _scale_rows_to_euclidean_metric(distinct.rows, metric)
        indices = engine.kmeans_runner.draw_seeds(scaled_rows, distinct.weights, uniforms, n_trials)
    if indices is None:
        trials = uniforms[1:].reshape(n_components - 1, n_trials)
        indices = _draw_seeds(distinct, engine, metric, uniforms[:1], trials)
    return distinct.rows[indices]


def _scale_rows_to_euclidean_metric(rows: ND, metric: Metric) -> ND:
    """Return rows (n, D) whose Euclidean distances are those of the metric, which columns enter independently."""
    if metric == CentersModel.euclidean:
        return rows
    root = metric(np.zeros((1, rows.shape[1]))).to_quadratics().precision_root
    return np.ascontiguousarray(rows * np.diagonal(root.to_dense(1, rows.shape[1])[0]))


def _draw_seeds(distinct: DistinctRows, engine: AbstractEngine, metric: Metric, first: N, trials: Array) -> IntK:
    """Draw the positions (K,) of seeds from uniform numbers: ``first`` (1,), ``trials`` (K - 1, candidates)."""
    rows, weights = distinct.rows, distinct.weights
    source = make_memory_source(rows)

    def squared_distances(candidates: IntN) -> ND:
        return -2.0 * prediction.component_scores(metric(rows[candidates]), source, engine)

    indices = _find_positions(weights, first)
    nearest = squared_distances(indices)[:, 0]
    for uniforms in trials:
        candidates = _find_positions(weights * nearest, uniforms)
        new_nearest = np.minimum(squared_distances(candidates), nearest[:, None])
        best = int(np.argmin(weights @ new_nearest))
        indices = np.append(indices, candidates[best])
        nearest = new_nearest[:, best]
    return indices


def _find_positions(potential: N, uniforms: Array) -> IntN:
    """Return row positions (m,) by uniform numbers (m,), in proportion to a potential (n,), or all alike if it is 0."""
    cumulative = np.cumsum(potential)
    if not cumulative[-1] > 0:  # every distinct row is already a center
        return np.asarray((uniforms * len(potential)).astype(np.int64))
    indices: IntN = np.searchsorted(cumulative, uniforms * cumulative[-1], side="right")
    return np.asarray(np.minimum(indices, len(potential) - 1))
