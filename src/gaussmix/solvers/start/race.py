"""The start of a fit by name: from all rows where they are few, from a sample where they are many.

A start only has to lie in the right valley, and a few hundred rows per component say where that is.
So where there are more than ``limit_of_few`` rows, a sample (``representative``) stands for them
until the first pass over all. 'kmeans' then becomes a race of short runs on it, because one
k-means, however many rows it sees, often ends with two centres in one group: eight times K rows are
spread out by k-means++ and every row goes to the nearest; EM goes on from there for a few passes on
two fifths of the sample, the better ones for more, and the best for up to 30 passes on the whole
sample. What is handed on is a mixture, nothing that is as long as the data.
"""

from collections.abc import Callable

import numpy as np

from gaussmix.errors import CollapseError
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.em import EM
from gaussmix.solvers.restarts import halved
from gaussmix.solvers.run import Run, run
from gaussmix.solvers.start.given import in_order
from gaussmix.solvers.start.sample import representative
from gaussmix.solvers.start.seeding import KMEANS_START, STARTS, nearest, spread_out
from gaussmix.solvers.stopping import AbsoluteGain

_FEW_ROWS = 10_000
_SMALLEST_SAMPLE = 4_000
_ROWS_PER_COMPONENT = 250
_ROWS_PER_COLUMN = 10  # and component: a covariance needs more rows where it has more columns

_CANDIDATES = 8
_ROUNDS = ((2, 3), (5, 2), (8, 1))
_PART = 0.4  # of the sample, for the rounds
_STOPPING = AbsoluteGain(1e-4, 30)


def sample_size(n_components: int, n_features: int) -> int:
    """How many rows stand for many: 250 per component, or 10 for each of its columns; at least 4000."""
    return max(_SMALLEST_SAMPLE, n_components * max(_ROWS_PER_COMPONENT, _ROWS_PER_COLUMN * n_features))


def limit_of_few(n_components: int, n_features: int) -> int:
    """The most rows that a start looks at as they are: 10 000, or twice the sample if that is more."""
    return max(_FEW_ROWS, 2 * sample_size(n_components, n_features))


def automatic(problem: Problem, method: str, n_components: int, rng: np.random.Generator) -> Mixture:
    """A start by one of the names in ``STARTS``; of many rows from a sample of them."""
    n_features = problem.source.n_features
    if problem.source.n_rows <= limit_of_few(n_components, n_features):
        return STARTS[method](problem, n_components, rng)
    sample = representative(problem, sample_size(n_components, n_features), rng)
    whole = problem.only(sample.rows, sample.weights)
    if method != KMEANS_START:
        return STARTS[method](whole, n_components, rng)
    part = sample.first(int(_PART * len(sample.rows)))
    return in_order(_raced(problem, whole, problem.only(part.rows, part.weights), n_components, rng), problem)


def _raced(problem: Problem, whole: Problem, part: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """The best of several short runs; where none is sound, all rows are shared out among its centres."""
    spreads = [spread_out(part, n_components, rng) for _ in range(_CANDIDATES if n_components > 1 else 1)]
    solver = EM(problem.family)
    try:
        starts = (nearest(part, center) for center in spreads)
        best = halved(solver, starts, part, _STOPPING, _is_sound_for(part), _ROUNDS)
        best = run(solver, best.mixture, whole, _STOPPING)
    except CollapseError:
        return nearest(problem, spreads[0])
    return best.mixture if _is_sound_for(whole)(best) else nearest(problem, best.mixture.centers)


def _is_sound_for(problem: Problem) -> Callable[[Run], bool]:
    """No component on the floor, and none of fewer rows than a covariance needs."""
    fewest = (problem.source.n_features + 1) / problem.source.n_rows

    def is_sound(candidate: Run) -> bool:
        mixture = candidate.mixture
        return not mixture.covariance.floored.any() and bool(mixture.weights.min() >= fewest)

    return is_sound
