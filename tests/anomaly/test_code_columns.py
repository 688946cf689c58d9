"""Flags and codes: as unusual as their frequency says."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from gaussmix.anomaly import AnomalyDetector, select_by_fdr
from gaussmix.anomaly.code_columns import CodeColumn, find_code_columns


def _column(values, fractions, n=1000):
    return np.repeat(np.asarray(values, dtype=float), np.round(np.asarray(fractions) * n).astype(int))


@pytest.mark.parametrize("fractions", [(0.9, 0.1), (0.5, 0.45, 0.05), (0.02, 0.96, 0.02)])
def test_a_code_scores_the_mean_of_a_normal_variable_within_its_interval(fractions):
    column = _column(range(len(fractions)), fractions)
    code = CodeColumn.from_values(0, column, None)
    limits = stats.norm.ppf(np.append(0.0, np.cumsum(fractions)).clip(0, 1))
    expected = [stats.truncnorm.mean(low, high) for low, high in pairwise(limits)]
    np.testing.assert_allclose(code.score(np.arange(len(fractions), dtype=float)), expected, atol=1e-9)


def test_spread_codes_are_normal():
    column = _column([0, 1, 5], [0.85, 0.1, 0.05], 4000)
    code = CodeColumn.from_values(0, column, None)
    spread = code.spread(column, np.random.default_rng(0).random(len(column)))
    assert stats.kstest(spread, "norm").pvalue > 0.01
    assert spread[column == 0].max() <= spread[column == 1].min() <= spread[column == 1].max()


def test_values_between_and_beyond_codes_lie_on_lines():
    code = CodeColumn.from_values(0, _column([0, 1], [0.9, 0.1]), None)
    low, middle, high, beyond = code.score(np.array([0.0, 0.5, 1.0, 7.0]))
    assert middle == pytest.approx((low + high) / 2)
    assert beyond == pytest.approx(low + 7 * (high - low))


def test_a_rare_value_beyond_the_codes_is_far():
    column = np.append(_column([0, 1, 2], [0.85, 0.1, 0.05]), 40.0)
    code = CodeColumn.from_values(0, column, None)
    assert code.values.tolist() == [0, 1, 2]
    assert code.score(np.array([40.0]))[0] > 20


def test_units_and_origins_change_nothing_and_weights_count_rows():
    column = _column([0, 1, 3], [0.85, 0.1, 0.05], 200)
    code = CodeColumn.from_values(0, column, None)
    for scaled in (1e200 * column, -1e-200 + 1e-200 * column, column - 7):
        other = CodeColumn.from_values(0, scaled, None)
        np.testing.assert_array_equal(other.score(np.unique(scaled)), code.score(np.unique(column)))
    weighted = CodeColumn.from_values(0, np.array([0.0, 1.0, 3.0]), np.array([170.0, 20.0, 10.0]))
    np.testing.assert_allclose(weighted.latent_means, code.latent_means, rtol=1e-12)


def test_columns_of_many_values_or_of_frequent_values_are_no_codes():
    rng = np.random.default_rng(0)
    flags, levels = rng.random((500, 2)) < [0.4, 0.1], rng.integers(1, 6, 500)
    rows = np.column_stack([rng.normal(size=500), flags, levels])
    assert [code.position for code in find_code_columns(rows, None)] == [2]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fraction", [0.02, 0.05, 0.1])
def test_rows_with_a_rare_flag_are_no_anomalies(seed, fraction):
    rng = np.random.default_rng(seed)
    flags = rng.random((1500, 3)) < fraction
    rows = np.column_stack([rng.normal(size=(1500, 3)), flags])
    rows[:5, 0] = 9.0
    detector = AnomalyDetector(random_state=seed).fit(rows)
    selected = select_by_fdr(detector.training_p_values_, 0.05)
    assert selected[:5].sum() >= 3  # anomalies that share a component with normal rows hide one another
    assert selected[5:].sum() <= 2


def test_a_flag_that_no_training_row_has_is_an_anomaly():
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(800, 2)), rng.random(800) < 0.05])
    detector = AnomalyDetector(random_state=0).fit(rows)
    assert detector.predict([[0, 0, 0], [0, 0, 1], [0, 0, 7], [0, 0, -3]]).tolist() == [1, 1, -1, -1]


def test_codes_are_saved(tmp_path):
    rng = np.random.default_rng(0)
    rows = np.column_stack([np.ones(300), rng.normal(size=300), rng.random(300) < 0.1, rng.random(300) < 0.05])
    detector = AnomalyDetector(n_components=2, n_repeats=1, random_state=0).fit(rows)
    detector.save(tmp_path / "detector.safetensors")
    loaded = AnomalyDetector.load(tmp_path / "detector.safetensors")
    np.testing.assert_array_equal(loaded.score_samples(rows), detector.score_samples(rows))
