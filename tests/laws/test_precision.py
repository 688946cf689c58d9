"""Log densities against 50-digit arithmetic, where covariances are nearly singular."""

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaussmix import Gaussian, Mixture
from gaussmix.types import DD, Array, D
from tests.laws.strategies import seeds

EPS = float(np.finfo(float).eps)


def exact_logpdf(mean: D, covariance: DD, row: D, digits: int = 50) -> Any:
    """log N(row; mean, covariance) of the stored numbers, to 50 digits."""
    with mpmath.workdps(digits):
        matrix = mpmath.matrix(covariance.tolist())
        difference = mpmath.matrix(row.tolist()) - mpmath.matrix(mean.tolist())
        squared = (difference.T * mpmath.lu_solve(matrix, difference))[0]
        return -(len(mean) * mpmath.log(2 * mpmath.pi) + mpmath.log(mpmath.det(matrix)) + squared) / 2


def exact_mixture_logpdf(weights: Array, logs: list[Any]) -> Any:
    with mpmath.workdps(50):
        return mpmath.log(sum(mpmath.mpf(float(w)) * mpmath.exp(value) for w, value in zip(weights, logs, strict=True)))


def nearly_singular_covariance(seed: int, n_features: int, condition: float) -> DD:
    """A covariance whose eigenvalues fall evenly from 1 to ``1 / condition``, along random axes."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(n_features, n_features)))[0]
    half = axes * np.geomspace(1.0, condition**-0.5, n_features)
    matrix = half @ half.T
    return np.asarray((matrix + matrix.T) / 2)


def rounding_error_bound(condition: float, n_features: int, squared: float) -> float:
    """What one rounding of the covariance changes already: condition x eps of the squared distance."""
    return EPS * n_features * (100.0 + condition * (1.0 + squared))


@settings(max_examples=15)
@given(seeds, st.integers(2, 5), st.sampled_from([1e2, 1e6, 1e10, 1e12]))
def test_gaussian_of_nearly_singular_covariance(seed: int, n_features: int, condition: float) -> None:
    covariance = nearly_singular_covariance(seed, n_features, condition)
    rng = np.random.default_rng(seed)
    bell = Gaussian(rng.normal(size=n_features), covariance)
    rows = bell.sample(3, rng)
    for row, found, distance in zip(rows, bell.logpdf(rows), bell.mahalanobis(rows), strict=True):
        exact = exact_logpdf(bell.mean, bell.covariance, row)
        assert abs(float(exact - float(found))) <= rounding_error_bound(condition, n_features, float(distance) ** 2)


@settings(max_examples=15)
@given(seeds, st.integers(2, 5))
def test_units_of_single_columns_cost_no_digits(seed: int, n_features: int) -> None:
    """Columns in units from 1e-60 to 1e60: a condition number of 1e240, and hardly a digit lost."""
    rng = np.random.default_rng(seed)
    powers = rng.integers(-200, 200, n_features)
    covariance = np.ldexp(nearly_singular_covariance(seed, n_features, 50.0), powers[:, None] + powers)
    mean, row = np.ldexp(rng.normal(size=(2, n_features)), powers)
    found = float(Gaussian(mean, covariance).logpdf(row[None])[0])
    exact = float(exact_logpdf(mean, covariance, row, digits=600))
    assert found == pytest.approx(exact, rel=1e-12, abs=1e-11)


@settings(max_examples=15)
@given(seeds, st.sampled_from([1e2, 1e6, 1e10]))
def test_mixture_of_nearly_singular_covariances(seed: int, condition: float) -> None:
    rng = np.random.default_rng(seed)
    covariances = np.array([nearly_singular_covariance(seed + k, 3, condition) for k in range(2)])
    mixture = Mixture.from_parameters([0.25, 0.75], rng.normal(size=(2, 3)), covariances)
    rows = mixture.sample(4, rng)[0]
    for row, found in zip(rows, mixture.logpdf(rows), strict=True):
        logs = [exact_logpdf(mixture.centers[k], covariances[k], row) for k in range(2)]
        exact = float(exact_mixture_logpdf(mixture.weights, logs))
        assert abs(exact - float(found)) <= rounding_error_bound(condition, 3, 30.0)


def test_far_tails_keep_their_digits() -> None:
    """Where a density underflows its logarithm does not."""
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0], [1.0]], [[[1.0]], [[4.0]]])
    for x in (50.0, 1e4, 1e8):
        logs = [exact_logpdf(np.array([m]), np.array([[v]]), np.array([x])) for m, v in ((0.0, 1.0), (1.0, 4.0))]
        exact = float(exact_mixture_logpdf(mixture.weights, logs))
        assert float(mixture.logpdf([[x]])[0]) == pytest.approx(exact, rel=1e-14)
        assert mixture.uncertainty([[x]])[0] >= 0.0


def test_small_uncertainties_are_not_rounded_away() -> None:
    """One minus 1 is 0, but the uncertainty of a row deep inside its component is a number."""
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0], [20.0]], [[[1.0]], [[1.0]]])
    assert float(mixture.uncertainty([[0.0]])[0]) == pytest.approx(float(mpmath.exp(-200)), rel=1e-12)
