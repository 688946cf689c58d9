"""Normality tests: published values, a direct computation, their level and their power."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import stats

from gaussmix import Mixture
from gaussmix.comparison.normality_tests import (
    MAX_TESTED_ROWS,
    NormalityTestResult,
    run_component_normality_tests,
    run_normality_test,
)


def unit_weights(rows: Any) -> Any:
    """Return a weight of 1 for each row, (n,)."""
    return np.ones(len(rows))


class ReferenceStatistics(NamedTuple):
    """Statistics of rows from the formulas of the papers."""

    skewness: float
    kurtosis: float
    henze_zirkler: float
    henze_zirkler_p_value: float


def compute_by_double_loops(rows: Any) -> ReferenceStatistics:
    """Return skewness, kurtosis, HZ and its p-value, from the formulas of the papers."""
    n, d = rows.shape
    precision = np.linalg.inv(np.cov(rows.T, bias=True).reshape(d, d))
    centred = rows - rows.mean(axis=0)
    beta = (n * (2 * d + 1) / 4) ** (1 / (d + 4)) / np.sqrt(2)
    skewness = kurtosis = pairs = single = 0.0
    for i in range(n):
        own = centred[i] @ precision @ centred[i]
        kurtosis += own**2 / n
        single += np.exp(-(beta**2) * own / (2 * (1 + beta**2)))
        for j in range(n):
            skewness += (centred[i] @ precision @ centred[j]) ** 3 / n**2
            gap = rows[i] - rows[j]
            pairs += np.exp(-(beta**2) / 2 * gap @ precision @ gap)
    distance = pairs / n - 2 * (1 + beta**2) ** (-d / 2) * single + n * (1 + 2 * beta**2) ** (-d / 2)
    a, w = 1 + 2 * beta**2, (1 + beta**2) * (1 + 3 * beta**2)
    mean = 1 - a ** (-d / 2) * (1 + d * beta**2 / a + d * (d + 2) * beta**4 / (2 * a**2))
    variance = 2 * (1 + 4 * beta**2) ** (-d / 2)
    variance += 2 * a ** (-d) * (1 + 2 * d * beta**4 / a**2 + 3 * d * (d + 2) * beta**8 / (4 * a**4))
    variance -= 4 * w ** (-d / 2) * (1 + 3 * d * beta**4 / (2 * w) + d * (d + 2) * beta**8 / (2 * w**2))
    shape = np.sqrt(np.log((variance + mean**2) / mean**2))
    scale = np.sqrt(mean**4 / (variance + mean**2))
    return ReferenceStatistics(skewness, kurtosis, distance, float(stats.lognorm(shape, scale=scale).sf(distance)))


@pytest.mark.parametrize(("n_rows", "n_features", "seed"), [(12, 1, 0), (20, 2, 1), (30, 4, 2), (25, 3, 3)])
def test_statistics_equal_double_loops(n_rows: int, n_features: int, seed: int) -> None:
    rows = np.random.default_rng(seed).gamma(2.0, size=(n_rows, n_features))
    result, direct = run_normality_test(rows, unit_weights(rows)), compute_by_double_loops(rows)
    values = (result.skewness, result.kurtosis, result.henze_zirkler, result.henze_zirkler_p_value)
    assert values == pytest.approx(direct, rel=1e-9)


def test_published_values_of_setosa() -> None:
    """R's MVN on iris[1:50, 1:4]; its kurtosis uses asymptotic moments."""
    from sklearn.datasets import load_iris

    rows = load_iris().data[:50]
    result = run_normality_test(rows, unit_weights(rows))
    assert 50 * result.skewness / 6 == pytest.approx(25.6643445196298, rel=1e-9)
    assert stats.chi2(20).sf(50 * result.skewness / 6) == pytest.approx(0.177185884467652, rel=1e-9)
    assert (result.kurtosis - 24) / np.sqrt(8 * 24 / 50) == pytest.approx(1.29499223711605, rel=1e-9)
    assert result.henze_zirkler == pytest.approx(0.9488453, rel=1e-6)
    assert result.henze_zirkler_p_value == pytest.approx(0.04995356, rel=1e-6)


@pytest.mark.parametrize(("n_rows", "n_features"), [(20, 1), (40, 2), (60, 4), (150, 8)])
def test_p_values_of_gaussian_rows_are_uniform(n_rows: int, n_features: int) -> None:
    rng = np.random.default_rng(n_rows)
    result = [run_normality_test(rows, unit_weights(rows)) for rows in rng.normal(size=(400, n_rows, n_features))]
    for name in ("skewness_p_value", "kurtosis_p_value", "henze_zirkler_p_value"):
        values = np.array([getattr(one, name) for one in result])
        assert 0.02 < (values < 0.05).mean() < 0.10, name
        assert 0.40 < (values < 0.5).mean() < 0.62, name
    assert np.mean([not one.is_plausibly_gaussian for one in result]) < 0.09


@pytest.mark.parametrize("seed", range(3))
def test_affine_maps_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, turn = rng.normal(size=(60, 3)), rng.normal(size=(3, 3))
    plain = run_normality_test(rows, unit_weights(rows))
    for moved in (rows @ turn + [1e4, -3.0, 0.0], rows * [1e-150, 1.0, 1e150], 1e-290 * rows):
        result = run_normality_test(moved, unit_weights(rows))
        for name in (
            "skewness",
            "kurtosis",
            "henze_zirkler",
            "skewness_p_value",
            "kurtosis_p_value",
            "henze_zirkler_p_value",
        ):
            assert getattr(result, name) == pytest.approx(getattr(plain, name), rel=1e-6)


def test_weights_equal_repeated_rows() -> None:
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(40, 2)), rng.integers(1, 4, 40).astype(float)
    repeated = np.repeat(rows, weights.astype(int), axis=0)
    once, often = run_normality_test(rows, weights), run_normality_test(repeated, unit_weights(repeated))
    assert once.total_weight == often.total_weight == weights.sum()
    assert once.henze_zirkler_p_value == pytest.approx(often.henze_zirkler_p_value, rel=1e-9)
    assert once.skewness_p_value == pytest.approx(often.skewness_p_value, rel=1e-9)
    assert once.kurtosis_p_value == pytest.approx(often.kurtosis_p_value, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_non_gaussian_rows_are_rejected(seed: int) -> None:
    rng = np.random.default_rng(seed)
    skew = run_normality_test(rng.exponential(size=(200, 2)), np.ones(200))
    tails = run_normality_test(rng.standard_t(3, size=(400, 2)), np.ones(400))
    ring = rng.normal(size=(300, 2))
    ring = run_normality_test(ring / np.hypot(*ring.T)[:, None] + 0.05 * rng.normal(size=(300, 2)), np.ones(300))
    assert skew.skewness_p_value < 0.001
    assert tails.kurtosis_p_value < 0.001
    assert ring.henze_zirkler_p_value < 0.001
    assert not any(one.is_plausibly_gaussian for one in (skew, tails, ring))


def test_untestable_rows_give_a_reason() -> None:
    few = run_normality_test(np.eye(3), np.ones(3), component=4)
    assert few == few
    assert (few.component, few.skip_reason) == (4, "too few rows for 3 columns")
    assert np.isnan(few.skewness_p_value)
    assert not few.is_tested
    assert not few.is_plausibly_gaussian
    line = np.arange(20.0)[:, None] * [1.0, 2.0]
    assert "plane" in run_normality_test(line, np.ones(20)).skip_reason
    assert "plane" in run_normality_test(np.column_stack([np.arange(20.0), np.full(20, 7.0)]), np.ones(20)).skip_reason
    assert "too few" in run_normality_test(np.random.default_rng(0).normal(size=(20, 2)), np.full(20, 0.1)).skip_reason


OVERLAPPING = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [2.0, 0.0]], [np.eye(2)] * 2)


def test_overlapping_components_are_not_rejected() -> None:
    """Rows drawn for a component keep its tails; hard assignment cuts them off at the border."""
    drawn, cut = [], []
    for seed in range(60):
        rows = OVERLAPPING.sample(300, seed)[0]
        soft = OVERLAPPING.predict_proba(rows)
        drawn.append(
            run_component_normality_tests(soft, rows, unit_weights(rows), np.random.default_rng(seed))[
                0
            ].is_plausibly_gaussian
        )
        own = rows[soft.argmax(axis=1) == 0]
        cut.append(run_normality_test(own, unit_weights(own)).is_plausibly_gaussian)
    assert np.mean(drawn) > 0.85
    assert np.mean(cut) < 0.5


def test_large_components_are_subsampled() -> None:
    rows = OVERLAPPING.sample(5000, 0)[0]
    result = run_component_normality_tests(np.ones((5000, 1)), rows, unit_weights(rows), np.random.default_rng(0))
    assert [one.total_weight for one in result] == [MAX_TESTED_ROWS]


@pytest.mark.parametrize("values", [[0.0, 1.0, 5.0], [0.0, 0.1, 0.5]])
def test_three_rows_of_one_column_are_untestable(values: list[float]) -> None:
    result = run_normality_test(np.array(values)[:, None], np.ones(3))
    assert result.skip_reason == "too few rows for 1 column"
    assert np.isnan(result.bonferroni_p_value)
    assert not result.is_plausibly_gaussian


def test_level_holds_for_many_components_together() -> None:
    alarms = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        groups = rng.integers(0, 9, 900)
        rows = rng.normal(size=(900, 2)) + 20.0 * np.column_stack([groups % 3, groups // 3])
        result = run_component_normality_tests(np.eye(9)[groups], rows, unit_weights(rows), rng)
        assert [one.n_tested_components for one in result] == [9] * 9
        alarms.append(not all(one.is_plausibly_gaussian for one in result))
    assert np.mean(alarms) < 0.12


def test_bonferroni_p_value() -> None:
    result = NormalityTestResult(0, 50.0, skewness_p_value=0.3, kurtosis_p_value=0.01, henze_zirkler_p_value=0.2)
    assert result.bonferroni_p_value == pytest.approx(0.03)
    assert replace(result, n_tested_components=4).bonferroni_p_value == pytest.approx(0.12)
    assert not result.is_plausibly_gaussian
