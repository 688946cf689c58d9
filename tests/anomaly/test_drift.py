"""The drift monitor: what it finds, what it says, how it continues, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from gaussmix.anomaly import DriftMonitor
from gaussmix.anomaly.drift_archive import FORMAT, SCHEMA
from gaussmix.errors import ArchiveError, DataError, DriftError, FileError, ParameterError
from gaussmix.model.archive import write_archive

CHANGES = {
    "up": lambda x: x + 1.0,
    "down": lambda x: x - 1.0,
    "wider": lambda x: 2.5 * x,
    "narrower": lambda x: 0.3 * x,
}


def draw(seed, n_rows=600, n_columns=3):
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns))


def squared_length(rows):
    return (rows**2).sum(axis=1)


@pytest.mark.parametrize("direction", CHANGES)
def test_the_column_and_the_direction_of_a_drift_are_named(direction):
    """An alarm comes after few rows, which may all be high by chance: 9 of 10 directions are right."""
    n_right = 0
    for seed in range(10):
        monitor, rows = DriftMonitor(draw(seed)), draw(seed + 100)
        rows[300:, 1] = CHANGES[direction](rows[300:, 1])
        update = monitor.update(rows)
        report = monitor.report
        assert report.has_alarm
        assert 300 <= report.alarm_row < 500
        assert report.columns[0].name == "column 1"
        assert report.columns[0].share > 0.8
        assert update.combined[report.alarm_row] >= 20 > update.combined[: report.alarm_row].max()
        assert f"row {report.alarm_row} (counted from 0): column 1 " in report.sentence
        assert str(report) == report.sentence
        n_right += report.columns[0].direction == direction
    assert n_right >= 9


def test_stationary_rows_raise_no_alarm_and_say_so():
    monitor = DriftMonitor(draw(0))
    update = monitor.update(draw(1))
    report = monitor.report
    assert not report.has_alarm
    assert report.alarm_row is None
    assert report.columns == ()
    assert report.max_martingale == pytest.approx(max(1.0, update.combined.max()))
    assert "No drift in 600 rows" in report.sentence
    assert "an alarm needs 20 (false-alarm rate 0.05)" in report.sentence


def test_the_score_finds_what_no_column_shows():
    """Two columns become equal; each alone keeps its distribution."""
    monitor = DriftMonitor(draw(0), score_function=lambda rows: -((rows[:, 0] - rows[:, 1]) ** 2))
    rows = draw(1)
    rows[:, 1] = rows[:, 0] + 0.1 * rows[:, 1]
    update = monitor.update(rows)
    assert monitor.column_names == ("column 0", "column 1", "column 2", "score")
    assert monitor.report.columns[0].name == "score"
    assert monitor.report.columns[0].direction == "up"
    assert update.martingales.shape == update.p_values.shape == (600, 4)
    without = DriftMonitor(draw(0), score_function=None)
    without.update(rows)
    assert not without.report.has_alarm


def test_scores_and_a_score_function_are_the_same():
    reference, rows = draw(0), draw(1)
    by_function = DriftMonitor(reference, score_function=squared_length)
    by_scores = DriftMonitor(reference, reference_scores=squared_length(reference))
    expected = by_function.update(rows).combined
    np.testing.assert_array_equal(by_scores.update(rows, scores=squared_length(rows)).combined, expected)


def test_infinite_scores_rank_last():
    reference = draw(0)
    monitor = DriftMonitor(reference, reference_scores=squared_length(reference))
    update = monitor.update(draw(1, 50), scores=np.full(50, -np.inf))
    assert np.isfinite(update.combined).all()
    assert monitor.report.columns[0].direction == "down"


def test_batches_and_single_rows_agree_bit_for_bit():
    rows = draw(5, 300)
    rows[200:, 2] += 2.0
    rows[10, 0] = np.nan
    whole, single = (DriftMonitor(draw(4), score_function=squared_length) for _ in range(2))
    update = whole.update(rows)
    parts = [single.update(row) for row in rows]
    for name in ("combined", "martingales", "p_values", "has_new_value"):
        np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(update, name))
    assert single.report == whole.report
    assert [part.first_row for part in parts] == list(range(300))


def draw_correlated(seed, n_rows, correlation):
    rows = draw(seed, n_rows, 2)
    rows[:, 1] = correlation * rows[:, 0] + np.sqrt(1.0 - correlation**2) * rows[:, 1]
    return rows


@pytest.mark.parametrize(("before", "after"), [(0.99, 0.0), (0.0, 0.99), (0.9, -0.9)])
def test_a_relation_that_changes_is_found_by_default(before, after):
    for seed in range(3):
        monitor = DriftMonitor(draw_correlated(seed, 1000, before))
        monitor.update(draw_correlated(seed + 100, 300, before))
        assert not monitor.report.has_alarm
        monitor.update(draw_correlated(seed + 200, 200, after))
        assert monitor.report.has_alarm
        assert monitor.report.columns[0].name == "all columns together"
        assert "the columns together are unlike the reference" in monitor.report.sentence
        columns_only = DriftMonitor(draw_correlated(seed, 1000, before), score_function=None)
        columns_only.update(draw_correlated(seed + 200, 200, after))
        assert not columns_only.report.has_alarm


def test_units_and_wild_values_do_not_matter_to_the_columns_together():
    reference, rows = draw_correlated(0, 500, 0.9), draw_correlated(1, 300, 0.9)
    expected = DriftMonitor(reference).update(rows).martingales
    changed = DriftMonitor(reference * [2.0**300, 2.0**-300]).update(rows * [2.0**300, 2.0**-300])
    np.testing.assert_array_equal(changed.martingales, expected)
    reference[3] = 1e200, -1e20
    monitor = DriftMonitor(reference)
    monitor.update(draw_correlated(1, 200, 0.0))
    assert monitor.report.columns[0].name == "all columns together"


@pytest.mark.parametrize(
    "reference",
    [draw(0, 39, 2), draw(0, 600, 1), draw(0) * [1.0, 0.0, 0.0], np.where(draw(0) > -0.6, draw(1), np.nan)[:60]],
)
def test_few_rows_or_one_column_that_varies_are_watched_column_by_column(reference):
    monitor = DriftMonitor(reference)
    assert monitor.column_names == tuple(f"column {column}" for column in range(reference.shape[1]))
    monitor.update(reference)


def test_the_columns_together_raise_no_more_false_alarms_than_allowed():
    """Two columns in one relation, and a reference so small that the fit is poor: the rate is that of ranks."""
    n_alarms = 0
    for seed in range(60):
        rows = np.exp(draw_correlated(seed, 1060, 0.95))
        monitor = DriftMonitor(rows[:60], random_state=seed)
        monitor.update(rows[60:])
        n_alarms += monitor.report.has_alarm
    assert n_alarms <= 8


def test_a_saved_monitor_keeps_the_score_it_fitted(tmp_path):
    original = DriftMonitor(draw_correlated(0, 500, 0.9))
    original.update(draw_correlated(1, 50, 0.9))
    original.save(tmp_path / "monitor")
    copy = DriftMonitor.load(tmp_path / "monitor")
    rows = draw_correlated(2, 300, 0.0)
    np.testing.assert_array_equal(copy.update(rows).martingales, original.update(rows).martingales)
    assert copy.report == original.report
    assert copy.report.has_alarm
    with pytest.raises(DriftError, match="was made without one; leave score_function out"):
        DriftMonitor.load(tmp_path / "monitor", score_function=squared_length)


def test_rows_without_values_are_not_called_stationary():
    monitor = DriftMonitor(draw(0))
    assert monitor.report.sentence == "Nothing is known about drift: the monitor has seen no rows."
    monitor.update(np.empty((0, 3)))
    assert "has seen no rows" in monitor.report.sentence
    monitor.update(np.full((1000, 3), np.nan))
    assert monitor.report.sentence.endswith("the monitor has seen 1000 rows without values.")
    rows = draw(1, 200)
    rows[:, 2] = np.nan
    monitor.update(rows)
    report = monitor.report
    assert (report.n_rows, report.n_empty_rows) == (1200, 1000)
    assert report.empty_columns == ("column 2", "all columns together")
    assert report.sentence.startswith("No drift in 200 rows:")
    assert "1000 more rows had no values." in report.sentence
    assert report.sentence.endswith("Not watched, for want of values: column 2 and all columns together.")
    monitor.update(draw(2, 200))
    assert monitor.report.empty_columns == ()


def test_an_update_is_short_at_a_prompt():
    monitor = DriftMonitor(draw(0))
    monitor.update(draw(1, 100))
    text = repr(monitor.update(draw(2, 500)))
    assert text.startswith("DriftUpdate(rows 100 to 599, combined martingale up to ")
    assert len(text) < 80
    assert repr(monitor.update(np.empty((0, 3)))) == "DriftUpdate(no rows)"


@pytest.mark.parametrize("n_before", [0, 150, 280])
def test_a_saved_monitor_continues_exactly(n_before, tmp_path):
    rows = draw(5, 300)
    rows[200:, 2] += 2.0
    original = DriftMonitor(draw(4), score_function=squared_length, false_alarm_rate=0.01, random_state=3)
    original.update(rows[:n_before])
    original.save(tmp_path / "monitor")
    copy = DriftMonitor.load(tmp_path / "monitor", score_function=squared_length)
    np.testing.assert_array_equal(copy.update(rows[n_before:]).combined, original.update(rows[n_before:]).combined)
    assert copy.report == original.report
    assert copy.report.has_alarm
    assert copy.report.threshold == 100.0


def test_a_saved_monitor_keeps_names_alarm_and_constant_columns(tmp_path):
    frame = pd.DataFrame({"a": np.arange(50.0), "b": np.ones(50)})
    original = DriftMonitor(frame, combination="maximum")
    original.update(frame + 1.0)
    original.save(tmp_path / "monitor")
    copy = DriftMonitor.load(tmp_path / "monitor")
    assert copy.column_names == ("a", "b")
    assert copy.report == original.report
    assert copy.report.columns[0].direction == "new value"
    rows = pd.DataFrame({"a": [3.0, 7.0], "b": [1.0, 2.0]})
    first, second = original.update(rows), copy.update(rows)
    np.testing.assert_array_equal(first.combined, second.combined)
    np.testing.assert_array_equal(first.has_new_value, second.has_new_value)


def test_a_saved_monitor_without_its_function_takes_scores(tmp_path):
    DriftMonitor(draw(0), score_function=squared_length).save(tmp_path / "monitor")
    with pytest.raises(DriftError, match="the reference has scores, but these rows have none"):
        DriftMonitor.load(tmp_path / "monitor").update(draw(1))
    DriftMonitor.load(tmp_path / "monitor").update(draw(1), scores=np.zeros(600))


def test_files_that_hold_no_monitor_are_refused(tmp_path):
    with pytest.raises(FileError):
        DriftMonitor.load(tmp_path / "absent")
    write_archive(tmp_path / "other", {"format": "another", "schema": "1"}, {})
    with pytest.raises(ArchiveError):
        DriftMonitor.load(tmp_path / "other")
    write_archive(tmp_path / "empty", {"format": FORMAT, "schema": SCHEMA}, {})
    with pytest.raises(ArchiveError, match="columns"):
        DriftMonitor.load(tmp_path / "empty")
    DriftMonitor(draw(0)).save(tmp_path / "monitor")
    content = (tmp_path / "monitor").read_bytes()
    (tmp_path / "monitor").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ArchiveError):
        DriftMonitor.load(tmp_path / "monitor")


def test_a_smaller_false_alarm_rate_alarms_later():
    rows = draw(1) + 0.5
    monitors = [DriftMonitor(draw(0), false_alarm_rate=rate) for rate in (0.2, 0.05, 0.001)]
    for monitor in monitors:
        monitor.update(rows)
    alarm_rows = [monitor.report.alarm_row for monitor in monitors]
    assert alarm_rows == sorted(set(alarm_rows))


def test_maximum_is_never_earlier_than_average():
    rows = draw(1, n_columns=8) + 0.5
    average, maximum = (
        DriftMonitor(draw(0, n_columns=8), combination=name, score_function=None) for name in ("average", "maximum")
    )
    first, second = average.update(rows), maximum.update(rows)
    np.testing.assert_array_equal(first.martingales, second.martingales)
    np.testing.assert_allclose(first.combined, first.martingales.mean(axis=1))
    np.testing.assert_allclose(second.combined, second.martingales.max(axis=1) / 8)
    assert average.report.alarm_row < maximum.report.alarm_row


def test_the_default_is_the_combination_whose_rate_is_proved():
    """The union bound holds for any dependence; that of one column and its copies is the strongest."""
    n_alarms = 0
    for seed in range(60):
        values = draw(seed, 2000, 1) @ np.ones((1, 4))
        monitor = DriftMonitor(values[:500], random_state=seed)
        update = monitor.update(values[500:])
        np.testing.assert_array_equal(update.combined, update.martingales.max(axis=1) / 5)
        n_alarms += monitor.report.has_alarm
    assert n_alarms <= 8  # more than twice the 3 that are allowed on average: a probability below 1 %


def test_the_seed_changes_the_martingale():
    monitors = [DriftMonitor(draw(0), random_state=seed) for seed in (0, 0, 1)]
    combined = [monitor.update(draw(1)).combined for monitor in monitors]
    np.testing.assert_array_equal(combined[0], combined[1])
    assert np.any(combined[0] != combined[2])


def test_the_first_alarm_is_kept():
    monitor = DriftMonitor(draw(0))
    monitor.update(draw(1) + np.array([0.0, 0.0, 2.0]))
    first = monitor.report
    monitor.update(draw(2) + np.array([2.0, 0.0, 0.0]))
    assert (monitor.report.alarm_row, monitor.report.columns) == (first.alarm_row, first.columns)
    assert monitor.report.n_rows == 1200
    assert monitor.report.max_martingale > first.max_martingale


def test_a_new_value_in_a_constant_column_is_drift_at_once():
    reference, rows = draw(0), draw(1)
    reference[:, 1] = rows[:, 1] = 7.0
    monitor = DriftMonitor(reference)
    assert not monitor.update(rows).has_new_value.any()
    assert not monitor.report.has_alarm
    rows[4, 1] = 7.5
    update = monitor.update(rows)
    assert np.argwhere(update.has_new_value).tolist() == [[4, 1]]
    assert monitor.report.alarm_row == 604
    assert "column 1 was constant and has a new value" in monitor.report.sentence


def test_a_missing_cell_is_no_new_value_and_pauses_its_column():
    reference, rows = draw(0), draw(1, 40)
    reference[:, 1], rows[:, 1] = 7.0, np.nan
    update = DriftMonitor(reference, score_function=squared_length).update(rows)
    assert not update.has_new_value.any()
    assert np.isnan(update.p_values[:, [1, 3]]).all()
    assert np.isfinite(update.martingales).all()


def test_names_of_a_data_frame_are_used_in_any_order():
    frame = pd.DataFrame(draw(0), columns=["a", "b", "c"])
    rows = pd.DataFrame(draw(1) + np.array([0.0, 2.0, 0.0]), columns=["a", "b", "c"])
    monitor = DriftMonitor(frame)
    monitor.update(rows[["c", "b", "a"]])
    assert monitor.column_names == ("a", "b", "c", "all columns together")
    assert monitor.report.columns[0].name == "b"


def test_no_rows_change_nothing():
    monitor = DriftMonitor(draw(0))
    before = monitor.report
    assert monitor.update(np.empty((0, 3))).combined.shape == (0,)
    assert monitor.report == before


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.update(draw(0, 5, 2)), DataError, "the data have 2 columns, but the model was fitted to 3"),
        (lambda m: m.update([[0.0, np.inf, 0.0]]), DataError, "infinity"),
        (lambda m: m.update([["a", "b", "c"]]), DataError, "must be numbers"),
        (lambda m: m.update(draw(0, 5), scores=np.zeros(5)), DriftError, "the reference had none"),
    ],
)
def test_bad_rows_are_refused_and_change_nothing(call, error, message):
    monitor = DriftMonitor(draw(0))
    before = monitor.update(draw(1, 10)).combined, monitor.report
    with pytest.raises(error, match=message):
        call(monitor)
    assert monitor.report == before[1]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (None, "these rows have none"),
        (np.zeros(4), r"must have the shape \(5,\)"),
        (["a"] * 5, "scores must be numbers"),
    ],
)
def test_bad_scores_are_refused(scores, message):
    monitor = DriftMonitor(draw(0), reference_scores=np.arange(600.0))
    with pytest.raises(DriftError, match=message):
        monitor.update(draw(1, 5), scores=scores)


@pytest.mark.parametrize(
    ("reference", "options", "error", "message"),
    [
        (draw(0, 19), {}, DriftError, "the reference has 19 rows, but needs at least 20"),
        (np.empty((30, 0)), {}, DataError, "no columns"),
        (
            np.column_stack([draw(0, 30), [1.0] + 29 * [np.nan]]),
            {},
            DriftError,
            "1 value in 'column 3', without missing ones",
        ),
        (draw(0), {"reference_scores": np.full(600, np.nan)}, DriftError, "0 values in 'score'"),
        (draw(0), {"reference_scores": np.zeros(600), "score_function": squared_length}, DriftError, "both given"),
        (draw(0), {"false_alarm_rate": 0.0}, ParameterError, "false_alarm_rate must be a number above 0"),
        (draw(0), {"false_alarm_rate": 1.0}, ParameterError, "false_alarm_rate must be a number above 0"),
        (draw(0), {"score_function": "gauss"}, ParameterError, "score_function must be 'auto', a function or None"),
        (draw(0), {"combination": "sum"}, ParameterError, "combination must be one of average, maximum"),
        (draw(0), {"random_state": -1}, ParameterError, "random_state must be a whole number"),
    ],
)
def test_bad_references_and_parameters_are_refused(reference, options, error, message):
    with pytest.raises(error, match=message):
        DriftMonitor(reference, **options)


def test_a_function_and_scores_of_new_rows_exclude_each_other():
    with pytest.raises(DriftError, match="both given"):
        DriftMonitor(draw(0), score_function=squared_length).update(draw(1), scores=np.zeros(600))
