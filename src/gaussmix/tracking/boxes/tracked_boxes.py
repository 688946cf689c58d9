"""What a tracker of boxes reports after a frame."""

from dataclasses import dataclass

from gaussmix.types import ND, IntK, K


@dataclass(frozen=True, eq=False)
class TrackedBoxes:
    """The objects that are in view after a frame, in ascending order of their labels.

    Attributes
    ----------
    time : float
        Sum of the time steps so far.
    labels : int array of shape (n,)
        Identity of each object, the same from frame to frame.
    boxes : array of shape (n, 4)
        Left, top, width and height, filtered.
    confidences : array of shape (n,)
        Confidence of the last detection of each object.
    removed : int array of shape (m,)
        Labels that ended in this frame, those of tentative tracks included; they never come back.
    """

    time: float
    labels: IntK
    boxes: ND
    confidences: K
    removed: IntK

    def __len__(self) -> int:
        return len(self.labels)
