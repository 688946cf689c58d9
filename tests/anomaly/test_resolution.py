"""The smallest p-value of a detector, and what it hides."""

import warnings

import numpy as np
import pytest

from gaussmix.anomaly import AnomalyDetector
from gaussmix.anomaly.resolution import measure_resolution, warn_of_resolution
from gaussmix.anomaly.thresholds import Threshold
from gaussmix.errors import DataWarning


def fit(training="clean", n_rows=200):
    rows = np.random.default_rng(0).normal(size=(n_rows, 2))
    return AnomalyDetector(training=training, n_components=1, n_repeats=1, random_state=0).fit(rows)


@pytest.mark.filterwarnings("ignore:with .* calibration rows")
@pytest.mark.parametrize("rate", [0.3, 0.05, 0.013])
@pytest.mark.parametrize("n_rows", [50, 313])
def test_the_fewest_anomalies_are_those_that_are_selected(rate, n_rows):
    """So many gross rows among ordinary ones are selected, and one fewer is not."""
    detector = fit()
    found = measure_resolution(detector.model_.calibration, Threshold("fdr", rate), n_rows)
    fewest = 1 if found is None else found.fewest_anomalies
    if fewest > n_rows:
        assert detector.select_anomalies(np.full((n_rows, 2), 99.0), fdr=rate).sum() == 0
        return
    rows = np.zeros((n_rows, 2))
    rows[:fewest] = 99.0
    assert detector.select_anomalies(rows, fdr=rate).sum() == fewest
    rows[fewest - 1] = 0.0
    assert detector.select_anomalies(rows, fdr=rate).sum() == 0


@pytest.mark.parametrize("kind", ["fdr", "fpr"])
def test_as_many_calibration_rows_as_are_needed_are_enough(kind):
    threshold = Threshold(kind, 0.02)
    n_needed = measure_resolution(fit().model_.calibration, Threshold(kind, 0.002), 20).n_needed
    assert n_needed == (9999 if kind == "fdr" else 499)
    enough = measure_resolution(fit().model_.calibration, threshold, 1)
    assert enough is None


@pytest.mark.parametrize(("training", "kind"), [("contaminated", "fdr"), ("clean", "contamination")])
def test_other_detectors_have_no_smallest_p_value(training, kind):
    assert measure_resolution(fit(training).model_.calibration, Threshold(kind, 1e-4), 100) is None


def test_warnings_name_the_smallest_p_value_and_the_rows_needed():
    calibration = fit().model_.calibration
    with pytest.warns(DataWarning, match="with 100 calibration rows no p-value is below 0.0099, so fewer than 10 anom"):
        warn_of_resolution(calibration, Threshold("fdr", 0.05), 50)
    with pytest.warns(DataWarning, match="so no row can be selected at fpr=0.0001; use at least 9999 calibration rows"):
        warn_of_resolution(calibration, Threshold("fpr", 1e-4), 50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_resolution(calibration, Threshold("fpr", 0.05), 50)
