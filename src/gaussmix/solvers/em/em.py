"""Expectation-Maximisation (Dempster, Laird & Rubin, JRSS B 39, 1977), its base class for variants, and hard EM.

The E-step computes the responsibilities of the components for each row. The M-step then gives each component the
weight, mean and covariance of the rows, weighted by responsibility. Neither can lower the likelihood, and no step size
has to be chosen.
"""

from dataclasses import dataclass

from gaussmix.core.expectation import Expectation
from gaussmix.covariance.base import AbstractCovarianceEstimator
from gaussmix.engines.base import AssignmentKind
from gaussmix.model.fixed_parameters import FixedParameters, constrained_m_step
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import MS, AbstractMixtureSolver, EStepRequest, LastModelAndObjectives, MixtureState
from gaussmix.solvers.em.fused_em import run_fused_em
from gaussmix.solvers.stopping import StoppingRule


@dataclass(frozen=True)
class EM(AbstractMixtureSolver[MixtureState]):
    """EM with the M-step of a covariance structure; some parameters may be fixed."""

    covariance_estimator: AbstractCovarianceEstimator
    fixed: FixedParameters | None = None

    def init(self, start: Mixture, problem: Problem, max_iter: int) -> MixtureState:
        """Return the state before the first E-step, with ``start`` as its model."""
        return MixtureState(start)

    def step(self, state: MixtureState, expectation: Expectation) -> MixtureState:
        """Return the state after an M-step; its objective is that before the M-step."""
        return MixtureState(
            self.m_step(state.model, expectation), self.penalized_log_likelihood(state.model, expectation)
        )

    def m_step(self, mixture: Mixture, expectation: Expectation) -> Mixture:
        """Return the mixture that maximises the expected log-likelihood, given the fixed parameters."""
        if self.fixed is None:
            return mixture.m_step(expectation.statistics, self.covariance_estimator)
        return constrained_m_step(mixture, expectation.moments, self.covariance_estimator, self.fixed)

    def run_fused(
        self,
        start: Mixture,
        problem: Problem,
        stopping: StoppingRule,
        previous_objective_in_frame: float,
        max_iter: int,
    ) -> LastModelAndObjectives[Mixture] | None:
        """Run the first iterations in compiled code; return the last mixture and all objectives, None if impossible."""
        if self.fixed is not None:
            return None
        return run_fused_em(self.covariance_estimator, start, problem, stopping, previous_objective_in_frame, max_iter)


class EMBasedSolver(AbstractMixtureSolver[MS]):
    """A solver that makes EM steps of its own ``em``, with its covariance structure and fixed parameters."""

    em: EM

    @property
    def covariance_estimator(self) -> AbstractCovarianceEstimator:  # type: ignore[override]
        """The covariance estimator of the EM steps."""
        return self.em.covariance_estimator

    def m_step(self, mixture: Mixture, expectation: Expectation) -> Mixture:
        """Return the mixture after an M-step, with the fixed parameters of ``em``."""
        return self.em.m_step(mixture, expectation)


@dataclass(frozen=True)
class ClassificationEM(EMBasedSolver[MixtureState]):
    """EM whose rows belong wholly to one component.

    The E-step assigns every row to its most probable component (Celeux & Govaert, "A classification EM algorithm for
    clustering and two stochastic versions", Comput. Stat. Data Anal. 14, 1992). Iterations raise the classification
    likelihood, the sum over rows of the largest log weight + log density. With equal weights and one spherical
    covariance that is k-means. It converges in few iterations. Its components are too far apart and too narrow, since
    the assignment cuts off tails that overlap.
    """

    em: EM

    def init(self, start: Mixture, problem: Problem, max_iter: int) -> MixtureState:
        """Return the state before the first E-step, with ``start`` as its model."""
        return MixtureState(start)

    def request(self, state: MixtureState, problem: Problem) -> EStepRequest:
        """Return the request for an E-step with hard assignment."""
        return EStepRequest.from_problem(
            problem, state.model, self.m_step_moment_kind(state.model), AssignmentKind.HARD
        )

    def step(self, state: MixtureState, expectation: Expectation) -> MixtureState:
        """Return the state after an M-step; its objective is that before the M-step."""
        return self.em.step(state, expectation)
