"""The socket for solvers: they never see a row, only what a pass added up to."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial

from gaussmix.core.expectation import Expectation
from gaussmix.covariance.base import AbstractCovarianceEstimator
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import kind_with_noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.run_monitor import RunMonitor


@dataclass(frozen=True)
class SolverState:
    """Where a solver stands.

    ``mixture`` is what a run that ends here has found, ``asked`` the one that the next pass shall look at if that is
    another. ``reached`` is what the solver has come to in the frame, log-likelihood and log density of a prior; None
    stands for that of the last pass. It may end where it ``is_settled``: after a trial it is not. ``promise`` is what
    the next step of EM is about to gain, where the last one may have been another.
    """

    mixture: Mixture
    proposal: Mixture | None = None
    objective: float | None = None
    can_stop: bool = True
    predicted_gain: float = 0.0

    @property
    def next_mixture(self) -> Mixture:
        return self.mixture if self.proposal is None else self.proposal


class AbstractSolver(ABC):
    """A rule that turns a state and an expectation into the next state."""

    covariance_estimator: AbstractCovarianceEstimator

    @abstractmethod
    def init(self, start: Mixture) -> SolverState:
        """The state before the first pass."""

    @abstractmethod
    def step(self, state: SolverState, expectation: Expectation) -> SolverState:
        """The state after a pass."""

    def e_step(self, problem: Problem, mixture: Mixture, iteration: int) -> Expectation:
        """One pass over all rows, the ``number``-th from 1, with the moments that steps read."""
        return problem.e_step(mixture, kind_with_noise(mixture.noise, self.covariance_estimator.moment_kind))

    def objective(self, mixture: Mixture, expectation: Expectation) -> float:
        """What a run makes as large as it can, in the frame: log-likelihood, and log density of a prior."""
        return expectation.log_likelihood + self.covariance_estimator.log_prior(mixture.centers, mixture.covariance)

    def solve(self, start: Mixture, monitor: RunMonitor) -> Mixture:
        """Pass and step until passes end; a solver whose loop is somebody else's hands that its passes."""
        state = self.init(start)
        while monitor.should_continue:
            asked = state.next_mixture
            expectation = monitor.evaluate(asked, self.e_step)
            state = self.step(state, expectation)
            reached = self.objective(asked, expectation) if state.objective is None else state.objective
            monitor.record(reached, state.mixture, state.can_stop, partial(float, state.predicted_gain))
        return state.mixture
