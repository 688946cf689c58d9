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

    def begin_gradient_iterations(self, start: Mixture, problem: Problem, n_iter: int, max_iter: int) -> GradientState:
        """Return the state before the first search of SciPy, which requests no E-step."""
        return GradientState(start, problem=problem, n_iter=n_iter, max_iter=max_iter, requests_e_step=False)

    def advance_without_e_step(self, state: GradientState, monitor: RunMonitor) -> GradientState:
        """Run one search of SciPy, recorded in ``monitor``; return its best state. Without a gain, end the run."""
        previous = state.objective if state.evaluation is not None else -np.inf
        search = _Search(self, monitor, replace(state, objective=previous, can_stop=False))
        search.minimize_and_record()
        if not search.best.objective > previous:
            monitor.end_run_as_converged()
        return replace(search.best, is_iteration_complete=False)


@dataclass
class _Search:
    """One call of SciPy, and the best state so far."""

    solver: LBFGS
    monitor: RunMonitor
    best: GradientState

    def minimize_and_record(self) -> None:
        """Search from the best mixture until SciPy or the monitor ends it; update ``best`` and record iterations."""
        origin = MixtureParametrization.from_origin(self.best.model, self.monitor.problem.total_weight)

        def negative_value_and_gradient(vector: Array) -> tuple[float, Array]:
            if not self.monitor.should_continue:
                raise _IterationsExhausted
            evaluation = self._evaluate_and_record(origin, vector)
            return -evaluation.value, -evaluation.gradient

        def check_accepted_step(intermediate_result: OptimizeResult) -> None:
            self.monitor.end_run_if_converged(self.best)
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
        self.monitor.end_run_if_converged(self.best)  # at the floor SciPy accepts no step: the gradient leads below it

    def _evaluate_and_record(self, coordinates: MixtureParametrization, vector: Array) -> Evaluation:
        """Make one E-step, update ``best`` if the point is better, record the iteration, and return the evaluation."""
        point = self.solver.make_feasible_point(coordinates, vector)
        expectation = self.monitor.problem.e_step(point.mixture, self.solver.gradient_moment_kind)
        evaluation = self.solver.compute_value_and_gradient(point, expectation)
        if not evaluation.is_finite:
            evaluation = replace(evaluation, value=_WORST_VALUE, gradient=np.zeros_like(evaluation.gradient))
        if evaluation.objective > self.best.objective:
            self.best = replace(self.best, model=point.mixture, objective=evaluation.objective, evaluation=evaluation)
        self.monitor.record_and_check_convergence(self.best)
        return evaluation
