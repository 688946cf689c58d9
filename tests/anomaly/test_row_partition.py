"""Halves of training rows: sizes, equal rows together, no dependence on the order of the rows."""

import numpy as np
import pytest
from scipy import stats

from gaussmix.anomaly.row_order import count_distinct_rows, number_distinct_rows
from gaussmix.anomaly.row_partition import CALIBRATIONS, partition_rows
from gaussmix.errors import TrainingRowsError


def partition(rows, calibration="cross", n_repeats=3, seed=0, weights=None):
    return partition_rows(rows, weights, CALIBRATIONS[calibration], n_repeats, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(4))
def test_numbers_of_distinct_rows_are_those_of_numpy(seed):
    rows = np.random.default_rng(seed).integers(0, 3, (40, 3)).astype(float)
    distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
    assert number_distinct_rows(rows).tolist() == inverse.ravel().tolist()
    assert count_distinct_rows(rows) == len(distinct)
    assert number_distinct_rows(np.array([[0.0], [-0.0]])).tolist() == [0, 0]


@pytest.mark.parametrize("calibration", list(CALIBRATIONS))
@pytest.mark.parametrize("n_distinct", [4, 5, 9, 40])
def test_equal_rows_share_a_half_and_no_half_is_empty(calibration, n_distinct):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(n_distinct, 2))
    numbers = np.append(np.arange(n_distinct), rng.integers(0, n_distinct, 60))
    found = partition(values[numbers], calibration)
    for number in range(n_distinct):
        seen = found.halves[(numbers == number) & ~found.is_held_out]
        assert len(np.unique(seen, axis=0)) <= 1
    for repeat in range(3):
        sizes = [count_distinct_rows(values[numbers][found.rows_of_half(repeat, half)]) for half in (0, 1)]
        assert min(sizes) >= 1
        assert abs(sizes[0] - sizes[1]) <= 1
    assert ((found.halves < 0).all(axis=1) == found.is_held_out).all()


@pytest.mark.parametrize(
    ("n_rows", "expected"), [(4, 2), (101, 50), (1999, 999), (2000, 1000), (3999, 1000), (8000, 2000)]
)
def test_a_split_holds_out_half_of_few_rows_and_a_quarter_of_many(n_rows, expected):
    rows = np.arange(float(n_rows))[:, None]
    assert partition(rows, "split").is_held_out.sum() == expected
    assert not partition(rows, "cross").is_held_out.any()
    assert not partition(rows, "jackknife+").is_held_out.any()


@pytest.mark.parametrize("calibration", list(CALIBRATIONS))
def test_the_order_of_the_rows_does_not_matter_and_the_seed_does(calibration):
    rng = np.random.default_rng(2)
    rows, order = np.round(rng.normal(size=(60, 2)), 1), rng.permutation(60)
    first, second = partition(rows, calibration), partition(rows[order], calibration)
    assert (first.halves[order] == second.halves).all()
    assert (first.is_held_out[order] == second.is_held_out).all()
    for repeat, half in ((0, 0), (2, 1)):
        expected = rows[first.rows_of_half(repeat, half)]
        assert (expected == rows[order][second.rows_of_half(repeat, half)]).all()
    assert (partition(rows, calibration, seed=1).halves != first.halves).any()
    assert len(np.unique(first.halves, axis=1).T) == 3  # repeats differ


def test_too_few_distinct_rows_cannot_be_split():
    rows = np.repeat(np.arange(3.0), 50)[:, None]
    with pytest.raises(TrainingRowsError, match=r"at least 4 distinct rows, but there are 3 .* calibration='cross'"):
        partition(rows, "split")


@pytest.mark.parametrize("calibration", list(CALIBRATIONS))
def test_a_value_of_more_than_a_quarter_of_the_rows_is_in_both_halves_unless_rows_are_held_out(calibration):
    rows = np.append(np.zeros(40), np.arange(1.0, 61.0))[:, None]
    found = partition(rows, calibration)
    assert found.is_common.tolist() == [calibration != "split"] * 40 + [False] * 60
    if calibration != "split":
        assert all(np.isin(np.arange(40), found.rows_of_half(1, half)).all() for half in (0, 1))
        assert (found.halves[:40] == -1).all()
    weights = np.append(100.0, np.ones(60))
    assert partition(rows[39:], "cross", weights=weights).is_common.tolist() == [True] + [False] * 60
    assert not partition(np.arange(3.0)[:, None]).is_common.any()


def test_every_row_is_held_out_equally_often_however_often_it_is_repeated():
    rows = np.repeat(np.arange(20.0), np.append(np.ones(19, dtype=int), 61))[:, None]
    counts = sum(partition(rows, "split", seed=seed).is_held_out.astype(int) for seed in range(400))
    assert stats.chisquare([counts[:19].sum(), counts[19:].sum()], [19 * 200, 61 * 200]).pvalue > 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_few_different_rows_among_many_equal_ones_can_be_split(seed):
    rows = np.append(np.zeros(97), [1.0, 2.0, 3.0])[:, None]
    found = partition(rows, "split", seed=seed)
    assert count_distinct_rows(rows[~found.is_held_out]) >= 2
    assert all(len(found.rows_of_half(repeat, half)) for repeat in range(3) for half in (0, 1))
