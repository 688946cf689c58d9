"""Stochastic gradients: steps after parts of the rows, by Adam or plainly, and after ever larger parts.

Rows are dealt out anew in each pass, by a hash of what they are, and a step follows each part. Small parts make many
steps a pass, which leads near a maximum soon, and are too noisy to reach it. So wherever a pass gains nothing, the
parts are doubled (Smith et al., "Don't decay the learning rate, increase the batch size", ICLR 2018); once all rows are
one part, a step that lowers the likelihood is taken back and the rate halved, so that the end is as sharp as EM's.
"""

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np

from gaussmix.model.coordinates import Coordinates
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.em import EM
from gaussmix.solvers.gradient import AbstractGradient
from gaussmix.solvers.passes import Passes
from gaussmix.types import Array

MOST_PARTS = 16
"""Parts of the first passes, unless rows of a part are given."""

_FEWEST_ROWS = 20  # of a part, for each component
_HALVINGS = 40
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
        descent = _Way(self, passes, start, self.rate)
        while passes.are_left and n_parts > 1:
            before = descent.highest
            descent.over_parts(n_parts)
            if not descent.highest > before:
                n_parts //= 2
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


@dataclass
class _Way:
    """Where steps have led: the best mixture, what it reaches (frame), and the rate."""

    solver: AbstractStochastic
    passes: Passes
    best: Mixture
    rate: float
    highest: float = -np.inf
    _here: Mixture = field(init=False)

    def __post_init__(self) -> None:
        self._here = self.best

    def over_parts(self, n_parts: int) -> None:
        """One pass in parts; what it reaches is the sum over them, each before its step."""
        problem = self.passes.problem
        number = len(self.passes.values) + 1
        at, vector, memory = self._begun()
        reached, begun = 0.0, self._here
        for part in problem.dealt(n_parts, self.solver.seed + number):
            mixture = self.solver.mixture(at, vector)
            expectation = self.solver.look(part, mixture, number)
            found = self.solver.slope(at, vector, mixture, expectation, part.total_weight)
            reached += expectation.log_likelihood
            if np.isfinite(found.gradient).all():
                step, memory = self.solver.move(found.gradient, memory, self.rate / np.sqrt(n_parts))
                vector = vector + step
        self._here = self.solver.mixture(at, vector)
        reached += self.solver.family.log_prior(begun.centers, begun.covariance)
        if not np.isfinite(reached):
            self._here, self.rate = self.best, 0.5 * self.rate
        elif reached > self.highest:
            self.highest, self.best = reached, self._here
        self.passes.record(reached if np.isfinite(reached) else self.highest, self.best, is_settled=False)

    def over_all(self) -> None:
        """Passes over all rows until the rule to stop is met; a step that lowers the likelihood is taken back."""
        self.highest, halvings = -np.inf, 0
        at, vector, memory = self._begun()
        tried = vector
        while self.passes.are_left and halvings < _HALVINGS:
            mixture = self.solver.mixture(at, tried)
            found = self.solver.slope(at, tried, mixture, self.passes.over(mixture, self.solver.look))
            value = found.value * at.weight
            if value >= self.highest:
                self.highest, self.best, vector, slope = value, mixture, tried, found.gradient
                self.rate *= _GROWTH
            else:
                self.rate, memory = 0.5 * self.rate, _nothing(len(vector))
            halvings = 0 if vector is tried else halvings + 1
            promise = 0.5 * float(slope @ slope) * at.weight
            self.passes.record(self.highest, self.best, is_settled=vector is tried, promise=promise)
            step, memory = self.solver.move(slope, memory, self.rate)
            tried = vector + step
        self.passes.rest()

    def _begun(self) -> tuple[Coordinates, Array, Momentum]:
        at = Coordinates.about(self._here, self.passes.problem.total_weight)
        return at, np.zeros(at.size), _nothing(at.size)


def _nothing(size: int) -> Momentum:
    return Momentum(np.zeros(size), np.zeros(size))
