"""Stochastic gradients: steps after parts of the rows, by Adam or plainly, and after ever larger parts.

Rows are dealt out anew in each pass, by a hash of what they are, and a step follows each part. Small parts make many
steps a pass, which leads near a maximum soon, and are too noisy to reach it. So wherever a pass gains nothing, the
parts are doubled (Smith et al., "Don't decay the learning rate, increase the batch size", ICLR 2018); once all rows are
one part, a step that lowers the likelihood is taken back and the rate halved, so that the end is as sharp as EM's. A
pass in parts that leaves the first part worse off than at the start is taken back whole, and so are all of them if that
goes for all rows: the rate was too high.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.model.coordinates import Coordinates
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.em import EM
from gaussmix.solvers.gradient import AbstractGradient, Looked
from gaussmix.solvers.passes import Passes
from gaussmix.types import Array

MOST_PARTS = 16
"""Parts of the first passes, unless rows of a part are given."""

_FEWEST_ROWS = 20  # of a part, for each component
_FARTHEST = 1e6  # of a number from where it began, about in deviations
_HALVINGS = 40
_LOOKS = 2  # passes that are kept to see, over all rows, whether parts have led higher than the start
_SHORTER = 0.25  # of the rate, after a pass in parts that led below the start
_GROWTH = 1.1  # of the rate, with each step over all rows that gained
_DECAY, _DECAY_OF_SQUARES, _TINY = 0.9, 0.999, 1e-8  # Adam's, as in the paper


@dataclass(frozen=True)
class Momentum:
    """What steps remember: running means of gradients and of their squares, and how many there were."""

    first: Array
    second: Array
    count: int = 0


class AbstractStochastic(AbstractGradient):
    """A loop over parts of the rows; ``rate`` is the length of a step, ``batch_rows`` the rows of a first part."""

    em: EM
    seed: int
    rate: float
    batch_rows: int | None

    @abstractmethod
    def move(self, gradient: Array, memory: Momentum, rate: float) -> tuple[Array, Momentum]:
        """A step, and what is to be remembered."""

    def carry(self, start: Mixture, passes: Passes) -> Mixture:
        n_parts = self._n_parts(passes.problem, start.n_components)
        descent = _Way(self, passes, self.begun(start, passes), min(self.rate, _FARTHEST))
        kept = _LOOKS if passes.n_left > _LOOKS else 0  # one pass or two are spent on steps all the same
        while passes.n_left > kept and n_parts > 1:
            before = descent.highest
            descent.over_parts(n_parts)
            if not descent.highest > before:
                n_parts //= 2
        if passes.are_left:
            descent.over_all()
        return descent.best

    def _n_parts(self, problem: Problem, n_components: int) -> int:
        n_rows = problem.source.n_rows
        most = max(1, n_rows // (_FEWEST_ROWS * n_components * (1 + problem.source.n_features)))
        wanted = MOST_PARTS if self.batch_rows is None else -(-n_rows // self.batch_rows)
        return 1 << int(np.log2(max(1, min(wanted, most) if self.batch_rows is None else wanted)))


@dataclass(frozen=True)
class Adam(AbstractStochastic):
    """Steps as long in every direction as the gradient is steady there (Kingma & Ba, ICLR 2015)."""

    em: EM
    seed: int
    rate: float = 0.05
    batch_rows: int | None = None

    def move(self, gradient: Array, memory: Momentum, rate: float) -> tuple[Array, Momentum]:
        count = memory.count + 1
        first = _DECAY * memory.first + (1.0 - _DECAY) * gradient
        second = _DECAY_OF_SQUARES * memory.second + (1.0 - _DECAY_OF_SQUARES) * gradient**2
        mean, square = first / (1.0 - _DECAY**count), second / (1.0 - _DECAY_OF_SQUARES**count)
        return rate * mean / (np.sqrt(square) + _TINY), Momentum(first, second, count)


@dataclass(frozen=True)
class SGD(AbstractStochastic):
    """Plain steps along the gradient."""

    em: EM
    seed: int
    rate: float = 0.5
    batch_rows: int | None = None

    def move(self, gradient: Array, memory: Momentum, rate: float) -> tuple[Array, Momentum]:
        return rate * gradient, memory


@dataclass(frozen=True)
class _First:
    """The first part of the rows, where all began, and the log-likelihood of the part there."""

    part: Problem
    start: Mixture
    log_likelihood: float

    @property
    def level(self) -> float:
        """Per unit of weight."""
        return self.log_likelihood / self.part.total_weight

    def has_gained(self, solver: AbstractGradient, mixture: Mixture) -> bool:
        """Whether a mixture is better on these rows than where all began: steps too long lead anywhere."""
        return solver.look(self.part, mixture, 0).log_likelihood > self.log_likelihood


@dataclass
class _Way:
    """Where steps have led: the best mixture, what it reaches (frame), and the rate."""

    solver: AbstractStochastic
    passes: Passes
    best: Mixture
    rate: float
    highest: float = -np.inf
    _here: Mixture = field(init=False)
    _first: "_First | None" = None

    def __post_init__(self) -> None:
        self._here = self.best

    def over_parts(self, n_parts: int) -> None:
        """One pass in parts; what it reaches is the sum over them, each before its step."""
        problem = self.passes.problem
        number = len(self.passes.values) + 1
        at = Coordinates.about(self._here, problem.total_weight)
        vector, memory = np.zeros(at.size), _nothing(at.size)
        reached, begun = 0.0, self._here
        for part in problem.dealt(n_parts, self.solver.seed + number):
            mixture = self.solver.mixture(at, vector)
            expectation = self.solver.look(part, mixture, number)
            found = self.solver.slope(at, vector, mixture, expectation, part.total_weight)
            reached += expectation.log_likelihood
            self._first = self._first or _First(part, begun, expectation.log_likelihood)
            if np.isfinite(found.gradient).all():
                step, memory = self.solver.move(found.gradient, memory, self.rate / np.sqrt(n_parts))
                vector = _computable(vector + step)
        self._here = self.solver.mixture(at, vector)
        reached += self.solver.family.log_prior(begun.centers, begun.covariance)
        assert self._first is not None
        if not np.isfinite(reached) or not self._first.has_gained(self.solver, self._here):
            self._here = self.best = self._first.start
            self.rate, self.highest = _SHORTER * self.rate, -np.inf
        elif reached > self.highest:
            self.highest, self.best = reached, self._here
        level = self._first.level * problem.total_weight
        self.passes.record(reached if np.isfinite(reached) else level, self.best, is_settled=False)

    def over_all(self) -> None:
        """Passes over all rows until the rule to stop is met; a step that lowers the likelihood is taken back.

        They begin where the steps over parts have led, or at the start if that is the better place after all.
        """
        at, here = self._best_of([self._here] if self._first is None else [self._first.start, self._here])
        vector, memory, halvings = np.zeros(at.size), _nothing(at.size), 0
        while self.passes.are_left and halvings < _HALVINGS:
            step, memory = self.solver.move(here.slope.gradient, memory, self.rate)
            tried = _computable(vector + step)
            found = self.solver.looked(at, tried, self.passes)
            rises = found.slope.value >= here.slope.value
            if rises:
                self.best, vector, here, halvings = found.mixture, tried, found, 0
                self.rate *= _GROWTH
            else:
                self.rate, memory, halvings = 0.5 * self.rate, _nothing(at.size), halvings + 1
            self._record(at, here, is_settled=rises)
        self.passes.rest()

    def _best_of(self, mixtures: Sequence[Mixture]) -> tuple[Coordinates, Looked]:
        """Coordinates about the best of some mixtures, and what all rows are there; one pass each."""
        self.best = mixtures[0]
        found: tuple[Coordinates, Looked] | None = None
        for mixture in mixtures:
            at = Coordinates.about(mixture, self.passes.problem.total_weight)
            seen = self.solver.looked(at, np.zeros(at.size), self.passes)
            if found is None or seen.slope.value > found[1].slope.value:
                self.best, found = mixture, (at, seen)
            else:
                self.rate *= _SHORTER
            self._record(*found, is_settled=mixture is mixtures[-1])
        assert found is not None
        return found

    def _record(self, at: Coordinates, here: Looked, is_settled: bool) -> None:
        reached = here.slope.value * at.weight
        self.passes.record(reached, self.best, is_settled, lambda: self.solver.promise(here))


def _computable(vector: Array) -> Array:
    """Numbers near enough to where they began for what they stand for to be computed, however long a step is."""
    return np.clip(vector, -_FARTHEST, _FARTHEST)


def _nothing(size: int) -> Momentum:
    return Momentum(np.zeros(size), np.zeros(size))
