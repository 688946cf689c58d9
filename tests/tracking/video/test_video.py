"""Reading, writing and annotating video; every file is written by the test itself."""

import importlib
import warnings

import numpy as np
import pytest

from gaussmix.errors import FrameError, MissingPackageError, ParameterError, VideoError, VideoWarning
from gaussmix.tracking import VideoWriter, draw_boxes, draw_mask, read_frames
from gaussmix.tracking.video.annotation import label_colour

cv2 = pytest.importorskip("cv2")
HEIGHT, WIDTH = 48, 64


def make_pictures(n: int, seed: int = 0) -> list[np.ndarray]:
    """Return smooth colour pictures that differ, which codecs reproduce well."""
    slope = np.linspace(0, 60, WIDTH)[None, :, None] + np.linspace(0, 60, HEIGHT)[:, None, None]
    return [np.rint(slope + np.array([20, 60, 120]) + 2 * i + seed).astype(np.uint8) for i in range(n)]


def write_video(path, pictures, frame_rate=10.0):
    with VideoWriter(path, frame_rate) as writer:
        for picture in pictures:
            writer.write(picture)
    assert writer.n_written == len(pictures)
    return path


@pytest.mark.parametrize("extension", [".mp4", ".avi"])
def test_what_is_written_can_be_read(tmp_path, extension):
    pictures = make_pictures(12)
    reader = read_frames(write_video(tmp_path / f"video{extension}", pictures))
    assert reader.frame_rate == 10.0
    assert reader.shape == (HEIGHT, WIDTH)
    for _ in range(2):  # each iteration starts anew
        frames = list(reader)
        assert [frame.number for frame in frames] == list(range(12))
        np.testing.assert_allclose([frame.time for frame in frames], np.arange(12) / 10.0)
        for frame, picture in zip(frames, pictures, strict=True):
            assert np.abs(frame.pixels.astype(int) - picture).mean() < 6  # red, green and blue in this order
        assert (reader.n_read, reader.end_reason) == (12, None)


def test_grey_frames_are_written_as_grey(tmp_path):
    frame = next(iter(read_frames(write_video(tmp_path / "v.avi", [np.full((HEIGHT, WIDTH), 90, np.uint8)] * 3))))
    assert np.abs(frame.pixels.astype(int) - 90).max() < 5


def test_frame_rate_can_be_set(tmp_path):
    path = write_video(tmp_path / "v.avi", make_pictures(3))
    assert [frame.time for frame in read_frames(path, frame_rate=2)] == [0.0, 0.5, 1.0]


def test_folder_of_pictures_is_read_in_natural_order(tmp_path):
    pictures = make_pictures(11)
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture[:, :, ::-1])
    (tmp_path / "notes.txt").write_text("no picture")
    reader = read_frames(tmp_path)
    np.testing.assert_array_equal([frame.pixels for frame in reader], pictures)
    assert (reader.frame_rate, reader.n_expected) == (25.0, 11)


@pytest.mark.parametrize("content", ["damaged", "size"])
def test_bad_picture_in_the_middle_ends_the_video_and_says_so(tmp_path, content):
    for number, picture in enumerate(make_pictures(4)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture)
    if content == "damaged":
        (tmp_path / "2.png").write_bytes(b"no picture")
    else:
        cv2.imwrite(str(tmp_path / "2.png"), make_pictures(1)[0][:20])
    reader = read_frames(tmp_path)
    with pytest.warns(VideoWarning, match=r"2 frames read, then the picture 2.png is"):
        assert len(list(reader)) == 2


@pytest.mark.parametrize("fraction", [0.5, 0.8])
def test_video_that_is_cut_off_gives_what_was_read(tmp_path, fraction):
    path = write_video(tmp_path / "whole.avi", make_pictures(40))
    content = path.read_bytes()
    (tmp_path / "cut.avi").write_bytes(content[: int(fraction * len(content))])
    reader = read_frames(tmp_path / "cut.avi")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frames = list(reader)
    assert 0 < len(frames) < 40
    assert reader.n_read == len(frames)
    assert [type(each.message) for each in caught] == [VideoWarning]
    assert f"{len(frames)} frames read, then the file ended or is damaged" in str(caught[0].message)
    assert reader.end_reason is not None


def test_unusable_paths_are_refused(tmp_path):
    with pytest.raises(VideoError, match="there is no file or folder"):
        read_frames(tmp_path / "absent.mp4")
    with pytest.raises(VideoError, match="contains no pictures"):
        read_frames(tmp_path)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(VideoError, match="cannot be read as video"):
        read_frames(tmp_path / "text.mp4")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.png").write_text("no picture")
    with pytest.raises(VideoError, match="cannot be read as a picture"):
        read_frames(tmp_path / "bad")


@pytest.mark.parametrize("frame_rate", [0, -1, np.nan, np.inf, "fast"])
def test_bad_frame_rates_are_refused(tmp_path, frame_rate):
    path = write_video(tmp_path / "v.avi", make_pictures(1))
    with pytest.raises(ParameterError, match="frame_rate"):
        read_frames(path, frame_rate)
    with pytest.raises(ParameterError, match="frame_rate"):
        VideoWriter(path, frame_rate)


def test_unusable_outputs_and_frames_are_refused(tmp_path):
    with pytest.raises(VideoError, match=r"must end in .mp4, .avi"):
        VideoWriter(tmp_path / "v.gif")
    with pytest.raises(VideoError, match="check that its folder exists"):
        VideoWriter(tmp_path / "absent" / "v.mp4")
    with VideoWriter(tmp_path / "v.avi") as writer:
        writer.write(make_pictures(1)[0])
        with pytest.raises(VideoError, match="must be 48 x 64"):
            writer.write(make_pictures(1)[0][:20])
        with pytest.raises(FrameError, match="must hold uint8"):
            writer.write(np.zeros((HEIGHT, WIDTH)))
        with pytest.raises(FrameError, match="must have the shape"):
            writer.write(np.zeros((HEIGHT, WIDTH, 2), np.uint8))
    assert len(list(read_frames(tmp_path / "v.avi"))) == 1


def test_missing_opencv_is_named(tmp_path, monkeypatch):
    path = write_video(tmp_path / "v.avi", make_pictures(1))

    def refuse(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(MissingPackageError, match=r"gaussmix\[video\]"):
        read_frames(path)


def test_boxes_are_drawn_in_the_colours_of_their_labels():
    frame = np.zeros((100, 120, 3), np.uint8)
    drawn = draw_boxes(frame, [[10, 20, 30, 40], [60, 20, 30, 40]], [1, 2])
    assert not frame.any()
    assert tuple(drawn[40, 10]) == label_colour(1)
    assert tuple(drawn[40, 60]) == label_colour(2)
    assert label_colour(1) != label_colour(2)
    assert not drawn[30:50, 15:35].any()
    np.testing.assert_array_equal(draw_boxes(frame, []), frame)
    with pytest.raises(ParameterError, match="labels"):
        draw_boxes(frame, [[1, 2, 3, 4]], [1, 2])
    with pytest.raises(ParameterError, match="boxes"):
        draw_boxes(frame, [[1, 2, np.nan, 4]])


def test_mask_is_drawn_in_red_and_blue():
    mask = np.array([[0, 127, 255]], np.uint8)
    drawn = draw_mask(np.full((1, 3, 3), 100, np.uint8), mask, opacity=1.0)
    assert drawn[0].tolist() == [[100, 100, 100], [60, 60, 255], [255, 40, 40]]
    assert (draw_mask(np.full((1, 3, 3), 100, np.uint8), mask, opacity=0.0) == 100).all()
