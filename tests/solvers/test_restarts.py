"""The best of several runs, successive halving, and continued runs."""

import numpy as np
import pytest

from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.solvers import EM, RelativeGainRule, RunResult, best_run, run_solver, run_with_halving
from gaussmix.solvers.initialization import initialize, initialize_from_labels
from gaussmix.solvers.restarts import successive_halving
from tests.contracts.problems import groups, problem_of
from tests.laws.strategies import random_mixture


def make_run_result(*values: float) -> RunResult:
    trace = IterationTrace(np.array(values), np.zeros(len(values)))
    return RunResult(random_mixture(0), trace, Outcome.CONVERGED, 0)


def test_best_run_is_the_highest_and_the_first_of_equals() -> None:
    low, high, equal = make_run_result(-9.0, -5.0), make_run_result(-3.0), make_run_result(-3.0)
    assert best_run([low, high, equal]) is high
    assert best_run([make_run_result(), low]) is low  # a run without a pass is worth nothing
    assert best_run([make_run_result()]).last_objective == -np.inf
    with pytest.raises(ValueError, match="empty"):
        best_run([])


def test_halving_ends_where_a_full_run_ends() -> None:
    problem = problem_of(groups(0, 200, n_groups=4))
    solver, rule = EM(problem.covariance_estimator), RelativeGainRule(1e-9)
    starts = [initialize(problem, "random_from_data", 4, np.random.default_rng(seed)) for seed in range(6)]
    ends = np.array([run_solver(solver, start, problem, rule).last_objective for start in starts])
    found = run_with_halving(solver, starts, problem, rule)
    assert np.abs(ends - found.last_objective).min() < 1e-4
    assert found.outcome is Outcome.CONVERGED
    assert (np.diff(found.trace.log_likelihoods) >= -1e-9).all()
    assert (np.diff(found.trace.seconds) >= 0).all()


def test_halving_prefers_preferred_runs_to_high_likelihoods() -> None:
    rows = groups(0, 100, n_groups=1) + np.repeat([[0.0], [20.0]], 50, axis=0)
    problem = problem_of(np.vstack([rows, np.repeat(rows[:1], 30, axis=0)]))
    solver, rule = EM(problem.covariance_estimator), RelativeGainRule(1e-9)

    def is_floorless(candidate: RunResult) -> bool:
        return not candidate.model.covariance.is_floored.any()

    equal_rows = initialize_from_labels(problem, np.repeat([0, 1], [100, 30]), 2)
    halves = initialize(problem, "kmeans", 2, np.random.default_rng(0))
    plain = run_with_halving(solver, [equal_rows, halves], problem, rule)
    sound = run_with_halving(solver, [equal_rows, halves], problem, rule, is_preferred=is_floorless)
    assert not is_floorless(plain)
    assert is_floorless(sound)
    assert sound.last_objective < plain.last_objective
    nobody = run_with_halving(solver, [equal_rows, halves], problem, rule, is_preferred=lambda _: False)
    assert nobody.last_objective == plain.last_objective


def test_halving_one_start_is_a_plain_run() -> None:
    problem = problem_of(groups(0, 100))
    solver, rule = EM(problem.covariance_estimator), RelativeGainRule(1e-9)
    start = initialize(problem, "kmeans", 3, np.random.default_rng(0))
    whole, polished = run_solver(solver, start, problem, rule), run_with_halving(solver, [start], problem, rule)
    np.testing.assert_array_equal(polished.trace.log_likelihoods, whole.trace.log_likelihoods)
    np.testing.assert_array_equal(polished.model.centers, whole.model.centers)


def test_halving_ends_with_the_best_of_the_last_round() -> None:
    problem = problem_of(groups(0, 200, n_groups=4))
    solver, rule = EM(problem.covariance_estimator), RelativeGainRule(1e-9)
    starts = [initialize(problem, "random_from_data", 4, np.random.default_rng(seed)) for seed in range(6)]
    after_three = [run_solver(solver, start, problem, rule, max_iter=3).last_objective for start in starts]
    found = successive_halving(solver, starts, problem, rule, rounds=((3, 1),))[0]
    assert found.last_objective == pytest.approx(max(after_three), rel=1e-12)
    assert len(found.trace) == 3
    second = sorted(starts, key=lambda start: -run_solver(solver, start, problem, rule, max_iter=3).last_objective)[:2]
    longer = [run_solver(solver, start, problem, rule, max_iter=8).last_objective for start in second]
    found = successive_halving(solver, starts, problem, rule, rounds=((3, 2), (5, 1)))[0]
    assert found.last_objective == pytest.approx(max(longer), rel=1e-12)
    assert len(found.trace) == 8
