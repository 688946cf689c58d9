"""The socket for data: rows that can be passed over again and again, in any frame."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.reduce import T
from gaussmix.types import ND, NK, IntN, N

_MAX_BLOCK_BYTES = 1 << 21
_MIN_ROWS_PER_BLOCK = 2048
_MAX_BLOCKS_FOR_THREADS = 16  # blocks of data that would fit into fewer: enough to share out among threads


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

    @property
    def has_label_prior(self) -> bool:
        """Whether something is known of the rows' components."""
        return False

    @abstractmethod
    def reduce(self, function: Callable[[Batch], T]) -> T:
        """function(batch) added up over all batches, first to last."""

    @abstractmethod
    def with_frame(self, frame: Frame) -> "AbstractSource":
        """The same rows in other working coordinates."""

    @abstractmethod
    def with_label_prior(self, label_prior: IntN | NK | None) -> "AbstractSource":
        """The same rows with other hints."""

    @property
    @abstractmethod
    def total_weight(self) -> float:
        """What all rows weigh together."""

    @abstractmethod
    def random_split(self, n_parts: int, seed: int) -> list["AbstractSource"]:
        """The rows dealt out among at most ``count`` sources by a hash of the numbers in each row; none is empty."""

    @abstractmethod
    def rows_and_weights(self) -> tuple[ND, N]:
        """All rows in working coordinates with their weights; for starts, which need them together."""


def rows_per_block(n_rows: int, n_features: int) -> int:
    """Rows of a block, by the shape of the data alone.

    Few rows are one block; more are cut into up to 16, none smaller than its sums are worth; many
    into as many as keep a block at about two megabytes of float64.
    """
    n_blocks = 1
    while n_blocks < _MAX_BLOCKS_FOR_THREADS and n_rows >= 2 * n_blocks * max(_MIN_ROWS_PER_BLOCK, 16 * n_features):
        n_blocks *= 2
    n_blocks = max(n_blocks, math.ceil(8 * n_rows * n_features / _MAX_BLOCK_BYTES))
    return max(8, 8 * math.ceil(n_rows / n_blocks / 8))
