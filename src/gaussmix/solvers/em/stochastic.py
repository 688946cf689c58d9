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
from gaussmix.core.label_prior import KnownComponents, LabelPrior
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import CentersModel, Quadratics
from gaussmix.core.random_numbers import draw_uniform_by_row
from gaussmix.engines.base import (
    AssignmentKind,
    BatchEngine,
    iterate_tiles,
    log_sum_exp_with_terms,
    rows_per_tile,
)
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import kind_with_noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import SolverState
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.types import NK, IntN

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
            mixture,
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
        soft = problem.e_step(mixture, kind)
        if not part:
            return soft
        hard = drawn_moments(problem, mixture, self.seed, iteration, kind)
        return soft.with_moments(hard.scale(part) + soft.moments.scale(1.0 - part))

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


@dataclass(frozen=True)
class DrawnComponents(LabelPrior):
    """Components drawn for each row as likely as their responsibilities, by seed, iteration and row number."""

    engine: BatchEngine
    quadratics: Quadratics
    seed: int
    iteration: int
    observed: LabelPrior | None

    def log_prior(self, n_components: int) -> NK:
        raise NotImplementedError  # resolve() comes first

    def take(self, rows: slice | IntN) -> "DrawnComponents":
        return replace(self, observed=None if self.observed is None else self.observed.take(rows))

    def resolve(self, batch: Batch) -> KnownComponents:
        scored = replace(batch, label_prior=self.observed)
        labels = [
            self._draw(scored.sub_batch(tile.start, tile.stop))
            for tile in iterate_tiles(batch.n_rows, rows_per_tile(self.quadratics.n_components))
        ]
        return KnownComponents(np.concatenate(labels))

    def _draw(self, tile: Batch) -> IntN:
        powers = log_sum_exp_with_terms(self.engine.compute_scores(self.quadratics, tile))[1]
        edges = np.cumsum(powers, axis=1)
        heights = draw_uniform_by_row(self.seed, self.iteration, tile.first_row, tile.n_rows) * edges[:, -1]
        return np.asarray(np.minimum((edges <= heights[:, None]).sum(axis=1), powers.shape[1] - 1))


def drawn_moments(problem: Problem, mixture: Mixture, seed: int, iteration: int, kind: MomentKind) -> Moments:
    """Return the moments of the partition that a draw of the components of all rows makes; noise is component K."""
    quadratics = mixture.to_quadratics()
    engine = problem.engine
    assert isinstance(engine, BatchEngine)
    prior = DrawnComponents(engine.select_engine(quadratics), quadratics, seed, iteration, problem.source.label_prior)
    session = engine.bind(problem.source.with_label_prior(prior))
    return session.e_step(CentersModel.uniform(quadratics.center), kind).moments
