"""Summaries of columns: ranks, quantiles and tests of drift equal those of SciPy and NumPy."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp, percentileofscore

from gaussmix.classification.churn.column_summary import CategoricalSummary, NumericSummary
from gaussmix.classification.churn.drift_tests import compare_levels, compare_numbers


def summarize(values, weights=None):
    return NumericSummary.from_values("x", values, np.ones(len(values)) if weights is None else weights)


@pytest.mark.parametrize("seed", range(3))
def test_ranks_are_mean_percentiles(seed):
    rng = np.random.default_rng(seed)
    values, new = rng.integers(0, 20, 150).astype(float), np.r_[rng.integers(-2, 22, 30), 3.5]
    found = summarize(values).ranks(new)
    np.testing.assert_allclose(found, [percentileofscore(values, v, kind="mean") / 100 for v in new], atol=1e-12)


def test_ranks_of_many_values_are_right_to_a_thousandth():
    values = np.random.default_rng(0).normal(size=20_000)
    summary = summarize(values)
    assert not summary.is_complete
    assert len(summary.points) == 1000
    new = np.linspace(-3, 3, 50)
    expected = [percentileofscore(values, v, kind="mean") / 100 for v in new]
    np.testing.assert_allclose(summary.ranks(new), expected, atol=1e-3)
    assert np.isin(summary.points, values).all()


@pytest.mark.parametrize("n", [7, 5000])
def test_quantiles_are_values_that_occur(n):
    values = np.random.default_rng(1).exponential(size=n)
    summary, probabilities = summarize(values), np.array([0.05, 0.5, 0.95, 1.0])
    found = summary.quantiles(probabilities)
    assert np.isin(found, values).all()
    np.testing.assert_array_equal(found, np.quantile(values, probabilities, method="inverted_cdf"))
    assert summary.median == np.quantile(values, 0.5, method="inverted_cdf")


def test_weights_and_gaps_count():
    values = np.array([1.0, 2.0, np.nan, 3.0])
    summary = summarize(values, np.array([1.0, 1.0, 2.0, 2.0]))
    np.testing.assert_allclose(summary.cumulative, [0.25, 0.5, 1.0])
    assert summary.n_missing / summary.n_present == pytest.approx(0.5)
    empty = summarize(np.full(3, np.nan))
    assert np.isnan(empty.ranks(np.array([1.0]))).all()
    assert np.isnan(empty.median)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("decimals", [None, 1])
def test_distances_of_numbers_are_those_of_scipy(seed, decimals):
    rng = np.random.default_rng(seed)
    old, new = rng.normal(size=400), rng.normal(0.2, 1.0, 300)
    if decimals is not None:
        old, new = np.round(old, decimals), np.round(new, decimals)
    found, oracle = compare_numbers(summarize(old), new), ks_2samp(old, new, method="asymp")
    assert found.distance == pytest.approx(oracle.statistic, abs=1e-12)
    # Twice, since missing cells are tested, too; the two approximations of the tail differ a little.
    assert found.p_value == pytest.approx(min(1.0, 2.0 * oracle.pvalue), rel=0.1, abs=2e-3)


def test_quantiles_of_many_values_nearly_give_the_distance():
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=30_000), rng.normal(0.05, 1.0, 20_000)
    found, oracle = compare_numbers(summarize(old), new), ks_2samp(old, new, method="asymp")
    assert oracle.statistic - 0.002 <= found.distance <= oracle.statistic


@pytest.mark.parametrize("seed", range(4))
def test_levels_are_compared_by_pearsons_test(seed):
    rng = np.random.default_rng(seed)
    old, new = rng.multinomial(500, [0.5, 0.3, 0.2]), rng.multinomial(200, [0.4, 0.4, 0.2])
    summary = CategoricalSummary("x", ("a", "b", "c"), old.astype(float), 0.0)
    found = compare_levels(summary, new.astype(float), 0.0, 0.0)
    assert found.p_value == pytest.approx(chi2_contingency([old, new], correction=False).pvalue, rel=1e-10)
    assert found.distance == pytest.approx(0.5 * np.abs(old / 500 - new / 200).sum())


def test_the_stability_index_is_its_sum():
    summary = CategoricalSummary("x", ("a", "b"), np.array([700.0, 300.0]), 0.0)
    found = compare_levels(summary, np.array([400.0, 600.0]), 0.0, 0.0)
    p, q = np.array([700.5, 300.5]) / 1001, np.array([400.5, 600.5]) / 1001
    assert found.stability_index == pytest.approx(((q - p) * np.log(q / p)).sum())
    same = compare_levels(summary, np.array([70.0, 30.0]), 0.0, 0.0)
    assert same.stability_index < 1e-3
    assert same.p_value > 0.9


def test_unknown_values_and_missing_cells_are_a_difference():
    summary = CategoricalSummary("x", ("a", "b"), np.array([500.0, 500.0]), 0.0)
    counts = np.array([450.0, 450.0])
    for n_missing, n_unknown in ((100.0, 0.0), (0.0, 100.0)):
        assert compare_levels(summary, counts, n_missing, n_unknown).p_value < 1e-6
    numbers = np.random.default_rng(0).normal(size=1000)
    gaps = np.where(np.arange(1000) < 100, np.nan, numbers)
    found = compare_numbers(summarize(numbers), gaps)
    assert found.p_value < 1e-6
    assert found.distance < 0.1


def test_rare_levels_are_tested_together():
    """Forty levels of one row each would give chi-square a wrong tail."""
    rng, p_values = np.random.default_rng(0), []
    for _ in range(200):
        old, new = (np.bincount(rng.integers(0, 40, n), minlength=40).astype(float) for n in (60, 40))
        summary = CategoricalSummary("x", tuple(range(40)), old, 0.0)
        p_values.append(compare_levels(summary, new, 0.0, 0.0).p_value)
    assert np.mean(np.array(p_values) < 0.05) <= 0.08


def test_no_present_cells_are_compared_without_a_distance():
    found = compare_numbers(summarize(np.arange(20.0)), np.full(20, np.nan))
    assert found.distance == 0.0
    assert found.p_value < 1e-6
    assert np.isfinite(found.stability_index)
    assert compare_numbers(summarize(np.full(9, np.nan)), np.full(5, np.nan)).p_value == 1.0
