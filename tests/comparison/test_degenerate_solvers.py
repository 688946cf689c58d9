"""Solvers that end on the variance floor are flagged, and never the best: in results, text, tables and picture."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from gaussmix import Comparison, Mixture, compare, plots
from gaussmix.cli import comparison_tables
from gaussmix.comparison.solver_comparison import CHOSEN_GROUPS_START, best_log_likelihood, compare_solvers
from gaussmix.covariance.structure import Structure
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.solvers import MeanGainRule
from gaussmix.solvers.initialization import initialize_from_labels
from tests.plots.conftest import read_text

pytestmark = pytest.mark.usefixtures("single_blas_thread")


def make_charges(seed: int, n: int = 700) -> np.ndarray:
    """Return months, charges per month and their rounded product: in the first month the two charges are equal."""
    rng = np.random.default_rng(seed)
    months = np.where(rng.random(n) < 0.3, rng.integers(1, 4, n), rng.integers(1, 73, n))
    monthly = np.round(np.where(rng.random(n) < 0.25, rng.normal(20, 0.8, n), rng.normal(75, 15, n)), 1)
    total = np.round(np.where(months == 1, monthly, months * monthly * rng.normal(1, 0.03, n)), 1)
    return np.column_stack([months, monthly, total]).astype(float)


def make_repeated_rows(seed: int) -> np.ndarray:
    """Return a broad group and a third of rows that are equal."""
    rng = np.random.default_rng(seed)
    return np.vstack([rng.normal(size=(100, 2)), np.full((50, 2), 4.0)])


def make_rounded_rows(seed: int) -> np.ndarray:
    """Return two groups, one of which is on a line."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=80)
    return np.vstack([np.column_stack([x, 2.0 * x + 9.0]), rng.normal(size=(80, 2))])


@cache
def compare_on_floor(kind: str, seed: int = 0) -> Comparison:
    """Return a comparison in which every start leads to the floor, since some rows are equal or on a line."""
    rows = {"repeated": make_repeated_rows, "line": make_rounded_rows}[kind](seed)
    return compare(rows, n_components=2, structures="VVV", solvers=["em", "anderson", "lbfgs", "sgd"])


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
@pytest.mark.parametrize("kind", ["repeated", "line"])
@pytest.mark.parametrize("seed", range(2))
def test_all_solvers_on_the_floor(kind: str, seed: int) -> None:
    comparison = compare_on_floor(kind, seed)
    assert all(result.is_degenerate for result in comparison.solver_results)
    assert best_log_likelihood(comparison.solver_results) is None
    for row in comparison.solver_table():
        assert row["gap_per_row"] is row["n_iter_to_best"] is row["seconds_to_best"] is None
        assert row["is_degenerate"]
        assert str(row["outcome"]).startswith("Degenerate: a component is on the variance floor")
    assert "em, anderson, lbfgs and sgd end in a degenerate fit" in comparison.summary
    assert "reach the best" not in comparison.summary
    assert comparison_tables.format_solver_table(comparison).count("degenerate") == 4
    assert "All solvers ended in degenerate fits" in read_text(plots.solver_convergence(comparison))
    assert "degenerate" in repr(comparison)


@pytest.mark.parametrize("seed", range(3))
def test_charges_per_month_and_in_total(seed: int) -> None:
    comparison = compare(make_charges(seed), n_components=range(1, 6), structures=["VVV"], solvers=["em", "squarem"])
    mixture, fit = comparison.mixture, comparison.selection.best.fit
    assert fit is not None
    best = best_log_likelihood(comparison.solver_results)
    assert best is None or best < fit.log_likelihood + 0.5 * len(make_charges(seed))
    caption = comparison_tables.format_solver_caption(comparison)
    assert f"{mixture.n_components} component" in caption
    assert f"structure {mixture.structure.name_with_alias_or_n_factors}" in caption
    assert f"({comparison.solver_start})" in caption
    assert f"{fit.log_likelihood:.4f}" in caption


@pytest.mark.parametrize("seed", [1, 2, 4, 5])
@pytest.mark.parametrize("solvers", ["em", ["em", "lbfgs", "adam"]])
def test_k_means_isolates_equal_rows_and_the_chosen_mixture_does_not(seed: int, solvers: Any) -> None:
    rng = np.random.default_rng(seed)
    groups = [rng.normal(size=(100, 2)), rng.normal([6.0, 0.0], size=(100, 2)), np.full((6, 2), [3.0, 40.0])]
    comparison = compare(np.vstack(groups), n_components=2, structures="VVV", solvers=solvers)
    fit = comparison.selection.best.fit
    assert fit is not None
    assert not fit.is_degenerate
    assert comparison.solver_start == CHOSEN_GROUPS_START
    assert not any(result.is_degenerate for result in comparison.solver_results)
    assert comparison.solver_results[0].log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-3)
    assert "EM from the start of init_params ends in a degenerate fit" in comparison.summary


def mark_degenerate(comparison: Comparison, solver: str, **changes: Any) -> Comparison:
    marked = [
        replace(result, is_degenerate=True, gap_per_row=None, n_iter_to_best=None, seconds_to_best=None, **changes)
        if result.solver == solver
        else result
        for result in comparison.solver_results
    ]
    return replace(comparison, solver_results=tuple(marked))


def test_a_solver_on_the_floor_is_not_drawn_among_the_others() -> None:
    rows = np.random.default_rng(0).normal(size=(90, 2)) + 5.0 * (np.arange(90) % 3)[:, None]
    comparison = compare(rows, n_components=3, structures="EEE", solvers=["em", "squarem", "lbfgs"])
    drawn = plots.solver_convergence(mark_degenerate(comparison, "squarem", log_likelihood=1e9))
    text = read_text(drawn)
    assert "degenerate, not drawn:\nsquarem" in text
    assert "squarem, " not in text
    assert text.count("near at pass") == 2


def test_a_higher_log_likelihood_on_the_floor_is_not_the_best() -> None:
    """From one start the floor is reached by the components of equal rows; gaps refer to the sound solvers alone."""
    rows = make_repeated_rows(0)
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name("VVV"))
    on_floor = initialize_from_labels(problem, np.repeat([0, 1], [100, 50]), 2)
    results = compare_solvers(problem, on_floor, ["em", "lbfgs"], MeanGainRule(1e-8, 200), 0, lambda *_: None)
    sound = compare_solvers(
        problem.with_structure(Structure.from_name("EEE")),
        initialize_from_labels(problem.with_structure(Structure.from_name("EEE")), np.repeat([0, 1], [100, 50]), 2),
        ["em"],
        MeanGainRule(1e-8, 200),
        0,
        lambda *_: None,
    )
    assert all(result.is_degenerate for result in results)
    assert not sound[0].is_degenerate
    assert results[0].log_likelihood > sound[0].log_likelihood
    assert best_log_likelihood([*results, *sound]) == sound[0].log_likelihood


def test_solvers_have_structure_and_size_of_the_chosen_mixture() -> None:
    """The first value of an exact trace is that of the common start, which has the chosen structure and size."""
    true = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [7.0, 0.0]], [np.eye(2)] * 2)
    rows = true.sample(200, 0)[0]
    comparison = compare(rows, n_components=range(1, 4), structures=["EII", "VVV"], solvers=["em", "anderson"])
    fit = comparison.selection.best.fit
    assert fit is not None
    assert comparison.mixture.n_components == 2
    for result in comparison.solver_results:
        assert result.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-3)
