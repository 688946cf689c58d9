"""Labels of objects in an intensity, which by itself does not know one object from another.

Each component has the label of the component that it comes from. An object has its label from the first scan in which
it is reported (compare Panta, Clark & Vo, "Data association and track management for the Gaussian mixture probability
hypothesis density filter", IEEE Trans. Aerospace and Electronic Systems 45, 2009).
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.tracking.components import Components
from gaussmix.types import BoolK, BoolN, IntN, K


@dataclass(frozen=True, eq=False)
class LabelMemory:
    """What is known of L labels, in ascending order.

    Attributes
    ----------
    labels : int array of shape (L,)
    hits : int array of shape (L,)
        Number of scans in which a detection showed the object.
    existence : array of shape (L,)
        Probability that the object exists.
    next_label : int
    """

    labels: IntN
    hits: IntN
    existence: K
    next_label: int = 1

    @classmethod
    def empty(cls, next_label: int = 1) -> "LabelMemory":
        """Return the memory of no labels."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, np.zeros(0), next_label)

    def with_existence(self, existence: K) -> "LabelMemory":
        """Return the same labels with other probabilities of existence."""
        return replace(self, existence=existence)


@dataclass(frozen=True, eq=False)
class Report:
    """The n objects that are reported: their components, labels, and probabilities of existence, all (n,)."""

    positions: IntN
    labels: IntN
    existence: K

    @classmethod
    def empty(cls) -> "Report":
        """Return a report of no objects."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, np.zeros(0))


def assign_labels(components: Components, shown: IntN, next_label: int) -> tuple[Components, int]:
    """Return the components with labels that differ among those at the positions ``shown``, and the next label.

    The first position with a label keeps it; later ones, and those without a label, get new ones.
    """
    labels = components.groups[shown]
    _, first = np.unique(labels, return_index=True)
    is_new = np.ones(len(shown), dtype=bool)
    is_new[first] = False
    is_new |= labels == 0
    n_new = int(is_new.sum())
    groups = components.groups.copy()
    groups[shown[is_new]] = next_label + np.arange(n_new)
    return components.with_groups(groups), next_label + n_new


def remember_labels(
    components: Components, memory: LabelMemory, report: Report, is_hit: BoolN, next_label: int
) -> LabelMemory:
    """Return the memory of the labels that components still have, with one more hit where a report has a detection."""
    labels = np.unique(components.groups)
    labels = labels[labels > 0]
    hits, existence = np.zeros(len(labels), dtype=np.int64), np.zeros(len(labels))
    is_known, positions = find_labels(memory.labels, labels)
    hits[is_known], existence[is_known] = memory.hits[positions], memory.existence[positions]
    order = np.argsort(report.labels)
    is_shown, places = find_labels(report.labels[order], labels)
    hits[is_shown] += is_hit[order][places]
    is_first = is_shown & ~is_known
    existence[is_first] = report.existence[order][places[is_first[is_shown]]]
    return LabelMemory(labels, hits, existence, next_label)


def find_labels(known: IntN, labels: IntN) -> tuple[BoolK, IntN]:
    """Return which labels are among ``known``, in ascending order, and the positions there of those that are."""
    if not len(known):
        return np.zeros(len(labels), dtype=bool), np.zeros(0, dtype=np.int64)
    positions = np.minimum(np.searchsorted(known, labels), len(known) - 1)
    is_known = known[positions] == labels
    return is_known, positions[is_known]


def find_heaviest(components: Components, labels: IntN) -> IntN:
    """Return the position of the heaviest component of each label, (L,); all labels must have one."""
    order = np.lexsort((-components.weights, components.groups))
    return order[np.searchsorted(components.groups[order], labels)]
