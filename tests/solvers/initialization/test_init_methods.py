"""Initialization methods: k-means against scikit-learn, and random draws from distinct rows."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import KMeans

from gaussmix.core.quadratics import CentersModel
from gaussmix.engines import NumpyEngine
from gaussmix.model.prediction import hard_labels
from gaussmix.model.problem import make_memory_source
from gaussmix.solvers.em.lloyd import lloyd_centers
from gaussmix.solvers.initialization import initialize, kmeans
from gaussmix.solvers.initialization.distinct_rows import DistinctRows, lexicographic_order
from gaussmix.solvers.initialization.init_methods import initial_partitions
from gaussmix.solvers.initialization.kmeans import initialize_kmeans
from gaussmix.solvers.initialization.kmeans_plusplus import kmeans_plusplus
from tests.contracts.problems import groups, problem_of

ENGINE = NumpyEngine()


@pytest.mark.parametrize("seed", range(4))
def test_lloyd_equals_sklearn_kmeans(seed: int) -> None:
    rows = groups(seed, 200, 3, n_groups=4)
    first = rows[:4].copy()
    theirs = KMeans(4, init=first, n_init=1, tol=0.0, algorithm="lloyd", max_iter=300).fit(rows)
    problem = replace(problem_of(rows), source=make_memory_source(rows))
    center = lloyd_centers(problem, first, 0.0)
    np.testing.assert_allclose(center, theirs.cluster_centers_, rtol=1e-10)
    np.testing.assert_array_equal(
        hard_labels(CentersModel.euclidean(center), make_memory_source(rows), ENGINE), theirs.labels_
    )


def test_kmeans_finds_separated_groups() -> None:
    rows = groups(0, 300, 2) * 0.02 + np.repeat([[0.0, 0.0], [5.0, 1.0], [2.0, 8.0]], 100, axis=0)
    found = initialize(problem_of(rows), "kmeans", 3, np.random.default_rng(0))
    np.testing.assert_allclose(found.weights, 1.0 / 3.0)
    expected = [rows[:100].mean(axis=0), rows[200:].mean(axis=0), rows[100:200].mean(axis=0)]
    np.testing.assert_allclose(found.means, expected, rtol=1e-9)


def test_distinct_rows_are_sorted_and_weighted() -> None:
    rows = np.array([[2.0, 1.0], [1.0, 5.0], [2.0, 1.0], [1.0, 3.0], [9.0, 9.0]])
    distinct = DistinctRows.from_source(make_memory_source(rows, np.array([1.0, 2.0, 3.0, 1.0, 0.0])))
    np.testing.assert_array_equal(distinct.rows, [[1.0, 3.0], [1.0, 5.0], [2.0, 1.0]])
    np.testing.assert_array_equal(distinct.weights, [1.0, 2.0, 4.0])
    np.testing.assert_array_equal(distinct.positive_weight_indices, [0, 1, 2, 3])
    np.testing.assert_array_equal(distinct.rows[distinct.inverse], rows[:4])


def test_lexicographic_order_breaks_ties_by_the_next_column() -> None:
    rows = np.array([[1.0, 2.0], [0.0, 9.0], [1.0, 1.0]])
    np.testing.assert_array_equal(lexicographic_order(rows), [1, 2, 0])
    np.testing.assert_array_equal(lexicographic_order(rows[:, :1]), [1, 0, 2])


def test_kmeans_plusplus_draws_every_row_once() -> None:
    rows = np.repeat(np.arange(6.0)[:, None], 5, axis=0)
    distinct = DistinctRows.from_source(make_memory_source(rows))
    for seed in range(20):
        seeds = kmeans_plusplus(distinct, 6, ENGINE, np.random.default_rng(seed), CentersModel.euclidean)
        np.testing.assert_array_equal(np.sort(seeds[:, 0]), np.arange(6.0))


def test_rows_are_drawn_in_proportion_to_their_weights() -> None:
    distinct = DistinctRows.from_source(make_memory_source(np.array([[0.0], [1.0]]), np.array([1.0, 9.0])))
    rng = np.random.default_rng(0)
    share = np.mean([distinct.draw_weighted_rows(1, rng)[0, 0] for _ in range(2000)])
    assert share == pytest.approx(0.9, abs=0.03)
    np.testing.assert_array_equal(np.sort(distinct.draw_weighted_rows(4, rng)[:, 0]), [0.0, 0.0, 1.0, 1.0])


def test_partitions_cover_the_rows_and_differ() -> None:
    problem = problem_of(groups(0, 120) * [1.0, 100.0])
    found = initial_partitions(problem, 3, 6, np.random.default_rng(0))
    assert len(found) == 6
    for partition in found:
        assert partition.shape == (120,)
        assert set(partition) <= {0, 1, 2}
    assert len({partition.tobytes() for partition in found}) > 1


@pytest.mark.parametrize("n_copies", [1, 3])
def test_kmeans_of_wide_rows_is_the_best_of_several_runs(n_copies: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of many columns are about equally far from each other, and one run of k-means often cuts or joins groups."""

    def is_found(seed: int) -> bool:
        rng = np.random.default_rng(seed % 2)
        centers = 0.25 * rng.normal(size=(3, 200))
        rows = centers[np.arange(150) % 3] + rng.normal(size=(150, 200))
        problem = problem_of(np.repeat(rows, n_copies, axis=0), "VVI")
        means = initialize_kmeans(problem, 3, np.random.default_rng(seed // 2)).means
        return len(set(((means[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1))) == 3

    assert all(is_found(seed) for seed in range(10))
    monkeypatch.setattr(kmeans, "_N_INIT_IF_WIDE", 1)
    assert not all(is_found(seed) for seed in range(10))


@pytest.mark.parametrize("seed", range(4))
def test_kmeans_of_more_columns_than_rows_is_that_of_all_columns(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    rows = 3.0 * rng.normal(size=(4, 300))[rng.integers(4, size=40)] + rng.normal(size=(40, 300))
    rows = np.concatenate([rows, rows[:10]]) * 10.0 ** rng.uniform(-3, 3, 300 if seed % 2 else 1) + 100.0
    weights = rng.integers(0, 3, 50).astype(float)
    problem = problem_of(rows, "VVI") if seed < 2 else problem_of(rows, "VVI", weights)
    found = initialize_kmeans(problem, 4, np.random.default_rng(seed))
    identity = kmeans.KMeansRows.with_at_most_as_many_columns_as_rows
    narrow = identity(kmeans.KMeansRows.from_problem(problem))
    assert narrow.problem.source.n_features < 50
    monkeypatch.setattr(kmeans.KMeansRows, "with_at_most_as_many_columns_as_rows", lambda self: self)
    expected = initialize_kmeans(problem, 4, np.random.default_rng(seed))
    orders = found.means[:, 0].argsort(), expected.means[:, 0].argsort()  # the first coordinate orders the components
    np.testing.assert_allclose(found.means[orders[0]], expected.means[orders[1]], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.weights[orders[0]], expected.weights[orders[1]], rtol=1e-12)
