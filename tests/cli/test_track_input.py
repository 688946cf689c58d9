"""Columns and times of recordings: found, named, parsed, sorted, and refused in one sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gaussmix.cli.point_scans import PointScans, read_point_scans
from gaussmix.errors import ColumnNameError, DetectionTableError, GaussmixError, TableError
from tests.cli.conftest import Write

NONE = (None, None, None)


def read(
    path: Path,
    time: str | None = None,
    axes: Any = NONE,
    scan_length: float | None = None,
    max_scans: int | None = None,
) -> PointScans:
    return read_point_scans(path, time, axes, scan_length, max_scans)


@pytest.mark.parametrize(
    ("names", "time", "coordinates"),
    [
        (["t", "x", "y"], "t", ("x", "y")),
        (["y", "x", "frame"], "frame", ("x", "y")),
        (["Time [s]", "X (m)", "Y (m)", "Z (m)"], "Time [s]", ("X (m)", "Y (m)", "Z (m)")),
        (["timestamp", "lat", "lon"], "timestamp", ("lon", "lat")),
        (["time_s", "east_m", "north_m", "echo_db"], "time_s", ("east_m", "north_m")),
        (["step", "a", "b", "id"], "step", ("a", "b")),
        (["t", "x"], "t", ("x",)),
        (["frame", "time", "x", "y"], "time", ("x", "y")),
    ],
)
def test_columns_are_found_by_name(write: Write, names: list[str], time: str, coordinates: tuple[str, ...]) -> None:
    path = write("a.csv", {name: [0, 1, 2 + j] for j, name in enumerate(names)})
    columns = read(path).columns
    assert (columns.time.name, columns.names, columns.were_found) == (time, coordinates, True)


def test_a_single_column_of_dates_is_the_time(write: Write) -> None:
    path = write("a.csv", {"seen": ["2026-01-01", "2026-01-02"], "x": [0, 1], "y": [1, 2]})
    assert read(path).columns.time.name == "seen"


def test_named_columns(write: Write) -> None:
    path = write("a.csv", {"t": [0, 1], "x": [0, 1], "y": [0, 2], "a": [5, 6], "b": [7, 9], "k": [3, 4]})
    recording = read(path, "k", ("b", "a", None))
    assert recording.columns.names == ("b", "a")
    assert not recording.columns.were_found
    assert recording.times.tolist() == [3.0, 4.0]
    assert np.concatenate(recording.scans).tolist() == [[7.0, 5.0], [9.0, 6.0]]
    assert read(path, axes=("a", None, None)).columns.names == ("a",)
    assert read(path, axes=("a", "b", "x")).columns.names == ("a", "b", "x")


def test_equal_times_are_one_scan_and_rows_are_remembered(write: Write) -> None:
    path = write("a.csv", {"t": [2, 1, 2, 1, 3], "x": [1.0, 2.0, 3.0, 4.0, 5.0], "y": [0, 0, 0, 0, 1]})
    recording = read(path)
    assert [rows.tolist() for rows in recording.rows] == [[1, 3], [0, 2], [4]]
    assert [scan[:, 0].tolist() for scan in recording.scans] == [[2.0, 4.0], [1.0, 3.0], [5.0]]
    assert recording.steps.tolist() == [0.0, 1.0, 1.0]
    assert recording.notes == ("the rows are not in the order of time; they are sorted.",)
    assert len(read(path, max_scans=2).scans) == 2


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_rows_within_the_length_of_a_scan_are_one_scan(write: Write, shift: float) -> None:
    times = [shift + time for time in (0.1, 0.3, 0.5, 1.1, 2.1, 2.2, 3.5, 5.3)]
    path = write("a.csv", {"t": times, "x": range(8), "y": range(8)})
    recording = read(path, scan_length=1.0)
    np.testing.assert_allclose(recording.times - shift, [0.1, 1.1, 2.1, 3.1, 4.1, 5.1])
    assert [rows.tolist() for rows in recording.rows] == [[0, 1, 2], [3], [4, 5], [6], [], [7]]
    assert len(read(path).scans) == 8
    dates = {"t": ["2026-01-01 00:00:00", "2026-01-01 00:00:09", "2026-01-01 00:00:10"], "x": [0, 1, 2]}
    assert [len(scan) for scan in read(write("b.csv", dates), scan_length=10.0).scans] == [2, 1]


def test_a_constant_step_implies_empty_scans(write: Write) -> None:
    times = [0.0, 0.1, 0.2, 0.5, 0.6, 0.7]
    recording = read(write("a.csv", {"t": times, "x": range(6), "y": range(6)}))
    np.testing.assert_allclose(recording.times, np.arange(8) / 10)
    assert [len(scan) for scan in recording.scans] == [1, 1, 1, 0, 0, 1, 1, 1]
    assert recording.notes == ("times have a constant step of 0.1; 2 scans without detections count as empty.",)


@pytest.mark.parametrize("times", [[0.0, 1.0, 2.0, 3.5, 4.5], [0.0, 2.0, 4.0, 5.0, 7.0], [0.0, 3.0]])
def test_other_times_imply_no_empty_scans(write: Write, times: list[float]) -> None:
    recording = read(write("a.csv", {"t": times, "x": range(len(times)), "y": range(len(times))}))
    assert recording.times.tolist() == times
    assert recording.notes == ()


def test_a_long_gap_is_a_gap(write: Write) -> None:
    recording = read(write("a.csv", {"t": [0, 1, 2, 1000], "x": range(4), "y": range(4)}))
    assert len(recording.scans) == 4
    assert "1 gap in the times counts as a pause" in recording.notes[0]


def test_a_pause_is_too_long_for_empty_scans(write: Write) -> None:
    times = [*range(10), *range(30, 40)]
    rows = {"t": np.repeat(times, 4), "x": range(80), "y": range(80)}
    recording = read(write("a.csv", rows))
    assert len(recording.scans) == 20
    assert recording.steps.max() == 21.0
    assert "pause" in recording.notes[0]
    short = {"t": np.repeat([*range(10), *range(12, 20)], 4), "x": range(72), "y": range(72)}
    recording = read(write("b.csv", short))
    assert [len(scan) for scan in recording.scans].count(0) == 2
    assert "2 scans without detections" in recording.notes[0]


def test_a_row_far_from_all_others_is_left_out_and_named(write: Write) -> None:
    values = np.random.default_rng(0).normal(size=40)
    values[16] = 1e12
    recording = read(write("a.csv", {"t": np.repeat(range(10), 4), "x": values, "y": range(40)}))
    assert recording.n_detections == 39
    assert "1 row far from all others is left out (data row 17: x = 1e+12, y = 16)." in recording.notes[0]


@pytest.mark.parametrize(
    ("factor", "unit"), [(1, "seconds"), (1000, "milliseconds"), (10**6, "microseconds"), (10**9, "nanoseconds")]
)
def test_unix_times_are_dates(write: Write, factor: int, unit: str) -> None:
    times = [(1_700_000_000 + 10 * k) * factor for k in range(4)]
    recording = read(write("a.csv", {"timestamp": times, "x": range(4), "y": range(4)}))
    assert recording.unit == "seconds"
    np.testing.assert_allclose(recording.steps, [0.0, 10.0, 10.0, 10.0])
    assert str(recording.time_cells[0]).startswith("2023-11-14T22:13:20")
    assert f"Unix time in {unit}" in recording.notes[0]


def test_a_constant_coordinate_is_named(write: Write) -> None:
    with pytest.raises(DetectionTableError, match="'x' is the same in every row"):
        read(write("a.csv", {"t": range(5), "x": [3.0] * 5, "y": range(5)}))


def test_incomplete_rows_are_left_out_and_counted(write: Write) -> None:
    text = "t,x,y\n0,1,2\n0,,3\n1,2,inf\n,4,5\n1,6,7\n"
    recording = read(write("a.csv", text))
    assert [rows.tolist() for rows in recording.rows] == [[0], [4]]
    assert recording.notes == ("3 rows without a time or a finite coordinate are left out.",)
    assert (
        "1 row without a time or a finite coordinate is left out." in read(write("b.csv", "t,x\n0,1\n1,\n1,2\n")).notes
    )


@pytest.mark.parametrize(
    "texts",
    [
        ["2026-01-01 00:00:00", "2026-01-01 00:00:10"],
        ["2026-01-01T00:00:00+01:00", "2026-01-01T00:00:10+01:00"],
        ["2025-12-31T23:00:00Z", "2025-12-31T23:00:10Z"],
        ["00:00:05", "00:00:15"],
    ],
)
def test_dates_become_seconds(write: Write, texts: list[str]) -> None:
    for number, table in enumerate((pa.table({"time": texts, "x": [0.0, 1.0]}), None)):
        path = write("a.csv", {"time": texts, "x": [0, 1]}) if table is None else Path("a.parquet")
        if table is not None and texts[0].startswith("0"):
            continue  # texts of a Parquet file are dates or nothing
        if table is not None:
            pq.write_table(table, path)
        recording = read(path)
        assert recording.steps.tolist() == pytest.approx([0.0, 10.0]), number
        assert recording.unit == "seconds"


def test_dates_are_written_as_dates(write: Write) -> None:
    recording = read(write("a.csv", {"t": ["2026-01-01 10:00:00", "2026-01-01 10:00:01"], "x": [0, 1]}))
    assert recording.time_cells.astype("datetime64[s]").astype(str).tolist() == [
        "2026-01-01T10:00:00",
        "2026-01-01T10:00:01",
    ]
    numbers = read(write("b.csv", {"t": [1, 2], "x": [0, 1]})).time_cells
    assert numbers.tolist() == [1, 2]
    assert np.issubdtype(numbers.dtype, np.integer)


@pytest.mark.parametrize(
    ("content", "arguments", "error", "words"),
    [
        ({"a": [1, 2], "x": [0, 1]}, {}, DetectionTableError, "looks like a time or a frame number"),
        ({"t": [1, 2], "a": [0, 1]}, {}, DetectionTableError, "name them with --x and --y"),
        ({"t": [1, 2], "name": ["p", "q"]}, {}, DetectionTableError, "it has no other numbers"),
        ({"t": [1, 2], "x": ["p", "q"]}, {"axes": ("x", None, None)}, TableError, "read as text"),
        ({"t": [1, 2], "x": [0, "1,5"], "y": [0, 1]}, {}, TableError, "has 4 fields"),
        ({"t": [1, 2], "x": [0, "oops"], "y": [0, 1]}, {}, TableError, "data row 2 holds 'oops'"),
        ({"t": [1, 2], "x": [0, 1]}, {"time": "when"}, ColumnNameError, "no column named 'when'"),
        ({"t": [1, 2], "x": [0, 1]}, {"axes": ("t", None, None), "time": "t"}, DetectionTableError, "named twice"),
        ({"t": [1, 2], "x": [0, 1]}, {"axes": (None, "x", None)}, DetectionTableError, "--y needs --x"),
        ({"t": ["soon", "later"], "x": [0, 1]}, {}, DetectionTableError, "data row 1 holds 'soon'"),
        ({"t": ["2026-01-01 10:00", "x"], "x": [0, 1]}, {}, DetectionTableError, "data row 2 holds 'x'"),
        ({"t": [3, 3], "x": [0, 1]}, {}, DetectionTableError, "all 2 rows have the same time"),
        ({"t": [1, 2], "x": [5, 5], "y": [1, 1]}, {}, DetectionTableError, "'x' and 'y' are the same in every row"),
        ("t,x\n,1\n2,\n", {}, DetectionTableError, "none of the 2 rows"),
        ("t,x\n,1\n,2\n", {"time": "t"}, DetectionTableError, "'t' is empty"),
    ],
)
def test_unusable_files(write: Write, content: Any, arguments: Any, error: type[GaussmixError], words: str) -> None:
    with pytest.raises(error) as caught:
        read(write("a.csv", content), **arguments)
    assert words in str(caught.value)
    assert len(str(caught.value).split(". ")) == 1


def test_dates_and_times_of_day_count_together(write: Write) -> None:
    clock = ["12:00:00", "12:00:10", "12:00:20"] * 2
    days = ["2026-03-01"] * 3 + ["2026-03-02"] * 3
    recording = read(write("a.csv", {"date": days, "time": clock, "x": range(6), "y": range(6)}))
    assert len(recording.scans) == 6
    assert str(recording.time_cells[3]).startswith("2026-03-02T12:00:00")
    assert "dates of column 'date' and times of day of column 'time' count together" in recording.notes[0]


def test_offsets_of_times_are_named(write: Write) -> None:
    times = ["2026-03-01 23:59:20.12+02:00", "2026-03-01 23:59:30.12+02:00", "2026-03-01 23:59:40.12+02:00"]
    recording = read(write("a.csv", {"t": times, "x": range(3), "y": range(3)}))
    assert str(recording.time_cells[0]).startswith("2026-03-01T21:59:20.12")
    np.testing.assert_allclose(recording.steps, [0.0, 10.0, 10.0])
