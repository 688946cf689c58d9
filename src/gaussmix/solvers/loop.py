"""The loop: E-step, step, record, until the monitor ends the run."""

from dataclasses import dataclass
from typing import Any, Generic

import numpy as np

from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.expectation import Expectation
from gaussmix.core.kmeans_run import NearestCenters
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver, M
from gaussmix.solvers.run_monitor import IterationCallback, RunMonitor
from gaussmix.solvers.stopping import StoppingRule


@dataclass(frozen=True)
class RunResult(Generic[M]):
    """The result of one run of a solver from one start.

    Attributes
    ----------
    model : M
        The fitted model: a mixture, a variational posterior, or the centers of k-means.
    trace : IterationTrace
        Objective (in data units, before the update of the iteration) and seconds of each iteration.
    outcome : Outcome
        Why the run ended.
    n_floored_iter : int
        Iterations that ended with a covariance at the variance floor.
    n_split_merge : int
        Accepted split-and-merge moves that led to the start of this run.
    movement : float
        Squared movement of the parameters in the last iteration; infinite if the solver does not report it.
    expectation : Expectation or None
        The expectation of ``model``, if the run has computed it, with moments of the kind NONE.
    nearest_centers : NearestCenters or None
        The nearest center of each row, if ``model`` is centers and the run has found them.
    """

    model: M
    trace: IterationTrace
    outcome: Outcome
    n_floored_iter: int = 0
    n_split_merge: int = 0
    movement: float = np.inf
    expectation: Expectation | None = None
    nearest_centers: NearestCenters | None = None

    @property
    def last_objective(self) -> float:
        """Objective of the last iteration in data units; minus infinity without an iteration."""
        return float(self.trace.log_likelihoods[-1]) if len(self.trace) else -np.inf


def run_solver(
    solver: AbstractSolver[M, Any],
    start: M,
    problem: Problem,
    stopping: StoppingRule,
    callback: IterationCallback | None = None,
    previous_objective_in_data_units: float = -np.inf,
    max_iter: int | None = None,
    max_floored_iter: int | None = None,
) -> RunResult[M]:
    """Run a solver from one start until the stopping rule is met or no iteration is left; return the result.

    Parameters
    ----------
    solver : AbstractSolver
    start : M
        The model to start from, in the frame of the problem.
    problem : Problem
        The rows to fit, with structure and engine.
    stopping : StoppingRule
        The convergence test and the largest number of iterations.
    callback : callable, optional
        Called after each iteration; fused iterations are then not used.
    previous_objective_in_data_units : float, default=-inf
        Objective of an earlier run that ended at ``start``.
    max_iter : int, optional
        A smaller limit than that of the stopping rule.
    max_floored_iter : int, optional
        Iterations at the variance floor after which the run is pruned.

    Returns
    -------
    RunResult
    """
    limit = stopping.max_iter if max_iter is None else min(max_iter, stopping.max_iter)
    previous = previous_objective_in_data_units - solver.objective_shift_to_data_units(problem)
    monitor = RunMonitor(solver, problem, stopping, limit, previous, callback, max_floored_iter)
    fused = None if callback is not None else solver.run_fused(start, problem, stopping, previous, limit)
    if fused is not None:
        start = fused.model
        monitor.record_fused_iterations(fused)
    with limit_blas_threads(problem.source.n_features):
        state = solver.init(start, problem, monitor.n_iter_left)
        while monitor.should_continue:
            if state.requests_e_step:
                e_step = solver.request(state, problem)
                expectation = e_step.session.e_step(
                    e_step.model, e_step.moment_kind, e_step.assignment, e_step.total_moments
                )
                state = solver.step(state, expectation)
            else:
                state = solver.advance_without_e_step(state, monitor)
            if state.is_iteration_complete:
                monitor.record_and_check_convergence(state)
    last_fused = fused if fused is not None and state.model is fused.model else None
    return RunResult(
        state.model,
        monitor.trace,
        monitor.outcome,
        monitor.n_floored_iter,
        movement=state.movement,
        expectation=None if last_fused is None else last_fused.expectation,
        nearest_centers=None if last_fused is None else last_fused.nearest_centers,
    )
