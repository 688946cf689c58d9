"""Which split-and-merge moves are worth trying, ranked in one pass over the rows.

Components overlap as much as their responsibilities are parallel. A component fits badly if the Kullback-Leibler
divergence of its rows from its density is large (Ueda, Nakano, Ghahramani & Hinton, "SMEM algorithm for mixture
models", Neural Computation 12, 2000).
"""

import functools
import operator
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.engines.score_tiles import iterate_tiles, log_sum_exp_with_shifted_terms, rows_per_tile
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.types import NK, Array, BoolK, IntK, K, N

MAX_SPLIT_MERGE_CANDIDATES = 10


@dataclass(frozen=True)
class SplitMergeCandidate:
    """One move.

    Attributes
    ----------
    merge_target, merge_source : int
        Component ``merge_source`` is merged into ``merge_target``, and is then used for half of ``split_component``.
    split_component : int
    is_flipped : bool
        Whether ``merge_source`` takes the near half instead of the far half.
    split_axis : int
        Rank of the axis across which the component is split, 0 for the longest. Which axis is the longest may depend
        on the units of the columns.
    """

    merge_target: int
    merge_source: int
    split_component: int
    is_flipped: bool = False
    split_axis: int = 0


@dataclass(frozen=True)
class OverlapStatistics:
    """Sums over weighted rows that measure how components overlap and fit; such values add.

    Attributes
    ----------
    responsibility_products : ndarray of shape (K, K)
        Sums of r_i r_j, with responsibilities r.
    negative_entropies : ndarray of shape (K,)
        Sums of r log r.
    log_density_sums : ndarray of shape (K,)
        Sums of r log p, with the density p of the component alone.
    masses : ndarray of shape (K,)
        Sums of r.
    """

    responsibility_products: Array
    negative_entropies: K
    log_density_sums: K
    masses: K

    def __add__(self, other: "OverlapStatistics") -> "OverlapStatistics":
        return OverlapStatistics(
            self.responsibility_products + other.responsibility_products,
            self.negative_entropies + other.negative_entropies,
            self.log_density_sums + other.log_density_sums,
            self.masses + other.masses,
        )

    @property
    def overlaps(self) -> Array:
        """Cosines between the responsibilities of components, (K, K); 1 for an empty one, to be merged first."""
        lengths = np.sqrt(np.diagonal(self.responsibility_products))
        scale = np.outer(lengths, lengths)
        return np.where(scale > 0, self.responsibility_products / np.where(scale > 0, scale, 1.0), 1.0)

    @property
    def misfits(self) -> K:
        """Divergence of each component's rows from its density, (K,), up to a common constant; -inf without rows."""
        mass = np.where(self.masses > 0, self.masses, 1.0)
        divergence = (self.negative_entropies - self.log_density_sums) / mass - np.log(mass)
        return np.where(self.masses > 0, divergence, -np.inf)


def compute_overlap_statistics(problem: Problem, mixture: Mixture) -> OverlapStatistics:
    """Return the overlap statistics of a mixture, in one pass over the rows."""
    log_weights = np.log(np.where(mixture.weights > 0, mixture.weights, 1.0))
    return problem.session.reduce_scores(mixture, _SumOverlaps(log_weights))


@dataclass(frozen=True)
class _SumOverlaps:
    """A function from a batch and its scores (n, K) to its overlap statistics, computed tile by tile."""

    log_weights: K

    def __call__(self, batch: Batch, scores: NK) -> OverlapStatistics:
        parts = (
            self._compute_tile_statistics(scores[tile], None if batch.weights is None else batch.weights[tile])
            for tile in iterate_tiles(batch.n_rows, rows_per_tile(scores.shape[1]))
        )
        return functools.reduce(operator.add, parts)

    def _compute_tile_statistics(self, scores: NK, row_weights: N | None) -> OverlapStatistics:
        """Return the overlap statistics of rows with these scores (n, K), or (n, K + 1) with noise as the last."""
        n_components = len(self.log_weights)
        powers = log_sum_exp_with_shifted_terms(scores)[1]
        responsibilities = (powers / powers.sum(axis=1)[:, None])[:, :n_components]
        logs = np.where(responsibilities > 0, scores[:, :n_components] - self.log_weights, 0.0)
        weighted = responsibilities if row_weights is None else responsibilities * row_weights[:, None]
        entropies = (weighted * np.log(np.where(responsibilities > 0, responsibilities, 1.0))).sum(axis=0)
        products = weighted.T @ responsibilities
        return OverlapStatistics(products, entropies, (weighted * logs).sum(axis=0), weighted.sum(axis=0))


def iterate_best_candidates_first(
    statistics: OverlapStatistics, labelled_components: IntK, is_fixed_component: BoolK
) -> Iterator[SplitMergeCandidate]:
    """Yield moves, the most promising first: merges of the largest overlaps with splits of the worst fits."""
    free = np.flatnonzero(~is_fixed_component).tolist()
    labelled = set(labelled_components.tolist())
    overlaps, misfits = statistics.overlaps, statistics.misfits
    pairs = [(i, j) if j not in labelled else (j, i) for i in free for j in free if i < j]
    pairs = sorted((pair for pair in pairs if pair[1] not in labelled), key=lambda pair: -overlaps[pair])
    splits = sorted((k for k in free if misfits[k] > -np.inf), key=lambda k: -misfits[k])
    max_rank = 2 * MAX_SPLIT_MERGE_CANDIDATES
    ranks = [(a, b) for a in range(len(pairs)) for b in range(len(splits)) if a + b < max_rank]
    for a, b in sorted(ranks, key=lambda rank: (sum(rank), rank)):
        if splits[b] not in pairs[a]:
            yield SplitMergeCandidate(*pairs[a], splits[b])
            if splits[b] in labelled:  # its labelled rows may lie in either half
                yield SplitMergeCandidate(*pairs[a], splits[b], True)
