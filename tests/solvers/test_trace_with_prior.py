"""With a prior the trace, its end and its picture show the log-likelihood plus the log density of the prior."""

from typing import Any

import numpy as np
import pytest

from gaussmix import DefaultPrior, GaussianMixture, plots
from gaussmix.report import render_html
from gaussmix.solvers.solver_table import OTHER_OBJECTIVE_TRACE, SOLVERS
from tests.plots.conftest import read_text

RNG = np.random.default_rng(3)
X = np.vstack([RNG.normal(size=(50, 3)), RNG.normal(size=(50, 3)) + 3.0])
PRIORS: list[Any] = ["default", DefaultPrior(shrinkage=0.5), DefaultPrior(scale=np.eye(3), degrees_of_freedom=30.0)]


@pytest.mark.parametrize("solver", [name for name in SOLVERS if SOLVERS[name].trace_kind != OTHER_OBJECTIVE_TRACE])
@pytest.mark.parametrize("structure", ["full", "EEI"])
@pytest.mark.parametrize("prior", PRIORS, ids=["default", "shrinkage", "scale"])
def test_the_trace_ends_at_the_objective(solver: str, structure: str, prior: Any) -> None:
    model = GaussianMixture(2, covariance_type=structure, prior=prior, solver=solver, random_state=0, tol=1e-9)
    fit = model.set_params(max_iter=2000).fit(X).fit_
    assert fit.log_prior is not None
    assert fit.trace.log_likelihoods[-1] == pytest.approx(fit.objective, abs=1e-6)
    assert fit.objective == fit.log_likelihood + fit.log_prior
    assert abs(fit.trace.log_likelihoods[-1] - fit.log_likelihood) > 0.1


@pytest.mark.parametrize("scale", [1.0, 2.0**40, 2.0**-300])
def test_the_density_of_the_prior_does_not_depend_on_units(scale: float) -> None:
    fits = [GaussianMixture(2, prior="default", random_state=0).fit(rows).fit_ for rows in (X, scale * X)]
    assert fits[1].log_prior == pytest.approx(fits[0].log_prior, rel=1e-9)


def test_em_never_lowers_the_objective() -> None:
    values = (
        GaussianMixture(2, prior=PRIORS[1], random_state=1, tol=1e-12, max_iter=3000).fit(X).fit_.trace.log_likelihoods
    )
    assert np.diff(values).min() > -1e-9


def test_without_a_prior_it_is_the_log_likelihood() -> None:
    fit = GaussianMixture(2, random_state=0, tol=1e-9, max_iter=500).fit(X).fit_
    assert fit.log_prior is None
    assert fit.objective == fit.log_likelihood
    assert fit.objective_name == "log-likelihood"
    assert plots.log_likelihood_trace(fit).get_ylabel().startswith("log-likelihood\nminus")


def test_picture_and_report_name_the_quantity() -> None:
    fitted = GaussianMixture(2, prior="default", random_state=0, tol=1e-9, max_iter=500).fit(X)
    ax = plots.log_likelihood_trace(fitted)
    assert ax.get_ylabel().startswith("log-likelihood\nplus log prior density")
    final, values = float(ax.lines[0].get_ydata()[0]), np.asarray(ax.lines[1].get_ydata())
    assert values[-1] == pytest.approx(final, abs=1e-5)
    assert f"{abs(fitted.fit_.objective):.3f}" in read_text(ax)
    page = render_html(fitted.model_, X, fit=fitted.fit_)
    assert "The log-likelihood plus log prior density over" in page


@pytest.mark.parametrize("first", ["fit", "partial_fit"])
def test_an_online_trace_has_log_likelihoods_alone(first: str) -> None:
    model = GaussianMixture(2, prior="default", random_state=0)
    getattr(model, first)(X)
    mean_log_likelihood = model.fit_.mean_log_likelihood
    model.partial_fit(X)
    assert model.fit_.log_prior is None
    assert model.fit_.trace.log_likelihoods[0] == pytest.approx(mean_log_likelihood * len(X), rel=1e-12)
    assert model.lower_bounds_[0] == pytest.approx(mean_log_likelihood, rel=1e-12)
