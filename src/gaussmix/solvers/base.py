"""The socket for solvers: they never see a row, only what a pass added up to."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial

from gaussmix.core.expectation import Expectation
from gaussmix.core.quadratics import Quadratics
from gaussmix.covariance.base import AbstractFamily
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import kind_beside
from gaussmix.model.problem import Problem
from gaussmix.solvers.passes import Passes


@dataclass(frozen=True)
class State:
    """Where a solver stands.

    ``mixture`` is what a run that ends here has found, ``asked`` the one that the next pass shall look at if that is
    another. ``reached`` is what the solver has come to in the frame, log-likelihood and log density of a prior; None
    stands for that of the last pass. It may end where it ``is_settled``: after a trial it is not. ``promise`` is what
    the next step of EM is about to gain, where the last one may have been another.
    """

    mixture: Mixture
    asked: Mixture | None = None
    reached: float | None = None
    is_settled: bool = True
    promise: float = 0.0

    @property
    def next(self) -> Mixture:
        return self.mixture if self.asked is None else self.asked

    @property
    def quadratics(self) -> Quadratics:
        return self.next.to_quadratics()


class AbstractSolver(ABC):
    """A rule that turns a state and an expectation into the next state."""

    family: AbstractFamily

    @abstractmethod
    def init(self, model: Mixture) -> State:
        """The state before the first pass."""

    @abstractmethod
    def step(self, state: State, expectation: Expectation) -> State:
        """The state after a pass."""

    def look(self, problem: Problem, mixture: Mixture, number: int) -> Expectation:
        """One pass over all rows, the ``number``-th from 1, with the moments that steps read."""
        return problem.expect(mixture.to_quadratics(), kind_beside(mixture.noise, self.family.kind))

    def reached(self, mixture: Mixture, expectation: Expectation) -> float:
        """What a run makes as large as it can, in the frame: log-likelihood, and log density of a prior."""
        return expectation.log_likelihood + self.family.log_prior(mixture.centers, mixture.covariance)

    def carry(self, start: Mixture, passes: Passes) -> Mixture:
        """Pass and step until passes end; a solver whose loop is somebody else's hands that its passes."""
        state = self.init(start)
        while passes.are_left:
            asked = state.next
            expectation = passes.over(asked, self.look)
            state = self.step(state, expectation)
            reached = self.reached(asked, expectation) if state.reached is None else state.reached
            passes.record(reached, state.mixture, state.is_settled, partial(float, state.promise))
        return state.mixture
