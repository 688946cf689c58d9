"""Rows in memory, in any float type and layout; nothing larger than a block is ever copied."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.label_prior import LabelPrior, require_label_prior_of_rows
from gaussmix.core.reduce import T
from gaussmix.core.threads import ordered_sum
from gaussmix.sources.base import AbstractSource, CollectedRows, max_rows_per_block
from gaussmix.sources.collecting import collect_all_or_distinct_rows, hash_rows
from gaussmix.types import AnyArray, IntN, IntNC, N

# Values of rows whose working coordinates are kept once they are computed.
_MAX_KEPT_VALUES = 4_000_000


@dataclass(frozen=True)
class _Blocks(Sequence[Batch]):
    """The blocks of a batch, cut when they are asked for."""

    batch: Batch
    n_block_rows: int

    def __len__(self) -> int:
        return max(1, -(-len(self.batch.raw_rows) // self.n_block_rows))

    @overload
    def __getitem__(self, number: int) -> Batch: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Batch]: ...
    def __getitem__(self, number: int | slice) -> Batch | Sequence[Batch]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self.batch.sub_batch(number * self.n_block_rows, (number + 1) * self.n_block_rows)


@dataclass(frozen=True)
class MemorySource(AbstractSource):
    """An array of floats (n, D) with optional weights (n,), label prior and category codes (n, C); never written."""

    rows: AnyArray
    rows_frame: Frame
    weights: N | None = None
    rows_label_prior: LabelPrior | None = None
    codes: IntNC | None = None

    @classmethod
    def from_array(
        cls, rows: AnyArray, weights: N | None = None, frame: Frame | None = None, codes: IntNC | None = None
    ) -> "MemorySource":
        """Return a source of rows (n, D); without a frame the working coordinates are the data's units."""
        return cls(rows, frame or Frame.identity(rows.shape[1]), weights, None, codes)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return int(self.rows.shape[1])

    @property
    def frame(self) -> Frame:
        """The map from the data's units to the working coordinates of the batches."""
        return self.rows_frame

    @property
    def label_prior(self) -> LabelPrior | None:
        """What is known of the rows' components."""
        return self.rows_label_prior

    def reduce(self, task: Callable[[Batch], T]) -> T:
        """Return task(batch) added up over all batches, first to last."""
        n_block_rows = max_rows_per_block(self.n_rows, self.n_features, getattr(task, "n_preferred_rows", 0))
        if self.n_rows <= n_block_rows:
            return task(self._kept_batch())
        return ordered_sum(task, _Blocks(self._kept_batch(), n_block_rows))

    def collect(self, max_distinct_rows: int | None, hash_key: int = 0) -> CollectedRows:
        """Return every row in order, unmerged, if ``max_distinct_rows`` is None; else up to that many distinct rows."""
        if max_distinct_rows is not None:
            return collect_all_or_distinct_rows(self, max_distinct_rows, hash_key)
        weights = np.ones(self.n_rows) if self.weights is None else self.weights
        batch = self._kept_batch() if self.rows.size <= _MAX_KEPT_VALUES else self._whole_batch()
        return CollectedRows(batch.rows, weights)

    def with_frame(self, frame: Frame) -> "MemorySource":
        """Return the same rows in other working coordinates."""
        return self if frame is self.rows_frame else replace(self, rows_frame=frame)

    def with_label_prior(self, label_prior: LabelPrior | None) -> "MemorySource":
        """Return the same rows with another label prior."""
        require_label_prior_of_rows(label_prior, self.n_rows)
        return self if label_prior is self.rows_label_prior else replace(self, rows_label_prior=label_prior)

    def split_by_row_hash(self, max_parts: int, key: int) -> list[AbstractSource]:
        """Return at most ``max_parts`` sources, none without weight; a hash of a row's values decides its part."""
        numbers = hash_rows(self._whole_batch().rows, key) % np.uint64(max_parts)
        chosen = (np.flatnonzero(numbers == part) for part in range(max_parts))
        parts = [self.take_rows(positions) for positions in chosen if len(positions)]
        return [part for part in parts if part.weights is None or part.weights.any()]

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_batch"}

    def _kept_batch(self) -> Batch:
        """Return the batch of all rows, the same each time, so that its working coordinates are computed once."""
        batch: Batch | None = self.__dict__.get("_batch")
        if batch is None:
            batch = self.__dict__["_batch"] = self._whole_batch()
        return batch

    def _whole_batch(self) -> Batch:
        """Return all rows, read-only, as one batch."""
        raw_rows = self.rows.view()
        raw_rows.flags.writeable = False
        return Batch(raw_rows, self.weights, self.rows_label_prior, frame=self.rows_frame, codes=self.codes)

    def take_rows(self, positions: IntN) -> "MemorySource":
        """Return the source of the rows at some positions, with their weights, label prior and codes."""
        return replace(
            self,
            rows=self.rows[positions],
            weights=None if self.weights is None else self.weights[positions],
            rows_label_prior=None if self.rows_label_prior is None else self.rows_label_prior.select_rows(positions),
            codes=None if self.codes is None else self.codes[positions],
        )
