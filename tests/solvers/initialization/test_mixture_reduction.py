"""Mixture reduction: merging groups by their log-likelihood."""

import numpy as np
import pytest
from scipy import stats

from gaussmix.core.moments import MomentKind, Moments, compute_moments
from gaussmix.solvers.initialization.mixture_reduction import merge_groups
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
