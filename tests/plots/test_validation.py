"""Plots and reports accept mixtures and fitted estimators and reject other arguments by name."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gaussmix import GaussianMixture, ParameterError, Selection, plots, report, select
from tests.plots.conftest import draw_figure, read_text

MIXTURE_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "scatter": plots.scatter,
    "assignment_comparison": plots.assignment_comparison,
    "pairs": plots.pairs,
    "density": plots.density,
    "densities": plots.densities,
    "component_table": report.component_table,
    "summarize_fit_quality": report.summarize_fit_quality,
    "uncertain_rows": report.uncertain_rows,
    "describe_mixture": report.describe_mixture,
    "render_html": report.render_html,
}


@pytest.fixture(scope="module")
def estimator(faithful: Any) -> GaussianMixture:
    return GaussianMixture(2, random_state=0).fit(faithful)


@pytest.fixture(scope="module")
def selection(faithful: Any) -> Selection:
    return select(faithful, [1, 2], "VVV", n_starts=1)


@pytest.mark.parametrize("name", MIXTURE_FUNCTIONS)
def test_an_estimator_is_accepted_for_its_mixture(name: str, estimator: GaussianMixture, faithful: Any) -> None:
    of_estimator, of_mixture = (
        MIXTURE_FUNCTIONS[name](argument, faithful) for argument in (estimator, estimator.model_)
    )
    if hasattr(of_estimator, "findobj"):
        draw_figure(of_estimator)
        assert read_text(of_estimator) == read_text(of_mixture)
    else:
        assert of_estimator == of_mixture


@pytest.mark.parametrize("name", MIXTURE_FUNCTIONS)
@pytest.mark.parametrize("invalid", [GaussianMixture(2), {"weights": [1.0]}, None, np.eye(2)])
def test_other_arguments_are_rejected(name: str, invalid: Any, faithful: Any) -> None:
    with pytest.raises(ParameterError, match=r"mixture must be a Mixture, a fitted estimator \(call fit first"):
        MIXTURE_FUNCTIONS[name](invalid, faithful)


@pytest.mark.parametrize("name", MIXTURE_FUNCTIONS)
def test_a_selection_and_its_candidates_are_accepted_for_their_mixture(
    name: str, selection: Selection, faithful: Any
) -> None:
    results = [MIXTURE_FUNCTIONS[name](argument, faithful) for argument in (selection.best, selection.best.mixture)]
    if name != "render_html":  # the page of a Selection also has its candidates
        results.append(MIXTURE_FUNCTIONS[name](selection, faithful))
    texts = [read_text(result) if hasattr(result, "findobj") else result for result in results]
    assert all(text == texts[0] for text in texts)


def test_the_report_of_a_selection_has_its_candidates_and_its_fit(selection: Selection, faithful: Any) -> None:
    best = selection.best
    page = report.render_html(selection, faithful)
    assert page == report.render_html(best.mixture, faithful, fit=best.fit, selection=selection)
    assert page != report.render_html(best, faithful)
    assert read_text(plots.log_likelihood_trace(selection)) == read_text(plots.log_likelihood_trace(best.fit))


def test_a_candidate_that_failed_has_no_mixture(selection: Selection, faithful: Any) -> None:
    failed = dataclasses.replace(selection.best, mixture=None, fit=None)
    with pytest.raises(ParameterError, match=r"mixture must be .* or a Candidate that could be fitted"):
        plots.scatter(failed, faithful)
    with pytest.raises(ParameterError, match=r"fit must be .* or a Candidate that could be fitted"):
        plots.log_likelihood_trace(failed)


def test_an_estimator_is_accepted_for_its_fit(estimator: GaussianMixture, faithful: Any) -> None:
    assert read_text(plots.log_likelihood_trace(estimator)) == read_text(plots.log_likelihood_trace(estimator.fit_))
    assert report.summarize_fit(estimator, estimator) == report.summarize_fit(estimator.fit_, estimator.model_)
    page = report.render_html(estimator, faithful, fit=estimator)
    assert page == report.render_html(estimator.model_, faithful, fit=estimator.fit_)


def test_other_fits_and_selections_are_rejected(estimator: GaussianMixture, faithful: Any) -> None:
    invalid: Any = estimator.model_
    for call in (
        lambda: plots.log_likelihood_trace(invalid),
        lambda: report.summarize_fit(invalid, estimator),
        lambda: report.render_html(estimator, faithful, fit=invalid),
    ):
        with pytest.raises(ParameterError, match="fit must be a Fit, a fitted estimator"):
            call()
    for call in (
        lambda: plots.criterion_curves(invalid),
        lambda: report.candidate_table(invalid),
        lambda: report.render_html(estimator, faithful, selection=invalid),
    ):
        with pytest.raises(ParameterError, match=r"selection must be a Selection, as gaussmix\.select returns it"):
            call()
