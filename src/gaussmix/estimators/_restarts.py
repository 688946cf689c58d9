"""The runs of one fit: every start to its end, moves of the best one, and what a warm start goes on from."""

from typing import Any

import numpy as np

from gaussmix.estimators import _validation
from gaussmix.estimators._initialization import Initialization
from gaussmix.model import Mixture, Problem
from gaussmix.model.mixture import change_frame
from gaussmix.solvers import EM, AbstractSolver, MeanGainRule, RunResult, best_run, run_solver, split_merge
from gaussmix.solvers.solver_table import SOLVERS, SolverOptions


def fit_best_run(estimator: Any, problem: Problem, initialization: Initialization, tol: float) -> RunResult:
    """Every start of an estimator to its end; the best run, and what moves make of it."""
    previous = _warm_start(estimator, problem, initialization)
    repeats = 1 if previous is not None or initialization.parameters.is_complete else estimator.n_init
    rng = _validation.make_generator(estimator.random_state)
    stopping = MeanGainRule(tol, int(estimator.max_iter))
    reporter = _validation.ProgressPrinter(
        int(estimator.verbose), int(estimator.verbose_interval), problem.total_weight
    )
    em = initialization.make_em(problem)
    # All starts are drawn before a solver draws, so that every solver has the same ones.
    starts = [previous or (initialization.make_start(problem, rng), -np.inf) for _ in range(repeats)]
    solver, runs = _make_solver(estimator, em, rng), []
    for number, (start, bound) in enumerate(starts):
        reporter.print_start(number)
        runs.append(run_solver(solver, start, problem, stopping, reporter.make_progress_callback(), bound))
        reporter.print_end(runs[-1].outcome.name == "CONVERGED", runs[-1].last_log_likelihood)
    return split_merge(
        em, best_run(runs), problem, stopping, int(estimator.n_split_merge), initialization.labelled_components
    )


def _make_solver(estimator: Any, em: EM, rng: np.random.Generator) -> AbstractSolver:
    """The solver asked for; one that draws has a seed of its own."""
    row = SOLVERS[estimator.solver]
    rate = None if estimator.learning_rate is None else float(estimator.learning_rate)
    size = None if estimator.batch_size is None else int(estimator.batch_size)
    return row.factory(em, SolverOptions(int(rng.integers(2**62)) if row.is_stochastic else 0, rate, size))


def _warm_start(estimator: Any, problem: Problem, initialization: Initialization) -> tuple[Mixture, float] | None:
    """Where a warm start begins: the last model in the new frame, and its total log-likelihood."""
    last = getattr(estimator, "model_", None)
    if not estimator.warm_start or last is None:
        return None
    shape = (estimator.n_components, problem.source.n_features)
    if (last.structure, last.centers.shape) != (problem.covariance_estimator.structure, shape):
        return None
    start = initialization.make_warm_start(change_frame(last, problem.source.frame), problem)
    return start, estimator.lower_bound_ * problem.total_weight
