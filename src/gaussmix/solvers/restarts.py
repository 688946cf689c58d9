"""Several starts, one winner: the best of full runs, or short runs first and the best ones polished."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from gaussmix.core.outcome import Outcome
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.run import Run, run
from gaussmix.solvers.stopping import Stopping


def best_of(runs: Iterable[Run]) -> Run:
    """The run with the highest last log-likelihood; the first of equals, and always one."""
    best: Run | None = None
    for candidate in runs:
        if best is None or candidate.last_log_likelihood > best.last_log_likelihood:
            best = candidate
    if best is None:
        raise ValueError("best_of needs at least one run")
    return best


Rounds = Sequence[tuple[int, int]]
"""Passes of each round and how many runs it sends on."""

ROUNDS: Rounds = ((15, 3), (60, 1))


def is_any(run: Run) -> bool:
    """Prefers nothing."""
    return True


def halved(
    solver: AbstractSolver,
    starts: Iterable[Mixture],
    problem: Problem,
    stopping: Stopping,
    prefer: Callable[[Run], bool] = is_any,
    rounds: Rounds = ROUNDS,
) -> list[Run]:
    """The best of many short runs, best first: every start for a few passes, the best of them for more.

    A run for which ``prefer`` is false comes after all for which it is true: a search prefers runs that
    ended without a component on its floor, whose likelihood says nothing about the data. Where no more are left than
    the last round sends on, nobody has to be compared.
    """

    def promise(heat: Run) -> tuple[bool, float]:
        return not prefer(heat), -heat.last_log_likelihood

    runs = [run(solver, start, problem, stopping, max_passes=0) for start in starts]
    for passes, survivors in rounds:
        if len(runs) <= rounds[-1][1]:
            break
        runs = [continued(solver, heat, problem, stopping, passes) for heat in runs]
        runs = sorted(runs, key=promise)[:survivors]
    return runs


def polish(
    solver: AbstractSolver,
    starts: Iterable[Mixture],
    problem: Problem,
    stopping: Stopping,
    prefer: Callable[[Run], bool] = is_any,
    rounds: Rounds = ROUNDS,
) -> Run:
    """The best of many short runs, run to the end."""
    return continued(solver, halved(solver, starts, problem, stopping, prefer, rounds)[0], problem, stopping)


def continued(
    solver: AbstractSolver,
    heat: Run,
    problem: Problem,
    stopping: Stopping,
    max_passes: int | None = None,
    forbearance: int | None = None,
) -> Run:
    """A run carried on, with one trace; one that has ended is left alone."""
    if heat.outcome in (Outcome.CONVERGED, Outcome.LEFT_BEHIND):
        return heat
    last = heat.last_log_likelihood
    rest = run(
        solver, heat.mixture, problem, stopping, previous=last, max_passes=max_passes, forbearance=forbearance
    )
    seconds_before = heat.trace.seconds[-1] if len(heat.trace) else 0.0
    trace = type(heat.trace)(
        np.concatenate([heat.trace.log_likelihood, rest.trace.log_likelihood]),
        np.concatenate([heat.trace.seconds, rest.trace.seconds + seconds_before]),
    )
    return Run(rest.mixture, trace, rest.outcome, heat.floored_passes + rest.floored_passes)
