"""Hard and drawn assignment: EM whose rows belong wholly to one component at a time.

Classification EM hands every row to its most probable component (Celeux & Govaert, "A classification EM algorithm for
clustering and two stochastic versions", Comput. Stat. Data Anal. 14, 1992). It climbs the classification likelihood,
the sum over rows of the largest of log weight + log density; with equal weights and one spherical covariance for all
that is k-means. It ends after few passes, and its components are too far apart and too narrow, since it cuts off what
overlaps.

Stochastic EM draws the component of each row from its probabilities, and so leaves poor optima that EM cannot
leave (Celeux & Diebolt, "The SEM algorithm", Comput. Stat. Quarterly 2, 1985). It never rests, so here draws are mixed
with probabilities, more and more of these as passes go on, until it is EM (Celeux & Diebolt, "A stochastic
approximation type EM algorithm for the mixture problem", Stochastics 41, 1992).
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.random_numbers import draw_uniform_by_row
from gaussmix.engines.base import AssignmentKind, iterate_tiles, log_sum_exp_with_terms, rows_per_tile
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import kind_with_noise
from gaussmix.model.problem import Problem, uniform_quadratics
from gaussmix.solvers.base import SolverState
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.types import IntN

N_FULLY_STOCHASTIC_ITERATIONS = 20
"""Passes of stochastic EM that are drawn wholly."""

_STOCHASTIC_FRACTION_DECAY = 0.9  # what of the part that is drawn is left after each pass that follows
_MIN_STOCHASTIC_FRACTION = 1e-3  # a part that is no more drawn


@dataclass(frozen=True)
class ClassificationEM(EMBasedSolver):
    """Every row to its best component, then an M-step."""

    em: EM

    def e_step(self, problem: Problem, mixture: Mixture, iteration: int) -> Expectation:
        return problem.e_step(
            mixture.to_quadratics(),
            kind_with_noise(mixture.noise, self.covariance_estimator.moment_kind),
            AssignmentKind.HARD,
        )

    def step(self, state: SolverState, expectation: Expectation) -> SolverState:
        return self.em.step(state, expectation)


@dataclass(frozen=True)
class StochasticEM(EMBasedSolver):
    """Rows to components drawn by ``seed``, pass and row; after ``DRAWN_PASSES`` less and less so."""

    em: EM
    seed: int

    def init(self, start: Mixture) -> SolverState:
        return _StochasticEMState(start)

    def e_step(self, problem: Problem, mixture: Mixture, iteration: int) -> Expectation:
        part = stochastic_fraction(iteration)
        kind = kind_with_noise(mixture.noise, self.covariance_estimator.moment_kind)
        soft = problem.e_step(mixture.to_quadratics(), kind)
        if not part:
            return soft
        labels = draw_labels(problem, mixture, self.seed, iteration)
        hard = _partition_moments(problem, labels, mixture, kind)
        return replace(soft, moments=hard.scale(part) + soft.moments.scale(1.0 - part))

    def step(self, state: SolverState, expectation: Expectation) -> SolverState:
        assert isinstance(state, _StochasticEMState)
        number = state.n_iter + 1
        found = self.em.step(state, expectation).mixture
        return _StochasticEMState(found, can_stop=not stochastic_fraction(number), n_iter=number)


@dataclass(frozen=True)
class _StochasticEMState(SolverState):
    n_iter: int = 0


def stochastic_fraction(iteration: int) -> float:
    """The part of a pass, from 1, that is drawn."""
    part = (
        1.0
        if iteration <= N_FULLY_STOCHASTIC_ITERATIONS
        else _STOCHASTIC_FRACTION_DECAY ** (iteration - N_FULLY_STOCHASTIC_ITERATIONS)
    )
    return part if part > _MIN_STOCHASTIC_FRACTION else 0.0


def draw_labels(problem: Problem, mixture: Mixture, seed: int, iteration: int) -> IntN:
    """A component (n,) for each row, as likely as its probability; K is noise."""
    quadratics = mixture.to_quadratics()
    labels = np.zeros(problem.source.n_rows, dtype=np.int64)

    def fill(batch: Batch) -> int:
        for tile in iterate_tiles(batch.n_rows, rows_per_tile(quadratics.n_components)):
            part = batch.sub_batch(tile.start, tile.stop)
            powers = log_sum_exp_with_terms(problem.engine.compute_scores(quadratics, part))[1]
            edges = np.cumsum(powers, axis=1)
            heights = draw_uniform_by_row(seed, iteration, part.first_row, part.n_rows) * edges[:, -1]
            labels[part.row_slice] = np.minimum((edges <= heights[:, None]).sum(axis=1), powers.shape[1] - 1)
        return batch.n_rows

    problem.source.reduce(fill)
    return labels


def _partition_moments(problem: Problem, labels: IntN, mixture: Mixture, kind: MomentKind) -> Moments:
    centers = mixture.to_quadratics().center
    return problem.engine.e_step(
        problem.source.with_label_prior(labels).reduce, uniform_quadratics(centers), kind
    ).moments
