"""A run of a solver from one start: passes done ahead where that can be, then the solver's own."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.blas import calm_blas
from gaussmix.core.outcome import Outcome, Trace
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.ahead import ahead
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.passes import Observer, Passes
from gaussmix.solvers.stopping import Stopping


@dataclass(frozen=True)
class Run:
    """What one run of a solver from one start left behind; ``moves`` of split and merge led to the start."""

    mixture: Mixture
    trace: Trace
    outcome: Outcome
    floored_passes: int
    moves: int = 0

    @property
    def last_log_likelihood(self) -> float:
        """Total log-likelihood before the last update, in data units; minus infinity without a pass."""
        return float(self.trace.log_likelihood[-1]) if len(self.trace) else -np.inf


def run(
    solver: AbstractSolver,
    start: Mixture,
    problem: Problem,
    stopping: Stopping,
    observer: Observer | None = None,
    previous: float = -np.inf,
    max_passes: int | None = None,
    forbearance: int | None = None,
) -> Run:
    """Pass and step until the stopping rule is met or its passes are used up.

    ``previous`` is the total log-likelihood (data units) that an earlier run ended with;
    ``max_passes`` allows fewer passes than the rule does, and ``forbearance`` so many that touch the floor.
    """
    allowed = stopping.max_passes if max_passes is None else min(max_passes, stopping.max_passes)
    shift = problem.total_weight * problem.source.frame.log_volume
    passes = Passes(problem, stopping, allowed, previous - shift, observer, forbearance)
    done = None if observer is not None else ahead(solver, start, problem, stopping, passes.last, allowed)
    if done is not None:
        start = done.mixture
        passes.made(done.log_likelihoods, done.has_converged)
    with calm_blas(problem.source.n_features):
        end = solver.carry(start, passes)
    return Run(end, passes.trace, passes.outcome, passes.floored)
