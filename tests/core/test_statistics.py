"""Sums, weights, interpolation, selection and affine maps of statistics agree with those of the rows."""

import numpy as np
import pytest

from gaussmix.core.moments import MomentKind, compute_moments
from gaussmix.core.statistics import Statistics, count_levels
from gaussmix.types import ND, NK, IntN

N, D, K, N_LEVELS = 60, 3, 2, 4


def rows_and_responsibilities(seed: int) -> tuple[ND, NK, IntN]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, D)), rng.dirichlet(np.ones(K), N), rng.integers(-1, N_LEVELS, N)


def statistics_of(rows: ND, responsibilities: NK, codes: IntN) -> Statistics:
    moments = compute_moments(rows, responsibilities, np.zeros((K, rows.shape[1])), MomentKind.FULL)
    return Statistics(moments, (count_levels(codes, responsibilities, N_LEVELS),))


def assert_equal(found: Statistics, expected: Statistics) -> None:
    np.testing.assert_allclose(found.mass, expected.mass, rtol=1e-12)
    np.testing.assert_allclose(found.moments.mean, expected.moments.mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.moments.scatter, expected.moments.scatter, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.counts[0], expected.counts[0], rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_statistics_of_disjoint_rows_add(seed: int) -> None:
    rows, responsibilities, codes = rows_and_responsibilities(seed)
    parts = [statistics_of(rows[part], responsibilities[part], codes[part]) for part in (slice(25), slice(25, None))]
    assert_equal(parts[0] + parts[1], statistics_of(rows, responsibilities, codes))


@pytest.mark.parametrize("seed", range(3))
def test_scale_weights_counts_each_row_more_often(seed: int) -> None:
    rows, responsibilities, codes = rows_and_responsibilities(seed)
    found = statistics_of(rows, responsibilities, codes).scale_weights(3.0)
    assert_equal(found, statistics_of(np.tile(rows, (3, 1)), np.tile(responsibilities, (3, 1)), np.tile(codes, 3)))


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_interpolate_is_a_weighted_sum(fraction: float) -> None:
    first, second = (statistics_of(*rows_and_responsibilities(seed)) for seed in (0, 1))
    expected = second if fraction == 1.0 else first
    if 0.0 < fraction < 1.0:
        expected = first.scale_weights(1.0 - fraction) + second.scale_weights(fraction)
    assert_equal(first.interpolate(second, fraction), expected)


def test_components_are_selected_and_permuted_with_their_counts() -> None:
    rows, responsibilities, codes = rows_and_responsibilities(0)
    found = statistics_of(rows, responsibilities, codes)
    swapped = statistics_of(rows, responsibilities[:, ::-1], codes)
    assert_equal(found.permute_components(np.array([1, 0])), swapped)
    selected = found.select_components(np.array([1]))
    np.testing.assert_allclose(selected.counts[0], found.counts[0][1:])
    np.testing.assert_allclose(selected.moments.mean, found.moments.mean[1:])


@pytest.mark.parametrize("seed", range(3))
def test_lifting_maps_rows_and_adds_covariance(seed: int) -> None:
    """The scatter is that of the mapped rows plus the mass times the noise covariance."""
    rows, responsibilities, codes = rows_and_responsibilities(seed)
    rng = np.random.default_rng(seed + 10)
    matrix, offset = rng.normal(size=(K, 5, D)), rng.normal(size=(K, 5))
    covariance = np.array([np.eye(5), 2.0 * np.eye(5)])
    found = statistics_of(rows, responsibilities, codes).lift(matrix, offset, covariance)
    for k in range(K):
        mapped = rows @ matrix[k].T + offset[k]
        mean = responsibilities[:, k] @ mapped / responsibilities[:, k].sum()
        scatter = (responsibilities[:, k, None] * (mapped - mean)).T @ (mapped - mean)
        np.testing.assert_allclose(found.moments.mean[k], mean, rtol=1e-10)
        np.testing.assert_allclose(
            found.moments.scatter[k], scatter + responsibilities[:, k].sum() * covariance[k], rtol=1e-9, atol=1e-9
        )
    np.testing.assert_array_equal(found.counts[0], statistics_of(rows, responsibilities, codes).counts[0])


def test_halves_of_a_split_add_up_to_the_whole() -> None:
    found = statistics_of(*rows_and_responsibilities(0))
    deviation = np.sqrt(np.diagonal(found.moments.scatter, axis1=1, axis2=2) / found.mass[:, None])
    deviation[:, 1:] = 0.0
    low, high = found.split_at_means(deviation)
    assert_equal(low + high, found)
    assert (low.moments.mean[:, 0] < high.moments.mean[:, 0]).all()


def test_to_kind_and_with_scatter_about_change_the_moments() -> None:
    found = statistics_of(*rows_and_responsibilities(0))
    assert found.to_kind(MomentKind.DIAGONAL).moments.kind is MomentKind.DIAGONAL
    np.testing.assert_array_equal(found.with_scatter_about(np.zeros((K, D))).moments.mean, 0.0)
