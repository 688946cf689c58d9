"""Changes to values that columns can have: few values that occur, and whole numbers."""

import re

import numpy as np
import pytest

from gaussmix import Mixture
from gaussmix.anomaly import AnomalyDetector, explain_rows, find_smallest_changes
from gaussmix.anomaly.value_grids import ValueGrids

NAMES = ["a", "b", "flag"]
GROUP = Mixture.from_parameters([1.0], [[0.0, 50.0, 0.2]], [np.diag([1.0, 100.0, 0.16])])


def make_grids(*levels, is_whole=(False, False, False)):
    return ValueGrids(tuple(np.array(values, dtype=float) for values in levels), np.array(is_whole))


def test_grids_are_those_of_the_rows_and_survive_packing():
    rng = np.random.default_rng(0)
    rows = np.column_stack(
        [rng.normal(size=200), rng.integers(0, 2, 200), rng.poisson(1000, 200), rng.normal(size=200)]
    )
    grids = ValueGrids.from_rows(rows)
    assert grids.has_levels.tolist() == [False, True, False, False]
    assert grids.is_whole.tolist() == [False, True, True, False]
    packed = ValueGrids.from_tensors(grids.to_tensors(), 4)
    for mine, other in zip(grids.levels, packed.levels, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert packed.is_whole.tolist() == grids.is_whole.tolist()
    assert not ValueGrids.from_tensors({}, 4).has_levels.any()
    assert not ValueGrids.from_rows(rows[:4]).has_levels.any()
    assert not ValueGrids.from_rows(np.array([[1e200], [3e200]] * 20)).is_whole.any()


@pytest.mark.parametrize("levels", [(0, 1), (0, 1, 2, 5)])
def test_a_column_of_few_values_changes_to_the_nearest_one_that_is_normal(levels):
    rows = np.array([[0.0, 50.0, 9.0], [0.0, 50.0, -4.0]])
    found = find_smallest_changes(
        GROUP, rows, lambda values: np.abs(values[:, 2]) <= 2.5, NAMES, grids=make_grids([], [], levels)
    )
    assert found.changed_values[:, 2].tolist() == [1.0 if levels == (0, 1) else 2.0, 0.0]
    assert found.sentences[1] == "Change flag from -4 to 0."


def test_where_no_value_that_occurs_is_normal_it_is_said_so():
    found = find_smallest_changes(
        GROUP,
        [[0.0, 50.0, 9.0]],
        lambda values: np.abs(values[:, 2] - 0.3) < 0.2,
        NAMES,
        grids=make_grids([], [], [0, 1]),
    )
    assert not found.is_found[0]
    assert found.sentences[0] == (
        "No change of at most 3 columns makes the row normal. Columns of few values may change only to values of "
        "normal rows."
    )


def test_whole_numbers_stay_whole_and_are_rounded_further_along():
    grids = make_grids([], [], [], is_whole=[False, True, False])
    found = find_smallest_changes(GROUP, [[0.0, 90.0, 0.2]], lambda values: values[:, 1] <= 62.4, NAMES, grids=grids)
    assert found.changed_values[0].tolist() == [0.0, 62.0, 0.2]
    assert found.sentences[0] == "Lower b from 90 to 62; about 50 is expected."
    narrow = find_smallest_changes(
        GROUP, [[0.0, 90.0, 0.2]], lambda values: np.abs(values[:, 1] - 50.2) <= 0.3, NAMES, grids=grids
    )
    assert narrow.changed_values[0, 1] == 50.0


def test_a_flag_and_a_number_change_together():
    """The number moves as little as needed once the flag has a value that occurs."""

    def is_normal(values):
        return (values[:, 2] == 1.0) & (np.abs(values[:, 0]) < 2.0)

    found = find_smallest_changes(GROUP, [[9.0, 50.0, 7.0]], is_normal, NAMES, grids=make_grids([], [], [0, 1]))
    assert found.n_changed[0] == 2
    assert found.changed_values[0, 2] == 1.0
    assert found.changed_values[0, 0] == pytest.approx(2.0, rel=1e-3)
    assert found.sentences[0] == "Lower a from 9 to 1.99 and change flag from 7 to 1; about 0 is expected in a."


def test_preferred_columns_change_if_they_are_enough():
    rows = [[4.0, 90.0, 0.2]]

    def is_normal(values):
        return np.square((values - GROUP.means[0]) / [1.0, 10.0, 0.4]).sum(axis=1) < 18.0

    plain = find_smallest_changes(GROUP, rows, is_normal, NAMES)
    for column in (0, 1):
        marks = np.arange(3) == column
        found = find_smallest_changes(GROUP, rows, is_normal, NAMES, preferred_columns=[marks])
        assert np.flatnonzero(found.changed_values[0] != rows[0]).tolist() == [column]
    assert plain.n_changed[0] == 1
    useless = find_smallest_changes(GROUP, rows, is_normal, NAMES, preferred_columns=[[False, False, True]])
    np.testing.assert_array_equal(useless.changed_values, plain.changed_values)


def test_the_expected_value_is_the_conditional_mean_and_is_written_to_tables():
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [covariance])
    found = find_smallest_changes(mixture, [[1.0, -5.0]], lambda values: values[:, 1] > -1.0, ["x", "y"])
    conditional = mixture.components[0].conditional([0], np.array([1.0]))
    assert found.expected_values[0].tolist() == pytest.approx([1.0, conditional.mean[0]])
    assert found.to_table()["expected_y"][0] == pytest.approx(conditional.mean[0])
    assert found.sentences[0].endswith("; about 0.8 is expected.")


def test_a_restored_constant_is_a_step_of_its_own():
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(400, 2)), np.full(400, 7.0)])
    detector = AnomalyDetector(contamination=0.01, n_components=1, random_state=0).fit(rows)
    sentence = detector.explain([[20.0, 0.0, 8.0]]).changes.sentences[0]
    assert "change column 2 from 8 to 7" in sentence
    assert "By the relations" not in sentence


@pytest.mark.parametrize("seed", [0, 1])
def test_changes_of_a_detector_have_values_that_occur_also_after_loading(seed, tmp_path):
    rng = np.random.default_rng(seed)
    counts, flags = rng.poisson(100, 500), rng.integers(0, 2, 500)
    rows = np.column_stack([rng.normal(size=500), counts, flags])
    detector = AnomalyDetector(contamination=0.02, n_components=4, random_state=seed).fit(rows)
    probe = np.array([[0.0, 200.0, 0.0], [0.0, 100.0, 5.0], [9.0, 100.0, 1.0]])
    found = detector.explain(probe)
    changes = found.changes
    assert changes.is_found.all()
    assert (changes.changed_values[:, 1] % 1 == 0).all()
    assert set(changes.changed_values[:, 2]) <= {0.0, 1.0}
    assert (detector.predict(changes.changed_values) == 1).all()
    detector.save(tmp_path / "detector.safetensors")
    loaded = AnomalyDetector.load(tmp_path / "detector.safetensors").explain(probe)
    np.testing.assert_array_equal(loaded.changes.changed_values, changes.changed_values)
    assert loaded.changes.sentences == changes.sentences


def test_a_change_of_other_columns_than_the_reason_names_says_so():
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(300, 3)), rng.normal(size=(300, 3)) + np.array([9.0, 9.0, 0.0])])
    detector = AnomalyDetector(contamination=0.01, random_state=0).fit(rows)
    found = detector.explain(rng.normal(size=(200, 3)) * 5 + [4.0, 4.0, 0.0])
    is_changed = found.changes.changed_values != found.changes.values
    note = "The columns that the reason names are not enough."
    for i in np.flatnonzero(found.changes.n_changed > 0):
        named = set(found.deviating_columns[i].tolist()) | set(found.pair_columns[i].tolist())
        if found.matches_no_group[i]:
            named = {0, 1, 2}
        agrees = bool(named & set(np.flatnonzero(is_changed[i]).tolist()))
        assert agrees or note in found.changes.sentences[i] or named == {-1}
        assert not (agrees and note in found.changes.sentences[i])


def test_reasons_expect_values_that_occur():
    found = explain_rows(GROUP, [[0.0, 50.0, 9.0]], NAMES, grids=make_grids([], [], [0, 1]))
    assert found.sentences[0] == "flag (9) is 22 sd above what the normal rows have (about 0)."
    assert explain_rows(GROUP, [[0.0, 50.0, 9.0]], NAMES).sentences[0].endswith("(about 0.2).")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_reason_and_change_expect_the_same_value_of_one_column(seed):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(4, 3)) * 6
    rows = rng.normal(size=(600, 3)) + centers[rng.integers(0, 4, 600)]
    detector = AnomalyDetector(contamination=0.05, random_state=seed).fit(rows)
    found = detector.explain(np.vstack([rows, rows[:100] + np.array([0.0, 4.0, 0.0])]))
    single = (found.changes.n_changed == 1) & ((found.deviating_columns >= 0).sum(axis=1) == 1)
    n_compared = 0
    for i in np.flatnonzero(single):
        j = found.deviating_columns[i, 0]
        if found.changes.changed_values[i, j] != found.changes.values[i, j]:
            about = re.search(r"\(about (.*?)\)", found.sentences[i])
            said = re.search(r"about (.*?) is expected", found.changes.sentences[i])
            if about and said:
                assert float(said[1]) == pytest.approx(float(about[1]), abs=0.06)
                n_compared += 1
    assert n_compared >= 10


def test_flags_and_codes_are_explained_as_the_score_sees_them():
    """A flag that a twentieth of the rows have is no reason; what the row is flagged for is."""
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(1500, 2)), rng.random(1500) < 0.05])
    detector = AnomalyDetector(random_state=0).fit(rows)
    found = detector.explain([[7.0, 0.0, 1.0], [0.0, 0.0, 5.0], [0.0, -7.0, 0.0]], is_anomaly=np.ones(3, dtype=bool))
    assert found.first_columns.tolist() == [0, 2, 1]
    assert found.deviating_columns[0].tolist() == [0, -1]
    assert abs(found.marginal_z[0, 2]) < 3.0
    assert set(found.expected_values[:, 2]) <= {0.0, 1.0}
    assert set(found.changes.changed_values[:, 2]) <= {0.0, 1.0}
    assert detector.group_anomalies([[7.0, 0.0, 1.0], [8.0, 0.0, 0.0]]).labels.tolist() in ([0, 0], [0, 1])
