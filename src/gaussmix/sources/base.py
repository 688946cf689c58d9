"""The socket for data: rows that can be passed over again and again, in any frame."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.reduce import T
from gaussmix.types import ND, NK, IntN, N


class AbstractSource(ABC):
    """Rows of numbers with weights and hints; a pass is ``reduce(function of a batch)``.

    Block borders depend on the data's shape alone and results are added in the order of the rows,
    so that a sum is the same bit for bit whoever computes its terms.
    """

    frame: Frame

    @property
    @abstractmethod
    def n_rows(self) -> int: ...

    @property
    @abstractmethod
    def n_features(self) -> int: ...

    @abstractmethod
    def reduce(self, function: Callable[[Batch], T]) -> T:
        """function(batch) added up over all batches, first to last."""

    @abstractmethod
    def framed(self, frame: Frame) -> "AbstractSource":
        """The same rows in other working coordinates."""

    @abstractmethod
    def hinted(self, hints: IntN | NK | None) -> "AbstractSource":
        """The same rows with other hints."""

    @abstractmethod
    def gather(self) -> tuple[ND, N]:
        """All rows in working coordinates with their weights; for starts, which need them together."""
