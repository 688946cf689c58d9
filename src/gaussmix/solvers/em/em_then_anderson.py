"""``auto``: EM, until its first passes show that it converges slowly; then Anderson acceleration.

Near a maximum each pass of EM gains a fixed share of what the one before gained. From that share follows how many more
passes EM would need until a pass gains ``_LITTLE`` of a nat per row; where these are few, nothing is worth trying.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.model.mixture import Mixture
from gaussmix.solvers.base import SolverState
from gaussmix.solvers.em.anderson import AndersonAcceleration
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.types import Array

_TARGET_GAIN_PER_ROW = 1e-7
_MAX_REMAINING_ITERATIONS = 8  # passes that EM may still take


@dataclass(frozen=True)
class _SwitchingState(SolverState):
    """The last values, and the state of the acceleration once it has begun."""

    last_objectives: tuple[float, ...] = ()
    anderson_state: SolverState | None = None


@dataclass(frozen=True)
class EMThenAnderson(EMBasedSolver):
    """One pass a step; the likelihood never falls."""

    em: EM

    def init(self, start: Mixture) -> SolverState:
        return _SwitchingState(start)

    def step(self, state: SolverState, expectation: Expectation) -> SolverState:
        assert isinstance(state, _SwitchingState)
        faster = AndersonAcceleration(self.em)
        if state.anderson_state is not None:
            return _wrap_anderson_state(faster.step(state.anderson_state, expectation))
        here = state.next_mixture
        values = (*state.last_objectives[-2:], self.objective(here, expectation))
        if (
            len(state.last_objectives) + 1 >= 3
            and estimate_remaining_iterations(np.array(values), expectation.total_weight) > _MAX_REMAINING_ITERATIONS
        ):
            return _wrap_anderson_state(faster.step(faster.init(here), expectation))
        return _SwitchingState(self.m_step(here, expectation), objective=values[-1], last_objectives=values)


def _wrap_anderson_state(anderson_state: SolverState) -> _SwitchingState:
    return _SwitchingState(
        anderson_state.mixture,
        anderson_state.proposal,
        anderson_state.objective,
        anderson_state.can_stop,
        anderson_state.predicted_gain,
        anderson_state=anderson_state,
    )


def estimate_remaining_iterations(objectives: Array, total_weight: float) -> float:
    """How many more passes EM would need, from the last three values (frame) and the weight of the rows."""
    before, last = np.diff(objectives[-3:]) / total_weight
    if not last > _TARGET_GAIN_PER_ROW:
        return 0.0
    share = last / before if before > 0 else 1.0
    return np.inf if share >= 1.0 else float(np.log(_TARGET_GAIN_PER_ROW / last) / np.log(share))
