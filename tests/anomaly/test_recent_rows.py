"""Robust location and scale of the last rows: against SciPy, laws of scale, wild values, and which rows are kept."""

import numpy as np
import pytest
from scipy.optimize import brentq

from gaussmix.anomaly.recent_rows import RecentRows, estimate_location_and_scale


def scale_of(values: np.ndarray) -> float:
    return float(2.0 * estimate_location_and_scale(values[:, None]).half_scale[0])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n_rows", "wild_fraction"), [(60, 0.0), (1001, 0.0), (1001, 0.01), (1000, 0.05)])
def test_the_scale_solves_its_equation(seed, n_rows, wild_fraction):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n_rows)
    values[rng.permutation(n_rows)[: int(wild_fraction * n_rows)]] = 40.0
    deviations = np.abs(values - np.sort(values)[(n_rows - 1) // 2])
    expected = brentq(lambda s: np.mean(np.minimum(deviations**2, 50.0 * s**2)) / s**2 - 1.0, 0.1, 100.0, xtol=1e-13)
    assert scale_of(values) == pytest.approx(expected, rel=1e-9)


def test_a_few_wild_values_do_not_move_the_scale_and_many_do():
    values = np.random.default_rng(0).normal(size=1000)
    for size in (1e3, 1e20, 1e200, 1.7e308):
        few, many = values.copy(), values.copy()
        few[:10] = size * np.resize([1, -1], 10)
        many[:30] = size
        assert scale_of(few) < 2.0 * scale_of(values)
        assert scale_of(many) > 0.1 * size


def test_seldom_changes_have_a_scale_that_one_of_them_cannot_set():
    values = np.zeros(1000)
    values[:10] = np.random.default_rng(0).normal(size=10)
    usual = scale_of(values)
    assert usual == pytest.approx(np.sqrt(np.mean(values**2)))
    values[10] = 1e9
    assert scale_of(values) < 10.0 * usual


@pytest.mark.parametrize("factor", [2.0**500, 2.0**-500, -1.0])
def test_units_and_order_of_rows_change_nothing(factor):
    values = np.random.default_rng(0).standard_cauchy(size=501)  # an odd number, so that the median is one of them
    assert scale_of(values * factor) == scale_of(values) * abs(factor)
    assert scale_of(values[::-1]) == scale_of(values)


def test_constant_columns_have_no_scale_and_no_limits():
    estimate = estimate_location_and_scale(np.array([[3.0, 1.0], [3.0, 2.0], [3.0, 9.0]]))
    assert estimate.location.tolist() == [3.0, 2.0]
    assert estimate.half_scale[0] == 0.0
    assert np.isinf(estimate.limits(100.0)[:, 0]).all()
    np.testing.assert_allclose(estimate.limits(3.0)[:, 1], 2.0 + 6.0 * estimate.half_scale[1] * np.array([-1, 1]))


@pytest.mark.parametrize("n_rows", [0, 1, 49, 50, 51, 307])
def test_the_last_rows_are_kept_and_continue_from_a_stored_state(n_rows):
    rows = np.random.default_rng(0).normal(size=(400, 2))
    recent, loaded = RecentRows(50, 2), RecentRows(50, 2)
    for row in rows[:n_rows]:
        recent.append(row)
    loaded.set_tensors(recent.to_tensors())
    for row in rows[n_rows:]:
        assert recent.append(row) == loaded.append(row)
        np.testing.assert_array_equal(np.stack(recent.scales), np.stack(loaded.scales))
    np.testing.assert_array_equal(loaded.rows_in_order(), rows[-50:])
    np.testing.assert_array_equal(recent.rows_in_order(), rows[-50:])


def test_scales_follow_a_change_within_the_rows_that_are_kept():
    rng = np.random.default_rng(0)
    recent = RecentRows(500, 1)
    for scale in (1.0, 1000.0, 1e-3):
        for value in scale * rng.normal(size=(600, 1)):
            recent.append(value)
        assert 2.0 * recent.scales.half_scale[0] == pytest.approx(scale, rel=0.15)


def test_the_first_change_of_a_constant_column_renews_and_a_column_that_becomes_constant_keeps_its_scale():
    recent = RecentRows(10, 1)
    renewals = [recent.append(np.array([value])) for value in (*np.full(400, 7.0), 9.0)]
    assert renewals[-1]
    scale = recent.scales.half_scale.copy()
    assert scale[0] > 0
    for _ in range(100):
        recent.append(np.array([7.0]))
    assert recent.scales.half_scale[0] <= scale[0]
    assert recent.scales.half_scale[0] > 0
