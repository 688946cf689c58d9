"""``auto``: EM, and Anderson acceleration as soon as EM turns out to converge slowly.

Near a maximum each iteration of EM gains a fixed fraction of the gain before. The last two gains therefore predict how
many iterations EM needs until one gains less than ``_TARGET_GAIN_PER_ROW``. If only a few are left, EM goes on.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.acceleration import AcceleratedEM, AcceleratedState
from gaussmix.solvers.em.anderson import AndersonAcceleration, _AndersonState
from gaussmix.solvers.em.em import EM
from gaussmix.types import Array

_TARGET_GAIN_PER_ROW = 1e-7  # nats
_MAX_REMAINING_ITERATIONS = 8  # EM goes on alone if it needs no more than these


@dataclass(frozen=True)
class _EMState(AcceleratedState):
    """EM so far, with the objectives of the last three iterations."""

    last_objectives: tuple[float, ...] = ()


@dataclass(frozen=True)
class EMThenAnderson(AcceleratedEM[AcceleratedState]):
    """EM or Anderson acceleration, with one E-step an iteration; the objective never falls."""

    em: EM

    def init(self, start: Mixture, problem: Problem, max_iter: int) -> AcceleratedState:
        """Return the state before the first EM iteration."""
        return _EMState(start)

    def step(self, state: AcceleratedState, expectation: Expectation) -> AcceleratedState:
        """Return the state after an EM step, or after a step of Anderson acceleration once EM has proved slow."""
        anderson = AndersonAcceleration(self.em)
        if isinstance(state, _AndersonState):
            return anderson.step(state, expectation)
        assert isinstance(state, _EMState)
        objectives = (*state.last_objectives[-2:], self.penalized_log_likelihood(state.model, expectation))
        if len(objectives) == 3 and _needs_many_more_em_iterations(np.array(objectives), expectation.total_weight):
            return anderson.step(_AndersonState(state.model), expectation)
        return _EMState(self.m_step(state.model, expectation), objectives[-1], last_objectives=objectives)


def _needs_many_more_em_iterations(last_objectives: Array, total_weight: float) -> bool:
    """Return whether EM needs more than ``_MAX_REMAINING_ITERATIONS`` further iterations, by three last objectives."""
    return estimate_remaining_em_iterations(last_objectives, total_weight) > _MAX_REMAINING_ITERATIONS


def estimate_remaining_em_iterations(last_objectives: Array, total_weight: float) -> float:
    """Return how many more iterations EM needs to converge, inf if it does not, from the last three objectives."""
    before, last = np.diff(last_objectives[-3:]) / total_weight
    if not last > _TARGET_GAIN_PER_ROW:
        return 0.0
    ratio = last / before if before > 0 else 1.0
    return np.inf if ratio >= 1.0 else float(np.log(_TARGET_GAIN_PER_ROW / last) / np.log(ratio))
