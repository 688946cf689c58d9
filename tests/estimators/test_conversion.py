"""GaussianMixture from a Mixture and back, files, and the place of warnings."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from gaussmix import BayesianGaussianMixture, GaussianMixture, KMeans, Mixture, ParameterError
from tests.estimators.conftest import draw_overlapping_rows

X = draw_overlapping_rows(3)


@pytest.mark.parametrize("options", [{}, {"covariance_type": "EEV"}, {"covariance_type": "UUU", "n_factors": 1}])
@pytest.mark.parametrize("noise", [None, True])
def test_an_estimator_from_a_mixture_predicts_as_the_mixture(options: dict[str, object], noise: bool | None) -> None:
    fitted = GaussianMixture(2, noise=noise, random_state=0, **options).fit(X)
    converted = GaussianMixture.from_mixture(fitted.model_)
    assert converted.model_ is fitted.model_
    for name in ("n_components", "n_factors", "noise"):
        assert getattr(converted, name) == getattr(fitted, name), name
    np.testing.assert_array_equal(converted.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(converted.covariances_, fitted.covariances_)
    assert converted.bic(X) == fitted.bic(X)
    assert clone(converted).fit(X).model_.structure == fitted.model_.structure


def test_a_warm_start_continues_from_the_mixture() -> None:
    fitted = GaussianMixture(3, random_state=0, tol=1e-9, max_iter=1000).fit(X)
    converted = GaussianMixture.from_mixture(fitted.model_, warm_start=True)
    assert converted.warm_start
    assert converted.fit(X).n_iter_ <= 3
    assert converted.fit_.log_likelihood == pytest.approx(fitted.fit_.log_likelihood, rel=1e-9)


def test_columns_are_named_and_counted() -> None:
    mixture = Mixture.from_parameters([1.0], [[0.0, 1.0]], [np.eye(2)], feature_names=["a", "b"])
    converted = GaussianMixture.from_mixture(mixture)
    assert converted.n_features_in_ == 2
    assert converted.feature_names_in_.tolist() == ["a", "b"]
    unnamed = GaussianMixture.from_mixture(Mixture.from_parameters([1.0], [[0.0]], [[[1.0]]]))
    assert not hasattr(unnamed, "feature_names_in_")
    assert unnamed.predict([[1.0]]).tolist() == [0]
    with pytest.raises(ValueError, match="expecting 1 feature"):
        unnamed.predict([[1.0, 2.0]])


def test_a_file_holds_the_fit(tmp_path: Path) -> None:
    fitted = GaussianMixture(2, random_state=0, noise=True).fit(X)
    fitted.save(tmp_path / "model.safetensors")
    loaded = GaussianMixture.load(tmp_path / "model.safetensors", random_state=0)
    np.testing.assert_array_equal(loaded.score_samples(X), fitted.score_samples(X))
    np.testing.assert_array_equal(loaded.sample(5)[0], fitted.sample(5)[0])
    with pytest.raises(NotFittedError):
        GaussianMixture(2).save(tmp_path / "nothing")


@pytest.mark.parametrize("method", ["fit", "fit_predict"])
@pytest.mark.parametrize("estimator", [GaussianMixture, BayesianGaussianMixture])
def test_a_warning_names_the_line_of_the_user(estimator: type, method: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(estimator(3, max_iter=1, random_state=0), method)(X)
    (warning,) = [each for each in caught if each.category is ConvergenceWarning]
    assert warning.filename == __file__


def test_warnings_of_k_means_name_the_line_of_the_user() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        KMeans(3, init=[[0.0], [1.0], [2.0]], n_init=2).fit([[0.0], [0.0], [1.0]])
    assert {warning.category for warning in caught} == {RuntimeWarning, ConvergenceWarning}
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.parametrize("volume", [5000.0, 1e-3, 123.456, 1e40])
@pytest.mark.parametrize("scale", [1.0, 1e-30])
def test_a_given_noise_volume_survives_a_file(volume: float, scale: float, tmp_path: Path) -> None:
    rows, volume = X * scale, volume * scale ** X.shape[1]
    fitted = GaussianMixture(2, random_state=0, noise=volume).fit(rows)
    fitted.save(tmp_path / "model.safetensors")
    loaded = GaussianMixture.load(tmp_path / "model.safetensors", random_state=0)
    converted = GaussianMixture.from_mixture(fitted.model_)
    for other in (loaded, converted):
        assert other.noise == pytest.approx(volume, rel=1e-11)
        assert other.fit(2.0 * rows).noise_volume_ == pytest.approx(volume, rel=1e-11)


def test_a_noise_volume_of_the_data_stays_one(tmp_path: Path) -> None:
    GaussianMixture(2, random_state=0, noise=True).fit(X).save(tmp_path / "model.safetensors")
    assert GaussianMixture.load(tmp_path / "model.safetensors").noise is True


def test_partial_fit_does_not_discard_a_loaded_mixture(tmp_path: Path) -> None:
    fitted = GaussianMixture(2, random_state=0, tol=1e-9, max_iter=1000).fit(X)
    fitted.save(tmp_path / "model.safetensors")
    for unfitted in (GaussianMixture.load(tmp_path / "model.safetensors"), GaussianMixture.from_mixture(fitted.model_)):
        with pytest.raises(ParameterError, match=r"partial_fit cannot continue .* use warm_start=True"):
            unfitted.partial_fit(X)
        np.testing.assert_array_equal(unfitted.means_, fitted.means_)
        started = unfitted.set_params(warm_start=True, max_iter=2).partial_fit(X)
        np.testing.assert_allclose(started.means_, fitted.means_, atol=1e-3)
        assert started.partial_fit(X).n_iter_ == 2


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical", "EEV"])
def test_a_loaded_estimator_has_the_covariance_type_of_the_fit(covariance_type: str, tmp_path: Path) -> None:
    GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(X).save(tmp_path / "model")
    assert GaussianMixture.load(tmp_path / "model").covariance_type == covariance_type


def test_parameters_that_contradict_the_mixture_are_refused() -> None:
    mixture = GaussianMixture(2, random_state=0).fit(X).model_
    for covariance_type in ("full", "FULL", "VVV", "vvv"):
        assert GaussianMixture.from_mixture(mixture, covariance_type=covariance_type).covariances_.ndim == 3
        assert GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(X).covariances_.ndim == 3
    with pytest.raises(ParameterError, match=r"covariance_type must be 'full', that of the mixture, .* but is 'tied'"):
        GaussianMixture.from_mixture(mixture, covariance_type="tied")
    with pytest.raises(ParameterError, match=r"n_components must be 2, that of the mixture, .* but is 3"):
        GaussianMixture.from_mixture(mixture, n_components=3)
