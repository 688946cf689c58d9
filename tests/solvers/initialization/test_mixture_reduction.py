"""Mixture reduction: merging groups by their log-likelihood."""

import numpy as np
import pytest
from scipy import stats

from gaussmix.core.moments import MomentKind, Moments, compute_moments
from gaussmix.solvers.initialization.mixture_reduction import are_separated, find_unions, merge_groups, unite_groups
from gaussmix.types import ND, IntN
from tests.contracts.problems import groups

KINDS = [MomentKind.FULL, MomentKind.DIAGONAL, MomentKind.TRACE]
every_kind = pytest.mark.parametrize("kind", KINDS)


def label_moments(rows: ND, labels: IntN, n_groups: int, kind: MomentKind) -> Moments:
    return compute_moments(rows, np.eye(n_groups)[labels], np.zeros((n_groups, rows.shape[1])), kind)


@every_kind
def test_merged_moments_are_those_of_the_union(kind: MomentKind) -> None:
    rows = np.vstack([groups(0, 300, n_groups=1) + 30.0 * k for k in range(3)])
    pieces, whole = np.arange(900) // 100, np.arange(900) // 300
    found = merge_groups(label_moments(rows, pieces, 9, kind), 3, rows.var(axis=0), 1.0)
    expected = label_moments(rows, whole, 3, kind)
    np.testing.assert_allclose(found.mass, 300.0)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-10)
    np.testing.assert_allclose(found.scatter, expected.scatter, rtol=1e-8, atol=1e-6)
    assert found.kind is kind


def test_cheapest_pair_is_merged() -> None:
    """The cost is the log-likelihood computed from the rows."""
    rng = np.random.default_rng(3)
    rows, labels = groups(3, 2000, n_groups=5), rng.integers(5, size=2000)
    rows = rows + rng.normal(size=(5, 2))[labels]

    def log_likelihood(partition: IntN) -> float:
        parts = (rows[partition == k] for k in np.unique(partition))
        return sum(
            stats.multivariate_normal(part.mean(axis=0), np.cov(part.T, bias=True)).logpdf(part).sum() for part in parts
        )

    pairs = [(a, b) for a in range(5) for b in range(a + 1, 5)]
    best = max(pairs, key=lambda pair: log_likelihood(np.where(labels == pair[1], pair[0], labels)))
    found = merge_groups(label_moments(rows, labels, 5, MomentKind.FULL), 4, rows.var(axis=0), 1e-9)
    joined = rows[np.isin(labels, best)]
    assert np.abs(found.mean - joined.mean(axis=0)).sum(axis=1).min() < 1e-9


@every_kind
def test_merging_is_invariant_to_units(kind: MomentKind) -> None:
    rows = groups(1, 300, n_groups=6)
    labels = np.random.default_rng(0).integers(12, size=300)
    plain, scaled = (
        merge_groups(label_moments(factor * rows, labels, 12, kind), 4, factor**2 * rows.var(axis=0), 1.0)
        for factor in (1.0, 2.0**30)
    )
    np.testing.assert_array_equal(scaled.mass, plain.mass)
    np.testing.assert_allclose(scaled.mean, 2.0**30 * plain.mean, rtol=1e-12)


@every_kind
def test_equal_rows_and_constant_columns_are_allowed(kind: MomentKind) -> None:
    rows = np.repeat([[0.0, 5.0], [1.0, 5.0], [9.0, 5.0]], 10, axis=0)
    found = merge_groups(label_moments(rows, np.arange(30) // 5, 6, kind), 2, rows.var(axis=0), 1.0)
    np.testing.assert_allclose(np.sort(found.mean[:, 0]), [0.5, 9.0])


@every_kind
def test_number_of_groups_is_as_requested_even_if_some_are_empty(kind: MomentKind) -> None:
    rows = groups(0, 60)
    found = merge_groups(label_moments(rows, np.arange(60) % 2, 7, kind), 4, rows.var(axis=0), 1.0)
    np.testing.assert_array_equal(np.sort(found.mass), [0.0, 0.0, 30.0, 30.0])
    many = merge_groups(label_moments(rows, np.arange(60) % 5, 7, kind), 4, rows.var(axis=0), 1.0)
    assert many.mass.min() > 0
    assert many.mass.sum() == pytest.approx(60.0)


def test_input_moments_are_not_modified() -> None:
    moments = label_moments(groups(0, 60), np.arange(60) % 6, 6, MomentKind.FULL)
    before = moments.scatter.copy()
    merge_groups(moments, 2, np.ones(2), 1.0)
    np.testing.assert_array_equal(moments.scatter, before)


@every_kind
def test_unions_are_numbered_by_their_first_group_and_groups_without_rows_are_dropped(kind: MomentKind) -> None:
    rows = np.vstack([groups(0, 200, n_groups=1) + 30.0 * k for k in range(2)])
    moments = label_moments(rows, np.array([4, 0, 3, 1])[np.arange(400) // 100], 5, kind)
    unions = find_unions(moments, 2, rows.var(axis=0), 1.0)
    np.testing.assert_array_equal(unions, [0, 1, -1, 1, 0])
    united, merged = unite_groups(moments, unions, 2), merge_groups(moments, 2, rows.var(axis=0), 1.0)
    np.testing.assert_array_equal(united.scatter, merged.scatter)
    np.testing.assert_allclose(united.mass, 200.0)


def pair_of_moments(distance: float, deviations: tuple[float, float], kind: MomentKind) -> Moments:
    """Return two spherical groups of 2 columns whose means differ in both of them."""
    mass = np.array([30.0, 70.0])
    covariances = np.array(deviations)[:, None, None] ** 2 * np.eye(2)
    mean = np.array([[0.0, 0.0], [distance, distance]]) / np.sqrt(2.0)
    return Moments(mass, mean, mass[:, None, None] * covariances, MomentKind.FULL).to_kind(kind)


@every_kind
@pytest.mark.parametrize("factor", [1.0, 1e-90, 1e90])
def test_groups_are_separated_from_two_and_a_half_deviations_of_both_on(kind: MomentKind, factor: float) -> None:
    for deviations in ((1.0, 1.0), (0.2, 3.0)):
        limit = 2.5 * sum(deviations)
        for distance, expected in ((0.99 * limit, False), (1.01 * limit, True)):
            moments = pair_of_moments(distance, deviations, kind)
            scaled = Moments(moments.mass, factor * moments.mean, factor**2 * moments.scatter, kind)
            assert are_separated(scaled) is expected


def test_full_moments_tell_parts_of_a_long_group_from_groups_side_by_side() -> None:
    """Both pairs have the same variances; along their correlation the rows of the first pair overlap."""
    covariance = np.array([[1.0, 0.95], [0.95, 1.0]])
    scatter = 50.0 * np.array([covariance, covariance])
    for mean, expected in (([4.0, 4.0], False), ([4.0, -4.0], True)):
        moments = Moments(np.full(2, 50.0), np.array([[0.0, 0.0], mean]), scatter, MomentKind.FULL)
        assert are_separated(moments) is expected
        assert are_separated(moments.to_kind(MomentKind.DIAGONAL)) is True


@every_kind
def test_halves_of_a_normal_group_and_groups_without_rows_are_not_separated(kind: MomentKind) -> None:
    rows = np.random.default_rng(5).normal(size=(4000, 2))
    assert not are_separated(label_moments(rows, (rows[:, 0] > 0).astype(np.int64), 2, kind))
    far = np.vstack([rows, rows + 100.0])
    labels = np.arange(8000) // 4000
    assert are_separated(label_moments(far, labels, 2, kind))
    assert not are_separated(label_moments(far, labels, 3, kind))


def test_columns_without_variance_separate_nothing() -> None:
    scatter = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert not are_separated(Moments(np.ones(2), np.array([[0.0, 0.0], [1.0, 9.0]]), scatter, MomentKind.DIAGONAL))
