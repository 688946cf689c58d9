"""A run of a solver from one start: passes done ahead where that can be, then the solver's own."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.em.fused_em import run_fused_em
from gaussmix.solvers.run_monitor import IterationCallback, RunMonitor
from gaussmix.solvers.stopping import StoppingRule


@dataclass(frozen=True)
class RunResult:
    """What one run of a solver from one start left behind; ``moves`` of split and merge led to the start."""

    mixture: Mixture
    trace: IterationTrace
    outcome: Outcome
    n_floored_iter: int
    n_split_merge: int = 0

    @property
    def last_log_likelihood(self) -> float:
        """Total log-likelihood before the last update, in data units; minus infinity without a pass."""
        return float(self.trace.log_likelihoods[-1]) if len(self.trace) else -np.inf


def run_solver(
    solver: AbstractSolver,
    start: Mixture,
    problem: Problem,
    stopping: StoppingRule,
    callback: IterationCallback | None = None,
    previous_log_likelihood: float = -np.inf,
    max_iter: int | None = None,
    max_floored_iter: int | None = None,
) -> RunResult:
    """Pass and step until the stopping rule is met or its passes are used up.

    ``previous`` is the total log-likelihood (data units) that an earlier run ended with;
    ``max_passes`` allows fewer passes than the rule does, and ``forbearance`` so many that touch the floor.
    """
    allowed = stopping.max_iter if max_iter is None else min(max_iter, stopping.max_iter)
    shift = problem.total_weight * problem.source.frame.log_abs_det_jacobian
    passes = RunMonitor(problem, stopping, allowed, previous_log_likelihood - shift, callback, max_floored_iter)
    done = (
        None
        if callback is not None
        else run_fused_em(solver, start, problem, stopping, passes.checked_objective, allowed)
    )
    if done is not None:
        start = done.mixture
        passes.record_fused(done.log_likelihoods, done.has_converged)
    with limit_blas_threads(problem.source.n_features):
        end = solver.solve(start, passes)
    return RunResult(end, passes.trace, passes.outcome, passes.n_floored_iter)
