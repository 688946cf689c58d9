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
from gaussmix.core.draws import mixed
from gaussmix.core.frame import Extent
from gaussmix.model.problem import Problem
from gaussmix.types import ND, N

Hash = NDArray[np.uint64]
Numbering = Callable[[ND], Hash]

_CELLS = 2.0**27  # along the range of a column: rounding stays inside a cell, neighbours do not
_NARROWEST = 1e-280  # a column whose range is smaller cannot be divided into cells
_SURPLUS = 1.25  # share by which more rows are passed on than are wanted, so that one pass suffices
_FIRST_DRAW = 16  # times as many rows, where their weights are uneven
_ALL = 2.0**64


@dataclass(frozen=True)
class Sample:
    """Rows (m, D) and their weights (m,), in the order of their priorities: any first part is a sample too."""

    priorities: Hash
    rows: ND
    weights: N

    def first(self, count: int) -> "Sample":
        """The ``count`` rows of lowest priority."""
        return Sample(self.priorities[:count], self.rows[:count], self.weights[:count])

    @property
    def effective_size(self) -> float:
        """How many rows of equal weight say as much (Kish, "Survey sampling", 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights @ self.weights)) if len(self.weights) else 0.0


@dataclass(frozen=True)
class _Drawn:
    """Rows passed on so far, of which the ``count`` of lowest priority will be kept; they add."""

    count: int
    pieces: tuple[Sample, ...]
    n_rows: int

    def __add__(self, other: "_Drawn") -> "_Drawn":
        total = _Drawn(self.count, self.pieces + other.pieces, self.n_rows + other.n_rows)
        if total.n_rows <= 4 * self.count:
            return total
        kept = total.lowest()
        return _Drawn(self.count, (kept,), len(kept.rows))

    def lowest(self) -> Sample:
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
        return Sample(priorities[first], rows, weights).first(self.count)


def representative(problem: Problem, count: int, rng: np.random.Generator) -> Sample:
    """``count`` rows in the data's units that stand for all of them; all distinct rows if there are fewer."""
    multipliers = rng.integers(2**64, size=problem.source.n_features, dtype=np.uint64) | np.uint64(1)
    sample = _drawn(problem, count, multipliers)
    if sample.effective_size < 0.5 * count <= 0.5 * len(sample.rows):
        sample = _by_weight(_drawn(problem, _FIRST_DRAW * count, multipliers), count)
    return replace(sample, rows=problem.source.frame.restore_points(sample.rows))


def _drawn(problem: Problem, count: int, multipliers: Hash) -> Sample:
    """One row of each of the ``count`` cells of lowest priority; of each distinct row, if the cells are too few."""
    sample = _lowest(problem, count, _cells(problem.extent), multipliers)
    return sample if len(sample.rows) == count else _lowest(problem, count, _numbers, multipliers)


def _lowest(problem: Problem, count: int, numbering: Numbering, multipliers: Hash) -> Sample:
    share = min(1.0, _SURPLUS * count / problem.source.n_rows)
    while True:
        sample = problem.source.hinted(None).reduce(_passing(count, numbering, multipliers, share)).lowest()
        if len(sample.rows) == count or share == 1.0:
            return sample
        share = min(1.0, 2.0 * share * count / max(1, len(sample.rows)))


def _passing(count: int, numbering: Numbering, multipliers: Hash, share: float) -> Callable[[Batch], _Drawn]:
    """From a batch, the rows whose priority is among the lowest share of all priorities there can be."""
    highest = np.uint64(share * _ALL) if share < 1.0 else np.iinfo(np.uint64).max

    def pass_on(batch: Batch) -> _Drawn:
        priorities = mixed(numbering(batch.rows) @ multipliers)
        weights = np.ones(batch.n_rows) if batch.weights is None else batch.weights
        chosen = np.flatnonzero((priorities <= highest) & (weights > 0))
        return _Drawn(count, (Sample(priorities[chosen], batch.rows[chosen], weights[chosen]),), len(chosen))

    return pass_on


def _cells(extent: Extent) -> Numbering:
    """The number of the cell that a value lies in; the smallest and largest of a column lie in the middle of theirs."""
    reach = extent.high - extent.low
    per_unit = np.where(reach > _NARROWEST, _CELLS / np.maximum(reach, _NARROWEST), 0.0)

    def numbering(rows: ND) -> Hash:
        places = rows - extent.low
        places *= per_unit
        places += 0.5
        return np.maximum(places, 0.0, out=places).astype(np.uint64)

    return numbering


def _numbers(rows: ND) -> Hash:
    """The bits of each number, mixed; minus zero is zero."""
    return mixed((rows + 0.0).view(np.uint64))


def _by_weight(sample: Sample, count: int) -> Sample:
    """``count`` of the rows, as likely as they weigh; those that weigh less than the threshold count as much as it."""
    if len(sample.rows) <= count:
        return sample
    uniform = (mixed(sample.priorities) >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54
    promise = sample.weights / uniform
    order = np.argsort(-promise, kind="stable")
    chosen, threshold = np.sort(order[:count]), promise[order[count]]
    return Sample(sample.priorities[chosen], sample.rows[chosen], np.maximum(sample.weights[chosen], threshold))
