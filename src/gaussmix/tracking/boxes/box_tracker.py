"""``BoxTracker``: from the boxes of a detector to labelled boxes."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gaussmix.core.scalar_checks import is_number_in, require_integer
from gaussmix.errors import BoxTrackingError, ParameterError
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.tracking.boxes.assignment_steps import AssignmentMemory, advance_assignment
from gaussmix.tracking.boxes.box_detections import BoxDetections, parse_boxes, remove_duplicates
from gaussmix.tracking.boxes.box_tracks import BoxState, BoxTracks, TrackedBoxes, report_boxes
from gaussmix.tracking.boxes.gap_filling import smooth_tracks
from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.boxes.pmb_steps import PmbMemory, advance_pmb
from gaussmix.tracking.boxes.recordings import LabelledRows, build_table, collect_detections, iterate_frames
from gaussmix.tracking.track_table import TrackTable
from gaussmix.types import ArrayLike


class BoxMethod(NamedTuple):
    """A way to track boxes: what it remembers before the first frame, and the step from frame to frame."""

    initial_memory: Any
    advance: Callable[[BoxOptions, BoxState, BoxDetections, float], BoxState]


BOX_METHODS = {
    "assignment": BoxMethod(AssignmentMemory(), advance_assignment),
    "pmb": BoxMethod(PmbMemory(), advance_pmb),
}


class BoxTracker:
    """Track the boxes of a detector of people, vehicles or other objects.

    With ``method="assignment"``, each box has a Kalman filter, and boxes of a new frame are assigned to tracks in two
    stages: confident boxes first, then the others to tracks that were seen in the last frame. With ``method="pmb"`` the
    boxes go through a Poisson multi-Bernoulli filter, for which boxes behind others are hard to detect.

    Tracks are tentative until they have ``min_hits`` detections in a row (with ``"pmb"``: until they exist with a
    probability above 0.5), then confirmed. Boxes of the first frame are confirmed at once. Without a detection a
    track is lost, and removed after ``buffer`` frames. A tentative track is removed at once, or with ``"pmb"`` when it
    is very unlikely. ``tracker.state.tracks`` holds all tracks with their ``phases``.

    Lengths are in heights of a box, so the resolution of the pictures does not matter. Times are in frames.

    Parameters
    ----------
    method : {"assignment", "pmb"}, default="assignment"
    frame_rate : float, default=25.0
        Frames per second: how far objects move between frames.
    high_confidence : float, default=0.6
        Boxes of at least this confidence can start tracks. Used by ``"assignment"``.
    low_confidence : float, default=0.1
        Boxes of less confidence are ignored.
    min_hits : int, default=2
        Detections that confirm a track. Used by ``"assignment"``.
    buffer : float, default=30.0
        Frames without a detection after which a track is removed. Until then it can be found again.
    coasting : float, default=2.0
        Confirmed tracks are reported for this many frames beyond their last detection, and for at most a third of the
        number of their detections.
    duplicate_overlap : float, default=0.9
        Of two boxes of a frame with a larger intersection over union, only the more confident one is used.
    gate_probability : float, default=0.999
        Boxes outside the region that has this probability for a track do not continue it.
    noise_std : float, default=0.05
        Standard deviation of the errors of the four sides, in heights of the box.
    speed_change_std : float, default=0.3
        Standard deviation of the change of each component of the velocity over one second, in heights per second.
    size_change_std : float, default=0.15
        Standard deviation of the change of width and height over one second, in heights.
    speed_std : float, default=1.0
        Standard deviation of each component of the velocity of a new object, in heights per second.
    new_box_density : float, default=0.5
        Boxes whose density under a track is smaller do not continue it, in units of the height of the box: new objects
        and false boxes are as dense. Used by ``"assignment"``.

    Attributes
    ----------
    state : BoxState
        What is known after the last frame; a frozen value.
    time : float
        Frames so far.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Examples
    --------
    >>> from gaussmix.tracking import BoxTracker
    >>> tracker = BoxTracker()
    >>> frames = [[[5.0 * t, 40, 40, 100], [300 - 5.0 * t, 50, 40, 100]] for t in range(50)]
    >>> tracked = tracker.run(frames)
    >>> tracked[-1].labels.tolist(), tracked[-1].boxes.round().tolist()
    ([1, 2], [[245.0, 40.0, 40.0, 100.0], [55.0, 50.0, 40.0, 100.0]])
    """

    def __init__(
        self,
        method: str = "assignment",
        *,
        frame_rate: float = 25.0,
        high_confidence: float = 0.6,
        low_confidence: float = 0.1,
        min_hits: int = 2,
        buffer: float = 30.0,
        coasting: float = 2.0,
        duplicate_overlap: float = 0.9,
        gate_probability: float = 0.999,
        noise_std: float = 0.05,
        speed_change_std: float = 0.3,
        size_change_std: float = 0.15,
        speed_std: float = 1.0,
        new_box_density: float = 0.5,
    ) -> None:
        if not isinstance(method, str) or method not in BOX_METHODS:
            raise ParameterError.invalid_value("method", method, " or ".join(map(repr, BOX_METHODS)))
        self.method = method
        self.options = BoxOptions(
            frame_rate=frame_rate,
            high_confidence=high_confidence,
            low_confidence=low_confidence,
            min_hits=min_hits,
            buffer=buffer,
            coasting=coasting,
            duplicate_overlap=duplicate_overlap,
            gate_probability=gate_probability,
            noise_std=noise_std,
            speed_change_std=speed_change_std,
            size_change_std=size_change_std,
            speed_std=speed_std,
            new_box_density=new_box_density,
        )
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        memory, none = BOX_METHODS[self.method].initial_memory, np.zeros(0, dtype=np.int64)
        self.state = BoxState(BoxTracks.empty(), none.astype(bool), none, memory)
        self.time = 0.0

    def step(self, boxes: ArrayLike, confidences: ArrayLike | None = None, dt: float = 1.0) -> TrackedBoxes:
        """Take in the boxes of the next frame.

        Parameters
        ----------
        boxes : array-like of shape (n, 4)
            Left, top, width and height in pixels; [] for a frame without boxes. The order of the rows does not matter.
        confidences : array-like of shape (n,), optional
            From 0 to 1; by default 1.
        dt : float, default=1.0
            Time since the last frame, in frames: 2 if one frame was dropped.

        Returns
        -------
        TrackedBoxes

        Raises
        ------
        DataError
            If boxes or confidences have another shape, are not finite or out of range.
        ParameterError
            If ``dt`` is not a finite number above 0.
        """
        if not is_number_in(dt, 0.0, math.inf):
            raise ParameterError.invalid_value("dt", dt, "a finite number above 0, in frames")
        detections = parse_boxes(boxes, confidences)
        detections = detections.select(detections.confidences >= self.options.low_confidence)
        detections = remove_duplicates(detections, self.options.duplicate_overlap)
        self.state = BOX_METHODS[self.method].advance(self.options, self.state, detections, float(dt))
        self.time += float(dt)
        return report_boxes(self.state, self.time)

    def run(
        self,
        frames: Iterable[ArrayLike],
        confidences: Iterable[ArrayLike] | None = None,
        dt: float | Sequence[float] = 1.0,
        progress: bool | ProgressCallback | None = None,
    ) -> list[TrackedBoxes]:
        """Take in many frames, after those that the tracker has seen.

        Parameters
        ----------
        frames : iterable of array-like of shape (n, 4)
            Boxes of each frame, as for `step`.
        confidences : iterable of array-like of shape (n,), optional
            Their confidences.
        dt : float or sequence of float, default=1.0
            Time before each frame: one number for all, or one for each.
        progress : bool or callable, optional
            True shows a progress bar; a callable is called as ``progress(n_done, n_total, step_name)``.

        Returns
        -------
        list of TrackedBoxes
            One for each frame.

        Raises
        ------
        DataError
            As `step`, and if ``confidences`` or ``dt`` have another number of frames.
        """
        scans = list(frames)
        scores = [None] * len(scans) if confidences is None else list(confidences)
        steps = [float(dt)] * len(scans) if np.ndim(dt) == 0 else list(dt)  # type: ignore[arg-type]
        for name, values in (("confidences", scores), ("dt", steps)):
            if len(values) != len(scans):
                raise BoxTrackingError.different_n_frames(name, len(values), len(scans))
        tracked = []
        with make_progress_callback(progress, "track") as callback:
            for position, (boxes, scan_scores, step) in enumerate(zip(scans, scores, steps, strict=True)):
                callback(position, len(scans), f"frame {position + 1}")
                tracked.append(self.step(boxes, scan_scores, step))
        return tracked

    def track(self, detections: TrackTable) -> TrackTable:
        """Track a recording frame by frame, from the start; each row uses only frames up to its own.

        Parameters
        ----------
        detections : TrackTable
            Boxes, with confidences or without; their labels are ignored. `read_mot` reads such tables.

        Returns
        -------
        TrackTable
            Filtered boxes with labels.

        Raises
        ------
        DataError
            As `step`, and if the table has no boxes.
        """
        self.reset()
        rows = []
        for number, dt, boxes, confidences in iterate_frames(detections, self.options.buffer):
            tracked = self.step(boxes, confidences, dt)
            rows.append(LabelledRows(number, tracked.labels, tracked.boxes, tracked.confidences))
        return build_table(rows)

    def track_offline(self, detections: TrackTable, max_gap: int = 20) -> TrackTable:
        """Track a recording, then smooth each track over all of its frames and fill its gaps.

        Tracks also have the boxes before they were confirmed, and do not coast beyond their last detection.

        Parameters
        ----------
        detections : TrackTable
            As for `track`.
        max_gap : int, default=20
            Gaps of more frames stay open: see `fill_gaps`.

        Returns
        -------
        TrackTable
            Smoothed boxes with labels.

        Raises
        ------
        DataError
            As `track`.
        ParameterError
            If ``max_gap`` is not a whole number of at least 0.
        """
        self.reset()
        require_integer("max_gap", max_gap, 0)
        rows, confirmed = [], set()
        for number, dt, boxes, confidences in iterate_frames(detections, self.options.buffer):
            self.step(boxes, confidences, dt)
            tracks = self.state.tracks
            rows.append(collect_detections(number, tracks))
            confirmed.update(tracks.labels[tracks.is_confirmed].tolist())
        table = build_table(rows)
        return smooth_tracks(self.options, table.select_rows(np.isin(table.label, list(confirmed))), max_gap)
