"""``gaussmix track`` on boxes and video: what is printed and written, every option, and bad input."""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaussmix.cli.recording_kinds import find_recording_kind
from gaussmix.tracking import TrackTable, read_mot, write_mot
from tests.cli.conftest import Run, Write, read_error

BOX_FILES = ["report.html", "tracks.csv", "tracks.parquet", "tracks.txt"]
N_FRAMES = 40


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Draw no pictures, except in tests that ask for ``pictures``."""
    if "pictures" not in request.fixturenames:
        monkeypatch.setattr("gaussmix.report.track_page.render_track_html", lambda summary, **named: f"<p>{named}</p>")


@pytest.fixture
def pictures() -> None:
    """Ask for the pictures themselves."""


def make_detections(confidence: float = 0.9, scale: float = 1.0, gap: range = range(20, 24)) -> TrackTable:
    """Return boxes of two people who walk past each other; the first one is not seen in the frames of ``gap``."""
    rng = np.random.default_rng(0)
    frames, boxes = [], []
    for frame in range(1, N_FRAMES + 1):
        for start, speed, top in ((20.0, 4.0, 50.0), (300.0, -4.0, 150.0)):
            if frame not in gap or start > 100.0:
                frames.append(frame)
                boxes.append(np.array([start + speed * frame, top, 40.0, 100.0]) + rng.normal(0.0, 1.0, 4))
    return TrackTable(frames, [-1] * len(frames), None, np.array(boxes) * scale, [confidence] * len(frames))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_mot(tmp_path / "det.txt", make_detections())
    return tmp_path / "det.txt"


def read_rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_kinds_of_recordings(write: Write, tmp_path: Path) -> None:
    assert find_recording_kind(tmp_path) == "video"
    assert find_recording_kind(Path("a.MP4")) == "video"
    assert find_recording_kind(Path("missing.csv")) == "points"
    assert find_recording_kind(write("a.txt", "# boxes\n\n1,-1,2,3,4,5,1\n")) == "boxes"
    assert find_recording_kind(write("b.txt", "1 -1 2 3 4 5 1 -1 -1 -1\n")) == "boxes"
    assert find_recording_kind(write("c.csv", "frame,a,b,c,d,e,f\n1,2,3,4,5,6,7\n")) == "points"
    assert find_recording_kind(write("d.txt", "1,2,3\n")) == "points"
    assert find_recording_kind(write("e.txt", b"\xff\xfe\x00")) == "points"
    write_mot(tmp_path / "det.txt.gz", make_detections())
    assert find_recording_kind(tmp_path / "det.txt.gz") == "boxes"


def test_boxes_alone(run: Run, data: Path, pictures: None) -> None:
    result = run("track", data)
    assert result.exit_code == 0, result.output
    assert f"det.txt: {2 * N_FRAMES - 4} boxes in {N_FRAMES} frames" in flat(result.stdout)
    assert "2 objects, at most 2 at once" in result.stdout
    assert sorted(path.name for path in Path("det-tracks").iterdir()) == BOX_FILES
    tracks = read_mot("det-tracks/tracks.txt")
    assert sorted(set(tracks.label.tolist())) == [1, 2]
    rows = read_rows("det-tracks/tracks.csv")
    assert list(rows[0]) == ["frame", "track", "left", "top", "width", "height", "confidence"]
    assert len(rows) == len(tracks)
    np.testing.assert_allclose([float(row["left"]) for row in rows], tracks.boxes[:, 0])  # type: ignore[index]
    page = Path("det-tracks/report.html").read_text(encoding="utf-8")
    assert page.count("<img") == 2
    assert "mean confidence" in page
    assert "Kalman filter" in page


def test_smoothing_fills_gaps(run: Run, data: Path) -> None:
    assert run("track", data, "--output", "online").exit_code == 0
    assert run("track", data, "--output", "offline", "--smooth").exit_code == 0
    online, offline = read_mot("online/tracks.txt"), read_mot("offline/tracks.txt")
    assert len(online) < 2 * N_FRAMES == len(offline)
    assert len(read_rows("offline/tracks.csv")) == len(offline)
    assert "'is_smoothed': True" in Path("offline/report.html").read_text()


def test_each_option_changes_the_tracks(run: Run, data: Path) -> None:
    texts = []
    for number, words in enumerate(([], ["--filter", "pmb"], ["--frame-rate", "5"], ["--max-scans", "12"])):
        result = run("track", data, *words, "--output", str(number))
        assert result.exit_code == 0, result.output
        texts.append(Path(str(number), "tracks.txt").read_text())
    assert len(set(texts)) == len(texts)
    assert "in 12 frames" in flat(result.stdout)


def test_other_confidences_are_not_used(run: Run, tmp_path: Path) -> None:
    write_mot(tmp_path / "det.txt", make_detections(confidence=57.0))
    result = run("track", "det.txt")
    assert result.exit_code == 0, result.output
    assert "confidences are from 57 to 57, not from 0 to 1; all boxes count alike." in flat(result.stderr)
    assert "2 objects" in result.stdout


def test_a_file_that_is_cut_off_is_read_so_far(run: Run, data: Path) -> None:
    text = data.read_text()
    data.write_text(text[: text.rindex(",-1,-1,-1") - 10])
    result = run("track", data)
    assert result.exit_code == 0, result.output
    assert "Note:" in result.stderr
    assert "2 objects" in result.stdout


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--noise", "1"], "--noise does not apply to det.txt, which holds boxes"),
        (["--time", "t"], "--time does not apply"),
        (["--x", "t"], "--x does not apply"),
        (["--scan-length", "1"], "--scan-length does not apply"),
        (["--filter", "phd"], "'phd' is none of assignment, pmb, the filters of boxes"),
        (["--frame-rate", "0"], "not a number above 0"),
    ],
)
def test_options_of_points_do_not_apply_to_boxes(run: Run, data: Path, words: list[str], problem: str) -> None:
    result = run("track", data, *words)
    assert result.exit_code == 2
    assert problem in flat(re.sub(r"[│╭╰─╮╯]", " ", result.stderr))


def test_options_of_boxes_do_not_apply_to_points(run: Run, write: Write) -> None:
    path = write("a.csv", {"t": [0, 1], "x": [0, 1]})
    for words in (["--frame-rate", "5"], ["--filter", "assignment"]):
        assert run("track", path, *words).exit_code == 2


def test_boxes_without_area_are_left_out(run: Run, write: Write) -> None:
    lines = [f"{frame},-1,{10 * frame},3,40,80,1\n" for frame in range(1, 9)]
    result = run("track", write("a.txt", "1,-1,2,3,0,5,1\n" + "".join(lines)))
    assert result.exit_code == 0, result.output
    assert "1 box without width or height is left out." in flat(result.stderr)
    assert "8 boxes in 8 frames" in result.stdout
    assert "(1 line) has a width and a height" in read_error(run("track", write("b.txt", "1,-1,2,3,0,5,1\n")))


class TestVideo:
    """Video needs OpenCV; a square moves over noise."""

    @pytest.fixture(autouse=True)
    def opencv(self) -> None:
        pytest.importorskip("cv2", reason="video is read with OpenCV")

    @pytest.fixture
    def video(self, tmp_path: Path) -> Path:
        from gaussmix.tracking import VideoWriter

        rng = np.random.default_rng(0)
        path = tmp_path / "street.avi"
        with VideoWriter(path, 10.0) as writer:
            for frame in range(50):
                pixels = np.full((96, 128, 3), 110.0) + rng.normal(0.0, 2.0, (96, 128, 1))
                pixels[30:60, 2 * frame : 2 * frame + 14] = 230.0
                writer.write(pixels.clip(0, 255).astype(np.uint8))
        return path

    def test_a_video_alone(self, run: Run, video: Path) -> None:
        from gaussmix.tracking import read_frames

        result = run("track", video)
        assert result.exit_code == 0, result.output
        assert "street.avi: 50 frames of 128 x 96 pixels, 10 per second" in flat(result.stdout)
        assert sorted(path.name for path in Path("street-tracks").iterdir()) == ["annotated.mp4", *BOX_FILES]
        assert len(list(read_frames("street-tracks/annotated.mp4"))) == 50
        tracks = read_mot("street-tracks/tracks.txt")
        longest = np.bincount(tracks.label).argmax()
        own = tracks.select_rows(tracks.label == longest)
        assert len(own) > 30
        assert own.boxes is not None
        np.testing.assert_allclose(own.boxes[20:, 0], 2.0 * (own.frame[20:] - 1), atol=5.0)

    def test_options(self, run: Run, video: Path) -> None:
        result = run("track", video, "--max-scans", "30", "--frame-rate", "20", "--smooth", "--output", "out")
        assert result.exit_code == 0, result.output
        assert "30 frames of 128 x 96 pixels, 20 per second" in flat(result.stdout)
        assert read_mot("out/tracks.txt").frame.max() <= 30

    def test_a_video_that_is_cut_off_keeps_what_was_read(self, run: Run, video: Path) -> None:
        video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
        result = run("track", video)
        assert result.exit_code == 0, result.output
        assert "Note:" in result.stderr
        n_frames = int(re.search(r"street.avi: (\d+) frames", flat(result.stdout)).group(1))  # type: ignore[union-attr]
        assert 10 < n_frames < 40
        assert Path("street-tracks/tracks.txt").exists()

    def test_ctrl_c_keeps_what_was_tracked(self, run: Run, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from gaussmix.tracking import BoxTracker, read_frames

        step, calls = BoxTracker.step, iter(range(1000))

        def fail_late(self: BoxTracker, *rest: Any) -> Any:
            if next(calls) == 25:
                raise KeyboardInterrupt
            return step(self, *rest)

        monkeypatch.setattr(BoxTracker, "step", fail_late)
        result = run("track", video)
        assert result.exit_code == 130
        assert "holds the tracks of the first 25 frames" in flat(result.stderr)
        assert len(read_mot("street-tracks/tracks.txt")) > 10
        assert len(list(read_frames("street-tracks/annotated.mp4"))) == 25

    @pytest.mark.parametrize("name", ["a.avi", "folder"])
    def test_unreadable(self, run: Run, write: Write, tmp_path: Path, name: str) -> None:
        if name == "folder":
            (tmp_path / name).mkdir()
        else:
            write(name, b"no video")
        assert name in read_error(run("track", name))
        assert "missing.mp4" in read_error(run("track", "missing.mp4"))
