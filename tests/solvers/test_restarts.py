"""Several starts, one winner."""

import numpy as np
import pytest

from gaussmix.core.outcome import Outcome, Trace
from gaussmix.solvers import EM, RelativeGain, Run, best_of, polish, run
from gaussmix.solvers.restarts import halved
from gaussmix.solvers.start import automatic, from_labels
from tests.contracts.problems import groups, problem_of
from tests.laws.strategies import random_mixture


def run_of(*values: float) -> Run:
    trace = Trace(np.array(values), np.zeros(len(values)))
    return Run(random_mixture(0), trace, Outcome.CONVERGED, 0)


def test_the_highest_wins_and_the_first_of_equals() -> None:
    low, high, equal = run_of(-9.0, -5.0), run_of(-3.0), run_of(-3.0)
    assert best_of([low, high, equal]) is high
    assert best_of([run_of(), low]) is low  # a run without a pass is worth nothing
    assert best_of([run_of()]).last_log_likelihood == -np.inf
    with pytest.raises(ValueError, match="at least one run"):
        best_of([])


def test_polish_ends_where_a_full_run_ends() -> None:
    problem = problem_of(groups(0, 200, n_groups=4))
    solver, rule = EM(problem.family), RelativeGain(1e-9)
    starts = [automatic(problem, "random_from_data", 4, np.random.default_rng(seed)) for seed in range(6)]
    ends = np.array([run(solver, start, problem, rule).last_log_likelihood for start in starts])
    found = polish(solver, starts, problem, rule)
    assert np.abs(ends - found.last_log_likelihood).min() < 1e-4
    assert found.outcome is Outcome.CONVERGED
    assert (np.diff(found.trace.log_likelihood) >= -1e-9).all()
    assert (np.diff(found.trace.seconds) >= 0).all()


def test_polish_prefers_sound_runs_to_high_likelihoods() -> None:
    rows = groups(0, 100, n_groups=1) + np.repeat([[0.0], [20.0]], 50, axis=0)
    problem = problem_of(np.vstack([rows, np.repeat(rows[:1], 30, axis=0)]))
    solver, rule = EM(problem.family), RelativeGain(1e-9)

    def is_sound(candidate: Run) -> bool:
        return not candidate.mixture.covariance.floored.any()

    equal_rows = from_labels(problem, np.repeat([0, 1], [100, 30]), 2)
    halves = automatic(problem, "kmeans", 2, np.random.default_rng(0))
    plain = polish(solver, [equal_rows, halves], problem, rule)
    sound = polish(solver, [equal_rows, halves], problem, rule, prefer=is_sound)
    assert not is_sound(plain)
    assert is_sound(sound)
    assert sound.last_log_likelihood < plain.last_log_likelihood
    nobody = polish(solver, [equal_rows, halves], problem, rule, prefer=lambda _: False)
    assert nobody.last_log_likelihood == plain.last_log_likelihood


def test_one_start_is_a_plain_run() -> None:
    problem = problem_of(groups(0, 100))
    solver, rule = EM(problem.family), RelativeGain(1e-9)
    start = automatic(problem, "kmeans", 3, np.random.default_rng(0))
    whole, polished = run(solver, start, problem, rule), polish(solver, [start], problem, rule)
    np.testing.assert_array_equal(polished.trace.log_likelihood, whole.trace.log_likelihood)
    np.testing.assert_array_equal(polished.mixture.centers, whole.mixture.centers)


def test_halving_ends_with_the_best_of_the_last_round() -> None:
    problem = problem_of(groups(0, 200, n_groups=4))
    solver, rule = EM(problem.family), RelativeGain(1e-9)
    starts = [automatic(problem, "random_from_data", 4, np.random.default_rng(seed)) for seed in range(6)]
    after_three = [run(solver, start, problem, rule, max_passes=3).last_log_likelihood for start in starts]
    found = halved(solver, starts, problem, rule, rounds=((3, 1),))[0]
    assert found.last_log_likelihood == pytest.approx(max(after_three), rel=1e-12)
    assert len(found.trace) == 3
    second = sorted(starts, key=lambda start: -run(solver, start, problem, rule, max_passes=3).last_log_likelihood)[:2]
    longer = [run(solver, start, problem, rule, max_passes=8).last_log_likelihood for start in second]
    found = halved(solver, starts, problem, rule, rounds=((3, 2), (5, 1)))[0]
    assert found.last_log_likelihood == pytest.approx(max(longer), rel=1e-12)
    assert len(found.trace) == 8
