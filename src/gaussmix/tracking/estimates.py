"""What a filter reports after a scan."""

from dataclasses import dataclass

from gaussmix.tracking.state_layout import StateLayout
from gaussmix.types import KD, KDD, IntK, K


@dataclass(frozen=True, eq=False)
class Estimates:
    """The objects that are probably there after a scan.

    Attributes
    ----------
    time : float
        Sum of the time steps since the first scan.
    labels : int array of shape (n,)
        Identity of each object, the same from scan to scan.
    states : array of shape (n, D)
        In the columns of ``layout``.
    covariances : array of shape (n, D, D)
    existence : array of shape (n,)
        Probability that the object exists.
    detections : int array of shape (n,)
        Position of the detection in the scan that most probably belongs to the object; -1 if it was not detected.
    expected_number : float
        Expected number of all objects, those that are too unlikely to be listed included.
    layout : StateLayout
        Meaning of the columns.
    """

    time: float
    labels: IntK
    states: KD
    covariances: KDD
    existence: K
    detections: IntK
    expected_number: float
    layout: StateLayout

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def positions(self) -> KD:
        """Positions of the objects, (n, p)."""
        return self.states[:, self.layout.positions]
