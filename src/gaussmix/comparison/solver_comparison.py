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
from gaussmix.solvers.fit_record import Fit, make_fit_after_e_step
from gaussmix.solvers.solver_table import OTHER_OBJECTIVE_TRACE, SOLVERS, SolverOptions, make_solver
from gaussmix.types import Array

# EM, its accelerations, and gradient solvers; the other solvers do not maximize the likelihood alone.
DEFAULT_SOLVERS = ("em", "squarem", "anderson", "lbfgs", "natural", "adam", "sgd")

# The name of a start from the groups of the chosen mixture; other starts have the names of ``init_params``.
CHOSEN_GROUPS_START = "groups of the chosen mixture"

# A solver has reached the best log-likelihood when its own is no further below, per row (nats).
MAX_GAP_PER_ROW = 1e-6

# Iterations on the variance floor after which a run counts as degenerate and is stopped.
_MAX_FLOORED_ITER = 50

_DEGENERATE_OUTCOME = (
    "Degenerate: a component is on the variance floor, is empty or has too few rows, so the log-likelihood is "
    "uninformative and is not compared."
)

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
    is_degenerate : bool
        Whether a component ended on the variance floor, empty or with too few rows; or, if the solver did not
        converge, whether it met the floor or EM goes on to a degenerate fit. The log-likelihood is then uninformative,
        and the solver is not compared with the others.
    gap_per_row : float or None
        How far it is below the best of all solvers that are not degenerate; None if it is degenerate itself.
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
    is_degenerate: bool
    gap_per_row: float | None
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


def leads_to_degenerate_fit(problem: Problem, start: Mixture, stopping_rule: MeanGainRule) -> bool:
    """Return whether EM from a start ends with a degenerate component, or stays on the variance floor."""
    run = run_solver(
        EM(problem.covariance_estimator), start, problem, stopping_rule, max_floored_iter=_MAX_FLOORED_ITER
    )
    return _is_on_floor(run, make_fit_after_e_step(run, problem, 0.0)[0])


def _is_on_floor(run: RunResult[Mixture], fit: Fit) -> bool:
    """Return whether a run ended in a degenerate fit or on the variance floor, or met it and did not converge since.

    Components of far rows count here: log-likelihoods on the floor compare nothing.
    """
    is_on_floor = bool(fit.mixture.covariance.is_floored.any())
    return is_on_floor or fit.is_degenerate or (run.n_floored_iter > 0 and not fit.has_converged)


def compare_solvers(
    problem: Problem,
    initial_mixture: Mixture,
    solver_names: Sequence[str],
    stopping_rule: MeanGainRule,
    seed: int,
    progress_callback: ProgressCallback,
) -> tuple[SolverResult, ...]:
    """Run every solver from one initial mixture until it stops; return the results in the order of the names."""
    fits: list[Fit] = []
    degenerate: list[bool] = []
    for name in solver_names:
        progress_callback(len(fits), len(solver_names), name)
        solver = make_solver(name, EM(problem.covariance_estimator), SolverOptions(seed=seed))
        run = _run_after_warmup(solver, initial_mixture, problem, stopping_rule)
        fits.append(make_fit_after_e_step(run, problem, 0.0)[0])
        is_unfinished = fits[-1].outcome is Outcome.MAX_ITER_REACHED
        degenerate.append(
            _is_on_floor(run, fits[-1])
            or (is_unfinished and leads_to_degenerate_fit(problem, run.model, stopping_rule))
        )
    pairs = list(zip(fits, degenerate, strict=True))
    best = max((fit.log_likelihood for fit, is_degenerate in pairs if not is_degenerate), default=np.nan)
    return tuple(
        _make_solver_result(name, *pair, best, problem.total_weight)
        for name, pair in zip(solver_names, pairs, strict=True)
    )


def best_log_likelihood(results: Sequence[SolverResult]) -> float | None:
    """Return the highest log-likelihood of the results that are not degenerate; None if all are."""
    return max((result.log_likelihood for result in results if not result.is_degenerate), default=None)


def _run_after_warmup(
    solver: MixtureSolver, initial_mixture: Mixture, problem: Problem, stopping_rule: MeanGainRule
) -> RunResult[Mixture]:
    """Run a solver twice, first for a few iterations so that compiled code is loaded; return the second run.

    A callback is passed so that each iteration of every solver is a pass with a time of its own, none a fused one.
    """
    run_solver(solver, initial_mixture, problem, stopping_rule, _ignore_iteration, max_iter=_N_WARMUP_ITER)
    return run_solver(
        solver, initial_mixture, problem, stopping_rule, _ignore_iteration, max_floored_iter=_MAX_FLOORED_ITER
    )


def _ignore_iteration(n_iter: int, objective: float, gain: float) -> None:
    """Do nothing after an iteration."""


def _make_solver_result(
    solver_name: str, fit: Fit, is_degenerate: bool, best_log_likelihood: float, total_weight: float
) -> SolverResult:
    """Return a fit as `SolverResult`; ``best_log_likelihood`` is the highest of the solvers that are not degenerate."""
    log_likelihoods, seconds = fit.trace.log_likelihoods, fit.trace.seconds
    n_iter, trace_kind = len(log_likelihoods), SOLVERS[solver_name].trace_kind
    gap_per_row = None if is_degenerate else (best_log_likelihood - fit.log_likelihood) / total_weight
    comparable_trace = log_likelihoods[:0] if trace_kind == OTHER_OBJECTIVE_TRACE else log_likelihoods
    first = _index_of_first_iter_near_best(
        comparable_trace, best_log_likelihood, MAX_GAP_PER_ROW * total_weight, n_iter
    )
    is_near = n_iter > 0 and gap_per_row is not None and gap_per_row <= MAX_GAP_PER_ROW
    return SolverResult(
        solver_name,
        n_iter,
        float(seconds[-1]) if n_iter else 0.0,
        fit.log_likelihood,
        is_degenerate,
        gap_per_row,
        n_iter_to_best=first + 1 if is_near else None,
        seconds_to_best=float(seconds[first]) if is_near else None,
        has_converged=fit.has_converged,
        outcome=_DEGENERATE_OUTCOME if is_degenerate else str(fit.outcome),
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
