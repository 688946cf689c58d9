"""The benchmark of video: scores against worked examples, scenes with known truth, and a run on a small video."""

import json
from itertools import islice

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.video_scenes import HEIGHT, SCENES, WIDTH, Scene, f_score, score_masks, simulate_frames
from benchmarks.video_scoring import compute_iou, count_matches, score_boxes

BOXES = np.array([[0.0, 0.0, 10.0, 10.0], [5.0, 0.0, 10.0, 10.0], [100.0, 0.0, 10.0, 10.0]])


def test_iou_and_matches_of_clear_cases():
    np.testing.assert_allclose(compute_iou(BOXES, BOXES)[0], [1.0, 1 / 3, 0.0])
    assert count_matches(BOXES, BOXES) == 3
    assert count_matches(BOXES[:1], BOXES[[0, 0]]) == 1
    assert count_matches(BOXES[:0], BOXES) == 0
    scores = score_boxes([BOXES[:2], BOXES], {1: BOXES[:1], 3: BOXES}, range(1, 3))
    assert scores == {"precision": 1 / 5, "recall": 1.0, "f1": 2 / 6}


class TruthTeller:
    """Knows the truth of a scene, shifted by some pixels."""

    def __init__(self, scene, seed, shift):
        self._truth = [np.roll(truth, shift, axis=1) for _, truth in simulate_frames(scene, seed)]

    def apply(self, frame):
        return self._truth.pop(0) * np.uint8(255)


def test_scores_of_scenes_compare_masks_with_the_truth(monkeypatch):
    monkeypatch.setattr("benchmarks.video_scenes.N_FRAMES", 90)
    assert f_score(score_masks(TruthTeller(SCENES[0], 0, 0), SCENES[0], 0)) == 1.0
    assert 0.5 < f_score(score_masks(TruthTeller(SCENES[0], 0, 3), SCENES[0], 0)) < 0.9
    assert f_score((0, 0, 5)) == 0.0


@pytest.mark.parametrize("scene", SCENES[1:], ids=lambda scene: scene.name)
def test_every_disturbance_changes_frames(scene: Scene):
    frames = [[frame for frame, _ in islice(simulate_frames(each, 0), 100, 104)] for each in (scene, scene, SCENES[0])]
    assert frames[0][0].shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(frames[0], frames[1])
    assert (frames[0][3] != frames[2][3]).any()


def test_command_scores_and_times_a_small_video(tmp_path, capsys, monkeypatch):
    pytest.importorskip("cv2")
    from gaussmix.tracking import VideoWriter

    monkeypatch.setattr("benchmarks.commands.tracking_video.SCENES", SCENES[:1])
    monkeypatch.setattr("benchmarks.video_scenes.N_FRAMES", 80)
    lines, rng = [], np.random.default_rng(0)
    with VideoWriter(tmp_path / "video.avi") as writer:
        for number in range(30):
            frame = np.rint(rng.normal(120, 4, size=(90, 120, 3))).astype(np.uint8)
            if number >= 15:  # the background is seen first
                left = 5 * (number - 15)
                frame[20:60, left : left + 20] = (250, 60, 60)
                lines.append(f"{number + 1},-1,{left},20,20,40,1,-1,-1,-1")
            writer.write(frame)
    (tmp_path / "boxes.txt").write_text("\n".join(lines))
    record = tmp_path / "record.json"
    arguments = ["--video", str(tmp_path / "video.avi"), "--boxes", str(tmp_path / "boxes.txt")]
    main(["tracking-video", *arguments, "--seeds", "1", "--threads", "1", "--output", str(record)])
    page = capsys.readouterr().out
    assert "| OpenCV KNN | 127 and 255 |" in page
    results = json.loads(record.read_text(encoding="utf-8"))["results"]
    assert results["boxes"][0]["second half"]["f1"] > 0.8
    assert results["times"]["1"]["frames per second"] > 1
