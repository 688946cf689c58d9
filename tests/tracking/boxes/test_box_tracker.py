"""Laws of ``BoxTracker``: identity through gaps and crossings, units, order of rows, time steps."""

import numpy as np
import pytest

from gaussmix.tracking import BoxTracker, TrackPhase, TrackTable
from tests.tracking.boxes.scenes import METHODS, Array, crowd, labels_per_frame, moving_box

NONE = np.zeros((0, 4))


def tracked_arrays(tracker: BoxTracker, frames: list[Array], confidences: list[Array]) -> list[tuple[list[int], Array]]:
    return [(tracked.labels.tolist(), tracked.boxes) for tracked in tracker.run(frames, confidences)]


@pytest.mark.parametrize("method", METHODS)
def test_a_box_alone_keeps_its_label(method: str) -> None:
    labels = labels_per_frame(BoxTracker(method), moving_box(np.arange(60)))
    assert labels == [[1]] * 60


@pytest.mark.parametrize(("method", "gap", "is_found"), [("assignment", 30, True), ("assignment", 31, False)])
def test_a_label_survives_gaps_up_to_the_buffer(method: str, gap: int, is_found: bool) -> None:
    """With a gap of g frames, the next detection comes g + 1 frames after the last one."""
    frames = moving_box(np.arange(20)) + [NONE] * gap + moving_box(np.arange(20 + gap, 50 + gap))
    labels = labels_per_frame(BoxTracker(method), frames)
    assert (labels[-1] == [1]) == is_found
    assert len(labels[-1]) == 1


@pytest.mark.parametrize("gap", [1, 4])
def test_pmb_finds_a_box_again(gap: int) -> None:
    frames = moving_box(np.arange(20)) + [NONE] * gap + moving_box(np.arange(20 + gap, 40))
    assert labels_per_frame(BoxTracker("pmb"), frames)[-1] == [1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_crossing_boxes_keep_their_labels(method: str, seed: int) -> None:
    """Two people pass each other; while they overlap, only the nearer one is detected."""
    rng = np.random.default_rng(seed)
    frames = []
    for frame in range(80):
        boxes = np.array([[20 + 3.0 * frame, 60, 40, 110], [260 - 3.0 * frame, 50, 38, 100]])
        boxes += rng.normal(size=boxes.shape)
        frames.append(boxes[:1] if abs(boxes[0, 0] - boxes[1, 0]) < 15 else boxes)
    tracked = BoxTracker(method).run(frames)
    first = tracked[0].labels[np.argsort(tracked[0].boxes[:, 0])]
    last = tracked[-1].labels[np.argsort(tracked[-1].boxes[:, 0])]
    assert first.tolist() == last[::-1].tolist()
    assert len(first) == 2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(2))
def test_order_of_rows_does_not_matter(method: str, seed: int) -> None:
    frames, confidences = crowd(seed)
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(boxes)) for boxes in frames]
    shuffled = [boxes[order] for boxes, order in zip(frames, orders, strict=True)]
    shuffled_confidences = [values[order] for values, order in zip(confidences, orders, strict=True)]
    expected = tracked_arrays(BoxTracker(method), frames, confidences)
    for (labels, boxes), (same_labels, same_boxes) in zip(
        expected, tracked_arrays(BoxTracker(method), shuffled, shuffled_confidences), strict=True
    ):
        assert labels == same_labels
        np.testing.assert_array_equal(boxes, same_boxes)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("scale", "shift"), [(2.0, 0.0), (0.25, 0.0), (1.0, 4096.0)])
def test_pixels_and_origin_do_not_matter(method: str, scale: float, shift: float) -> None:
    frames, confidences = crowd(5)
    moved = [scale * boxes + np.array([shift, shift, 0.0, 0.0]) for boxes in frames]
    for (labels, boxes), (same_labels, same_boxes) in zip(
        tracked_arrays(BoxTracker(method), frames, confidences),
        tracked_arrays(BoxTracker(method), moved, confidences),
        strict=True,
    ):
        assert labels == same_labels
        np.testing.assert_allclose(scale * boxes + np.array([shift, shift, 0.0, 0.0]), same_boxes, rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_dropped_frames_are_a_longer_time_step(method: str) -> None:
    """Every other frame with dt=2 gives the same labels and nearly the same boxes."""
    frames = moving_box(np.arange(40))
    every = BoxTracker(method).run(frames)[::2]
    other = BoxTracker(method).run(frames[::2], dt=2.0)
    assert [tracked.labels.tolist() for tracked in every] == [tracked.labels.tolist() for tracked in other]
    np.testing.assert_allclose(every[-1].boxes, other[-1].boxes, atol=0.05)
    assert [tracked.time for tracked in other] == [2.0 * (k + 1) for k in range(20)]


def test_time_steps_count_toward_the_buffer() -> None:
    frames = moving_box(np.arange(10))
    late = moving_box(np.array([40.0, 41.0]))
    for dt, label in ((31.0, 1), (32.0, 2)):
        tracker = BoxTracker()
        tracker.run(frames)
        tracker.step(late[0], dt=dt)
        assert tracker.step(late[1]).labels.tolist() == [label]


@pytest.mark.parametrize("method", METHODS)
def test_step_equals_run_and_reset_forgets(method: str) -> None:
    frames, confidences = crowd(7)
    tracker = BoxTracker(method)
    stepped = [tracker.step(boxes, values) for boxes, values in zip(frames, confidences, strict=True)]
    tracker.reset()
    for one, other in zip(stepped, tracker.run(frames, confidences), strict=True):
        assert one.labels.tolist() == other.labels.tolist()
        np.testing.assert_array_equal(one.boxes, other.boxes)
        assert one.time == other.time


@pytest.mark.parametrize("method", METHODS)
def test_no_two_tracks_share_a_detection(method: str) -> None:
    """Reported boxes of a frame hardly coincide, although detections are doubled."""
    frames = [np.vstack([boxes, boxes + 0.5]) for boxes in moving_box(np.arange(30))]
    assert labels_per_frame(BoxTracker(method), frames)[5:] == [[1]] * 25


def test_life_cycle() -> None:
    """The first frame confirms at once; later tracks need two hits in a row; lost ones are removed after the buffer."""
    first, second = moving_box(np.arange(60)), moving_box(np.arange(60), left=400.0, speed=-2.0, top=60.0)
    tracker = BoxTracker(buffer=3, coasting=0)
    phases = []
    for frame in range(12):
        boxes = [first[frame], second[frame]] if frame in (3, 5, 6, 7) else [first[frame]]
        tracked = tracker.step(np.vstack(boxes))
        tracks = tracker.state.tracks
        phases.append(
            dict(zip(tracks.labels.tolist(), tracks.phases, strict=True))
            | dict.fromkeys(tracked.removed.tolist(), TrackPhase.REMOVED)
        )
    assert phases[0] == {1: TrackPhase.CONFIRMED}
    assert phases[3][2] is TrackPhase.TENTATIVE
    assert phases[4][2] is TrackPhase.REMOVED
    assert [phases[frame].get(3) for frame in range(5, 12)] == [
        TrackPhase.TENTATIVE,
        TrackPhase.CONFIRMED,
        TrackPhase.CONFIRMED,
        TrackPhase.LOST,
        TrackPhase.LOST,
        TrackPhase.LOST,
        TrackPhase.REMOVED,
    ]


def test_unsure_boxes_continue_tracks_but_start_none() -> None:
    frames = moving_box(np.arange(10))
    tracker = BoxTracker()
    tracker.run(frames[:5])
    tracked = tracker.step(np.vstack([frames[5], frames[5] + [300, 0, 0, 0]]), [0.3, 0.3])
    assert tracked.labels.tolist() == [1]
    assert tracked.idle.tolist() == [0.0]
    assert tracker.state.tracks.labels.tolist() == [1]


def test_a_lost_track_does_not_take_an_unsure_box() -> None:
    frames = moving_box(np.arange(12))
    tracker = BoxTracker()
    tracker.run([*frames[:9], NONE])
    assert tracker.step(frames[10], [0.3]).idle.tolist() == [2.0]


def test_the_covariance_grows_while_a_track_is_lost() -> None:
    tracker = BoxTracker()
    tracker.run(moving_box(np.arange(10)))
    sizes = []
    for _ in range(5):
        tracker.step(NONE)
        sizes.append(np.linalg.det(tracker.state.tracks.covariances[0]))
    assert np.all(np.diff(sizes) > 0)


@pytest.mark.parametrize("method", METHODS)
def test_track_reads_tables(method: str) -> None:
    """Rows of a table give what the frames give, empty frames and gaps included."""
    frames, confidences = crowd(11, n_frames=20)
    frames[4] = NONE
    confidences[4] = np.zeros(0)
    counts = [len(boxes) for boxes in frames]
    table = TrackTable(
        np.repeat(np.arange(5, 25), counts),
        np.full(sum(counts), -1),
        boxes=np.vstack(frames),
        confidence=np.concatenate(confidences),
    )
    tracked = BoxTracker(method).track(table)
    for frame, expected in enumerate(BoxTracker(method).run(frames, confidences), start=5):
        part = tracked.select_frames(frame, frame)
        assert part.label.tolist() == expected.labels.tolist()
        np.testing.assert_array_equal(part.boxes, expected.boxes)


def test_a_long_gap_in_a_table_costs_nothing() -> None:
    rows = np.vstack(moving_box(np.zeros(4)))
    table = TrackTable([1, 2, 10**12, 10**12 + 1], [-1] * 4, boxes=rows)
    assert np.unique(BoxTracker().track(table).label).tolist() == [1, 2]


def test_short_tracks_do_not_coast() -> None:
    """A track of n detections is reported for n / 3 frames without one."""
    for n_hits, n_reported in ((2, 0), (3, 1), (5, 1), (6, 2), (9, 3)):
        frames = [*moving_box(np.arange(n_hits)), *[NONE] * 5]
        assert [len(one) for one in BoxTracker(coasting=5).run(frames)][n_hits:].count(1) == n_reported


def test_coasting_reports_missed_boxes() -> None:
    frames = [*moving_box(np.arange(10)), NONE, NONE, NONE]
    counts = {coasting: [len(x) for x in BoxTracker(coasting=coasting).run(frames)][-3:] for coasting in (0, 2)}
    assert counts == {0: [0, 0, 0], 2: [1, 1, 0]}
