"""Tracks of boxes and their life cycle: tentative, confirmed, lost, removed."""

from dataclasses import dataclass, fields
from enum import Enum

import numpy as np

from gaussmix.tracking.boxes.box_filter import to_boxes
from gaussmix.tracking.kalman import StateStack
from gaussmix.types import KD, KDD, ND, AnyArray, BoolN, IntN, K


class TrackPhase(Enum):
    """Phase of the life of a track.

    A track is tentative until it has enough hits, then confirmed. It is lost while it has no detection, and removed if
    that lasts too long. A tentative track without a detection is removed at once.
    """

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    REMOVED = "removed"


@dataclass(frozen=True, eq=False)
class BoxTracks:
    """T tracks of boxes.

    Attributes
    ----------
    labels : int array of shape (T,)
    means, covariances : arrays of shape (T, 6) and (T, 6, 6)
        States (x, vx, y, vy, width, height).
    n_hits : int array of shape (T,)
        Detections so far.
    idle : array of shape (T,)
        Frames since the last detection.
    is_confirmed : bool array of shape (T,)
    confidences : array of shape (T,)
        Confidence of the last detection.
    """

    labels: IntN
    means: KD
    covariances: KDD
    n_hits: IntN
    idle: K
    is_confirmed: BoolN
    confidences: K

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def states(self) -> StateStack:
        """Means and covariances."""
        return StateStack(self.means, self.covariances)

    @property
    def boxes(self) -> ND:
        """Boxes (T, 4) of left, top, width and height."""
        return to_boxes(self.means)

    @property
    def phases(self) -> list[TrackPhase]:
        """Phase of each track."""
        with_detection = (TrackPhase.TENTATIVE, TrackPhase.CONFIRMED)
        pairs = zip(self.is_confirmed.tolist(), (self.idle > 0).tolist(), strict=True)
        return [TrackPhase.LOST if is_lost else with_detection[is_confirmed] for is_confirmed, is_lost in pairs]

    @classmethod
    def empty(cls) -> "BoxTracks":
        """Return no tracks."""
        none, integers = np.zeros(0), np.zeros(0, dtype=np.int64)
        return cls(integers, np.zeros((0, 6)), np.zeros((0, 6, 6)), integers, none, np.zeros(0, dtype=bool), none)

    def select(self, rows: AnyArray) -> "BoxTracks":
        """Return the tracks at some positions, or where a mask is true."""
        return BoxTracks(*(getattr(self, field.name)[rows] for field in fields(self)))

    def join(self, other: "BoxTracks") -> "BoxTracks":
        """Return these tracks, then the other ones."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return BoxTracks(*(np.concatenate(pair) for pair in pairs))
