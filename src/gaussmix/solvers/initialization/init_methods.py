"""Automatic starts from all the rows at hand: k-means++, k-means, random rows, random responsibilities.

All draws are made over the distinct rows in sorted order, weighted by how often each counts. So a
start, and with it a fit, does not depend on the order of the rows, and a row of weight 2 is the
same as that row twice. k-means++ is the greedy variant of Arthur & Vassilvitskii ("k-means++: the
advantages of careful seeding", SODA 2007) that scikit-learn uses: of ``2 + log K`` candidates the
one that lowers the potential most is kept. k-means is measured in the data's own units.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from gaussmix.core.label_prior import LogProbabilities
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.precision_roots import DiagonalPrecisionRoot, SphericalPrecisionRoot
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines.base import AbstractEngine, AssignmentKind
from gaussmix.model import prediction
from gaussmix.model.mixture import Mixture
from gaussmix.model.prediction import hard_labels
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.solvers.em.lloyd import LLOYD_MAX_ITER, Metric, lloyd_centers
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.hierarchical_clustering import MCLUST_CRITERIA, initialize_hierarchical
from gaussmix.solvers.initialization.initial_mixture import (
    argsort_means,
    initialize_from_label_prior,
    initialize_from_moments,
)
from gaussmix.sources.base import AbstractSource
from gaussmix.types import KD, ND, D, IntD, IntN, N

InitMethod = Callable[[Problem, int, np.random.Generator], Mixture]

KMEANS_METHOD = "kmeans"
_N_INIT_IF_WIDE = 10
_MIN_WIDE_COLUMNS = 32  # columns
_LLOYD_TOLERANCE = 1e-4  # squared movement of the centres, relative to the mean variance of a column


def make_standardized_metric(standard_deviations: D) -> Metric:
    """Return the metric that measures each column in its standard deviation."""
    scales = 1.0 / np.where(standard_deviations > 0, standard_deviations, 1.0)

    def metric(centers: KD) -> CentersModel:
        return CentersModel(centers, DiagonalPrecisionRoot(np.tile(scales, (len(centers), 1))))

    return metric


def kmeans_plusplus(
    distinct: DistinctRows,
    n_components: int,
    engine: AbstractEngine,
    rng: np.random.Generator,
    metric: Metric,
) -> KD:
    """K distinct rows, spread out (k-means++ with greedy candidates)."""
    rows, weights = distinct.rows, distinct.weights
    source = make_memory_source(rows)

    def squared_distances(candidates: IntN) -> ND:
        return -2.0 * prediction.scores(metric(rows[candidates]), source, engine)

    chosen = [int(_draw_indices(weights, 1, rng)[0])]
    nearest = squared_distances(np.array(chosen))[:, 0]
    for _ in range(1, n_components):
        candidates = _draw_indices(weights * nearest, 2 + int(np.log(n_components)), rng)
        reached = np.minimum(squared_distances(candidates), nearest[:, None])
        best = int(np.argmin(weights @ reached))
        chosen.append(int(candidates[best]))
        nearest = reached[:, best]
    return rows[chosen]


def _draw_indices(potential: N, size: int, rng: np.random.Generator) -> IntN:
    """Row numbers as likely as their potential; any row where no potential is left."""
    cumulative = np.cumsum(potential)
    if not cumulative[-1] > 0:  # every distinct row is a centre already
        return np.asarray(rng.integers(len(potential), size=size))
    found: IntN = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
    return np.asarray(np.minimum(found, len(potential) - 1))


def initialize_kmeans(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """The partition of k-means (k-means++ seeds, Lloyd's passes over all rows) in the data's units.

    With more columns than rows for each component, noise makes all rows about equally far from one another, seeds fall
    anywhere, and k-means often ends in a poor partition: the best of several is taken.
    """
    tries = _N_INIT_IF_WIDE if _is_wide(problem, n_components) else 1
    found = [kmeans_centers(problem, n_components, rng) for _ in range(tries)]
    return initialize_from_centers(
        problem, found[0] if tries == 1 else min(found, key=lambda center: _inertia(problem, center))
    )


def _is_wide(problem: Problem, n_components: int) -> bool:
    """Whether the columns are many, and more than distinct rows for each component."""
    n_features = problem.source.n_features
    if n_features < _MIN_WIDE_COLUMNS:
        return False
    return n_components * n_features > len(DistinctRows.from_source(problem.source).rows)


def _inertia(problem: Problem, centers: KD) -> float:
    """Squared distances of the rows to the nearest of some centres (K, D) in the frame, in the data's units."""
    source, back = _with_common_scale(problem)
    model, session = CentersModel.euclidean(np.ldexp(centers, -back)), problem.engine.bind(source)
    return float(session.e_step(model, MomentKind.TRACE, AssignmentKind.HARD).moments.scatter.sum())


def kmeans_centers(problem: Problem, n_components: int, rng: np.random.Generator, max_iter: int = LLOYD_MAX_ITER) -> KD:
    """The centres of k-means in the data's units, (K, D) in the frame, in the order of their columns."""
    source, back = _with_common_scale(problem)
    tolerance = _LLOYD_TOLERANCE * float(np.ldexp(problem.column_variances, -2 * back).mean())
    seeds = kmeans_plusplus(DistinctRows.from_source(source), n_components, problem.engine, rng, CentersModel.euclidean)
    center = lloyd_centers(replace(problem, source=source), seeds, tolerance, max_iter=max_iter)
    return np.asarray(np.ldexp(center[argsort_means(center, center.std(axis=0))], back))


def initialize_from_centers(problem: Problem, centers: KD) -> Mixture:
    """Every row to the nearest, in the data's units, of some centres (K, D) in the frame: one pass, no labels kept."""
    _, back = _with_common_scale(problem)
    scales = np.ldexp(1.0, -back)
    root = (
        DiagonalPrecisionRoot(np.tile(scales, (len(centers), 1)))
        if back.any()
        else SphericalPrecisionRoot(np.ones(len(centers)))
    )
    unhinted = replace(problem, source=problem.source.with_label_prior(None))
    moments = unhinted.e_step(CentersModel(centers, root), assignment=AssignmentKind.HARD).moments
    return initialize_from_moments(problem, moments)


def initial_partitions(problem: Problem, n_components: int, n_partitions: int, rng: np.random.Generator) -> list[IntN]:
    """Different labellings of the rows (n,), to start any structure from.

    In turn: k-means in the data's units, k-means in standard deviations, and the rows nearest (in
    standard deviations) to random rows.
    """
    source, back = _with_common_scale(problem)
    plain = (source, CentersModel.euclidean, float(np.ldexp(problem.column_variances, -2 * back).mean()))
    scaled = (
        problem.source.with_label_prior(None),
        make_standardized_metric(np.sqrt(problem.column_variances)),
        1.0,
    )
    distinct = {id(rows): DistinctRows.from_source(rows) for rows, _, _ in (plain, scaled)}
    found = []
    for number in range(n_partitions):
        rows, metric, variance = plain if number % 3 == 0 else scaled
        seeds = kmeans_plusplus(distinct[id(rows)], n_components, problem.engine, rng, metric)
        if number % 3 == 2:
            seeds = distinct[id(rows)].sample_rows(n_components, rng)
        else:
            seeds = lloyd_centers(replace(problem, source=rows), seeds, _LLOYD_TOLERANCE * variance, metric)
        found.append(hard_labels(metric(seeds), rows, problem.engine))
    return found


def _with_common_scale(problem: Problem) -> tuple[AbstractSource, IntD]:
    """The rows with one scale for all columns, and the powers of two that lead back to the problem's frame."""
    frame = problem.source.frame.with_common_scale()
    return problem.source.with_frame(frame).with_label_prior(
        None
    ), problem.source.frame.total_exponent - frame.total_exponent


def initialize_kmeans_plusplus(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """K rows spread out by k-means++, with covariances at their smallest."""
    source, back = _with_common_scale(problem)
    rows = kmeans_plusplus(DistinctRows.from_source(source), n_components, problem.engine, rng, CentersModel.euclidean)
    return _initialize_at_rows(problem, np.ldexp(rows, back))


def initialize_random_from_data(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """K rows drawn at random, with covariances at their smallest."""
    return _initialize_at_rows(problem, DistinctRows.from_source(problem.source).sample_rows(n_components, rng))


def _initialize_at_rows(problem: Problem, rows: KD) -> Mixture:
    center = rows[argsort_means(rows, np.sqrt(problem.column_variances))]
    kind = problem.covariance_estimator.moment_kind
    nothing = kind.weighted_outer_products(np.zeros_like(center), np.zeros(len(center)))
    return initialize_from_moments(problem, Moments(np.ones(len(center)), center, nothing, kind))


def initialize_random(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Uniform random responsibilities for every distinct row: components that begin almost alike."""
    distinct = DistinctRows.from_source(problem.source)
    drawn = rng.random((len(distinct.rows), n_components)) + np.finfo(float).tiny
    hints = np.zeros((problem.n_rows, n_components))
    hints[distinct.positive_weight_indices] = np.log(drawn / drawn.sum(axis=1)[:, None])[distinct.inverse]
    return initialize_from_label_prior(problem, LogProbabilities(hints), n_components)


INIT_METHODS: dict[str, InitMethod] = {
    KMEANS_METHOD: initialize_kmeans,
    "k-means++": initialize_kmeans_plusplus,
    "random": initialize_random,
    "random_from_data": initialize_random_from_data,
    "hierarchical": initialize_hierarchical,
    **{f"hierarchical-{name}": partial(initialize_hierarchical, criterion=name) for name in MCLUST_CRITERIA},
}
