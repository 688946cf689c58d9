"""The start of a fit with noise: which rows are noise is a guess, and the likelihood says which guess is good.

Two kinds of guess are made. The ordinary start takes all rows for groups, and leaves it to EM to hand the
outlying ones to the noise; the other first leaves out the rows that lie alone (``clutter``), and starts
from the rest. On a sample of the rows each makes ten passes of EM, and the most likely one is handed on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.covariance import FloorRegularizer
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Box, Noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.init_methods import KMEANS_METHOD
from gaussmix.solvers.initialization.initializer import (
    best_start,
    initialize,
    initialize_from_merged_groups,
    start_sample_size,
)
from gaussmix.solvers.initialization.outliers import outlier_probabilities
from gaussmix.solvers.initialization.subsampling import draw_representative_sample
from gaussmix.types import BoolN, D

MIN_NOISE_WEIGHT, MAX_NOISE_WEIGHT = 0.02, 0.5  # share of noise that a run may begin with

_FLOOR_SAMPLE_ROWS = 4_000

MixtureTransform = Callable[[Mixture], Mixture]


def add_noise(mixture: Mixture, box: Box, noise_weight: float) -> Mixture:
    """A mixture that leaves a share to noise over a box; the components keep their proportions."""
    return replace(mixture, weights=mixture.weights * (1.0 - noise_weight), noise=Noise(noise_weight, box))


@dataclass(frozen=True)
class _OutlierSplit:
    """A sample of the rows, its part without the rows that lie alone (None if too few are left), and their share."""

    sample: Problem
    without_outliers: Problem | None
    noise_weight: float


def _split_off_outliers(problem: Problem, n_components: int, rng: np.random.Generator) -> _OutlierSplit:
    frame = problem.source.frame
    drawn = draw_representative_sample(problem, start_sample_size(n_components, problem.source.n_features), rng)
    alone = outlier_probabilities(frame.transform_rows(drawn.rows) / np.sqrt(problem.column_variances), drawn.weights)
    share = float(np.clip(drawn.weights @ alone / drawn.weights.sum(), MIN_NOISE_WEIGHT, MAX_NOISE_WEIGHT))
    kept = alone < 0.5
    enough = kept.sum() >= max(n_components, 2) and np.ptp(drawn.rows[kept], axis=0).min() > 0
    clean = problem.on_rows(drawn.rows[kept], drawn.weights[kept]) if enough and not kept.all() else None
    return _OutlierSplit(problem.on_rows(drawn.rows, drawn.weights), clean, share)


def with_robust_floor(problem: Problem) -> Problem:
    """The problem with a floor that rows which lie alone do not raise: one of them, far away, has all the variance."""
    return (
        problem.with_floor(robust_variances(problem))
        if isinstance(problem.covariance_estimator.regularizer, FloorRegularizer)
        else problem
    )


def robust_variances(problem: Problem) -> D:
    """The variance of each column (D,), in the frame, without rows that lie alone."""
    drawn = draw_representative_sample(problem, _FLOOR_SAMPLE_ROWS, np.random.default_rng(0))
    rows = problem.source.frame.transform_rows(drawn.rows)
    deviations = np.sqrt(np.where(problem.column_variances > 0, problem.column_variances, 1.0))
    kept = drawn.weights * (outlier_probabilities(rows / deviations, drawn.weights) < 0.5)
    if not kept.sum() > 0:
        return problem.column_variances
    near = kept @ (rows - kept @ rows / kept.sum()) ** 2 / kept.sum()
    return np.minimum(near, problem.column_variances) if near.min() > 0 else problem.column_variances


def outlier_mask(problem: Problem) -> BoolN:
    """Which of the rows (n,) lie alone, and are likely to be noise."""
    distinct = DistinctRows.from_source(problem.source)
    alone = outlier_probabilities(distinct.rows / np.sqrt(problem.column_variances), distinct.weights)
    found = np.zeros(problem.source.n_rows, dtype=bool)
    found[distinct.positive_weight_indices] = alone[distinct.inverse] >= 0.5
    return found


def initialize_with_noise(
    problem: Problem,
    method: str,
    n_components: int,
    box: Box,
    solver: AbstractSolver,
    rng: np.random.Generator,
    transform: MixtureTransform,
) -> Mixture:
    """The most likely of several starts with noise; ``change`` is made to each before it runs."""
    found = _split_off_outliers(problem, n_components, rng)
    starts = [initialize(problem, method, n_components, rng)]
    if found.without_outliers is not None:
        starts.append(initialize(found.without_outliers, method, n_components, rng))
    if method == KMEANS_METHOD and n_components > 1:
        starts.append(initialize_from_merged_groups(found.without_outliers or found.sample, n_components, rng))
    return best_start(solver, [transform(add_noise(start, box, found.noise_weight)) for start in starts], found.sample)


def add_estimated_noise(problem: Problem, start: Mixture, box: Box, rng: np.random.Generator) -> Mixture:
    """A given start, and as much noise as there are rows that lie alone."""
    return add_noise(start, box, _split_off_outliers(problem, start.n_components, rng).noise_weight)
