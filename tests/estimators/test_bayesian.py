"""BayesianGaussianMixture against scikit-learn's from the same responsibilities; parameters and errors."""

import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.mixture import BayesianGaussianMixture as Theirs

from gaussmix import BayesianGaussianMixture, CollapseError, GaussianMixture, ParameterError, UnrepresentableError
from gaussmix.core.label_prior import LogProbabilities
from gaussmix.covariance import SKLEARN_TO_MCLUST, Structure
from gaussmix.estimators._bayesian_prior import PriorParameters
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.model.weight_prior import WEIGHT_PRIORS
from gaussmix.solvers.initialization.initial_mixture import partition_moments
from tests.estimators.conftest import draw_overlapping_rows
from tests.estimators.test_bad_input import HARD
from tests.exhaustive import interleave, parametrize_product

pytestmark = pytest.mark.usefixtures("single_blas_thread")

KINDS = list(WEIGHT_PRIORS)
SHAPES = [(covariance_type, kind) for covariance_type in SKLEARN_TO_MCLUST for kind in KINDS]
X = draw_overlapping_rows(4)
LEARNED = (
    "weights_",
    "means_",
    "covariances_",
    "weight_concentration_",
    "mean_precision_",
    "degrees_of_freedom_",
    "precisions_",
    "precisions_cholesky_",
)
PRIORS = (
    "weight_concentration_prior_",
    "mean_precision_prior_",
    "mean_prior_",
    "degrees_of_freedom_prior_",
    "covariance_prior_",
)


def fit(rows=X, sample_weight=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        settings = {"n_components": 3, "random_state": 0, **options}
        return BayesianGaussianMixture(**settings).fit(rows, sample_weight=sample_weight)


def fit_sklearn_from_responsibilities(rows, shares, **options):
    """scikit-learn's estimator, begun at given responsibilities (n, K)."""

    class Begun(Theirs):
        def _initialize_parameters(self, X, random_state, xp=None):
            self._initialize(X, shares)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Begun(**options).fit(rows)


def assert_close(found, expected, name, rtol=1e-8):
    for one, other in zip(np.atleast_1d(found), np.atleast_1d(expected), strict=True):
        atol = rtol * np.abs(other).max()
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol, err_msg=name)


def unusual_priors(rows, covariance_type):
    """Priors that nobody would guess."""
    covariance = np.cov(rows.T).reshape(rows.shape[1], -1) * 0.7
    scales = {"full": covariance, "tied": covariance, "diag": np.diag(covariance), "spherical": covariance[0, 0]}
    return {
        "weight_concentration_prior": 2.5,
        "mean_precision_prior": 0.2,
        "mean_prior": rows[0],
        "degrees_of_freedom_prior": rows.shape[1] + 2.25,
        "covariance_prior": scales[covariance_type],
    }


def assert_same_fit(ours, theirs, rows):
    for name in PRIORS:
        assert_close(getattr(ours, name), getattr(theirs, name), name)
    for name in LEARNED:
        found, expected = getattr(ours, name), getattr(theirs, name)
        assert np.shape(found) == np.shape(expected), name
        assert_close(found, expected, name)
    assert ours.converged_ == theirs.converged_
    size = abs(ours.fit_.lower_bound)
    bound = np.ravel(theirs.lower_bounds_)  # an array of one number each where covariances are tied
    np.testing.assert_allclose(ours.lower_bounds_[1:], bound, rtol=1e-8, atol=1e-10 * size)
    np.testing.assert_allclose(ours.score_samples(rows), theirs.score_samples(rows), rtol=1e-8)
    np.testing.assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), atol=1e-8)
    assert ours.score(rows) == pytest.approx(theirs.score(rows), rel=1e-9)
    assert (ours.predict(rows) == theirs.predict(rows)).all()


def assert_same_fit_as_sklearn(rows, covariance_type, kind, n_components, **options):
    shape = {"covariance_type": covariance_type, "weight_concentration_prior_type": kind, "n_components": n_components}
    start = fit(rows, max_iter=0, **shape, **options)
    settings = {"tol": 0.0, **shape, **options}
    ours = fit(rows, max_iter=31, **settings)
    theirs = fit_sklearn_from_responsibilities(rows, start.predict_proba(rows), max_iter=30, **settings)
    assert_same_fit(ours, theirs, rows)


@parametrize_product({"covariance_type, kind": SHAPES, "name": ["faithful", "iris", "wine"]})
def test_real_data(name, covariance_type, kind, request):
    rows = request.getfixturevalue(name)
    assert_same_fit_as_sklearn(rows[0] if isinstance(rows, tuple) else rows, covariance_type, kind, 4)


@parametrize_product({"covariance_type, kind": SHAPES, "seeds": interleave(range(10), 5)})
def test_random_data(seeds, covariance_type, kind):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        d, count = int(rng.integers(1, 7)), int(rng.integers(1, 7))
        rows = draw_overlapping_rows(seed, n=int(rng.integers(20, 80)), d=d, K=int(rng.integers(1, 5)))
        priors = unusual_priors(rows, covariance_type) if seed % 2 else {}
        assert_same_fit_as_sklearn(rows, covariance_type, kind, count, reg_covar=[1e-6, 0.1][seed % 3 // 2], **priors)


@parametrize_product({"covariance_type, kind": SHAPES, "seed": range(5)})
def test_one_step_from_drawn_responsibilities(seed, covariance_type, kind):
    rows = draw_overlapping_rows(seed, n=30)
    shares = np.random.default_rng(seed).dirichlet(np.full(4, 0.5), size=len(rows)) + 1e-12
    shares /= shares.sum(axis=1)[:, None]
    options = {"n_components": 4, "covariance_type": covariance_type, "weight_concentration_prior_type": kind}
    theirs = fit_sklearn_from_responsibilities(rows, shares, max_iter=0, **options)
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name(covariance_type))
    given = PriorParameters.from_estimator(
        BayesianGaussianMixture(**options), problem.covariance_estimator.structure, rows.shape[1]
    )
    moments = partition_moments(problem, LogProbabilities(np.log(shares)), 4, problem.covariance_estimator.moment_kind)
    posterior = given.make_prior(problem, 1e-6).compute_posterior(moments)
    mixture = posterior.mixture
    assert_close(mixture.weights, theirs.weights_, "weights")
    assert_close(mixture.means, theirs.means_, "means")
    assert_close(mixture.sklearn_covariances, theirs.covariances_, "covariances")
    assert_close(posterior.weight_concentration, np.array(theirs.weight_concentration_), "weight_concentration")
    assert_close(posterior.mean_precision, theirs.mean_precision_, "mean_precision")
    assert_close(posterior.degrees_of_freedom, np.broadcast_to(theirs.degrees_of_freedom_, (4,)), "degrees")


@pytest.mark.parametrize(("covariance_type", "kind"), SHAPES)
def test_weights_are_scikit_learns_repeated_rows(covariance_type, kind):
    counts = np.random.default_rng(0).integers(0, 4, size=len(X))
    rows = np.repeat(X, counts, axis=0)
    options = {"covariance_type": covariance_type, "weight_concentration_prior_type": kind, "n_components": 3}
    start = fit(sample_weight=counts, max_iter=0, **options)
    ours = fit(sample_weight=counts, max_iter=21, tol=0.0, **options)
    theirs = fit_sklearn_from_responsibilities(rows, start.predict_proba(rows), max_iter=20, tol=0.0, **options)
    assert_same_fit(ours, theirs, rows)
    assert ours.score(X, sample_weight=counts) == pytest.approx(theirs.score(rows), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_stops_at_the_iteration_of_scikit_learn(kind):
    options = {"n_components": 5, "weight_concentration_prior_type": kind, "tol": 1e-3, "max_iter": 1000}
    ours = fit(**options)
    theirs = fit_sklearn_from_responsibilities(X, fit(**{**options, "max_iter": 0}).predict_proba(X), **options)
    assert ours.converged_
    assert ours.n_iter_ == theirs.n_iter_ + 1 == len(ours.lower_bounds_)
    assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_, rel=1e-9)
    assert ours.fit_.trace.log_likelihoods.tolist() == ours.lower_bounds_


def test_same_names_as_scikit_learn():
    ours, theirs = BayesianGaussianMixture(n_components=2, random_state=0), Theirs(n_components=2, random_state=0)
    assert ours.get_params() == {**theirs.get_params(), "engine": "auto"}
    ours.fit(X)
    theirs.fit(X)
    public = {name for name in dir(theirs) if not name.startswith("_")}
    for name in public - {"feature_names_in_"}:
        assert hasattr(ours, name), name
    extra = {name for name in dir(ours) if not name.startswith("_")} - public
    assert extra == {"engine", "fit_", "impute", "model_", "set_fit_request", "set_score_request"}


SCRIPT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from sklearn.utils.estimator_checks import check_estimator
from gaussmix import BayesianGaussianMixture
for shape in sys.argv[1:]:
    covariance_type, kind = shape.split("-")
    estimator = BayesianGaussianMixture(3, covariance_type=covariance_type, weight_concentration_prior_type=kind)
    for result in check_estimator(estimator, on_fail=None, on_skip=None):
        problem = str(result["exception"]) if result["exception"] else ""
        print(json.dumps([shape, result["check_name"], result["status"], problem]))
"""


def test_every_check_of_scikit_learn_passes_and_none_is_skipped():
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "OPENBLAS_NUM_THREADS": "1"}
    shapes = ["-".join(shape) for shape in SHAPES]
    command = [sys.executable, "-c", SCRIPT, *shapes]
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=600)
    assert process.returncode == 0, process.stderr[-2000:]
    results = [json.loads(line) for line in process.stdout.splitlines()]
    assert len(results) > 40 * len(shapes)
    assert [result for result in results if result[2] != "passed"] == []


# -- parameters ------------------------------------------------------------------------------------


def differ_in_means(one, other):
    return one.means_.shape != other.means_.shape or not np.allclose(one.means_, other.means_, rtol=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        {"n_components": 2},
        {"covariance_type": "tied"},
        {"tol": 1e-9},
        {"reg_covar": 0.5},
        {"max_iter": 2},
        {"weight_concentration_prior_type": "dirichlet_distribution"},
        {"weight_concentration_prior": 50.0},
        {"mean_precision_prior": 9.0},
        {"mean_prior": [9.0, 0.0, 0.0]},
        {"degrees_of_freedom_prior": 30.0},
        {"covariance_prior": np.eye(3)},
        {"sample_weight": np.random.default_rng(0).integers(1, 5, size=len(X)).astype(float)},
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
    one, many = (fit(init_params="random_from_data", n_init=n, max_iter=2, tol=0) for n in (1, 10))
    assert many.lower_bound_ >= one.lower_bound_
    assert differ_in_means(one, many)


@pytest.mark.parametrize(("covariance_type", "kind"), SHAPES)
def test_warm_start_continues(covariance_type, kind):
    options = {"covariance_type": covariance_type, "weight_concentration_prior_type": kind, "tol": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warm = BayesianGaussianMixture(3, random_state=0, warm_start=True, max_iter=2, **options).fit(X)
        first = warm.lower_bound_
        assert warm.fit(X).lower_bound_ > first
    cold = fit(max_iter=4, **options)
    np.testing.assert_allclose(warm.means_, cold.means_, rtol=1e-12)
    assert warm.fit_.lower_bound == pytest.approx(cold.fit_.lower_bound, rel=1e-12)
    other = "tied" if covariance_type != "tied" else "full"
    warm.set_params(covariance_type=other, max_iter=500, tol=1e-3).fit(X)
    assert warm.covariances_.shape == fit(covariance_type=other, max_iter=0).covariances_.shape


def test_verbose_prints_starts_and_passes(capsys):
    fit(verbose=1, verbose_interval=1)
    first = capsys.readouterr().out
    assert "Initialization 0" in first
    assert "  Iteration 1\n" in first
    done = fit(verbose=2, verbose_interval=2)
    second = capsys.readouterr().out
    assert "Iteration 1\t" not in second
    assert "Iteration 2\t time lapse" in second
    assert f"ll change {done.lower_bounds_[1] - done.lower_bounds_[0]:.5f}" in second
    assert f"lower bound {done.lower_bound_:.5f}" in second
    fit()
    assert capsys.readouterr().out == ""


def test_max_iter_zero_returns_the_start():
    start = fit(max_iter=0)
    assert (start.n_iter_, start.lower_bound_, start.lower_bounds_, start.converged_) == (0, -np.inf, [], False)
    assert "max_iter=0" in str(start.fit_)
    assert np.isfinite(start.fit_.lower_bound)


def test_a_fit_that_did_not_converge_warns():
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        BayesianGaussianMixture(3, max_iter=1, random_state=0).fit(X)


def test_the_fit_record_is_a_paragraph():
    mixture = fit(n_components=5, max_iter=500)
    assert str(mixture.fit_).startswith("Converged: the last gain was below the tolerance")
    assert f"log evidence at least {mixture.fit_.lower_bound:.10g}." in str(mixture.fit_)
    assert mixture.fit_.masses.sum() == pytest.approx(len(X))
    assert mixture.fit_.mixture is mixture.model_


@pytest.mark.parametrize(("covariance_type", "kind"), SHAPES)
def test_float32_stays_float32_and_close(covariance_type, kind):
    options = {"covariance_type": covariance_type, "weight_concentration_prior_type": kind}
    single, double = fit(X.astype(np.float32), **options), fit(**options)
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_", "mean_precision_"):
        assert getattr(single, name).dtype == np.float32
    np.testing.assert_allclose(single.means_, double.means_, rtol=1e-3, atol=1e-3)
    assert single.score_samples(X.astype(np.float32)).dtype == np.float32
    same = fit(X.astype(np.float32).astype(np.float64), **options)
    assert single.lower_bounds_ == same.lower_bounds_


def test_names_of_columns_and_clones():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    mixture = fit(frame)
    assert mixture.feature_names_in_.tolist() == ["a", "b", "c"]
    assert mixture.model_.feature_names == ("a", "b", "c")
    assert clone(mixture).get_params() == mixture.get_params()
    rows, labels = mixture.sample(100)
    assert rows.shape == (100, 3)
    assert set(labels) <= {0, 1, 2}
    assert (fit(frame).fit_predict(frame) == mixture.predict(frame)).all()


def test_the_point_model_is_the_expected_one():
    mixture = fit()
    for name in ("weights", "means"):
        np.testing.assert_array_equal(getattr(mixture.model_, name), getattr(mixture, name + "_"))
    np.testing.assert_array_equal(mixture.model_.covariances, mixture.covariances_)
    assert not np.allclose(mixture.model_.logpdf(X), mixture.score_samples(X), atol=1e-6)


# -- what cannot be used ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("n_components", 0, "n_components must be a whole number of at least 1, but is 0"),
        ("n_components", True, "n_components must be a whole number"),
        ("covariance_type", "VVV", "covariance_type must be one of full, tied, diag, spherical, but is 'VVV'"),
        ("tol", -1.0, "tol must be a finite number of at least 0"),
        ("reg_covar", None, "reg_covar must be a finite number of at least 0, but is None"),
        ("reg_covar", np.inf, "reg_covar must be a finite number of at least 0"),
        ("max_iter", -1, "max_iter must be a whole number of at least 0"),
        ("n_init", 0, "n_init must be a whole number of at least 1"),
        ("init_params", "best", "init_params must be one of kmeans"),
        ("weight_concentration_prior_type", "beta", "must be one of dirichlet_process, dirichlet_distribution"),
        ("weight_concentration_prior", 0, "_prior must be a finite number above 0 or None, but is 0"),
        ("weight_concentration_prior", "low", "weight_concentration_prior must be a finite number above 0"),
        ("mean_precision_prior", -1.0, "mean_precision_prior must be a finite number above 0"),
        ("mean_precision_prior", True, "mean_precision_prior must be a finite number above 0"),
        ("mean_prior", [0.0, 1.0], r"'means' should have the shape of \(3,\), but got \(2,\)"),
        ("mean_prior", [0.0, 1.0, np.nan], "NaN or infinity in mean_prior"),
        ("mean_prior", [1e300, 0.0, 0.0], "mean_prior must be a point less than 1e100 standard deviations"),
        ("mean_prior", ["a", "b", "c"], "mean_prior must be numbers"),
        ("degrees_of_freedom_prior", 2.0, "'degrees_of_freedom_prior' should be greater than 2, but got 2.000"),
        ("degrees_of_freedom_prior", np.nan, "degrees_of_freedom_prior must be a finite number above 0"),
        ("covariance_prior", np.ones(3), r"'full covariance_prior' should have the shape of \(3, 3\), but got \(3,\)"),
        ("covariance_prior", -np.eye(3), "'full covariance_prior' should be symmetric, positive-definite"),
        ("covariance_prior", np.triu(np.ones((3, 3))), "'full covariance_prior' should be symmetric"),
        ("verbose_interval", 0, "verbose_interval must be a whole number"),
        ("random_state", "seed", "random_state must be a whole number"),
        ("sample_weight", np.full(len(X), -1.0), "sample_weight must be finite and not negative"),
        ("sample_weight", np.ones(3), "sample_weight must have the shape"),
    ],
)
def test_bad_parameters(name, value, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        fit(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("covariance_type", "value", "sentence"),
    [
        ("tied", np.eye(2), r"'tied covariance_prior' should have the shape of \(3, 3\)"),
        ("diag", np.eye(3), r"'diag covariance_prior' should have the shape of \(3,\)"),
        ("diag", [1.0, 0.0, 1.0], "'diag covariance_prior' should be positive"),
        ("spherical", [1.0], r"'spherical covariance_prior' should have the shape of \(\)"),
        ("spherical", -1.0, "'spherical covariance_prior' should be positive"),
    ],
)
def test_bad_covariance_priors(covariance_type, value, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(covariance_type=covariance_type, covariance_prior=value)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (X[:2], "Expected n_samples >= n_components but got n_components = 3, n_samples = 2"),
        (X[:1], "1 sample"),
        (np.where(X > 5, np.inf, X), "X contains infinity"),
        (X[:, 0], "Expected 2D array, got 1D array"),
    ],
    ids=["too few", "one row", "infinity", "1-d"],
)
def test_bad_rows(rows, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(rows)


def test_predictions_before_the_fit():
    for method in ("predict", "predict_proba", "score_samples", "score"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(BayesianGaussianMixture(), method)(X)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
def test_rows_in_a_plane(covariance_type):
    """With scikit-learn's ridge they can be fitted, and the evidence has no bound; without it they cannot."""
    rows = np.column_stack([X, np.full(len(X), 2.0)])
    mixture = fit(rows, covariance_type=covariance_type)
    assert np.isfinite(mixture.lower_bound_)
    assert mixture.fit_.lower_bound == -np.inf
    assert "The prior's covariance is singular" in str(mixture.fit_)
    with pytest.raises(ValueError, match="a covariance_prior that is positive-definite keeps every covariance usable"):
        fit(rows, covariance_type=covariance_type, reg_covar=0.0)


EASY = {
    "three distinct rows",
    "duplicates",
    "as many rows as components",
    "one column",
    "tiny",
    "huge",
    "mixed units",
    "subnormal",
    "largest floats",
    "far away",
}


@parametrize_product({"case": HARD, "covariance_type": SKLEARN_TO_MCLUST, "reg_covar": [1e-6, 0.0]}, strength=2)
def test_hard_data_sets_are_fitted_or_refused(case, covariance_type, reg_covar):
    rows = HARD[case]
    try:
        mixture = fit(rows, n_components=min(5, len(rows)), covariance_type=covariance_type, reg_covar=reg_covar)
    except ParameterError as error:
        assert case in ("tiny", "subnormal")  # the ridge is in the data's units, and out of proportion to such rows
        assert "reg_covar must be 0, or at most about 1e300 times the variances" in str(error)  # noqa: PT017
        return
    except CollapseError as error:
        assert case not in EASY
        assert "increase reg_covar, or scale the input data" in str(error)  # noqa: PT017
        return
    probabilities = mixture.predict_proba(rows)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    assert np.isfinite(mixture.lower_bounds_).all()
    assert np.isfinite(mixture.score_samples(rows)).all()
    assert np.isfinite(mixture.weights_).all()
    for name in ("means_", "covariances_", "mean_prior_", "covariance_prior_"):
        try:
            assert np.isfinite(getattr(mixture, name)).all(), name
        except UnrepresentableError as error:
            assert "model_" in str(error)  # noqa: PT017


def test_a_weak_prior_gives_the_maximum_likelihood_means():
    """With a prior that says little, many rows decide."""
    weak = {"mean_precision_prior": 1e-6, "covariance_prior": 1e-6 * np.eye(3), "weight_concentration_prior": 1.0}
    mixture = fit(np.repeat(X, 50, axis=0), max_iter=500, tol=1e-8, **weak)
    likely = GaussianMixture(3, random_state=0, tol=1e-12, max_iter=2000).fit(X)
    order = np.argsort(mixture.means_[:, 0])
    np.testing.assert_allclose(mixture.means_[order], likely.means_, atol=0.05)
