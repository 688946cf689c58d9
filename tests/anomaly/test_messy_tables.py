"""Tables of a hostile newcomer: every answer is finite, and no calculation overflows or divides by zero."""

import warnings

import numpy as np
import pytest

from gaussmix.anomaly import AnomalyDetector
from gaussmix.errors import DataError, DataWarning, GaussmixWarning
from tests.exhaustive import parametrize_product

FAST = {"n_components": (1, 2), "n_repeats": 1, "random_state": 0}
PARAMETERS = [
    {},
    {"training": "clean"},
    {"training": "clean", "calibration": "jackknife+", "fpr": 0.1},
    {"calibration": "split", "contamination": 0.2},
]


def normal(n_rows, n_columns, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns))


def replace(rows, index, value):
    rows = rows.copy()
    rows[index] = value
    return rows


TABLES = {
    "one column": normal(50, 1),
    "four rows": normal(4, 2),
    "more columns than rows": normal(12, 30),
    "duplicates of one row": np.concatenate([np.ones((95, 2)), normal(5, 2)]),
    "copies": np.repeat(normal(6, 2), 9, axis=0),
    "whole numbers": normal(80, 3).round(),
    "binary": (normal(80, 3) > 0).astype(float),
    "rare binary": replace(replace(normal(80, 2), (slice(None), 1), 0.0), (9, 1), 1.0),
    "heavy tail": np.tan(1.57 * np.random.default_rng(0).uniform(-1, 1, (90, 2))),
    "outlier of 1e12 deviations": replace(normal(60, 2), 3, 1e12),
    "outlier of 1e200 deviations": replace(normal(60, 2), (3, 1), -1e200),
    "five rows, one of them absurd": replace(normal(5, 2), (2, 0), 1e200),
    "constant but for an absurd row": replace(replace(normal(60, 2), (slice(None), 0), 3.0), (7, 0), 1e200),
    "sentinels": replace(normal(60, 2), (slice(0, 20), 1), -9999.0),
    "tiny and huge units": normal(60, 3) * [1e-200, 1.0, 1e200],
    "far from zero": normal(60, 2) + 1e9,
    "constant column": replace(normal(40, 3), (slice(None), 1), 3.7),
    "column that is nearly always zero": replace(
        np.eye(1, 50).T * [1.0, 0.0] + normal(50, 2) * [0.0, 1.0], 7, [1.0, 0.0]
    ),
    "smallest numbers": np.append(normal(40, 1), 5e-324 * (np.arange(40.0)[:, None] % 3), axis=1),
}


def assert_finite(detector, rows):
    for method in ("score_samples", "decision_function", "predict", "p_values", "select_anomalies"):
        assert np.isfinite(getattr(detector, method)(rows)).all(), method
    p_values = detector.p_values(rows)
    assert (p_values >= 0.0).all()
    assert (p_values <= 1.0).all()


@parametrize_product({"name": TABLES, "parameters": PARAMETERS}, also=[(name, PARAMETERS[0]) for name in TABLES])
def test_every_answer_is_finite(name, parameters):
    rows = TABLES[name]
    far = np.stack([rows[0], rows[0] + 1.0, *(np.full(rows.shape[1], value) for value in (1e12, -1e200, 1.7e308))])
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", GaussmixWarning)
        detector = AnomalyDetector(**FAST, **parameters).fit(rows)
        assert np.isfinite(detector.offset_)
        assert np.isfinite(detector.training_p_values_).all()
        assert_finite(detector, np.concatenate([rows, far]))
        detector.feedback(np.concatenate([rows[:1], far[3:4]]), np.array([True, False]))
        assert_finite(detector, np.concatenate([rows, far]))
        assert (detector.predict(rows[:1]), detector.predict(far[3:4])) == (-1, 1)


@pytest.mark.parametrize("seed", range(3))
def test_far_rows_are_anomalies_and_farther_rows_more_so(seed):
    detector = AnomalyDetector(fpr=0.02, **FAST).fit(normal(300, 2, seed))
    scores = detector.score_samples(10.0 ** np.arange(1, 40, 3)[:, None] * [1.0, -1.0])
    assert (scores < detector.offset_).all()
    assert (np.diff(scores) <= 0.0).all()


@pytest.mark.parametrize("name", ["outlier of 1e12 deviations", "outlier of 1e200 deviations"])
def test_an_absurd_training_row_is_an_anomaly_and_hides_no_other(name):
    rows = np.concatenate([TABLES[name], normal(200, 2, 5)])
    detector = AnomalyDetector(fpr=0.02, random_state=0).fit(rows)
    assert detector.predict(rows[3:4]) == -1
    assert detector.predict([[12.0, 12.0], [0.0, 0.0]]).tolist() == [-1, 1]


@pytest.mark.filterwarnings("ignore:with .* calibration rows")
@pytest.mark.parametrize("n_rows", [2, 3, 5, 19, 20])
@pytest.mark.parametrize("training", ["clean", "contaminated"])
def test_few_rows_are_fitted_with_a_warning(n_rows, training):
    detector = AnomalyDetector(training=training, calibration="cross", **FAST)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        detector.fit(normal(n_rows, 2))
    found = [str(warning.message) for warning in caught if warning.category is DataWarning]
    assert len(found) == (n_rows < 20)
    assert all(f"{n_rows} rows" in text and "20" in text for text in found)
    assert_finite(detector, normal(10, 2, 1))
    assert detector.predict([[100.0, 100.0]]) in (-1, 1)


def test_one_duplicated_row_is_normal_and_the_few_others_are_not():
    rows = np.concatenate([np.zeros((95, 2)), 5.0 + normal(5, 2)])
    detector = AnomalyDetector(contamination=0.05, random_state=0).fit(rows)
    assert detector.predict(rows).tolist() == [1] * 95 + [-1] * 5


@pytest.mark.filterwarnings("ignore:with .* calibration rows")
def test_half_of_the_rows_may_be_called_anomalies_and_all_or_none_may_be_selected():
    rows = normal(100, 2)
    assert (AnomalyDetector(contamination=0.5, **FAST).fit_predict(rows) == -1).sum() == 50
    detector = AnomalyDetector(training="clean", **FAST).fit(rows)
    assert detector.select_anomalies(1e3 + rows).all()
    assert not detector.select_anomalies(np.zeros((30, 2))).any()


@pytest.mark.parametrize(
    "rows", [np.empty((0, 2)), np.ones((7, 2)), np.ones((1, 2)), [1.0, 2.0], [["a", "b"]], [[None]]]
)
def test_rows_that_say_nothing_are_refused(rows):
    with pytest.raises(ValueError) as caught:
        AnomalyDetector().fit(rows)
    assert len(str(caught.value)) > 20


def test_explanations_of_columns_that_only_unusual_rows_vary():
    rows = replace(normal(200, 3), (slice(None), 2), 0.0)
    rows[5] = [5.0, 5.0, 1.0]
    detector = AnomalyDetector(fpr=0.04, random_state=0).fit(rows)  # one such row of 200 has p-values near 0.02
    explained = detector.explain([[0.0, 0.0, 1.0]])
    assert detector.predict([[0.0, 0.0, 1.0]]) == -1
    assert "column 2" in explained.sentences[0]


@pytest.mark.parametrize(
    "name",
    [
        "more columns than rows",
        "outlier of 1e12 deviations",
        "four rows",
        "copies",
        "five rows, one of them absurd",
        "constant but for an absurd row",
    ],
)
@pytest.mark.parametrize("training", ["clean", "contaminated"])
def test_few_or_absurd_rows_are_explained(name, training):
    rows = TABLES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GaussmixWarning)
        detector = AnomalyDetector(training=training, calibration="cross", **FAST).fit(rows)
        explained = detector.explain(rows[:4])
    assert np.isfinite(explained.squared_distances).all()
    assert all(explained.sentences)


@pytest.mark.parametrize("exponent", [-660, 660])
@pytest.mark.parametrize("n_rows", [8, 60])
def test_the_groups_of_normal_rows_have_units_whose_squares_overflow(n_rows, exponent):
    rows = replace(normal(n_rows, 3), (slice(1, None), 2), 0.0)  # constant but for the first row
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GaussmixWarning)
        first = AnomalyDetector(**FAST).fit(rows).explain(rows)
        scaled = AnomalyDetector(**FAST).fit(np.ldexp(rows, [0, 0, exponent])).explain(np.ldexp(rows, [0, 0, exponent]))
    np.testing.assert_allclose(scaled.squared_distances, first.squared_distances, rtol=1e-9)
    np.testing.assert_array_equal(scaled.deviating_columns, first.deviating_columns)


def test_equal_rows_are_an_error_also_where_weights_leave_one():
    with pytest.raises(DataError, match="one row only"):
        AnomalyDetector().fit(normal(5, 2), sample_weight=[0, 0, 1, 0, 0])


def test_frames_that_are_no_tables_of_numbers_are_refused_in_words():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for frame, message in (
        (polars.DataFrame({"a": [1.0, 2.0]}).lazy(), "a LazyFrame has no rows yet; pass its collect"),
        (pandas.DataFrame(), "the data have no columns"),
        (
            pandas.DataFrame({"a": [1.0, 2.0], "t": pandas.date_range("2020", periods=2)}),
            "drop or convert the columns that hold text or dates",
        ),
    ):
        with pytest.raises(DataError, match=message):
            AnomalyDetector().fit(frame)
