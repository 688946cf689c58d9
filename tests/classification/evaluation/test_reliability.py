"""Reliability bins are those of the definition; their error by chance is that of simulations."""

import itertools

import numpy as np
import pytest

from gaussmix.classification import compute_measures, reliability_table
from gaussmix.classification.evaluation.rate_intervals import wilson_interval
from tests.classification.evaluation.outcome_samples import draw_sample


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_bins", [1, 7, 10])
def test_bins_of_distinct_probabilities_are_parts_of_the_sorted_rows(seed, n_bins):
    y, p, _ = draw_sample(seed, 40 * n_bins)
    order = np.argsort(p)
    parts = np.split(order, n_bins)
    found = reliability_table(y, p, n_bins=n_bins)
    for part, one in zip(parts, found.bins, strict=True):
        assert one.n_rows == one.weight == len(part)
        assert one.rate == pytest.approx(y[part].mean())
        assert one.mean_probability == pytest.approx(p[part].mean())
        assert (one.min_probability, one.max_probability) == (p[part].min(), p[part].max())
        assert one.rate_interval == pytest.approx(wilson_interval(y[part].mean(), len(part), 0.95))
        assert one.chance_deviation == pytest.approx(np.sqrt((p[part] * (1 - p[part])).sum()) / len(part))
    expected = np.mean([abs(y[part].mean() - p[part].mean()) for part in parts])
    assert found.calibration_error == pytest.approx(expected)
    assert compute_measures(y, p, n_bins=n_bins).calibration_error == pytest.approx(expected)


@pytest.mark.parametrize("n_rows", [3, 15, 101, 1003])
def test_bins_differ_by_at_most_one_row(n_rows):
    y, p, _ = draw_sample(0, n_rows)
    counts = [one.n_rows for one in reliability_table(y, p).bins]
    assert len(counts) == min(n_rows, 10)
    assert sum(counts) == n_rows
    assert max(counts) - min(counts) <= 1
    tenths = reliability_table(y, p, np.full(n_rows, 0.1))
    assert [one.n_rows for one in tenths.bins] == counts, "rounding of weights moves no row"


@pytest.mark.parametrize("seed", range(3))
def test_equal_probabilities_share_a_bin_and_the_order_of_rows_does_not_matter(seed):
    y, p, weights = draw_sample(seed, 300, n_distinct=7)
    order = np.random.default_rng(seed).permutation(300)
    found, other = reliability_table(y, p, weights), reliability_table(y[order], p[order], weights[order])
    assert len(found.bins) <= 8
    for one, two in zip(found.bins, other.bins, strict=True):
        assert one.n_rows == two.n_rows
        assert one.rate == pytest.approx(two.rate, rel=1e-12)
    edges = [(one.min_probability, one.max_probability) for one in found.bins]
    assert all(high < low for (_, high), (low, _) in itertools.pairwise(edges))


def test_one_probability_has_one_bin():
    (one,) = reliability_table([0, 1, 1, 1], np.full(4, 0.5)).bins
    assert (one.n_rows, one.rate, one.mean_probability) == (4, 0.75, 0.5)


def test_the_error_by_chance_is_the_mean_of_right_probabilities():
    rng = np.random.default_rng(0)
    p = rng.beta(1.0, 2.0, 800)
    errors = [reliability_table(rng.uniform(size=800) < p, p).calibration_error for _ in range(200)]
    assert reliability_table(p > 0.5, p).calibration_error_by_chance == pytest.approx(np.mean(errors), rel=0.06)
    y, p, _ = draw_sample(0, 4000, bias=1.0)
    found = reliability_table(y, p)
    assert found.calibration_error > 5.0 * found.calibration_error_by_chance


def test_histogram_counts_all_rows():
    y, p, weights = draw_sample(1)
    p[:2], y[:2] = [0.0, 1.0], [True, False]
    found = reliability_table(y, p, weights)
    assert found.histogram_positive.sum() == pytest.approx(weights[y].sum())
    assert found.histogram_negative.sum() == pytest.approx(weights[~y].sum())
    assert len(found.histogram_edges) == len(found.histogram_positive) + 1
    assert found.histogram_positive[0] >= weights[0]


def test_level_and_weights_change_intervals_and_the_table_shows_them():
    y, p, weights = draw_sample(2)
    narrow, wide = reliability_table(y, p, level=0.5), reliability_table(y, p, level=0.99)
    for low, high in zip(narrow.bins, wide.bins, strict=True):
        assert high.rate_interval.low < low.rate_interval.low <= low.rate <= low.rate_interval.high
    row = wide.table()[3]
    assert row["rate_low"] == wide.bins[3].rate_interval.low
    assert row["mean_probability"] == wide.bins[3].mean_probability
    assert reliability_table(y, p, weights).table() != reliability_table(y, p).table()
