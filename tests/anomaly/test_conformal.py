"""Conformal p-values and Benjamini-Hochberg: a double loop and SciPy as oracles, and validity."""

import numpy as np
import pytest
from scipy import stats

from gaussmix.anomaly import conformal_p_values, select_by_fdr
from gaussmix.anomaly.calibration import CalibrationScores, parse_density_ratios
from gaussmix.anomaly.conformal import find_p_value_limit
from gaussmix.errors import AnomalyParameterError, ParameterError


def count_p_values(calibration, scores, calibration_weights, weights):
    """The definition, one pair of scores after the other."""
    p_values = []
    for score, weight in zip(scores, weights, strict=True):
        at_least = weight + sum(w for s, w in zip(calibration, calibration_weights, strict=True) if s >= score)
        p_values.append(at_least / (sum(calibration_weights) + weight))
    return p_values


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("has_ties", [False, True])
def test_p_values_are_those_of_the_definition(seed, has_ties):
    rng = np.random.default_rng(seed)
    calibration, scores = rng.normal(size=40), rng.normal(size=30)
    if has_ties:
        calibration, scores = np.round(calibration), np.round(scores)
    own, new = rng.uniform(0.1, 3.0, 40), rng.uniform(0.1, 3.0, 30)
    expected = count_p_values(calibration, scores, np.ones(40), np.ones(30))
    np.testing.assert_allclose(conformal_p_values(calibration, scores), expected, rtol=1e-14)
    expected = count_p_values(calibration, scores, own, new)
    np.testing.assert_allclose(conformal_p_values(calibration, scores, own, new), expected, rtol=1e-12)


def test_p_values_by_half_compare_each_calibration_row_by_the_fits_that_have_not_seen_it():
    rng = np.random.default_rng(0)
    halves, scores_by_half = rng.integers(0, 2, (25, 2)), rng.integers(0, 5, (12, 2, 2)).astype(float)
    own, weights = 0.5 * rng.integers(0, 9, 25), rng.uniform(0.5, 2.0, 25)  # the mean of two whole numbers has ties
    for used in (None, weights):
        calibration = CalibrationScores.from_scores(own, used, halves, True, True)
        found = np.exp(calibration.log_p_values(scores_by_half, None, None, None))
        masses = np.ones(25) if used is None else used
        for i in range(12):
            at_least = 1.0
            for j in range(25):
                unseen = np.mean([scores_by_half[i, r, 1 - halves[j, r]] for r in range(2)])
                at_least += masses[j] * (own[j] >= unseen)
            assert found[i] == pytest.approx(at_least / (1.0 + masses.sum()), rel=1e-12)


@pytest.mark.parametrize("n_values", [3, 10**9])
def test_p_values_of_normal_rows_are_valid_and_with_random_ties_uniform(n_values):
    """One fresh row and one fresh calibration set a run."""
    rng = np.random.default_rng(1)
    scores = rng.integers(0, n_values, (2000, 20)).astype(float)
    exact = np.array([conformal_p_values(row[1:], row[:1])[0] for row in scores])
    for level in (0.05, 0.1, 0.25, 0.5, 0.75):
        assert (exact <= level).mean() <= level + 3.0 * np.sqrt(level * (1.0 - level) / 2000)
    assert exact.min() >= 1.0 / 20
    random = np.array([conformal_p_values(row[1:], row[:1], rng=rng)[0] for row in scores])
    assert stats.kstest(random, "uniform").pvalue > 0.01
    assert (random <= exact).all()


def test_a_weight_is_a_repetition_and_no_row_has_a_p_value_of_one():
    rng = np.random.default_rng(2)
    calibration, counts, scores = rng.normal(size=30), rng.integers(0, 4, 30), rng.normal(size=9)
    weighted = conformal_p_values(calibration, scores, counts.astype(float))
    np.testing.assert_allclose(weighted, conformal_p_values(np.repeat(calibration, counts), scores), rtol=1e-14)
    assert conformal_p_values(np.empty(0), scores).tolist() == [1.0] * 9


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("fdr", [0.05, 0.2, 0.9])
def test_the_selection_is_that_of_scipy(seed, fdr):
    rng = np.random.default_rng(seed)
    p_values = np.round(np.append(rng.uniform(size=60), 0.02 * rng.uniform(size=10)), 3)
    expected = stats.false_discovery_control(p_values) <= fdr
    assert select_by_fdr(p_values, fdr).tolist() == expected.tolist()
    counts = rng.integers(0, 4, 70)
    repeated = stats.false_discovery_control(np.repeat(p_values, counts)) <= fdr
    assert np.repeat(select_by_fdr(p_values, fdr, counts.astype(float)), counts).tolist() == repeated.tolist()


def test_all_none_or_no_rows_may_be_selected():
    assert select_by_fdr(np.full(5, 0.01), 0.05).all()
    assert not select_by_fdr(np.full(5, 0.5), 0.05).any()
    assert select_by_fdr(np.empty(0), 0.05).shape == (0,)
    assert find_p_value_limit(np.array([0.001, 0.5]), 0.05) == 0.001
    assert find_p_value_limit(np.array([0.5]), 0.05) == -1.0


def test_density_ratios_come_in_pairs_of_the_right_length_and_for_clean_rows():
    clean = CalibrationScores.from_scores(np.arange(4.0), None, np.full((4, 1), -1), True, False)
    dirty = CalibrationScores.from_scores(np.arange(4.0), None, np.full((4, 1), -1), False, False)
    assert parse_density_ratios(clean, None, None, 2) == (None, None)
    new, own = parse_density_ratios(clean, [1, 2], [1, 2, 3, 4], 2)
    assert new.tolist() == [1, 2]
    assert own.tolist() == [1, 2, 3, 4]
    with pytest.raises(AnomalyParameterError, match="give calibration_density_ratio, too"):
        parse_density_ratios(clean, [1, 2], None, 2)
    with pytest.raises(AnomalyParameterError, match="give density_ratio, too"):
        parse_density_ratios(clean, None, [1, 2], 2)
    with pytest.raises(AnomalyParameterError, match="training='clean'"):
        parse_density_ratios(dirty, [1, 2], [1, 2, 3, 4], 2)
    for new, own in (([1.0], [1, 2, 3, 4]), ([1, -2], [1, 2, 3, 4]), ([1, 2], [1, 2, 3]), ([1, np.nan], [1, 2, 3, 4])):
        with pytest.raises((ParameterError, ValueError), match="density_ratio"):
            parse_density_ratios(clean, new, own, 2)
