"""Rows in memory some of whose cells are missing."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.input_arrays import has_missing_cells
from gaussmix.core.label_prior import LabelPrior
from gaussmix.core.missing_patterns import MissingPatterns
from gaussmix.core.reduce import T
from gaussmix.sources.base import AbstractSource, CollectedRows
from gaussmix.sources.collecting import hash_rows
from gaussmix.sources.memory import MemorySource
from gaussmix.types import AnyArray, D, IntN


@dataclass(frozen=True)
class IncompleteSource(AbstractSource):
    """An array of floats (n, D) in which NaN is a missing cell, and the same rows with numbers in their place.

    Engines pass over the observed cells. `reduce` and `collect` give the completed rows: for starts, hashes and
    checks, which need numbers and are no part of a likelihood.

    Attributes
    ----------
    rows : ndarray of shape (n, D)
        In the data's units.
    completed_rows : MemorySource
        The completed rows with their weights, frame and label prior.
    patterns : MissingPatterns
    """

    rows: AnyArray
    completed_rows: MemorySource
    patterns: MissingPatterns

    @classmethod
    def from_completed_rows(cls, rows: AnyArray, completed: MemorySource) -> "IncompleteSource":
        """Return the source of rows (n, D) with NaN, given the source of the same rows without gaps."""
        return cls(rows, completed, MissingPatterns.from_rows(rows))

    @property
    def completion(self) -> MemorySource:
        """The completed rows."""
        return self.completed_rows

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return self.completion.n_features

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def frame(self) -> Frame:
        """The map from the data's units to the working coordinates of the batches."""
        return self.completion.frame

    @property
    def label_prior(self) -> LabelPrior | None:
        """What is known of the rows' components."""
        return self.completion.label_prior

    @cached_property
    def observed_weights(self) -> D:
        """Total weight of the rows in which each column is observed, (D,)."""
        observed, weights = ~np.isnan(self.rows), self.completion.weights
        return observed.sum(axis=0).astype(np.float64) if weights is None else np.asarray(weights @ observed)

    def sum_log_jacobians(self, total_weight: float) -> float:
        """Return log |d working / d data| added up over the observed cells, with the weights of their rows."""
        return math.log(2.0) * float(self.observed_weights @ self.frame.total_exponent)

    def reduce(self, task: Callable[[Batch], T]) -> T:
        """Return task(batch) added up over all batches of completed rows, first to last."""
        return self.completion.reduce(task)

    def collect(self, max_distinct_rows: int | None, hash_key: int = 0) -> CollectedRows:
        """Return completed rows; see `AbstractSource.collect`."""
        return self.completion.collect(max_distinct_rows, hash_key)

    def take_observed(self, pattern: int) -> MemorySource:
        """Return the rows of one pattern, with its observed columns alone; without any, with one column of zeros."""
        positions = self.patterns.rows_of_patterns[pattern]
        columns = np.flatnonzero(self.patterns.is_observed[pattern])
        source = self.completion.take_rows(positions)
        if not len(columns):
            return replace(source, rows=np.zeros((len(positions), 1)), rows_frame=Frame.identity(1))
        rows = np.ascontiguousarray(self.rows[positions[:, None], columns])
        return replace(source, rows=rows, rows_frame=self.frame.select_columns(columns))

    def take_rows(self, positions: IntN) -> "IncompleteSource":
        """Return the source of the rows at some positions."""
        return IncompleteSource(
            self.rows[positions], self.completion.take_rows(positions), self.patterns.take_rows(positions)
        )

    def with_frame(self, frame: Frame) -> "IncompleteSource":
        """Return the same rows in other working coordinates."""
        return IncompleteSource(self.rows, self.completion.with_frame(frame), self.patterns)

    def with_label_prior(self, label_prior: LabelPrior | None) -> "IncompleteSource":
        """Return the same rows with another label prior."""
        return IncompleteSource(self.rows, self.completion.with_label_prior(label_prior), self.patterns)

    def split_by_row_hash(self, max_parts: int, key: int) -> list[AbstractSource]:
        """Return at most ``max_parts`` sources, none without weight; a hash of a row's cells decides its part."""
        rows = np.where(np.isnan(self.rows), 0.0, self.completion.collect(None).rows)
        numbers = hash_rows(rows, key) % np.uint64(max_parts)
        chosen = (np.flatnonzero(numbers == part) for part in range(max_parts))
        parts = [self.take_rows(positions) for positions in chosen if len(positions)]
        return [part for part in parts if part.completion.weights is None or part.completion.weights.any()]


def make_scoring_source(rows: AnyArray, frame: Frame) -> MemorySource | IncompleteSource:
    """Return a source of rows (n, D) in a frame, to be scored; NaN is a missing cell."""
    if not has_missing_cells(rows):
        return MemorySource.from_array(rows, frame=frame)
    center = frame.restore_means(np.zeros((1, rows.shape[1])))
    completed = MemorySource.from_array(np.where(np.isnan(rows), center, rows), frame=frame)
    return IncompleteSource.from_completed_rows(rows, completed)
