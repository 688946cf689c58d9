"""``LabelNumbers``: labels of tracks that count from 1 in the order in which tracks are reported."""

from dataclasses import replace

import numpy as np

from gaussmix.tracking import Estimates


class LabelNumbers:
    """Replace the labels of a filter, which count all possible tracks, by numbers of those that are reported.

    Attributes
    ----------
    numbers : dict of int to int
        The number of each label that was reported.
    """

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}

    def __contains__(self, label: int) -> bool:
        """Return whether a label was reported."""
        return label in self.numbers

    def relabel(self, found: Estimates) -> Estimates:
        """Return the estimates of the next scan with the numbers of their labels.

        Parameters
        ----------
        found : Estimates
            What a filter reports of the scan.
        """
        for label in found.labels.tolist():
            self.numbers.setdefault(label, len(self.numbers) + 1)
        labels = [self.numbers[label] for label in found.labels.tolist()]
        return replace(found, labels=np.array(labels, dtype=np.int64))
