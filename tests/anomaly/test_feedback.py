"""Feedback: verdicts reach their rows and similar ones, and nothing else; bad verdicts."""

import numpy as np
import pytest

from gaussmix.anomaly import AnomalyDetector
from gaussmix.anomaly.feedback import mean_covariance_root
from gaussmix.errors import AnomalyParameterError, DataError


def fit(seed=0, n_rows=300, n_columns=2, **parameters):
    rows = np.random.default_rng(seed).normal(size=(n_rows, n_columns))
    options = {"fpr": 0.05, "n_components": 2, "n_repeats": 1, "random_state": 0} | parameters
    return AnomalyDetector(**options).fit(rows)


JUDGED = np.array([[4.0, 4.0], [0.1, 0.0], [-5.0, 0.0], [0.0, 1.0]])
VERDICTS = np.array([False, True, True, False])


@pytest.mark.parametrize(
    "parameters",
    [{}, {"training": "clean"}, {"training": "clean", "calibration": "jackknife+"}, {"calibration": "split"}],
)
def test_each_judged_row_gets_its_verdict_similar_rows_follow_and_far_ones_stay(parameters):
    detector = fit(**parameters)
    far = np.array([[-2.5, 2.5], [30.0, -30.0], [2.0, -1.5]])
    before = detector.score_samples(far), detector.p_values(far)
    detector.feedback(JUDGED, VERDICTS)
    assert (detector.predict(JUDGED) < 0).tolist() == VERDICTS.tolist()
    assert (detector.predict(JUDGED + 0.02) < 0).tolist() == VERDICTS.tolist()
    scores, p_values = detector.score_samples(far), detector.p_values(far)
    assert (scores >= before[0] - 0.03).all()
    assert (p_values >= before[1] - 0.01).all()
    np.testing.assert_allclose(scores[2], before[0][2], atol=0.03)
    assert np.isfinite(scores).all()
    assert (p_values <= 1.0).all()


def test_p_values_move_with_the_scores():
    detector = fit(training="clean")
    before = detector.p_values(JUDGED)
    after = detector.feedback(JUDGED, VERDICTS).p_values(JUDGED)
    assert after[1] < 0.05 < before[1]
    assert before[0] < 0.05 < after[0]


def test_calls_add_up_and_equal_one_call():
    together, one_by_one = fit().feedback(JUDGED, VERDICTS), fit()
    for row, verdict in zip(JUDGED, VERDICTS, strict=True):
        assert one_by_one.feedback(row[None], bool(verdict)) is one_by_one
    grid = np.random.default_rng(1).normal(scale=4.0, size=(50, 2))
    np.testing.assert_allclose(one_by_one.score_samples(grid), together.score_samples(grid), rtol=1e-9, atol=1e-9)


def test_the_last_verdict_on_a_row_counts():
    detector = fit()
    row = np.array([[4.0, 4.0]])
    for verdict in (False, True, False):
        assert (detector.feedback(row, verdict).predict(row) < 0) == verdict
    detector.feedback(np.repeat(row, 3, axis=0), True)
    assert detector.predict(row) == -1
    assert len(detector.model_.feedback.rows) == 1


def test_verdicts_of_one_call_must_not_contradict_each_other():
    rows = np.array([[4.0, 4.0], [5.0, 1.0], [4.0, 4.0]])
    detector = fit()
    with pytest.raises(AnomalyParameterError, match="rows 0 and 2 are equal, and only one is an anomaly"):
        detector.feedback(rows, np.array([True, True, False]))
    assert detector.model_.feedback is None


@pytest.mark.parametrize("distance", [1e-5, 1e-3, 0.1])
def test_near_rows_of_different_verdicts_move_nothing_farther_than_themselves(distance):
    detector = fit()
    rows = np.array([[3.0, 3.0], [3.0 + distance, 3.0]])
    before = detector.score_samples(rows)
    detector.feedback(rows, np.array([True, False]))
    assert (detector.predict(rows) < 0).tolist() == [True, False]
    grid = rows[0] + np.random.default_rng(0).normal(size=(300, 2))
    moved = detector.score_samples(grid) - fit().score_samples(grid)
    allowed = np.abs(detector.score_samples(rows) - before).max() + 3.0  # and the tail that a false alarm raises
    assert np.abs(moved).max() <= allowed


def test_a_false_alarm_makes_the_tail_of_normal_rows_heavier():
    detector = fit(training="clean")
    rows = np.random.default_rng(2).normal([9.0, 0.0], 0.1, (30, 2))
    other = np.array([[0.0, 5.0]])
    before = detector.score_samples(other)[0]
    detector.feedback(rows, False)
    assert detector.score_samples(other)[0] == pytest.approx(np.log(30 / 151))
    assert before < np.log(30 / 151)


def test_a_verdict_on_a_row_that_breaks_a_relation_concerns_such_rows_only():
    rows = np.random.default_rng(3).normal(size=(200, 3))
    rows[:, 2] = 1.0
    detector = AnomalyDetector(fpr=0.05, n_components=2, random_state=0).fit(rows)
    broken, whole, other = np.array([[0.0, 0.0, 2.0]]), np.array([[0.0, 0.0, 1.0]]), np.array([[5.0, 5.0, 1.0]])
    before = detector.score_samples(np.concatenate([whole, other]))
    assert detector.predict(broken) == -1
    detector.feedback(broken, False)
    assert detector.predict(broken) == 1
    assert (detector.score_samples(np.concatenate([whole, other])) == before).all()
    detector.feedback(whole, True)
    assert [int(detector.predict(row)[0]) for row in (broken, whole)] == [1, -1]


def test_one_outlier_among_the_training_rows_does_not_make_all_rows_similar():
    rows = np.random.default_rng(4).normal(size=(200, 2))
    rows[0] = 1e12
    detector = AnomalyDetector(fpr=0.05, training="clean", random_state=0).fit(rows)
    assert (np.abs(mean_covariance_root(detector.model_.ensemble)) < 10.0).all()


def test_the_root_is_that_of_the_mean_covariance_of_one_component():
    ensemble = fit(n_components=1, n_columns=3).model_.ensemble
    covariances = [members[0].mixture.covariances[0] for members in ensemble.members[0]]
    root = mean_covariance_root(ensemble)
    np.testing.assert_allclose(root @ root.T / 3, np.mean(covariances, axis=0), rtol=0.05, atol=0.02)


def test_feedback_of_no_rows_is_refused_and_without_disagreement_changes_no_judged_row():
    detector = fit(training="clean")
    rows = np.array([[0.0, 0.1], [0.5, 0.5]])
    before = detector.score_samples(rows)
    np.testing.assert_allclose(detector.feedback(rows, False).score_samples(rows), before, atol=1e-9)
    with pytest.raises(DataError):
        detector.feedback(np.empty((0, 2)), True)


@pytest.mark.parametrize(
    "verdicts", [1, [1, 0], ["yes", "no"], [True], [True, False, True], [[True, False]], None, [-1, 1]]
)
def test_verdicts_are_bools_one_for_each_row(verdicts):
    with pytest.raises(AnomalyParameterError, match=r"is_anomaly must be True, False or 2 bools, one for each row"):
        fit().feedback(JUDGED[:2], verdicts)
