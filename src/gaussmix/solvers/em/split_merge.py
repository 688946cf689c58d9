"""Split-and-merge moves: how a fit leaves a poor optimum that EM cannot leave.

EM often comes to rest with two components in one group and one between two others, and no small step
leads out of it. A move joins two components that share their rows and cuts a third one, which describes
its rows badly, in two; EM goes on from there, and the move is made only if the likelihood ends higher
(Ueda, Nakano, Ghahramani & Hinton, "SMEM algorithm for mixture models", Neural Computation 12, 2000).

One pass over the rows ranks the moves: components overlap as much as their responsibilities are
parallel, and one fits badly if its density is far, in the divergence of Kullback and Leibler, from how
its rows are spread. New components are made of moments: those of two add, and those of one are cut
through the mean across the direction in which it is longest, as a Gaussian would be.
"""

import functools
import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.linalg import principal_axes
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.outcome import Outcome
from gaussmix.engines.base import iterate_tiles, log_sum_exp_with_terms, rows_per_tile
from gaussmix.errors import CollapseError
from gaussmix.model.degeneracy import count_degenerate_components
from gaussmix.model.fixed_parameters import apply_fixed
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import drop_noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.initialization.initial_mixture import initialize_from_moments
from gaussmix.solvers.initialization.noise_initialization import add_noise
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import continue_run
from gaussmix.solvers.stopping import StoppingRule
from gaussmix.types import NK, Array, BoolK, D, IntN, K, N

_MAX_SPLIT_MERGE_CANDIDATES, _MAX_SPLIT_AXES = 10, 2
_HALVING_ROUNDS = ((6, 4), (30, 2))  # passes of each round, and how many moves it sends on
_RELATIVE_ROUNDING = 1e-9  # of the log-likelihood, or of one nat per row: less is no gain
_MAX_FEATURES_FOR_FULL_SCATTER = (
    64  # up to which the longest direction is sought among all where a family needs columns alone
)


@dataclass(frozen=True)
class SplitMergeCandidate:
    """Component ``other`` joins ``one``, and takes the far half of ``cut``, or the near half if ``flipped``.

    The cut goes across the longest direction (``axis`` 0) or the one after it: what is longest hangs on the unit.
    """

    merge_target: int
    merge_source: int
    split_component: int
    is_flipped: bool = False
    split_axis: int = 0


@dataclass(frozen=True)
class OverlapStatistics:
    """Sums over rows that tell how components overlap and fit; they add.

    ``products`` (K, K) are sums of r_i r_j; ``entropies`` (K,) of r log r, and ``densities`` (K,) of r log p, with
    responsibilities r and the component's own density p.
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
        """Cosines between the responsibilities of components (K, K); 1 where one has none, so that it is used again."""
        lengths = np.sqrt(np.diagonal(self.responsibility_products))
        scale = np.outer(lengths, lengths)
        return np.where(scale > 0, self.responsibility_products / np.where(scale > 0, scale, 1.0), 1.0)

    @property
    def misfits(self) -> K:
        """Divergence of each component's density from its rows, but for a common constant; -inf without rows."""
        mass = np.where(self.masses > 0, self.masses, 1.0)
        found = (self.negative_entropies - self.log_density_sums) / mass - np.log(mass)
        return np.where(self.masses > 0, found, -np.inf)


def compute_overlap_statistics(problem: Problem, mixture: Mixture) -> OverlapStatistics:
    """How the components of a mixture overlap and fit, in one pass."""
    log_weights = np.log(np.where(mixture.weights > 0, mixture.weights, 1.0))
    return problem.session.reduce_scores(mixture, _SumOverlaps(log_weights))


@dataclass(frozen=True)
class _SumOverlaps:
    """The overlap statistics of a batch, tile by tile."""

    log_weights: K

    def __call__(self, batch: Batch, scores: NK) -> OverlapStatistics:
        parts = (
            self._sum_tile(scores[tile], None if batch.weights is None else batch.weights[tile])
            for tile in iterate_tiles(batch.n_rows, rows_per_tile(scores.shape[1]))
        )
        return functools.reduce(operator.add, parts)

    def _sum_tile(self, scores: NK, row_weights: N | None) -> OverlapStatistics:
        n_components = len(self.log_weights)
        powers = log_sum_exp_with_terms(scores)[1]
        responsibilities = (powers / powers.sum(axis=1)[:, None])[:, :n_components]
        logs = np.where(responsibilities > 0, scores[:, :n_components] - self.log_weights, 0.0)
        weighted = responsibilities if row_weights is None else responsibilities * row_weights[:, None]
        entropies = (weighted * np.log(np.where(responsibilities > 0, responsibilities, 1.0))).sum(axis=0)
        products = weighted.T @ responsibilities
        return OverlapStatistics(products, entropies, (weighted * logs).sum(axis=0), weighted.sum(axis=0))


def split_merge(
    solver: EM,
    result: RunResult,
    problem: Problem,
    stopping: StoppingRule,
    max_split_merge: int,
    labelled_components: IntN,
) -> RunResult:
    """A run that converged, or what up to ``most`` moves make of it; its likelihood never falls.

    Components in ``named`` have rows that are known to belong to them, so none of them is taken away; those of
    which ``solver`` holds a parameter are left alone. Moves need three components.
    """
    for _ in range(max_split_merge):
        if result.outcome is not Outcome.CONVERGED:
            break
        better = _best_candidate_run(solver, result, problem, stopping, labelled_components)
        if better is None:
            break
        result = replace(better, n_split_merge=result.n_split_merge + 1)
    return result


def _best_candidate_run(
    solver: EM, result: RunResult, problem: Problem, stopping: StoppingRule, labelled_components: IntN
) -> RunResult | None:
    """The best of the most promising moves that ends sound, and higher by more than a pass has to gain."""
    untouched = (
        np.zeros(result.mixture.n_components, dtype=bool) if solver.fixed is None else solver.fixed.is_constrained
    )
    moves = list(
        islice(
            rank_candidates(compute_overlap_statistics(problem, result.mixture), labelled_components, untouched),
            _MAX_SPLIT_MERGE_CANDIDATES,
        )
    )
    own = _component_moments(problem, result.mixture)
    axes = range(min(_MAX_SPLIT_AXES, problem.source.n_features))
    tried = [replace(move, split_axis=axis) for move in moves for axis in axes]
    starts = [_make_start(problem, solver, result.mixture, own, move) for move in tried]
    spoilt = count_degenerate_components(result.mixture, problem)
    ended = [
        heat
        for heat in _run_candidates(solver, starts, problem, stopping)
        if count_degenerate_components(heat.mixture, problem) <= spoilt
    ]
    reached = [_objective(problem, heat.mixture) for heat in ended]
    before, highest = _objective(problem, result.mixture), max(reached, default=-np.inf)

    def is_gain(least: float, most: float) -> bool:
        rounding = _RELATIVE_ROUNDING * max(abs(least), problem.total_weight)
        return most - least > rounding and not stopping.is_met(least, most, problem.total_weight)

    if not is_gain(before, highest):
        return None
    # The first of those that end alike: which of them ends a little higher may hang on rounding.
    return next(heat for heat, value in zip(ended, reached, strict=True) if not is_gain(value, highest))


def rank_candidates(
    statistics: OverlapStatistics, labelled_components: IntN, is_fixed_component: BoolK
) -> Iterator[SplitMergeCandidate]:
    """Moves, the most promising first: of components that overlap the most and of one that fits worst."""
    free = np.flatnonzero(~is_fixed_component).tolist()
    lasting = set(labelled_components.tolist())
    overlaps, misfits = statistics.overlaps, statistics.misfits
    pairs = [(i, j) if j not in lasting else (j, i) for i in free for j in free if i < j]
    pairs = sorted((pair for pair in pairs if pair[1] not in lasting), key=lambda pair: -overlaps[pair])
    cuts = sorted((k for k in free if misfits[k] > -np.inf), key=lambda k: -misfits[k])
    places = [(a, b) for a in range(len(pairs)) for b in range(len(cuts)) if a + b < 2 * _MAX_SPLIT_MERGE_CANDIDATES]
    for a, b in sorted(places, key=lambda place: (sum(place), place)):
        if cuts[b] not in pairs[a]:
            yield SplitMergeCandidate(*pairs[a], cuts[b])
            if cuts[b] in lasting:  # which half its known rows lie in, nobody knows
                yield SplitMergeCandidate(*pairs[a], cuts[b], True)


def _run_candidates(
    solver: EM, starts: list[Mixture | None], problem: Problem, stopping: StoppingRule
) -> list[RunResult]:
    """The best of many short runs, run to the end, in the order of their starts; those that collapse are left out."""
    heats = [run_solver(solver, start, problem, stopping, max_iter=0) for start in starts if start is not None]
    for passes, survivors in _HALVING_ROUNDS:
        further = [_continue_unless_collapsed(solver, heat, problem, stopping, passes) for heat in heats]
        heats = [heat for heat in further if heat is not None]
        values = [heat.last_log_likelihood for heat in heats]
        heats = [heats[place] for place in sorted(np.argsort(-np.array(values), kind="stable")[:survivors].tolist())]
    ended = [
        _continue_unless_collapsed(solver, heat, problem, stopping, stopping.max_iter - len(heat.trace))
        for heat in heats
    ]
    return [heat for heat in ended if heat is not None]


def _continue_unless_collapsed(
    solver: EM, result: RunResult, problem: Problem, stopping: StoppingRule, max_iter: int
) -> RunResult | None:
    allowed = min(max_iter, stopping.max_iter - len(result.trace))
    if allowed <= 0:
        return result
    try:
        return continue_run(solver, result, problem, stopping, allowed)
    except CollapseError:
        return None


def _objective(problem: Problem, mixture: Mixture) -> float:
    """The log-likelihood of a mixture in the frame's units, and the log density of a prior."""
    prior = problem.covariance_estimator.log_prior(mixture.centers, mixture.covariance)
    return problem.e_step(mixture).log_likelihood + prior


def _component_moments(problem: Problem, mixture: Mixture) -> Moments:
    """Moments of each component by itself, as full as its longest direction is worth."""
    kind = problem.covariance_estimator.moment_kind.per_component
    if kind is not MomentKind.FULL:
        kind = MomentKind.FULL if mixture.n_features <= _MAX_FEATURES_FOR_FULL_SCATTER else MomentKind.DIAGONAL
    moments = problem.e_step(mixture, kind).moments
    return moments if mixture.noise is None else drop_noise(moments, kind)


def _make_start(
    problem: Problem, solver: EM, mixture: Mixture, component_moments: Moments, candidate: SplitMergeCandidate
) -> Mixture | None:
    """The mixture that a move makes; None where its covariances collapse."""
    one, other, cut = (
        component_moments.select_components(np.array([k]))
        for k in (candidate.merge_target, candidate.merge_source, candidate.split_component)
    )
    joined, halves = one + other, _split_moments(cut, _length_units(problem), candidate.split_axis)
    near, far = halves[::-1] if candidate.is_flipped else halves
    mass, mean, scatter = component_moments.mass.copy(), component_moments.mean.copy(), component_moments.scatter.copy()
    for place, part in (
        (candidate.merge_target, joined),
        (candidate.split_component, near),
        (candidate.merge_source, far),
    ):
        mass[place], mean[place], scatter[place] = part.mass[0], part.mean[0], part.scatter[0]
    try:
        start = initialize_from_moments(
            problem,
            Moments(mass, mean, scatter, component_moments.kind).to_kind(problem.covariance_estimator.moment_kind),
        )
    except CollapseError:
        return None
    if mixture.noise is not None:
        start = add_noise(start, mixture.noise.box, mixture.noise.weight)
    return start if solver.fixed is None else apply_fixed(start, solver.fixed)


def _length_units(problem: Problem) -> D:
    """What lengths are measured in: the data's units, or standard deviations where the structure minds no scale."""
    if not problem.covariance_estimator.structure.is_column_scale_equivariant:
        return np.ones(problem.source.n_features)
    return np.where(problem.column_variances > 0, np.sqrt(problem.column_variances), 1.0)


def _split_moments(component_moments: Moments, units: D, axis_rank: int = 0) -> tuple[Moments, Moments]:
    """One component cut through its mean across its longest direction, or the one of a rank."""
    if component_moments.kind is MomentKind.FULL:
        lengths, axes = principal_axes(component_moments.scatter[0] / np.outer(units, units))
        axis = axes[axis_rank] * np.sign(axes[axis_rank, np.argmax(np.abs(axes[axis_rank]))])
        deviation = units * axis * np.sqrt(lengths[axis_rank] / component_moments.mass[0])
    else:
        column = int(np.argsort(-component_moments.scatter[0] / units**2, kind="stable")[axis_rank])
        deviation = np.zeros(len(units))
        deviation[column] = np.sqrt(component_moments.scatter[0, column] / component_moments.mass[0])
    return component_moments.split_at_means(deviation[None])
