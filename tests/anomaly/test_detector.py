"""``AnomalyDetector``: scikit-learn's interface, every parameter, every method, and bad input."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from gaussmix.anomaly import AnomalyDetector, conformal_p_values, select_by_fdr
from gaussmix.errors import DataError, DataWarning, ParameterError
from tests.exhaustive import keep_first

FAST = {"n_components": 2, "n_repeats": 1, "random_state": 0}


def make_rows(n_rows=200, n_columns=3, seed=0, n_anomalies=0):
    rows = np.random.default_rng(seed).normal(size=(n_rows, n_columns))
    rows[:n_anomalies] *= 30.0
    return rows


@pytest.mark.parametrize(
    "parameters",
    keep_first(
        [
            {},
            {"calibration": "split", **FAST},
            {"calibration": "cross", "training": "clean", **FAST},
            {"calibration": "jackknife+", "contamination": 0.1, **FAST},
            {"training": "clean", **FAST},
            {"calibration": "jackknife+", "training": "clean", **FAST},
        ],
        4,
    ),
)
def test_scikit_learns_checks_find_nothing(parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        for result in check_estimator(AnomalyDetector(**parameters), on_fail=None, on_skip=None):
            assert result["status"] in ("passed", "skipped"), (result["check_name"], result["exception"])


@pytest.mark.parametrize("training", ["clean", "contaminated"])
@pytest.mark.parametrize("rate", [{"fpr": 0.1}, {"fdr": 0.1}, {"contamination": 0.1}, {}])
def test_decisions_are_scores_minus_the_offset_and_predictions_their_sign(training, rate):
    rows = make_rows(n_anomalies=8)
    detector = AnomalyDetector(training=training, **rate, **FAST).fit(rows)
    decisions = detector.decision_function(rows)
    assert (decisions == detector.score_samples(rows) - detector.offset_).all()
    predictions = detector.predict(rows)
    assert (predictions == np.where(decisions < 0, -1, 1)).all()
    assert (clone(detector).fit_predict(rows) == predictions).all()
    if training == "contaminated":
        assert (predictions[:8] == -1).all()
    if "contamination" in rate:
        assert (predictions == -1).sum() == 20


@pytest.mark.parametrize("n_repeats", [1, 2])
def test_clean_rows_are_flagged_exactly_where_the_p_value_is_at_most_fpr(n_repeats):
    new = np.concatenate([make_rows(seed=1), 2.5 * make_rows(seed=2)])
    for calibration in ("split", "cross"):
        for fpr in (0.02, 0.05, 0.3):
            options = FAST | {"n_repeats": n_repeats}
            detector = AnomalyDetector(training="clean", calibration=calibration, fpr=fpr, **options).fit(make_rows())
            assert ((detector.predict(new) == -1) == (detector.p_values(new) <= fpr)).all()


def test_a_rate_below_any_p_value_is_extrapolated():
    rows = make_rows()
    with pytest.warns(DataWarning, match="calibration rows"):
        detector = AnomalyDetector(training="clean", fpr=1e-5, **FAST).fit(rows)
    assert detector.offset_ == np.log(1e-5)
    assert (detector.predict(rows) == 1).all()
    assert detector.predict([[40.0, 0.0, 0.0]]) == -1


@pytest.mark.filterwarnings("ignore:with .* calibration rows")
def test_select_anomalies_is_benjamini_hochberg_on_the_p_values_at_the_rate_asked_for():
    new = np.concatenate([make_rows(seed=1), 9.0 + make_rows(10, seed=2)])
    detector = AnomalyDetector(training="clean", fdr=0.3, **FAST).fit(make_rows())
    p_values = detector.p_values(new)
    assert (detector.select_anomalies(new) == select_by_fdr(p_values, 0.3)).all()
    assert (detector.select_anomalies(new, 0.15) == select_by_fdr(p_values, 0.15)).all()
    plain = AnomalyDetector(training="clean", contamination=0.2, **FAST).fit(make_rows())
    assert (plain.select_anomalies(new) == select_by_fdr(plain.p_values(new), 0.05)).all()
    with pytest.raises(ParameterError, match=r"fdr must be .* between 0 and 1, but is 2"):
        detector.select_anomalies(new, 2)


@pytest.mark.parametrize(
    "changed",
    [
        {"contamination": 0.3},
        {"fpr": 0.2},
        {"fdr": 0.4},
        {"training": "clean"},
        {"calibration": "split"},
        {"n_components": 5},
        {"n_components": (2, 4)},
        {"covariance_type": "diag"},
        {"shrinkage": 0.5},
        {"n_repeats": 2},
        {"random_state": 1},
    ],
)
def test_every_parameter_changes_the_decisions(changed):
    rows = make_rows(n_anomalies=8)
    rows[:, 1] += rows[:, 0]
    first = AnomalyDetector(**FAST).fit(rows).decision_function(rows)
    second = AnomalyDetector(**(FAST | changed)).fit(rows).decision_function(rows)
    assert np.abs(first - second).max() > 1e-3


def test_jackknife_changes_the_p_values_of_clean_rows():
    rows, new = make_rows(60), make_rows(40, seed=1)
    options = {"training": "clean", **FAST}
    cross, jackknife = (AnomalyDetector(calibration=c, **options).fit(rows) for c in ("cross", "jackknife+"))
    assert (cross.p_values(new) != jackknife.p_values(new)).any()


@pytest.mark.parametrize("seed", [0, np.random.RandomState(0), np.random.default_rng(0)])
def test_a_random_state_reproduces_and_the_fit_changes_no_input(seed):
    rows = make_rows(80)
    rows.flags.writeable = False
    first = AnomalyDetector(**(FAST | {"random_state": seed})).fit(rows)
    again = AnomalyDetector(**(FAST | {"random_state": 0})).fit(rows).score_samples(rows)
    if seed == 0:
        assert (again == first.score_samples(rows)).all()
    ties = AnomalyDetector(training="clean", **FAST).fit(rows)
    assert (ties.p_values(rows, randomize_ties=True) == ties.p_values(rows, randomize_ties=True)).all()
    assert (ties.p_values(rows, randomize_ties=True) <= ties.p_values(rows)).all()


def test_calibration_rows_are_compared_with_and_never_fitted():
    rows, normal, new = make_rows(), 1.5 * make_rows(50, seed=1), make_rows(30, seed=2)
    plain = AnomalyDetector(**FAST).fit(rows)
    detector = AnomalyDetector(**FAST).fit(rows, X_calibration=normal)
    scores = [detector.model_.score(each) for each in (normal, new)]
    np.testing.assert_allclose(detector.p_values(new), conformal_p_values(*scores), rtol=1e-12)
    assert (plain.model_.score(new) == scores[1]).all()


def test_calibration_rows_that_break_a_relation_count_as_anomalous_as_new_ones():
    rows, normal = make_rows(), make_rows(19, seed=1)
    rows[:, 2], normal[:, 2] = 0.0, 0.0
    normal[:10, 2] = 1.0
    detector = AnomalyDetector(training="clean", **FAST).fit(rows, X_calibration=normal)
    assert detector.p_values([[0.0, 0.0, 1.0]])[0] > 0.05


@pytest.mark.parametrize("training", ["clean", "contaminated"])
def test_a_row_that_breaks_a_relation_of_the_training_rows_is_an_anomaly_and_said_so(training):
    rows = make_rows(n_columns=4)
    rows[:, 2], rows[:, 3] = 5.0, rows[:, 0] + rows[:, 1]
    detector = AnomalyDetector(fpr=0.05, training=training, **FAST).fit(rows)
    new = np.array([[0.0, 0.0, 5.0, 0.0], [0.0, 0.0, 5.5, 0.0], [0.0, 0.0, 5.0, 1.0]])
    assert detector.predict(new).tolist() == [1, -1, -1]
    sentences = detector.explain(new).sentences
    assert "column 2 is 5.5, but 5 in every training row" in sentences[1]
    assert "column 3" in sentences[2]
    assert "although" in sentences[2]


def test_training_p_values_belong_to_the_rows_that_count():
    rows, weights = make_rows(50), np.ones(50)
    weights[:5] = 0.0
    detector = AnomalyDetector(**FAST).fit(rows, sample_weight=weights)
    assert detector.training_p_values_.shape == (45,)
    only = AnomalyDetector(**FAST).fit(rows[5:])
    np.testing.assert_allclose(detector.training_p_values_, only.training_p_values_, rtol=1e-9)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"training": "dirty"}, "training must be one of contaminated, clean, but is 'dirty'"),
        ({"calibration": "none"}, "calibration must be one of auto, split, cross, .* but is 'none'"),
        ({"n_components": 0}, "n_components must be 'auto', a whole number of at least 1.*but is 0"),
        ({"n_components": ()}, "n_components"),
        ({"n_components": (2, 1.5)}, "n_components"),
        ({"n_components": "many"}, "n_components"),
        ({"covariance_type": "round"}, "covariance_type"),
        ({"covariance_type": "UUU"}, "pass n_factors"),
        ({"shrinkage": 0.0}, "shrinkage"),
        ({"shrinkage": "strong"}, "shrinkage"),
        ({"shrinkage": np.inf}, "shrinkage"),
        ({"n_repeats": 0}, "n_repeats"),
        ({"random_state": "x"}, "random_state"),
        ({"contamination": 0.6}, "contamination.*at most 0.5"),
        ({"fpr": 0.1, "fdr": 0.1}, "one of contamination, fpr and fdr"),
    ],
)
def test_bad_parameters_are_named(parameters, words):
    with pytest.raises(ParameterError, match=words):
        AnomalyDetector(**parameters).fit(make_rows(30))


def test_bad_rows_are_named():
    rows = make_rows(30)
    detector = AnomalyDetector(**FAST).fit(rows)
    bad = rows.copy()
    bad[3, 1] = np.nan
    for call in (detector.fit, detector.predict, detector.p_values, detector.explain):
        with pytest.raises(ValueError, match=r"NaN.* row 3.*column 1"):
            call(bad)
        with pytest.raises(ValueError, match="inf"):
            call(np.where(np.isnan(bad), np.inf, bad))
    for call in (detector.predict, detector.group_anomalies, lambda X: detector.feedback(X, True)):
        with pytest.raises(ValueError, match=r"2 (features|columns)"):
            call(rows[:, :2])
    with pytest.raises(ValueError, match=r"2 (features|columns)"):
        detector.fit(rows, X_calibration=rows[:, :2])
    with pytest.raises(ValueError, match="sample_weight"):
        detector.fit(rows, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="sample_weight"):
        detector.fit(rows, sample_weight=-np.ones(30))
    with pytest.raises(DataError, match="all 5 rows are equal"):
        detector.fit(np.ones((5, 2)))
    for method in ("predict", "score_samples", "p_values", "select_anomalies", "explain", "group_anomalies"):
        with pytest.raises(NotFittedError):
            getattr(AnomalyDetector(), method)(rows)


def test_names_of_columns_are_remembered_and_compared():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(make_rows(60), columns=["a", "b", "c"])
    detector = AnomalyDetector(**FAST).fit(table)
    assert detector.feature_names_in_.tolist() == ["a", "b", "c"]
    assert "a" in detector.explain(pandas.DataFrame([[9.0, 0.0, 0.0]], columns=["a", "b", "c"])).sentences[0]
    with pytest.raises(ValueError, match="names"):
        detector.predict(table[["b", "a", "c"]])


def test_calibration_rows_and_a_way_to_choose_them_contradict_each_other():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(ParameterError, match=r"calibration='jackknife\+' chooses .* X_calibration gives"):
        AnomalyDetector(calibration="jackknife+").fit(rows, X_calibration=rows)


def test_a_detector_that_can_find_nothing_says_so():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 2))
    with pytest.warns(DataWarning, match="calibration rows"):
        AnomalyDetector(training="clean", fpr=1e-4, **FAST).fit(rows)
    detector = AnomalyDetector(training="clean", **FAST).fit(rows)
    with pytest.warns(DataWarning, match="calibration rows"):
        assert not detector.select_anomalies(np.vstack([rng.normal(size=(300, 2)), [[50.0, 50.0]]])).any()


@pytest.mark.parametrize("name", ["shrinkage", "n_repeats", "n_components"])
def test_messages_say_that_the_data_can_choose(name):
    with pytest.raises(ParameterError, match=f"{name} must be 'auto'"):
        AnomalyDetector(**{name: "x"}).fit(np.eye(3))
