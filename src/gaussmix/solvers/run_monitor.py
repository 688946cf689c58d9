"""``RunMonitor``: clock, trace and stopping rule of a run, whoever owns the loop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver, LastModelAndObjectives, SolverState
from gaussmix.solvers.stopping import Progress, StoppingRule

# Called after each iteration with its number (from 1), the objective of all rows in data units, and its gain.
# With a prior the objective includes the log density of the prior, up to a constant.
IterationCallback = Callable[[int, float, float], None]


@dataclass
class RunMonitor:
    """Records the iterations of a run and decides whether it goes on.

    Attributes
    ----------
    solver, problem, stopping
        What is run, on which rows, and until when.
    max_iter : int
        Iterations allowed in this run.
    checked_objective : float
        Objective at the last check of convergence, in the frame; at first that of an earlier run.
    callback : callable, optional
        Called after each iteration.
    max_floored_iter : int, optional
        Iterations at the variance floor after which the run is pruned.
    objectives : list of float
        Objective of each iteration in data units.
    elapsed_seconds : list of float
        Seconds from the start of the run to the end of each iteration.
    n_floored_iter : int
        Iterations that ended with a covariance at the variance floor.
    """

    solver: AbstractSolver[Any, Any]
    problem: Problem
    stopping: StoppingRule
    max_iter: int
    checked_objective: float
    callback: IterationCallback | None = None
    max_floored_iter: int | None = None
    objectives: list[float] = field(default_factory=list)
    elapsed_seconds: list[float] = field(default_factory=list)
    outcome: Outcome = Outcome.MAX_ITER_REACHED
    n_floored_iter: int = 0
    _start_time: float = field(default_factory=time.perf_counter)
    _last_objective: float = field(init=False)

    def __post_init__(self) -> None:
        self._last_objective = self.checked_objective
        if not self.max_iter:
            self.outcome = Outcome.NOT_STARTED

    @property
    def should_continue(self) -> bool:
        """Whether the run goes on: iterations are left, and no rule has ended it."""
        return self.outcome is Outcome.MAX_ITER_REACHED and len(self.objectives) < self.max_iter

    @property
    def n_iter_left(self) -> int:
        """Number of iterations that may still be made."""
        return self.max_iter - len(self.objectives) if self.should_continue else 0

    @property
    def trace(self) -> IterationTrace:
        """Objective in data units, and seconds since the start, of each iteration so far."""
        return IterationTrace(np.array(self.objectives), np.array(self.elapsed_seconds))

    def record_fused_iterations(self, fused: LastModelAndObjectives[Any]) -> None:
        """Append the objectives of fused iterations to the trace; end the run if they have converged."""
        shift = self.solver.objective_shift_to_data_units(self.problem)
        n_iter, seconds = len(fused.objectives), time.perf_counter() - self._start_time
        self.objectives.extend((fused.objectives + shift).tolist())
        self.elapsed_seconds.extend((np.arange(1, n_iter + 1) * (seconds / n_iter)).tolist())
        self.checked_objective = self._last_objective = float(fused.objectives[-1])
        if fused.has_converged:
            self.outcome = Outcome.CONVERGED

    def record_and_check_convergence(self, state: SolverState[Any]) -> None:
        """Record the iteration that ``state`` completes, call the callback, and end the run if a rule says so."""
        value = state.objective + self.solver.objective_shift_to_data_units(self.problem)
        self.objectives.append(value)
        self.elapsed_seconds.append(time.perf_counter() - self._start_time)
        self.n_floored_iter += state.is_on_floor
        if self.callback is not None:
            self.callback(len(self.objectives), value, state.objective - self._last_objective)
        self._last_objective = state.objective
        if state.can_stop:
            self.end_run_if_converged(state)
        is_running = self.outcome is Outcome.MAX_ITER_REACHED
        if is_running and self.max_floored_iter is not None and self.n_floored_iter >= self.max_floored_iter:
            self.outcome = Outcome.PRUNED
        if state.is_exhausted:
            self.end_run_as_converged()

    def end_run_as_converged(self) -> None:
        """Set the outcome to converged, unless the run has already ended."""
        if self.should_continue:
            self.outcome = Outcome.CONVERGED

    def end_run_if_converged(self, state: SolverState[Any]) -> None:
        """Set the outcome to converged if both the last gain and the predicted EM gain meet the stopping rule.

        A step that was too short gains little without being near a maximum; the predicted gain tells these apart.
        """
        weight, current = self.problem.total_weight, state.objective
        progress = Progress(self.checked_objective, current, weight, state.movement)
        if self.outcome is Outcome.MAX_ITER_REACHED and self.stopping.is_met(progress):
            gain = self.solver.predict_em_gain(state)
            is_gain_left = gain > 0.0 and not self.stopping.is_met(Progress(current, current + gain, weight))
            self.outcome = self.outcome if is_gain_left else Outcome.CONVERGED
        self.checked_objective = current
