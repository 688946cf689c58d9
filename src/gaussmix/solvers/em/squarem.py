"""SQUAREM: two EM steps measure how fast EM converges, and a third step extrapolates.

Write x for the coordinates of a mixture (``model/parametrization.py``), F(x) for those after an EM step,
r = F(x) - x and v = F(F(x)) - F(x) - r. The third step goes to x + 2 a r + a^2 v with a = |r| / |v| (Varadhan &
Roland, "Simple and globally convergent methods for accelerating the convergence of any EM algorithm", Scandinavian J.
Statistics 35, 2008, scheme S3). It is a proposal, and another EM step follows. As coordinates are in units of the
Fisher information, |r| and |v| do not depend on the units of the data.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.model.mixture import Mixture
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.acceleration import AcceleratedEM, AcceleratedState, make_mixture_unless_near_floor
from gaussmix.solvers.em.em import EM
from gaussmix.types import Array

# Change of the largest extrapolation length, after a proposal of that length was accepted or rejected.
_LENGTH_GROWTH = 4.0


@dataclass(frozen=True)
class _SquaremState(AcceleratedState):
    """The first half of a cycle.

    ``coordinates`` have their origin at the start of the cycle, and ``first_em_step`` is r. A proposal has the
    extrapolation length ``proposal_length``; ``max_length`` limits it.
    """

    coordinates: MixtureParametrization | None = None
    first_em_step: Array | None = None
    proposal_length: float = 1.0
    max_length: float = _LENGTH_GROWTH


class _Extrapolation(NamedTuple):
    """A mixture to try next, None if there is none, and the extrapolation length a."""

    proposal: Mixture | None
    length: float


@dataclass(frozen=True)
class SQUAREM(AcceleratedEM[_SquaremState]):
    """SQUAREM with cycles of three E-steps; the objective never falls."""

    em: EM

    def init(self, start: Mixture, problem: Problem, max_iter: int) -> _SquaremState:
        """Return the state before the first cycle."""
        return _SquaremState(start)

    def step(self, state: _SquaremState, expectation: Expectation) -> _SquaremState:
        """Return the state after rejecting a proposal, or after an EM step; every second one ends in a proposal."""
        mixture = state.mixture_to_evaluate
        objective = self.penalized_log_likelihood(mixture, expectation)
        max_length = state.max_length
        if state.proposal is not None:
            was_longest = state.proposal_length >= max_length
            if not objective >= state.objective:
                shorter = max(_LENGTH_GROWTH, max_length / _LENGTH_GROWTH) if was_longest else max_length
                return _SquaremState(state.model, state.objective, can_stop=False, max_length=shorter)
            max_length = _LENGTH_GROWTH * max_length if was_longest else max_length
        updated = self.m_step(mixture, expectation)
        if state.proposal is None and state.coordinates is not None and state.first_em_step is not None:
            vector = state.coordinates.to_vector(updated)
            proposal, length = self._extrapolate(state.coordinates, state.first_em_step, vector, max_length)
            return _SquaremState(
                updated, objective, proposal=proposal, proposal_length=length, max_length=state.max_length
            )
        coordinates = MixtureParametrization.from_origin(mixture, expectation.total_weight)
        first = coordinates.to_vector(updated)
        return _SquaremState(
            updated,
            objective,
            predicted_gain=0.5 * float(first @ first),
            coordinates=coordinates,
            first_em_step=first,
            max_length=max_length,
        )

    def _extrapolate(
        self, coordinates: MixtureParametrization, after_first_step: Array, after_second_step: Array, max_length: float
    ) -> _Extrapolation:
        """Return the proposal from the coordinates (n_parameters,) after two EM steps; none if these speed up."""
        change = after_second_step - 2.0 * after_first_step
        norm, change_norm = float(np.linalg.norm(after_first_step)), float(np.linalg.norm(change))
        length = min(max_length, norm / change_norm) if change_norm > 0 else max_length
        if not length > 1.0:
            return _Extrapolation(None, length)
        vector = 2.0 * length * after_first_step + length**2 * change
        return _Extrapolation(make_mixture_unless_near_floor(self.em, coordinates, vector), length)
