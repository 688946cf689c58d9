"""The benchmark of trackers of boxes: simulated boxes with truth, and its table."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.commands.tracking_boxes import VARIANTS, format_results, score_campus, score_simulation
from benchmarks.machine import REPOSITORY_ROOT
from benchmarks.simulated_boxes import DETECTORS, SCENES, Detector, Scene, simulate_boxes

CAMPUS = REPOSITORY_ROOT.parent / "shared" / "data" / "tracking" / "TUD-Campus.det.txt"
SHORT = Scene(seconds=2.0)
PERFECT = Detector(1.0, 0.0, 0.0, 0, 0.0, 0.0, 0.0, max_overlap=1.0)


def test_simulations_depend_on_the_seed_only() -> None:
    one, same, other = (simulate_boxes(SHORT, DETECTORS["good"], seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.detections.boxes, same.detections.boxes)
    assert one.truth.boxes.shape != other.truth.boxes.shape or (one.truth.boxes != other.truth.boxes).any()


def test_boxes_lie_in_the_picture() -> None:
    for scene in SCENES.values():
        boxes = simulate_boxes(replace(scene, seconds=0.5), DETECTORS["weak"], 0).detections.boxes
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, :2] + boxes[:, 2:] <= np.array(scene.picture) + 1e-9).all()


def test_weaker_detectors_find_fewer_people_and_more_nothing() -> None:
    counts = {name: len(simulate_boxes(SHORT, detector, 0).detections) for name, detector in DETECTORS.items()}
    assert len(simulate_boxes(SHORT, PERFECT, 0).detections) > counts["strict"]


def test_tracks_of_a_better_detector_are_better() -> None:
    good, weak = (score_simulation("street at 10 Hz", name, 0, "assignment") for name in ("good", "weak"))
    assert good["mota"] > weak["mota"] > 0.3
    table = format_results([good, weak])
    assert "street at 10 Hz" in table
    assert "all simulated" in table


@pytest.mark.skipif(not CAMPUS.exists(), reason="the detections of TUD-Campus are not here")
def test_tracks_of_campus() -> None:
    pytest.importorskip("motmetrics", reason="motmetrics holds the ground truth")
    record = score_campus("assignment", CAMPUS)
    assert record["mota"] > 0.6
    assert record["idf1"] > 0.69
    assert record["switches"] <= 4
    assert "assignment" in VARIANTS
