"""Where the runs of a fit begin: what is given, how much is noise, and what is held."""

import numbers
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.errors import ConstraintError, ParameterError
from gaussmix.estimators._given import Given
from gaussmix.model import Constraints, Mixture, Problem
from gaussmix.model.held import Held, imposed, matching
from gaussmix.model.noise import Box
from gaussmix.model.volume import box_of
from gaussmix.solvers import EM
from gaussmix.solvers.start.noise import noisy, noisy_from, with_noise


@dataclass(frozen=True)
class Beginning:
    """The given parameters, the start's name, the box of the noise, and what is held; None where there is none."""

    given: Given
    method: str
    n_components: int
    box: Box | None = None
    held: Held | None = None

    @classmethod
    def of(
        cls, problem: Problem, given: Given, method: str, count: int, noise: object, constraints: object
    ) -> "Beginning":
        """Noise and constraints, checked before, in the frame of a problem."""
        box = box_of(problem, None if noise is True else float(noise)) if noise else None  # type: ignore[arg-type]
        held = None
        if isinstance(constraints, Constraints):
            held = constraints.held(problem.family.structure, count, problem.source.frame, box is not None)
        if held is not None and problem.family.prior is not None and np.isfinite(held.centers).any():
            raise ConstraintError.with_prior()
        return cls(given, method, count, box, held)

    @property
    def keeps_order(self) -> bool:
        """Whether components have numbers that somebody gave them."""
        return not self.given.is_empty or (self.held is not None and self.held.orders)

    def solver(self, problem: Problem) -> EM:
        return EM(problem.family, self.held)

    def start(self, problem: Problem, rng: np.random.Generator) -> Mixture:
        """The start of one run."""
        if self.box is None or not self.given.is_empty:
            start = self.given.start(problem, self.method, self.n_components, rng)
            return self._obeying(start if self.box is None else noisy_from(problem, start, self.box, rng))
        solver = self.solver(problem)
        return noisy(problem, self.method, self.n_components, self.box, solver, rng, self._obeying)

    def again(self, last: Mixture) -> Mixture:
        """The start of a run that goes on from the last model."""
        bare = replace(last, weights=last.weights / last.weights.sum(), noise=None, n_held=0)
        if self.box is not None:
            share = 0.05 if last.noise is None else last.noise.weight
            bare = with_noise(bare, self.box, share)
        return self._obeying(bare)

    def _obeying(self, start: Mixture) -> Mixture:
        if self.held is None:
            return start
        if self.given.is_empty and self.held.orders:
            start = start.permute(matching(start, self.held))
        return imposed(start, self.held)


def check_noise(noise: object) -> None:
    """ParameterError unless noise is None, True, False or a volume."""
    if noise is None or isinstance(noise, (bool, np.bool_)):
        return
    if not isinstance(noise, numbers.Real) or not 0.0 < float(noise) < np.inf:
        raise ParameterError.value("noise", noise, "None, True, False or a volume: a finite number above 0")


def check_constraints(constraints: object) -> None:
    """ConstraintError unless constraints are what they are called."""
    if constraints is not None and not isinstance(constraints, Constraints):
        raise ConstraintError.kind(constraints)
