"""Some of many rows, drawn by what the rows are and not by where they stand.

A start needs a few thousand rows, however many there are. Each row gets a priority: a hash, keyed
by the generator, of the cell of space it lies in, one of 2^27 along the range of each column; the
cells of lowest priority are the sample, each with all its weight (a bottom-k sample: Cohen &
Kaplan, "Summarizing data using bottom-k sketches", PODC 2007). It is gathered block by block in
one pass and in memory for the sample alone. Every cell is as likely as any other, and the draw
depends neither on the order of the rows nor on whether a row is repeated or weighted. Nor does it
on the origin and unit of the data, but for their rounding: numbers that are rounded by far less
than a cell, as by another unit or by an origin within a thousand standard deviations, give the same
sample almost surely, and numbers rounded by more (an origin 1e8 standard deviations away) another
one, no worse.

Where few cells carry most of the weight, more of them are drawn first, and of these as many as are
wanted in proportion to their weights (priority sampling: Duffield, Lund & Thorup, J. ACM 54, 2007),
so that rows of great weight are not missed and no row counts for more than it should.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gaussmix.core.batch import Batch
from gaussmix.core.frame import ColumnRange
from gaussmix.core.random_numbers import splitmix64
from gaussmix.model.problem import Problem
from gaussmix.types import ND, N

HashArray = NDArray[np.uint64]
CellIndexer = Callable[[ND], HashArray]

_CELLS_PER_COLUMN = 2.0**27  # along the range of a column: rounding stays inside a cell, neighbours do not
_MIN_COLUMN_RANGE = 1e-280  # a column whose range is smaller cannot be divided into cells
_OVERSAMPLING_FACTOR = 1.25  # share by which more rows are passed on than are wanted, so that one pass suffices
_WEIGHTED_OVERSAMPLING_FACTOR = 16  # times as many rows, where their weights are uneven
_N_HASH_VALUES = 2.0**64


@dataclass(frozen=True)
class RowSample:
    """Rows (m, D) and their weights (m,), in the order of their priorities: any first part is a sample too."""

    priorities: HashArray
    rows: ND
    weights: N

    def take_first(self, n_rows: int) -> "RowSample":
        """The ``count`` rows of lowest priority."""
        return RowSample(self.priorities[:n_rows], self.rows[:n_rows], self.weights[:n_rows])

    @property
    def effective_sample_size(self) -> float:
        """How many rows of equal weight say as much (Kish, "Survey sampling", 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights @ self.weights)) if len(self.weights) else 0.0


@dataclass(frozen=True)
class _PartialSample:
    """Rows passed on so far, of which the ``count`` of lowest priority will be kept; they add."""

    max_rows: int
    pieces: tuple[RowSample, ...]
    n_rows: int

    def __add__(self, other: "_PartialSample") -> "_PartialSample":
        total = _PartialSample(self.max_rows, self.pieces + other.pieces, self.n_rows + other.n_rows)
        if total.n_rows <= 4 * self.max_rows:
            return total
        kept = total.select_lowest_priority()
        return _PartialSample(self.max_rows, (kept,), len(kept.rows))

    def select_lowest_priority(self) -> RowSample:
        """One row for each cell with the weight of all, those of lowest priority."""
        priorities = np.concatenate([piece.priorities for piece in self.pieces])
        order = np.argsort(priorities, kind="stable")
        priorities = priorities[order]
        first = np.flatnonzero(np.concatenate([[True], priorities[1:] != priorities[:-1]])[: len(priorities)])
        rows = np.concatenate([piece.rows for piece in self.pieces])[order]
        weights = np.concatenate([piece.weights for piece in self.pieces])[order]
        if len(first) < len(rows):
            # The smallest number of each column: rows of one cell differ by rounding, and none comes first.
            rows, weights = np.minimum.reduceat(rows, first, axis=0), np.add.reduceat(weights, first)
        return RowSample(priorities[first], rows, weights).take_first(self.max_rows)


def draw_representative_sample(problem: Problem, n_rows: int, rng: np.random.Generator) -> RowSample:
    """``count`` rows in the data's units that stand for all of them; all distinct rows if there are fewer."""
    multipliers = rng.integers(2**64, size=problem.source.n_features, dtype=np.uint64) | np.uint64(1)
    sample = _draw_sample(problem, n_rows, multipliers)
    if sample.effective_sample_size < 0.5 * n_rows <= 0.5 * len(sample.rows):
        sample = _priority_sample(_draw_sample(problem, _WEIGHTED_OVERSAMPLING_FACTOR * n_rows, multipliers), n_rows)
    return replace(sample, rows=problem.source.frame.restore_means(sample.rows))


def _draw_sample(problem: Problem, n_rows: int, multipliers: HashArray) -> RowSample:
    """One row of each of the ``count`` cells of lowest priority; of each distinct row, if the cells are too few."""
    sample = _draw_lowest_priority(problem, n_rows, _make_cell_indexer(problem.column_range), multipliers)
    return (
        sample
        if len(sample.rows) == n_rows
        else _draw_lowest_priority(problem, n_rows, _hash_exact_values, multipliers)
    )


def _draw_lowest_priority(
    problem: Problem, n_rows: int, cell_indexer: CellIndexer, multipliers: HashArray
) -> RowSample:
    share = min(1.0, _OVERSAMPLING_FACTOR * n_rows / problem.source.n_rows)
    while True:
        sample = (
            problem.source.with_label_prior(None)
            .reduce(_make_priority_filter(n_rows, cell_indexer, multipliers, share))
            .select_lowest_priority()
        )
        if len(sample.rows) == n_rows or share == 1.0:
            return sample
        share = min(1.0, 2.0 * share * n_rows / max(1, len(sample.rows)))


def _make_priority_filter(
    n_rows: int, cell_indexer: CellIndexer, multipliers: HashArray, fraction: float
) -> Callable[[Batch], _PartialSample]:
    """From a batch, the rows whose priority is among the lowest share of all priorities there can be."""
    highest = np.uint64(fraction * _N_HASH_VALUES) if fraction < 1.0 else np.iinfo(np.uint64).max

    def pass_on(batch: Batch) -> _PartialSample:
        priorities = splitmix64(cell_indexer(batch.rows) @ multipliers)
        weights = np.ones(batch.n_rows) if batch.weights is None else batch.weights
        chosen = np.flatnonzero((priorities <= highest) & (weights > 0))
        return _PartialSample(
            n_rows, (RowSample(priorities[chosen], batch.rows[chosen], weights[chosen]),), len(chosen)
        )

    return pass_on


def _make_cell_indexer(extent: ColumnRange) -> CellIndexer:
    """The number of the cell that a value lies in; the smallest and largest of a column lie in the middle of theirs."""
    reach = extent.maximum - extent.minimum
    per_unit = np.where(reach > _MIN_COLUMN_RANGE, _CELLS_PER_COLUMN / np.maximum(reach, _MIN_COLUMN_RANGE), 0.0)

    def numbering(rows: ND) -> HashArray:
        places = rows - extent.minimum
        places *= per_unit
        places += 0.5
        return np.maximum(places, 0.0, out=places).astype(np.uint64)

    return numbering


def _hash_exact_values(rows: ND) -> HashArray:
    """The bits of each number, mixed; minus zero is zero."""
    return splitmix64((rows + 0.0).view(np.uint64))


def _priority_sample(sample: RowSample, n_rows: int) -> RowSample:
    """``count`` of the rows, as likely as they weigh; those that weigh less than the threshold count as much as it."""
    if len(sample.rows) <= n_rows:
        return sample
    uniform = (splitmix64(sample.priorities) >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54
    promise = sample.weights / uniform
    order = np.argsort(-promise, kind="stable")
    chosen, threshold = np.sort(order[:n_rows]), promise[order[n_rows]]
    return RowSample(sample.priorities[chosen], sample.rows[chosen], np.maximum(sample.weights[chosen], threshold))
