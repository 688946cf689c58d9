"""The runs of one fit of a Bayesian mixture: every start to its end, and what a warm start goes on from."""

from dataclasses import replace
from typing import Any

import numpy as np

from gaussmix.estimators import _validation
from gaussmix.model import Problem
from gaussmix.model.mixture import change_frame
from gaussmix.model.variational import VariationalPosterior, VariationalPrior
from gaussmix.solvers.initialization import initialize, sort_components
from gaussmix.solvers.stopping import TotalGainRule
from gaussmix.solvers.variational import (
    VariationalRunResult,
    best_variational_run,
    posterior_from_mixture,
    run_variational_em,
)


def fit_best_variational_run(estimator: Any, problem: Problem, prior: VariationalPrior) -> VariationalRunResult:
    """Every start of an estimator to its end, and the best of the runs."""
    previous = _variational_warm_start(estimator, problem, prior)
    rng = _validation.make_generator(estimator.random_state)
    stopping = TotalGainRule(float(estimator.tol), int(estimator.max_iter))
    # With a weight of one the reporter prints bounds of all rows together, as scikit-learn does.
    reporter = _validation.ProgressPrinter(int(estimator.verbose), int(estimator.verbose_interval), 1.0)
    runs = []
    for number in range(1 if previous is not None else int(estimator.n_init)):
        reporter.print_start(number)
        start, bound = previous or (_initial_posterior(estimator, problem, prior, rng), -np.inf)
        runs.append(run_variational_em(start, problem, stopping, reporter.make_progress_callback(), bound))
        reporter.print_end(runs[-1].outcome.name == "CONVERGED", runs[-1].last_bound)
    return best_variational_run(runs)


def _initial_posterior(
    estimator: Any, problem: Problem, prior: VariationalPrior, rng: np.random.Generator
) -> VariationalPosterior:
    start = initialize(problem, estimator.init_params, int(estimator.n_components), rng)
    return posterior_from_mixture(sort_components(start, problem), problem, prior)


def _variational_warm_start(
    estimator: Any, problem: Problem, prior: VariationalPrior
) -> tuple[VariationalPosterior, float] | None:
    """Where a warm start begins: the last posterior in the new frame under the new prior, and its bound."""
    last: VariationalPosterior | None = getattr(estimator, "_posterior", None)
    if not estimator.warm_start or last is None:
        return None
    shape = (int(estimator.n_components), problem.source.n_features)
    before, now = last.prior, prior
    same = (before.structure, type(before.weight_prior)) == (now.structure, type(now.weight_prior))
    if not same or last.mixture.centers.shape != shape:
        return None
    moved = change_frame(last.mixture, problem.source.frame)
    return replace(last, prior=prior, mixture=moved), float(estimator.lower_bound_)
