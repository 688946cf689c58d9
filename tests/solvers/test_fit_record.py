"""The record of a fit: its numbers, and the sentences that it prints."""

import numpy as np
import pytest

from gaussmix import Fit
from gaussmix.core.outcome import Outcome
from gaussmix.covariance import Structure
from gaussmix.model import Problem
from gaussmix.model.problem import make_memory_source
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
    assert "Component 1 is at the variance floor (1e-09 of the overall variance). Its rows are" in str(fit)
    rows = np.vstack([rows, np.full((20, 2), -30.0)])
    fit = fit_from_labels(rows, np.repeat([0, 1, 2], [90, 20, 20]), 3)
    assert "Components 1 and 2 are at the variance floor (1e-09 of the overall variance). Their rows are" in str(fit)


def test_notes_name_small_and_empty_components() -> None:
    fit = fit_from_labels(groups(0), np.repeat([0, 2], [88, 2]), 3)
    assert [part.has_too_few_rows for part in fit.component_diagnostics] == [False, True, True]
    assert fit.is_degenerate
    assert "Component 1 is empty: no row belongs there." in str(fit)
    assert "Component 2 has fewer than the 3 rows that VVV needs in each component." in str(fit)


def test_notes_on_an_empty_component_do_not_contradict_each_other() -> None:
    """An empty component has no rows that could be duplicated, and no variance to be on the floor."""
    fit = fit_from_labels(groups(0), np.repeat([0, 2], [45, 45]), 3, passes=5)
    assert fit.mixture.covariance.is_floored.tolist() == [False, True, False]
    assert fit.notes == ("Component 1 is empty: no row belongs there.",)
    assert fit.degeneracy == "component 1 empty"
    assert fit.is_degenerate


@pytest.mark.parametrize("weight", [1e-150, 1e-11, 1e-3])
def test_components_of_light_rows_are_not_empty(weight: float) -> None:
    rows = groups(0)
    problem = Problem.from_source(make_memory_source(rows, np.full(90, weight)), Structure.from_name("VVV"))
    start = initialize_from_labels(problem, np.repeat([0, 1], 45), 2)
    run = run_solver(EM(problem.covariance_estimator), start, problem, MeanGainRule(0.0, 3))
    fit = make_fit_after_e_step(run, problem, 0.0)[0]
    assert "empty" not in " ".join(fit.notes)
    assert fit.notes[0] == "Components 0 and 1 have fewer than the 3 rows that VVV needs in each component."
    assert len(fit.notes) == 2
    assert fit.notes[1].startswith(f"The row weights sum to {90 * weight:.3g} and count as so many rows")


def test_notes_name_a_total_that_is_too_small() -> None:
    """One row of each component is enough for EII, but four rows are needed for three means and a variance."""
    rows = np.array([[0.0, 1.0], [3.0, 0.0], [50.0, 2.0]])
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name("EII"))
    start = initialize_from_labels(problem, np.arange(3), 3)
    run = run_solver(EM(problem.covariance_estimator), start, problem, MeanGainRule(0.0, 3))
    fit = make_fit_after_e_step(run, problem, 0.0)[0]
    assert fit.has_too_few_rows_in_total
    assert not fit.has_too_few_rows.any()
    assert fit.notes == ("All components together have fewer than the 4 rows that EII needs.",)


def test_notes_name_constant_columns() -> None:
    rows = np.column_stack([groups(0, n_features=1), np.full(90, 4.0)])
    assert "Column 1 is constant: it separates no groups" in str(fit_rows(rows, 2)[0])
    named = Problem.from_source(
        problem_of(rows).source, problem_of(rows).covariance_estimator.structure, feature_names=("size", "year")
    )
    start = initialize(named, "kmeans", 2, np.random.default_rng(0))
    fit = make_fit_after_e_step(run_solver(EM(named.covariance_estimator), start, named, MeanGainRule()), named, 0.0)[0]
    assert "Column 'year' is constant" in str(fit)
    several = np.column_stack([rows, np.ones(90), np.zeros(90)])
    expected = "Columns 1, 2 and 3 are constant: they separate no groups, and their variances are set to substitutes."
    assert expected in str(fit_rows(several, 2)[0])


@pytest.mark.parametrize(
    ("n_columns", "columns"), [(1, "column 0:"), (2, "columns 0 and 1:"), (3, "columns 0, 1 and 2:")]
)
def test_notes_name_the_columns_of_far_rows(n_columns: int, columns: str) -> None:
    rows = np.vstack([groups(0, n_features=n_columns), np.full((1, n_columns), -9999.0)])
    assert f"more than 99 % of the variance of {columns} sentinels or slips?" in str(fit_rows(rows, 2)[0])
