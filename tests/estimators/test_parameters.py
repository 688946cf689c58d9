"""Every parameter changes the fit, and refuses invalid values in one sentence."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from gaussmix import Constraints, GaussianMixture
from tests.estimators.conftest import draw_overlapping_rows

X = draw_overlapping_rows(4)
WEIGHTS = np.random.default_rng(0).integers(1, 5, size=len(X)).astype(float)


def fit(sample_weight=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        settings = {"n_components": 3, "random_state": 0, **options}
        return GaussianMixture(**settings).fit(X, sample_weight=sample_weight)


def differ_in_means(one, other):
    return one.means_.shape != other.means_.shape or not np.allclose(one.means_, other.means_, rtol=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        {"n_components": 2},
        {"covariance_type": "tied"},
        {"covariance_type": "EEV"},
        {"tol": 1e-9},
        {"reg_covar": 0.5},
        {"max_iter": 1},
        {"noise": True},
        {"constraints": Constraints(equal_weights=True)},
        {"weights_init": [0.8, 0.1, 0.1]},
        {"means_init": X[:3]},
        {"precisions_init": np.repeat(np.eye(3)[None], 3, axis=0)},
        {"sample_weight": WEIGHTS},
    ],
    ids=lambda change: next(iter(change)),
)
def test_parameter_changes_the_fit(change):
    assert differ_in_means(fit(), fit(**change))


@pytest.mark.parametrize("init_params", ["k-means++", "random", "random_from_data"])
def test_init_params_changes_the_first_iteration(init_params):
    assert differ_in_means(fit(max_iter=1), fit(max_iter=1, init_params=init_params))


def test_random_state_changes_a_random_start():
    assert differ_in_means(fit(init_params="random", max_iter=1), fit(init_params="random", max_iter=1, random_state=1))


def test_more_starts_are_never_worse():
    one, many = (fit(init_params="random_from_data", n_init=n, max_iter=3, tol=0) for n in (1, 10))
    assert many.lower_bound_ >= one.lower_bound_
    assert differ_in_means(one, many)


def test_warm_start_continues():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warm = GaussianMixture(3, random_state=0, warm_start=True, max_iter=2, tol=0).fit(X)
        first = warm.lower_bound_
        cold = GaussianMixture(3, random_state=0, max_iter=4, tol=0).fit(X)
        assert warm.fit(X).lower_bound_ > first
    np.testing.assert_allclose(warm.means_, cold.means_, rtol=1e-12)
    shifted = GaussianMixture(3, random_state=0, warm_start=True).fit(X).fit(X + 0.125)
    np.testing.assert_allclose(shifted.means_, fit().means_ + 0.125, atol=0.1)
    assert warm.set_params(n_components=2, max_iter=100, tol=1e-3).fit(X).means_.shape == (2, 3)


def test_verbose_prints_starts_and_passes(capsys):
    fit(verbose=1, verbose_interval=1)
    first = capsys.readouterr().out
    assert "Initialization 0" in first
    assert "  Iteration 1\n" in first
    fit(verbose=2, verbose_interval=2)
    second = capsys.readouterr().out
    assert "Iteration 1\t" not in second
    assert "Iteration 2\t time lapse" in second
    assert "lower bound" in second
    fit()
    assert capsys.readouterr().out == ""


def test_max_iter_zero_returns_the_start():
    start = fit(max_iter=0, means_init=X[:3])
    np.testing.assert_allclose(start.means_, X[:3], rtol=1e-13)
    assert (start.n_iter_, start.lower_bound_, start.converged_) == (0, -np.inf, False)
    assert "max_iter=0" in str(start.fit_)


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_the_floor_and_the_ridge():
    rows = np.concatenate([X, np.full((50, 3), 7.0)])
    floored = GaussianMixture(4, random_state=0).fit(rows)
    assert np.linalg.eigvalsh(floored.covariances_).min() > 0
    with pytest.raises(ValueError, match="component"):
        GaussianMixture(4, random_state=0, reg_covar=0.0).fit(rows)


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_the_floor_does_not_depend_on_units():
    rows = np.concatenate([X, np.full((50, 3), 7.0)])
    means, precision = rows[[0, 60, 200, -1]], np.linalg.inv(np.cov(rows.T))

    def log_likelihood(units):
        precisions = np.repeat((precision / np.outer(units, units))[None], 4, axis=0)
        start = {"weights_init": np.full(4, 0.25), "means_init": means * units, "precisions_init": precisions}
        estimator = GaussianMixture(4, **start).fit(rows * units)
        assert any(part.is_floored for part in estimator.fit_.component_diagnostics)
        return estimator.fit_.log_likelihood + len(rows) * np.log(units).sum()

    assert log_likelihood(np.array([1e-9, 1.0, 1e9])) == pytest.approx(log_likelihood(np.ones(3)), rel=1e-9)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("n_components", 0, "n_components must be a whole number of at least 1, but is 0"),
        ("n_components", 2.0, "n_components must be a whole number"),
        ("n_components", True, "n_components must be a whole number"),
        ("tol", -1.0, "tol must be a finite number of at least 0"),
        ("tol", np.nan, "tol must be a finite number"),
        ("tol", "small", "tol must be a finite number"),
        ("reg_covar", -1e-6, "reg_covar must be a finite number of at least 0 or None"),
        ("max_iter", -1, "max_iter must be a whole number of at least 0"),
        ("n_init", 0, "n_init must be a whole number of at least 1"),
        ("init_params", "best", "init_params must be one of kmeans"),
        ("covariance_type", "round", "covariance_type must be one of full, tied"),
        ("covariance_type", None, "covariance_type must be one of full, tied"),
        ("verbose_interval", 0, "verbose_interval must be a whole number"),
        ("random_state", "seed", "random_state must be a whole number"),
        ("weights_init", [0.5, 0.5], "'weights' should have the shape"),
        ("weights_init", [np.nan, 0.5, 0.5], "NaN or infinity in weights_init"),
        ("means_init", X[:2], "'means' should have the shape"),
        ("means_init", np.full((3, 3), np.inf), "NaN or infinity in means_init"),
        ("precisions_init", np.eye(3), "'full precision' should have the shape"),
        ("precisions_init", np.full((3, 3, 3), -1.0), "symmetric, positive-definite"),
    ],
)
def test_bad_parameters(name, value, sentence):
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        fit(**{name: value})


@pytest.mark.parametrize(
    ("covariance_type", "shape"),
    [("EII", (3,)), ("EEI", (3, 3)), ("EVI", (3, 3)), ("EEV", (3, 3, 3)), ("EVV", (3, 3, 3))],
)
def test_precisions_init_is_projected_to_the_structure(covariance_type, shape):
    done = fit(covariance_type=covariance_type)
    assert done.precisions_.shape == shape
    again = fit(
        covariance_type=covariance_type,
        weights_init=done.weights_,
        means_init=done.means_,
        precisions_init=done.precisions_,
        max_iter=0,
    )
    np.testing.assert_allclose(again.covariances_, done.covariances_, rtol=1e-9)
