"""The start of a fit with noise: which rows are noise is a guess, and the likelihood says which guess is good.

Two kinds of guess are made. The ordinary start takes all rows for groups, and leaves it to EM to hand the
outlying ones to the noise; the other first leaves out the rows that lie alone (``clutter``), and starts
from the rest. On a sample of the rows each makes ten passes of EM, and the most likely one is handed on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.covariance import Floor
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Box, Noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.start.clutter import clutter
from gaussmix.solvers.start.distinct import DistinctRows
from gaussmix.solvers.start.race import automatic, from_groups, likeliest, sample_size
from gaussmix.solvers.start.sample import representative
from gaussmix.solvers.start.seeding import KMEANS_START
from gaussmix.types import BoolN, D

LEAST_SHARE, MOST_SHARE = 0.02, 0.5  # share of noise that a run may begin with

_ROWS_FOR_FLOOR = 4_000

Change = Callable[[Mixture], Mixture]


def with_noise(mixture: Mixture, box: Box, share: float) -> Mixture:
    """A mixture that leaves a share to noise over a box; the components keep their proportions."""
    return replace(mixture, weights=mixture.weights * (1.0 - share), noise=Noise(share, box))


@dataclass(frozen=True)
class _Cleaned:
    """A sample of the rows, its part without the rows that lie alone (None if too few are left), and their share."""

    sample: Problem
    clean: Problem | None
    share: float


def _cleaned(problem: Problem, n_components: int, rng: np.random.Generator) -> _Cleaned:
    frame = problem.source.frame
    drawn = representative(problem, sample_size(n_components, problem.source.n_features), rng)
    alone = clutter(frame.apply(drawn.rows) / np.sqrt(problem.variances), drawn.weights)
    share = float(np.clip(drawn.weights @ alone / drawn.weights.sum(), LEAST_SHARE, MOST_SHARE))
    kept = alone < 0.5
    enough = kept.sum() >= max(n_components, 2) and np.ptp(drawn.rows[kept], axis=0).min() > 0
    clean = problem.only(drawn.rows[kept], drawn.weights[kept]) if enough and not kept.all() else None
    return _Cleaned(problem.only(drawn.rows, drawn.weights), clean, share)


def beside_noise(problem: Problem) -> Problem:
    """The problem with a floor that rows which lie alone do not raise: one of them, far away, has all the variance."""
    return problem.above(near_variances(problem)) if isinstance(problem.family.limit, Floor) else problem


def near_variances(problem: Problem) -> D:
    """The variance of each column (D,), in the frame, without rows that lie alone."""
    drawn = representative(problem, _ROWS_FOR_FLOOR, np.random.default_rng(0))
    rows = problem.source.frame.apply(drawn.rows)
    deviations = np.sqrt(np.where(problem.variances > 0, problem.variances, 1.0))
    kept = drawn.weights * (clutter(rows / deviations, drawn.weights) < 0.5)
    if not kept.sum() > 0:
        return problem.variances
    near = kept @ (rows - kept @ rows / kept.sum()) ** 2 / kept.sum()
    return np.minimum(near, problem.variances) if near.min() > 0 else problem.variances


def lonely(problem: Problem) -> BoolN:
    """Which of the rows (n,) lie alone, and are likely to be noise."""
    distinct = DistinctRows.of(problem.source)
    alone = clutter(distinct.rows / np.sqrt(problem.variances), distinct.weights)
    found = np.zeros(problem.source.n_rows, dtype=bool)
    found[distinct.counted] = alone[distinct.inverse] >= 0.5
    return found


def noisy(
    problem: Problem,
    method: str,
    n_components: int,
    box: Box,
    solver: AbstractSolver,
    rng: np.random.Generator,
    change: Change,
) -> Mixture:
    """The most likely of several starts with noise; ``change`` is made to each before it runs."""
    found = _cleaned(problem, n_components, rng)
    starts = [automatic(problem, method, n_components, rng)]
    if found.clean is not None:
        starts.append(automatic(found.clean, method, n_components, rng))
    if method == KMEANS_START and n_components > 1:
        starts.append(from_groups(found.clean or found.sample, n_components, rng))
    return likeliest(solver, [change(with_noise(start, box, found.share)) for start in starts], found.sample)


def noisy_from(problem: Problem, start: Mixture, box: Box, rng: np.random.Generator) -> Mixture:
    """A given start, and as much noise as there are rows that lie alone."""
    return with_noise(start, box, _cleaned(problem, start.n_components, rng).share)
