"""SciPy's L-BFGS-B (Liu & Nocedal, Mathematical Programming 45, 1989), whose loop reports to the same monitor."""

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from gaussmix.model.mixture import Mixture
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.gradient.base import AbstractGradientSolver, Evaluation, GradientState
from gaussmix.solvers.run_monitor import RunMonitor
from gaussmix.types import Array

_LBFGS_MEMORY = 20  # pairs of steps and gradient changes
_WORST_VALUE = -1e100  # stands for a value that is not finite


class _IterationsExhausted(Exception):
    """The monitor has ended the run."""


@dataclass(frozen=True)
class LBFGS(AbstractGradientSolver):
    """L-BFGS. Every evaluation of the line search is an iteration.

    Where a search ends before the stopping rule is met, another begins at the best mixture, with new coordinates.
    """

    em: EM

    def begin(self, start: Mixture, problem: Problem, n_iter: int, max_iter: int) -> GradientState:
        """Return the state that hands over to SciPy."""
        return GradientState(start, problem=problem, n_iter=n_iter, max_iter=max_iter, requests_e_step=False)

    def advance(self, state: GradientState, monitor: RunMonitor) -> GradientState:
        """Run one search of SciPy from the best mixture; if it gains nothing, the run has converged."""
        previous = state.objective if state.evaluation is not None else -np.inf
        search = _Search(self, monitor, replace(state, objective=previous, can_stop=False))
        search.minimize()
        if not search.best.objective > previous:
            monitor.mark_converged()
        return replace(search.best, is_iteration_complete=False)


@dataclass
class _Search:
    """One call of SciPy, and the best state so far."""

    solver: LBFGS
    monitor: RunMonitor
    best: GradientState

    def minimize(self) -> None:
        """Search from the best mixture until SciPy or the monitor ends the search."""
        origin = MixtureParametrization.from_origin(self.best.model, self.monitor.problem.total_weight)

        def negative_value_and_gradient(vector: Array) -> tuple[float, Array]:
            if not self.monitor.should_continue:
                raise _IterationsExhausted
            evaluation = self._evaluate(origin, vector)
            return -evaluation.value, -evaluation.gradient

        def check_accepted_step(intermediate_result: OptimizeResult) -> None:
            self.monitor.check_convergence(self.best)
            if not self.monitor.should_continue:
                raise StopIteration

        with suppress(_IterationsExhausted):
            minimize(
                negative_value_and_gradient,
                np.zeros(origin.n_parameters),
                jac=True,
                method="L-BFGS-B",
                callback=check_accepted_step,
                options={"maxcor": _LBFGS_MEMORY, "ftol": 0.0, "gtol": 0.0, "maxiter": 10**9, "maxfun": 10**9},
            )
        self.monitor.check_convergence(self.best)  # at the floor SciPy accepts no step: the gradient leads below it

    def _evaluate(self, coordinates: MixtureParametrization, vector: Array) -> Evaluation:
        """Make one E-step, keep the point if it is the best, and record the iteration."""
        point = self.solver.make_point(coordinates, vector)
        expectation = self.monitor.problem.e_step(point.mixture, self.solver.moment_kind)
        evaluation = self.solver.evaluate(point, expectation)
        if not evaluation.is_finite:
            evaluation = replace(evaluation, value=_WORST_VALUE, gradient=np.zeros_like(evaluation.gradient))
        if evaluation.objective > self.best.objective:
            self.best = replace(self.best, model=point.mixture, objective=evaluation.objective, evaluation=evaluation)
        self.monitor.record(self.best)
        return evaluation
