"""The one loop over passes: it owns the clock, the trace and the decision to stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.blas import calm_blas
from gaussmix.core.outcome import Outcome, Trace
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import kind_beside
from gaussmix.model.problem import Problem
from gaussmix.solvers.ahead import ahead
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.stopping import Stopping

Observer = Callable[[int, float, float], None]
"""Called after each pass with its number (from 1), the total log-likelihood in data units, and its gain.

With a prior its log density, up to a constant, is part of the log-likelihood here and in the trace.
"""


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
    began = time.perf_counter()
    shift = problem.total_weight * problem.source.frame.log_volume
    allowed = stopping.max_passes if max_passes is None else min(max_passes, stopping.max_passes)
    outcome, last = (Outcome.PASSES_USED_UP if allowed else Outcome.NOT_STARTED), previous - shift
    done = None if observer is not None else ahead(solver, start, problem, stopping, last, allowed)
    values = [] if done is None else (done.log_likelihoods + shift).tolist()
    seconds = np.linspace(0.0, time.perf_counter() - began, len(values) + 1)[1:].tolist()
    if done is not None:
        start, last = done.mixture, float(done.log_likelihoods[-1])
        outcome, allowed = (Outcome.CONVERGED, 0) if done.has_converged else (outcome, allowed)
    state, floored = solver.init(start), 0
    with calm_blas(problem.source.n_features):
        for number in range(1 + len(values), allowed + 1):
            prior = problem.family.log_prior(state.mixture.centers, state.mixture.covariance)
            expectation = problem.expect(state.quadratics, kind_beside(state.mixture.noise, problem.family.kind))
            state = solver.step(state, expectation)
            current = expectation.log_likelihood + prior
            values.append(current + shift)
            seconds.append(time.perf_counter() - began)
            floored += int(state.mixture.covariance.floored.any())
            if observer is not None:
                observer(number, current + shift, current - last)
            if stopping.is_met(last, current, problem.total_weight):
                outcome = Outcome.CONVERGED
                break
            if forbearance is not None and floored >= forbearance:
                outcome = Outcome.LEFT_BEHIND
                break
            last = current
    return Run(state.mixture, Trace(np.array(values), np.array(seconds)), outcome, floored)
