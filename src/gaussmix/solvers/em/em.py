"""Expectation-Maximisation (Dempster, Laird & Rubin, JRSS B 39, 1977).

Each row shares itself out among the components by their probabilities (the pass); each component
then takes the weight, mean and covariance of its share (the step). Neither half can lower the
likelihood, and no step size has to be chosen, which is what gradient descent would ask for.
"""

from dataclasses import dataclass

from gaussmix.core.expectation import Expectation
from gaussmix.covariance.base import AbstractCovarianceEstimator
from gaussmix.model.fixed_parameters import FixedParameters, constrained_m_step
from gaussmix.model.mixture import Mixture
from gaussmix.solvers.base import AbstractSolver, SolverState


@dataclass(frozen=True)
class EM(AbstractSolver):
    """The M-step of a family, applied to whatever moments a pass brought, with some parameters ``held`` if wanted."""

    covariance_estimator: AbstractCovarianceEstimator
    fixed: FixedParameters | None = None

    def init(self, start: Mixture) -> SolverState:
        return SolverState(start)

    def step(self, state: SolverState, expectation: Expectation) -> SolverState:
        if self.fixed is None:
            return SolverState(state.mixture.m_step(expectation.moments, self.covariance_estimator))
        return SolverState(
            constrained_m_step(state.mixture, expectation.moments, self.covariance_estimator, self.fixed)
        )


class EMBasedSolver(AbstractSolver):
    """A solver that makes use of EM: of its steps, of its family, and of what it holds."""

    em: EM

    @property
    def covariance_estimator(self) -> AbstractCovarianceEstimator:  # type: ignore[override]
        return self.em.covariance_estimator

    def init(self, start: Mixture) -> SolverState:
        return SolverState(start)

    def m_step(self, mixture: Mixture, expectation: Expectation) -> Mixture:
        """What a step of EM makes of a mixture."""
        return self.em.step(SolverState(mixture), expectation).mixture
