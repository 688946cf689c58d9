"""Comparison of solvers: the log-likelihood, iterations and seconds of each from one common start."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.outcome import Outcome
from gaussmix.errors import ParameterError
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.selection.progress import ProgressCallback
from gaussmix.solvers import EM, MeanGainRule, RunResult, run_solver
from gaussmix.solvers.base import MixtureSolver
from gaussmix.solvers.solver_table import OTHER_OBJECTIVE_TRACE, SOLVERS, SolverOptions, make_solver
from gaussmix.types import Array

# EM, its accelerations, and gradient solvers; the other solvers do not maximize the likelihood alone.
DEFAULT_SOLVERS = ("em", "squarem", "anderson", "lbfgs", "natural", "adam", "sgd")

# A solver has reached the best log-likelihood when its own is no further below, per row (nats).
MAX_GAP_PER_ROW = 1e-6

# Iterations before the clock starts, so that no solver pays for loading compiled code.
_N_WARMUP_ITER = 2


@dataclass(frozen=True, eq=False)
class SolverResult:
    """The result of one solver.

    Attributes
    ----------
    solver : str
    n_iter : int
        Iterations, each with one pass over the rows.
    seconds : float
    log_likelihood : float
        Of all rows under the returned parameters (nats, data units), whatever the solver maximizes.
    gap_per_row : float
        How far it is below the best of all solvers.
    n_iter_to_best : int or None
        Iterations until the log-likelihood stays within 1e-6 per row of the best; None if it does not get there.
    seconds_to_best : float or None
    has_converged : bool
    outcome : str
        Why the solver stopped.
    trace_kind : str
        What the trace holds: 'exact' log-likelihoods, or 'summed' ones over batches (or annealed ones) at first, or
        'none' if the solver maximizes another objective.
    log_likelihood_trace, seconds_trace : ndarray of shape (n_iter,)
        After each iteration.
    """

    solver: str
    n_iter: int
    seconds: float
    log_likelihood: float
    gap_per_row: float
    n_iter_to_best: int | None
    seconds_to_best: float | None
    has_converged: bool
    outcome: str
    trace_kind: str
    log_likelihood_trace: Array = field(repr=False)
    seconds_trace: Array = field(repr=False)


def parse_solver_names(solvers: str | Sequence[str]) -> list[str]:
    """Return the solver names without duplicates; raise ParameterError if one is unknown or there is none."""
    names = [solvers] if isinstance(solvers, str) else list(solvers) if isinstance(solvers, Iterable) else []
    if not names:
        raise ParameterError.invalid_value("solvers", solvers, f"one or more of {', '.join(SOLVERS)}")
    for name in names:
        if name not in SOLVERS:
            raise ParameterError.invalid_choice("solvers", name, list(SOLVERS))
    return list(dict.fromkeys(names))


def compare_solvers(
    problem: Problem,
    initial_mixture: Mixture,
    solver_names: Sequence[str],
    stopping_rule: MeanGainRule,
    seed: int,
    progress_callback: ProgressCallback,
) -> tuple[SolverResult, ...]:
    """Run every solver from one initial mixture until it stops; return the results in the order of the names."""
    runs: list[RunResult[Mixture]] = []
    for name in solver_names:
        progress_callback(len(runs), len(solver_names), name)
        solver = make_solver(name, EM(problem.covariance_estimator), SolverOptions(seed=seed))
        runs.append(_run_after_warmup(solver, initial_mixture, problem, stopping_rule))
    log_likelihoods = [_log_likelihood_in_data_units(problem, run.model) for run in runs]
    best = max(log_likelihoods)
    return tuple(
        _make_solver_result(name, run, log_likelihood, best, problem.total_weight)
        for name, run, log_likelihood in zip(solver_names, runs, log_likelihoods, strict=True)
    )


def _run_after_warmup(
    solver: MixtureSolver, initial_mixture: Mixture, problem: Problem, stopping_rule: MeanGainRule
) -> RunResult[Mixture]:
    """Run a solver twice, first for a few iterations so that compiled code is loaded; return the second run."""
    run_solver(solver, initial_mixture, problem, stopping_rule, max_iter=_N_WARMUP_ITER)
    return run_solver(solver, initial_mixture, problem, stopping_rule)


def _log_likelihood_in_data_units(problem: Problem, mixture: Mixture) -> float:
    """Return the log-likelihood of all rows under a mixture, in the data's units (nats)."""
    framed_log_likelihood = problem.e_step(mixture).log_likelihood
    return framed_log_likelihood + problem.total_weight * problem.source.frame.log_abs_det_jacobian


def _make_solver_result(
    solver_name: str, result: RunResult[Mixture], log_likelihood: float, best_log_likelihood: float, total_weight: float
) -> SolverResult:
    """Return a run as `SolverResult`; ``best_log_likelihood`` is the highest of all solvers."""
    log_likelihoods, seconds = result.trace.log_likelihoods, result.trace.seconds
    n_iter, trace_kind = len(log_likelihoods), SOLVERS[solver_name].trace_kind
    gap_per_row = (best_log_likelihood - log_likelihood) / total_weight
    comparable_trace = log_likelihoods[:0] if trace_kind == OTHER_OBJECTIVE_TRACE else log_likelihoods
    first = _index_of_first_iter_near_best(
        comparable_trace, best_log_likelihood, MAX_GAP_PER_ROW * total_weight, n_iter
    )
    is_near = n_iter > 0 and gap_per_row <= MAX_GAP_PER_ROW
    return SolverResult(
        solver_name,
        n_iter,
        float(seconds[-1]) if n_iter else 0.0,
        log_likelihood,
        gap_per_row,
        n_iter_to_best=first + 1 if is_near else None,
        seconds_to_best=float(seconds[first]) if is_near else None,
        has_converged=result.outcome is Outcome.CONVERGED,
        outcome=str(result.outcome),
        trace_kind=trace_kind,
        log_likelihood_trace=log_likelihoods,
        seconds_trace=seconds,
    )


def _index_of_first_iter_near_best(
    log_likelihood_trace: Array, best_log_likelihood: float, tolerance: float, n_iter: int
) -> int:
    """Return the iteration (from 0) from which on the trace stays near the best; at most the last one.

    The last far value decides, because log-likelihoods lag one iteration behind, and sums over batches may come near
    the best by chance.
    """
    far = np.flatnonzero(np.abs(best_log_likelihood - log_likelihood_trace) > tolerance)
    first = int(far[-1]) + 1 if len(far) else 0
    return max(0, min(first, n_iter - 1)) if len(log_likelihood_trace) else max(0, n_iter - 1)
