"""Murty's algorithm against all assignments of small problems, and its extremes."""

import itertools

import numpy as np
import pytest

from gaussmix.errors import ParameterError
from gaussmix.tracking.murty import rank_assignments


def total_cost(costs, missed, new, columns):
    rows = [row for row, column in enumerate(columns) if column >= 0]
    unused = np.setdiff1d(np.arange(costs.shape[1]), columns)
    paired = sum(costs[row, columns[row]] for row in rows)
    return paired + sum(missed[row] for row in range(len(costs)) if row not in rows) + new[unused].sum()


def all_assignments(costs, missed, new):
    n_rows, n_columns = costs.shape
    every = itertools.product(range(-1, n_columns), repeat=n_rows)
    allowed = [c for c in every if len(set(c) - {-1}) == sum(column >= 0 for column in c)]
    totals = {c: total_cost(costs, missed, new, np.array(c, dtype=int)) for c in allowed}
    return {c: total for c, total in totals.items() if total < np.inf}


def random_problem(rng, n_rows, n_columns, kind):
    costs, missed, new = rng.normal(size=(n_rows, n_columns)), rng.normal(size=n_rows), rng.normal(size=n_columns)
    if kind == "ties":
        costs, missed, new = (np.round(values) for values in (costs, missed, new))
    if kind == "forbidden":
        costs[rng.random(costs.shape) < 0.5] = np.inf
        missed[rng.random(n_rows) < 0.4] = np.inf
    if kind == "needed":
        new[rng.random(n_columns) < 0.5] = np.inf
    return costs, missed, new


@pytest.mark.parametrize("kind", ["plain", "ties", "forbidden", "needed"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 1), (2, 3), (3, 3), (4, 3)])
def test_ranks_like_brute_force(kind, shape):
    for seed in range(4):
        costs, missed, new = random_problem(np.random.default_rng(seed), *shape, kind)
        expected = all_assignments(costs, missed, new)
        for n_best in (1, 5, 10_000):
            ranked = rank_assignments(costs, missed, new, n_best)
            found = [tuple(columns.tolist()) for columns in ranked.columns]
            assert len(set(found)) == len(found) == min(n_best, len(expected))
            np.testing.assert_allclose(ranked.costs, sorted(expected.values())[:n_best], atol=1e-12)
            np.testing.assert_allclose([expected[columns] for columns in found], ranked.costs, atol=1e-12)


def test_empty_problems_have_one_assignment():
    for n_rows, n_columns in ((0, 0), (0, 3), (3, 0)):
        ranked = rank_assignments(np.zeros((n_rows, n_columns)), np.ones(n_rows), np.full(n_columns, 2.0), 5)
        assert ranked.columns.shape == (1, n_rows)
        np.testing.assert_allclose(ranked.costs, [n_rows + 2.0 * n_columns])


def test_contradictions_leave_no_assignment():
    ranked = rank_assignments(np.full((1, 2), np.inf), np.array([np.inf]), np.zeros(2), 3)
    assert ranked.columns.shape == (0, 1)
    assert not len(rank_assignments(np.zeros((1, 2)), np.zeros(1), np.full(2, np.inf), 3).costs)


def test_large_costs_keep_their_order():
    costs, missed, new = random_problem(np.random.default_rng(1), 3, 4, "plain")
    plain = rank_assignments(costs, missed, new, 20)
    shifted = rank_assignments(costs + 1000.0, missed + 1000.0, new, 20)
    np.testing.assert_allclose(shifted.costs, plain.costs + 3000.0)
    np.testing.assert_array_equal(shifted.columns, plain.columns)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_costs_without_an_order_are_refused(value):
    with pytest.raises(ParameterError, match="costs"):
        rank_assignments(np.array([[value, 1.0]]), np.zeros(1), np.zeros(2), 2)
    with pytest.raises(ParameterError, match="costs"):
        rank_assignments(np.ones((1, 2)), np.array([value]), np.zeros(2), 2)


@pytest.mark.parametrize("shape", [(1, 4), (3, 4)])
def test_limits_cut_the_list(shape):
    for seed in range(3):
        costs, missed, new = random_problem(np.random.default_rng(seed), *shape, "plain")
        plain = rank_assignments(costs, missed, new, 1000)
        n_below = len(plain.costs) // 2
        limit = plain.costs[n_below - 1 : n_below + 1].mean()
        for limits in ({"max_cost": limit}, {"max_gap": limit - plain.costs[0]}):
            cut = rank_assignments(costs, missed, new, 1000, **limits)
            np.testing.assert_allclose(cut.costs, plain.costs[:n_below])
        assert not len(rank_assignments(costs, missed, new, 1000, max_cost=plain.costs[0] - 1e-6).costs)
