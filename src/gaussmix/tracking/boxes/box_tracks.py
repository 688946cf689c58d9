"""Tracks of boxes, the phases of their life, and what is reported of them after a frame."""

from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import numpy as np

from gaussmix.tracking.boxes.box_arrays import to_corners
from gaussmix.tracking.boxes.box_filter import to_boxes
from gaussmix.tracking.kalman import StateStack
from gaussmix.types import KD, KDD, ND, AnyArray, BoolN, IntK, IntN, K


class TrackPhase(Enum):
    """Phase of the life of a track.

    A track is tentative until it has enough detections, then confirmed. It is lost while it has no detection, and
    removed if that lasts too long.
    """

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    REMOVED = "removed"


_HITS_PER_MISS = 3  # detections for which a track is reported in one frame without
_LIVING_PHASES = (TrackPhase.TENTATIVE, TrackPhase.CONFIRMED, TrackPhase.LOST)


@dataclass(frozen=True, eq=False)
class BoxTracks:
    """T tracks of boxes, in ascending order of their labels.

    Attributes
    ----------
    labels : int array of shape (T,)
    means, covariances : arrays of shape (T, 6) and (T, 6, 6)
        States (x, vx, y, vy, width, height) of center and sides.
    n_hits : int array of shape (T,)
        Detections so far.
    idle : array of shape (T,)
        Frames since the last detection.
    is_confirmed : bool array of shape (T,)
    confidences : array of shape (T,)
        Confidence of the last detection.
    detections : array of shape (T, 4)
        Center, width and height of the last detection.
    """

    labels: IntN
    means: KD
    covariances: KDD
    n_hits: IntN
    idle: K
    is_confirmed: BoolN
    confidences: K
    detections: ND

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def states(self) -> StateStack:
        """Means and covariances."""
        return StateStack(self.means, self.covariances)

    @property
    def boxes(self) -> ND:
        """Left, top, width and height (T, 4) of the filtered boxes."""
        return to_boxes(self.means)

    @property
    def detected_boxes(self) -> ND:
        """Left, top, width and height (T, 4) of the last detections."""
        return to_corners(self.detections)

    @property
    def phases(self) -> list[TrackPhase]:
        """Phase of each track."""
        index = np.where(self.is_confirmed, np.where(self.idle > 0.0, 2, 1), 0)
        return [_LIVING_PHASES[i] for i in index.tolist()]

    @classmethod
    def empty(cls) -> "BoxTracks":
        """Return no tracks."""
        none, integers, boxes = np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros((0, 4))
        bools = np.zeros(0, dtype=bool)
        return cls(integers, np.zeros((0, 6)), np.zeros((0, 6, 6)), integers, none, bools, none, boxes)

    def is_in_view(self, coasting: float) -> BoolN:
        """Return whether each track was seen lately: at most ``coasting`` frames ago, or a third of its detections.

        A track of a few detections may be a false one, so it is not continued without a detection.
        """
        return self.idle <= np.minimum(coasting, self.n_hits / _HITS_PER_MISS)

    def can_return(self, dt: float, buffer: float) -> BoolN:
        """Return whether each track may have a detection after ``dt`` frames: at most ``buffer`` frames are missing."""
        return self.idle + dt <= buffer + 1.0

    def select(self, rows: AnyArray) -> "BoxTracks":
        """Return the tracks at some positions, or where a mask is true."""
        return BoxTracks(*(getattr(self, field.name)[rows] for field in fields(self)))

    def join(self, other: "BoxTracks") -> "BoxTracks":
        """Return these tracks, then the other ones."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return BoxTracks(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, eq=False)
class BoxState:
    """What a tracker of boxes knows after a frame.

    Attributes
    ----------
    tracks : BoxTracks
    is_reported : bool array of shape (T,)
        Whether a track is reported.
    removed : int array of shape (m,)
        Labels that ended in this frame.
    memory : object
        What the method keeps besides.
    """

    tracks: BoxTracks
    is_reported: BoolN
    removed: IntN
    memory: Any


@dataclass(frozen=True, eq=False)
class TrackedBoxes:
    """The objects that are in view after a frame, in ascending order of their labels.

    Attributes
    ----------
    time : float
        Frames so far: the sum of the time steps.
    labels : int array of shape (n,)
        Identity of each object, the same from frame to frame.
    boxes : array of shape (n, 4)
        Left, top, width and height, filtered.
    confidences : array of shape (n,)
        Confidence of the last detection of each object.
    idle : array of shape (n,)
        Frames since that detection: above 0 for an object that was missed.
    removed : int array of shape (m,)
        Labels that ended in this frame, those of tentative tracks included. They never come back.
    """

    time: float
    labels: IntK
    boxes: ND
    confidences: K
    idle: K
    removed: IntK

    def __len__(self) -> int:
        return len(self.labels)


def report_boxes(state: BoxState, time: float) -> TrackedBoxes:
    """Return what is reported of a state."""
    tracks = state.tracks.select(state.is_reported)
    return TrackedBoxes(time, tracks.labels, tracks.boxes, tracks.confidences, tracks.idle, state.removed)
