"""Sums of powers of columns: mean, variance and kurtosis, for any shape, weights and division into batches."""

import numpy as np
import pytest
from scipy.stats import kurtosis

from gaussmix.core.batch import Batch
from gaussmix.core.column_sums import ColumnSums

SHAPES = [(1, 1), (3, 2), (255, 1), (256, 1), (1_000, 1), (1_000, 3), (700, 31), (300, 257), (40, 600)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_moments_are_those_of_numpy_and_scipy(seed: int, shape: tuple[int, int]) -> None:
    rows = np.random.default_rng(seed).gamma(2.0, size=shape) - 1.0
    sums = ColumnSums.from_batch(Batch(rows))
    np.testing.assert_allclose(sums.mean, rows.mean(axis=0), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(sums.variance, rows.var(axis=0), rtol=1e-10, atol=1e-14)
    if len(rows) > 3:
        assert sums.is_centered.all()
        np.testing.assert_allclose(sums.kurtosis, kurtosis(rows, fisher=False), rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_batches_add_and_weights_are_copies(seed: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    rows, counts = rng.normal(size=shape), rng.integers(0, 4, shape[0])
    copies = ColumnSums.from_batch(Batch(np.repeat(rows, counts, axis=0)))
    weighted = Batch(rows, counts.astype(np.float64))
    cut = int(rng.integers(0, shape[0] + 1))
    parts = weighted.sub_batch(0, cut), weighted.sub_batch(cut, shape[0])
    added = ColumnSums.from_batch(parts[0]) + ColumnSums.from_batch(parts[1])
    for sums in (ColumnSums.from_batch(weighted), added):
        assert sums.weight == counts.sum()
        np.testing.assert_allclose(sums.powers, copies.powers, rtol=1e-10, atol=1e-10)


def test_moments_that_rounding_hides_are_not_trusted() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 2)) * [1.0, 1e-9] + [0.0, 1.0]
    sums = ColumnSums.from_batch(Batch(np.column_stack([rows, np.zeros(500), np.ones(500)])))
    assert sums.is_centered.tolist() == [True, False, True, False]
    assert sums.kurtosis[0] < 6.0
    assert not (sums.kurtosis[1:] < 6.0).any()
