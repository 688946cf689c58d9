"""The socket for solvers: they never see a row, only what a pass added up to."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from gaussmix.core.expectation import Expectation
from gaussmix.core.quadratics import Quadratics
from gaussmix.covariance.base import AbstractFamily
from gaussmix.model.mixture import Mixture


@dataclass(frozen=True)
class State:
    """Where a solver stands: the mixture whose quadratics the next pass shall use."""

    mixture: Mixture

    @property
    def quadratics(self) -> Quadratics:
        return self.mixture.to_quadratics()


class AbstractSolver(ABC):
    """A rule that turns a state and an expectation into the next state."""

    family: AbstractFamily

    @abstractmethod
    def init(self, model: Mixture) -> State:
        """The state before the first pass."""

    @abstractmethod
    def step(self, state: State, expectation: Expectation) -> State:
        """The state after a pass."""
