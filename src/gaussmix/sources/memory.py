"""Rows that lie in memory, in any float type and layout; nothing larger than a block is ever copied."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.sources.base import AbstractSource, T
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
        block = max(64, _BLOCK_BYTES // (8 * max(1, self.n_features)))
        for start in range(0, max(1, self.n_rows), block):
            stop = start + block
            yield Batch(
                rows=self._working(slice(start, stop)),
                weights=None if self.weights is None else self.weights[start:stop],
                hints=None if self.hints is None else self.hints[start:stop],
                first_row=start,
            )

    def _working(self, part: slice) -> ND:
        """Rows in the frame; one of weight zero is absent and stands at the centre, so that it cannot overflow."""
        if self.weights is None:
            return self.frame.apply(self.rows[part])
        with np.errstate(over="ignore", invalid="ignore"):
            rows = self.frame.apply(self.rows[part])
        rows[self.weights[part] == 0] = 0.0
        return rows

    def framed(self, frame: Frame) -> "MemorySource":
        return replace(self, frame=frame)

    def hinted(self, hints: IntN | NK | None) -> "MemorySource":
        return replace(self, hints=hints)

    def gather(self) -> tuple[ND, N]:
        weights = np.ones(self.n_rows) if self.weights is None else self.weights
        return self._working(slice(None)), weights
