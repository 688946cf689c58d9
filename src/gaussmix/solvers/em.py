"""Expectation-Maximisation (Dempster, Laird & Rubin, JRSS B 39, 1977).

Each row shares itself out among the components by their probabilities (the pass); each component
then takes the weight, mean and covariance of its share (the step). Neither half can lower the
likelihood, and no step size has to be chosen, which is what gradient descent would ask for.
"""

from dataclasses import dataclass

from gaussmix.core.expectation import Expectation
from gaussmix.covariance.base import AbstractFamily
from gaussmix.model.held import Held, restrained
from gaussmix.model.mixture import Mixture
from gaussmix.solvers.base import AbstractSolver, State


@dataclass(frozen=True)
class EM(AbstractSolver):
    """The M-step of a family, applied to whatever moments a pass brought, with some parameters ``held`` if wanted."""

    family: AbstractFamily
    held: Held | None = None

    def init(self, model: Mixture) -> State:
        return State(model)

    def step(self, state: State, expectation: Expectation) -> State:
        if self.held is None:
            return State(state.mixture.update(expectation.moments, self.family))
        return State(restrained(state.mixture, expectation.moments, self.family, self.held))


class AroundEM(AbstractSolver):
    """A solver that makes use of EM: of its steps, of its family, and of what it holds."""

    em: EM

    @property
    def family(self) -> AbstractFamily:  # type: ignore[override]
        return self.em.family

    def init(self, model: Mixture) -> State:
        return State(model)

    def updated(self, mixture: Mixture, expectation: Expectation) -> Mixture:
        """What a step of EM makes of a mixture."""
        return self.em.step(State(mixture), expectation).mixture
