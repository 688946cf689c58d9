"""Every parameter of ``BoxTracker`` changes something, and bad input is refused by one sentence."""

import re

import numpy as np
import pytest

from gaussmix.errors import BoxTrackingError, DataError, ParameterError
from gaussmix.tracking import BoxTracker, TrackTable
from tests.tracking.boxes.scenes import METHODS, crowd, moving_box

SHARED = {
    "frame_rate": 5.0,
    "low_confidence": 0.5,
    "buffer": 1.0,
    "coasting": 0.0,
    "duplicate_overlap": 0.05,
    "gate_probability": 0.5,
    "noise_std": 0.01,
    "speed_change_std": 3.0,
    "size_change_std": 1.0,
    "speed_std": 0.1,
}
OF_ASSIGNMENT = {"high_confidence": 0.9, "min_hits": 4, "new_box_density": 50.0}


def summarize(tracker: BoxTracker) -> list[tuple[list[int], list[list[float]]]]:
    frames, confidences = crowd(1, n_frames=25)
    frames = [np.vstack([boxes, boxes[:1] + 4.0]) for boxes in frames]
    confidences = [np.append(values, 0.95) for values in confidences]
    return [(one.labels.tolist(), one.boxes.tolist()) for one in tracker.run(frames, confidences)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SHARED)
def test_parameters_of_both_methods_change_something(method: str, name: str) -> None:
    assert summarize(BoxTracker(method)) != summarize(BoxTracker(method, **{name: SHARED[name]}))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", OF_ASSIGNMENT)
def test_parameters_of_assignment_change_something(name: str) -> None:
    changed = BoxTracker(**{name: OF_ASSIGNMENT[name]})  # type: ignore[arg-type]
    assert summarize(BoxTracker()) != summarize(changed)


def test_methods_differ() -> None:
    assert summarize(BoxTracker()) != summarize(BoxTracker("pmb"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("method", "sort"),
        ("method", ["pmb"]),
        *((name, value) for name in [*SHARED, "new_box_density", "high_confidence"] for value in (-1.0, np.nan, "1")),
        ("low_confidence", 0.7),
        ("high_confidence", 1.5),
        ("duplicate_overlap", 0.0),
        ("gate_probability", 1.0),
        ("min_hits", 0),
        ("min_hits", 1.5),
        ("buffer", np.inf),
    ],
)
def test_bad_parameters(name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=name):
        BoxTracker(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("boxes", "confidences", "message"),
    [
        ([[0, 0, np.nan, 1]], None, "NaN in row 0"),
        ([[0, 0, np.inf, 1]], None, "inf"),
        ([[0, 0, 1]], None, "3"),
        ([["a", 0, 1, 1]], None, "numbers"),
        ([[0, 0, 1, 1], [0, 0, -3, 1]], None, "width of a box must be at least 1e-09, but is -3.0 in row 1"),
        ([[0, 0, 1, 0]], None, "height of a box must be at least 1e-09, but is 0.0 in row 0"),
        ([[1e12, 0, 1, 1]], None, "at most 1e+09, but row 0 has 1e+12"),
        ([[0, 0, 1, 1]], [0.5, 0.5], "shape (1,), one for each box, but has (2,)"),
        ([[0, 0, 1, 1]], [1.5], "from 0 to 1, but row 0 has 1.5"),
        ([[0, 0, 1, 1]], [np.nan], "nan"),
        ([[0, 0, 1, 1]], ["high"], "confidences must be numbers"),
        ([], [0.5], "shape (0,), one for each box, but has (1,)"),
    ],
)
def test_bad_boxes(boxes: object, confidences: object, message: str) -> None:
    tracker = BoxTracker()
    tracker.step([[0, 0, 10, 10]])
    before = tracker.state
    with pytest.raises(DataError, match=re.escape(message)):
        tracker.step(boxes, confidences)  # type: ignore[arg-type]
    assert tracker.state is before


@pytest.mark.parametrize("dt", [0.0, -1.0, np.nan, np.inf, "1", True])
def test_time_moves_forward(dt: object) -> None:
    with pytest.raises(ParameterError, match="dt"):
        BoxTracker().step([[0, 0, 10, 10]], dt=dt)  # type: ignore[arg-type]


def test_lists_of_frames_have_one_length() -> None:
    frames = moving_box(np.arange(3))
    with pytest.raises(BoxTrackingError, match="confidences has 1 entries, but there are 3 frames"):
        BoxTracker().run(frames, [[1.0]])
    with pytest.raises(BoxTrackingError, match="dt has 2 entries"):
        BoxTracker().run(frames, dt=[1.0, 1.0])
    with pytest.raises(BoxTrackingError, match="has no boxes"):
        BoxTracker().track(TrackTable([1], [1], positions=[[0.0, 0.0]]))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("empty", [[], np.zeros((0, 4)), np.zeros(0)])
def test_frames_without_boxes(method: str, empty: object) -> None:
    tracker = BoxTracker(method)
    assert len(tracker.step(empty)) == 0  # type: ignore[arg-type]
    assert tracker.run(moving_box(np.arange(5)))[-1].labels.tolist() == [1]
    assert len(tracker.run([empty] * 40)[-1]) == 0  # type: ignore[list-item]
    assert len(tracker.state.tracks) == 0


def test_a_recording_without_boxes() -> None:
    table = TrackTable([], [], boxes=np.zeros((0, 4)))
    assert len(BoxTracker().track(table)) == len(BoxTracker().track_offline(table)) == 0


@pytest.mark.parametrize("method", METHODS)
def test_thousands_of_boxes(method: str) -> None:
    rng = np.random.default_rng(0)
    places = np.stack(np.meshgrid(60.0 * np.arange(50), 120.0 * np.arange(24)), axis=-1).reshape(-1, 2)
    tracker = BoxTracker(method)
    for frame in range(3):
        boxes = np.hstack([places + 2.0 * frame + rng.normal(size=places.shape), np.tile([40.0, 100.0], (1200, 1))])
        tracked = tracker.step(boxes)
    assert len(tracked) == 1200


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1e-3, 1e5])
def test_tiny_and_huge_boxes_give_finite_results(method: str, size: float) -> None:
    frames = [size * boxes for boxes in moving_box(np.arange(10))]
    tracked = BoxTracker(method).run(frames)[-1]
    assert tracked.labels.tolist() == [1]
    assert np.isfinite(tracked.boxes).all()


def test_progress_is_reported() -> None:
    calls: list[tuple[int, int]] = []
    BoxTracker().run(moving_box(np.arange(3)), progress=lambda n_done, n_total, name: calls.append((n_done, n_total)))
    assert calls[:3] == [(0, 3), (1, 3), (2, 3)]
