"""Rows that lie in memory, in any float type and layout; nothing larger than a block is ever copied."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.reduce import T
from gaussmix.core.threads import ordered_sum
from gaussmix.sources.base import AbstractSource, block_rows
from gaussmix.types import ND, NK, AnyArray, IntN, N


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

    @property
    def is_hinted(self) -> bool:
        return self.hints is not None

    def reduce(self, function: Callable[[Batch], T]) -> T:
        whole, step = self._whole(), block_rows(*self.rows.shape)
        n_blocks = max(1, math.ceil(self.n_rows / step))
        return ordered_sum(lambda block: function(whole.part(block * step, (block + 1) * step)), n_blocks)

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
