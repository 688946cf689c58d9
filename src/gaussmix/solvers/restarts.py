"""Several starts, one winner: the best of full runs, or short runs first and the best ones polished."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from gaussmix.core.outcome import Outcome
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.stopping import StoppingRule


def best_run(runs: Iterable[RunResult]) -> RunResult:
    """The run with the highest last log-likelihood; the first of equals, and always one."""
    best: RunResult | None = None
    for candidate in runs:
        if best is None or candidate.last_log_likelihood > best.last_log_likelihood:
            best = candidate
    if best is None:
        raise ValueError("best_of needs at least one run")
    return best


HalvingRounds = Sequence[tuple[int, int]]
"""Passes of each round and how many runs it sends on."""

DEFAULT_HALVING_ROUNDS: HalvingRounds = ((15, 3), (60, 1))


def always_preferred(run: RunResult) -> bool:
    """Prefers nothing."""
    return True


def successive_halving(
    solver: AbstractSolver,
    starts: Iterable[Mixture],
    problem: Problem,
    stopping: StoppingRule,
    is_preferred: Callable[[RunResult], bool] = always_preferred,
    rounds: HalvingRounds = DEFAULT_HALVING_ROUNDS,
) -> list[RunResult]:
    """The best of many short runs, best first: every start for a few passes, the best of them for more.

    A run for which ``prefer`` is false comes after all for which it is true: a search prefers runs that
    ended without a component on its floor, whose likelihood says nothing about the data. Where no more are left than
    the last round sends on, nobody has to be compared.
    """

    def promise(heat: RunResult) -> tuple[bool, float]:
        return not is_preferred(heat), -heat.last_log_likelihood

    runs = [run_solver(solver, start, problem, stopping, max_iter=0) for start in starts]
    for passes, survivors in rounds:
        if len(runs) <= rounds[-1][1]:
            break
        runs = [continue_run(solver, heat, problem, stopping, passes) for heat in runs]
        runs = sorted(runs, key=promise)[:survivors]
    return runs


def run_with_halving(
    solver: AbstractSolver,
    starts: Iterable[Mixture],
    problem: Problem,
    stopping: StoppingRule,
    is_preferred: Callable[[RunResult], bool] = always_preferred,
    rounds: HalvingRounds = DEFAULT_HALVING_ROUNDS,
) -> RunResult:
    """The best of many short runs, run to the end."""
    return continue_run(
        solver, successive_halving(solver, starts, problem, stopping, is_preferred, rounds)[0], problem, stopping
    )


def continue_run(
    solver: AbstractSolver,
    result: RunResult,
    problem: Problem,
    stopping: StoppingRule,
    max_iter: int | None = None,
    max_floored_iter: int | None = None,
) -> RunResult:
    """A run carried on, with one trace; one that has ended is left alone."""
    if result.outcome in (Outcome.CONVERGED, Outcome.PRUNED):
        return result
    last = result.last_log_likelihood
    rest = run_solver(
        solver,
        result.mixture,
        problem,
        stopping,
        previous_log_likelihood=last,
        max_iter=max_iter,
        max_floored_iter=max_floored_iter,
    )
    seconds_before = result.trace.seconds[-1] if len(result.trace) else 0.0
    trace = type(result.trace)(
        np.concatenate([result.trace.log_likelihoods, rest.trace.log_likelihoods]),
        np.concatenate([result.trace.seconds, rest.trace.seconds + seconds_before]),
    )
    return RunResult(rest.mixture, trace, rest.outcome, result.n_floored_iter + rest.n_floored_iter)
