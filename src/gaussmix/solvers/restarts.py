"""Several starts, one result: the best of full runs, or successive halving of short runs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver, M
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.stopping import StoppingRule

# The iterations of each round, and how many runs go on to the next round.
HalvingRounds = Sequence[tuple[int, int]]

DEFAULT_HALVING_ROUNDS: HalvingRounds = ((15, 3), (60, 1))

_NO_ITERATIONS = IterationTrace(np.empty(0), np.empty(0))


def best_run(runs: Iterable[RunResult[M]]) -> RunResult[M]:
    """Return the run with the highest last objective; the first of equals.

    Raises
    ------
    ValueError
        If there is no run.
    """
    return max(runs, key=lambda run: run.last_objective)


def prefer_every_run(run: RunResult[Any]) -> bool:
    """Return True for every run, so that none is preferred to another."""
    return True


def successive_halving(
    solver: AbstractSolver[M, Any],
    starts: Iterable[M],
    problem: Problem,
    stopping: StoppingRule,
    is_preferred: Callable[[RunResult[M]], bool] = prefer_every_run,
    rounds: HalvingRounds = DEFAULT_HALVING_ROUNDS,
) -> list[RunResult[M]]:
    """Return the unfinished runs that the last round keeps, best first; the caller continues them.

    Every start runs for a few iterations, and the best ones go on to the next round. If there are no more starts
    than the last round keeps, no round is made: all come back without an iteration, in the order of the starts.

    Parameters
    ----------
    solver : AbstractSolver
    starts : iterable of M
    problem : Problem
    stopping : StoppingRule
    is_preferred : callable, optional
        Runs for which it is False come after all others. A search so prefers runs without a component at the variance
        floor, whose likelihood is uninformative.
    rounds : sequence of (int, int)
        The iterations of each round, and the number of runs that it keeps.
    """

    def sort_key(run: RunResult[M]) -> tuple[bool, float]:
        return not is_preferred(run), -run.last_objective

    runs = [RunResult(start, _NO_ITERATIONS, Outcome.NOT_STARTED) for start in starts]
    for max_iter, n_kept in rounds:
        if len(runs) <= rounds[-1][1]:
            break
        runs = [continue_run(solver, run, problem, stopping, max_iter) for run in runs]
        runs = sorted(runs, key=sort_key)[:n_kept]
    return runs


def run_with_halving(
    solver: AbstractSolver[M, Any],
    starts: Iterable[M],
    problem: Problem,
    stopping: StoppingRule,
    is_preferred: Callable[[RunResult[M]], bool] = prefer_every_run,
    rounds: HalvingRounds = DEFAULT_HALVING_ROUNDS,
) -> RunResult[M]:
    """Return the best run of successive halving, continued until it converges or ``stopping.max_iter`` is reached."""
    best = successive_halving(solver, starts, problem, stopping, is_preferred, rounds)[0]
    return continue_run(solver, best, problem, stopping)


def continue_run(
    solver: AbstractSolver[M, Any],
    result: RunResult[M],
    problem: Problem,
    stopping: StoppingRule,
    max_iter: int | None = None,
    max_floored_iter: int | None = None,
) -> RunResult[M]:
    """Return a run with up to ``max_iter`` more iterations in one trace; the same run if it converged or was pruned."""
    if result.outcome in (Outcome.CONVERGED, Outcome.PRUNED):
        return result
    continuation = run_solver(
        solver,
        result.model,
        problem,
        stopping,
        previous_objective_in_data_units=result.last_objective,
        max_iter=max_iter,
        max_floored_iter=max_floored_iter,
    )
    before, after = result.trace, continuation.trace
    seconds_before = before.seconds[-1] if len(before) else 0.0
    trace = IterationTrace(
        np.concatenate([before.log_likelihoods, after.log_likelihoods]),
        np.concatenate([before.seconds, after.seconds + seconds_before]),
    )
    return replace(continuation, trace=trace, n_floored_iter=result.n_floored_iter + continuation.n_floored_iter)
