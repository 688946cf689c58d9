"""Moments add: in any order, in any grouping, over any chunks, far from the origin too."""

from functools import reduce as fold
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussmix.core.moments import MomentKind, Moments, compute_moments, total_scatter
from gaussmix.types import ND, NK
from tests.laws.strategies import cuts, groups, seeds

kinds = st.sampled_from(MomentKind)
N_ROWS, K_ = 60, 3


def random_table(seed: int, offset: float) -> tuple[ND, NK]:
    """Rows at an offset in standard deviations, and the responsibilities of three components."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(K_), N_ROWS)
    shares[rng.random(shares.shape) < 0.1] = 0.0
    return groups(seed, N_ROWS) + offset, shares


def moments_of_rows(rows: ND, shares: NK, kind: MomentKind) -> Moments:
    center = rows[:1] if len(rows) else np.zeros((1, rows.shape[1]))
    return compute_moments(rows, shares, np.repeat(center, K_, axis=0), kind)


def assert_same(found: Moments, expected: Moments, offset: float = 0.0) -> None:
    """Equal to rounding; means that lie far out are known to the rounding of the offset only."""
    rounding = 1e-12 + 8e-16 * abs(offset)
    np.testing.assert_allclose(found.mass, expected.mass, rtol=1e-12, atol=1e-13)
    held = expected.mass > 1e-9
    np.testing.assert_allclose(found.mean[held], expected.mean[held], rtol=1e-12, atol=rounding)
    size = np.abs(expected.scatter).max(initial=0.0)
    np.testing.assert_allclose(found.scatter, expected.scatter, atol=30 * rounding * size)
    assert found.kind is expected.kind


@given(seeds, kinds)
def test_merge_is_commutative(seed: int, kind: MomentKind) -> None:
    rows, shares = random_table(seed, 0.0)
    first, second = (moments_of_rows(rows[part], shares[part], kind) for part in (slice(0, 20), slice(20, None)))
    assert_same(first + second, second + first)


@given(seeds, kinds)
def test_merge_is_associative(seed: int, kind: MomentKind) -> None:
    rows, shares = random_table(seed, 0.0)
    parts = [moments_of_rows(rows[part], shares[part], kind) for part in (slice(0, 9), slice(9, 31), slice(31, None))]
    assert_same((parts[0] + parts[1]) + parts[2], parts[0] + (parts[1] + parts[2]))


@pytest.mark.parametrize("offset", [0.0, 1e8])
@given(seeds, kinds, cuts(N_ROWS))
def test_chunks_add_up_to_the_whole(offset: float, seed: int, kind: MomentKind, borders: list[int]) -> None:
    rows, shares = random_table(seed, offset)
    edges = [0, *borders, N_ROWS]
    chunks = [moments_of_rows(rows[a:b], shares[a:b], kind) for a, b in pairwise(edges)]
    assert_same(fold(add, chunks), moments_of_rows(rows, shares, kind), offset)


@given(seeds, kinds)
def test_order_of_the_rows_is_irrelevant(seed: int, kind: MomentKind) -> None:
    rows, shares = random_table(seed, 0.0)
    order = np.random.default_rng(seed).permutation(N_ROWS)
    assert_same(moments_of_rows(rows[order], shares[order], kind), moments_of_rows(rows, shares, kind))


@given(seeds, kinds, st.integers(2, 5))
def test_scaling_is_repeating(seed: int, kind: MomentKind, times: int) -> None:
    rows, shares = random_table(seed, 0.0)
    whole = moments_of_rows(rows, shares, kind)
    assert_same(whole.scale_weights(times), fold(add, [whole] * times))
    assert_same(
        whole.scale_weights(times),
        moments_of_rows(np.repeat(rows, times, axis=0), np.repeat(shares, times, axis=0), kind),
    )


@given(seeds, st.sampled_from([kind for kind in MomentKind if kind is not MomentKind.FULL]))
def test_a_poorer_kind_of_a_sum_is_the_sum_of_poorer_kinds(seed: int, kind: MomentKind) -> None:
    rows, shares = random_table(seed, 0.0)
    first, second = (
        moments_of_rows(rows[part], shares[part], MomentKind.FULL) for part in (slice(0, 20), slice(20, None))
    )
    assert_same((first + second).to_kind(kind), first.to_kind(kind) + second.to_kind(kind))
    assert_same((first + second).to_kind(kind), moments_of_rows(rows, shares, kind))


@given(seeds, kinds, st.permutations(range(K_)))
def test_components_in_another_order_are_columns_in_another_order(
    seed: int, kind: MomentKind, order: list[int]
) -> None:
    rows, shares = random_table(seed, 0.0)
    assert_same(
        moments_of_rows(rows, shares, kind).permute_components(np.array(order)),
        moments_of_rows(rows, shares[:, order], kind),
    )


@given(seeds, kinds)
def test_nothing_added_changes_nothing(seed: int, kind: MomentKind) -> None:
    rows, shares = random_table(seed, 0.0)
    whole, nothing = moments_of_rows(rows, shares, kind), moments_of_rows(rows, np.zeros_like(shares), kind)
    assert_same(whole + nothing, whole)
    assert_same(nothing + whole, whole)


@given(seeds, kinds)
def test_scatter_about_another_point_is_parallel_axes(seed: int, kind: MomentKind) -> None:
    rows, shares = random_table(seed, 0.0)
    point = groups(seed + 1, K_)
    moved = moments_of_rows(rows, shares, kind).with_scatter_about(point)
    np.testing.assert_array_equal(moved.mean, point)
    differences = rows[:, None, :] - point
    full = np.einsum("nk,nki,nkj->kij", shares, differences, differences)
    expected = Moments(moved.mass, point, full, MomentKind.FULL).to_kind(kind)
    np.testing.assert_allclose(moved.scatter, expected.scatter, atol=1e-12 * np.abs(full).max())


@given(seeds)
def test_total_scatter_is_that_of_the_rows_together(seed: int) -> None:
    rows, shares = random_table(seed, 0.0)
    counts = shares.sum(axis=1)
    expected = np.cov(rows.T, aweights=counts, bias=True) * counts.sum()
    np.testing.assert_allclose(
        total_scatter(moments_of_rows(rows, shares, MomentKind.FULL)), expected, rtol=1e-10, atol=1e-10
    )
