"""Which detections belong to one object: the histories of a filter's tracks over a recording."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.tracking.pmb import PMB
from gaussmix.tracking.target_model import TargetModel
from gaussmix.types import ND, IntN, N

_MIN_DETECTIONS = 3


@dataclass(frozen=True, eq=False)
class TrackHistory:
    """The detections of one object, in the order of time.

    Attributes
    ----------
    label : int
    scans : int array of shape (n,)
        Positions of the scans with a detection of the object.
    detections : int array of shape (n,)
        Position of the detection within each of these scans.
    measurements : array of shape (n, m)
    """

    label: int
    scans: IntN
    detections: IntN
    measurements: ND

    @property
    def n_scans(self) -> int:
        """Number of scans from the first to the last detection."""
        return int(self.scans[-1] - self.scans[0]) + 1


def collect_histories(model: TargetModel, scans: Sequence[ND], steps: N) -> list[TrackHistory]:
    """Run the PMB filter over a recording; return the tracks that were reported and have at least three detections.

    A history begins with the first detection, also where the track was too unlikely to be reported then.
    """
    tracker, reported = PMB(model), set[int]()
    members: dict[int, list[tuple[int, int]]] = {}
    for position, (scan, step) in enumerate(zip(scans, steps.tolist(), strict=True)):
        tracker.step(scan, step)
        tracks = tracker.state.tracks
        reported.update(tracks.labels[tracks.existence > model.report_threshold].tolist())
        for track in _assign_once(tracks.detections, tracks.existence):
            members.setdefault(int(tracks.labels[track]), []).append((position, int(tracks.detections[track])))
    return [
        _make_history(label, members[label], scans)
        for label in sorted(reported)
        if len(members.get(label, ())) >= _MIN_DETECTIONS
    ]


def _assign_once(detections: IntN, existence: N) -> list[int]:
    """Return the tracks with a detection; of several with the same one, that which exists most probably."""
    order = np.argsort(-existence, kind="stable")
    order = order[detections[order] >= 0]
    _, firsts = np.unique(detections[order], return_index=True)
    return sorted(order[firsts].tolist())


def _make_history(label: int, members: list[tuple[int, int]], scans: Sequence[ND]) -> TrackHistory:
    """Return a history of pairs of scan and detection."""
    positions, detections = np.array(members, dtype=np.int64).T
    measurements = np.stack([scans[k][j] for k, j in members])
    return TrackHistory(label, positions, detections, measurements)
