"""Thresholds from error rates: what they flag among training rows, and bad rates."""

import re

import numpy as np
import pytest
from scipy import stats

from gaussmix.anomaly import AnomalyDetector
from gaussmix.anomaly.calibration import CalibrationScores
from gaussmix.anomaly.thresholds import THRESHOLDS, TrainingScores, parse_threshold
from gaussmix.errors import ParameterError


def training_scores(scores, weights=None, is_clean=True):
    calibration = CalibrationScores.from_scores(scores, weights, np.full((len(scores), 1), -1), is_clean, False)
    log_tails = calibration.tail(scores)
    return calibration, TrainingScores(calibration, log_tails, lambda: log_tails, weights)


@pytest.mark.parametrize("n_rows", [7, 100, 1500])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1, 0.37, 0.9])
def test_fpr_flags_exactly_the_rows_of_a_p_value_up_to_the_rate(n_rows, rate):
    rng = np.random.default_rng(n_rows)
    for scores in (rng.normal(size=n_rows), np.round(rng.normal(size=n_rows), 1)):
        calibration, training = training_scores(scores)
        offset = THRESHOLDS["fpr"](rate, training)
        new = np.concatenate([rng.normal(size=300), scores])
        p_values = (1.0 + (scores >= new[:, None]).sum(axis=1)) / (n_rows + 1.0)
        if rate >= 1.0 / (n_rows + 1.0):
            assert ((calibration.tail(new) < offset) == (p_values <= rate)).all()
        else:
            assert offset == np.log(rate)  # the tail is extrapolated


@pytest.mark.parametrize("rate", [0.07, 0.1, 0.5])
def test_contamination_flags_the_fraction_and_ties_together(rate):
    rng = np.random.default_rng(0)
    _, training = training_scores(rng.normal(size=100), is_clean=False)
    offset = THRESHOLDS["contamination"](rate, training)
    assert (training.unseen < offset).sum() == round(100 * rate)
    _, training = training_scores(np.repeat([0.0, 1.0, 2.0], [50, 30, 20]), is_clean=False)
    assert (training.unseen < THRESHOLDS["contamination"](rate, training)).sum() == (20 if rate < 0.2 else 50)


def test_contamination_counts_weights():
    rng = np.random.default_rng(1)
    scores, counts = rng.normal(size=40), rng.integers(1, 4, 40)
    _, weighted = training_scores(scores, counts.astype(float), is_clean=False)
    _, repeated = training_scores(np.repeat(scores, counts), is_clean=False)
    for kind in THRESHOLDS:
        assert THRESHOLDS[kind](0.2, weighted) == pytest.approx(THRESHOLDS[kind](0.2, repeated), rel=1e-5)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_fdr_of_contaminated_rows_selects_those_of_benjamini_and_hochberg(rate):
    rng = np.random.default_rng(2)
    scores = np.append(rng.normal(size=300), 8.0 + rng.normal(size=20))
    _, training = training_scores(scores, is_clean=False)
    is_selected = stats.false_discovery_control(np.exp(training.unseen)) <= rate
    assert is_selected.any()
    offset = THRESHOLDS["fdr"](rate, training)
    assert ((training.unseen < offset) == is_selected).all()
    assert offset == pytest.approx(np.log(rate * is_selected.mean()))


def test_where_none_is_selected_the_most_unusual_training_row_is_the_limit():
    _, training = training_scores(np.sort(np.random.default_rng(6).exponential(size=50)), is_clean=False)
    offset = THRESHOLDS["fdr"](0.1, training)
    assert np.flatnonzero(training.all_fits() < offset).tolist() == [49]
    assert THRESHOLDS["fdr"](1e-6, training) == np.log(1e-6)  # a p-value above the rate is never selected


def test_rows_that_equal_most_others_are_no_anomalies():
    for scores in (np.append(np.zeros(99), 1.0), np.zeros(50), np.repeat([0.0, 1.0], [40, 60])):
        _, training = training_scores(scores, is_clean=False)
        for kind in ("fdr", "contamination"):
            offset = THRESHOLDS[kind](0.05, training)
            assert (training.unseen < offset).mean() < 0.5
            assert not (training.unseen[scores == np.median(scores)] < offset).any()


@pytest.mark.parametrize("contamination", ["auto", 0.05])
@pytest.mark.parametrize(("n_rows", "n_columns"), [(50, 20), (300, 50), (60, 200)])
def test_new_rows_are_judged_as_rows_that_no_fit_has_seen(n_rows, n_columns, contamination):
    rng = np.random.default_rng(n_rows)
    rows, new = rng.normal(size=(n_rows, n_columns)), rng.normal(size=(400, n_columns))
    detector = AnomalyDetector(contamination=contamination, random_state=0).fit(rows)
    expected = 1.0 / n_rows if contamination == "auto" else contamination
    assert (detector.predict(new) < 0).mean() < expected + 4.0 * np.sqrt(expected / n_rows)


def test_training_rows_keep_their_fraction_where_fits_do_not_follow_them():
    rows = np.random.default_rng(5).normal(size=(400, 2))
    detector = AnomalyDetector(contamination=0.1, random_state=0).fit(rows)
    assert (detector.predict(rows) < 0).sum() == 40


def test_p_values_that_underflow_leave_a_finite_limit():
    scores = np.append(np.random.default_rng(3).uniform(size=100), 1e9)
    _, training = training_scores(scores, is_clean=False)
    training.unseen[-1] = -1e6
    with np.errstate(all="raise", under="ignore"):
        offset = THRESHOLDS["fdr"](0.05, training)
    assert np.isfinite(offset)
    assert training.unseen[-1] < offset


def test_clean_rows_have_no_anomalies_to_select_so_fdr_is_fpr():
    _, training = training_scores(np.random.default_rng(4).normal(size=80))
    assert THRESHOLDS["fdr"](0.1, training) == THRESHOLDS["fpr"](0.1, training)


def test_one_rate_is_chosen():
    assert parse_threshold("auto", None, None) == ("fdr", 0.05)
    assert parse_threshold("auto", 0.01, None) == ("fpr", 0.01)
    assert parse_threshold("auto", None, 0.2) == ("fdr", 0.2)
    assert parse_threshold(0.5, None, None) == ("contamination", 0.5)
    assert parse_threshold(np.float32(0.25), None, None) == ("contamination", 0.25)


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ((0.51, None, None), "contamination.*'auto', or a number above 0 and at most 0.5.*but is 0.51"),
        ((0, None, None), "contamination.*at most 0.5"),
        ((np.nan, None, None), "contamination"),
        (("high", None, None), "contamination.*'high'"),
        ((True, None, None), "contamination"),
        (("auto", 0.0, None), "fpr.*None, or a number between 0 and 1"),
        (("auto", 1.0, None), "fpr.*between 0 and 1"),
        (("auto", "0.1", None), "fpr"),
        (("auto", None, -0.1), "fdr.*between 0 and 1"),
        (("auto", None, 1.5), "fdr"),
        (("auto", 0.1, 0.1), "give one of contamination, fpr and fdr, but not fpr, fdr together"),
        ((0.1, 0.1, 0.1), "but not contamination, fpr, fdr together"),
    ],
)
def test_bad_rates_are_named(rates, words):
    with pytest.raises(ParameterError) as caught:
        parse_threshold(*rates)
    assert re.search(words, str(caught.value)), str(caught.value)
