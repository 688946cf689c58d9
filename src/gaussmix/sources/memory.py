"""Rows that lie in memory, in any float type and layout; nothing larger than a block is ever copied."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.reduce import T
from gaussmix.sources.base import AbstractSource
from gaussmix.types import ND, NK, AnyArray, IntN, N

_BLOCK_BYTES = 1 << 18


@dataclass(frozen=True)
class MemorySource(AbstractSource):
    """A 2-d array of floats (n, D), optional weights (n,) and hints; read, never written."""

    rows: AnyArray
    frame: Frame
    weights: N | None = None
    hints: IntN | NK | None = None

    @classmethod
    def of(cls, rows: AnyArray, weights: N | None = None, frame: Frame | None = None) -> "MemorySource":
        return cls(rows, frame or Frame.identity(rows.shape[1]), weights)

    @property
    def n_rows(self) -> int:
        return len(self.rows)

    @property
    def n_features(self) -> int:
        return int(self.rows.shape[1])

    def reduce(self, function: Callable[[Batch], T]) -> T:
        batches = self._batches()
        total = function(next(batches))
        for batch in batches:
            total = total + function(batch)
        return total

    def _batches(self) -> Iterator[Batch]:
        whole = self._whole()
        block = max(64, _BLOCK_BYTES // (8 * max(1, self.n_features)))
        for start in range(0, max(1, self.n_rows), block):
            yield whole.part(start, start + block)

    def _whole(self) -> Batch:
        stored = self.rows.view()
        stored.flags.writeable = False
        return Batch(stored, self.weights, self.hints, frame=self.frame)

    def framed(self, frame: Frame) -> "MemorySource":
        return replace(self, frame=frame)

    def hinted(self, hints: IntN | NK | None) -> "MemorySource":
        return replace(self, hints=hints)

    def gather(self) -> tuple[ND, N]:
        weights = np.ones(self.n_rows) if self.weights is None else self.weights
        return self._whole().rows, weights
