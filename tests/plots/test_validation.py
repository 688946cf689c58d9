"""Plots and reports accept mixtures and fitted estimators and reject other arguments by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gaussmix import GaussianMixture, ParameterError, plots, report
from tests.plots.conftest import draw_figure, read_text

OF_MIXTURE: dict[str, Callable[[Any, Any], Any]] = {
    "scatter": plots.scatter,
    "assignment": plots.assignment_comparison,
    "pairs": plots.pairs,
    "density": plots.density,
    "densities": plots.densities,
    "components": report.component_table,
    "summary": report.summarize_mixture,
    "uncertain_rows": report.uncertain_rows,
    "in_words": report.describe_mixture,
    "render": report.render_html,
}


@pytest.fixture(scope="module")
def fitted(faithful: Any) -> GaussianMixture:
    return GaussianMixture(2, random_state=0).fit(faithful)


@pytest.mark.parametrize("name", OF_MIXTURE)
def test_an_estimator_stands_for_its_mixture(name: str, fitted: GaussianMixture, faithful: Any) -> None:
    one, other = (OF_MIXTURE[name](given, faithful) for given in (fitted, fitted.model_))
    if hasattr(one, "findobj"):
        draw_figure(one)
        assert read_text(one) == read_text(other)
    else:
        assert one == other


@pytest.mark.parametrize("name", OF_MIXTURE)
@pytest.mark.parametrize("wrong", [GaussianMixture(2), {"weights": [1.0]}, None, np.eye(2)])
def test_anything_else_is_told_what_to_pass(name: str, wrong: Any, faithful: Any) -> None:
    with pytest.raises(ParameterError, match=r"mixture must be a Mixture or a fitted estimator \(call fit first"):
        OF_MIXTURE[name](wrong, faithful)


def test_an_estimator_stands_for_its_fit(fitted: GaussianMixture, faithful: Any) -> None:
    assert read_text(plots.log_likelihood_trace(fitted)) == read_text(plots.log_likelihood_trace(fitted.fit_))
    assert report.summarize_fit(fitted, fitted) == report.summarize_fit(fitted.fit_, fitted.model_)
    whole = report.render_html(fitted, faithful, fit=fitted)
    assert whole == report.render_html(fitted.model_, faithful, fit=fitted.fit_)


def test_wrong_fits_and_searches_are_told_what_to_pass(fitted: GaussianMixture, faithful: Any) -> None:
    wrong: Any = fitted.model_
    for call in (
        lambda: plots.log_likelihood_trace(wrong),
        lambda: report.summarize_fit(wrong, fitted),
        lambda: report.render_html(fitted, faithful, fit=wrong),
    ):
        with pytest.raises(ParameterError, match="fit must be a Fit or a fitted estimator"):
            call()
    for call in (
        lambda: plots.criterion_curves(wrong),
        lambda: report.candidate_table(wrong),
        lambda: report.render_html(fitted, faithful, selection=wrong),
    ):
        with pytest.raises(ParameterError, match=r"selection must be a Selection, as gaussmix\.select returns it"):
            call()
