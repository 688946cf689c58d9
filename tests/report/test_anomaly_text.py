"""Columns that no Gaussian describes are named where their values may be flagged too often."""

import numpy as np
import pytest

from gaussmix.anomaly import AnomalyDetector
from gaussmix.report.anomaly_text import describe_unsuitable_columns

FAST = {"n_components": 2, "n_repeats": 1, "random_state": 0}


def _describe(column):
    rng = np.random.default_rng(0)
    detector = AnomalyDetector(**FAST).fit(np.column_stack([rng.normal(size=len(column)), column]))
    return describe_unsuitable_columns(detector)


def test_point_masses_and_skewed_columns_are_named():
    rng = np.random.default_rng(1)
    (note,) = _describe(np.where(rng.random(600) < 0.6, 0.0, rng.normal(9.0, 1.0, 600)))
    assert "point mass: column 1" in note
    assert "flagged too often" in note
    (note,) = _describe(np.exp(rng.normal(size=600)))
    assert "skewed columns: column 1" in note
    assert "logarithms" in note


@pytest.mark.parametrize("kind", ["normal", "flag", "count", "anomalies"])
def test_other_columns_are_not_named(kind):
    rng = np.random.default_rng(2)
    columns = {"normal": rng.normal(size=600), "flag": rng.random(600) < 0.1, "count": rng.poisson(4.0, 600)}
    columns["anomalies"] = np.append(rng.normal(size=590), np.full(10, 40.0))
    assert _describe(columns[kind]) == ()


def test_a_model_from_a_file_has_no_notes(tmp_path):
    rows = np.exp(np.random.default_rng(3).normal(size=(300, 2)))
    detector = AnomalyDetector(**FAST).fit(rows)
    assert len(describe_unsuitable_columns(detector)) == 1
    detector.save(tmp_path / "detector")
    assert describe_unsuitable_columns(AnomalyDetector.load(tmp_path / "detector")) == ()
