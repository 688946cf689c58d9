"""Intervals of rates: SciPy's Wilson interval, its extension to rows of different probability, and their coverage."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binomtest

from gaussmix.classification.evaluation.outcomes import BinaryOutcomes, parse_outcomes
from gaussmix.classification.evaluation.rate_intervals import (
    effective_count,
    rate_interval_given_probabilities,
    wilson_interval,
)
from tests.classification.evaluation.outcome_samples import draw_sample


@pytest.mark.parametrize(("successes", "count"), [(0, 5), (1, 7), (20, 50), (50, 50), (999, 1000)])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_wilson_is_that_of_scipy(successes, count, level):
    expected = binomtest(successes, count).proportion_ci(level, method="wilson")
    assert wilson_interval(successes / count, count, level) == pytest.approx(tuple(expected), abs=1e-12)


@pytest.mark.parametrize(("successes", "count"), [(0, 5), (3, 20), (50, 50)])
@pytest.mark.parametrize("p", [0.02, 0.5, 0.9])
def test_rows_of_equal_probability_have_wilsons_interval_whatever_it_is(successes, count, p):
    y = np.arange(count) < successes
    found = rate_interval_given_probabilities(parse_outcomes(y, np.full(count, p)), 0.9)
    assert found == pytest.approx(wilson_interval(successes / count, count, 0.9), abs=1e-9)


def test_probabilities_that_explain_outcomes_shorten_the_interval():
    y, p, _ = draw_sample(0, 500)
    known, unknown = (
        rate_interval_given_probabilities(parse_outcomes(y, q), 0.95) for q in (p, np.full(500, p.mean()))
    )
    assert 0.7 < (known.high - known.low) / (unknown.high - unknown.low) < 0.95
    wide = rate_interval_given_probabilities(parse_outcomes(y, p), 0.99)
    assert wide.low < known.low < y.mean() < known.high < wide.high


@pytest.mark.parametrize("p", [np.zeros(4), np.ones(4), np.array([0.0, 1.0, 1.0, 0.0])])
def test_certain_probabilities_give_finite_ends(p):
    for y in ([0, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 1]):
        low, high = rate_interval_given_probabilities(parse_outcomes(y, p), 0.95)
        assert 0.0 <= low <= np.mean(y) + 1e-12
        assert np.mean(y) - 1e-12 <= high <= 1.0


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_the_interval_covers_the_expected_rate(bias):
    """Shifted log-odds are the family of the interval."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(400):
        log_odds = 2.0 * rng.normal(size=60) - 1.5
        rates = expit(log_odds + bias)
        y = rng.uniform(size=60) < rates
        low, high = rate_interval_given_probabilities(parse_outcomes(y, expit(log_odds)), 0.9)
        hits += low <= rates.mean() <= high
    assert 0.86 <= hits / 400 <= 0.94


def test_the_effective_count_is_kishs():
    assert effective_count(np.full(7, 1e-90)) == pytest.approx(7.0)
    assert effective_count(np.array([1.0, 1.0, 0.0])) == pytest.approx(2.0)
    weights = draw_sample(0).weights
    assert effective_count(weights) == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    y, p, _ = draw_sample(0)
    weighted = rate_interval_given_probabilities(BinaryOutcomes(y, p, 1e80 * weights), 0.95)
    assert weighted == pytest.approx(rate_interval_given_probabilities(BinaryOutcomes(y, p, weights), 0.95), abs=1e-12)
