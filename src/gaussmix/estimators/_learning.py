"""The runs of one fit of a Bayesian mixture: every start to its end, and what a warm start goes on from."""

from dataclasses import replace
from typing import Any

import numpy as np

from gaussmix.estimators import _base
from gaussmix.model import Problem
from gaussmix.model.mixture import reframed
from gaussmix.model.variational import Posterior, Prior
from gaussmix.solvers.start import automatic, in_order
from gaussmix.solvers.stopping import TotalGain
from gaussmix.solvers.variational import VariationalRun, best_bound, learned_from, run_variational


def best_run(estimator: Any, problem: Problem, prior: Prior) -> VariationalRun:
    """Every start of an estimator to its end, and the best of the runs."""
    previous = _previous(estimator, problem, prior)
    rng = _base.generator(estimator.random_state)
    stopping = TotalGain(float(estimator.tol), int(estimator.max_iter))
    # With a weight of one the reporter prints bounds of all rows together, as scikit-learn does.
    reporter = _base.Reporter(int(estimator.verbose), int(estimator.verbose_interval), 1.0)
    runs = []
    for number in range(1 if previous is not None else int(estimator.n_init)):
        reporter.start(number)
        start, bound = previous or (_start(estimator, problem, prior, rng), -np.inf)
        runs.append(run_variational(start, problem, stopping, reporter.observer(), bound))
        reporter.end(runs[-1].outcome.name == "CONVERGED", runs[-1].last_bound)
    return best_bound(runs)


def _start(estimator: Any, problem: Problem, prior: Prior, rng: np.random.Generator) -> Posterior:
    start = automatic(problem, estimator.init_params, int(estimator.n_components), rng)
    return learned_from(in_order(start, problem), problem, prior)


def _previous(estimator: Any, problem: Problem, prior: Prior) -> tuple[Posterior, float] | None:
    """Where a warm start begins: the last posterior in the new frame under the new prior, and its bound."""
    last: Posterior | None = getattr(estimator, "_posterior", None)
    if not estimator.warm_start or last is None:
        return None
    shape = (int(estimator.n_components), problem.source.n_features)
    before, now = last.prior, prior
    same = (before.structure, type(before.concentration)) == (now.structure, type(now.concentration))
    if not same or last.mixture.centers.shape != shape:
        return None
    moved = reframed(last.mixture, problem.source.frame)
    return replace(last, prior=prior, mixture=moved), float(estimator.lower_bound_)
