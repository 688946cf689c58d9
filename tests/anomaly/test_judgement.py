"""Rows that are judged together: the rate, the order, and arguments that are not allowed."""

from typing import Any

import numpy as np
import pytest

from gaussmix.anomaly import AnomalyDetector, judge_rows, select_by_fdr
from gaussmix.errors import DataError, ParameterError

ROWS = np.random.default_rng(0).normal(size=(120, 2))
NEW = np.vstack([np.random.default_rng(1).normal(size=(40, 2)), [[9.0, 0.0], [0.0, -12.0]]])


@pytest.fixture(scope="module")
def detector() -> AnomalyDetector:
    return AnomalyDetector(n_components=2, n_repeats=1, random_state=0).fit(ROWS)


def test_the_default_is_the_rate_of_the_detector(detector: AnomalyDetector) -> None:
    judgement = judge_rows(detector, NEW)
    assert judgement.threshold == ("fdr", 0.05)
    np.testing.assert_array_equal(judgement.p_values, detector.p_values(NEW))
    np.testing.assert_array_equal(judgement.is_anomaly, detector.select_anomalies(NEW))
    np.testing.assert_array_equal(judgement.scores, detector.score_samples(NEW))
    assert judgement.ranked_anomalies[0] in (40, 41)
    assert (len(judgement), judgement.names) == (42, ("column 0", "column 1"))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.4])
def test_every_limit_separates_the_anomalies_from_the_others(seed: int, rate: float, detector: AnomalyDetector) -> None:
    p_values = np.random.default_rng(seed).uniform(size=len(NEW)) ** 3
    for kind in ("fdr", "fpr", "contamination"):
        judgement = judge_rows(detector, NEW, p_values=p_values, threshold=(kind, rate))
        np.testing.assert_array_equal(judgement.is_anomaly, p_values <= judgement.p_value_limit)
    fdr = judge_rows(detector, NEW, p_values=p_values, threshold=("fdr", rate))
    np.testing.assert_array_equal(fdr.is_anomaly, select_by_fdr(p_values, rate))
    assert fdr.p_value_limit == pytest.approx(rate * max(fdr.n_anomalies, 1) / len(NEW))
    fraction = judge_rows(detector, NEW, p_values=p_values, threshold=("contamination", rate))
    assert fraction.n_anomalies == int(np.ceil(rate * len(NEW) - 1e-9))


@pytest.mark.parametrize("rate", [0.05, 0.07, 0.3])
def test_a_contamination_judges_as_predict_does(rate: float) -> None:
    fitted = AnomalyDetector(contamination=rate, n_components=2, n_repeats=1, random_state=0).fit(ROWS)
    flags = fitted.predict(ROWS) == -1
    assert flags.sum() == int(np.ceil(rate * len(ROWS) - 1e-9))
    asked = judge_rows(fitted, ROWS, threshold=("contamination", rate))
    np.testing.assert_array_equal(asked.is_anomaly, flags)
    for rows in (ROWS, NEW, NEW[40:], NEW[:1]):
        judgement = judge_rows(fitted, rows)
        np.testing.assert_array_equal(judgement.is_anomaly, fitted.predict(rows) == -1)
        assert judgement.threshold == ("fpr", pytest.approx(np.exp(fitted.offset_)))
    training = judge_rows(fitted, ROWS, p_values=fitted.training_p_values_)
    assert training.threshold == ("contamination", rate)
    assert training.n_anomalies == flags.sum()


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_the_contamination_of_clean_rows_is_that_of_predict_up_to_the_resolution(rate: float) -> None:
    fitted = AnomalyDetector(contamination=rate, training="clean", n_components=2, n_repeats=1, random_state=0)
    fitted.fit(np.random.default_rng(4).normal(size=(800, 2)))
    rows = 1.5 * np.random.default_rng(5).normal(size=(500, 2))
    judgement = judge_rows(fitted, rows)
    differs = judgement.is_anomaly != (fitted.predict(rows) == -1)
    resolution = 1.0 / (fitted.model_.calibration.total_weight + 1.0)
    assert (np.abs(judgement.p_values - judgement.p_value_limit)[differs] <= 2.0 * resolution).all()


def test_equal_rows_have_one_verdict(detector: AnomalyDetector) -> None:
    rows = np.repeat(NEW[:10], 4, axis=0)
    judgement = judge_rows(detector, rows, threshold=("contamination", 0.125))
    assert judgement.n_anomalies == 8
    assert (judgement.is_anomaly.reshape(10, 4).sum(axis=1) % 4 == 0).all()
    assert not judge_rows(detector, rows[:4], threshold=("contamination", 0.125)).is_anomaly.any()


def test_scores_order_rows_of_equal_p_values(detector: AnomalyDetector) -> None:
    judgement = judge_rows(detector, NEW, p_values=np.full(len(NEW), 0.5), threshold=("contamination", 2 / len(NEW)))
    assert sorted(judgement.ranked_anomalies) == [40, 41]
    assert (np.diff(judgement.scores[judgement.all_ranks]) >= 0).all()


def test_the_order_of_the_rows_does_not_matter(detector: AnomalyDetector) -> None:
    order = np.random.default_rng(3).permutation(len(NEW))
    judgement, permuted = judge_rows(detector, NEW), judge_rows(detector, NEW[order])
    np.testing.assert_array_equal(permuted.is_anomaly, judgement.is_anomaly[order])
    np.testing.assert_array_equal(order[permuted.ranked_anomalies], judgement.ranked_anomalies)


def test_flags_of_the_caller(detector: AnomalyDetector) -> None:
    flags = np.arange(len(NEW)) < 3
    judgement = judge_rows(detector, NEW, is_anomaly=flags)
    np.testing.assert_array_equal(judgement.is_anomaly, flags)
    assert set(judgement.ranked_anomalies) == {0, 1, 2}
    assert judge_rows(detector, NEW, is_anomaly=False).n_anomalies == 0
    assert judge_rows(detector, NEW, is_anomaly=True).n_anomalies == len(NEW)


@pytest.mark.parametrize("training", ["clean", "contaminated"])
def test_after_the_smallest_change_the_judgement_does_not_flag_the_row(training: str) -> None:
    rng = np.random.default_rng(2)
    clean = AnomalyDetector(training=training, n_components=2, n_repeats=1, random_state=0).fit(
        rng.normal(size=(900, 2))
    )
    new = rng.normal(size=(60, 2))
    new[:8] += [[6.0, 0.0], [0.0, -7.0]] * 4
    judgement = judge_rows(clean, new)
    flagged = np.flatnonzero(judgement.is_anomaly)
    assert set(range(8)) <= set(flagged)
    changes = clean.explain(new[flagged], p_value_limit=judgement.p_value_limit).changes
    assert changes is not None
    assert changes.is_found.all()
    for position, row in enumerate(flagged):
        changed, nearly = new.copy(), new.copy()
        changed[row] = changes.changed_values[position]
        nearly[row] += 0.99 * (changed[row] - new[row])
        assert not judge_rows(clean, changed).is_anomaly[row]
        assert judge_rows(clean, nearly).is_anomaly[row]


def test_the_limit_of_a_judgement_decides_what_an_explanation_flags(detector: AnomalyDetector) -> None:
    explained = detector.explain(NEW, p_value_limit=0.2)
    np.testing.assert_array_equal(explained.is_anomaly, detector.p_values(NEW) <= 0.2)
    assert detector.explain(NEW).is_anomaly.sum() < explained.is_anomaly.sum()
    assert detector.explain(NEW, p_value_limit=1.0).is_anomaly.all()
    for limit in (0.0, 1.5, np.nan, True, "0.1"):
        with pytest.raises(ParameterError, match="p_value_limit must be None, or a number above 0 and at most 1"):
            detector.explain(NEW, p_value_limit=limit)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": ("fnr", 0.1)}, "a threshold is one of fdr, fpr, contamination with its rate, but is 'fnr'"),
        ({"threshold": ("fdr", 0.0)}, "fdr must be None, or a number between 0 and 1"),
        ({"threshold": ("contamination", 0.6)}, "at most 0.5"),
        ({"p_values": [0.5]}, "p_values must be 42 numbers from 0 to 1"),
        ({"p_values": np.full(42, 1.5)}, "p_values must be 42 numbers from 0 to 1"),
        ({"p_values": np.full(42, np.nan)}, "p_values must be 42 numbers from 0 to 1"),
        ({"is_anomaly": np.zeros(42)}, "is_anomaly must be an array of True and False"),
    ],
)
def test_arguments_that_are_not_allowed(arguments: dict[str, Any], message: str, detector: AnomalyDetector) -> None:
    with pytest.raises(ParameterError, match=message):
        judge_rows(detector, NEW, **arguments)


def test_rows_of_other_columns(detector: AnomalyDetector) -> None:
    with pytest.raises(DataError):
        judge_rows(detector, NEW[:, :1])
