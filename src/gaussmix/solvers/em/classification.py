"""Classification EM: EM whose rows belong wholly to one component.

The E-step assigns every row to its most probable component (Celeux & Govaert, "A classification EM algorithm for
clustering and two stochastic versions", Comput. Stat. Data Anal. 14, 1992). Iterations raise the classification
likelihood, the sum over rows of the largest log weight + log density. With equal weights and one spherical covariance
that is k-means. It converges in few iterations. Its components are too far apart and too narrow, since the assignment
cuts off tails that overlap.
"""

from dataclasses import dataclass

from gaussmix.core.expectation import Expectation
from gaussmix.engines.base import AssignmentKind
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import EStepRequest, MixtureState
from gaussmix.solvers.em.em import EM, EMBasedSolver


@dataclass(frozen=True)
class ClassificationEM(EMBasedSolver[MixtureState]):
    """EM with hard assignment."""

    em: EM

    def init(self, start: Mixture, problem: Problem, max_iter: int) -> MixtureState:
        """Return the state of the start."""
        return MixtureState(start)

    def request(self, state: MixtureState, problem: Problem) -> EStepRequest:
        """Ask for an E-step with hard assignment."""
        return EStepRequest.from_problem(problem, state.model, self.m_step_kind(state.model), AssignmentKind.HARD)

    def step(self, state: MixtureState, expectation: Expectation) -> MixtureState:
        """Make an M-step."""
        return self.em.step(state, expectation)
