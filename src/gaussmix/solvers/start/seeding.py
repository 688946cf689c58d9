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

from gaussmix.core.batch import Batch
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.roots import DiagonalRoot, SphericalRoot
from gaussmix.engines.base import AbstractEngine, Assign
from gaussmix.model.mixture import Mixture
from gaussmix.model.posterior import labels
from gaussmix.model.problem import Problem
from gaussmix.solvers.start.distinct import DistinctRows
from gaussmix.solvers.start.given import from_labels, from_moments, mean_order
from gaussmix.solvers.start.hierarchy import MCLUST, hierarchical
from gaussmix.sources.base import AbstractSource
from gaussmix.types import KD, ND, D, IntD, IntN, N

Start = Callable[[Problem, int, np.random.Generator], Mixture]

KMEANS_START = "kmeans"
LLOYD_PASSES = 300
_TRIES_IF_WIDE = 10
_FEWEST_IF_WIDE = 32  # columns
_LLOYD_TOLERANCE = 1e-4  # squared movement of the centres, relative to the mean variance of a column


Metric = Callable[[KD], Quadratics]


def euclidean(center: KD) -> Quadratics:
    """Scores that are minus half the squared distance: what k-means sees."""
    return Quadratics(np.zeros(len(center)), center, SphericalRoot(np.ones(len(center))))


def standardised(deviations: D) -> Metric:
    """Distances in standard deviations of each column."""
    scales = 1.0 / np.where(deviations > 0, deviations, 1.0)

    def metric(center: KD) -> Quadratics:
        return Quadratics(np.zeros(len(center)), center, DiagonalRoot(np.tile(scales, (len(center), 1))))

    return metric


def plus_plus(
    distinct: DistinctRows, n_components: int, engine: AbstractEngine, rng: np.random.Generator, metric: Metric
) -> KD:
    """K distinct rows, spread out (k-means++ with greedy candidates)."""
    rows, weights = distinct.rows, distinct.weights
    batch = Batch(rows)

    def squared_distances(candidates: IntN) -> ND:
        return -2.0 * engine.score(metric(rows[candidates]), batch)

    chosen = [int(_draw(weights, 1, rng)[0])]
    nearest = squared_distances(np.array(chosen))[:, 0]
    for _ in range(1, n_components):
        candidates = _draw(weights * nearest, 2 + int(np.log(n_components)), rng)
        reached = np.minimum(squared_distances(candidates), nearest[:, None])
        best = int(np.argmin(weights @ reached))
        chosen.append(int(candidates[best]))
        nearest = reached[:, best]
    return rows[chosen]


def _draw(potential: N, count: int, rng: np.random.Generator) -> IntN:
    """Row numbers as likely as their potential; any row where no potential is left."""
    cumulative = np.cumsum(potential)
    if not cumulative[-1] > 0:  # every distinct row is a centre already
        return np.asarray(rng.integers(len(potential), size=count))
    found: IntN = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right")
    return np.asarray(np.minimum(found, len(potential) - 1))


def lloyd(
    source: AbstractSource,
    center: KD,
    engine: AbstractEngine,
    tolerance: float,
    metric: Metric,
    passes: int = LLOYD_PASSES,
) -> KD:
    """Centres moved to the means of the rows nearest to them until they rest; an empty one stays where it is."""
    for _ in range(passes):
        quadratics = metric(center)
        moved = _means(source, quadratics, engine)
        movement = -2.0 * engine.score(metric(center), Batch(moved)).diagonal().sum()
        center = moved
        if movement <= tolerance:
            break
    return center


def _means(source: AbstractSource, quadratics: Quadratics, engine: AbstractEngine) -> KD:
    return engine.sweep(source.reduce, quadratics, MomentKind.NOTHING, Assign.HARD).moments.mean


def kmeans(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """The partition of k-means (k-means++ seeds, Lloyd's passes over all rows) in the data's units.

    With more columns than rows for each component, noise makes all rows about equally far from one another, seeds fall
    anywhere, and k-means often ends in a poor partition: the best of several is taken.
    """
    tries = _TRIES_IF_WIDE if _is_wide(problem, n_components) else 1
    found = [kmeans_centers(problem, n_components, rng) for _ in range(tries)]
    return nearest(problem, found[0] if tries == 1 else min(found, key=lambda center: _inertia(problem, center)))


def _is_wide(problem: Problem, n_components: int) -> bool:
    """Whether the columns are many, and more than distinct rows for each component."""
    n_features = problem.source.n_features
    if n_features < _FEWEST_IF_WIDE:
        return False
    return n_components * n_features > len(DistinctRows.of(problem.source).rows)


def _inertia(problem: Problem, center: KD) -> float:
    """Squared distances of the rows to the nearest of some centres (K, D) in the frame, in the data's units."""
    source, back = _common(problem)
    quadratics = euclidean(np.ldexp(center, -back))
    return float(problem.engine.sweep(source.reduce, quadratics, MomentKind.TRACE, Assign.HARD).moments.scatter.sum())


def kmeans_centers(problem: Problem, n_components: int, rng: np.random.Generator, passes: int = LLOYD_PASSES) -> KD:
    """The centres of k-means in the data's units, (K, D) in the frame, in the order of their columns."""
    source, back = _common(problem)
    tolerance = _LLOYD_TOLERANCE * float(np.ldexp(problem.variances, -2 * back).mean())
    seeds = plus_plus(DistinctRows.of(source), n_components, problem.engine, rng, euclidean)
    center = lloyd(source, seeds, problem.engine, tolerance, euclidean, passes)
    return np.asarray(np.ldexp(center[mean_order(center, center.std(axis=0))], back))


def nearest(problem: Problem, center: KD) -> Mixture:
    """Every row to the nearest, in the data's units, of some centres (K, D) in the frame: one pass, no labels kept."""
    _, back = _common(problem)
    scales = np.ldexp(1.0, -back)
    root = DiagonalRoot(np.tile(scales, (len(center), 1))) if back.any() else SphericalRoot(np.ones(len(center)))
    unhinted = replace(problem, source=problem.source.hinted(None))
    moments = unhinted.expect(Quadratics(np.zeros(len(center)), center, root), assign=Assign.HARD).moments
    return from_moments(problem, moments)


def partitions(problem: Problem, n_components: int, count: int, rng: np.random.Generator) -> list[IntN]:
    """Different labellings of the rows (n,), to start any structure from.

    In turn: k-means in the data's units, k-means in standard deviations, and the rows nearest (in
    standard deviations) to random rows.
    """
    source, back = _common(problem)
    plain = (source, euclidean, float(np.ldexp(problem.variances, -2 * back).mean()))
    scaled = (problem.source.hinted(None), standardised(np.sqrt(problem.variances)), 1.0)
    distinct = {id(rows): DistinctRows.of(rows) for rows, _, _ in (plain, scaled)}
    found = []
    for number in range(count):
        rows, metric, variance = plain if number % 3 == 0 else scaled
        seeds = plus_plus(distinct[id(rows)], n_components, problem.engine, rng, metric)
        if number % 3 == 2:
            seeds = distinct[id(rows)].choose(n_components, rng)
        else:
            seeds = lloyd(rows, seeds, problem.engine, _LLOYD_TOLERANCE * variance, metric)
        found.append(labels(metric(seeds), rows, problem.engine))
    return found


def _common(problem: Problem) -> tuple[AbstractSource, IntD]:
    """The rows with one scale for all columns, and the powers of two that lead back to the problem's frame."""
    frame = problem.source.frame.common()
    return problem.source.framed(frame).hinted(None), problem.source.frame.total_exponent - frame.total_exponent


def kmeans_plus_plus(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """K rows spread out by k-means++, with covariances at their smallest."""
    source, back = _common(problem)
    rows = plus_plus(DistinctRows.of(source), n_components, problem.engine, rng, euclidean)
    return _at_rows(problem, np.ldexp(rows, back))


def random_from_data(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """K rows drawn at random, with covariances at their smallest."""
    return _at_rows(problem, DistinctRows.of(problem.source).choose(n_components, rng))


def _at_rows(problem: Problem, rows: KD) -> Mixture:
    center = rows[mean_order(rows, np.sqrt(problem.variances))]
    kind = problem.family.kind
    nothing = kind.outer(np.zeros_like(center), np.zeros(len(center)))
    return from_moments(problem, Moments(np.ones(len(center)), center, nothing, kind))


def random_responsibilities(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Uniform random responsibilities for every distinct row: components that begin almost alike."""
    distinct = DistinctRows.of(problem.source)
    drawn = rng.random((len(distinct.rows), n_components)) + np.finfo(float).tiny
    hints = np.zeros((problem.source.n_rows, n_components))
    hints[distinct.counted] = np.log(drawn / drawn.sum(axis=1)[:, None])[distinct.inverse]
    return from_labels(problem, hints, n_components)


STARTS: dict[str, Start] = {
    KMEANS_START: kmeans,
    "k-means++": kmeans_plus_plus,
    "random": random_responsibilities,
    "random_from_data": random_from_data,
    "hierarchical": hierarchical,
    **{f"hierarchical-{name}": partial(hierarchical, criterion=name) for name in MCLUST},
}
