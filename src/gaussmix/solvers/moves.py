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
from gaussmix.engines.base import log_sum_exp, tile_rows, tiles
from gaussmix.errors import CollapseError
from gaussmix.model.held import imposed
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import apart
from gaussmix.model.problem import Problem
from gaussmix.solvers.em import EM
from gaussmix.solvers.restarts import continued
from gaussmix.solvers.run import Run, run
from gaussmix.solvers.start.given import from_moments
from gaussmix.solvers.start.noise import with_noise
from gaussmix.solvers.start.race import unsound
from gaussmix.solvers.stopping import Stopping
from gaussmix.types import Array, BoolK, D, IntN, K

_TRIES, _AXES = 10, 2
_ROUNDS = ((6, 4), (30, 2))  # passes of each round, and how many moves it sends on
_ROUNDING = 1e-9  # of the log-likelihood, or of one nat per row: less is no gain
_MOST_COLUMNS = 64  # up to which the longest direction is sought among all where a family needs columns alone


@dataclass(frozen=True)
class Move:
    """Component ``other`` joins ``one``, and takes the far half of ``cut``, or the near half if ``flipped``.

    The cut goes across the longest direction (``axis`` 0) or the one after it: what is longest hangs on the unit.
    """

    one: int
    other: int
    cut: int
    flipped: bool = False
    axis: int = 0


@dataclass(frozen=True)
class Fitness:
    """Sums over rows that tell how components overlap and fit; they add.

    ``products`` (K, K) are sums of r_i r_j; ``entropies`` (K,) of r log r, and ``densities`` (K,) of r log p, with
    responsibilities r and the component's own density p.
    """

    products: Array
    entropies: K
    densities: K
    masses: K

    def __add__(self, other: "Fitness") -> "Fitness":
        return Fitness(
            self.products + other.products,
            self.entropies + other.entropies,
            self.densities + other.densities,
            self.masses + other.masses,
        )

    @property
    def overlaps(self) -> Array:
        """Cosines between the responsibilities of components (K, K); 1 where one has none, so that it is used again."""
        lengths = np.sqrt(np.diagonal(self.products))
        scale = np.outer(lengths, lengths)
        return np.where(scale > 0, self.products / np.where(scale > 0, scale, 1.0), 1.0)

    @property
    def misfits(self) -> K:
        """Divergence of each component's density from its rows, but for a common constant; -inf without rows."""
        mass = np.where(self.masses > 0, self.masses, 1.0)
        found = (self.entropies - self.densities) / mass - np.log(mass)
        return np.where(self.masses > 0, found, -np.inf)


def fitness(problem: Problem, mixture: Mixture) -> Fitness:
    """How the components of a mixture overlap and fit, in one pass."""
    quadratics, count = mixture.to_quadratics(), mixture.n_components
    log_weights = np.log(np.where(mixture.weights > 0, mixture.weights, 1.0))

    def of(part: Batch) -> Fitness:
        scores = problem.engine.score(quadratics, part)
        powers = log_sum_exp(scores)[1]
        shares = (powers / powers.sum(axis=1)[:, None])[:, :count]
        logs = np.where(shares > 0, scores[:, :count] - log_weights, 0.0)
        own = shares if part.weights is None else shares * part.weights[:, None]
        entropies = (own * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=0)
        return Fitness(own.T @ shares, entropies, (own * logs).sum(axis=0), own.sum(axis=0))

    def of_all(batch: Batch) -> Fitness:
        parts = (batch.part(tile.start, tile.stop) for tile in tiles(batch.n_rows, tile_rows(quadratics.n_components)))
        return functools.reduce(operator.add, map(of, parts))

    return problem.source.reduce(of_all)


def moved(solver: EM, best: Run, problem: Problem, stopping: Stopping, most: int, named: IntN) -> Run:
    """A run that converged, or what up to ``most`` moves make of it; its likelihood never falls.

    Components in ``named`` have rows that are known to belong to them, so none of them is taken away; those of
    which ``solver`` holds a parameter are left alone. Moves need three components.
    """
    for _ in range(most):
        if best.outcome is not Outcome.CONVERGED:
            break
        better = _improved(solver, best, problem, stopping, named)
        if better is None:
            break
        best = replace(better, moves=best.moves + 1)
    return best


def _improved(solver: EM, best: Run, problem: Problem, stopping: Stopping, named: IntN) -> Run | None:
    """The best of the most promising moves that ends sound, and higher by more than a pass has to gain."""
    untouched = np.zeros(best.mixture.n_components, dtype=bool) if solver.held is None else solver.held.single
    moves = list(islice(candidates(fitness(problem, best.mixture), named, untouched), _TRIES))
    own = _moments(problem, best.mixture)
    axes = range(min(_AXES, problem.source.n_features))
    tried = [replace(move, axis=axis) for move in moves for axis in axes]
    starts = [_start(problem, solver, best.mixture, own, move) for move in tried]
    spoilt = unsound(problem, best.mixture)
    ended = [heat for heat in _ended(solver, starts, problem, stopping) if unsound(problem, heat.mixture) <= spoilt]
    reached = [_reached(problem, heat.mixture) for heat in ended]
    before, highest = _reached(problem, best.mixture), max(reached, default=-np.inf)

    def is_gain(least: float, most: float) -> bool:
        rounding = _ROUNDING * max(abs(least), problem.total_weight)
        return most - least > rounding and not stopping.is_met(least, most, problem.total_weight)

    if not is_gain(before, highest):
        return None
    # The first of those that end alike: which of them ends a little higher may hang on rounding.
    return next(heat for heat, value in zip(ended, reached, strict=True) if not is_gain(value, highest))


def candidates(found: Fitness, named: IntN, untouched: BoolK) -> Iterator[Move]:
    """Moves, the most promising first: of components that overlap the most and of one that fits worst."""
    free = np.flatnonzero(~untouched).tolist()
    lasting = set(named.tolist())
    overlaps, misfits = found.overlaps, found.misfits
    pairs = [(i, j) if j not in lasting else (j, i) for i in free for j in free if i < j]
    pairs = sorted((pair for pair in pairs if pair[1] not in lasting), key=lambda pair: -overlaps[pair])
    cuts = sorted((k for k in free if misfits[k] > -np.inf), key=lambda k: -misfits[k])
    places = [(a, b) for a in range(len(pairs)) for b in range(len(cuts)) if a + b < 2 * _TRIES]
    for a, b in sorted(places, key=lambda place: (sum(place), place)):
        if cuts[b] not in pairs[a]:
            yield Move(*pairs[a], cuts[b])
            if cuts[b] in lasting:  # which half its known rows lie in, nobody knows
                yield Move(*pairs[a], cuts[b], True)


def _ended(solver: EM, starts: list[Mixture | None], problem: Problem, stopping: Stopping) -> list[Run]:
    """The best of many short runs, run to the end, in the order of their starts; those that collapse are left out."""
    heats = [run(solver, start, problem, stopping, max_passes=0) for start in starts if start is not None]
    for passes, survivors in _ROUNDS:
        further = [_further(solver, heat, problem, stopping, passes) for heat in heats]
        heats = [heat for heat in further if heat is not None]
        values = [heat.last_log_likelihood for heat in heats]
        heats = [heats[place] for place in sorted(np.argsort(-np.array(values), kind="stable")[:survivors].tolist())]
    ended = [_further(solver, heat, problem, stopping, stopping.max_passes - len(heat.trace)) for heat in heats]
    return [heat for heat in ended if heat is not None]


def _further(solver: EM, heat: Run, problem: Problem, stopping: Stopping, passes: int) -> Run | None:
    allowed = min(passes, stopping.max_passes - len(heat.trace))
    if allowed <= 0:
        return heat
    try:
        return continued(solver, heat, problem, stopping, allowed)
    except CollapseError:
        return None


def _reached(problem: Problem, mixture: Mixture) -> float:
    """The log-likelihood of a mixture in the frame's units, and the log density of a prior."""
    prior = problem.family.log_prior(mixture.centers, mixture.covariance)
    return problem.expect(mixture.to_quadratics()).log_likelihood + prior


def _moments(problem: Problem, mixture: Mixture) -> Moments:
    """Moments of each component by itself, as full as its longest direction is worth."""
    kind = problem.family.kind.separate
    if kind is not MomentKind.FULL:
        kind = MomentKind.FULL if mixture.n_features <= _MOST_COLUMNS else MomentKind.DIAGONAL
    moments = problem.expect(mixture.to_quadratics(), kind).moments
    return moments if mixture.noise is None else apart(moments, kind)


def _start(problem: Problem, solver: EM, before: Mixture, own: Moments, move: Move) -> Mixture | None:
    """The mixture that a move makes; None where its covariances collapse."""
    one, other, cut = (own.take(np.array([k])) for k in (move.one, move.other, move.cut))
    joined, halves = one + other, _halves(cut, _deviations(problem), move.axis)
    near, far = halves[::-1] if move.flipped else halves
    mass, mean, scatter = own.mass.copy(), own.mean.copy(), own.scatter.copy()
    for place, part in ((move.one, joined), (move.cut, near), (move.other, far)):
        mass[place], mean[place], scatter[place] = part.mass[0], part.mean[0], part.scatter[0]
    try:
        start = from_moments(problem, Moments(mass, mean, scatter, own.kind).reduce(problem.family.kind))
    except CollapseError:
        return None
    if before.noise is not None:
        start = with_noise(start, before.noise.box, before.noise.weight)
    return start if solver.held is None else imposed(start, solver.held)


def _deviations(problem: Problem) -> D:
    """What lengths are measured in: the data's units, or standard deviations where the structure minds no scale."""
    if not problem.family.structure.column_equivariant:
        return np.ones(problem.source.n_features)
    return np.where(problem.variances > 0, np.sqrt(problem.variances), 1.0)


def _halves(whole: Moments, units: D, rank: int = 0) -> tuple[Moments, Moments]:
    """One component cut through its mean across its longest direction, or the one of a rank."""
    if whole.kind is MomentKind.FULL:
        lengths, axes = principal_axes(whole.scatter[0] / np.outer(units, units))
        axis = axes[rank] * np.sign(axes[rank, np.argmax(np.abs(axes[rank]))])
        deviation = units * axis * np.sqrt(lengths[rank] / whole.mass[0])
    else:
        column = int(np.argsort(-whole.scatter[0] / units**2, kind="stable")[rank])
        deviation = np.zeros(len(units))
        deviation[column] = np.sqrt(whole.scatter[0, column] / whole.mass[0])
    return whole.halves(deviation[None])
