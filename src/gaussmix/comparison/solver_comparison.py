"""Solvers beside one another: what each makes of the same start, after how many passes and seconds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.outcome import Outcome
from gaussmix.errors import ParameterError
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.selection.progress import ProgressCallback
from gaussmix.solvers import EM, MeanGainRule, RunResult, run_solver
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.solver_table import OTHER_OBJECTIVE_TRACE, SOLVERS, SolverOptions, make_solver
from gaussmix.types import Array

DEFAULT_SOLVERS = ("em", "squarem", "anderson", "lbfgs", "natural", "adam", "sgd")
"""EM, what accelerates it, and the ways along the gradient; the others do not climb the likelihood itself."""

MAX_GAP_PER_ROW = 1e-6
"""A log-likelihood per row that lies no further below the best has reached it."""

_N_WARMUP_ITER = 2  # before the clock starts, so that no solver pays for code that is loaded once


@dataclass(frozen=True, eq=False)
class SolverResult:
    """What one solver reached.

    ``log_likelihood`` is that of all rows (nats, data units) under the returned parameters, whatever the solver
    climbed, and ``gap`` how much less it is than the best of all solvers, per row. ``near_passes`` and ``near_seconds``
    say when it came within 1e-6 per row of the best, to stay there; None if it did not. ``values`` and ``times``
    (passes,) are the log-likelihood and the seconds after each pass; ``curve`` says whether they are 'exact', 'summed'
    over parts of the rows (or annealed) in the first passes, or 'none' where a solver climbs something else.
    """

    solver: str
    n_iter: int
    seconds: float
    log_likelihood: float
    gap_per_row: float
    n_iter_to_best: int | None
    seconds_to_best: float | None
    converged: bool
    outcome: str
    trace_kind: str
    log_likelihood_trace: Array = field(repr=False)
    seconds_trace: Array = field(repr=False)


def parse_solver_names(solvers: str | Sequence[str]) -> list[str]:
    """Names of solvers, each once; ParameterError where one is unknown or there is none."""
    if not isinstance(solvers, Iterable):
        raise ParameterError.invalid_value("solvers", solvers, f"one or more of {', '.join(SOLVERS)}")
    names = [solvers] if isinstance(solvers, str) else list(solvers)
    for name in names:
        if name not in SOLVERS:
            raise ParameterError.invalid_choice("solvers", name, list(SOLVERS))
    if not names:
        raise ParameterError.invalid_value("solvers", solvers, f"one or more of {', '.join(SOLVERS)}")
    return list(dict.fromkeys(names))


def compare_solvers(
    problem: Problem,
    initial_mixture: Mixture,
    solver_names: Sequence[str],
    stopping_rule: MeanGainRule,
    seed: int,
    progress_callback: ProgressCallback,
) -> tuple[SolverResult, ...]:
    """Every solver from one start to its end, in the order of the names."""
    runs: list[RunResult] = []
    for name in solver_names:
        progress_callback(len(runs), len(solver_names), name)
        runs.append(
            _run_after_warmup(
                make_solver(name, EM(problem.covariance_estimator), SolverOptions(seed=seed)),
                initial_mixture,
                problem,
                stopping_rule,
            )
        )
    reached = [_total_log_likelihood(problem, each.mixture) for each in runs]
    best = max(reached)
    return tuple(
        _make_solver_result(name, each, value, best, problem.total_weight)
        for name, each, value in zip(solver_names, runs, reached, strict=True)
    )


def _run_after_warmup(
    solver: AbstractSolver, initial_mixture: Mixture, problem: Problem, stopping_rule: MeanGainRule
) -> RunResult:
    run_solver(solver, initial_mixture, problem, stopping_rule, max_iter=_N_WARMUP_ITER)
    return run_solver(solver, initial_mixture, problem, stopping_rule)


def _total_log_likelihood(problem: Problem, mixture: Mixture) -> float:
    """Of all rows, in the data's units."""
    found = problem.e_step(mixture).log_likelihood
    return found + problem.total_weight * problem.source.frame.log_abs_det_jacobian


def _make_solver_result(
    solver_name: str, result: RunResult, log_likelihood: float, best_log_likelihood: float, total_weight: float
) -> SolverResult:
    values, times = result.trace.log_likelihoods, result.trace.seconds
    passes, gap, curve = (
        len(values),
        (best_log_likelihood - log_likelihood) / total_weight,
        SOLVERS[solver_name].trace_kind,
    )
    first = _first_iter_near_best(
        values if curve != OTHER_OBJECTIVE_TRACE else values[:0],
        best_log_likelihood,
        MAX_GAP_PER_ROW * total_weight,
        passes,
    )
    is_near = passes > 0 and gap <= MAX_GAP_PER_ROW
    return SolverResult(
        solver_name,
        passes,
        float(times[-1]) if passes else 0.0,
        log_likelihood,
        gap,
        first + 1 if is_near else None,
        float(times[first]) if is_near else None,
        result.outcome is Outcome.CONVERGED,
        str(result.outcome),
        curve,
        values,
        times,
    )


def _first_iter_near_best(
    log_likelihood_trace: Array, best_log_likelihood: float, tolerance: float, n_iter: int
) -> int:
    """The pass, from 0, from which on all are near the best; at the latest the last one.

    Values before an update lag behind by one pass, and sums over mini-batches may come near by chance.
    """
    far = np.flatnonzero(np.abs(best_log_likelihood - log_likelihood_trace) > tolerance)
    first = int(far[-1]) + 1 if len(far) else 0
    return max(0, min(first, n_iter - 1)) if len(log_likelihood_trace) else max(0, n_iter - 1)
