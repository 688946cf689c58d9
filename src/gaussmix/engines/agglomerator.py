"""The socket for agglomerative clustering: a fast path of merge trees that some engines offer."""

from abc import ABC, abstractmethod

from gaussmix.core.group_costs import GroupCost, GroupMoments
from gaussmix.types import IntK, IntNC, K


class AbstractAgglomerator(ABC):
    """Merges groups pair by pair, each time the pair that increases a sum of group costs the least."""

    @abstractmethod
    def compute_pair_costs(self, groups: GroupMoments, cost: GroupCost, first: IntK, second: IntK) -> K | None:
        """Return the increase of the sum, (p,), for merging each pair of groups; None if it cannot run.

        ``first`` and ``second`` (p,) are the positions of the members.
        """

    @abstractmethod
    def merge_groups(self, groups: GroupMoments, cost: GroupCost) -> IntNC | None:
        """Return the two groups that each step merges, (m - 1, 2); None if it cannot run or costs overflow.

        The groups are 0 to m - 1, and step t makes group m + t. Of equal pairs, the first in order of the positions
        is merged. A merged group takes the position of its first member.
        """


class SupportsAgglomeration(ABC):
    """An engine that offers agglomerative clustering."""

    @property
    @abstractmethod
    def agglomerator(self) -> AbstractAgglomerator:
        """The object that merges groups for this engine."""
