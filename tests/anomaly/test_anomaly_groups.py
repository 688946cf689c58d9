"""Groups of anomalies: planted stories are found, whatever the order, units and number of rows."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from gaussmix import GaussianMixture, Mixture
from gaussmix.anomaly.anomaly_groups import group_anomalies
from gaussmix.anomaly.direction_clustering import cluster_directions
from gaussmix.errors import DataError, ParameterError
from tests.anomaly.planted import NAMES, make_mixture, make_pair_mixture, move_columns

STORIES = (([0], 9.0), ([2], -9.0), ([1, 3], 14.0))


def plant_stories(mixture, seed, sizes):
    """Return rows (n, 4) of three stories, and the story of each."""
    rows, groups = mixture.sample(sum(sizes), random_state=seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(rows))
    rows, groups = rows[order], groups[order]
    stories = np.repeat(np.arange(3), sizes)
    for story, (columns, size) in enumerate(STORIES):
        chosen = stories == story
        rows[chosen] = move_columns(mixture, rows[chosen], groups[chosen], columns, size)
    return rows, stories


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_planted_stories_are_found_with_their_columns(seed):
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0] * 4, [40.0] * 4], np.repeat(np.eye(4)[None], 2, axis=0))
    rows, stories = plant_stories(mixture, seed, (60, 40, 20))
    found = group_anomalies(mixture, rows, NAMES)
    assert adjusted_rand_score(stories, found.labels) > 0.9
    assert [group.columns for group in found.groups[:2]] == [(NAMES[0],), (NAMES[2],)]
    assert set(found.groups[2].columns) == {NAMES[1], NAMES[3]}
    assert found.groups[0].deviations[0] > 0 > found.groups[1].deviations[0]
    assert [group.size for group in found.groups] == sorted((group.size for group in found.groups), reverse=True)
    for number, group in enumerate(found.groups):
        np.testing.assert_array_equal(np.sort(group.rows), np.flatnonzero(found.labels == number))
        assert group.typical_row in group.rows
        assert (group.fractions > 0).all()
    assert len(found) == len(found.groups) == len(found.to_table()["sentence"])


@pytest.mark.parametrize("seed", [0, 1])
def test_groups_do_not_depend_on_row_order_units_or_offsets(seed):
    mixture = make_mixture(seed)
    rows, _ = plant_stories(mixture, seed, (30, 20, 10))
    order = np.random.default_rng(seed).permutation(60)
    scales, offsets = np.array([1e-4, 1.0, 1e5, 3.0]), np.array([0.0, 9.0, -4e6, 0.1])
    other = Mixture.from_parameters(
        mixture.weights, mixture.means * scales + offsets, mixture.covariances * scales[:, None] * scales
    )
    first, second = group_anomalies(mixture, rows), group_anomalies(mixture, rows[order])
    np.testing.assert_array_equal(first.labels[order], second.labels)
    np.testing.assert_array_equal([order[g.typical_row] for g in second.groups], [g.typical_row for g in first.groups])
    rescaled = group_anomalies(other, rows * scales + offsets)
    assert adjusted_rand_score(first.labels, rescaled.labels) == 1.0


def test_direction_and_not_size_makes_a_group():
    mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [np.eye(2)])
    rows = [[8.0, 0.0], [80.0, 0.0], [1e9, 0.0], [-8.0, 0.0], [0.0, 9.0]]
    labels = group_anomalies(mixture, rows).labels
    assert len(set(labels[:3])) == 1
    assert len(set(labels)) == 3


def test_one_row_two_rows_and_identical_rows():
    mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [np.eye(2)])
    one = group_anomalies(mixture, [[9.0, 0.0]], ["a", "b"])
    assert one.labels.tolist() == [0]
    assert one.groups[0].sentence == "1 row: a is 9.0 sd above what its other values let expect (row 0)."
    assert str(one).startswith("1 anomaly in 1 group.\n0: 1 row: a is")
    assert group_anomalies(mixture, [[9.0, 0.0], [0.0, 9.0]]).labels.tolist() in ([0, 1], [1, 0])
    same = group_anomalies(mixture, [[9.0, 0.0]] * 50, ["a", "b"])
    assert same.groups[0].size == 50
    assert same.groups[0].sentence.startswith("50 rows: a is 9.0 sd above what their other values let expect")
    centers = group_anomalies(mixture, [[0.0, 0.0]] * 3)
    assert centers.labels.tolist() == [0, 0, 0]


def test_thousands_of_rows_are_grouped_as_few_are():
    mixture = Mixture.from_parameters([1.0], [[0.0] * 4], [np.eye(4)])
    rows, stories = plant_stories(mixture, 0, (1500, 1000, 500))
    found = group_anomalies(mixture, rows)
    assert adjusted_rand_score(stories, found.labels) > 0.9
    order = np.random.default_rng(0).permutation(3000)
    np.testing.assert_array_equal(found.labels[order], group_anomalies(mixture, rows[order]).labels)


def test_directions_that_no_sample_row_has_are_clustered_later():
    rng = np.random.default_rng(0)
    common = np.column_stack([np.full(4001, 5.0), 0.01 * rng.normal(size=4001), np.zeros(4001)])
    rare = [[0.0, 0.0, 3.0], [0.0, 0.0, 4.0]]
    labels = cluster_directions(np.vstack([common, rare]), 0.5)
    assert len(set(labels[:4001])) == 1
    assert labels[-1] == labels[-2] != labels[0]


def test_a_pair_is_one_story_whichever_of_the_two_deviates_more():
    mixture = make_pair_mixture(0.9)
    rows, groups = mixture.sample(60, random_state=0)
    moved = move_columns(mixture, rows, groups, [0], 6.0)
    moved[::2] = move_columns(mixture, rows[::2], groups[::2], [1], -6.0)
    found = group_anomalies(mixture, moved, ["a", "b", "c"])
    assert found.groups[0].size >= 45
    assert "a and b do not go together: " in found.groups[0].sentence


def test_rows_that_break_a_relation_are_one_story():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 2)) * [3.0, 5.0] + [20.0, 50.0]
    rows = np.column_stack([rows, rows.sum(axis=1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mixture = GaussianMixture(1, random_state=0).fit(rows).model_
    probe = rows[:5].copy()
    probe[:3, 2] += 4.0
    probe[3:, [0, 2]] += 40.0
    found = group_anomalies(mixture, probe, ["day", "night", "total"])
    assert found.labels.tolist() == [0, 0, 0, 1, 1]
    assert found.groups[0].sentence.startswith("3 rows break what every training row keeps: total = day + night; row ")
    assert found.groups[1].columns[0] == "day"


def test_similarity_and_level_change_the_groups():
    mixture = make_mixture(1, n_groups=1)
    rows = mixture.means + 3.0 * (mixture.sample(80, random_state=0)[0] - mixture.means)
    numbers = [len(group_anomalies(mixture, rows, min_similarity=value)) for value in (0.05, 0.5, 0.95)]
    assert numbers[0] < numbers[1] < numbers[2]
    strict, lenient = (group_anomalies(mixture, rows, level=level).explanations for level in (0.3, 1e-6))
    assert (strict.deviating_columns >= 0).sum() > (lenient.deviating_columns >= 0).sum()


def test_bad_input_is_refused():
    mixture = make_mixture(0)
    for value in (0.0, 1.0, "near"):
        with pytest.raises(ParameterError, match="min_similarity"):
            group_anomalies(mixture, mixture.means, min_similarity=value)
    with pytest.raises(DataError, match="0 rows"):
        group_anomalies(mixture, np.zeros((0, 4)))
    assert len(group_anomalies(mixture, np.full((1, 4), 1e200))) == 1
