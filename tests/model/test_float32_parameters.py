"""Covariances and precisions that float32 has rounded, as scikit-learn's and our own fits of float32 rows have them."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.mixture import GaussianMixture as SklearnMixture

from gaussmix import Constraints, Gaussian, GaussianMixture, Mixture, ParameterError
from gaussmix.covariance import MCLUST_NAMES

pytestmark = pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")

RNG = np.random.default_rng(0)
DATA_SETS = {
    "iris": load_iris().data,
    "iris far from zero": load_iris().data + 100.0,
    "iris in small units": 1e-6 * load_iris().data,
    "wine": load_wine().data,
    "breast cancer": load_breast_cancer().data[:, :6],
    "diabetes": load_diabetes().data,
    "many rows": 50.0 + 10.0 * RNG.normal(size=(5000, 3)),
}


def fit_float32(name: str, structure: str, n_components: int = 2) -> tuple[np.ndarray, SklearnMixture]:
    rows = DATA_SETS[name].astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = SklearnMixture(n_components, covariance_type=structure, random_state=0).fit(rows)
    assert fit.covariances_.dtype == np.float32
    return rows, fit


@pytest.mark.parametrize("name", DATA_SETS)
@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_parameters_of_scikit_learn_are_accepted(name: str, structure: str) -> None:
    rows, fit = fit_float32(name, structure)
    expected = fit.score_samples(rows.astype(float))
    # float32 keeps few digits of variances far from zero, and of the inverse if columns are almost collinear.
    rounding = 1e-2 if name in ("iris far from zero", "breast cancer") else 2e-4
    scale = np.abs(expected).max()
    for covariances in (fit.covariances_, fit.covariances_.tolist()):  # a list holds the digits without the dtype
        mixture = Mixture.from_parameters(fit.weights_, fit.means_, covariances, structure)
        np.testing.assert_allclose(mixture.logpdf(rows), expected, atol=rounding * scale)
    init = {"weights_init": fit.weights_, "means_init": fit.means_, "precisions_init": fit.precisions_}
    start = GaussianMixture(2, covariance_type=structure, max_iter=0, **init).fit(rows)
    np.testing.assert_allclose(start.score_samples(rows), expected, atol=rounding * scale)


@pytest.mark.parametrize("name", DATA_SETS)
@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_scikit_learn_accepts_ours(name: str, structure: str) -> None:
    rows = DATA_SETS[name].astype(np.float32)
    fit = GaussianMixture(2, covariance_type=structure, random_state=0, max_iter=500).fit(rows)
    init = {"weights_init": fit.weights_, "means_init": fit.means_, "precisions_init": fit.precisions_}
    back = SklearnMixture(2, covariance_type=structure, max_iter=1, reg_covar=0.0, **init)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back.fit(rows.astype(float))
    assert back.lower_bound_ == pytest.approx(fit.score(rows), rel=1e-3)


@pytest.mark.parametrize("structure", MCLUST_NAMES)
@pytest.mark.parametrize("name", ["iris", "iris in small units", "breast cancer"])
def test_our_own_float32_parameters_are_accepted(name: str, structure: str) -> None:
    rows = DATA_SETS[name].astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = GaussianMixture(3, covariance_type=structure, random_state=0).fit(rows)
    expected = fit.score_samples(rows)
    mixture = Mixture.from_parameters(fit.weights_, fit.means_, fit.covariances_, structure)
    np.testing.assert_allclose(mixture.logpdf(rows), expected, atol=1e-2)
    init = {"weights_init": fit.weights_, "means_init": fit.means_, "precisions_init": fit.precisions_}
    start = GaussianMixture(3, covariance_type=structure, max_iter=0, **init).fit(rows)
    np.testing.assert_allclose(start.score_samples(rows), expected, atol=1e-2)


def test_symmetric_up_to_float32_everywhere() -> None:
    matrix = np.array([[2.0, 1.0, 0.1], [1.0, 3.0, 0.2], [0.1, 0.2, 1.0]], dtype=np.float32)
    matrix[0, 1] *= np.float32(1 + 1e-5)
    Gaussian(np.zeros(3), matrix)
    Gaussian(np.zeros(3), matrix.astype(float))
    fitted = GaussianMixture(1, constraints=Constraints(covariances=[matrix])).fit(RNG.normal(size=(30, 3)))
    np.testing.assert_allclose(fitted.covariances_[0], matrix, rtol=1e-4)
    covariances = Mixture.from_parameters([1.0], np.zeros((1, 3)), [matrix]).covariances
    np.testing.assert_array_equal(covariances, np.swapaxes(covariances, 1, 2))


@pytest.mark.parametrize("asymmetry", [1e-2, 0.3])
def test_larger_asymmetry_is_an_error_in_float32_too(asymmetry: float) -> None:
    matrix = np.array([[2.0, 1.0], [1.0 + asymmetry, 3.0]], dtype=np.float32)
    with pytest.raises(ParameterError, match="must be symmetric"):
        Gaussian(np.zeros(2), matrix)
    with pytest.raises(ParameterError, match="not of structure VVV"):
        Mixture.from_parameters([1.0], np.zeros((1, 2)), [matrix])


def test_double_precision_keeps_its_own_tolerance() -> None:
    matrix = np.array([[2.0 / 3.0, 0.1], [0.1 + 1e-5, 0.7]])
    with pytest.raises(ParameterError, match="must be symmetric"):
        Gaussian(np.zeros(2), matrix)
    with pytest.raises(ParameterError, match="not of structure EEE"):
        Mixture.from_parameters([1.0], [[1e8, 0.0]], matrix, "EEE")
