"""The streaming detector: laws of scores and state, false alarms, bad input."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from gaussmix.anomaly import StreamingAnomalyDetector
from gaussmix.errors import ArchiveError, DataError, FileError, ParameterError
from tests.exhaustive import parametrize_product


def make_series(n_rows: int = 600, n_features: int = 1, seed: int = 0) -> np.ndarray:
    """Return a daily wave with noise and a spike."""
    rng = np.random.default_rng(seed)
    wave = 3.0 * np.sin(np.arange(n_rows) / 15.0)[:, None]
    rows = wave + rng.normal(size=(n_rows, n_features))
    rows[n_rows - 100] += 25.0
    return rows


SERIES = make_series()
SCORES = StreamingAnomalyDetector().score_and_learn(SERIES)


# -- laws ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_features", [1, 3])
def test_one_by_one_in_chunks_and_at_once_agree(n_features):
    rows = make_series(300, n_features)
    at_once = StreamingAnomalyDetector().score_and_learn(rows)
    one_by_one, chunks = StreamingAnomalyDetector(), StreamingAnomalyDetector()
    assert [one_by_one.score_one(row) for row in rows] == at_once.tolist()
    assert (
        np.concatenate([chunks.score_and_learn(part) for part in np.array_split(rows, 7)]).tolist() == at_once.tolist()
    )
    assert one_by_one.n_rows_seen_ == chunks.n_rows_seen_ == 300


def test_the_future_does_not_change_a_score():
    changed = SERIES.copy()
    changed[400:] = 1e6
    np.testing.assert_array_equal(StreamingAnomalyDetector().score_and_learn(changed)[:400], SCORES[:400])


def test_score_samples_learns_nothing_and_agrees_with_score_and_learn():
    detector = StreamingAnomalyDetector().partial_fit(SERIES[:400])
    log_p = detector.score_samples(SERIES[400:])
    assert detector.n_rows_seen_ == 400
    np.testing.assert_allclose(1.0 - np.exp(log_p), SCORES[400:], atol=1e-12)
    np.testing.assert_array_equal(detector.predict(SERIES[400:]), np.where(SCORES[400:] >= 0.97, -1, 1))
    np.testing.assert_array_equal(detector.decision_function(SERIES[400:]), log_p - np.log(0.03))
    np.testing.assert_array_equal(detector.score_and_learn(SERIES[400:]), SCORES[400:])


@pytest.mark.parametrize(
    ("scale", "shift", "exact"),
    [(2.0**300, 0.0, True), (2.0**-300, 0.0, True), (-1024.0, 0.0, True), (1e-9, 0.0, False), (3.0, 1e6, False)],
)
def test_units_and_origin_do_not_matter(scale, shift, exact):
    scores = StreamingAnomalyDetector().score_and_learn(SERIES * scale + shift)
    np.testing.assert_allclose(scores, SCORES, rtol=0, atol=0 if exact else 1e-9)


def test_units_of_each_column_do_not_matter():
    rows = make_series(300, 2)
    scaled = StreamingAnomalyDetector().score_and_learn(rows * [1e200, 1e-200])
    np.testing.assert_allclose(scaled, StreamingAnomalyDetector().score_and_learn(rows), atol=1e-9)


@pytest.mark.parametrize("window", [0, 24])
def test_at_most_fpr_of_the_rows_of_a_stationary_stream_are_alarms(window):
    """Rows are dependent, so the bound is checked over several streams, of noise and of an autoregression."""
    rates = []
    for seed in range(4):
        noise = np.random.default_rng(seed).normal(size=1000)
        for _ in range(1 if seed < 2 else 2):
            noise = np.array([0.9 * np.mean(noise[max(0, i - 3) : i + 1]) + noise[i] for i in range(1000)])
        detector = StreamingAnomalyDetector(window=window, refractory=0)
        rates.append(np.mean(detector.score_and_learn(noise[:, None])[300:] >= 0.95))
    assert np.mean(rates) <= 0.05 + (0.02 if window == 0 else 0.0)


def test_directions_of_scores_are_those_of_river_and_scikit_learn_and_are_said():
    rows = np.append(SERIES[:400], [[1.0], [60.0]], axis=0)
    detector = StreamingAnomalyDetector().partial_fit(rows[:-2])
    ordinary, unusual = detector.score_samples(rows[-2:])
    assert unusual < ordinary
    assert np.diff(detector.decision_function(rows[-2:])) < 0
    assert np.diff(detector.score_and_learn(rows[-2:])) > 0
    for name, direction in (("score_one", "Higher"), ("score_and_learn", "Higher"), ("score_samples", "Lower")):
        assert f"{direction} is more anomalous" in getattr(StreamingAnomalyDetector, name).__doc__


@pytest.mark.parametrize(("window", "largest_mean"), [(24, 0.0045), (0, 0.0065)])
def test_false_alarms_are_as_rare_as_the_documentation_says(window, largest_mean):
    rates = []
    for seed in range(4):
        rows = np.random.default_rng(seed).normal(size=(2500, 1 + seed % 2))
        rates.append(np.mean(StreamingAnomalyDetector(window=window).score_and_learn(rows) >= 0.97))
    assert np.mean(rates) < largest_mean


@pytest.mark.parametrize("change", [{"n_components": 4}, {"memory": 50}, {"window": 3}, {"refractory": 5}])
def test_every_parameter_changes_scores(change):
    default = StreamingAnomalyDetector(refractory=0).score_and_learn(SERIES)
    changed = StreamingAnomalyDetector(**{"refractory": 0, **change}).score_and_learn(SERIES)
    assert np.mean(changed != default) > 0.05  # most p-values are 1


def test_fpr_moves_the_decision_only():
    strict, loose = (StreamingAnomalyDetector(fpr=f, refractory=0).partial_fit(SERIES[:300]) for f in (0.012, 0.9))
    assert np.sum(strict.predict(SERIES[300:]) < 0) < np.sum(loose.predict(SERIES[300:]) < 0)
    np.testing.assert_array_equal(strict.score_samples(SERIES[300:]), loose.score_samples(SERIES[300:]))


# -- what it finds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_spike_and_a_shift_are_one_alarm_each(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=1200)
    values[700] += 15.0
    values[1000:] += 12.0
    detector = StreamingAnomalyDetector(fpr=0.01)
    alarms = [index for index, value in enumerate(values) if detector.predict_one(value) < 0]
    assert set(alarms) >= {700, 1000}
    assert len([index for index in alarms if index >= 1000]) == 1


def test_context_finds_a_usual_value_where_it_is_unusual():
    """A wave: its largest values are usual, but not where it is lowest, as at row 1350."""
    values = 10.0 * np.sin(np.arange(1500) * np.pi / 100) + 0.3 * np.random.default_rng(0).normal(size=1500)
    values[1350] = values[1450]
    with_context, without = (StreamingAnomalyDetector(window=w, refractory=0) for w in (24, 0))
    for detector in (with_context, without):
        detector.partial_fit(values[:1350, None]).score_one(values[1350])
    assert with_context.p_value_ < 0.2 * without.p_value_


def test_a_constant_series_is_no_anomaly_and_its_first_change_is():
    detector = StreamingAnomalyDetector()
    assert detector.score_and_learn(np.full((300, 1), 7.0)).max() == 0.0
    assert detector.predict_one(7.0 + 1e-9) == -1


def test_a_repeated_pattern_is_no_anomaly():
    rows = np.tile([0.0, 1.0, 1.0, 5.0], 200)[:, None]
    assert StreamingAnomalyDetector().score_and_learn(rows)[400:].max() < 0.97


def test_several_columns_break_their_relation():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1000, 1)) * np.ones(4) + 0.1 * rng.normal(size=(1000, 4))
    detector = StreamingAnomalyDetector(window=0, fpr=0.01).partial_fit(rows)
    assert detector.predict_one([1.5, -1.5, 1.5, -1.5]) == -1


def test_the_start_has_no_alarms():
    """A p-value among n rows is at least 1 / n, and e times that for two of them."""
    scores = StreamingAnomalyDetector(refractory=0).score_and_learn(np.exp(np.arange(90.0))[:, None])
    assert scores[0] == 0.0
    assert scores.max() < 0.97


# -- wild values -----------------------------------------------------------------------------------


@parametrize_product(
    {"wild": [300.0, 1e6, 1e20, -1e200, 1.7e308], "rows": [[0], [40], [1000], [200, 700]]},
    also=[(300.0, [200, 700]), (-1e200, [200, 700]), (1.7e308, [0]), (1.7e308, [1000])],
)
def test_wild_values_are_found_and_do_not_hide_later_anomalies(wild, rows):
    values = np.random.default_rng(1).normal(size=(1400, 2))
    values[rows, 1] = wild * np.array([1.0, -0.5])[: len(rows)]  # equal values would be known by then
    values[-1, 1] = 8.0
    scores = StreamingAnomalyDetector().score_and_learn(values)
    assert scores[-1] > 0.97
    assert (scores[[row for row in rows if row > 90]] > 0.97).all()


@pytest.mark.parametrize("wild", [1e3, 1e9, 1e200])
def test_one_wild_value_in_a_hundred_rows_does_not_hide_anomalies(wild):
    rng = np.random.default_rng(0)
    values = rng.normal(size=2000)
    is_wild = rng.random(2000) < 0.01
    values[is_wild] = wild * rng.uniform(-2.0, 2.0, is_wild.sum())
    for window in (0, 24):
        detector = StreamingAnomalyDetector(window=window).partial_fit(values[:, None])
        detector.score_one(8.0)
        assert detector.p_value_ < 0.03


def test_a_wild_value_in_a_constant_column_does_not_hide_what_comes_later():
    values = np.random.default_rng(0).normal(size=1500)
    values[:800] = 0.0
    values[400] = 1e20
    detector = StreamingAnomalyDetector().partial_fit(values[:, None])
    assert detector.predict_one(8.0) == -1


@pytest.mark.parametrize("factor", [2.0**200, 2.0**-200])
def test_units_do_not_matter_beside_wild_values(factor):
    values = np.random.default_rng(0).normal(size=(500, 1))
    values[[0, 300], 0] = 1e20, -1e15
    scores = StreamingAnomalyDetector(refractory=0).score_and_learn(values)
    np.testing.assert_array_equal(StreamingAnomalyDetector(refractory=0).score_and_learn(values * factor), scores)


def test_a_stream_with_wild_values_is_saved_and_continues(tmp_path):
    values = np.random.default_rng(0).normal(size=(600, 1))
    values[[0, 200, 400], 0] = 1e20, 1e200, -1e9
    for n_rows in (20, 201, 450):
        detector = StreamingAnomalyDetector(memory=150, refractory=0).partial_fit(values[:n_rows])
        detector.save(tmp_path / "stream")
        loaded = StreamingAnomalyDetector.load(tmp_path / "stream")
        np.testing.assert_array_equal(
            loaded.score_and_learn(values[n_rows:]), detector.score_and_learn(values[n_rows:])
        )


@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_a_change_of_scale_is_learned_within_a_half_life(factor):
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=1500), factor * rng.normal(size=1000)])
    detector = StreamingAnomalyDetector(memory=500).partial_fit(values[:2000, None])
    assert np.mean(detector.score_and_learn(values[2000:, None]) > 0.97) <= 0.01
    detector.score_one(10.0 * factor)
    assert detector.p_value_ < 0.03


# -- missing values --------------------------------------------------------------------------------


def test_missing_values_take_the_last_value():
    rows = make_series(200, 2)
    filled, missing = rows.copy(), rows.copy()
    missing[150, 1], filled[150, 1] = np.nan, rows[149, 1]
    np.testing.assert_array_equal(
        StreamingAnomalyDetector().score_and_learn(missing), StreamingAnomalyDetector().score_and_learn(filled)
    )


def test_rows_without_values_are_not_learned():
    scores = StreamingAnomalyDetector().score_and_learn(np.insert(SERIES, [0, 250], np.nan, axis=0))
    assert scores[0] == scores[251] == 0.0
    np.testing.assert_array_equal(np.delete(scores, [0, 251]), SCORES)


def test_rows_before_every_column_had_a_value_are_not_learned():
    rows = make_series(200, 2)
    late = np.concatenate([np.column_stack([rows[:5, 0], np.full(5, np.nan)]), rows])
    detector = StreamingAnomalyDetector()
    assert detector.score_and_learn(late)[:5].tolist() == [0.0] * 5
    # origins of columns differ, so scores agree up to rounding
    np.testing.assert_allclose(
        detector.score_samples(rows), StreamingAnomalyDetector().partial_fit(rows).score_samples(rows), atol=1e-9
    )


# -- state -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [1, 30, 450])
@pytest.mark.parametrize("window", [0, 24])
def test_a_saved_stream_continues_with_the_same_numbers(n_rows, window, tmp_path):
    detector = StreamingAnomalyDetector(window=window, memory=100, fpr=0.2).partial_fit(SERIES[:n_rows])
    detector.save(tmp_path / "stream.safetensors")
    loaded = StreamingAnomalyDetector.load(tmp_path / "stream.safetensors")
    assert loaded.get_params() == detector.get_params()
    assert (loaded.n_rows_seen_, loaded.p_value_) == (detector.n_rows_seen_, detector.p_value_)
    np.testing.assert_array_equal(loaded.score_and_learn(SERIES[n_rows:]), detector.score_and_learn(SERIES[n_rows:]))


def test_column_names_are_saved(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(make_series(50, 2), columns=["load", "latency"])
    StreamingAnomalyDetector().partial_fit(frame).save(tmp_path / "stream")
    loaded = StreamingAnomalyDetector.load(tmp_path / "stream")
    assert loaded.feature_names_in_.tolist() == ["load", "latency"]
    with pytest.raises(DataError, match="latency"):
        loaded.partial_fit(frame.rename(columns={"latency": "other"}))


def test_files_that_are_no_stream_are_refused(tmp_path):
    path = tmp_path / "stream"
    with pytest.raises(FileError, match="there is no file"):
        StreamingAnomalyDetector.load(path)
    path.write_bytes(b"text")
    with pytest.raises(ArchiveError, match="not a usable gaussmix model"):
        StreamingAnomalyDetector.load(path)
    StreamingAnomalyDetector().fit(SERIES[:50]).save(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 255
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="checksum"):
        StreamingAnomalyDetector.load(path)


def test_fit_starts_anew_and_clones_know_nothing():
    detector = StreamingAnomalyDetector(window=5).fit(SERIES).fit(SERIES[:100])
    assert detector.n_rows_seen_ == 100
    np.testing.assert_array_equal(
        detector.score_and_learn(SERIES[100:200]), StreamingAnomalyDetector(window=5).score_and_learn(SERIES)[100:200]
    )
    with pytest.raises(NotFittedError):
        clone(detector).score_samples(SERIES)


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("text", "must be numbers"),
        ([1.0, 2.0], "have 2 columns, but the model was fitted to 1"),
        ([[1.0]], "one dimension, but has the shape"),
        (np.inf, "contains infinity in column 0"),
        ([], "no columns"),
    ],
)
def test_bad_rows_are_refused_and_not_learned(row, message):
    detector = StreamingAnomalyDetector().partial_fit(SERIES[:100])
    with pytest.raises(DataError, match=message):
        detector.score_one(row)
    np.testing.assert_array_equal(detector.score_and_learn(SERIES[100:]), SCORES[100:])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (SERIES[:, 0], "Reshape"),
        (np.zeros((3, 2)), "2 features"),
        (np.array([[1.0], [np.inf]]), "infinity .* in row 1"),
        (np.empty((0, 1)), "minimum of 1 is required"),
    ],
)
def test_bad_tables_are_refused_and_not_learned(rows, message):
    detector = StreamingAnomalyDetector().partial_fit(SERIES[:100])
    with pytest.raises(DataError, match=message):
        detector.partial_fit(rows)
    np.testing.assert_array_equal(detector.score_and_learn(SERIES[100:]), SCORES[100:])


@pytest.mark.parametrize(
    "parameters",
    [{"window": -1}, {"n_components": 0}, {"memory": 1}, {"refractory": 0.5}, {"fpr": 0.0}, {"fpr": 1.0}, {"fpr": "a"}],
)
def test_bad_parameters_are_refused(parameters):
    (name,) = parameters
    with pytest.raises(ParameterError, match=f"{name} must be"):
        StreamingAnomalyDetector(**parameters).partial_fit(SERIES)


def test_parameters_of_a_running_stream_cannot_change():
    detector = StreamingAnomalyDetector().partial_fit(SERIES[:10])
    detector.window = 5
    with pytest.raises(ParameterError, match="window is 5, but the stream began with 24"):
        detector.score_one(1.0)
