"""Hard and drawn assignment: EM whose rows belong wholly to one component at a time.

Classification EM hands every row to its most probable component (Celeux & Govaert, "A classification EM algorithm for
clustering and two stochastic versions", Comput. Stat. Data Anal. 14, 1992). It climbs the classification likelihood,
the sum over rows of the largest of log weight + log density; with equal weights and one spherical covariance for all
that is k-means. It ends after few passes, and its components are too far apart and too narrow, since it cuts off what
overlaps.

Stochastic EM draws the component of each row from its probabilities, and so leaves poor optima that EM cannot
leave (Celeux & Diebolt, "The SEM algorithm", Comput. Stat. Quarterly 2, 1985). It never rests, so here draws are mixed
with probabilities, more and more of these as passes go on, until it is EM (Celeux & Diebolt, "A stochastic
approximation type EM algorithm for the mixture problem", Stochastics 41, 1992).
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.draws import uniform
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.engines.base import Assign, log_sum_exp, tile_rows, tiles
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import kind_beside
from gaussmix.model.problem import Problem, flat
from gaussmix.solvers.base import State
from gaussmix.solvers.em import EM, AroundEM
from gaussmix.types import IntN

DRAWN_PASSES = 20
"""Passes of stochastic EM that are drawn wholly."""

_FADING = 0.9  # what of the part that is drawn is left after each pass that follows
_OVER = 1e-3  # a part that is no more drawn


@dataclass(frozen=True)
class ClassificationEM(AroundEM):
    """Every row to its best component, then an M-step."""

    em: EM

    def look(self, problem: Problem, mixture: Mixture, number: int) -> Expectation:
        return problem.expect(mixture.to_quadratics(), kind_beside(mixture.noise, self.family.kind), Assign.HARD)

    def step(self, state: State, expectation: Expectation) -> State:
        return self.em.step(state, expectation)


@dataclass(frozen=True)
class StochasticEM(AroundEM):
    """Rows to components drawn by ``seed``, pass and row; after ``DRAWN_PASSES`` less and less so."""

    em: EM
    seed: int

    def init(self, model: Mixture) -> State:
        return _Drawing(model)

    def look(self, problem: Problem, mixture: Mixture, number: int) -> Expectation:
        part = drawn_part(number)
        kind = kind_beside(mixture.noise, self.family.kind)
        soft = problem.expect(mixture.to_quadratics(), kind)
        if not part:
            return soft
        labels = drawn(problem, mixture, self.seed, number)
        hard = _moments_of(problem, labels, mixture, kind)
        return replace(soft, moments=hard.scale(part) + soft.moments.scale(1.0 - part))

    def step(self, state: State, expectation: Expectation) -> State:
        assert isinstance(state, _Drawing)
        number = state.number + 1
        found = self.em.step(state, expectation).mixture
        return _Drawing(found, is_settled=not drawn_part(number), number=number)


@dataclass(frozen=True)
class _Drawing(State):
    number: int = 0


def drawn_part(number: int) -> float:
    """The part of a pass, from 1, that is drawn."""
    part = 1.0 if number <= DRAWN_PASSES else _FADING ** (number - DRAWN_PASSES)
    return part if part > _OVER else 0.0


def drawn(problem: Problem, mixture: Mixture, seed: int, number: int) -> IntN:
    """A component (n,) for each row, as likely as its probability; K is noise."""
    quadratics = mixture.to_quadratics()
    labels = np.zeros(problem.source.n_rows, dtype=np.int64)

    def fill(batch: Batch) -> int:
        for tile in tiles(batch.n_rows, tile_rows(quadratics.n_components)):
            part = batch.part(tile.start, tile.stop)
            powers = log_sum_exp(problem.engine.score(quadratics, part))[1]
            edges = np.cumsum(powers, axis=1)
            heights = uniform(seed, number, part.first_row, part.n_rows) * edges[:, -1]
            labels[part.slice] = np.minimum((edges <= heights[:, None]).sum(axis=1), powers.shape[1] - 1)
        return batch.n_rows

    problem.source.reduce(fill)
    return labels


def _moments_of(problem: Problem, labels: IntN, mixture: Mixture, kind: MomentKind) -> Moments:
    centers = mixture.to_quadratics().center
    return problem.engine.sweep(problem.source.hinted(labels).reduce, flat(centers), kind).moments
