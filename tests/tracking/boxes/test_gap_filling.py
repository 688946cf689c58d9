"""Filling of gaps, and offline tracks."""

import numpy as np
import pytest

from gaussmix.core import linalg
from gaussmix.errors import BoxTrackingError, ParameterError
from gaussmix.tracking import BoxTracker, TrackTable, fill_gaps
from gaussmix.tracking.boxes.box_arrays import to_centers, to_corners
from gaussmix.tracking.boxes.box_filter import OBSERVED, make_motion, side_noise
from gaussmix.tracking.boxes.gap_filling import smooth_boxes
from gaussmix.tracking.boxes.options import BoxOptions
from tests.tracking.boxes.scenes import METHODS, Array, crowd, moving_box


def table_of(frames: list[int], boxes: list[Array], label: int = 1) -> TrackTable:
    return TrackTable(frames, [label] * len(frames), boxes=np.vstack(boxes), confidence=np.full(len(frames), 0.8))


def test_a_straight_walk_is_filled_on_the_line() -> None:
    frames = [*range(1, 20), *range(30, 50)]
    filled = fill_gaps(table_of(frames, moving_box(np.array(frames))))
    assert filled.frame.tolist() == list(range(1, 50))
    np.testing.assert_allclose(filled.boxes, np.vstack(moving_box(np.arange(1, 50))), atol=0.2)
    np.testing.assert_array_equal(filled.confidence, 0.8)


@pytest.mark.parametrize(("gap", "is_filled"), [(5, True), (6, False)])
def test_long_gaps_stay_open(gap: int, is_filled: bool) -> None:
    frames = [1, 2, 3 + gap, 4 + gap]
    filled = fill_gaps(table_of(frames, moving_box(np.array(frames))), max_gap=5)
    assert len(filled) == 4 + gap * is_filled


def test_existing_rows_stay_as_they_are() -> None:
    rng = np.random.default_rng(0)
    frames = [1, 2, 3, 7, 8]
    table = table_of(frames, [boxes + rng.normal(size=(1, 4)) for boxes in moving_box(np.array(frames))])
    filled = fill_gaps(table)
    np.testing.assert_array_equal(filled.boxes[np.isin(filled.frame, frames)], table.boxes)
    assert len(fill_gaps(filled)) == len(filled)


def test_labels_are_filled_apart_and_rows_without_label_stay() -> None:
    first = table_of([1, 3], moving_box(np.array([1, 3])))
    boxes = np.vstack([first.boxes, first.boxes + 200.0, [[0.0, 0.0, 5.0, 5.0]]])
    filled = fill_gaps(TrackTable([1, 3, 1, 4, 1], [1, 1, 2, 2, -1], boxes=boxes))
    assert sorted(zip(filled.frame.tolist(), filled.label.tolist(), strict=True)) == [
        (1, -1), (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (4, 2),
    ]  # fmt: skip
    assert filled.confidence is None


def test_tables_without_rows_or_gaps() -> None:
    assert len(fill_gaps(TrackTable([], [], boxes=np.zeros((0, 4))))) == 0
    assert len(fill_gaps(table_of([4], moving_box(np.array([4]))))) == 1


@pytest.mark.parametrize("seed", range(3))
def test_smoother_equals_least_squares(seed: int) -> None:
    """The smoothed states are the mode of the joint density of all states, found by one dense solve."""
    rng = np.random.default_rng(seed)
    options, n_times, height = BoxOptions(), 7, 80.0
    frame = np.array([0, 1, 2, 5, 6])
    boxes = np.vstack(moving_box(frame)) + rng.normal(size=(5, 4))
    boxes[:, 3] = height
    noise = np.diag((height * side_noise(options.noise_std)) ** 2)
    motion = make_motion(options, height)
    transition, step_noise = motion.transition(1.0 / options.frame_rate), motion.noise(1.0 / options.frame_rate)
    start = np.eye(6) * (height * options.speed_std) ** 2
    start[np.ix_(OBSERVED, OBSERVED)] = noise
    precision, target = np.zeros((42, 42)), np.zeros(42)
    mean = np.zeros(6)
    mean[OBSERVED] = to_centers(boxes)[0]
    precision[:6, :6], target[:6] = np.linalg.inv(start), np.linalg.inv(start) @ mean
    inverse = np.linalg.inv(step_noise)
    for time in range(n_times - 1):
        both = slice(6 * time, 6 * time + 12)
        difference = np.hstack([-transition, np.eye(6)])
        precision[both, both] += difference.T @ inverse @ difference
    for box, time in zip(to_centers(boxes)[1:], frame[1:], strict=True):
        columns = 6 * time + np.array(OBSERVED)
        precision[np.ix_(columns, columns)] += np.linalg.inv(noise)
        target[columns] += np.linalg.inv(noise) @ box
    expected = to_corners(linalg.solve_vectors(precision, target).reshape(n_times, 6)[:, OBSERVED])
    np.testing.assert_allclose(smooth_boxes(options, frame, boxes, np.arange(n_times)), expected, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("scale", [2.0, 1.0 / 1024])
def test_units_do_not_matter(scale: float) -> None:
    frames = [1, 2, 3, 9, 10]
    table = table_of(frames, moving_box(np.array(frames)))
    scaled = TrackTable(table.frame, table.label, boxes=scale * table.boxes)
    np.testing.assert_allclose(fill_gaps(scaled).boxes, scale * fill_gaps(table).boxes, rtol=1e-10)


def test_frame_rate_changes_the_noise() -> None:
    frames = [1, 2, 3, 9, 10]
    rng = np.random.default_rng(0)
    table = table_of(frames, [boxes + 3 * rng.normal(size=(1, 4)) for boxes in moving_box(np.array(frames))])
    assert not np.allclose(fill_gaps(table).boxes, fill_gaps(table, frame_rate=5.0).boxes)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [({"max_gap": -1}, "max_gap"), ({"max_gap": 1.5}, "max_gap"), ({"frame_rate": 0}, "frame_rate")],
)
def test_bad_parameters(keywords: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        fill_gaps(table_of([1, 2], moving_box(np.arange(2))), **keywords)  # type: ignore[arg-type]


def test_bad_tables() -> None:
    with pytest.raises(BoxTrackingError, match="has no boxes"):
        fill_gaps(TrackTable([1], [1], positions=[[0.0, 0.0]]))
    with pytest.raises(BoxTrackingError, match="width of a box must be at least 1e-09"):
        fill_gaps(TrackTable([1], [1], boxes=[[0.0, 0.0, 0.0, 1.0]]))


@pytest.mark.parametrize("method", METHODS)
def test_offline_tracks_have_no_short_gaps_and_begin_earlier(method: str) -> None:
    frames, confidences = crowd(3)
    counts = [len(boxes) for boxes in frames]
    table = TrackTable(
        np.repeat(np.arange(len(frames)), counts),
        np.full(sum(counts), -1),
        boxes=np.vstack(frames),
        confidence=np.concatenate(confidences),
    )
    online, offline = BoxTracker(method).track(table), BoxTracker(method).track_offline(table)
    assert set(offline.label.tolist()) == set(online.label.tolist())
    for label in np.unique(offline.label).tolist():
        own = offline.frame[offline.label == label]
        assert own.min() <= online.frame[online.label == label].min()
        assert not ((np.diff(own) > 1) & (np.diff(own) <= 21)).any()
    assert len(BoxTracker(method).track_offline(table, max_gap=0)) < len(offline)


@pytest.mark.parametrize("seed", range(2))
def test_smoothed_boxes_are_closer_to_the_truth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.vstack(moving_box(np.arange(60)))
    table = TrackTable(np.arange(60), [-1] * 60, boxes=truth + 2.0 * rng.normal(size=truth.shape))
    online, offline = BoxTracker().track(table), BoxTracker().track_offline(table)
    assert np.abs(offline.boxes - truth).mean() < 0.9 * np.abs(online.boxes - truth).mean()
