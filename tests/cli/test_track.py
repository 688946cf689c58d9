"""``gaussmix track`` on points: what is printed and written, every option, and failures on the way."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from gaussmix.report import TrackSummary
from gaussmix.tracking import PMB
from tests.cli.conftest import Run, Write, read_error
from tests.tracking.recordings import simulate_scans

FILES = ["detections.csv", "report.html", "tracks.csv", "tracks.gif", "tracks.parquet"]
GIVEN = {
    "--detection-probability": "0.95",
    "--clutter": "1",
    "--noise": "0.5",
    "--acceleration": "0.05",
    "--speed": "2",
    "--birth-rate": "0.02",
    "--survival": "0.99",
}
N_SCANS = 20


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Draw no pictures, except in tests that ask for ``pictures``."""
    if "pictures" in request.fixturenames:
        return

    def write_stub(path: Path, *arguments: Any, **options: Any) -> None:
        path.write_bytes(b"GIF")

    def render_stub(summary: TrackSummary, **options: Any) -> str:
        return f"{summary.filter_name} {options}"

    monkeypatch.setattr("gaussmix.cli.track_points.write_track_animation", write_stub)
    monkeypatch.setattr("gaussmix.report.track_page.render_track_html", render_stub)


@pytest.fixture
def pictures() -> None:
    """Ask for the pictures themselves."""


def make_columns(seed: int = 0, n_scans: int = N_SCANS) -> dict[str, Any]:
    """Return columns t, x, y and strength of a recording of two objects."""
    scans = simulate_scans(seed, n_scans)
    rows = np.concatenate(scans).round(6)
    times = np.repeat(np.arange(len(scans)), [len(scan) for scan in scans])
    return {"t": times.tolist(), "x": rows[:, 0].tolist(), "y": rows[:, 1].tolist(), "strength": [1.5] * len(rows)}


@pytest.fixture
def data(write: Write) -> Path:
    return write("data.csv", make_columns())


def given(**changes: str | None) -> list[str]:
    """Return options that set all numbers by hand, so that nothing is estimated."""
    options = {**GIVEN, **{f"--{name.replace('_', '-')}": value for name, value in changes.items()}}
    return [word for name, value in options.items() if value is not None for word in (name, value)]


def read_rows(path: str | Path) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_file_alone(run: Run, data: Path, pictures: None) -> None:
    result = run("track", data, "--max-scans", "8")
    assert result.exit_code == 0, result.output
    said = flat(result.stdout)
    assert re.search(r"File data.csv: \d+ detections in 8 scans", said)
    assert "Columns time: 't'; coordinates: 'x' and 'y'" in said
    assert re.search(r"detection probability 0\.\d+ 0\.\d+ to [01]\.\d+", said)
    assert re.search(r"Objects \d objects?, at most \d at once", said)
    assert "track begins ends scans misses mean speed" in said
    assert all(len(line) <= 80 or line.startswith("  tracks") for line in result.stdout.splitlines())
    assert sorted(path.name for path in Path("data-tracks").iterdir()) == FILES
    assert Path("data-tracks/tracks.gif").read_bytes().startswith(b"GIF89a")
    page = Path("data-tracks/report.html").read_text(encoding="utf-8")
    assert "<h1>Tracks in data.csv</h1>" in page
    assert page.count("<img") == 7


def test_tracks_join_the_rows_of_the_file(run: Run, data: Path) -> None:
    result = run("track", data)
    assert result.exit_code == 0, result.output
    table, tracks = read_rows("data.csv"), read_rows("data-tracks/tracks.csv")
    assert list(tracks[0]) == [
        "t", "track", "x", "y", "x_velocity", "y_velocity", "x_std", "y_std", "existence", "data_row"
    ]  # fmt: skip
    labelled = read_rows("data-tracks/detections.csv")
    assert [row["x"] for row in labelled] == [row["x"] for row in table]
    detected = [row for row in tracks if row["data_row"]]
    assert len(detected) > 1.6 * N_SCANS
    for row in detected:
        source = table[int(row["data_row"]) - 1]
        assert source["t"] == row["t"]
        assert abs(float(source["x"]) - float(row["x"])) < 3.0
        assert labelled[int(row["data_row"]) - 1]["track"] == row["track"]
    assert {row["track"] for row in labelled} >= {"1", "2", ""}
    assert all(0.0 < float(row["track_probability"]) <= 1.0 for row in labelled if row["track"])
    assert all(0.5 < float(row["existence"]) <= 1.0 for row in tracks)
    assert pq.read_table("data-tracks/tracks.parquet").num_rows == len(tracks)


def test_the_first_detections_of_a_track_are_labelled_too(run: Run, data: Path) -> None:
    assert run("track", data, *given(clutter="9", birth_rate="0.001")).exit_code == 0
    first_reports = {row["track"]: int(row["t"]) for row in reversed(read_rows("data-tracks/tracks.csv"))}
    rows = read_rows("data-tracks/detections.csv")
    first_labels = {row["track"]: int(row["t"]) for row in reversed(rows) if row["track"]}
    assert set(first_labels) == set(first_reports)
    assert any(first_labels[label] < first_reports[label] for label in first_reports)


def test_the_order_of_rows_does_not_matter(run: Run, write: Write) -> None:
    columns = make_columns()
    order = np.random.default_rng(3).permutation(len(columns["t"]))
    write("a.csv", columns)
    write("b.csv", {name: [values[i] for i in order] for name, values in columns.items()})
    assert run("track", "a.csv", *given()).exit_code == 0
    result = run("track", "b.csv", *given())
    assert "the rows are not in the order of time; they are sorted." in flat(result.stderr)
    first, second = (
        sorted((row["t"], row["x"][:8], row["y"][:8]) for row in read_rows(f"{name}-tracks/tracks.csv"))
        for name in "ab"
    )
    assert first == second


@pytest.mark.parametrize(("scale", "offset", "time_scale"), [(1e-6, 0.0, 1.0), (1.0, 1e6, 1e-3), (1e6, 0.0, 1e3)])
def test_units_and_origin_do_not_matter(run: Run, write: Write, scale: float, offset: float, time_scale: float) -> None:
    columns = make_columns()
    other = {
        "t": [time_scale * value for value in columns["t"]],
        **{name: [scale * (value + offset) for value in columns[name]] for name in "xy"},
    }
    for name, each in (("a", columns), ("b", other)):
        assert run("track", write(f"{name}.csv", each)).exit_code == 0
    first, second = (read_rows(f"{name}-tracks/tracks.csv") for name in "ab")
    assert [(row["track"], row["data_row"]) for row in first] == [(row["track"], row["data_row"]) for row in second]
    positions = [[float(row["x"]) for row in rows] for rows in (first, second)]
    np.testing.assert_allclose(np.array(positions[1]) / scale - offset, positions[0], atol=0.05)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("detection_probability", "0.5"),
        ("clutter", "9"),
        ("noise", "2"),
        ("acceleration", "1"),
        ("speed", "0.1"),
        ("birth_rate", "1e-6"),
        ("survival", "0.5"),
    ],
)
def test_each_given_number_changes_the_tracks(run: Run, data: Path, option: str, value: str) -> None:
    assert run("track", data, *given(), "--output", "a").exit_code == 0
    result = run("track", data, *given(**{option: value}), "--output", "b")
    assert result.exit_code == 0, result.output
    assert Path("a/tracks.csv").read_text() != Path("b/tracks.csv").read_text()
    assert flat(result.stdout).count("given") == 7


def test_a_given_number_leaves_the_others_estimated(run: Run, data: Path) -> None:
    result = run("track", data, "--noise", "0.5")
    assert re.search(r"noise 0\.500 given", flat(result.stdout))
    assert flat(result.stdout).count("given") == 1


@pytest.mark.parametrize("name", ["pmbm", "lmb", "phd", "CPHD"])
def test_filters(run: Run, data: Path, name: str) -> None:
    result = run("track", data, *given(), "--filter", name)
    assert result.exit_code == 0, result.output
    labels = {row["track"] for row in read_rows("data-tracks/tracks.csv")}
    assert len(labels) >= 2
    assert Path("data-tracks/report.html").read_text().split()[0] == name.upper()
    run("track", data, *given(), "--output", "pmb")
    is_equal = Path("pmb/tracks.csv").read_text() == Path("data-tracks/tracks.csv").read_text()
    assert is_equal == (name == "lmb"), "LMB differs from PMB by births at places alone"


def test_smoothed_tracks_have_no_gaps_and_begin_at_their_first_detection(run: Run, data: Path) -> None:
    assert run("track", data, *given()).exit_code == 0
    filtered = read_rows("data-tracks/tracks.csv")
    result = run("track", data, *given(), "--smooth")
    assert result.exit_code == 0, result.output
    smoothed = read_rows("data-tracks/tracks.csv")
    labelled = read_rows("data-tracks/detections.csv")
    for label in {row["track"] for row in smoothed}:
        times = [int(row["t"]) for row in smoothed if row["track"] == label]
        assert times == list(range(times[0], times[-1] + 1))
        detections = [int(row["t"]) for row in labelled if row["track"] == label]
        assert (times[0], times[-1]) == (min(detections), max(detections))
    mean_std = [float(np.mean([float(row["x_std"]) for row in rows])) for rows in (smoothed, filtered)]
    assert mean_std[0] < 0.9 * mean_std[1]
    assert "'is_smoothed': True" in Path("data-tracks/report.html").read_text()


def test_the_length_of_a_scan(run: Run, write: Write) -> None:
    columns = make_columns()
    jitter = np.linspace(0.0, 0.4, len(columns["t"])).tolist()
    data = {**columns, "t": [0.1 + time + other for time, other in zip(columns["t"], jitter, strict=True)]}
    data["t"][0] = 0.0
    alone = run("track", write("data.csv", data), *given())
    assert "round the times, on the command line with --scan-length" in flat(alone.stdout)
    result = run("track", "data.csv", *given(), "--scan-length", "1")
    assert f"in {N_SCANS} scans" in flat(result.stdout)
    assert "round the times" not in flat(result.stdout)


def test_degrees_are_mentioned(run: Run, write: Write) -> None:
    columns = make_columns()
    degrees = {"time": columns["t"], "lon": columns["x"], "lat": columns["y"]}
    result = run("track", write("ships.csv", degrees), *given())
    assert "coordinates: 'lon' and 'lat'" in flat(result.stdout)
    assert "coordinates in degrees are tracked as they are" in flat(result.stderr)


def test_one_coordinate_and_three(run: Run, write: Write) -> None:
    columns = make_columns()
    line = {"t": columns["t"], "x": columns["x"]}
    space = {**line, "y": columns["y"], "z": [5.0 + 0.01 * row for row in range(len(columns["t"]))]}
    for name, each, n_columns in (("line", line, 6), ("space", space, 12)):
        result = run("track", write(f"{name}.csv", each), *given())
        assert result.exit_code == 0, result.output
        assert len(read_rows(f"{name}-tracks/tracks.csv")[0]) == n_columns + 1


def test_output_folder_and_number_of_scans(run: Run, data: Path) -> None:
    result = run("track", data, *given(), "--output", "out/deep", "--max-scans", "9")
    assert "in 9 scans" in result.stdout
    assert max(int(row["t"]) for row in read_rows("out/deep/tracks.csv")) == 8
    assert sorted(path.name for path in Path("out/deep").iterdir()) == FILES


def test_what_was_tracked_stays_after_a_failure(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = iter(range(100))
    step = PMB.step

    def fail_late(self: PMB, *rest: Any) -> Any:
        if next(steps) == 12:
            raise KeyboardInterrupt
        return step(self, *rest)

    monkeypatch.setattr(PMB, "step", fail_late)
    result = run("track", data, *given())
    assert result.exit_code == 130
    assert "holds the tracks of the first 12 of 20 scans" in flat(result.stderr)
    assert max(int(row["t"]) for row in read_rows("data-tracks/tracks.csv")) in (10, 11)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--detection-probability", "1.5"], "not a number above 0 and at most 1"),
        (["--clutter", "-1"], "not a number of at least 0"),
        (["--noise", "0"], "not a number above 0"),
        (["--acceleration", "nan"], "not a number above 0"),
        (["--speed", "fast"], "not a number above 0"),
        (["--birth-rate", "inf"], "not a number of at least 0"),
        (["--survival", "0"], "not a number above 0 and at most 1"),
        (["--scan-length", "0"], "not a number above 0"),
        (["--filter", "kalman"], "is none of"),
        (["--max-scans", "0"], "whole number of at least 1"),
        (["--output", ""], "the name is empty"),
    ],
)
def test_wrong_usage(run: Run, data: Path, words: list[str], problem: str) -> None:
    result = run("track", data, *words)
    assert result.exit_code == 2
    assert problem in flat(re.sub(r"[│╭╰─╮╯]", " ", result.stderr))


@pytest.fixture
def noise_only(write: Write) -> Iterator[Path]:
    """A recording in which nothing can be followed."""
    rng = np.random.default_rng(1)
    return write(
        "noise.csv", {"t": [0, 1, 2], "x": rng.uniform(0, 1e6, 3).tolist(), "y": rng.uniform(0, 1e6, 3).tolist()}
    )


def test_without_an_estimate_all_numbers_are_needed(run: Run, noise_only: Path) -> None:
    assert "set all of --detection-probability, --clutter" in read_error(run("track", noise_only))
    result = run("track", noise_only, *given())
    assert result.exit_code == 0, result.output
    assert "No object was found." in result.stdout or "object" in result.stdout


def test_rows_with_times_of_their_own_are_named(run: Run, write: Write) -> None:
    rng = np.random.default_rng(0)
    rows = {"t": np.arange(60) + 0.001 * rng.random(60), "x": rng.uniform(0, 99, 60), "y": rng.uniform(0, 99, 60)}
    result = run("track", write("a.csv", rows))
    assert result.exit_code == 1
    assert "round the times with --scan-length" in flat(result.stderr)
