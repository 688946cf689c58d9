"""What the members are: given, together, or chosen by unseen rows where clean rows are many."""

import numpy as np
import pytest

from gaussmix.anomaly.member import MemberOptions
from gaussmix.anomaly.member_choice import RIDGES, choose_members
from gaussmix.anomaly.row_partition import CALIBRATIONS, partition_rows
from gaussmix.covariance import Structure


def _choose(rows, is_clean=True, numbers=None, ridge=None, weights=None, seed=0):
    rng = np.random.default_rng(seed)
    partition = partition_rows(rows, weights, CALIBRATIONS["cross"], 2, rng)
    base = MemberOptions(0, Structure.from_name("VVV"), 0.0, is_clean)
    return choose_members(rows, weights, partition, base, numbers, ridge, rng)


def _make_groups(seed, n=1200, deviation=0.3):
    rng = np.random.default_rng(seed)
    rows = rng.choice([-1.0, 1.0], size=(n, 2)) + deviation * rng.normal(size=(n, 2))
    return rows / rows.std(axis=0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("is_clean", [True, False])
def test_many_rows_choose_about_the_number_of_their_groups_and_a_weak_ridge(seed, is_clean):
    (chosen,) = _choose(_make_groups(seed), is_clean, seed=seed)
    assert chosen.n_components in (4, 8)  # one run of k-means may divide a group
    assert chosen.ridge == min(RIDGES)
    assert chosen.light_components_vouch == is_clean


def test_few_rows_of_many_columns_choose_a_strong_ridge():
    rows = np.random.default_rng(0).normal(size=(60, 20))
    assert _choose(rows)[0].ridge == max(RIDGES)


def test_few_rows_for_their_columns_use_several_numbers_together():
    rows = _make_groups(0)
    for chosen in (_choose(rows[:60], is_clean=False), _choose(rows[:60]), _choose(np.hstack([rows] * 8))):
        assert [options.n_components for options in chosen] == [8, 16, 32]
        assert len({options.ridge for options in chosen}) == 1


def test_what_is_given_is_used():
    rows = _make_groups(1)
    assert [options.n_components for options in _choose(rows, numbers=(3, 5))] == [3, 5]
    assert {options.ridge for options in _choose(rows, numbers=(3, 5), ridge=0.7)} == {0.7}
    (chosen,) = _choose(rows, ridge=0.001)
    assert chosen.ridge == 0.001


def test_weights_count_as_rows():
    rows = _make_groups(2, 90)
    assert len(_choose(rows)) == 3
    assert len(_choose(rows, weights=np.full(90, 3.0))) == 1
