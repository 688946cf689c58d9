"""Unusual input gives the right result, or one sentence with problem, place and advice."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from gaussmix import BayesianGaussianMixture, DataError, GaussianMixture, KMeans, ParameterError
from gaussmix.covariance import MCLUST_NAMES
from tests.estimators.conftest import draw_overlapping_rows
from tests.exhaustive import parametrize_product

X = draw_overlapping_rows(5)
EXPECTED = GaussianMixture(3, random_state=0).fit(X)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinities_are_named_by_row_and_column(value):
    rows = X.copy()
    rows[17, 2] = value
    for call in (GaussianMixture(3).fit, EXPECTED.predict, EXPECTED.score, EXPECTED.bic):
        with pytest.raises(ValueError, match=r"X contains infinity.* in row 17, column 2"):
            call(rows)
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match="in row 17, column 'c'"):
        GaussianMixture(3).fit(pd.DataFrame(rows, columns=["a", "b", "c"]))


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (X[:2], "Expected n_samples >= n_components but got n_components = 3, n_samples = 2"),
        (X[:1], "1 sample"),
        (X[:0], "0 sample"),
        (X[:, :0], "0 feature"),
        (X[:, 0], "Expected 2D array, got 1D array"),
        (X[None], "dim 3"),
        ([[1.0, 2.0], [3.0, "d"]], "must be numbers: could not convert string.* row 1, column 1 .* holds 'd'"),
        (X + 1j, "Complex data not supported$"),
    ],
    ids=["too few", "one row", "no rows", "no columns", "1-d", "3-d", "text", "complex"],
)
def test_refused(rows, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        GaussianMixture(3).fit(rows)
    assert "\n" not in str(caught.value)


def test_sparse_is_refused_in_one_sentence():
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        GaussianMixture(3).fit(sparse.csr_array(X))


def test_wrong_number_of_columns():
    with pytest.raises(ValueError, match=r"2 features.*expecting 3 features"):
        EXPECTED.predict(X[:, :2])


def test_a_row_too_far_to_have_a_density():
    rows = X.copy()
    rows[4, 1] = 1e200
    with pytest.raises(ValueError, match=r"row 4 .counted from 0. lies so far"):
        EXPECTED.score_samples(rows)


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "strided": lambda rows: np.repeat(np.repeat(rows, 2, axis=0), 3, axis=1)[::2, ::3],
    "reversed": lambda rows: rows[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": lambda rows: np.frombuffer(rows.tobytes()).reshape(rows.shape),
    "big-endian": lambda rows: rows.astype(">f8"),
    "object": lambda rows: rows.astype(object),
    "list": lambda rows: rows.tolist(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_layout_does_not_change_results(layout):
    rows = LAYOUTS[layout](X)
    found = GaussianMixture(3, random_state=0).fit(rows)
    assert (found.means_ == EXPECTED.means_).all()
    assert (found.covariances_ == EXPECTED.covariances_).all()
    assert (EXPECTED.predict_proba(rows) == EXPECTED.predict_proba(X)).all()


def test_memory_map(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r")
    assert (GaussianMixture(3, random_state=0).fit(rows).means_ == EXPECTED.means_).all()


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.float16, np.longdouble])
@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_integers_and_bools_equal_their_floats(dtype):
    rows = (np.abs(X) % 5).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = GaussianMixture(2, random_state=0).fit(rows)
        expected = GaussianMixture(2, random_state=0).fit(rows.astype(float))
    assert (found.means_ == expected.means_).all()
    assert found.means_.dtype == np.float64


def test_float32_stays_float32_and_close():
    single = GaussianMixture(3, random_state=0).fit(X.astype(np.float32))
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        assert getattr(single, name).dtype == np.float32
    np.testing.assert_allclose(single.means_, EXPECTED.means_, rtol=1e-3, atol=1e-3)
    assert single.score_samples(X.astype(np.float32)).dtype == np.float32


HARD = {
    "constant column": np.column_stack([X, np.full(len(X), 3.7)]),
    "all equal": np.full((20, 2), 0.1),
    "all zero": np.zeros((20, 2)),
    "three distinct rows": np.repeat([[0.0, 1.0], [2.0, 0.0], [5.0, 5.0]], 10, axis=0),
    "duplicates": np.concatenate([X, np.repeat(X[:1], 300, axis=0)]),
    "more columns than rows": draw_overlapping_rows(0, n=3, d=12, K=2),
    "as many rows as components": X[:5],
    "one column": X[:, :1],
    "collinear": np.column_stack([X, X[:, 0] * 2 - X[:, 1]]),
    "one huge value": np.concatenate([X, np.full((1, 3), 1e300)]),
    "tiny": X * 1e-300,
    "huge": X * 1e300,
    "mixed units": X * [1e-150, 1.0, 1e150],
    "subnormal": X * 1e-310,
    "largest floats": np.where(X.mean() < X, 1.7e308, -1.7e308) * np.linspace(0.5, 1, len(X))[:, None],
    "far away": X + 1e12,
}


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
@parametrize_product({"covariance_type": MCLUST_NAMES, "case": HARD})
@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_hard_data_sets_are_fitted(case, covariance_type):
    """Finite numbers and probabilities that add up, or a sentence where the units cannot hold them."""
    rows = HARD[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator = GaussianMixture(5, covariance_type=covariance_type, random_state=0).fit(rows)
    probabilities = estimator.predict_proba(rows)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    assert np.isfinite(estimator.score_samples(rows)).all()
    assert np.isfinite([estimator.fit_.log_likelihood, estimator.bic(rows), estimator.icl(rows)]).all()
    assert np.isfinite(estimator.weights_).all()
    for name in ("means_", "covariances_", "precisions_", "precisions_cholesky_"):
        try:
            assert np.isfinite(getattr(estimator, name)).all(), name
        except OverflowError as error:
            assert "model_" in str(error)  # noqa: PT017 - some of these raise, some need not
            assert np.isfinite(estimator.model_.logpdf(rows)).all()


def test_unrepresentable_parameters_are_named():
    estimator = GaussianMixture(2, random_state=0).fit(X * 1e200)
    with pytest.raises(OverflowError, match="covariances overflow double precision"):
        estimator.covariances_
    tiny = GaussianMixture(2, random_state=0).fit(X * 1e-200)
    with pytest.raises(OverflowError, match="precisions overflow"):
        tiny.precisions_
    same = GaussianMixture(2, random_state=0).fit(X)
    assert (estimator.predict(X * 1e200) == same.predict(X)).all()
    assert (tiny.model_.predict(X * 1e-200) == same.predict(X)).all()


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_constant_column_is_named():
    estimator = GaussianMixture(3, random_state=0).fit(HARD["constant column"])
    assert "Column 3 is constant" in str(estimator.fit_)
    np.testing.assert_allclose(estimator.means_[:, 3], 3.7)
    np.testing.assert_array_equal(estimator.predict(HARD["constant column"]), EXPECTED.predict(X))


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (np.ones(3), r"sample_weight must have the shape \(450,\)"),
        (np.ones((450, 1)), "sample_weight must have the shape"),
        (np.full(450, -1.0), "not negative, but is -1.0 in row 0"),
        (np.full(450, np.nan), "finite"),
        (np.zeros(450), "zero in every row"),
        (["heavy"] * 450, "sample_weight must be numbers"),
        (np.full(450, 1e308), "adds up to inf, which is too small or too large; divide it by its mean"),
        (np.full(450, 1e-200), "too small or too large"),
    ],
)
def test_bad_weights(weights, sentence):
    for call in (GaussianMixture(3).fit, EXPECTED.score, EXPECTED.bic):
        with pytest.raises(ValueError, match=sentence):
            call(X, sample_weight=weights)


def test_rows_of_weight_zero_are_ignored():
    rows = np.concatenate([X, np.full((1, 3), 1e80)])
    weights = np.append(np.ones(len(X)), 0.0)
    found = GaussianMixture(3, random_state=0).fit(rows, sample_weight=weights)
    np.testing.assert_allclose(found.means_, EXPECTED.means_, rtol=1e-12)
    np.testing.assert_allclose(found.fit_.log_likelihood, EXPECTED.fit_.log_likelihood, rtol=1e-12)


def test_dates_beside_numbers_are_named():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": np.arange(10.0), "when": pd.date_range("2020-01-01", periods=10)})
    for estimator in (GaussianMixture(2), KMeans(2), BayesianGaussianMixture(2)):
        with pytest.raises(DataError, match=r"must be numbers: .* row 0, column 1 .* holds Timestamp"):
            estimator.fit(frame)


@pytest.mark.parametrize("kind", [GaussianMixture, BayesianGaussianMixture])
def test_unfitted_estimators_raise_not_fitted_error(kind):
    mixture = kind(3)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        _ = mixture.means_
    with pytest.raises(DataError):
        mixture.fit(X[:2])
    for ask in (mixture.predict, mixture.score_samples):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            ask(X)


@pytest.mark.parametrize("kind", [GaussianMixture, BayesianGaussianMixture, KMeans])
def test_a_negative_seed_is_named(kind):
    with pytest.raises(ParameterError, match=r"random_state must be a whole number of at least 0, .* but is -1"):
        kind(2, random_state=-1).fit(X)
