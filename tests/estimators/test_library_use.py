"""GaussianMixture in programs: clones, pipelines, searches, pickles, threads and forks."""

import copy
import multiprocessing
import pickle
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from gaussmix import GaussianMixture, Mixture
from gaussmix.covariance import MCLUST_NAMES, SKLEARN_TO_MCLUST
from tests.estimators.conftest import draw_overlapping_rows

X = draw_overlapping_rows(1)


def fit_mixture(**options):
    return GaussianMixture(3, random_state=0, **options).fit(X)


def assert_identical(one, other):
    assert (one.means_ == other.means_).all()
    assert (one.covariances_ == other.covariances_).all()
    assert (one.weights_ == other.weights_).all()
    assert (one.predict_proba(X) == other.predict_proba(X)).all()


def test_clone_copies_parameters_and_forgets_the_fit():
    generator = np.random.default_rng(0)
    estimator = GaussianMixture(3, random_state=generator, means_init=X[:3]).fit(X)
    fresh = clone(estimator)
    assert fresh.get_params()["means_init"].tolist() == X[:3].tolist()
    with pytest.raises(NotFittedError):
        fresh.predict(X)


@pytest.mark.parametrize("covariance_type", MCLUST_NAMES)
def test_copies_and_pickles_predict_identically(covariance_type, tmp_path):
    estimator = fit_mixture(covariance_type=covariance_type)
    assert_identical(estimator, copy.deepcopy(estimator))
    assert_identical(estimator, pickle.loads(pickle.dumps(estimator)))
    joblib.dump(estimator, tmp_path / "model.joblib")
    assert_identical(estimator, joblib.load(tmp_path / "model.joblib"))


def test_pipeline_and_grid_search_in_two_processes():
    pipeline = Pipeline([("scale", StandardScaler()), ("mixture", GaussianMixture(random_state=0))])
    grid = {"mixture__n_components": [1, 2, 3], "mixture__covariance_type": ["full", "EII"]}
    search = GridSearchCV(pipeline, grid, n_jobs=2, cv=3).fit(X)
    assert search.best_params_ == {"mixture__n_components": 3, "mixture__covariance_type": "full"}
    assert search.best_estimator_.predict_proba(X).shape == (len(X), 3)


def test_metadata_routing_carries_row_weights():
    weights = np.where(X[:, 0] > X[:, 0].mean(), 5.0, 0.1)
    plain = make_pipeline(StandardScaler(), GaussianMixture(2, random_state=0)).fit(X)
    with sklearn.config_context(enable_metadata_routing=True):
        mixture = GaussianMixture(2, random_state=0).set_fit_request(sample_weight=True)
        mixture = mixture.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        routed = make_pipeline(scaler, mixture).fit(X, sample_weight=weights)
        search = GridSearchCV(mixture, {"n_components": [1, 2]}, cv=3).fit(X, sample_weight=weights)
    rows = StandardScaler().fit_transform(X)
    direct = GaussianMixture(2, random_state=0).fit(rows, sample_weight=weights)
    assert (routed[-1].means_ == direct.means_).all()
    assert not np.allclose(plain[-1].means_, direct.means_)
    unweighted = GridSearchCV(GaussianMixture(2, random_state=0), {"n_components": [1, 2]}, cv=3).fit(X)
    assert search.best_score_ != unweighted.best_score_


def test_target_is_ignored():
    nonsense = np.array(["a", None] * (len(X) // 2), dtype=object)
    assert_identical(GaussianMixture(3, random_state=0).fit(X, nonsense), fit_mixture())
    assert (GaussianMixture(3, random_state=0).fit_predict(X, nonsense) == fit_mixture().predict(X)).all()
    assert fit_mixture().score(X, nonsense) == fit_mixture().score(X)


@pytest.mark.parametrize("make", [int, np.random.RandomState, np.random.default_rng])
def test_one_seed_gives_one_answer(make):
    """For every kind of random_state; ints also leave the global generator alone."""
    settings = {"init_params": "random", "max_iter": 3, "tol": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        first, second, other = (GaussianMixture(3, random_state=make(seed), **settings).fit(X) for seed in (5, 5, 6))
        assert_identical(first, second)
        assert not np.allclose(first.means_, other.means_)
        np.random.seed(3)
        one = GaussianMixture(3, **settings).fit(X)
        np.random.seed(3)
        assert_identical(one, GaussianMixture(3, **settings).fit(X))


def test_sample_repeats_with_an_int_and_goes_on_with_a_generator():
    estimator = fit_mixture()
    assert (estimator.sample(10)[0] == estimator.sample(10)[0]).all()
    estimator.set_params(random_state=np.random.default_rng(0))
    assert not np.allclose(estimator.sample(10)[0], estimator.sample(10)[0])


def test_components_are_numbered_by_their_means_whatever_the_seed():
    separated = np.concatenate(
        [
            draw_overlapping_rows(2, K=1),
            draw_overlapping_rows(2, K=1) + 50,
            draw_overlapping_rows(2, K=1) + np.array([50, 100, 0]),
        ]
    )
    fits = [GaussianMixture(3, random_state=seed).fit(separated) for seed in range(5)]
    for estimator in fits:
        np.testing.assert_allclose(estimator.means_, fits[0].means_, rtol=1e-9)
        assert (np.diff(estimator.means_[:, 0].round(3)) >= 0).all()
    reversed_start = GaussianMixture(3, means_init=fits[0].means_[::-1]).fit(separated)
    np.testing.assert_allclose(reversed_start.means_, fits[0].means_[::-1], rtol=1e-6)


@pytest.mark.parametrize("frame", [pd.DataFrame, lambda rows, columns: pl.DataFrame(rows, schema=columns)])
def test_column_names_are_kept_and_checked(frame):
    names = ["height", "weight", "age"]
    estimator = GaussianMixture(2, random_state=0).fit(frame(X, columns=names))
    assert estimator.feature_names_in_.tolist() == names
    assert estimator.n_features_in_ == 3
    assert estimator.model_.feature_names == tuple(names)
    with pytest.raises(ValueError, match="feature names"):
        estimator.predict(frame(X, columns=names[::-1]))


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_pandas_nullable_types_are_numbers():
    table = pd.DataFrame({"a": X[:, 0], "b": np.arange(len(X)) % 7}).astype({"a": "Float64", "b": "Int64"})
    expected = GaussianMixture(2, random_state=0).fit(table.to_numpy(dtype=float))
    assert (GaussianMixture(2, random_state=0).fit(table).means_ == expected.means_).all()


def test_two_fits_in_two_threads_are_the_two_fits():
    types = ["full", "tied", "diag", "spherical"] * 3
    with ThreadPoolExecutor(2) as pool:
        parallel = list(pool.map(lambda kind: fit_mixture(covariance_type=kind), types))
    for kind, estimator in zip(types, parallel, strict=True):
        assert_identical(estimator, fit_mixture(covariance_type=kind))


def _fit_in_child(queue):
    queue.put(GaussianMixture(3, random_state=0).fit(X).means_)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_fit_after_a_fork_is_the_same_fit():
    expected = fit_mixture().means_
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_fit_in_child, args=(queue,))
    child.start()
    found = queue.get(timeout=60)
    child.join(timeout=60)
    assert child.exitcode == 0
    assert (found == expected).all()


def test_model_is_a_mixture_that_answers_alike():
    estimator = fit_mixture()
    assert isinstance(estimator.model_, Mixture)
    np.testing.assert_array_equal(estimator.model_.predict_proba(X), estimator.predict_proba(X))
    np.testing.assert_array_equal(estimator.model_.logpdf(X), estimator.score_samples(X))
    np.testing.assert_array_equal(estimator.model_.predict(X), estimator.predict(X))


def test_fit_explains_itself():
    estimator = fit_mixture()
    text = str(estimator.fit_)
    assert text.startswith("Converged")
    assert f"{estimator.n_iter_} iterations" in text
    assert len(estimator.fit_.trace) == estimator.n_iter_
    assert estimator.fit_.mean_log_likelihood == pytest.approx(estimator.score(X), rel=1e-12)
    assert estimator.lower_bound_ <= estimator.fit_.mean_log_likelihood
    assert estimator.fit_.log_likelihood == pytest.approx(estimator.score_samples(X).sum(), rel=1e-12)
    assert [part.weight for part in estimator.fit_.component_diagnostics] == estimator.weights_.tolist()


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_a_floored_component_is_named():
    rows = np.concatenate([X, np.repeat(X[:1], 80, axis=0)])
    estimator = GaussianMixture(4, random_state=0, n_init=5).fit(rows)
    floored = [k for k, part in enumerate(estimator.fit_.component_diagnostics) if part.is_floored]
    assert floored
    assert estimator.fit_.is_degenerate
    assert f"Component {floored[0]} is at the variance floor" in str(estimator.fit_)
    assert np.isfinite(estimator.score_samples(rows)).all()


def test_names_of_structures_mean_the_same():
    for name, letters in SKLEARN_TO_MCLUST.items():
        one, other = fit_mixture(covariance_type=name), fit_mixture(covariance_type=letters.lower())
        assert_identical(one, other)


def test_criteria_against_their_definitions():
    estimator = fit_mixture()
    n, free = len(X), estimator._n_parameters()
    log_likelihood = estimator.score_samples(X).sum()
    assert estimator.bic(X) == pytest.approx(-2 * log_likelihood + free * np.log(n), rel=1e-13)
    assert estimator.aic(X) == pytest.approx(-2 * log_likelihood + 2 * free, rel=1e-13)
    certainty = np.log(estimator.predict_proba(X).max(axis=1)).sum()
    assert estimator.icl(X) == pytest.approx(estimator.bic(X) - 2 * certainty, rel=1e-13)
    doubled = np.full(n, 2.0)
    twice = np.concatenate([X, X])
    for name in ("bic", "aic", "icl"):
        weighted = getattr(estimator, name)(X, sample_weight=doubled)
        assert weighted == pytest.approx(getattr(estimator, name)(twice), rel=1e-13)
