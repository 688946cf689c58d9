"""Track boxes frame by frame, and write each frame's tracks at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaussmix.cli import console
from gaussmix.cli.label_numbers import LabelNumbers
from gaussmix.cli.table_writer import write_table
from gaussmix.report.track_summary import TrackSummary, summarize_tracks
from gaussmix.tracking import BoxTracker, Estimates, MotWriter, StateLayout, TrackTable
from gaussmix.tracking.boxes.recordings import LabelledRows, RecordedFrame, build_table
from gaussmix.types import ND, IntN, N

_LAYOUT = StateLayout(("x", "vx", "y", "vy", "width", "height"), (0, 2), (1, 3), (4, 5))
_STILL_LAYOUT = StateLayout(("x", "y", "width", "height"), (0, 1), (), (2, 3))

_MAX_DIFFERENCE = 0.25  # of a smoothed box and that of the detector, in heights


@dataclass(frozen=True, eq=False)
class BoxRun:
    """What a tracker of boxes found.

    Attributes
    ----------
    frames : list of RecordedFrame
        Frames with the boxes of the detector.
    table : TrackTable
        Tracked boxes.
    estimates : list of Estimates
        The same, frame by frame; confidences stand for existence.
    """

    frames: list[RecordedFrame]
    table: TrackTable
    estimates: list[Estimates]

    @property
    def detections(self) -> TrackTable:
        """Boxes of the detector, without labels."""
        return build_table(
            [
                LabelledRows(
                    frame.number,
                    np.full(len(frame.boxes), -1),
                    frame.boxes,
                    np.ones(len(frame.boxes)) if frame.confidences is None else frame.confidences,
                )
                for frame in self.frames
            ]
        )


def track_frames(tracker: BoxTracker, frames: Iterable[RecordedFrame], path: Path) -> Iterator[Estimates]:
    """Yield the tracked boxes of each frame, and write them to a MOTChallenge file at once.

    Labels count from 1 in the order of the first report. After Ctrl-C or a failure a note says how much is written.
    """
    numbers, n_written = LabelNumbers(), 0
    try:
        with MotWriter(path) as writer:
            for frame in frames:
                tracked = tracker.step(frame.boxes, frame.confidences, frame.dt)
                found = numbers.relabel(_make_estimates(tracker, frame))
                writer.write(
                    TrackTable(
                        [frame.number] * len(found), found.labels, None, round_boxes(tracked.boxes), found.existence
                    )
                )
                n_written += 1
                yield found
    except GeneratorExit:
        raise
    except BaseException:
        if n_written:
            console.print_note(f"{path} holds the tracks of the first {n_written} frames.")
        raise


def round_boxes(boxes: ND) -> ND:
    """Return boxes in thousandths of a pixel, so that files show no rounding errors."""
    return np.asarray(np.round(boxes, 3))


def _make_estimates(tracker: BoxTracker, frame: RecordedFrame) -> Estimates:
    """Return what is reported of a frame."""
    tracks = tracker.state.tracks.select(tracker.state.is_reported)
    detections = np.full(len(tracks), -1, dtype=np.int64)
    seen = np.flatnonzero(tracks.idle == 0.0)
    if len(seen):
        differences = np.abs(frame.boxes[None] - tracks.detected_boxes[seen][:, None]).sum(axis=2)
        detections[seen] = differences.argmin(axis=1)
    return Estimates(
        float(frame.number),
        tracks.labels,
        tracks.means,
        tracks.covariances,
        tracks.confidences,
        detections,
        float(len(tracks)),
        _LAYOUT,
    )


def make_box_run(frames: Sequence[RecordedFrame], estimates: Sequence[Estimates]) -> BoxRun:
    """Return the run of tracked frames."""
    rows = [
        LabelledRows(frame.number, found.labels, round_boxes(_to_boxes(found)), found.existence)
        for frame, found in zip(frames, estimates, strict=True)
    ]
    return BoxRun(list(frames), build_table(rows), list(estimates))


def smooth_box_run(tracker: BoxTracker, run: BoxRun) -> BoxRun:
    """Return a run whose tracks are smoothed over all frames, without gaps of up to 20 frames."""
    table = tracker.track_offline(run.detections)
    numbers = LabelNumbers()
    estimates = [numbers.relabel(_read_frame(table, frame)) for frame in run.frames]
    return make_box_run(run.frames, estimates)


def _read_frame(table: TrackTable, frame: RecordedFrame) -> Estimates:
    """Return the rows of a frame of a table as estimates, those at a box of the detector as detected."""
    assert table.boxes is not None
    assert table.confidence is not None
    rows = slice(*np.searchsorted(table.frame, (frame.number, frame.number + 1)).tolist())
    boxes, n_rows = table.boxes[rows], rows.stop - rows.start
    detections = np.full(n_rows, -1, dtype=np.int64)
    if len(frame.boxes) and n_rows:
        distances = np.abs(boxes[:, None] - frame.boxes[None]).max(axis=2)
        nearest = distances.argmin(axis=1)
        is_mutual = distances.argmin(axis=0)[nearest] == np.arange(n_rows)
        is_near = is_mutual & (distances.min(axis=1) < _MAX_DIFFERENCE * boxes[:, 3])
        detections[is_near] = nearest[is_near]
    return Estimates(
        float(frame.number),
        table.label[rows],
        np.column_stack([boxes[:, :2] + 0.5 * boxes[:, 2:], boxes[:, 2:]]),
        np.zeros((n_rows, 4, 4)),
        table.confidence[rows],
        detections,
        float(n_rows),
        _STILL_LAYOUT,
    )


def _to_boxes(found: Estimates) -> ND:
    """Return left, top, width and height (n, 4) of estimates."""
    sizes = found.states[:, found.layout.extents]
    return np.column_stack([found.positions - 0.5 * sizes, sizes])


def write_box_tables(run: BoxRun, folder: Path) -> None:
    """Write tracked boxes as tracks.csv and tracks.parquet."""
    table = run.table
    assert table.boxes is not None
    columns: dict[str, IntN | N] = {"frame": table.frame, "track": table.label}
    columns |= {name: table.boxes[:, j] for j, name in enumerate(("left", "top", "width", "height"))}
    if table.confidence is not None:
        columns["confidence"] = table.confidence
    for name in ("tracks.csv", "tracks.parquet"):
        write_table(columns, folder / name)


def summarize_boxes(run: BoxRun, method: str) -> TrackSummary:
    """Return what screen and report say."""
    centers = [frame.boxes[:, :2] + 0.5 * frame.boxes[:, 2:] for frame in run.frames]
    return summarize_tracks(
        run.estimates,
        centers,
        times=np.array([frame.number for frame in run.frames]),
        names=("x", "y"),
        time_name="frame",
        filter_name=method,
        has_boxes=True,
    )
