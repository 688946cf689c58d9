"""Stochastic EM: EM whose E-step draws the component of each row.

Draws by responsibility leave poor optima that EM cannot leave (Celeux & Diebolt, "The SEM algorithm", Comput. Stat.
Quarterly 2, 1985). Such iterations never converge. After the first ones the moments are therefore an average of drawn
and expected moments, with a drawn fraction that decays to zero (Celeux & Diebolt, "A stochastic approximation type EM
algorithm for the mixture problem", Stochastics 41, 1992).
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.label_prior import KnownComponents, LabelPrior
from gaussmix.core.quadratics import CentersModel, Quadratics, ScoringModel
from gaussmix.core.random_numbers import draw_uniform_by_row
from gaussmix.engines.base import AbstractSession, BatchEngine
from gaussmix.engines.score_tiles import iterate_tiles, log_sum_exp_with_shifted_terms, rows_per_tile
from gaussmix.errors import CapabilityError
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import EStepRequest, MixtureState
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.types import NK, IntN

N_FULLY_STOCHASTIC_ITERATIONS = 20
_STOCHASTIC_FRACTION_DECAY = 0.9  # factor of the drawn fraction in each later iteration
_MIN_STOCHASTIC_FRACTION = 1e-3  # smaller fractions count as zero


@dataclass(frozen=True)
class _StochasticEMState(MixtureState):
    """Iterations so far, and the expectation between the two E-steps of one iteration."""

    n_iter: int = 0
    expectation: Expectation | None = None


@dataclass(frozen=True)
class StochasticEM(EMBasedSolver[_StochasticEMState]):
    """Stochastic EM; ``seed``, iteration and row number determine the draw of a row."""

    em: EM
    seed: int

    def init(self, start: Mixture, problem: Problem, max_iter: int) -> _StochasticEMState:
        """Return the state before the first E-step, with ``start`` as its model."""
        return _StochasticEMState(start)

    def request(self, state: _StochasticEMState, problem: Problem) -> EStepRequest:
        """Return the request for expected moments or, if the state has these, for moments of drawn components."""
        kind = self.m_step_moment_kind(state.model)
        if state.expectation is None:
            return EStepRequest.from_problem(problem, state.model, kind)
        session = make_session_with_drawn_components(problem, state.model, self.seed, state.n_iter + 1)
        return EStepRequest(session, CentersModel.uniform(state.model.to_quadratics().center), kind)

    def step(self, state: _StochasticEMState, expectation: Expectation) -> _StochasticEMState:
        """Return the state that keeps the expected moments, or the state after an M-step of averaged moments."""
        fraction = weight_of_drawn_moments(state.n_iter + 1)
        if fraction and state.expectation is None:
            return replace(state, expectation=expectation, is_iteration_complete=False)
        if state.expectation is not None:
            moments = expectation.moments.scale_weights(fraction) + state.expectation.moments.scale_weights(
                1.0 - fraction
            )
            expectation = state.expectation.with_moments(moments)
        return _StochasticEMState(
            self.m_step(state.model, expectation),
            self.penalized_log_likelihood(state.model, expectation),
            can_stop=not fraction,
            n_iter=state.n_iter + 1,
        )


def weight_of_drawn_moments(iteration: int) -> float:
    """Return the weight in [0, 1] of drawn moments, against expected moments, in an iteration counted from 1."""
    n_decays = max(0, iteration - N_FULLY_STOCHASTIC_ITERATIONS)
    fraction = _STOCHASTIC_FRACTION_DECAY**n_decays
    return fraction if fraction > _MIN_STOCHASTIC_FRACTION else 0.0


@dataclass(frozen=True)
class DrawnComponents(LabelPrior):
    """Components drawn by responsibility; component K is noise.

    The draw depends on seed, iteration and row number, and is made batch by batch. No array is as long as the data.

    Attributes
    ----------
    engine : BatchEngine
        Computes the scores of a batch.
    quadratics : Quadratics
        What the responsibilities come from.
    seed, iteration : int
    label_prior : LabelPrior or None
        What is known of the rows beforehand.
    """

    engine: BatchEngine
    quadratics: Quadratics
    seed: int
    iteration: int
    label_prior: LabelPrior | None

    def log_prior(self, n_components: int) -> NK:
        """Raise NotImplementedError: only `resolve` sees the rows that a draw depends on."""
        raise NotImplementedError("resolve the prior on a batch first")

    def select_rows(self, rows: slice | IntN) -> "DrawnComponents":
        """Return the prior of some of the rows."""
        return replace(self, label_prior=None if self.label_prior is None else self.label_prior.select_rows(rows))

    def resolve(self, batch: Batch) -> KnownComponents:
        """Return the components of the rows of a batch, drawn by responsibility; the same for the same batch."""
        scored = replace(batch, label_prior=self.label_prior)
        labels = [
            self._draw_components(scored.sub_batch(tile.start, tile.stop))
            for tile in iterate_tiles(batch.n_rows, rows_per_tile(self.quadratics.n_components))
        ]
        return KnownComponents(np.concatenate(labels))

    def _draw_components(self, tile: Batch) -> IntN:
        """Return a component for each row (n,), drawn by responsibility; component K is noise."""
        powers = log_sum_exp_with_shifted_terms(self.engine.compute_scores(self.quadratics, tile))[1]
        cumulative = np.cumsum(powers, axis=1)
        heights = draw_uniform_by_row(self.seed, self.iteration, tile.first_row, tile.n_rows) * cumulative[:, -1]
        return np.asarray(np.minimum((cumulative <= heights[:, None]).sum(axis=1), powers.shape[1] - 1))


def make_session_with_drawn_components(
    problem: Problem, model: ScoringModel, seed: int, iteration: int
) -> AbstractSession:
    """Return a session on the rows of a problem, each with a component drawn by the responsibilities of a model."""
    quadratics = model.to_quadratics()
    engine = problem.engine
    if not isinstance(engine, BatchEngine):
        raise CapabilityError.no_batch_engine("solver='sem'", type(engine).__name__)
    scorer = engine.select_engine(quadratics)
    prior = DrawnComponents(scorer, quadratics, seed, iteration, problem.source.label_prior)
    return engine.bind(problem.source.with_label_prior(prior))
