"""Columns that a detector scores: units, offsets, far values, constants and relations."""

import numpy as np
import pytest

from gaussmix.anomaly.scored_columns import ScoredColumns
from gaussmix.errors import TrainingRowsError


def test_scored_columns_have_mean_zero_and_deviation_one_but_for_the_farthest_rows():
    rows = np.random.default_rng(0).normal([5.0, -2.0], [3.0, 0.1], (400, 2))
    standardized = ScoredColumns.from_rows(rows).standardize(rows)
    clipped = np.clip(standardized, *np.quantile(standardized, [0.01, 0.99], axis=0, method="inverted_cdf"))
    np.testing.assert_allclose(clipped.mean(axis=0), 0.0, atol=1e-2)
    np.testing.assert_allclose(clipped.std(axis=0), 1.0, rtol=1e-2)


@pytest.mark.parametrize("value", [30.0, 1e3, 1e6, 1e20, 1e200])
def test_one_absurd_value_changes_nothing_of_the_others(value):
    rows = np.random.default_rng(6).normal(size=(300, 2))
    expected = ScoredColumns.from_rows(rows).standardize(rows)
    rows[np.argmax(rows[:, 0]), 0] = value
    is_other = rows[:, 0] != value
    np.testing.assert_array_equal(ScoredColumns.from_rows(rows).standardize(rows)[is_other], expected[is_other])


@pytest.mark.parametrize(("unit", "offset"), [(1e-100, 0.0), (1e100, 0.0), (-3.0, 7.0), (1.0, 1e9)])
def test_units_and_offsets_do_not_matter(unit, offset):
    rows = np.random.default_rng(1).normal(size=(100, 2))
    moved = unit * rows + offset
    expected = np.sign(unit) * ScoredColumns.from_rows(rows).standardize(rows)
    np.testing.assert_allclose(
        ScoredColumns.from_rows(moved).standardize(moved), expected, atol=1e-6 if offset else 1e-12
    )


def test_weights_are_repetitions_and_far_values_do_not_set_the_unit():
    rng = np.random.default_rng(2)
    rows, counts = rng.normal(size=(60, 2)), rng.integers(1, 4, 60)
    repeated = ScoredColumns.from_rows(np.repeat(rows, counts, axis=0))
    np.testing.assert_allclose(ScoredColumns.from_rows(rows, counts.astype(float)).deviations, repeated.deviations)
    rows[:3, 0] = 1e12
    far = ScoredColumns.from_rows(rows)
    np.testing.assert_allclose(far.deviations, 1.0, rtol=0.4)
    np.testing.assert_allclose(far.means, 0.0, atol=0.5)


def test_no_row_is_farther_than_a_square_can_hold():
    columns = ScoredColumns.from_rows(1e-200 * np.random.default_rng(3).normal(size=(50, 2)))
    with np.errstate(all="raise", under="ignore"):
        far = columns.standardize(np.array([[1e308, -1e308], [np.finfo(float).max, 0.0]]))
    assert np.abs(far).max() == 1e100
    assert far[0, 1] < 0
    subnormal = np.arange(20.0)[:, None] % 3 * np.nextafter(0.0, 1.0)
    assert np.isfinite(ScoredColumns.from_rows(subnormal).standardize(subnormal)).all()


def test_constant_columns_and_relations_are_left_out_and_broken_ones_are_found():
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(80, 4))
    rows[:, 1], rows[:, 3] = 7.5, rows[:, 0] + rows[:, 2]
    columns = ScoredColumns.from_rows(rows)
    assert columns.n_features == 4
    assert columns.standardize(rows).shape == (80, 2)
    assert not columns.find_broken_relations(rows).any()
    new = rows[:3].copy()
    new[0, 1], new[1, 3] = 8.0, 99.0
    is_broken = columns.find_broken_relations(new)
    assert is_broken.shape == (3, 2)
    assert is_broken.sum(axis=1).tolist() == [1, 1, 0]
    assert (is_broken[0] != is_broken[1]).all()
    with np.errstate(all="raise", under="ignore"):
        columns.find_broken_relations(np.full((1, 4), np.finfo(float).max))


def test_columns_without_relations_break_none():
    rows = np.random.default_rng(5).normal(size=(30, 2))
    assert ScoredColumns.from_rows(rows).find_broken_relations(rows).shape == (30, 0)


@pytest.mark.parametrize(("n_rows", "found"), [(1, "there is one row only"), (9, "all 9 rows are equal")])
def test_equal_rows_cannot_be_scored(n_rows, found):
    with pytest.raises(TrainingRowsError, match=f"{found}.*pass rows that differ"):
        ScoredColumns.from_rows(np.ones((n_rows, 3)))
