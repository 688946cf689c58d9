"""Lloyd's algorithm: centers, empty clusters, and the farthest rows batch by batch."""

import functools
import operator

import numpy as np
import pytest

from gaussmix.core.batch import Batch
from gaussmix.core.outcome import Outcome
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines.score_tiles import BestScores
from gaussmix.solvers import run_solver
from gaussmix.solvers.em.lloyd import Lloyd, _FindFarthestRows, lloyd_centers
from gaussmix.solvers.initialization.init_methods import make_standardized_metric
from gaussmix.solvers.stopping import MovementRule
from gaussmix.types import KD, ND
from tests.contracts.problems import groups, problem_of


def nearest(rows: ND, centers: KD) -> tuple[np.ndarray, np.ndarray]:
    squares = ((rows[:, None] - centers) ** 2).sum(axis=2)
    return squares.argmin(axis=1), squares.min(axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_centers_are_the_means_of_their_rows(seed: int) -> None:
    problem = problem_of(groups(seed, 200), "EII")
    rows = problem.source.collect(None).rows
    result = run_solver(Lloyd(), rows[:3].copy(), problem, MovementRule(0.0, 300))
    labels, squares = nearest(rows, result.model)
    assert result.outcome is Outcome.CONVERGED
    np.testing.assert_allclose(result.model, [rows[labels == k].mean(axis=0) for k in range(3)], atol=1e-12)
    assert result.last_objective == pytest.approx(-0.5 * squares.sum(), rel=1e-12)
    np.testing.assert_array_equal(lloyd_centers(problem, rows[:3].copy(), 0.0), result.model)


def test_an_empty_cluster_keeps_its_center_or_takes_the_farthest_row() -> None:
    problem = problem_of(groups(0, 100), "EII")
    rows = problem.source.collect(None).rows
    start = np.vstack([rows[:2], [[1e3, 1e3]]])
    kept = run_solver(Lloyd(), start, problem, MovementRule(0.0, 1)).model
    np.testing.assert_array_equal(kept[2], start[2])
    moved = run_solver(Lloyd(relocate_empty=True), start, problem, MovementRule(0.0, 1)).model
    labels, squares = nearest(rows, start)
    farthest = squares.argmax()
    np.testing.assert_array_equal(moved[2], rows[farthest])
    own = (labels == labels[farthest]) & (np.arange(100) != farthest)
    np.testing.assert_allclose(moved[labels[farthest]], rows[own].mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("n_batches", [1, 2, 7])
def test_the_farthest_rows_do_not_depend_on_the_batches(n_batches: int) -> None:
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(30, 2)), 3, axis=0)[rng.permutation(90)]
    weights = rng.integers(0, 3, size=90).astype(float)
    centers = rows[:2]
    parts = []
    for positions in np.array_split(np.arange(90), n_batches):
        squares = ((rows[positions, None] - centers) ** 2).sum(axis=2)
        best = BestScores.from_scores(-0.5 * squares)
        parts.append(_FindFarthestRows(4)(Batch(rows[positions], weights[positions]), best))
    found = functools.reduce(operator.add, parts)
    labels, squares = nearest(rows, centers)
    present = (weights > 0) & (squares > 0)
    distinct = np.unique(rows[present], axis=0)
    order = np.argsort(-nearest(distinct, centers)[1], kind="stable")[:4]
    np.testing.assert_array_equal(found.rows, distinct[order])
    for row, weight, n_copies, label in zip(found.rows, found.weights, found.n_copies, found.labels, strict=True):
        copies = present & (rows == row).all(axis=1)
        assert weight == weights[copies].sum()
        assert n_copies == copies.sum()
        assert label == labels[copies][0]
    reach = found.keep_at_least_as_far_as(4)
    assert len(reach.rows) <= 4
    assert reach.n_copies[:-1].sum() < 4


def test_a_metric_scales_the_columns() -> None:
    rows = groups(1, 150) * np.array([1.0, 100.0])
    problem = problem_of(rows, "EII")
    scales = np.sqrt(problem.column_variances)
    framed = problem.source.collect(None).rows
    standardized = problem_of(framed / scales, "EII")
    inner = standardized.source.frame.transform_rows(framed[:3] / scales)
    expected = standardized.source.frame.restore_means(lloyd_centers(standardized, inner, 0.0)) * scales
    found = lloyd_centers(problem, framed[:3].copy(), 0.0, make_standardized_metric(scales))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert isinstance(Lloyd().metric(found), CentersModel)
