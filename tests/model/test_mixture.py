"""`Mixture`: validation of parameters, predictions, samples, frames and pickling."""

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaussmix import DataError, Mixture, ParameterError, UnrepresentableError
from gaussmix.core.frame import Frame
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.statistics import Statistics
from gaussmix.core.threads import threads
from gaussmix.covariance import FloorRegularizer, Structure, make_covariance_estimator
from gaussmix.model.mixture_parameters import change_frame

WEIGHTS, MEANS = [0.25, 0.75], [[0.0, 0.0], [4.0, 1.0]]
PAIR = Mixture.from_parameters(WEIGHTS, MEANS, [[[1.0, 0.3], [0.3, 2.0]], [[2.0, 0.0], [0.0, 0.5]]])
LINE = Mixture.from_parameters([0.5, 0.5], [[0.0], [3.0]], [1.0, 4.0], "spherical")


@pytest.mark.parametrize(
    ("weights", "means", "covariances", "structure", "message"),
    [
        ([0.5, 0.6], MEANS, np.ones(2), "VII", "weights must be numbers of at least 0 that add up to 1"),
        ([1.5, -0.5], MEANS, np.ones(2), "VII", "weights must be numbers of at least 0"),
        ([np.nan, 1.0], MEANS, np.ones(2), "VII", "weights must be numbers of at least 0"),
        ([1.0], MEANS, np.ones(2), "VII", r"'weights' should have the shape of \(2,\), but got \(1,\)"),
        (WEIGHTS, [0.0, 4.0], np.ones(2), "VII", r"means must be finite numbers of shape \(K, D\)"),
        (WEIGHTS, [[0.0, np.inf], [1.0, 1.0]], np.ones(2), "VII", "means must be finite numbers"),
        (WEIGHTS, MEANS, np.ones(3), "VII", r"'covariances' should have the shape of \(2,\), but got \(3,\)"),
        (WEIGHTS, MEANS, [1.0, 0.0], "VII", "covariance of component 1 should be symmetric, positive-definite"),
        (WEIGHTS, MEANS, np.ones(2), "round", "structure must be one of"),
    ],
)
def test_invalid_parameters_raise(weights: Any, means: Any, covariances: Any, structure: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Mixture.from_parameters(weights, means, covariances, structure)


def test_number_of_feature_names_must_match() -> None:
    with pytest.raises(ParameterError, match=r"'feature_names' should have the shape of \(2,\), but got \(1,\)"):
        Mixture.from_parameters(WEIGHTS, MEANS, np.ones(2), "VII", ["length"])


def test_repr_and_properties() -> None:
    assert repr(PAIR) == "Mixture(2 components, 2 features, VVV (full))"
    assert (PAIR.n_components, PAIR.n_features, PAIR.n_parameters) == (2, 2, 1 + 4 + 6)
    assert str(LINE.structure) == "VII"
    np.testing.assert_array_equal(LINE.sklearn_covariances, [1.0, 4.0])
    np.testing.assert_allclose(PAIR.precisions @ PAIR.covariances, [np.eye(2)] * 2, atol=1e-12)


def test_components_are_gaussians() -> None:
    gaussian = PAIR.components[1]
    np.testing.assert_array_equal(gaussian.mean, MEANS[1])
    np.testing.assert_allclose(gaussian.covariance, [[2.0, 0.0], [0.0, 0.5]])


def test_marginal_keeps_names_and_weights() -> None:
    named = replace(PAIR, feature_names=("length", "width"))
    part = named.marginal([1])
    assert part.feature_names == ("width",)
    np.testing.assert_array_equal(part.weights, WEIGHTS)
    np.testing.assert_allclose(part.covariances[:, 0, 0], [2.0, 0.5])
    with pytest.raises(ParameterError, match="columns must be distinct positions from 0 to 1"):
        named.marginal([2])


def test_component_of_weight_zero_has_no_rows() -> None:
    mixture = Mixture.from_parameters([0.0, 1.0], MEANS, np.ones(2), "VII")
    np.testing.assert_array_equal(mixture.predict_proba(MEANS), [[0.0, 1.0], [0.0, 1.0]])
    assert set(mixture.sample(50, 0)[1]) == {1}


def test_one_dimensional_input() -> None:
    np.testing.assert_array_equal(PAIR.predict([4.0, 1.0]), [1])
    assert LINE.logpdf([0.0, 1.0, 2.0]).shape == (3,)


@pytest.mark.parametrize("method", ["logpdf", "pdf", "predict_proba", "predict", "uncertainty"])
def test_invalid_rows_raise(method: str) -> None:
    with pytest.raises(DataError, match="3 columns, but the model was fitted to 2; pass the same columns"):
        getattr(PAIR, method)([[1.0, 2.0, 3.0]])
    with pytest.raises(DataError, match="0 rows; pass at least one row"):
        getattr(PAIR, method)(np.zeros((0, 2)))
    with pytest.raises(DataError, match=r"X contains infinity .* in row 1, column 0"):
        getattr(PAIR, method)([[1.0, 2.0], [np.inf, 1.0]])
    with pytest.raises(DataError, match=r"row 1 .*lies so far from the fitted data"):
        getattr(PAIR, method)([[1.0, 2.0], [1e200, 1.0]])


def test_overflowing_densities_raise_and_their_logarithms_do_not() -> None:
    frame = Frame(np.zeros(2, dtype=np.int64), np.zeros(2), np.full(2, 600))
    tiny = replace(PAIR, frame=frame)
    rows = np.ldexp(MEANS, -600)
    np.testing.assert_allclose(tiny.logpdf(rows), PAIR.logpdf(MEANS) + 1200 * np.log(2.0))
    with pytest.raises(UnrepresentableError, match="densities overflow double precision in the data's units"):
        tiny.pdf(rows)
    assert (
        replace(PAIR, frame=Frame(-frame.shrink_exponent, frame.center, -frame.scale_exponent)).pdf(MEANS) == 0
    ).all()


def test_cdf_of_one_column() -> None:
    np.testing.assert_allclose(LINE.cdf([-40.0, 60.0]), [0.0, 1.0], atol=1e-12)


@pytest.mark.parametrize("n", [0, -3])
def test_n_samples_must_be_positive(n: int) -> None:
    with pytest.raises(ParameterError, match=r"n_samples.* at least 1"):
        PAIR.sample(n)


def test_samples_are_reproducible_and_sorted_by_component() -> None:
    rows, labels = PAIR.sample(30, 5)
    again, _ = PAIR.sample(30, np.random.default_rng(5))
    np.testing.assert_array_equal(rows, again)
    assert (np.diff(labels) >= 0).all()
    assert not np.allclose(PAIR.sample(30, 6)[0], rows)


def test_m_step_of_another_structure_raises() -> None:
    moments = Moments(np.ones(2), np.zeros((2, 2)), np.ones(2), MomentKind.TRACE)
    other = make_covariance_estimator(Structure.from_name("VII"), FloorRegularizer(np.full(2, 1e-9)))
    with pytest.raises(ParameterError, match="covariance_estimator must be one of VVV, but is 'VII'"):
        PAIR.m_step(Statistics(moments), other)


def test_permuted_components_permute_probabilities() -> None:
    rows = PAIR.sample(10, 0)[0]
    permuted = PAIR.permute_components(np.array([1, 0]))
    np.testing.assert_array_equal(permuted.predict_proba(rows), PAIR.predict_proba(rows)[:, ::-1])
    np.testing.assert_allclose(permuted.logpdf(rows), PAIR.logpdf(rows), rtol=1e-14)


def test_change_of_frame_keeps_the_distribution() -> None:
    frame = Frame(np.zeros(2, dtype=np.int64), np.array([10.0, -4.0]), np.array([3, -2]))
    rows = PAIR.sample(10, 0)[0]
    moved = change_frame(PAIR, frame)
    assert moved.frame is frame
    np.testing.assert_allclose(moved.logpdf(rows), PAIR.logpdf(rows), rtol=1e-12)
    np.testing.assert_allclose(moved.means, PAIR.means, atol=1e-14)
    assert change_frame(moved, frame) is moved


def test_pickled_mixture_is_equal() -> None:
    rows = PAIR.sample(10, 0)[0]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(PAIR)).logpdf(rows), PAIR.logpdf(rows))


def test_predictions_do_not_depend_on_the_number_of_threads() -> None:
    rows = PAIR.sample(20_000, 0)[0]
    methods = (PAIR.logpdf, PAIR.predict_proba, PAIR.predict)
    with threads(1):
        expected = [method(rows) for method in methods]
    np.testing.assert_allclose(expected[1].sum(axis=1), 1.0, rtol=1e-14)
    np.testing.assert_array_equal(expected[1].argmax(axis=1), expected[2])
    for count in (2, 3, 8):
        with threads(count):
            for method, values in zip(methods, expected, strict=True):
                np.testing.assert_array_equal(method(rows), values)


def test_error_names_the_first_distant_row_for_any_number_of_threads() -> None:
    rows = PAIR.sample(20_000, 0)[0]
    rows[[4321, 11_111, 19_999]] = 1e200
    for method in (PAIR.logpdf, PAIR.predict_proba, PAIR.predict):
        for count in (1, 8):
            with threads(count), pytest.raises(DataError) as caught:
                method(rows)
            assert caught.value.row == 4321
