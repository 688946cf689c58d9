"""The record of a fit: its numbers, and the sentences that it prints."""

import numpy as np
import pytest

from gaussmix import Fit
from gaussmix.core.outcome import Outcome
from gaussmix.model import Problem
from gaussmix.solvers import EM, MeanGainRule, RunResult, run_solver
from gaussmix.solvers.fit_record import make_fit_after_e_step
from gaussmix.solvers.initialization import initialize, initialize_from_labels
from gaussmix.types import ND, IntN
from tests.contracts.problems import groups, problem_of


def fit_rows(rows: ND, n_components: int = 3, passes: int = 200) -> tuple[Fit, Problem, RunResult]:
    problem = problem_of(rows)
    start = initialize(problem, "kmeans", n_components, np.random.default_rng(0))
    winner = run_solver(EM(problem.covariance_estimator), start, problem, MeanGainRule(1e-6, passes))
    return make_fit_after_e_step(winner, problem, 1.5)[0], problem, winner


def fit_from_labels(rows: ND, labels: IntN, n_components: int, passes: int = 0) -> Fit:
    problem = problem_of(rows)
    start = initialize_from_labels(problem, labels, n_components)
    return make_fit_after_e_step(
        run_solver(EM(problem.covariance_estimator), start, problem, MeanGainRule(0.0, passes)), problem, 0.0
    )[0]


def test_numbers_are_those_of_the_returned_parameters() -> None:
    rows = 50.0 * groups(0) + 3.0
    fit, problem, winner = fit_rows(rows)
    values = winner.model.logpdf(rows)
    assert fit.log_likelihood == pytest.approx(values.sum(), rel=1e-12)
    assert fit.mean_log_likelihood == pytest.approx(values.mean(), rel=1e-12)
    soft = winner.model.predict_proba(rows)
    assert fit.entropy == pytest.approx(-(soft * np.log(np.where(soft > 0, soft, 1.0))).sum(), rel=1e-10)
    assert fit.log_likelihood >= fit.trace.log_likelihoods[-1]
    assert fit.seconds == 1.5
    assert [part.mass for part in fit.component_diagnostics] == pytest.approx(soft.sum(axis=0).tolist())
    assert [part.weight for part in fit.component_diagnostics] == pytest.approx(winner.model.weights.tolist())
    assert problem.total_weight == 90.0


def test_condition_numbers_are_those_of_the_covariances() -> None:
    fit, _, winner = fit_rows(groups(0))
    expected = np.linalg.cond(winner.model.covariance.matrices())
    assert [part.condition_number for part in fit.component_diagnostics] == pytest.approx(expected.tolist())


def test_a_printed_record_is_a_paragraph() -> None:
    fit, _, _ = fit_rows(groups(0))
    assert fit.has_converged
    assert not fit.is_degenerate
    assert str(fit).startswith("Converged: the last gain was below the tolerance.")
    assert f"{len(fit.trace)} iterations in 1.5 s, log-likelihood" in str(fit)
    short, _, _ = fit_rows(groups(0), passes=1)
    assert short.outcome is Outcome.MAX_ITER_REACHED
    assert "1 iteration in" in str(short)
    none, _, _ = fit_rows(groups(0), passes=0)
    assert "max_iter=0" in str(none)


def test_notes_name_floored_components() -> None:
    rows = np.vstack([groups(0), np.full((20, 2), 30.0)])
    fit = fit_from_labels(rows, np.repeat([0, 1], [90, 20]), 2)
    assert [part.is_floored for part in fit.component_diagnostics] == [False, True]
    assert fit.has_floored_component
    assert fit.is_degenerate
    assert "Component 1 is at the variance floor (1e-09 of the overall variance)" in str(fit)


def test_notes_name_small_and_empty_components() -> None:
    fit = fit_from_labels(groups(0), np.repeat([0, 2], [88, 2]), 3)
    assert [part.has_too_few_rows for part in fit.component_diagnostics] == [False, True, True]
    assert fit.is_degenerate
    assert "Component 1 is empty: no row belongs there." in str(fit)
    assert "Component 2 has fewer than the 3 rows that VVV needs in each component." in str(fit)


def test_notes_name_constant_columns() -> None:
    rows = np.column_stack([groups(0, n_features=1), np.full(90, 4.0)])
    assert "Column 1 is constant: it separates no groups" in str(fit_rows(rows, 2)[0])
    named = Problem.from_source(
        problem_of(rows).source, problem_of(rows).covariance_estimator.structure, feature_names=("size", "year")
    )
    start = initialize(named, "kmeans", 2, np.random.default_rng(0))
    fit = make_fit_after_e_step(run_solver(EM(named.covariance_estimator), start, named, MeanGainRule()), named, 0.0)[0]
    assert "Column 'year' is constant" in str(fit)
