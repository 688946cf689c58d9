"""From the same start, results equal scikit-learn's to 1e-9."""

import warnings

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture as Theirs

from gaussmix import GaussianMixture
from tests.estimators.conftest import draw_overlapping_rows
from tests.exhaustive import parametrize_product

pytestmark = pytest.mark.usefixtures("single_blas_thread")

SHARED = ["full", "tied", "diag", "spherical"]


def _make_start_parameters(X, covariance_type, K, seed=0):
    """Weights, means and precisions that neither of the two chose."""
    rng = np.random.default_rng(seed)
    means = X[rng.choice(len(X), K, replace=False)]
    full = np.linalg.inv(np.atleast_2d(np.cov(X.T, bias=True)))
    precisions = {
        "full": np.repeat(full[None], K, axis=0),
        "tied": full,
        "diag": np.repeat(1 / X.var(axis=0)[None], K, axis=0),
        "spherical": np.full(K, 1 / X.var(axis=0).mean()),
    }[covariance_type]
    return {"weights_init": rng.dirichlet(np.full(K, 20.0)), "means_init": means, "precisions_init": precisions}


def _fit_sklearn_and_gaussmix(X, covariance_type, K, **options):
    settings = dict(covariance_type=covariance_type, reg_covar=1e-6, tol=1e-7, max_iter=200, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = _make_start_parameters(X, covariance_type, K)
        return Theirs(K, **start, **settings).fit(X), GaussianMixture(K, **start, **settings).fit(X)


def assert_agree(theirs, ours, X):
    assert theirs.n_iter_ == ours.n_iter_
    assert theirs.converged_ == ours.converged_
    # Inverses carry the rounding of the covariances times their condition number.
    inverse = {"precisions_": 1e-6, "precisions_cholesky_": 1e-6}
    for name in ("weights_", "means_", "covariances_", *inverse):
        expected, found = getattr(theirs, name), getattr(ours, name)
        assert found.shape == expected.shape
        rtol = inverse.get(name, 1e-9)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max(), err_msg=name)
    rtol = 1e-9
    np.testing.assert_allclose(ours.lower_bounds_, theirs.lower_bounds_, rtol=rtol)
    np.testing.assert_allclose(ours.lower_bound_, theirs.lower_bound_, rtol=rtol)
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), rtol=1e-8)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9)
    np.testing.assert_allclose([ours.bic(X), ours.aic(X)], [theirs.bic(X), theirs.aic(X)], rtol=rtol)
    assert (ours.predict(X) == theirs.predict(X)).all()


@parametrize_product({"covariance_type": SHARED, "name": ["faithful", "iris", "wine"]})
def test_real_data(name, covariance_type, request):
    X = request.getfixturevalue(name)
    X = X[0] if isinstance(X, tuple) else X
    assert_agree(*_fit_sklearn_and_gaussmix(X, covariance_type, 3), X)


@parametrize_product({"covariance_type": SHARED, "seed": range(20)})
def test_random_data(seed, covariance_type):
    rng = np.random.default_rng(seed)
    d, K = int(rng.integers(1, 7)), int(rng.integers(1, 6))
    X = draw_overlapping_rows(seed, n=int(rng.integers(40, 120)), d=d, K=K)
    assert_agree(*_fit_sklearn_and_gaussmix(X, covariance_type, K), X)


@pytest.mark.parametrize("covariance_type", SHARED)
def test_repeated_rows_equal_weights_of_scikit_learn(covariance_type):
    """The oracle of a weighted fit: scikit-learn on the rows repeated."""
    X = draw_overlapping_rows(3)
    counts = np.random.default_rng(0).integers(0, 4, size=len(X))
    repeated = np.repeat(X, counts, axis=0)
    settings = {"covariance_type": covariance_type, "reg_covar": 1e-6, "tol": 1e-7, "max_iter": 300}
    start = _make_start_parameters(X, covariance_type, 3)
    theirs = Theirs(3, **start, **settings).fit(repeated)
    ours = GaussianMixture(3, **start, **settings).fit(X, sample_weight=counts)
    np.testing.assert_allclose(ours.means_, theirs.means_, rtol=1e-9)
    np.testing.assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.score(X, sample_weight=counts), theirs.score(repeated), rtol=1e-9)
    np.testing.assert_allclose(ours.bic(X, sample_weight=counts), theirs.bic(repeated), rtol=1e-9)
    np.testing.assert_allclose(ours.aic(X, sample_weight=counts), theirs.aic(repeated), rtol=1e-9)


@pytest.mark.parametrize("covariance_type", SHARED)
def test_the_ridge_fails_as_in_scikit_learn(covariance_type):
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 10, axis=0)
    for estimator in (Theirs, GaussianMixture):
        with pytest.raises(ValueError, match="ill-defined empirical covariance"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                estimator(2, covariance_type=covariance_type, reg_covar=0.0, random_state=0).fit(X)


def test_same_names_as_scikit_learn():
    """Constructor, methods and fitted attributes of theirs are there."""
    ours, theirs = GaussianMixture(2, random_state=0), Theirs(2, random_state=0)
    assert [name for name in ours.get_params() if name in theirs.get_params()] == list(theirs.get_params())
    different = {name for name, value in theirs.get_params().items() if ours.get_params()[name] != value}
    assert different == {"reg_covar"}
    X = draw_overlapping_rows(0)
    ours.fit(X)
    theirs.fit(X)
    public = {name for name in dir(theirs) if not name.startswith("_")}
    assert public - set(dir(ours)) == set()
    for name in public - {"feature_names_in_"}:
        assert hasattr(ours, name), name


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.int8, bool])
@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_integers_score_as_the_same_floats(dtype):
    """scikit-learn 1.9.1 computes in the integers' own type here."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 100, size=(200, 3))
    mixture = GaussianMixture(3, random_state=0).fit(X)
    rows = X.astype(dtype)
    floats = rows.astype(float)
    for method in ("score_samples", "predict_proba", "predict"):
        assert (getattr(mixture, method)(rows) == getattr(mixture, method)(floats)).all()
    for method in ("score", "bic", "aic", "icl"):
        assert getattr(mixture, method)(rows) == getattr(mixture, method)(floats)
    again = GaussianMixture(3, random_state=0)
    assert (again.fit(rows + dtype(0)).means_ == GaussianMixture(3, random_state=0).fit(floats).means_).all()


def test_fit_predict_labels_rows_of_weight_zero_where_they_lie() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 9.0])
    weights = np.where(np.arange(100) % 5 == 0, 0.0, 1.0)
    estimator = GaussianMixture(2, random_state=0)
    labels = estimator.fit_predict(rows, sample_weight=weights)
    np.testing.assert_array_equal(labels, estimator.predict(rows))
    assert len(np.unique(labels[weights == 0])) == 2
