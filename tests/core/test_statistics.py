"""Statistics add, scale, interpolate and lift as sums over rows do."""

import numpy as np
import pytest

from gaussmix.core.moments import MomentKind, compute_moments
from gaussmix.core.statistics import Statistics, count_levels
from gaussmix.types import ND, NK, IntN

N, D, K, LEVELS = 60, 3, 2, 4


def rows_and_responsibilities(seed: int) -> tuple[ND, NK, IntN]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, D)), rng.dirichlet(np.ones(K), N), rng.integers(-1, LEVELS, N)


def statistics_of(rows: ND, responsibilities: NK, codes: IntN) -> Statistics:
    moments = compute_moments(rows, responsibilities, np.zeros((K, rows.shape[1])), MomentKind.FULL)
    return Statistics(moments, (count_levels(codes, responsibilities, LEVELS),))


def assert_equal(found: Statistics, expected: Statistics) -> None:
    np.testing.assert_allclose(found.mass, expected.mass, rtol=1e-12)
    np.testing.assert_allclose(found.moments.mean, expected.moments.mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.moments.scatter, expected.moments.scatter, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.counts[0], expected.counts[0], rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_parts_add_up_to_the_whole(seed: int) -> None:
    rows, shares, codes = rows_and_responsibilities(seed)
    parts = [statistics_of(rows[part], shares[part], codes[part]) for part in (slice(25), slice(25, None))]
    assert_equal(parts[0] + parts[1], statistics_of(rows, shares, codes))


@pytest.mark.parametrize("seed", range(3))
def test_scaling_counts_each_row_more_often(seed: int) -> None:
    rows, shares, codes = rows_and_responsibilities(seed)
    found = statistics_of(rows, shares, codes).scale_weights(3.0)
    assert_equal(found, statistics_of(np.tile(rows, (3, 1)), np.tile(shares, (3, 1)), np.tile(codes, 3)))


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_interpolation_is_a_weighted_sum(fraction: float) -> None:
    first, second = (statistics_of(*rows_and_responsibilities(seed)) for seed in (0, 1))
    expected = second if fraction == 1.0 else first
    if 0.0 < fraction < 1.0:
        expected = first.scale_weights(1.0 - fraction) + second.scale_weights(fraction)
    assert_equal(first.interpolate(second, fraction), expected)


def test_components_are_taken_and_permuted_with_their_counts() -> None:
    rows, shares, codes = rows_and_responsibilities(0)
    found = statistics_of(rows, shares, codes)
    swapped = statistics_of(rows, shares[:, ::-1], codes)
    assert_equal(found.permute_components(np.array([1, 0])), swapped)
    taken = found.select_components(np.array([1]))
    np.testing.assert_allclose(taken.counts[0], found.counts[0][1:])
    np.testing.assert_allclose(taken.moments.mean, found.moments.mean[1:])


@pytest.mark.parametrize("seed", range(3))
def test_lifting_predicts_all_columns_from_the_observed_ones(seed: int) -> None:
    """An affine map of the rows, and mass times the conditional covariance on top."""
    rows, shares, codes = rows_and_responsibilities(seed)
    rng = np.random.default_rng(seed + 10)
    matrix, offset = rng.normal(size=(K, 5, D)), rng.normal(size=(K, 5))
    covariance = np.array([np.eye(5), 2.0 * np.eye(5)])
    found = statistics_of(rows, shares, codes).transform_and_add_noise(matrix, offset, covariance)
    for k in range(K):
        mapped = rows @ matrix[k].T + offset[k]
        mean = shares[:, k] @ mapped / shares[:, k].sum()
        scatter = (shares[:, k, None] * (mapped - mean)).T @ (mapped - mean)
        np.testing.assert_allclose(found.moments.mean[k], mean, rtol=1e-10)
        np.testing.assert_allclose(
            found.moments.scatter[k], scatter + shares[:, k].sum() * covariance[k], rtol=1e-9, atol=1e-9
        )
    np.testing.assert_array_equal(found.counts[0], statistics_of(rows, shares, codes).counts[0])


def test_halves_add_up_to_the_whole() -> None:
    found = statistics_of(*rows_and_responsibilities(0))
    deviation = np.sqrt(np.diagonal(found.moments.scatter, axis1=1, axis2=2) / found.mass[:, None])
    deviation[:, 1:] = 0.0
    low, high = found.split_at_means(deviation)
    assert_equal(low + high, found)
    assert (low.moments.mean[:, 0] < high.moments.mean[:, 0]).all()


def test_reduction_and_recentering_reach_the_moments() -> None:
    found = statistics_of(*rows_and_responsibilities(0))
    assert found.to_kind(MomentKind.DIAGONAL).moments.kind is MomentKind.DIAGONAL
    np.testing.assert_array_equal(found.with_scatter_about(np.zeros((K, D))).moments.mean, 0.0)
