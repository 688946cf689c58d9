"""Rows that lie in memory, in any float type and layout; nothing larger than a block is ever copied."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.random_numbers import splitmix64
from gaussmix.core.reduce import T
from gaussmix.core.threads import ordered_sum
from gaussmix.sources.base import AbstractSource, rows_per_block
from gaussmix.types import ND, NK, AnyArray, IntN, N


def _hash_rows(rows: ND, seed: int) -> NDArray[np.uint64]:
    """A hash (n,) of the numbers in each row; minus zero is zero."""
    found = np.full(len(rows), splitmix64(np.array([seed], dtype=np.uint64))[0])
    for column in rows.T:
        found = splitmix64(found ^ splitmix64((column + 0.0).view(np.uint64)))
    return found


@dataclass(frozen=True)
class MemorySource(AbstractSource):
    """A 2-d array of floats (n, D), optional weights (n,) and hints; read, never written."""

    rows: AnyArray
    frame: Frame
    weights: N | None = None
    label_prior: IntN | NK | None = None

    @classmethod
    def from_array(cls, rows: AnyArray, weights: N | None = None, frame: Frame | None = None) -> "MemorySource":
        return cls(rows, frame or Frame.identity(rows.shape[1]), weights)

    @property
    def n_rows(self) -> int:
        return len(self.rows)

    @property
    def n_features(self) -> int:
        return int(self.rows.shape[1])

    @property
    def has_label_prior(self) -> bool:
        return self.label_prior is not None

    def reduce(self, function: Callable[[Batch], T]) -> T:
        whole, step = self._as_batch(), rows_per_block(*self.rows.shape)
        n_blocks = max(1, math.ceil(self.n_rows / step))
        return ordered_sum(lambda block: function(whole.sub_batch(block * step, (block + 1) * step)), n_blocks)

    def _as_batch(self) -> Batch:
        stored = self.rows.view()
        stored.flags.writeable = False
        return Batch(stored, self.weights, self.label_prior, frame=self.frame)

    def with_frame(self, frame: Frame) -> "MemorySource":
        return replace(self, frame=frame)

    def with_label_prior(self, label_prior: IntN | NK | None) -> "MemorySource":
        return replace(self, label_prior=label_prior)

    @property
    def total_weight(self) -> float:
        return float(self.n_rows if self.weights is None else self.weights.sum())

    def random_split(self, n_parts: int, seed: int) -> list[AbstractSource]:
        place = _hash_rows(self._as_batch().rows, seed) % np.uint64(n_parts)
        chosen = (np.flatnonzero(place == number) for number in range(n_parts))
        parts = [self._select_rows(rows) for rows in chosen if len(rows)]
        return [part for part in parts if part.total_weight > 0]

    def _select_rows(self, indices: IntN) -> "MemorySource":
        weights = None if self.weights is None else self.weights[indices]
        return MemorySource(
            self.rows[indices], self.frame, weights, None if self.label_prior is None else self.label_prior[indices]
        )

    def rows_and_weights(self) -> tuple[ND, N]:
        weights = np.ones(self.n_rows) if self.weights is None else self.weights
        return self._as_batch().rows, weights
