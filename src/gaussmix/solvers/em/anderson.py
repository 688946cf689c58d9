"""Anderson acceleration: the next mixture combines the last ones such that their EM steps cancel.

Write x_i for the coordinates of the last mixtures, F(x_i) for those after an EM step, and r_i = F(x_i) - x_i. The
next mixture is F(x_t) - sum_i g_i (F(x_(i+1)) - F(x_i)). The coefficients g make r_t - sum_i g_i (r_(i+1) - r_i) as
short as the damping allows (Walker & Ni, "Anderson acceleration for fixed-point iterations", SIAM J. Numer. Anal. 49,
2011; Henderson & Varadhan, "Damped Anderson acceleration with restarts and monotonicity control for accelerating EM
and EM-like algorithms", J. Comput. Graph. Stat. 28, 2019). If the likelihood there is lower, the EM step is taken
instead, at the price of one E-step. Lengths are in units of the Fisher information (``model/parametrization.py``).
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.expectation import Expectation
from gaussmix.model.mixture import Mixture
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.acceleration import AcceleratedEM, AcceleratedState, make_mixture_unless_near_floor
from gaussmix.solvers.em.em import EM
from gaussmix.types import Array

_MAX_PAIRS = 10
# Largest length of a proposal in EM steps at the start, and its change after an accepted and a rejected proposal.
_INITIAL_MAX_LENGTH, _LENGTH_GROWTH, _LENGTH_SHRINKAGE = 4.0, 2.0, 0.25
# Parameters of the damping in Henderson & Varadhan (2019, section 3.2).
_DAMPING_BASE, _DAMPING_SHIFT = 1.2, 25.0

IteratePair = tuple[Array, Array]  # coordinates of a mixture, and of the mixture after an EM step


@dataclass(frozen=True)
class _AndersonState(AcceleratedState):
    """The last iterates.

    ``success_count`` is the number of accepted proposals, halved by each rejection. A proposal lies ``proposal_length``
    times the length of the EM step beyond that step; ``max_length`` limits this.
    """

    coordinates: MixtureParametrization | None = None
    pairs: tuple[IteratePair, ...] = ()
    success_count: float = 0.0
    proposal_length: float = 0.0
    max_length: float = _INITIAL_MAX_LENGTH


class _Extrapolation(NamedTuple):
    """A mixture to try next, None if there is none, and how far beyond the last EM step it lies, in such steps."""

    proposal: Mixture | None
    length_in_em_steps: float


@dataclass(frozen=True)
class AndersonAcceleration(AcceleratedEM[_AndersonState]):
    """Anderson acceleration with one E-step an iteration; the objective never falls."""

    em: EM
    max_pairs: int = _MAX_PAIRS

    def init(self, start: Mixture, problem: Problem, max_iter: int) -> _AndersonState:
        """Return the state of the start, without iterates."""
        return _AndersonState(start)

    def step(self, state: _AndersonState, expectation: Expectation) -> _AndersonState:
        """Return the state after an EM step with an extrapolated proposal, or after rejecting the last proposal."""
        mixture = state.mixture_to_evaluate
        objective = self.penalized_log_likelihood(mixture, expectation)
        if state.proposal is not None:
            if not objective >= state.objective:
                return _state_after_rejection(state)
            state = _state_after_acceptance(state)
        updated = self.m_step(mixture, expectation)
        coordinates, pairs = state.coordinates, state.pairs
        if coordinates is None or len(pairs) > self.max_pairs:
            coordinates, pairs = MixtureParametrization.from_origin(mixture, expectation.total_weight), ()
        pairs = (*pairs, (coordinates.to_vector(mixture), coordinates.to_vector(updated)))
        em_step = pairs[-1][1] - pairs[-1][0]
        proposal, length = self._extrapolate(coordinates, pairs, state.success_count, state.max_length)
        return replace(
            state,
            model=updated,
            objective=objective,
            can_stop=True,
            proposal=proposal,
            predicted_gain=0.5 * float(em_step @ em_step),
            coordinates=coordinates,
            pairs=pairs,
            proposal_length=length,
        )

    def _extrapolate(
        self,
        coordinates: MixtureParametrization,
        pairs: tuple[IteratePair, ...],
        success_count: float,
        max_length: float,
    ) -> _Extrapolation:
        """Return the proposal that the last EM steps combine to; none if there is one pair of iterates only."""
        if len(pairs) < 2:
            return _Extrapolation(None, 0.0)
        before, after = (np.array(part) for part in zip(*pairs, strict=True))
        residuals = after - before
        residual_changes, iterate_changes = np.diff(residuals, axis=0).T, np.diff(after, axis=0).T
        max_norm = 1.0 / (1.0 + _DAMPING_BASE ** (_DAMPING_SHIFT - success_count))
        extrapolation = -iterate_changes @ linalg.norm_limited_least_squares(residual_changes, residuals[-1], max_norm)
        norm, em_norm = float(np.linalg.norm(extrapolation)), float(np.linalg.norm(residuals[-1]))
        if not norm > 0.0 or not em_norm > 0.0:
            return _Extrapolation(None, 0.0)
        if extrapolation @ residuals[-1] < 0:  # EM steps grow, so they cancel at a saddle point behind
            extrapolation = -extrapolation
        length = min(norm / em_norm, max_length)
        vector = after[-1] + extrapolation * (length * em_norm / norm)
        return _Extrapolation(make_mixture_unless_near_floor(self.em, coordinates, vector), length)


def _state_after_acceptance(state: _AndersonState) -> _AndersonState:
    """Return the state after an accepted proposal, which allows longer ones."""
    max_length = max(state.max_length, _LENGTH_GROWTH * state.proposal_length)
    return replace(state, success_count=state.success_count + 1.0, max_length=max_length)


def _state_after_rejection(state: _AndersonState) -> _AndersonState:
    """Return the state after a rejected proposal: the last EM step is evaluated next."""
    return replace(
        state,
        proposal=None,
        can_stop=False,
        success_count=0.5 * state.success_count,
        max_length=_LENGTH_SHRINKAGE * state.proposal_length,
    )
