"""Quantiles of scores: exact fractions as an oracle, and weights as repetitions."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from gaussmix.anomaly.weighted_quantiles import weighted_quantile


@pytest.mark.parametrize("n_rows", [1, 2, 7, 30, 100, 200])
@pytest.mark.parametrize("probability", ["0", "0.01", "0.07", "0.1", "0.29", "0.5", "0.57", "0.95", "1"])
def test_the_quantile_is_the_smallest_score_with_the_fraction_at_or_below(n_rows, probability):
    """In exact arithmetic, where 0.07 times 100 is 7."""
    scores = np.random.default_rng(0).permutation(n_rows).astype(float)
    expected = max(ceil(Fraction(probability) * n_rows), 1) - 1
    assert weighted_quantile(scores, None, float(probability)) == expected
    assert weighted_quantile(scores, np.ones(n_rows), float(probability)) == expected


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_repetitions(seed):
    rng = np.random.default_rng(seed)
    scores, counts = rng.integers(0, 9, 30).astype(float), rng.integers(0, 5, 30)
    for probability in (0.05, 0.5, 0.9, 1.0):
        weighted = weighted_quantile(scores, counts.astype(float), probability)
        assert weighted == weighted_quantile(np.repeat(scores, counts), None, probability)
        assert weighted == weighted_quantile(scores, 0.1 * counts, probability)
