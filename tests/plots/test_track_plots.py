"""Pictures of tracks: what is drawn, what is labelled, and arguments that are not allowed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaussmix import Intensity, plots
from gaussmix.errors import FileError, ParameterError
from gaussmix.plots.canvas import create_figure
from gaussmix.tracking import PMB, collect_paths
from tests.plots.conftest import draw_figure, read_text
from tests.tracking.recordings import make_model, run_recording

pytest.importorskip("PIL", reason="animations are written with Pillow")


def read_labels(ax: Any) -> set[str]:
    return {text.get_text() for text in ax.texts}


def test_tracks_have_lines_ends_and_labels() -> None:
    scans, estimates = run_recording()
    paths = collect_paths(estimates)
    ax = plots.plot_tracks(estimates, scans)
    assert read_labels(ax) == {str(path.label) for path in paths}
    assert len(ax.lines) == 3 * len(paths), "line, beginning and end of each"
    lines = [line.get_xydata() for line in ax.lines[::3]]
    for line, path in zip(lines, paths, strict=True):
        np.testing.assert_array_equal(line, path.positions)
    assert len(ax.collections[0].get_offsets()) == sum(len(scan) for scan in scans)
    text = read_text(ax)
    assert f"{len(paths)} tracks" in text
    assert "detections" in text


def test_options_of_tracks() -> None:
    _, estimates = run_recording()
    ax = create_figure(4, 3).add_subplot()
    assert plots.plot_tracks(estimates, ax=ax, names=["east", "north"], legend=False) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("east", "north")
    assert ax.get_legend() is None
    assert not ax.collections, "no detections"
    assert plots.plot_tracks(estimates).get_legend() is not None
    assert "detections" not in read_text(plots.plot_tracks(estimates))


def test_no_objects_give_an_empty_picture() -> None:
    estimates = PMB(make_model()).run([np.zeros((0, 2))] * 3)
    for draw in (plots.plot_tracks, plots.plot_existence, plots.plot_target_numbers):
        draw_figure(draw(estimates))


def test_numbers_are_those_of_the_estimates() -> None:
    _, estimates = run_recording()
    ax = plots.plot_target_numbers(estimates, [2] * len(estimates))
    truth, reported, expected = (line.get_ydata() for line in ax.lines)
    assert set(truth) == {2}
    np.testing.assert_array_equal(reported, [len(each) for each in estimates])
    np.testing.assert_array_equal(expected, [each.expected_number for each in estimates])
    assert ax.get_ylim()[0] == 0.0
    assert "true number" in read_text(ax)
    assert len(plots.plot_target_numbers(estimates, legend=False).lines) == 2


@pytest.mark.parametrize("draw", [plots.plot_target_numbers, plots.plot_existence])
def test_times_may_be_dates(draw: Any) -> None:
    _, estimates = run_recording()
    dates = np.datetime64("2026-05-04T06:00:00") + np.arange(len(estimates)).astype("timedelta64[m]")
    ax = draw(estimates, times=dates, time_label="when")
    draw_figure(ax)
    assert ax.get_xlabel() == "when"
    assert "06:" in read_text(ax)


def test_lines_of_existence_break_at_gaps() -> None:
    _, estimates = run_recording()
    gap = [*estimates[:10], PMB(make_model()).run([np.zeros((0, 2))])[0], *estimates[11:]]
    for scans, n_breaks in ((gap, 1), (estimates, 0)):
        lines = [line.get_ydata() for line in plots.plot_existence(scans).lines]
        assert np.isnan(max(lines, key=len)).sum() == n_breaks


def test_an_intensity_is_drawn_as_ellipses_by_weight() -> None:
    weights, means = [1.0, 0.3, 0.001], [[0.0, 0.0], [5.0, 5.0], [9.0, 0.0]]
    intensity = Intensity.from_parameters(weights, means, [np.eye(2)] * 3)
    ax = plots.plot_intensity(intensity, detections=[[1.0, 1.0]], names=["a", "b"])
    assert len(ax.lines) == 4, "two ellipses of each component that is heavy enough"
    assert [line.get_alpha() for line in ax.lines] == pytest.approx([1.0, 1.0, 0.3, 0.3])
    outline = ax.lines[1].get_xydata()
    np.testing.assert_allclose(np.hypot(*outline.T), np.sqrt(-2 * np.log(0.05)), rtol=1e-9)
    assert ax.get_xlabel() == "a"
    assert len(ax.collections[0].get_offsets()) == 1
    assert not plots.plot_intensity(None).lines
    tracker = PMB(make_model())
    tracker.run(run_recording()[0])
    assert len(plots.plot_intensity(tracker).lines) >= 4


def test_wrong_arguments() -> None:
    _, estimates = run_recording()
    for wrong in ([], [1.0], "tracks"):
        with pytest.raises(ParameterError, match="estimates"):
            plots.plot_tracks(wrong)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="detections of 30 scans"):
        plots.plot_tracks(estimates, [np.zeros((0, 2))])
    with pytest.raises(ParameterError, match="shape"):
        plots.plot_existence(estimates, times=[1.0])
    with pytest.raises(ParameterError, match="intensity"):
        plots.plot_intensity([1.0])  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="intensity"):
        plots.plot_intensity(Intensity.from_parameters([1.0], [[0.0]], [[[1.0]]]))


def test_an_animation_has_a_bounded_number_of_frames(tmp_path: Path) -> None:
    from PIL import Image

    scans, estimates = run_recording()
    path, calls = tmp_path / "tracks.gif", list[tuple[int, int, str]]()
    plots.write_track_animation(
        path, estimates, scans, max_frames=4, frames_per_second=5, progress=lambda *call: calls.append(call)
    )
    with Image.open(path) as picture:
        assert picture.n_frames == 4
        assert picture.info["duration"] == 200
        assert picture.info["loop"] == 0
    assert [call[:2] for call in calls] == [(k, 4) for k in range(4)]
    assert list(tmp_path.iterdir()) == [path], "no partial file"


def test_an_animation_that_cannot_be_written(tmp_path: Path) -> None:
    _, estimates = run_recording(0, 3)
    with pytest.raises(FileError, match="cannot write"):
        plots.write_track_animation(tmp_path, estimates)
    assert not list(tmp_path.parent.glob("*.partial*"))
    with pytest.raises(ParameterError, match="max_frames"):
        plots.write_track_animation(tmp_path / "a.gif", estimates, max_frames=0)
    with pytest.raises(ParameterError, match="frames_per_second"):
        plots.write_track_animation(tmp_path / "a.gif", estimates, frames_per_second=0)
