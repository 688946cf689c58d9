"""The run protocol: every solver is run by one loop, recorded by one monitor, and stopped by one rule."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaussmix.core.outcome import Outcome
from gaussmix.engines import NumpyEngine
from gaussmix.model import Problem
from gaussmix.model.variational import VariationalPosterior, VariationalPrior
from gaussmix.model.weight_prior import DirichletProcess
from gaussmix.solvers import EM, AbstractSolver, MeanGainRule, RunResult, StoppingRule, run_solver
from gaussmix.solvers.em.lloyd import Lloyd
from gaussmix.solvers.initialization import initialize
from gaussmix.solvers.restarts import best_run, continue_run, successive_halving
from gaussmix.solvers.run_monitor import IterationCallback
from gaussmix.solvers.solver_table import SOLVERS, SolverOptions
from gaussmix.solvers.stopping import MovementRule, TotalGainRule
from gaussmix.solvers.variational import VariationalEM, posterior_from_mixture
from tests.contracts.problems import groups, problem_of
from tests.contracts.toys import LoggingEngine

NAMES = [*SOLVERS, "lloyd", "variational"]
MEMORYLESS = ["em", "cem", "lloyd", "variational"]  # the next iteration depends on the model alone
ONE_PASS = [name for name in NAMES if name not in ("adam", "sgd", "sem")]  # one E-step an iteration

every_solver = pytest.mark.parametrize("name", NAMES)


def make_problem(seed: int = 0) -> Problem:
    return problem_of(groups(seed, 200), "EII" if seed % 2 else "VVV")


def make_run(name: str, problem: Problem) -> tuple[AbstractSolver[Any, Any], Any]:
    """A solver and a start for it."""
    start = initialize(problem, "random_from_data", 3, np.random.default_rng(0))
    start = EM(problem.covariance_estimator).m_step(start, problem.e_step(start))
    if name == "lloyd":
        return Lloyd(), start.centers
    if name == "variational":
        return VariationalEM(), posterior_from_mixture(start, problem, make_prior(problem))
    return SOLVERS[name].factory(EM(problem.covariance_estimator), SolverOptions(seed=3)), start


def make_prior(problem: Problem) -> VariationalPrior:
    from gaussmix import BayesianGaussianMixture
    from gaussmix.estimators._bayesian_prior import PriorParameters

    estimator = BayesianGaussianMixture(3, covariance_type="full")
    structure, n_features = problem.covariance_estimator.structure, problem.source.n_features
    prior = PriorParameters.from_estimator(estimator, structure, n_features).make_prior(problem, 0.0)
    assert isinstance(prior.weight_prior, DirichletProcess)
    return prior


def make_rule(name: str, max_iter: int) -> StoppingRule:
    if name == "lloyd":
        return MovementRule(0.0, max_iter)
    return TotalGainRule(0.0, max_iter) if name == "variational" else MeanGainRule(0.0, max_iter)


def run(name: str, problem: Problem, max_iter: int, callback: IterationCallback | None = None) -> RunResult[Any]:
    solver, start = make_run(name, problem)
    return run_solver(solver, start, problem, make_rule(name, max_iter), callback)


def parameters(model: Any) -> np.ndarray:
    if isinstance(model, VariationalPosterior):
        model = model.mixture
    return model if isinstance(model, np.ndarray) else model.centers


@every_solver
def test_the_trace_holds_each_iteration_and_the_callback_hears_it(name: str) -> None:
    calls: list[tuple[int, float, float]] = []
    result = run(name, make_problem(), 6, lambda *call: calls.append(call))
    assert [call[0] for call in calls] == list(range(1, len(result.trace) + 1))
    np.testing.assert_array_equal([call[1] for call in calls], result.trace.log_likelihoods)
    np.testing.assert_allclose([call[2] for call in calls[1:]], np.diff(result.trace.log_likelihoods), atol=1e-9)
    assert (np.diff(result.trace.seconds) >= 0).all()
    assert len(result.trace) <= 6
    assert result.outcome in (Outcome.MAX_ITER_REACHED, Outcome.CONVERGED)


@every_solver
def test_no_iteration_returns_the_start(name: str) -> None:
    problem = make_problem()
    solver, start = make_run(name, problem)
    result = run_solver(solver, start, problem, make_rule(name, 0))
    assert result.model is start
    assert result.outcome is Outcome.NOT_STARTED
    assert result.last_objective == -np.inf


@pytest.mark.parametrize("name", MEMORYLESS)
def test_a_continued_run_is_a_longer_run(name: str) -> None:
    problem = make_problem()
    solver, start = make_run(name, problem)
    rule = make_rule(name, 5)
    short = run_solver(solver, start, problem, rule, max_iter=2)
    continued, whole = continue_run(solver, short, problem, rule, 3), run_solver(solver, start, problem, rule)
    np.testing.assert_array_equal(continued.trace.log_likelihoods, whole.trace.log_likelihoods)
    np.testing.assert_array_equal(parameters(continued.model), parameters(whole.model))


@pytest.mark.parametrize("name", MEMORYLESS)
def test_the_objective_never_falls(name: str) -> None:
    objectives = run(name, make_problem(), 30).trace.log_likelihoods
    if name == "cem":  # a component of few rows may lose them all
        assert objectives[-1] > objectives[0]
    else:
        assert (np.diff(objectives) >= -1e-9 * np.abs(objectives[:-1])).all()


@pytest.mark.parametrize("name", ONE_PASS)
def test_an_iteration_makes_one_e_step(name: str) -> None:
    problem = make_problem()
    solver, start = make_run(name, problem)
    logged = replace(problem, engine=LoggingEngine(NumpyEngine()))
    result = run_solver(solver, start, logged, make_rule(name, 6))
    assert isinstance(logged.engine, LoggingEngine)
    assert logged.engine.log.count("e_step") == len(result.trace)


@every_solver
def test_any_solver_can_be_restarted_and_halved(name: str) -> None:
    problem = make_problem(1)
    solver, start = make_run(name, problem)
    rule = make_rule(name, 20)
    runs = successive_halving(solver, [start, start, start], problem, rule, rounds=((2, 2), (3, 1)))
    assert len(runs) == 1
    assert len(runs[0].trace) <= 5
    assert best_run([runs[0], run_solver(solver, start, problem, rule, max_iter=0)]) is runs[0]


@pytest.mark.parametrize("name", ["em", "variational"])
def test_runs_at_the_floor_are_pruned(name: str) -> None:
    rows = np.vstack([groups(0), np.full((20, 2), 9.0)])
    problem = problem_of(rows)
    solver, start = make_run("em", problem)
    result = run_solver(solver, start, problem, MeanGainRule(0.0, 60), max_floored_iter=3)
    assert result.outcome in (Outcome.PRUNED, Outcome.MAX_ITER_REACHED)
    assert (result.n_floored_iter >= 3) == (result.outcome is Outcome.PRUNED)


def test_the_trace_of_k_means_is_minus_half_the_inertia_in_the_frame() -> None:
    problem = make_problem(1)
    result = run("lloyd", problem, 3)
    rows = problem.source.collect(None).rows
    _, start = make_run("lloyd", problem)
    inertia = ((rows[:, None] - start) ** 2).sum(axis=2).min(axis=1).sum()
    assert result.trace.log_likelihoods[0] == pytest.approx(-0.5 * inertia, rel=1e-12)
