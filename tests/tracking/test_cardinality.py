"""Distributions of the number of objects against enumeration, high precision and the laws of the filter."""

from itertools import product

import mpmath
import numpy as np
import pytest
from scipy.stats import binom, poisson

from gaussmix.tracking.cardinality import (
    mean_number,
    poisson_cardinality,
    predict_cardinality,
    trim_cardinality,
    update_cardinality,
)
from gaussmix.tracking.symmetric_functions import log_leave_one_out, log_partial_products
from gaussmix.types import K, N

SEEDS = range(5)


def draw_cardinality(rng: np.random.Generator, n_numbers: int) -> K:
    """Return random log probabilities."""
    return np.log(rng.dirichlet(np.ones(n_numbers)))


def update_by_enumeration(
    probabilities: K, mass: float, n_missed: float, detected: N, clutter: N
) -> tuple[K, float, N]:
    """Return posterior, expected number of missed objects, and the probability of each detection to be an object.

    Every map of detections to objects or clutter is visited in which no object gives two detections.
    """
    n_detections = len(detected)
    posterior, missed, is_object = np.zeros(len(probabilities)), 0.0, np.zeros(n_detections)
    for number, probability in enumerate(probabilities):
        for owners in product(range(-1, number), repeat=n_detections):  # -1 is clutter
            true = np.array(owners, dtype=int) >= 0
            if len(set(owners) - {-1}) < true.sum():
                continue
            weight = probability * (n_missed / mass) ** (number - true.sum())
            weight *= np.prod(detected[true] / mass) * np.prod(clutter[~true])
            posterior[number] += weight
            missed += weight * (number - true.sum())
            is_object += weight * true
    total = posterior.sum()
    return posterior / total, missed / total, is_object / total


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_detections", [0, 1, 3])
@pytest.mark.parametrize("has_clutter", [True, False])
def test_update_equals_enumeration(seed: int, n_detections: int, has_clutter: bool) -> None:
    rng = np.random.default_rng(seed)
    log_probabilities = draw_cardinality(rng, 5)
    mass, detected = rng.uniform(0.5, 3.0), rng.uniform(0.01, 2.0, n_detections)
    clutter = rng.uniform(0.01, 1.0, n_detections) * has_clutter
    n_missed = mass * rng.uniform(0.05, 0.95)
    with np.errstate(divide="ignore"):
        update = update_cardinality(log_probabilities, mass, n_missed, np.log(detected), np.log(clutter))
    posterior, missed, is_object = update_by_enumeration(np.exp(log_probabilities), mass, n_missed, detected, clutter)
    found = np.zeros(5)
    found[: len(update.log_probabilities)] = np.exp(update.log_probabilities)
    np.testing.assert_allclose(found, posterior, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(update.missed_factor * n_missed, missed, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(np.exp(update.log_detection_factors) * detected, is_object, rtol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_expected_objects_add_up_to_the_mean_number(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mass, detected, clutter = 12.0, np.exp(rng.normal(0, 8, 300)), np.exp(rng.normal(0, 8, 300))
    update = update_cardinality(draw_cardinality(rng, 60), mass, 0.3 * mass, np.log(detected), np.log(clutter))
    total = update.missed_factor * 0.3 * mass + (np.exp(update.log_detection_factors) * detected).sum()
    np.testing.assert_allclose(total, mean_number(update.log_probabilities), rtol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_poisson_number_gives_the_phd_filter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mass, detected, clutter = 4.0, rng.uniform(0.0, 1.0, 40), rng.uniform(0.01, 1.0, 40)
    # The sum of the likelihoods of detections does not limit the number of objects, so the tail must be long.
    numbers = np.arange(120)
    update = update_cardinality(poisson.logpmf(numbers, mass), mass, 0.2 * mass, np.log(detected), np.log(clutter))
    assert update.missed_factor == pytest.approx(1.0, rel=1e-9)
    np.testing.assert_allclose(np.exp(update.log_detection_factors), 1.0 / (clutter + detected), rtol=1e-9)


def test_undetectable_objects_keep_their_distribution() -> None:
    prior = draw_cardinality(np.random.default_rng(0), 6)
    update = update_cardinality(prior, 2.0, 2.0, np.full(3, -np.inf), np.zeros(3))
    np.testing.assert_allclose(update.log_probabilities, prior, rtol=1e-12)
    assert update.missed_factor * 2.0 == pytest.approx(mean_number(prior), rel=1e-9)
    assert (update.log_detection_factors == -np.inf).all()


def test_sure_detections_without_clutter_count_the_objects() -> None:
    prior = draw_cardinality(np.random.default_rng(1), 8)
    update = update_cardinality(prior, 3.0, 0.0, np.zeros(4), np.full(4, -np.inf))
    assert np.exp(update.log_probabilities[4]) == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(update.log_detection_factors, 0.0, atol=1e-9)


def test_no_detections_make_small_numbers_likely() -> None:
    prior = draw_cardinality(np.random.default_rng(2), 6)
    update = update_cardinality(prior, 1.0, 0.1, np.zeros(0), np.zeros(0))
    expected = np.exp(prior) * 0.1 ** np.arange(6)
    np.testing.assert_allclose(np.exp(update.log_probabilities), expected / expected.sum(), rtol=1e-9)


@pytest.mark.parametrize("n_detections", [3, 7])
def test_contradiction_gives_a_distribution_all_the_same(n_detections: int) -> None:
    prior = np.log([0.5, 0.5])  # at most one object, no clutter, and several detections
    update = update_cardinality(prior, 0.5, 0.1, np.zeros(n_detections), np.full(n_detections, -np.inf))
    assert np.exp(update.log_probabilities).sum() == pytest.approx(1.0)
    assert np.isfinite(update.missed_factor)
    assert np.exp(update.log_detection_factors).sum() <= 1.0 + 1e-9


@pytest.mark.parametrize("survival", [0.0, 0.3, 0.99, 1.0])
@pytest.mark.parametrize("n_born", [0.0, 0.12, 5.0])
def test_prediction_thins_and_adds(survival: float, n_born: float) -> None:
    prior = draw_cardinality(np.random.default_rng(3), 9)
    predicted = np.exp(predict_cardinality(prior, survival, n_born))
    survivors = np.exp(prior) @ binom.pmf(np.arange(9)[None, :], np.arange(9)[:, None], survival)
    expected = np.convolve(survivors, poisson.pmf(np.arange(60), n_born))
    np.testing.assert_allclose(predicted, expected[: len(predicted)], rtol=1e-9, atol=1e-13)
    assert expected[len(predicted) :].sum() < 1e-13
    assert mean_number(np.log(predicted)) == pytest.approx(survival * mean_number(prior) + n_born, rel=1e-9)


@pytest.mark.parametrize("n_spawned", [0.05, 1.5])
def test_each_object_spawns_a_poisson_number(n_spawned: float) -> None:
    prior, survival, n_born = draw_cardinality(np.random.default_rng(4), 6), 0.8, 0.3
    expected = np.zeros(80)
    for number, probability in enumerate(np.exp(prior)):
        survivors = binom.pmf(np.arange(number + 1), number, survival)
        others = poisson.pmf(np.arange(60), number * n_spawned + n_born)
        total = np.convolve(survivors, others)
        expected[: len(total)] += probability * total
    predicted = np.exp(predict_cardinality(prior, survival, n_born, n_spawned))
    np.testing.assert_allclose(predicted, expected[: len(predicted)], rtol=1e-8, atol=1e-12)
    mean = mean_number(prior) * (survival + n_spawned) + n_born
    assert mean_number(np.log(predicted)) == pytest.approx(mean, rel=1e-9)


def test_poisson_numbers() -> None:
    found = poisson_cardinality(7.5)
    np.testing.assert_allclose(found, poisson.logpmf(np.arange(len(found)), 7.5), rtol=1e-12)
    assert poisson_cardinality(0.0).tolist()[0] == 0.0


def test_trimming_keeps_what_counts() -> None:
    kept = trim_cardinality(np.log([0.5, 0.5, 1e-30, 1e-40]))
    np.testing.assert_allclose(kept, np.log([0.5, 0.5]))


@pytest.mark.parametrize("seed", SEEDS)
def test_symmetric_functions_equal_many_digits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    log_values, degree = rng.normal(0.0, 60.0, 200), 25
    found = log_partial_products(np.zeros(200), log_values, degree)[-1]
    with mpmath.workdps(60):
        coefficients = [mpmath.mpf(1)] + [mpmath.mpf(0)] * degree
        for value in log_values:
            slope = mpmath.exp(mpmath.mpf(float(value)))
            for k in range(degree, 0, -1):
                coefficients[k] += slope * coefficients[k - 1]
        expected = [float(mpmath.log(coefficient)) for coefficient in coefficients]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_leave_one_out_equals_the_product_of_the_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    constants, slopes, weights = rng.normal(0, 5, 9), rng.normal(0, 5, 9), rng.normal(0, 2, 10)
    constants[0] = slopes[1] = -np.inf
    found = log_leave_one_out(log_partial_products(constants, slopes, 9), constants, slopes, weights)
    for i in range(9):
        others = np.delete(np.arange(9), i)
        coefficients = log_partial_products(constants[others], slopes[others], 9)[-1]
        assert found[i] == pytest.approx(np.logaddexp.reduce(coefficients + weights), rel=1e-12)
