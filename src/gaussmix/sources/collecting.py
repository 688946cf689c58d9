"""Collect all rows, or distinct rows of lowest hash, in one pass and in memory for the returned rows alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaussmix.core.batch import Batch
from gaussmix.core.random_numbers import splitmix64
from gaussmix.core.reduce import SupportsReduce
from gaussmix.sources.base import CollectedRows
from gaussmix.types import ND, N


def hash_rows(rows: ND, key: int) -> NDArray[np.uint64]:
    """Return a 64-bit hash of the numbers in each row, (n,); minus zero equals zero."""
    hashes = np.full(len(rows), splitmix64(np.array([key], dtype=np.uint64))[0])
    for column in rows.T:
        hashes = splitmix64(hashes ^ splitmix64((column + 0.0).view(np.uint64)))
    return hashes


@dataclass(frozen=True)
class _HashedRows:
    """Rows sorted by hash, equal rows merged, of which the first ``max_rows`` are kept; they add."""

    max_rows: int
    hashes: NDArray[np.uint64]
    rows: ND
    weights: N

    def __add__(self, other: "_HashedRows") -> "_HashedRows":
        hashes = np.concatenate([self.hashes, other.hashes])
        rows, weights = np.concatenate([self.rows, other.rows]), np.concatenate([self.weights, other.weights])
        return _HashedRows(self.max_rows, hashes, rows, weights)._merge_equal_and_keep_lowest()

    def _merge_equal_and_keep_lowest(self) -> "_HashedRows":
        """Return the ``max_rows`` distinct rows of lowest hash, sorted by hash; weights of equal rows are added."""
        order = np.argsort(self.hashes, kind="stable")
        hashes = self.hashes[order]
        first = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1])[: len(hashes)])
        weights = np.add.reduceat(self.weights[order], first) if len(first) else self.weights
        kept = first[: self.max_rows]
        return _HashedRows(self.max_rows, hashes[kept], self.rows[order][kept], weights[: self.max_rows])


@dataclass(frozen=True)
class _LowestHashTask:
    """A task that takes the ``max_rows`` distinct rows of lowest hash from a batch."""

    max_rows: int
    key: int

    def __call__(self, batch: Batch) -> _HashedRows:
        weights = np.ones(batch.n_rows) if batch.weights is None else batch.weights
        present = np.flatnonzero(weights > 0)
        rows = batch.rows[present]
        return _HashedRows(
            self.max_rows, hash_rows(rows, self.key), rows, weights[present]
        )._merge_equal_and_keep_lowest()


class _AllRows(tuple[tuple[ND, N], ...]):
    """Rows and weights of batches in their order; they add by concatenation."""

    def __add__(self, other: tuple[tuple[ND, N], ...]) -> "_AllRows":  # type: ignore[override]
        return _AllRows((*self, *other))


def _take_rows_and_weights(batch: Batch) -> _AllRows:
    """Return the rows (n, D) of a batch and their weights (n,), as a sequence of one pair."""
    return _AllRows([(batch.rows, np.ones(batch.n_rows) if batch.weights is None else batch.weights)])


def collect_all_or_distinct_rows(source: SupportsReduce, max_distinct_rows: int | None, hash_key: int) -> CollectedRows:
    """Return all rows in order, repeated ones too, for None; else up to ``max_distinct_rows`` distinct ones.

    Distinct rows are sorted by hash and have the total weight of their copies; rows of weight zero are left out.
    """
    if max_distinct_rows is None:
        parts = source.reduce(_take_rows_and_weights)
        return CollectedRows(np.concatenate([rows for rows, _ in parts]), np.concatenate([w for _, w in parts]))
    chosen = source.reduce(_LowestHashTask(max_distinct_rows, hash_key))
    return CollectedRows(chosen.rows, chosen.weights)
