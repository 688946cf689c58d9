"""Published values, each with its source in published.json."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaussmix import GaussianMixture, Mixture, Selection, select
from gaussmix.covariance import MCLUST_NAMES, Structure
from gaussmix.model import Problem
from gaussmix.solvers import EM, RelativeGainRule, RunResult, run_solver
from gaussmix.solvers.initialization import initialize_from_labels
from gaussmix.sources import MemorySource

PUBLISHED = json.loads((Path(__file__).parent / "published.json").read_text(encoding="utf-8"))


def fit_from_labels(rows: Any, labels: Any, structure: str, tolerance: float = 1e-12) -> RunResult:
    problem = Problem.from_source(MemorySource.from_array(rows), Structure.from_name(structure))
    start = initialize_from_labels(problem, labels, int(labels.max()) + 1)
    return run_solver(EM(problem.covariance_estimator), start, problem, RelativeGainRule(tolerance))


@pytest.fixture(scope="module")
def search(faithful: Any) -> Selection:
    """A thorough model search on Old Faithful."""
    return select(faithful, range(1, 6), n_starts=8)


@pytest.mark.parametrize("structure", ["VVV", "EEE"])
def test_iris_from_the_species(iris: Any, structure: str) -> None:
    figures = PUBLISHED["iris, EM from the species"]
    rows, species = iris
    found = fit_from_labels(rows, species, structure).last_objective
    assert found == pytest.approx(figures["log_likelihood"][structure], abs=figures["tolerance"])


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_iris_as_one_gaussian(iris: Any, structure: str) -> None:
    figures = PUBLISHED["iris, one Gaussian"]
    found = GaussianMixture(1, covariance_type=structure).fit(iris[0]).fit_.log_likelihood
    assert found == pytest.approx(figures["log_likelihood"][structure], abs=figures["tolerance"])


def test_search_chooses_the_model_of_mclust(search: Selection) -> None:
    figures = PUBLISHED["faithful, EEE, 3 components"]
    best = search.best
    assert best.name == "EEE,3"
    assert best.mixture is not None
    assert best.fit is not None
    assert best.fit.log_likelihood == pytest.approx(figures["log_likelihood"], abs=figures["tolerance"])
    assert best.fit.log_likelihood >= figures["printed"]["log_likelihood"]
    assert best.n_parameters == figures["n_parameters"]


def test_three_groups_of_eruptions(search: Selection, faithful: Any) -> None:
    """mclust stops earlier, so that its parameters are close to ours but not equal."""
    printed = PUBLISHED["faithful, EEE, 3 components"]["printed"]
    mixture = search.best.mixture
    assert mixture is not None
    np.testing.assert_allclose(mixture.weights, printed["weights"], atol=0.01)
    np.testing.assert_allclose(mixture.means, printed["means"], rtol=0.01)
    np.testing.assert_allclose(mixture.sklearn_covariances, printed["covariance"], rtol=0.05)
    sizes = np.bincount(mixture.predict(faithful), minlength=3)
    assert np.abs(sizes - printed["sizes"]).max() <= 3


def test_printed_parameters_have_the_printed_likelihood(faithful: Any) -> None:
    """It lies between the printed one, from before the last M-step, and the maximum."""
    figures = PUBLISHED["faithful, EEE, 3 components"]
    printed = figures["printed"]
    weights = np.array(printed["weights"])
    mixture = Mixture.from_parameters(weights / weights.sum(), printed["means"], printed["covariance"], "EEE")
    assert printed["log_likelihood"] <= mixture.logpdf(faithful).sum() <= figures["log_likelihood"]
    np.testing.assert_allclose(np.bincount(mixture.predict(faithful)), printed["sizes"], atol=1)


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_search_is_never_worse_than_mclust(search: Selection, structure: str) -> None:
    """Up to five components, for which both find the maximum; our runs converge further."""
    figures = PUBLISHED["faithful, BIC"]
    found = {cell.name: cell.criteria["bic"] for cell in search.candidates}
    for n_components, printed in zip(figures["components"], figures["bic"][structure], strict=True):
        assert -found[f"{structure},{n_components}"] >= printed - 1e-3


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_one_component_has_the_bic_of_mclust(search: Selection, structure: str) -> None:
    found = {cell.name: cell.criteria for cell in search.candidates}[f"{structure},1"]
    printed = PUBLISHED["faithful, BIC"]["bic"][structure][0]
    assert -found["bic"] == pytest.approx(printed, abs=6e-4)
    assert found["icl"] == pytest.approx(found["bic"], rel=1e-12)


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_number_of_parameters_equals_mclust(structure: str) -> None:
    figures = PUBLISHED["free parameters, 2 columns, 3 components"]
    assert Structure.from_name(structure).n_covariance_parameters(3, 2) == figures["covariances"][structure]
    rows = np.random.default_rng(0).normal(size=(40, 2))
    fitted = GaussianMixture(3, covariance_type=structure, tol=1.0, random_state=0).fit(rows)
    assert fitted.model_.n_parameters == figures["all"][structure]


@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical"])
def test_number_of_parameters_equals_sklearn(name: str) -> None:
    figures = PUBLISHED["free parameters, 5 columns, 2 components"]
    rows = np.random.default_rng(0).normal(size=(40, 5))
    assert (
        GaussianMixture(2, covariance_type=name, tol=1.0, random_state=0).fit(rows).model_.n_parameters
        == figures["all"][name]
    )


def test_waiting_times_alone(faithful: Any) -> None:
    figures = PUBLISHED["faithful, waiting alone"]
    waiting = faithful[:, 1:]
    found = fit_from_labels(waiting, (waiting[:, 0] > 68).astype(np.int64), "EII")
    assert found.last_objective == pytest.approx(figures["log_likelihood"], abs=5e-3)
    np.testing.assert_allclose(found.model.weights, figures["weights"], atol=1e-3)
    np.testing.assert_allclose(found.model.means[:, 0], figures["means"], rtol=1e-3)
    assert found.model.covariances[0, 0, 0] == pytest.approx(figures["variance"], rel=2e-3)
