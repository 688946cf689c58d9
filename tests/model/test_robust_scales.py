"""Scales of columns: those of all rows, except where a few far rows have nearly all of the variance."""

import numpy as np
import pytest

from gaussmix.core.batch import Batch
from gaussmix.core.column_sums import ColumnSums
from gaussmix.core.frame import ColumnRange
from gaussmix.covariance import Structure
from gaussmix.model import Problem
from gaussmix.model.robust_scales import ColumnScales, robust_column_scales
from gaussmix.sources import MemorySource
from gaussmix.types import ND, D, N

SEEDS = range(4)
FAR_VALUES = {
    "one slip": [1e6],
    "sentinels": [65535.0] * 10,
    "missing": [-9999.0] * 80,
    "two sentinels": [65535.0] * 5 + [-9999.0] * 5,
    "three levels": [1e12] + [65535.0] * 5 + [300.0] * 5,
    "spread": [1e4, 2e5, -3e5, 4e5, 1e6],
}


def group_rows(seed: int, n_rows: int = 1000) -> ND:
    rng = np.random.default_rng(seed)
    return rng.normal(0.0, 0.1, (n_rows, 2)) + rng.integers(1, 3, (n_rows, 1))


def with_far_rows(seed: int, name: str) -> ND:
    rows = group_rows(seed)
    rows[np.random.default_rng(seed).choice(1000, len(FAR_VALUES[name]), replace=False), 0] = FAR_VALUES[name]
    return rows


def variances_in_data_units(rows: ND, weights: N | None = None, structure: str = "VVV") -> D:
    problem = Problem.from_source(MemorySource.from_array(rows, weights), Structure.from_name(structure))
    return np.ldexp(problem.column_variances, -2 * problem.source.frame.total_exponent)


@pytest.mark.parametrize("structure", ["EII", "VVV"])
@pytest.mark.parametrize("name", FAR_VALUES)
@pytest.mark.parametrize("seed", SEEDS)
def test_far_rows_change_no_scale(seed: int, name: str, structure: str) -> None:
    rows, plain = with_far_rows(seed, name), group_rows(seed).var(axis=0)
    found = variances_in_data_units(rows, structure=structure)
    np.testing.assert_allclose(found, plain, rtol=0.1)
    problem = Problem.from_source(MemorySource.from_array(rows), Structure.from_name(structure))
    assert problem.far_row_columns == [0]
    np.testing.assert_allclose(problem.source.frame.restore_means(np.zeros((1, 2)))[0], 1.5, atol=0.1)


@pytest.mark.parametrize("name", ["one slip", "three levels"])
def test_order_units_and_copies_change_nothing(name: str) -> None:
    rows = with_far_rows(1, name)
    expected = variances_in_data_units(rows)
    shuffled = np.random.default_rng(0).permutation(rows)
    np.testing.assert_allclose(variances_in_data_units(shuffled), expected, rtol=1e-12)
    np.testing.assert_allclose(variances_in_data_units(rows * [3e-7, 1e9]), expected * [9e-14, 1e18], rtol=1e-4)
    np.testing.assert_allclose(variances_in_data_units(rows + np.array([50.0, -7.0])), expected, rtol=1e-3)
    np.testing.assert_allclose(variances_in_data_units(np.repeat(rows, 2, axis=0)), expected, rtol=1e-9)
    np.testing.assert_allclose(variances_in_data_units(rows, np.full(1000, 2.0)), expected, rtol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_ordinary_rows_keep_the_overall_variance(seed: int) -> None:
    """Normal, grouped, skewed, discrete and zero-heavy columns, and half of the rows far away."""
    rng = np.random.default_rng(seed)
    half = np.where(np.arange(500) < 250, 1e9, 0.0) + rng.normal(size=500)
    zeros = np.where(rng.random(500) < 0.97, 0.0, rng.exponential(5.0, 500))
    columns = [rng.normal(size=500), rng.exponential(size=500), rng.standard_t(5, 500), half, zeros]
    rows = np.column_stack([*columns, rng.poisson(0.05, 500), np.full(500, 7.0)])
    np.testing.assert_allclose(variances_in_data_units(rows), rows.var(axis=0), rtol=1e-9)
    # Equal values of different rounding errors are one value, whose variance is no scale.
    equal = np.where(np.arange(500) < 480, 0.3 + 1e-16 * rng.integers(-2, 3, 500), rng.normal(5.0, 1.0, 500))
    np.testing.assert_allclose(variances_in_data_units(equal[:, None]), equal.var(), rtol=1e-9)


def test_far_rows_of_a_column_of_zeros() -> None:
    """The other values tell how far is far, where most rows have one value."""
    rng = np.random.default_rng(0)
    zeros = np.where(rng.random(2000) < 0.8, 0.0, rng.exponential(5.0, 2000))
    rows = zeros.copy()
    rows[[3, 500, 700]] = 1e6
    ratio = float(variances_in_data_units(rows[:, None])[0] / zeros.var())
    assert 0.2 < ratio <= 1.01  # far exponential values are clipped, too


def test_many_rows() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60_000, 2))
    rows[rng.choice(60_000, 3, replace=False), 1] = 1e8
    expected = variances_in_data_units(rows)
    np.testing.assert_allclose(expected, 1.0, rtol=0.1)
    np.testing.assert_allclose(variances_in_data_units(rows[::-1]), expected, rtol=1e-12)


@pytest.mark.parametrize("far_fraction", [1e-3, 0.01, 0.05, 0.09, 0.0999])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_small_kurtosis_hides_no_far_rows(seed: int, far_fraction: float) -> None:
    """Far rows of up to a tenth of the weight leave a kurtosis of 8, wherever they are."""
    rng = np.random.default_rng(seed)
    for distance in (20.0, 100.0, 1e5):
        rows = rng.normal(size=(4_000, 6))
        is_far = np.arange(4_000) < far_fraction * 4_000
        rows[is_far] += distance * rng.choice([[1.0, 1, 1, -1, 3, 1], [1.0, -1, 2, -1, 1, 1]], is_far.sum())
        sums = ColumnSums.from_batch(Batch(rows))
        scales, value_range = ColumnScales(sums.mean, sums.variance), ColumnRange.from_rows(rows)
        source = MemorySource.from_array(rows)
        found = robust_column_scales(source, scales, value_range)
        np.testing.assert_array_equal(
            robust_column_scales(source, scales, value_range, sums.kurtosis).variance, found.variance
        )
        if distance > 1e4:
            assert (found.variance < 0.01 * scales.variance).any()
