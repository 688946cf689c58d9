"""Gradient ascent on the likelihood: SciPy's L-BFGS, Adam, and plain steps, whose gradients are read off moments.

EM needs no gradient and no step size; this is what one does without it, in numbers that cannot leave what is allowed
(``model/coordinates.py``). They are scaled so that a row counts for 1 / n: then the curvature, were the components of
the rows known, is one in every direction at the start, and a plain step of length one is nearly a step of EM.

A covariance that falls to the floor of the variance is raised to it by the M-step of its own structure, fed with
that covariance, so that nothing ends singular.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import AbstractFamily
from gaussmix.model.coordinates import Coordinates
from gaussmix.model.held import imposed
from gaussmix.model.implied import implied
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import kind_beside
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import State
from gaussmix.solvers.em import EM, AroundEM
from gaussmix.solvers.passes import Passes
from gaussmix.solvers.trials import is_clear
from gaussmix.types import Array

_STEPS_FROM_FLOOR = 3
_CORRECTIONS = 20  # pairs of steps and gradients that L-BFGS remembers


@dataclass(frozen=True)
class Slope:
    """The log-likelihood of a mixture (and log density of a prior), and its gradient, per unit of weight."""

    value: float
    gradient: Array


@dataclass(frozen=True)
class Looked:
    """A mixture, and what a pass over all rows has found of it."""

    mixture: Mixture
    expectation: Expectation
    slope: Slope


class AbstractGradient(AroundEM):
    """What solvers by gradients have in common; ``em`` tells the family, and what is held."""

    def step(self, state: State, expectation: Expectation) -> State:
        """A step of EM, from the moments that gradients are made of."""
        moments = expectation.moments.reduce(kind_beside(state.mixture.noise, self.family.kind))
        return self.em.step(state, replace(expectation, moments=moments))

    def updated(self, mixture: Mixture, expectation: Expectation) -> Mixture:
        return self.step(State(mixture), expectation).mixture

    def look(self, problem: Problem, mixture: Mixture, number: int) -> Expectation:
        return problem.expect(mixture.to_quadratics(), self.kind)

    @property
    def kind(self) -> MomentKind:
        """The scatter of each component by itself that a gradient is made of."""
        along_columns = self.family.structure.orientation == "I"
        return MomentKind.DIAGONAL if along_columns else MomentKind.FULL

    def begun(self, start: Mixture, passes: Passes) -> Mixture:
        """Where to begin: not on the floor, where starts from single rows are, if a few steps of EM lead away from it.

        A gradient is in units of where it is taken, and of such narrow components it sees the next few rows only.
        """
        found = start
        for _ in range(_STEPS_FROM_FLOOR):
            if not passes.are_left or is_clear(found, self.em):
                break
            expectation = passes.over(found, self.look)
            reached, found = self.reached(found, expectation), self.updated(found, expectation)
            passes.record(reached, found)
        return found

    def looked(self, at: Coordinates, vector: Array, passes: Passes) -> "Looked":
        """What one pass over all rows finds of the mixture that has these numbers."""
        mixture = self.mixture(at, vector)
        expectation = passes.over(mixture, self.look)
        return Looked(mixture, expectation, self.slope(at, vector, mixture, expectation))

    def slope(
        self, at: Coordinates, vector: Array, mixture: Mixture, expectation: Expectation, weight: float | None = None
    ) -> Slope:
        """At a mixture that has these numbers, times the root of the weight; of rows of a ``weight``, or of all."""
        root, part = np.sqrt(at.weight), 1.0 if weight is None else weight / at.weight
        belief = self.family.belief(mixture.n_components)
        belief = None if belief is None else belief.scaled(part)
        found = at.gradient(root * vector, mixture, expectation.moments, belief, self.em.held) / part
        return Slope(self.reached(mixture, expectation) / at.weight, found / root)

    def promise(self, seen: "Looked") -> float:
        """What a step of EM from here would gain at least (frame): what it adds to the expected log density.

        That of rows and components together, of which no step can add less to the log-likelihood (Dempster, Laird &
        Rubin, theorem 1). It needs no pass. A slope into the floor promises nothing, as the step stays above.
        """
        updated = self.updated(seen.mixture, seen.expectation)
        before, after = (self._expected(each, seen.expectation.moments) for each in (seen.mixture, updated))
        return max(0.0, after - before) if np.isfinite(after - before) else 0.0

    def _expected(self, mixture: Mixture, moments: Moments) -> float:
        """The mean log density of rows and their components, given the moments of a pass, and of the prior."""
        quadratics = mixture.to_quadratics()
        roots = quadratics.root.dense(quadratics.n_components, quadratics.n_features)
        scatter = moments.about(quadratics.center).scatter
        if moments.kind is MomentKind.FULL:
            distances = np.einsum("kij,kil,klj->k", roots, scatter, roots, optimize=True)
        else:
            distances = np.einsum("kij,ki->k", roots**2, scatter)
        held = moments.mass > 0
        constants = float(moments.mass[held] @ quadratics.offset[held])
        return constants - 0.5 * float(distances.sum()) + self.family.log_prior(mixture.centers, mixture.covariance)

    def mixture(self, at: Coordinates, vector: Array) -> Mixture:
        """The mixture that has these numbers, above the floor, and with what is held."""
        found = at.mixture(np.sqrt(at.weight) * vector)
        if self.em.held is not None:
            found = imposed(found, self.em.held)
        return found if is_clear(found, self.em) else raised(found, self.family)


def raised(mixture: Mixture, family: AbstractFamily) -> Mixture:
    """The mixture with its covariances above the floor: their own M-step, fed with them."""
    some = replace(mixture, weights=np.maximum(mixture.weights, np.finfo(float).tiny), noise=None)
    return replace(mixture, covariance=family.estimate(implied(some, family.kind), mixture.covariance))


class _Ended(Exception):
    """No pass is left."""


@dataclass(frozen=True)
class LBFGS(AbstractGradient):
    """SciPy's L-BFGS-B (Liu & Nocedal, Mathematical Programming 45, 1989), which owns the loop over passes.

    A search along a line may look at lower places; they are passes, too. Where it ends before the rule to stop is met,
    it begins anew about the best place, with other numbers and nothing remembered.
    """

    em: EM

    def carry(self, start: Mixture, passes: Passes) -> Mixture:
        climb = _Climb(self, passes, self.begun(start, passes))
        while passes.are_left:
            before = climb.highest
            climb.around(climb.best)
            if not climb.highest > before:
                passes.rest()
        return climb.best


@dataclass
class _Climb:
    """The best place so far, and SciPy's way up from it."""

    solver: AbstractGradient
    passes: Passes
    best: Mixture
    highest: float = -np.inf
    seen: Looked | None = None

    def around(self, origin: Mixture) -> None:
        at = Coordinates.about(origin, self.passes.problem.total_weight)

        def descent(vector: Array) -> tuple[float, Array]:
            if not self.passes.are_left:
                raise _Ended
            found = self.looked(at, vector)
            return -found.value, -found.gradient

        def accepted(intermediate_result: OptimizeResult) -> None:
            self.settle()
            if not self.passes.are_left:
                raise StopIteration

        options = {"maxcor": _CORRECTIONS, "ftol": 0.0, "gtol": 0.0, "maxiter": 10**9, "maxfun": 10**9}
        with suppress(_Ended):
            minimize(  # type: ignore[call-overload]
                descent, np.zeros(at.size), jac=True, method="L-BFGS-B", callback=accepted, options=options
            )
        self.settle()  # at the floor no step may be accepted, as the gradient leads below it

    def settle(self) -> None:
        """The best place might be the end."""
        self.passes.settle(self.highest, lambda: 0.0 if self.seen is None else self.solver.promise(self.seen))

    def looked(self, at: Coordinates, vector: Array) -> Slope:
        """One pass; a place without a likelihood lies below all others."""
        seen = self.solver.looked(at, vector, self.passes)
        found = seen.slope
        if not np.isfinite(found.value) or not np.isfinite(found.gradient).all():
            found = Slope(-1e100, np.zeros_like(found.gradient))
        if found.value * at.weight > self.highest:
            self.highest, self.best, self.seen = found.value * at.weight, seen.mixture, seen
        self.passes.record(self.highest, self.best, is_settled=False)
        return found
