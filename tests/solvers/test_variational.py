"""Laws of variational Bayes: bounds never fall, units and weights mean what they say, a process prunes components."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from gaussmix import BayesianGaussianMixture
from gaussmix.covariance import SKLEARN_TO_MCLUST, Structure
from gaussmix.estimators._bayesian_prior import PriorParameters
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.model.weight_prior import WEIGHT_PRIORS
from gaussmix.solvers.initialization import INIT_METHODS, initialize
from gaussmix.solvers.variational import posterior_from_mixture
from tests.estimators.conftest import draw_overlapping_rows
from tests.exhaustive import parametrize_product

KINDS = list(WEIGHT_PRIORS)
SHAPES = [(covariance_type, kind) for covariance_type in SKLEARN_TO_MCLUST for kind in KINDS]


def fit(X, sample_weight=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return BayesianGaussianMixture(**{"random_state": 0, **options}).fit(X, sample_weight=sample_weight)


@parametrize_product({"covariance_type, kind": SHAPES, "seed": range(5)})
def test_bounds_never_fall(seed, covariance_type, kind):
    X = draw_overlapping_rows(seed, n=40, d=1 + seed % 3)
    estimator = BayesianGaussianMixture(
        5, covariance_type=covariance_type, weight_concentration_prior_type=kind, reg_covar=0.0
    )
    problem = Problem.from_source(make_memory_source(X), Structure.from_name(covariance_type))
    prior = PriorParameters.from_estimator(estimator, problem.covariance_estimator.structure, X.shape[1]).make_prior(
        problem, 0.0
    )
    posterior = posterior_from_mixture(initialize(problem, "random", 5, np.random.default_rng(seed)), problem, prior)
    whole, relative = [], []
    for _ in range(40):
        expectation = problem.e_step(posterior)
        whole.append(expectation.log_likelihood - posterior.kl_divergence_from_prior)
        posterior = prior.compute_posterior(expectation.moments)
        relative.append(posterior.sklearn_lower_bound(expectation.entropy))
    assert (np.diff(whole) >= -1e-10 * np.abs(whole[-1])).all()
    assert (np.diff(relative) >= -1e-10 * np.abs(whole[-1])).all()
    assert whole[-1] > whole[0]


@parametrize_product({"covariance_type": SKLEARN_TO_MCLUST, "seed": range(4)})
def test_a_dirichlet_process_prunes_idle_components(seed, covariance_type):
    rng = np.random.default_rng(seed)
    X = np.concatenate([rng.normal(size=(150, 2)) + center for center in ([0, 0], [9, 0], [0, 9])])
    options = {"n_components": 10, "covariance_type": covariance_type, "weight_concentration_prior": 1e-3}
    mixture = fit(X, max_iter=2000, **options)
    assert mixture.fit_.n_active_components < 10
    assert f"{10 - mixture.fit_.n_active_components} of 10 components" in str(mixture.fit_)
    idle = mixture.fit_.masses < 1e-6
    assert idle.any()
    prior = np.repeat(mixture.mean_prior_[None], idle.sum(), axis=0)
    np.testing.assert_allclose(mixture.means_[idle], prior, atol=1e-5)
    assert mixture.weights_[idle].max() < 1e-3
    np.testing.assert_allclose(mixture.mean_precision_[idle], 1.0, atol=1e-5)


def test_a_dirichlet_process_sorts_components_by_mass():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(n, 2)) + center for n, center in ((30, 0.0), (90, 20.0), (60, 40.0))])
    np.testing.assert_allclose(fit(X, n_components=3).means_[:, 0].round(-1), [20, 40, 0])
    kind = {"weight_concentration_prior_type": "dirichlet_distribution"}
    np.testing.assert_allclose(fit(X, n_components=3, **kind).means_[:, 0].round(-1), [0, 20, 40])


@pytest.mark.parametrize(("covariance_type", "kind"), SHAPES)
def test_data_far_from_zero_lose_no_digits(covariance_type, kind):
    X = np.round(draw_overlapping_rows(1) * 2.0**14) / 2.0**14
    options = {"n_components": 4, "covariance_type": covariance_type, "weight_concentration_prior_type": kind}
    near, far = fit(X, **options), fit(X + 2.0**34, **options)  # more than 1e9 standard deviations
    assert (near.n_iter_, near.lower_bounds_) == (far.n_iter_, pytest.approx(far.lower_bounds_, rel=1e-10))
    np.testing.assert_allclose(far.covariances_, near.covariances_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(far.means_ - 2.0**34, near.means_, atol=1e-5)
    np.testing.assert_allclose(far.predict_proba(X + 2.0**34), near.predict_proba(X), atol=1e-9)
    assert far.fit_.lower_bound == pytest.approx(near.fit_.lower_bound, rel=1e-10)


@parametrize_product({"covariance_type, kind": SHAPES, "unit": [1e-130, 0.3, 1e130]})
def test_units_shift_the_bounds_and_nothing_else(covariance_type, kind, unit):
    X = draw_overlapping_rows(2)
    options = {"covariance_type": covariance_type, "weight_concentration_prior_type": kind, "reg_covar": 0.0}
    one, other = (fit(rows, n_components=4, **options) for rows in (X, X * unit))
    assert one.n_iter_ == other.n_iter_
    np.testing.assert_allclose(other.predict_proba(X * unit), one.predict_proba(X), atol=1e-8)
    assert other.fit_.lower_bound == pytest.approx(one.fit_.lower_bound - X.size * np.log(unit), rel=1e-9)
    shift = (len(X) + 4 * one.degrees_of_freedom_prior_) * X.shape[1] * np.log(unit)
    assert other.lower_bound_ == pytest.approx(one.lower_bound_ - shift, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_row_order_and_repeats_do_not_matter(kind):
    X = draw_overlapping_rows(3)
    options = {"n_components": 4, "weight_concentration_prior_type": kind}
    plain = fit(X, **options)
    shuffled = fit(np.random.default_rng(0).permutation(X), **options)
    np.testing.assert_allclose(shuffled.means_, plain.means_, rtol=1e-8, atol=1e-9)
    counts = np.random.default_rng(1).integers(0, 4, size=len(X))
    repeated, weighted = fit(np.repeat(X, counts, axis=0), **options), fit(X, sample_weight=counts, **options)
    np.testing.assert_allclose(weighted.means_, repeated.means_, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(weighted.covariance_prior_, repeated.covariance_prior_, rtol=1e-12)
    assert weighted.lower_bounds_ == pytest.approx(repeated.lower_bounds_, rel=1e-9)
    assert weighted.fit_.lower_bound == pytest.approx(repeated.fit_.lower_bound, rel=1e-9)


@parametrize_product({"init_params": INIT_METHODS, "covariance_type, kind": SHAPES})
def test_every_initialization_gives_finite_bounds(covariance_type, kind, init_params):
    mixture = fit(
        draw_overlapping_rows(4), n_components=5, covariance_type=covariance_type, weight_concentration_prior_type=kind,
        init_params=init_params, max_iter=3,
    )  # fmt: skip
    assert np.isfinite([mixture.lower_bound_, mixture.fit_.lower_bound]).all()


@pytest.mark.parametrize(("covariance_type", "kind"), SHAPES)
def test_compiled_and_numpy_engines_agree(covariance_type, kind):
    X = draw_overlapping_rows(5, n=500)
    options = {"n_components": 4, "covariance_type": covariance_type, "weight_concentration_prior_type": kind}
    options["init_params"] = "random_from_data"  # k-means ends at other digits in compiled code
    plain, compiled = fit(X, engine="numpy", **options), fit(X, engine="compiled", **options)
    np.testing.assert_allclose(compiled.means_, plain.means_, rtol=1e-9, atol=1e-9)
    assert compiled.lower_bounds_ == pytest.approx(plain.lower_bounds_, rel=1e-10)
