"""Covariance of errors of level and slope: the information as an oracle, simulation, and limits."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from gaussmix.classification.evaluation.calibration_error import estimate_calibration_covariance, log_odds_features
from gaussmix.classification.evaluation.outcomes import BinaryOutcomes


def make_rows(p, weights=None):
    """Return rows with given probabilities; outcomes do not matter."""
    return BinaryOutcomes(np.zeros(len(p), dtype=bool), p, np.ones(len(p)) if weights is None else weights)


def draw_probabilities(seed, n_rows=300):
    return expit(np.random.default_rng(seed).normal(-2.0, 1.0, n_rows))


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_inverse_of_the_expected_information(seed):
    p = draw_probabilities(seed)
    x = log_odds_features(p)
    information = (x * (p * (1.0 - p))[:, None]).T @ x
    found = estimate_calibration_covariance(make_rows(p))
    np.testing.assert_allclose(found, np.linalg.inv(information), rtol=1e-9)
    weighted = estimate_calibration_covariance(make_rows(p, np.full(300, 7.0)))
    np.testing.assert_allclose(weighted, found, rtol=1e-9)
    np.testing.assert_allclose(estimate_calibration_covariance(make_rows(np.tile(p, 4))), found / 4.0, rtol=1e-9)


def test_it_is_that_of_fits_to_simulated_outcomes():
    rng, p = np.random.default_rng(0), draw_probabilities(0, 2000)
    z = log_odds_features(p)[:, 1:]
    fits = [LogisticRegression(C=1e8).fit(z, rng.random(2000) < p) for _ in range(300)]
    errors = np.array([[fit.intercept_[0], fit.coef_[0, 0] - 1.0] for fit in fits])
    found = estimate_calibration_covariance(make_rows(p))
    np.testing.assert_allclose(np.cov(errors.T), found, rtol=0.2)


def test_unequal_weights_tell_less():
    p, weights = draw_probabilities(1), np.random.default_rng(1).exponential(size=300)
    equal, unequal = (estimate_calibration_covariance(make_rows(p, each)) for each in (None, weights))
    assert np.trace(unequal) > 1.2 * np.trace(equal)


def test_equal_probabilities_have_an_error_of_the_level_alone():
    found = estimate_calibration_covariance(make_rows(np.full(50, 0.2)))
    z = log_odds_features(np.array([0.2]))[0]
    assert z @ found @ z == pytest.approx(1.0 / (50 * 0.2 * 0.8))


@pytest.mark.parametrize("p", [[0.0, 1.0], [0.0, 0.0, 0.5], [1.0]])
def test_certain_probabilities_give_finite_errors(p):
    assert np.isfinite(estimate_calibration_covariance(make_rows(np.array(p)))).all()
