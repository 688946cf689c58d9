"""The path of each object through a recording, collected from what a filter reported scan by scan."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.types import KDD, ND, IntN, N


@dataclass(frozen=True, eq=False)
class TrackPath:
    """One object in the n scans in which it was reported, in the order of time.

    Attributes
    ----------
    label : int
        Identity of the object.
    scans : int array of shape (n,)
        Positions of these scans in the recording.
    times : array of shape (n,)
        Times of these scans.
    states : array of shape (n, D)
        In the columns of ``layout``.
    covariances : array of shape (n, D, D)
    existence : array of shape (n,)
        Probability that the object exists.
    detections : int array of shape (n,)
        Position of the object's detection in each scan; -1 where it was missed.
    layout : StateLayout
    """

    label: int
    scans: IntN
    times: N
    states: ND
    covariances: KDD
    existence: N
    detections: IntN
    layout: StateLayout

    def __len__(self) -> int:
        """Return the number of scans."""
        return len(self.scans)

    @property
    def positions(self) -> ND:
        """Positions (n, p)."""
        return self.states[:, self.layout.positions]

    @property
    def velocities(self) -> ND:
        """Velocities (n, p); without columns if the states have none."""
        return self.states[:, self.layout.velocities]

    @property
    def n_detections(self) -> int:
        """Number of scans in which the object was detected."""
        return int((self.detections >= 0).sum())

    @property
    def duration(self) -> float:
        """Time from the first to the last scan."""
        return float(self.times[-1] - self.times[0])

    @property
    def mean_speed(self) -> float:
        """Mean speed over the scans, in units of position per unit of time; NaN for states without velocities."""
        if not self.layout.velocities:
            return float("nan")
        return float(np.mean(np.sqrt((self.velocities**2).sum(axis=1))))


def collect_paths(estimates: Sequence[Estimates]) -> list[TrackPath]:
    """Return the paths of all objects, in ascending order of their labels.

    Parameters
    ----------
    estimates : sequence of Estimates
        What a filter reported of each scan, in the order of time.

    Returns
    -------
    list of TrackPath
    """
    counts = [len(each) for each in estimates]
    if not sum(counts):
        return []
    scans = np.repeat(np.arange(len(counts)), counts)
    labels = np.concatenate([each.labels for each in estimates])
    order = np.lexsort((scans, labels))
    times = np.repeat([each.time for each in estimates], counts)
    filled = [each for each in estimates if len(each)]
    columns = {
        name: np.concatenate([getattr(each, name) for each in filled])[order]
        for name in ("states", "covariances", "existence", "detections")
    }
    borders = np.flatnonzero(np.diff(labels[order])) + 1
    return [
        TrackPath(
            int(labels[order[rows[0]]]),
            scans[order[rows]],
            times[order[rows]],
            **{name: column[rows] for name, column in columns.items()},
            layout=filled[0].layout,
        )
        for rows in np.split(np.arange(len(order)), borders)
    ]
