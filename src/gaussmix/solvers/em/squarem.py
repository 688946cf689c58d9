"""SQUAREM: two steps of EM tell how fast it converges, and a third goes as far as many would.

With the numbers of a mixture about x_0 (``model/coordinates.py``), r = F(x_0) - x_0 and v = F(F(x_0)) - F(x_0) - r,
the third goes to x_0 + 2 a r + a^2 v with a = |r| / |v| (Varadhan & Roland, "Simple and globally convergent methods
for accelerating the convergence of any EM algorithm", Scandinavian J. Statistics 35, 2008, scheme S3). It is taken only
if the likelihood there is no lower; a step of EM follows. As the numbers are in units of the Fisher information,
|r| and |v| do not depend on the units of the data.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.model.mixture import Mixture
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.solvers.base import SolverState
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.solvers.em.trial_mixtures import make_trial_mixture
from gaussmix.types import Array

_LENGTH_GROWTH = 4.0  # of the longest step that is allowed, whenever one was as long as that


@dataclass(frozen=True)
class _SquaremState(SolverState):
    """``coordinates`` about the mixture that a cycle began at, and where its ``first`` step of EM led.

    A trial, ``asked``, is ``length`` steps long; ``longest`` is what is allowed.
    """

    coordinates: MixtureParametrization | None = None
    first_em_step: Array | None = None
    proposal_length: float = 1.0
    max_length: float = _LENGTH_GROWTH


@dataclass(frozen=True)
class SQUAREM(EMBasedSolver):
    """Cycles of three passes; the likelihood never falls."""

    em: EM

    def init(self, start: Mixture) -> SolverState:
        return _SquaremState(start)

    def step(self, state: SolverState, expectation: Expectation) -> SolverState:
        assert isinstance(state, _SquaremState)
        here, value = state.next_mixture, self.objective(state.next_mixture, expectation)
        longest = state.max_length
        if state.proposal is not None and state.objective is not None:
            was_longest = state.proposal_length >= longest
            if not value >= state.objective:
                shorter = max(_LENGTH_GROWTH, longest / _LENGTH_GROWTH) if was_longest else longest
                return _SquaremState(state.mixture, None, state.objective, False, max_length=shorter)
            longest = _LENGTH_GROWTH * longest if was_longest else longest
        updated = self.m_step(here, expectation)
        if state.proposal is None and state.coordinates is not None:
            return self._extrapolate(state, updated, value)
        about = MixtureParametrization.from_origin(here, expectation.total_weight)
        first = about.to_vector(updated)
        return _SquaremState(updated, None, value, True, 0.5 * float(first @ first), about, first, max_length=longest)

    def _extrapolate(self, state: _SquaremState, em_mixture: Mixture, objective: float) -> SolverState:
        """After two steps of EM: where to look next; where they do not slow down, a new cycle begins."""
        assert state.coordinates is not None
        assert state.first_em_step is not None
        bend = state.coordinates.to_vector(em_mixture) - 2.0 * state.first_em_step
        size, bent = float(np.linalg.norm(state.first_em_step)), float(np.linalg.norm(bend))
        length = min(state.max_length, size / bent) if bent > 0 else state.max_length
        found = None
        if length > 1.0:
            found = make_trial_mixture(
                self.em, state.coordinates, 2.0 * length * state.first_em_step + length**2 * bend
            )
        return _SquaremState(em_mixture, found, objective, True, proposal_length=length, max_length=state.max_length)
