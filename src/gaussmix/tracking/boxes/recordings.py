"""Recordings of boxes: from a table of detections to frames, and from tracked frames to a table."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gaussmix.errors import BoxTrackingError
from gaussmix.tracking.boxes.box_tracks import BoxTracks
from gaussmix.tracking.track_table import TrackTable
from gaussmix.types import ND, IntK, K, N


class RecordedFrame(NamedTuple):
    """Number of a frame, time since the one before in frames, boxes (n, 4), and confidences (n,) or None."""

    number: int
    dt: float
    boxes: ND
    confidences: N | None


def iterate_frames(detections: TrackTable, buffer: float) -> Iterator[RecordedFrame]:
    """Yield the frames of a table from the first to the last one, those without boxes included.

    Of a gap between frames with boxes, only the first ``buffer`` frames are yielded; no track outlives them.

    Raises
    ------
    BoxTrackingError
        If the table has no boxes.
    """
    if detections.boxes is None:
        raise BoxTrackingError.no_boxes()
    numbers, starts, counts = np.unique(detections.frame, return_index=True, return_counts=True)
    ends = starts + counts
    previous = None
    for number, start, end in zip(numbers.tolist(), starts.tolist(), ends.tolist(), strict=True):
        last_empty = number - 1 if previous is None else min(number - 1, previous + math.ceil(buffer) + 1)
        for empty in range(number if previous is None else previous + 1, last_empty + 1):
            yield RecordedFrame(empty, 1.0, np.zeros((0, 4)), None)
        confidences = None if detections.confidence is None else detections.confidence[start:end]
        dt = 1.0 if previous is None else float(number - last_empty)
        yield RecordedFrame(number, dt, detections.boxes[start:end], confidences)
        previous = number


class LabelledRows(NamedTuple):
    """Rows of one frame: its number, and labels (n,), boxes (n, 4) and confidences (n,) of objects."""

    frame: int
    labels: IntK
    boxes: ND
    confidences: K


def build_table(frames: list[LabelledRows]) -> TrackTable:
    """Return the table of some frames."""
    counts = [len(rows.labels) for rows in frames]
    return TrackTable(
        np.repeat(np.array([rows.frame for rows in frames], dtype=np.int64), counts),
        np.concatenate([np.zeros(0, dtype=np.int64), *(rows.labels for rows in frames)]),
        boxes=np.concatenate([np.zeros((0, 4)), *(rows.boxes for rows in frames)]),
        confidence=np.concatenate([np.zeros(0), *(rows.confidences for rows in frames)]),
    )


def collect_detections(frame: int, tracks: BoxTracks) -> LabelledRows:
    """Return the detections of a frame, each with the label of its track."""
    found = tracks.select(tracks.idle == 0.0)
    return LabelledRows(frame, found.labels, found.detected_boxes, found.confidences)
