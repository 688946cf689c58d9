"""`Gaussian`: validation of parameters, and values known in closed form."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from gaussmix import DataError, Gaussian, ParameterError

PLANE = Gaussian([1.0, -2.0], [[2.0, 1.0], [1.0, 3.0]])
LINE = Gaussian(1.0, 4.0)


def test_scalar_parameters_give_one_dimension() -> None:
    assert LINE.n_features == 1
    np.testing.assert_array_equal(LINE.mean, [1.0])
    np.testing.assert_array_equal(LINE.covariance, [[4.0]])
    np.testing.assert_allclose(LINE.pdf([1.0, 3.0]), stats.norm(1, 2).pdf([1.0, 3.0]))
    assert repr(LINE) == "Gaussian(mean=[1.0], covariance=[[4.0]])"


@pytest.mark.parametrize(
    ("mean", "covariance", "message"),
    [
        ([0.0, np.nan], np.eye(2), "mean must be a vector of finite numbers"),
        ([[0.0, 1.0]], np.eye(2), "mean must be a vector of finite numbers"),
        ([0.0, 1.0], np.eye(3), r"'covariance' should have the shape of \(2, 2\), but got \(3, 3\)"),
        ([0.0, 1.0], [1.0, 2.0], r"'covariance' should have the shape of \(2, 2\), but got \(1, 2\)"),
        ([0.0, 1.0], [[1.0, 2.0], [2.0, 1.0]], "covariance should be symmetric, positive-definite"),
        ([0.0], [[0.0]], "positive-definite"),
        ([0.0], [[-1.0]], "positive-definite"),
    ],
)
def test_invalid_parameters_raise(mean: Any, covariance: Any, message: str) -> None:
    with pytest.raises((ParameterError, DataError), match=message):
        Gaussian(mean, covariance)


def test_covariance_must_be_symmetric_and_finite() -> None:
    with pytest.raises(ParameterError, match="must be symmetric"):
        Gaussian([0.0, 1.0], [[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(ParameterError, match="NaN or infinity in covariance"):
        Gaussian([0.0], [[np.nan]])


def test_parameters_are_read_only_copies() -> None:
    with pytest.raises(ValueError, match="read-only"):
        PLANE.mean[0] = 3.0
    caller_mean = np.zeros(2)
    Gaussian(caller_mean, np.eye(2))
    caller_mean[0] = 1.0  # the caller's array stays writeable


def test_from_data_far_from_zero() -> None:
    rows = np.random.default_rng(0).normal(size=(100, 2))
    near, far = Gaussian.from_data(rows), Gaussian.from_data(rows + 1e8)
    np.testing.assert_allclose(far.covariance, near.covariance, rtol=1e-6)
    np.testing.assert_allclose(far.mean - 1e8, near.mean, atol=1e-7)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, 2.0]], "positive-definite"),
        ([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], "positive-definite"),
        ([[1.0, np.nan]], "X contains NaN"),
        (np.zeros((0, 2)), "0 rows; pass at least one row"),
    ],
)
def test_unusable_data_raise(rows: Any, message: str) -> None:
    with pytest.raises((ParameterError, DataError), match=message):
        Gaussian.from_data(rows)


def test_rows_of_weight_zero_are_ignored() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 2))
    weighted = Gaussian.from_data(np.vstack([[[1e300, -1e300]], rows]), np.append(0.0, np.ones(20)))
    np.testing.assert_allclose(weighted.covariance, Gaussian.from_data(rows).covariance, rtol=1e-13)


def test_mahalanobis_distance() -> None:
    np.testing.assert_allclose(LINE.mahalanobis([1.0, 3.0, -3.0]), [0.0, 1.0, 2.0])
    difference = np.array([1.0, 1.0])
    expected = np.sqrt(difference @ np.linalg.solve(PLANE.covariance, difference))
    np.testing.assert_allclose(PLANE.mahalanobis(PLANE.mean + difference), expected)


def test_cdf_in_one_and_more_dimensions() -> None:
    np.testing.assert_allclose(LINE.cdf([-1.0, 1.0, 3.0]), stats.norm(1, 2).cdf([-1.0, 1.0, 3.0]))
    correlation = 1.0 / np.sqrt(6.0)
    quadrant = 0.25 + np.arcsin(correlation) / (2 * np.pi)  # Sheppard 1898
    np.testing.assert_allclose(PLANE.cdf(PLANE.mean), quadrant, atol=1e-5)
    assert PLANE.cdf([[0.0, 0.0], [1.0, 1.0]]).shape == (2,)


def test_samples_have_the_requested_shape_and_are_reproducible() -> None:
    assert PLANE.sample(0).shape == (0, 2)
    np.testing.assert_array_equal(PLANE.sample(5, 3), PLANE.sample(5, np.random.default_rng(3)))
    assert not np.allclose(PLANE.sample(5, 3), PLANE.sample(5, 4))
    rows = PLANE.sample(50_000, 0)
    np.testing.assert_allclose(rows.mean(axis=0), PLANE.mean, atol=5 * np.sqrt(3 / 50_000))
    np.testing.assert_allclose(np.cov(rows.T), PLANE.covariance, atol=5 * 3 * np.sqrt(2 / 50_000))
    with pytest.raises(ParameterError, match="n_samples must be a whole number of at least 0, but is -1"):
        PLANE.sample(-1)


def test_conditional_and_marginal_in_closed_form() -> None:
    conditional = PLANE.conditional([0], [3.0])
    np.testing.assert_allclose(conditional.mean, [-2.0 + 1.0 / 2.0 * (3.0 - 1.0)])
    np.testing.assert_allclose(conditional.covariance, [[3.0 - 1.0 / 2.0]])
    marginal = PLANE.marginal([-1])
    np.testing.assert_array_equal(marginal.mean, [-2.0])
    np.testing.assert_array_equal(marginal.covariance, [[3.0]])
    np.testing.assert_array_equal(PLANE.marginal([1, 0]).mean, [-2.0, 1.0])


@pytest.mark.parametrize("columns", [[], [2], [-3], [0, 0], [0, -2], [0.5], ["a"], [[0]]])
def test_invalid_columns_raise(columns: Any) -> None:
    with pytest.raises(ParameterError, match=r"columns must be (a non-empty list|distinct positions|a position)"):
        PLANE.marginal(columns)
    with pytest.raises(ParameterError, match="columns must be"):
        PLANE.conditional(columns, [0.0])


def test_conditional_on_all_columns_raises() -> None:
    with pytest.raises(ParameterError, match="known_columns must be fewer than all columns"):
        PLANE.conditional([0, 1], [0.0, 0.0])
    with pytest.raises(ParameterError, match=r"one number per known column \(1\), but has 2"):
        PLANE.conditional([0], [0.0, 0.0])


def test_affine_transform() -> None:
    image = PLANE.affine_transform([[1.0, 1.0]], 2.0)
    np.testing.assert_allclose(image.mean, [1.0])
    np.testing.assert_allclose(image.covariance, [[2.0 + 3.0 + 2.0]])
    with pytest.raises(ParameterError, match=r"'matrix' should have the shape of \(1, 2\), but got \(1, 3\)"):
        PLANE.affine_transform([[1.0, 1.0, 1.0]])


@pytest.mark.parametrize("probability", [0.5, 0.95, 0.999])
def test_interval_and_ellipse_have_the_requested_probability(probability: float) -> None:
    low, high = LINE.interval(probability)
    assert stats.norm(1, 2).cdf(high) - stats.norm(1, 2).cdf(low) == pytest.approx(probability)
    assert (low + high) / 2 == pytest.approx(1.0)
    outline = PLANE.ellipse(probability, n_points=37)
    assert outline.shape == (37, 2)
    np.testing.assert_allclose(PLANE.mahalanobis(outline) ** 2, stats.chi2(2).ppf(probability))


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1, 1.5, np.nan])
def test_probability_must_be_between_zero_and_one(probability: float) -> None:
    with pytest.raises(ParameterError, match="probability must be between 0 and 1, both excluded"):
        LINE.interval(probability)
    with pytest.raises(ParameterError, match="probability must be between 0 and 1, both excluded"):
        PLANE.ellipse(probability)


def test_intervals_need_one_column_and_ellipses_two() -> None:
    with pytest.raises(ParameterError, match="interval needs a distribution of 1 column"):
        PLANE.interval()
    with pytest.raises(ParameterError, match="take a marginal first"):
        LINE.ellipse()


def test_wrong_number_of_columns_raises() -> None:
    for method in (PLANE.pdf, PLANE.logpdf, PLANE.mahalanobis, PLANE.cdf):
        with pytest.raises(DataError, match="3 columns, but the model was fitted to 2"):
            method([[1.0, 2.0, 3.0]])
