"""The runs of one fit: every start to its end, moves of the best one, and what a warm start goes on from."""

from typing import Any

import numpy as np

from gaussmix.estimators import _base
from gaussmix.estimators._beginning import Beginning
from gaussmix.model import Mixture, Problem
from gaussmix.model.mixture import reframed
from gaussmix.solvers import EM, AbsoluteGain, AbstractSolver, Run, best_of, moved, run
from gaussmix.solvers.table import SOLVERS, Options


def best_run(estimator: Any, problem: Problem, beginning: Beginning, tol: float) -> Run:
    """Every start of an estimator to its end; the best run, and what moves make of it."""
    previous = _previous(estimator, problem, beginning)
    repeats = 1 if previous is not None or beginning.given.is_complete else estimator.n_init
    rng = _base.generator(estimator.random_state)
    stopping = AbsoluteGain(tol, int(estimator.max_iter))
    reporter = _base.Reporter(int(estimator.verbose), int(estimator.verbose_interval), problem.total_weight)
    em = beginning.solver(problem)
    # All starts are drawn before a solver draws, so that every solver has the same ones.
    starts = [previous or (beginning.start(problem, rng), -np.inf) for _ in range(repeats)]
    solver, runs = _chosen(estimator, em, rng), []
    for number, (start, bound) in enumerate(starts):
        reporter.start(number)
        runs.append(run(solver, start, problem, stopping, reporter.observer(), bound))
        reporter.end(runs[-1].outcome.name == "CONVERGED", runs[-1].last_log_likelihood)
    return moved(em, best_of(runs), problem, stopping, int(estimator.moves), beginning.labelled)


def _chosen(estimator: Any, em: EM, rng: np.random.Generator) -> AbstractSolver:
    """The solver asked for; one that draws has a seed of its own."""
    row = SOLVERS[estimator.solver]
    rate = None if estimator.learning_rate is None else float(estimator.learning_rate)
    size = None if estimator.batch_size is None else int(estimator.batch_size)
    return row.make(em, Options(int(rng.integers(2**62)) if row.draws else 0, rate, size))


def _previous(estimator: Any, problem: Problem, beginning: Beginning) -> tuple[Mixture, float] | None:
    """Where a warm start begins: the last model in the new frame, and its total log-likelihood."""
    last = getattr(estimator, "model_", None)
    if not estimator.warm_start or last is None:
        return None
    shape = (estimator.n_components, problem.source.n_features)
    if (last.structure, last.centers.shape) != (problem.family.structure, shape):
        return None
    start = beginning.again(reframed(last, problem.source.frame), problem)
    return start, estimator.lower_bound_ * problem.total_weight
