"""Solvers beside one another: what each makes of the same start, after how many passes and seconds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.outcome import Outcome
from gaussmix.errors import ParameterError
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.selection.bar import Update
from gaussmix.solvers import EM, AbsoluteGain, Run, run
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.table import NONE, SOLVERS, Options, solver_of
from gaussmix.types import Array

DEFAULT_SOLVERS = ("em", "squarem", "anderson", "lbfgs", "natural", "adam", "sgd")
"""EM, what accelerates it, and the ways along the gradient; the others do not climb the likelihood itself."""

NEAR = 1e-6
"""A log-likelihood per row that lies no further below the best has reached it."""

_WARM_PASSES = 2  # before the clock starts, so that no solver pays for code that is loaded once


@dataclass(frozen=True, eq=False)
class Optimised:
    """What one solver reached.

    ``log_likelihood`` is that of all rows (nats, data units) under the returned parameters, whatever the solver
    climbed, and ``gap`` how much less it is than the best of all solvers, per row. ``near_passes`` and ``near_seconds``
    say when it came within 1e-6 per row of the best, to stay there; None if it did not. ``values`` and ``times``
    (passes,) are the log-likelihood and the seconds after each pass; ``curve`` says whether they are 'exact', 'summed'
    over parts of the rows (or annealed) in the first passes, or 'none' where a solver climbs something else.
    """

    solver: str
    passes: int
    seconds: float
    log_likelihood: float
    gap: float
    near_passes: int | None
    near_seconds: float | None
    converged: bool
    outcome: str
    curve: str
    values: Array = field(repr=False)
    times: Array = field(repr=False)


def named_solvers(solvers: str | Sequence[str]) -> list[str]:
    """Names of solvers, each once; ParameterError where one is unknown or there is none."""
    if not isinstance(solvers, Iterable):
        raise ParameterError.value("solvers", solvers, f"one or more of {', '.join(SOLVERS)}")
    names = [solvers] if isinstance(solvers, str) else list(solvers)
    for name in names:
        if name not in SOLVERS:
            raise ParameterError.choice("solvers", name, list(SOLVERS))
    if not names:
        raise ParameterError.value("solvers", solvers, f"one or more of {', '.join(SOLVERS)}")
    return list(dict.fromkeys(names))


def side_by_side(
    problem: Problem, start: Mixture, names: Sequence[str], stopping: AbsoluteGain, seed: int, told: Update
) -> tuple[Optimised, ...]:
    """Every solver from one start to its end, in the order of the names."""
    runs: list[Run] = []
    for name in names:
        told(len(runs), len(names), name)
        runs.append(_timed(solver_of(name, EM(problem.family), Options(seed=seed)), start, problem, stopping))
    reached = [_log_likelihood(problem, each.mixture) for each in runs]
    best = max(reached)
    return tuple(
        _record(name, each, value, best, problem.total_weight)
        for name, each, value in zip(names, runs, reached, strict=True)
    )


def _timed(solver: AbstractSolver, start: Mixture, problem: Problem, stopping: AbsoluteGain) -> Run:
    run(solver, start, problem, stopping, max_passes=_WARM_PASSES)
    return run(solver, start, problem, stopping)


def _log_likelihood(problem: Problem, mixture: Mixture) -> float:
    """Of all rows, in the data's units."""
    found = problem.expect(mixture.to_quadratics()).log_likelihood
    return found + problem.total_weight * problem.source.frame.log_volume


def _record(name: str, found: Run, reached: float, best: float, total_weight: float) -> Optimised:
    values, times = found.trace.log_likelihood, found.trace.seconds
    passes, gap, curve = len(values), (best - reached) / total_weight, SOLVERS[name].curve
    first = _near_from(values if curve != NONE else values[:0], best, NEAR * total_weight, passes)
    is_near = passes > 0 and gap <= NEAR
    return Optimised(
        name,
        passes,
        float(times[-1]) if passes else 0.0,
        reached,
        gap,
        first + 1 if is_near else None,
        float(times[first]) if is_near else None,
        found.outcome is Outcome.CONVERGED,
        str(found.outcome),
        curve,
        values,
        times,
    )


def _near_from(values: Array, best: float, tolerance: float, passes: int) -> int:
    """The pass, from 0, from which on all are near the best; at the latest the last one.

    Values before an update lag behind by one pass, and sums over mini-batches may come near by chance.
    """
    far = np.flatnonzero(np.abs(best - values) > tolerance)
    first = int(far[-1]) + 1 if len(far) else 0
    return max(0, min(first, passes - 1)) if len(values) else max(0, passes - 1)
