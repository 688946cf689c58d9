"""Several starts, one winner: the best of full runs, or short runs first and the best ones polished."""

from collections.abc import Callable, Iterable

import numpy as np

from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.run import Run, run
from gaussmix.solvers.stopping import RelativeGain, Stopping


def best_of(runs: Iterable[Run]) -> Run:
    """The run with the highest last log-likelihood; the first of equals, and always one."""
    best: Run | None = None
    for candidate in runs:
        if best is None or candidate.last_log_likelihood > best.last_log_likelihood:
            best = candidate
    if best is None:
        raise ValueError("best_of needs at least one run")
    return best


def polish(
    solver: AbstractSolver,
    starts: Iterable[Mixture],
    problem: Problem,
    stopping: Stopping,
    short_passes: int = 15,
    survivors: int = 3,
    prefer: Callable[[Run], bool] = lambda _: True,
) -> Run:
    """Run every start for a few passes, then the most promising to the end, and keep the best.

    A run for which ``prefer`` is false wins only if it is so for all: a search prefers runs that
    ended without a component on its floor, whose likelihood says nothing about the data.
    """
    short = RelativeGain(stopping.tolerance, short_passes) if isinstance(stopping, RelativeGain) else stopping
    heats = [run(solver, start, problem, short) for start in starts]
    heats.sort(key=lambda heat: (not prefer(heat), -heat.last_log_likelihood))
    finals = [_continued(solver, heat, problem, stopping) for heat in heats[:survivors]]
    preferred = [final for final in finals if prefer(final)]
    return best_of(preferred or finals)


def _continued(solver: AbstractSolver, heat: Run, problem: Problem, stopping: Stopping) -> Run:
    """A short run carried on to the end, with one trace."""
    rest = run(solver, heat.mixture, problem, stopping, previous=heat.last_log_likelihood)
    seconds_before = heat.trace.seconds[-1] if len(heat.trace) else 0.0
    trace = type(heat.trace)(
        np.concatenate([heat.trace.log_likelihood, rest.trace.log_likelihood]),
        np.concatenate([heat.trace.seconds, rest.trace.seconds + seconds_before]),
    )
    return Run(rest.mixture, trace, rest.outcome, heat.floored_passes + rest.floored_passes)
