"""Draw a sample of rows that depends on the values of the rows, not on their order.

An initialization needs a few thousand rows, however many there are. Each column's range is divided into 2^27
intervals, which divides space into cells. The priority of a row is a random hash of its cell. The cells of lowest
priority form the sample, each with the total weight of its rows (a bottom-k sample: Cohen & Kaplan, "Summarizing data
using bottom-k sketches", PODC 2007). One pass collects them block by block and stores only the sample. Every cell is
equally likely. The sample depends neither on the order of the rows nor on whether a row is repeated or weighted.

The sample does not depend on the origin and unit of the data either, except for rounding. Rounding by much less than a
cell, from another unit or from an origin within a thousand standard deviations, almost surely leaves the sample
unchanged. Coarser rounding (an origin 1e8 standard deviations away) gives a different sample that is no worse.

If a few cells have most of the weight, more cells are drawn first. From these the final sample is drawn in proportion
to the weights (priority sampling: Duffield, Lund & Thorup, J. ACM 54, 2007). Heavy rows are then not missed, and no
row is overweighted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.random_numbers import splitmix64
from gaussmix.model.cell_hashes import CellHasher, HashArray, RowHasher
from gaussmix.model.problem import Problem
from gaussmix.types import ND, N

_MAX_UNSAMPLED_ROWS = 10_000
_MIN_SAMPLE_ROWS = 4_000
_SAMPLE_ROWS_PER_COMPONENT = 250
_SAMPLE_ROWS_PER_COMPONENT_AND_COLUMN = 10  # a covariance of more columns needs more rows

_OVERSAMPLING_FACTOR = 1.25  # collects more rows than requested, so that one pass usually suffices
_WEIGHTED_OVERSAMPLING_FACTOR = 16  # the same for rows of uneven weights
_N_HASH_VALUES = 2.0**64


@dataclass(frozen=True)
class RowSample:
    """Sampled rows (m, D) and their weights (m,), in order of priority: the first rows are a sample too."""

    priorities: HashArray
    rows: ND
    weights: N

    def take_first(self, n_rows: int) -> "RowSample":
        """Return the first ``n_rows`` rows, those of lowest priority, with their weights."""
        return RowSample(self.priorities[:n_rows], self.rows[:n_rows], self.weights[:n_rows])

    @property
    def effective_sample_size(self) -> float:
        """Number of rows of equal weight with the same information (Kish, "Survey sampling", 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights @ self.weights)) if len(self.weights) else 0.0


@dataclass(frozen=True)
class _PartialSample:
    """Rows collected so far; adding two keeps at least the ``max_rows`` rows of lowest priority."""

    max_rows: int
    pieces: tuple[RowSample, ...]
    n_collected: int

    def __add__(self, other: "_PartialSample") -> "_PartialSample":
        total = _PartialSample(self.max_rows, self.pieces + other.pieces, self.n_collected + other.n_collected)
        if total.n_collected <= 4 * self.max_rows:
            return total
        reduced = total.merge_cells_and_keep_lowest_priority()
        return _PartialSample(self.max_rows, (reduced,), len(reduced.rows))

    def merge_cells_and_keep_lowest_priority(self) -> RowSample:
        """Return one row for each of the ``max_rows`` cells of lowest priority, with the total weight of its cell."""
        priorities = np.concatenate([piece.priorities for piece in self.pieces])
        rows = np.concatenate([piece.rows for piece in self.pieces])
        weights = np.concatenate([piece.weights for piece in self.pieces])
        order = np.argsort(priorities)
        sorted_priorities = priorities[order]
        if (sorted_priorities[1:] != sorted_priorities[:-1]).all():
            kept = order[: self.max_rows]
            return RowSample(sorted_priorities[: self.max_rows], rows.take(kept, axis=0), weights[kept])
        order = np.argsort(priorities, kind="stable")
        first = np.flatnonzero(np.concatenate([[True], sorted_priorities[1:] != sorted_priorities[:-1]]))
        # Rows of one cell differ only by rounding. The minimum of each column does not depend on their order.
        rows = np.minimum.reduceat(rows[order], first, axis=0)
        return RowSample(sorted_priorities[first], rows, np.add.reduceat(weights[order], first)).take_first(
            self.max_rows
        )


def start_sample_size(n_components: int, n_features: int) -> int:
    """Return the number of rows to sample: 250 per component, or 10 per component and column; at least 4000."""
    return max(
        _MIN_SAMPLE_ROWS,
        n_components * max(_SAMPLE_ROWS_PER_COMPONENT, _SAMPLE_ROWS_PER_COMPONENT_AND_COLUMN * n_features),
    )


def max_unsampled_rows(n_components: int, n_features: int) -> int:
    """Return the largest number of rows that are not sampled: 10 000, or twice the sample if that is more."""
    return max(_MAX_UNSAMPLED_ROWS, 2 * start_sample_size(n_components, n_features))


def sample_if_many_rows(problem: Problem, n_components: int, rng: np.random.Generator) -> Problem:
    """Return the problem on a sample of its rows if there are many distinct ones, else the problem."""
    n_features = problem.source.n_features
    max_rows = max_unsampled_rows(n_components, n_features)
    if problem.n_rows <= max_rows:
        return problem
    state = rng.bit_generator.state
    sample = _draw_sample_in_frame(problem, max_rows + 1, rng)
    if len(sample.rows) <= max_rows:
        # Repeated rows and rows of weight zero change neither the decision to sample nor the random draws.
        rng.bit_generator.state = state
        return problem
    sample = sample.take_first(start_sample_size(n_components, n_features))
    return problem.on_sample_of_rows(problem.source.frame.restore_means(sample.rows), sample.weights)


def draw_representative_sample(problem: Problem, max_sample_rows: int, rng: np.random.Generator) -> RowSample:
    """Draw a weighted sample of ``max_sample_rows`` rows in the data's units, or of all distinct rows if fewer."""
    sample = _draw_sample_in_frame(problem, max_sample_rows, rng)
    return replace(sample, rows=problem.source.frame.restore_means(sample.rows))


def _draw_sample_in_frame(problem: Problem, max_sample_rows: int, rng: np.random.Generator) -> RowSample:
    """Draw a weighted sample of ``max_sample_rows`` rows in the frame, or of all distinct rows if fewer."""
    hash_multipliers = rng.integers(2**64, size=problem.source.n_features, dtype=np.uint64) | np.uint64(1)
    sample = _draw_one_row_per_cell(problem, max_sample_rows, hash_multipliers)
    if sample.effective_sample_size < 0.5 * max_sample_rows <= 0.5 * len(sample.rows):
        sample = _draw_in_proportion_to_weights(
            _draw_one_row_per_cell(problem, _WEIGHTED_OVERSAMPLING_FACTOR * max_sample_rows, hash_multipliers),
            max_sample_rows,
        )
    return sample


def _draw_one_row_per_cell(problem: Problem, max_sample_rows: int, hash_multipliers: HashArray) -> RowSample:
    """Draw one row from each of ``max_sample_rows`` cells, or so many distinct rows if there are too few cells."""
    hasher = CellHasher.from_column_range(problem.column_range, hash_multipliers, problem.engine.name != "numpy")
    sample = _draw_cells_of_lowest_priority(problem, max_sample_rows, hasher.hash_rows)
    if len(sample.rows) == max_sample_rows:
        return sample
    return _draw_cells_of_lowest_priority(problem, max_sample_rows, RowHasher(hash_multipliers).hash_rows)


def _draw_cells_of_lowest_priority(
    problem: Problem, max_sample_rows: int, hash_rows: Callable[[ND], HashArray]
) -> RowSample:
    """Draw a row from each of the ``max_sample_rows`` cells of lowest priority, or from all cells if fewer."""
    fraction = min(1.0, _OVERSAMPLING_FACTOR * max_sample_rows / problem.n_rows)
    while True:
        sample = (
            problem.source.with_label_prior(None)
            .reduce(_make_lowest_priority_filter(max_sample_rows, hash_rows, fraction))
            .merge_cells_and_keep_lowest_priority()
        )
        if len(sample.rows) == max_sample_rows or fraction == 1.0:
            return sample
        fraction = min(1.0, 2.0 * fraction * max_sample_rows / max(1, len(sample.rows)))


def _make_lowest_priority_filter(
    max_sample_rows: int, hash_rows: Callable[[ND], HashArray], fraction: float
) -> Callable[[Batch], _PartialSample]:
    """Return a function that keeps the rows of a batch whose priority is in the lowest ``fraction`` of all hashes."""
    max_priority = np.uint64(fraction * _N_HASH_VALUES) if fraction < 1.0 else np.iinfo(np.uint64).max

    def filter_batch(batch: Batch) -> _PartialSample:
        priorities, weights = hash_rows(batch.rows), batch.weights
        is_selected = priorities <= max_priority
        selected = np.flatnonzero(is_selected if weights is None else is_selected & (weights > 0))
        sample_weights = np.ones(len(selected)) if weights is None else weights[selected]
        piece = RowSample(priorities[selected], batch.rows.take(selected, axis=0), sample_weights)
        return _PartialSample(max_sample_rows, (piece,), len(selected))

    return filter_batch


def _draw_in_proportion_to_weights(sample: RowSample, max_sample_rows: int) -> RowSample:
    """Draw ``max_sample_rows`` rows of a sample in proportion to their weights (priority sampling).

    Rows that weigh less than the threshold get the weight of the threshold.
    """
    if len(sample.rows) <= max_sample_rows:
        return sample
    uniform = (splitmix64(sample.priorities) >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54
    priorities = sample.weights / uniform
    order = np.argsort(-priorities, kind="stable")
    selected, threshold = np.sort(order[:max_sample_rows]), priorities[order[max_sample_rows]]
    return RowSample(
        sample.priorities[selected], sample.rows[selected], np.maximum(sample.weights[selected], threshold)
    )
