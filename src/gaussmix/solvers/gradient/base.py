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
from gaussmix.covariance.base import AbstractCovarianceEstimator
from gaussmix.model.fixed_parameters import apply_fixed
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture_parameters import expected_moments
from gaussmix.model.noise import kind_with_noise
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import SolverState
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.solvers.em.trial_mixtures import is_above_floor
from gaussmix.solvers.run_monitor import RunMonitor
from gaussmix.types import Array

_MAX_EM_STEPS_OFF_FLOOR = 3
_LBFGS_MEMORY = 20  # pairs of steps and gradients that L-BFGS remembers


@dataclass(frozen=True)
class ValueAndGradient:
    """The log-likelihood of a mixture (and log density of a prior), and its gradient, per unit of weight."""

    value: float
    gradient: Array


@dataclass(frozen=True)
class Evaluation:
    """A mixture, and what a pass over all rows has found of it."""

    mixture: Mixture
    expectation: Expectation
    value_and_gradient: ValueAndGradient


class AbstractGradientSolver(EMBasedSolver):
    """What solvers by gradients have in common; ``em`` tells the family, and what is held."""

    def step(self, state: SolverState, expectation: Expectation) -> SolverState:
        """A step of EM, from the moments that gradients are made of."""
        moments = expectation.moments.to_kind(
            kind_with_noise(state.mixture.noise, self.covariance_estimator.moment_kind)
        )
        return self.em.step(state, expectation.with_moments(moments))

    def m_step(self, mixture: Mixture, expectation: Expectation) -> Mixture:
        return self.step(SolverState(mixture), expectation).mixture

    def e_step(self, problem: Problem, mixture: Mixture, iteration: int) -> Expectation:
        return problem.e_step(mixture, self.moment_kind)

    @property
    def moment_kind(self) -> MomentKind:
        """The scatter of each component by itself that a gradient is made of."""
        along_columns = self.covariance_estimator.structure.is_axis_aligned
        return MomentKind.DIAGONAL if along_columns else MomentKind.FULL

    def leave_floor(self, start: Mixture, monitor: RunMonitor) -> Mixture:
        """Where to begin: not on the floor, where starts from single rows are, if a few steps of EM lead away from it.

        A gradient is in units of where it is taken, and of such narrow components it sees the next few rows only.
        """
        found = start
        for _ in range(_MAX_EM_STEPS_OFF_FLOOR):
            if not monitor.should_continue or is_above_floor(found, self.em):
                break
            expectation = monitor.evaluate(found, self.e_step)
            reached, found = self.objective(found, expectation), self.m_step(found, expectation)
            monitor.record(reached, found)
        return found

    def evaluate(self, coordinates: MixtureParametrization, vector: Array, monitor: RunMonitor) -> "Evaluation":
        """What one pass over all rows finds of the mixture that has these numbers."""
        mixture = self.feasible_mixture(coordinates, vector)
        expectation = monitor.evaluate(mixture, self.e_step)
        return Evaluation(mixture, expectation, self.value_and_gradient(coordinates, vector, mixture, expectation))

    def value_and_gradient(
        self,
        coordinates: MixtureParametrization,
        vector: Array,
        mixture: Mixture,
        expectation: Expectation,
        rows_weight: float | None = None,
    ) -> ValueAndGradient:
        """At a mixture that has these numbers, times the root of the weight; of rows of a ``weight``, or of all."""
        root, part = (
            np.sqrt(coordinates.total_weight),
            1.0 if rows_weight is None else rows_weight / coordinates.total_weight,
        )
        belief = self.covariance_estimator.prior_statistics(mixture.n_components)
        belief = None if belief is None else belief.scale(part)
        found = coordinates.gradient(root * vector, mixture, expectation.moments, belief, self.em.fixed) / part
        return ValueAndGradient(self.objective(mixture, expectation) / coordinates.total_weight, found / root)

    def predicted_gain(self, evaluation: "Evaluation") -> float:
        """What a step of EM from here would gain at least (frame): what it adds to the expected log density.

        That of rows and components together, of which no step can add less to the log-likelihood (Dempster, Laird &
        Rubin, theorem 1). It needs no pass. A slope into the floor promises nothing, as the step stays above.
        """
        updated = self.m_step(evaluation.mixture, evaluation.expectation)
        before, after = (
            self._expected_log_density(each, evaluation.expectation.moments) for each in (evaluation.mixture, updated)
        )
        return max(0.0, after - before) if np.isfinite(after - before) else 0.0

    def _expected_log_density(self, mixture: Mixture, moments: Moments) -> float:
        """The mean log density of rows and their components, given the moments of a pass, and of the prior."""
        quadratics = mixture.to_quadratics()
        roots = quadratics.precision_root.to_dense(quadratics.n_components, quadratics.n_features)
        scatter = moments.recenter(quadratics.center).scatter
        if moments.kind is MomentKind.FULL:
            distances = np.einsum("kij,kil,klj->k", roots, scatter, roots, optimize=True)
        else:
            distances = np.einsum("kij,ki->k", roots**2, scatter)
        held = moments.mass > 0
        constants = float(moments.mass[held] @ quadratics.offset[held])
        return (
            constants
            - 0.5 * float(distances.sum())
            + self.covariance_estimator.log_prior(mixture.centers, mixture.covariance)
        )

    def feasible_mixture(self, coordinates: MixtureParametrization, vector: Array) -> Mixture:
        """The mixture that has these numbers, above the floor, and with what is held."""
        found = coordinates.to_mixture(np.sqrt(coordinates.total_weight) * vector)
        if self.em.fixed is not None:
            found = apply_fixed(found, self.em.fixed)
        return found if is_above_floor(found, self.em) else apply_floor(found, self.covariance_estimator)


def apply_floor(mixture: Mixture, covariance_estimator: AbstractCovarianceEstimator) -> Mixture:
    """The mixture with its covariances above the floor: their own M-step, fed with them."""
    some = replace(mixture, weights=np.maximum(mixture.weights, np.finfo(float).tiny), noise=None)
    return replace(
        mixture,
        covariance=covariance_estimator.estimate(
            expected_moments(some, covariance_estimator.moment_kind), mixture.covariance
        ),
    )


class _IterationsExhausted(Exception):
    """No pass is left."""


@dataclass(frozen=True)
class LBFGS(AbstractGradientSolver):
    """SciPy's L-BFGS-B (Liu & Nocedal, Mathematical Programming 45, 1989), which owns the loop over passes.

    A search along a line may look at lower places; they are passes, too. Where it ends before the rule to stop is met,
    it begins anew about the best place, with other numbers and nothing remembered.
    """

    em: EM

    def solve(self, start: Mixture, monitor: RunMonitor) -> Mixture:
        climb = _LBFGSState(self, monitor, self.leave_floor(start, monitor))
        while monitor.should_continue:
            before = climb.best_objective
            climb.minimize_from(climb.best_mixture)
            if not climb.best_objective > before:
                monitor.mark_converged()
        return climb.best_mixture


@dataclass
class _LBFGSState:
    """The best place so far, and SciPy's way up from it."""

    solver: AbstractGradientSolver
    monitor: RunMonitor
    best_mixture: Mixture
    best_objective: float = -np.inf
    best_evaluation: Evaluation | None = None

    def minimize_from(self, origin: Mixture) -> None:
        at = MixtureParametrization.from_origin(origin, self.monitor.problem.total_weight)

        def descent(vector: Array) -> tuple[float, Array]:
            if not self.monitor.should_continue:
                raise _IterationsExhausted
            found = self.evaluate(at, vector)
            return -found.value, -found.gradient

        def accepted(intermediate_result: OptimizeResult) -> None:
            self.check_convergence()
            if not self.monitor.should_continue:
                raise StopIteration

        options = {"maxcor": _LBFGS_MEMORY, "ftol": 0.0, "gtol": 0.0, "maxiter": 10**9, "maxfun": 10**9}
        with suppress(_IterationsExhausted):
            minimize(  # type: ignore[call-overload]
                descent, np.zeros(at.n_parameters), jac=True, method="L-BFGS-B", callback=accepted, options=options
            )
        self.check_convergence()  # at the floor no step may be accepted, as the gradient leads below it

    def check_convergence(self) -> None:
        """The best place might be the end."""
        self.monitor.check_convergence(
            self.best_objective,
            lambda: 0.0 if self.best_evaluation is None else self.solver.predicted_gain(self.best_evaluation),
        )

    def evaluate(self, coordinates: MixtureParametrization, vector: Array) -> ValueAndGradient:
        """One pass; a place without a likelihood lies below all others."""
        seen = self.solver.evaluate(coordinates, vector, self.monitor)
        found = seen.value_and_gradient
        if not np.isfinite(found.value) or not np.isfinite(found.gradient).all():
            found = ValueAndGradient(-1e100, np.zeros_like(found.gradient))
        if found.value * coordinates.total_weight > self.best_objective:
            self.best_objective, self.best_mixture, self.best_evaluation = (
                found.value * coordinates.total_weight,
                seen.mixture,
                seen,
            )
        self.monitor.record(self.best_objective, self.best_mixture, can_stop=False)
        return found
