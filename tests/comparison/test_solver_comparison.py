"""Comparison of solvers from one start."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from gaussmix import Mixture
from gaussmix.comparison.solver_comparison import (
    DEFAULT_SOLVERS,
    MAX_GAP_PER_ROW,
    SolverResult,
    compare_solvers,
    parse_solver_names,
)
from gaussmix.core.outcome import Outcome
from gaussmix.covariance.structure import Structure
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.solvers import MeanGainRule
from gaussmix.solvers.initialization import initialize
from gaussmix.solvers.solver_table import EXACT_TRACE, OTHER_OBJECTIVE_TRACE, SOLVERS, SUMMED_TRACE

STOPPING_RULE = MeanGainRule(1e-8, 300)
TRUE_MIXTURE = Mixture.from_parameters([0.4, 0.6], [[0.0, 0.0], [6.0, 1.0]], [np.eye(2), [[2.0, 0.8], [0.8, 1.0]]])


class SolverComparison(NamedTuple):
    """Progress calls (n_done, n_total, solver), a result per solver, and the problem."""

    progress_calls: Any
    results: tuple[SolverResult, ...]
    problem: Problem


def run_solvers(seed: int, names: Any, stopping: MeanGainRule = STOPPING_RULE) -> SolverComparison:
    """Run solvers on 400 rows of two Gaussians from one k-means start."""
    rows = TRUE_MIXTURE.sample(400, seed)[0]
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name("VVV"))
    start = initialize(problem, "kmeans", 2, np.random.default_rng(seed))
    calls: list[Any] = []
    return SolverComparison(
        calls,
        compare_solvers(problem, start, names, stopping, seed, lambda *arguments: calls.append(arguments)),
        problem,
    )


@pytest.mark.parametrize("seed", range(3))
def test_default_solvers_reach_one_optimum_of_separated_groups(seed: int) -> None:
    calls, results, _ = run_solvers(seed, DEFAULT_SOLVERS)
    assert [one.solver for one in results] == list(DEFAULT_SOLVERS) == [name for _, _, name in calls]
    assert calls[0] == (0, len(DEFAULT_SOLVERS), "em")
    assert all(0.0 <= one.gap_per_row < 1e-5 for one in results)
    assert min(one.gap_per_row for one in results) == 0.0
    first = [one.log_likelihood_trace[0] for one in results if one.trace_kind == EXACT_TRACE]
    assert first == pytest.approx([first[0]] * len(first), rel=1e-12)


def test_every_result_has_the_log_likelihood() -> None:
    _, results, problem = run_solvers(0, list(SOLVERS))
    rows = problem.source.frame.restore_means(problem.source.collect(None)[0])
    assert [one.solver for one in results] == list(SOLVERS)
    for one in results:
        assert one.n_iter == len(one.log_likelihood_trace) == len(one.seconds_trace)
        assert one.seconds == one.seconds_trace[-1] > 0
        assert (np.diff(one.seconds_trace) >= 0).all()
        assert one.log_likelihood < TRUE_MIXTURE.logpdf(rows).sum() + 50
        assert one.outcome in map(str, Outcome)
    best = max(one.log_likelihood for one in results)
    assert [one.gap_per_row for one in results] == pytest.approx([(best - one.log_likelihood) / 400 for one in results])
    curves = {one.solver: one.trace_kind for one in results}
    assert curves["cem"] == OTHER_OBJECTIVE_TRACE
    assert {name for name, curve in curves.items() if curve == SUMMED_TRACE} == {"adam", "sgd", "annealing"}


def test_n_iter_to_best() -> None:
    _, results, _ = run_solvers(1, ["em", "sgd", "cem"], MeanGainRule(1e-8, 30))
    em, best = results[0], max(one.log_likelihood for one in results)
    assert em.n_iter_to_best is not None
    late = em.log_likelihood_trace[em.n_iter_to_best - 1 :]
    assert (np.abs(best - late) <= 400 * MAX_GAP_PER_ROW).all()
    assert em.n_iter_to_best == 1 or best - em.log_likelihood_trace[em.n_iter_to_best - 2] > 400 * MAX_GAP_PER_ROW
    assert em.seconds_to_best == em.seconds_trace[em.n_iter_to_best - 1]
    cem = results[2]
    assert cem.gap_per_row > MAX_GAP_PER_ROW
    assert cem.n_iter_to_best is None
    assert cem.seconds_to_best is None


def test_outcome_of_max_iter() -> None:
    _, (em,), _ = run_solvers(0, ["em"], MeanGainRule(0.0, 3))
    assert (em.n_iter, em.has_converged) == (3, False)
    assert "Reached max_iter" in em.outcome


def test_parse_solver_names() -> None:
    assert parse_solver_names("cem") == ["cem"]
    assert parse_solver_names(["em", "lbfgs", "em"]) == ["em", "lbfgs"]
    with pytest.raises(ValueError, match=r"solvers must be one of em, squarem.*but is 'newton'"):
        parse_solver_names(["em", "newton"])
    with pytest.raises(ValueError, match="solvers must be one or more of em"):
        parse_solver_names([])
