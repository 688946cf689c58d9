"""Reasons from the score itself: rows that are ordinary to the groups of normal rows, and to a detector are not."""

import numpy as np
import pytest

from gaussmix import Mixture
from gaussmix.anomaly import AnomalyDetector, explain_rows
from gaussmix.anomaly.explanation_sentences import SPARSE_REGION
from tests.anomaly.planted import make_pair_mixture

WIDE = Mixture.from_parameters([1.0], [[0.0, 0.0, 0.0]], [np.eye(3)])
NAMES = ["a", "b", "c"]


def test_a_column_that_the_score_blames_is_named_though_the_group_is_satisfied():
    found = explain_rows(WIDE, [[0.5, 1.5, 0.1]], NAMES, True, log_tail=lambda rows: -9.0 * np.abs(rows[:, 1]))
    assert found.tail_probabilities[0] > 0.01
    assert found.sentences == (
        "b (1.5) makes the row unusual: it is 1.5 sd above what the normal rows have beside its other values "
        "(about 0).",
    )
    assert found.deviating_columns[0].tolist() == [1, -1]


def test_a_reason_of_the_group_that_the_score_confirms_remains():
    """A pair of a moderate distance is a pair, and no single column of it is blamed."""
    pair = make_pair_mixture(0.9)
    row = [[1.2, -0.6, 0.0]]
    found = explain_rows(pair, row, NAMES, True, log_tail=lambda rows: -4.0 * np.abs(rows[:, 0] - 0.9 * rows[:, 1]))
    assert found.tail_probabilities[0] < 0.01
    mild = explain_rows(
        pair, row, NAMES, True, level=1e-6, log_tail=lambda rows: -4.0 * np.abs(rows[:, 0] - 0.9 * rows[:, 1])
    )
    assert set(mild.pair_columns[0].tolist()) == {0, 1}
    assert "do not go together: " in mild.sentences[0]
    assert "ordinary" not in mild.sentences[0]
    other = explain_rows(pair, row, NAMES, True, level=1e-6, log_tail=lambda rows: -9.0 * np.abs(rows[:, 2] + 0.5))
    assert other.sentences[0].startswith(("c (0) makes the row unusual", "The row lies where few"))


def test_columns_that_do_not_go_together_are_named_with_both_ways_out():
    found = explain_rows(
        WIDE, [[1.2, 1.5, 0.1]], NAMES, True, log_tail=lambda rows: -9.0 * np.minimum(*np.abs(rows[:, :2].T))
    )
    assert found.sentences[0] == (
        "b (1.5) and a (1.2) do not go together: with b of about 0 or a of about 0 the row would be far less unusual."
    )


def test_two_columns_that_both_have_to_change_are_named_together():
    found = explain_rows(
        WIDE, [[1.2, 1.5, 0.1]], NAMES, True, log_tail=lambda rows: -9.0 * np.maximum(*np.abs(rows[:, :2].T))
    )
    assert found.sentences[0] == "a (1.2) and b (1.5) make the row unusual: about 0 and 0 are expected."
    assert found.deviating_columns[0].tolist() == [0, 1]


def test_a_row_in_a_sparse_region_and_an_ordinary_row_are_called_so():
    sparse = explain_rows(WIDE, [[0.1, 0.2, 0.3]], NAMES, True, log_tail=lambda rows: np.full(len(rows), -9.0))
    assert sparse.sentences == (SPARSE_REGION,)
    ordinary = explain_rows(WIDE, [[0.1, 0.2, 0.3]], NAMES, True, log_tail=lambda rows: np.full(len(rows), -0.5))
    assert ordinary.sentences == ("The score of the row is ordinary: 61% of normal rows are at least as unusual.",)


def test_one_column_and_two_columns_have_reasons_too():
    one = Mixture.from_parameters([1.0], [[0.0]], [[[1.0]]])
    sentence = explain_rows(one, [[1.5]], ["a"], True, log_tail=lambda rows: -9.0 * np.abs(rows[:, 0])).sentences[0]
    assert sentence.startswith("a (1.5) makes the row unusual")
    two = Mixture.from_parameters([1.0], [[3.0, 7.0]], [np.eye(2)])
    found = explain_rows(
        two, [[4.2, 8.5]], NAMES[:2], True, log_tail=lambda rows: -9.0 * np.maximum(*(rows.T - [[3], [7]]))
    )
    assert found.sentences[0] == "a (4.2) and b (8.5) make the row unusual: about 3 and 7 are expected."


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_reason_of_a_detector_contradicts_its_verdict(seed):
    """A small group of rows is flagged; the groups of normal rows must not call it ordinary."""
    rng = np.random.default_rng(seed)
    rows = np.vstack([rng.normal(size=(600, 3)), rng.normal(size=(24, 3)) + np.array([9.0, 0.0, 0.0])])
    detector = AnomalyDetector(contamination=0.05, random_state=seed).fit(rows)
    flagged = rows[detector.predict(rows) < 0]
    found = detector.explain(flagged, is_anomaly=np.ones(len(flagged), dtype=bool))
    assert not any("ordinary: " in sentence or "No column" in sentence for sentence in found.sentences)
    planted = flagged[:, 0] > 6
    assert planted.sum() >= 20
    assert (found.first_columns[planted] == 0).all()


@pytest.mark.parametrize("training", ["clean", "contaminated"])
def test_an_absurd_training_row_leaves_the_reasons_of_other_rows_as_they_are(training):
    rows = np.random.default_rng(0).normal(size=(400, 3))
    rows[5, 1] = 1e200
    detector = AnomalyDetector(training=training, random_state=0).fit(rows)
    found = detector.explain([[0.0, 0.0, 7.0], [0.0, 1e200, 0.0]], is_anomaly=np.ones(2, dtype=bool))
    assert found.first_columns.tolist() == [2, 1]
    assert found.sentences[0].startswith("column 2 (7) is ")


@pytest.mark.parametrize("factors", [[1e100, 1.0, 1e-100], [1e200, 1.0, 1e-200], [7.0, 1e12, 0.003]])
def test_reasons_do_not_depend_on_units(factors):
    rng = np.random.default_rng(1)
    centers = 4 * rng.normal(size=(3, 3))
    rows, probe = rng.normal(size=(500, 3)) + centers[rng.integers(0, 3, 500)], 3 * rng.normal(size=(20, 3))
    options = {"training": "clean", "n_components": 1, "random_state": 0}
    plain = AnomalyDetector(**options).fit(rows).explain(probe, is_anomaly=True)
    scaled = AnomalyDetector(**options).fit(rows * factors).explain(probe * factors, is_anomaly=True)
    np.testing.assert_allclose(scaled.conditional_z, plain.conditional_z, rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(scaled.deviating_columns, plain.deviating_columns)


def test_verdicts_of_people_are_said_first():
    rows = np.random.default_rng(0).normal(size=(400, 3))
    detector = AnomalyDetector(fpr=0.01, random_state=0).fit(rows)
    order = np.argsort(detector.score_samples(rows))
    usual, unusual = rows[order[300:301]], rows[order[:1]]
    detector.feedback(usual, True).feedback(unusual, False)
    found = detector.explain(np.vstack([usual, usual + 0.01, unusual, rows[order[350:351]]]))
    assert found.is_anomaly.tolist() == [True, True, False, False]
    assert found.sentences[0].startswith(
        "A person has judged this row to be an anomaly. The score of the row is ordinary:"
    )
    assert found.sentences[1].startswith("The row is like one that a person has judged to be an anomaly. ")
    assert found.sentences[2] == "A person has judged this row to be normal."
    assert found.sentences[3].startswith("The row is normal: ")
