"""Drift of a table: distances, false alarms, what is named, and input that is not allowed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gaussmix.anomaly import AnomalyDetector, find_table_drift
from gaussmix.anomaly.table_drift import measure_gaps
from gaussmix.errors import DataError, ParameterError

CHANGES = {
    "up": lambda x: x + 0.7,
    "down": lambda x: x - 0.7,
    "wider": lambda x: 2.0 * x,
    "narrower": lambda x: 0.5 * x,
}


def draw(seed, n_rows, n_columns=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_rows, n_columns)) + 0.8 * rng.normal(size=(n_rows, 1))


def fit(rows, **options):
    options = {"training": "clean", "n_components": 1, "n_repeats": 1, "shrinkage": 0.01, "random_state": 0, **options}
    return AnomalyDetector(**options).fit(rows)


@pytest.fixture(scope="module")
def normal():
    return draw(0, 500)


@pytest.fixture(scope="module")
def detector(normal):
    return fit(normal)


@pytest.mark.parametrize("seed", range(6))
def test_distances_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    normal, new = rng.normal(size=40), rng.normal(0.5, 2.0, size=70)
    if seed % 2:
        normal, new = normal.round(), new.round()
    gaps = measure_gaps(normal, new)
    assert gaps.down == pytest.approx(stats.ks_2samp(new, normal, "greater", "asymp").statistic)
    assert gaps.up == pytest.approx(stats.ks_2samp(new, normal, "less", "asymp").statistic)


def test_rows_of_one_source_raise_few_alarms():
    """All rows of a run share training rows, calibration rows and dependent columns."""
    n_alarms = 0
    for seed in range(100):
        rows = draw(seed, 420)
        n_alarms += find_table_drift(fit(rows[:300]), rows[:300], rows[300:]).has_drift
    assert n_alarms <= 11  # of 5 that are allowed on average: more have a probability of 0.4 %


@pytest.mark.parametrize("n_rows", [1, 3, 1000])
def test_a_smaller_p_value_than_the_level_is_as_rare_as_it_says(n_rows):
    """One column of whole numbers, compared with a reference of its own."""
    fitted = fit(draw(0, 60, 1), training="contaminated")
    rng = np.random.default_rng(n_rows)
    n_alarms = 0
    for _ in range(200):
        reference, rows = rng.poisson(3.0, size=(40, 1)), rng.poisson(3.0, size=(n_rows, 1))
        n_alarms += find_table_drift(fitted, reference, rows, false_alarm_rate=0.1).has_drift
    assert n_alarms <= stats.binom.ppf(0.999, 200, 0.1)


@pytest.mark.parametrize("direction", CHANGES)
def test_the_column_and_the_direction_are_named(direction, detector):
    """Other columns may be named in few of 20 runs: the rate is 5 %."""
    found = []
    for seed in range(20):
        rows = draw(100 + seed, 400)
        rows[:, 1] = CHANGES[direction](rows[:, 1])
        drift = find_table_drift(detector, draw(200 + seed, 500), rows)
        found.append([(column.name, column.direction) for column in drift.columns if not column.is_score])
        assert found[-1][0] == ("column 1", direction)
        assert "column 1" in drift.sentence
    assert sum(len(columns) > 1 for columns in found) <= 4


def test_few_known_anomalies_are_no_drift_and_many_are(detector, normal):
    is_anomaly = np.arange(3000) < 120
    for seed in range(1, 6):
        rows = draw(seed, 3000)
        rows[is_anomaly] += 9.0
        assert not find_table_drift(detector, normal, rows, is_anomaly=is_anomaly).has_drift
    rows[:600] += 9.0
    drift = find_table_drift(detector, normal, rows, is_anomaly=np.arange(3000) < 600)
    assert {column.name for column in drift.columns} == {"column 0", "column 1", "column 2", "score"}
    assert find_table_drift(detector, normal, rows, is_anomaly=True).has_drift, "all rows flagged are drift"


def test_known_anomalies_explain_a_distance_of_their_fraction(detector, normal):
    rows = draw(7, 2000)
    rows[:80, 1] += 50.0
    rows[:, 2] += 1.0
    blind, informed = (
        find_table_drift(detector, normal, rows, is_anomaly=flags).columns[0] for flags in (False, rows[:, 1] > 30)
    )
    assert blind.distance == informed.distance
    expected = 2.17 * np.exp(-2.0 * 400.0 * (np.array([0.0, 0.04]) - blind.distance) ** 2)
    np.testing.assert_allclose([blind.p_value, informed.p_value], expected, rtol=1e-9)


def test_the_score_finds_what_no_column_shows(detector, normal):
    rows = np.random.default_rng(3).normal(size=(400, 3)) * np.sqrt(1.64)  # equal variances, no correlation
    drift = find_table_drift(detector, normal, rows)
    assert [(column.name, column.is_score, column.direction) for column in drift.columns] == [("score", True, "up")]
    assert "the rows as a whole are more unusual" in str(drift)
    contaminated = fit(normal, training="contaminated")
    assert not find_table_drift(contaminated, normal, rows).has_drift, "its scores are not comparable"


def test_units_and_the_order_of_rows_do_not_matter(normal):
    rows, scales, shifts = draw(1, 200) + 0.6 * np.eye(3)[1], np.array([1e-3, 4.0, 1e6]), np.array([0.0, 1e4, -1.0])
    order = np.random.default_rng(0).permutation(200)
    first = find_table_drift(fit(normal, training="contaminated"), normal, rows)
    other = normal * scales + shifts
    second = find_table_drift(fit(other, training="contaminated"), other[::-1], (rows * scales + shifts)[order])
    assert first.has_drift
    assert first == second


def test_names_and_sentences(normal):
    names = ["bill", "score", "calls"]
    detector = fit(pd.DataFrame(normal, columns=names))
    rows = pd.DataFrame(draw(1, 300) + 2.0 * np.eye(3)[1], columns=names)
    drift = find_table_drift(detector, pd.DataFrame(normal, columns=names), rows[["calls", "score", "bill"]])
    assert drift.columns[0].name == "score"
    assert not drift.columns[0].is_score
    assert drift.sentence.startswith(
        "The rows differ from the normal rows by more than a few anomalies: score moved up and the rows as a whole are"
    )
    assert drift.sentence.endswith("(Kolmogorov-Smirnov, false-alarm rate 0.05).")
    none = find_table_drift(detector, pd.DataFrame(normal, columns=names), pd.DataFrame(draw(2, 200), columns=names))
    assert (none.has_drift, none.columns) == (False, ())
    assert none.sentence.startswith("No drift:")
    many = find_table_drift(fit(draw(0, 300, 8)), draw(0, 300, 8), draw(1, 300, 8) + 3.0)
    assert len(many.columns) == 9
    assert "and 4 more differ" in many.sentence


def test_a_smaller_rate_needs_more_evidence(detector, normal):
    rows = draw(1, 100) + 0.45 * np.eye(3)[0]
    found = [find_table_drift(detector, normal, rows, false_alarm_rate=rate).has_drift for rate in (0.5, 1e-9)]
    assert found == [True, False]


def test_a_column_that_was_constant_drifts(normal):
    rows = np.column_stack([normal, np.full(500, 3.0)])
    detector = fit(rows)
    assert not find_table_drift(detector, rows, rows[:100]).has_drift
    drift = find_table_drift(detector, rows, rows[:100] + np.eye(4)[3], is_anomaly=True)
    assert drift.columns[0].name == "column 3"


def test_bad_input_is_refused(detector, normal):
    for rate in (0.0, 1.0, np.nan, "x"):
        with pytest.raises(ParameterError, match="false_alarm_rate must be a number above 0 and below 1"):
            find_table_drift(detector, normal, normal, false_alarm_rate=rate)
    for reference, rows in ((normal[:0], normal), (normal, normal[:0])):
        with pytest.raises(DataError, match="0 rows"):
            find_table_drift(detector, reference, rows)
    with pytest.raises(DataError, match="2 columns"):
        find_table_drift(detector, normal, normal[:, :2])
    with pytest.raises(ParameterError, match="is_anomaly"):
        find_table_drift(detector, normal, normal, is_anomaly=np.ones(500))
