"""Rows that lie in memory, in any float type and layout; nothing larger than a block is ever copied."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gaussmix.core.batch import Batch
from gaussmix.core.draws import mixed
from gaussmix.core.frame import Frame
from gaussmix.core.reduce import T
from gaussmix.core.threads import ordered_sum
from gaussmix.sources.base import AbstractSource, block_rows
from gaussmix.types import ND, NK, AnyArray, IntN, N


def _hashed(rows: ND, key: int) -> NDArray[np.uint64]:
    """A hash (n,) of the numbers in each row; minus zero is zero."""
    found = np.full(len(rows), mixed(np.array([key], dtype=np.uint64))[0])
    for column in rows.T:
        found = mixed(found ^ mixed((column + 0.0).view(np.uint64)))
    return found


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

    @property
    def weight(self) -> float:
        return float(self.n_rows if self.weights is None else self.weights.sum())

    def dealt(self, count: int, key: int) -> list[AbstractSource]:
        place = _hashed(self._whole().rows, key) % np.uint64(count)
        chosen = (np.flatnonzero(place == number) for number in range(count))
        parts = [self._only(rows) for rows in chosen if len(rows)]
        return [part for part in parts if part.weight > 0]

    def _only(self, rows: IntN) -> "MemorySource":
        weights = None if self.weights is None else self.weights[rows]
        return MemorySource(self.rows[rows], self.frame, weights, None if self.hints is None else self.hints[rows])

    def gather(self) -> tuple[ND, N]:
        weights = np.ones(self.n_rows) if self.weights is None else self.weights
        return self._whole().rows, weights
