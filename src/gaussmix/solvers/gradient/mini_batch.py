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

from gaussmix.model.mixture import Mixture
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.gradient.base import AbstractGradientSolver, Evaluation
from gaussmix.solvers.run_monitor import RunMonitor
from gaussmix.types import Array

MAX_INITIAL_BATCHES = 16
"""Parts of the first passes, unless rows of a part are given."""

_MIN_BATCH_ROWS_PER_PARAMETER = 20  # of a part, for each component
_MAX_COORDINATE = 1e6  # of a number from where it began, about in deviations
_MAX_RATE_HALVINGS = 40
_RESERVED_ITERATIONS = 2  # passes that are kept to see, over all rows, whether parts have led higher than the start
_RATE_SHRINKAGE = 0.25  # of the rate, after a pass in parts that led below the start
_RATE_GROWTH = 1.1  # of the rate, with each step over all rows that gained
_ADAM_BETA_1, _ADAM_BETA_2, _ADAM_EPSILON = 0.9, 0.999, 1e-8  # Adam's, as in the paper


@dataclass(frozen=True)
class GradientAverages:
    """What steps remember: running means of gradients and of their squares, and how many there were."""

    mean_gradient: Array
    mean_square: Array
    n_steps: int = 0


class AbstractMiniBatchSolver(AbstractGradientSolver):
    """A loop over parts of the rows; ``rate`` is the length of a step, ``batch_rows`` the rows of a first part."""

    em: EM
    seed: int
    learning_rate: float
    batch_size: int | None

    @abstractmethod
    def compute_step(
        self, gradient: Array, averages: GradientAverages, learning_rate: float
    ) -> tuple[Array, GradientAverages]:
        """A step, and what is to be remembered."""

    def solve(self, start: Mixture, monitor: RunMonitor) -> Mixture:
        n_parts = self._n_initial_batches(monitor.problem, start.n_components)
        descent = _DescentState(
            self, monitor, self.leave_floor(start, monitor), min(self.learning_rate, _MAX_COORDINATE)
        )
        kept = (
            _RESERVED_ITERATIONS if monitor.n_iter_left > _RESERVED_ITERATIONS else 0
        )  # one pass or two are spent on steps all the same
        while monitor.n_iter_left > kept and n_parts > 1:
            before = descent.best_objective
            descent.run_epoch(n_parts)
            if not descent.best_objective > before:
                n_parts //= 2
        if monitor.should_continue:
            descent.run_full_batch()
        return descent.best_mixture

    def _n_initial_batches(self, problem: Problem, n_components: int) -> int:
        n_rows = problem.n_rows
        most = max(1, n_rows // (_MIN_BATCH_ROWS_PER_PARAMETER * n_components * (1 + problem.source.n_features)))
        wanted = MAX_INITIAL_BATCHES if self.batch_size is None else -(-n_rows // self.batch_size)
        return 1 << int(np.log2(max(1, min(wanted, most) if self.batch_size is None else wanted)))


@dataclass(frozen=True)
class Adam(AbstractMiniBatchSolver):
    """Steps as long in every direction as the gradient is steady there (Kingma & Ba, ICLR 2015)."""

    em: EM
    seed: int
    learning_rate: float = 0.05
    batch_size: int | None = None

    def compute_step(
        self, gradient: Array, averages: GradientAverages, learning_rate: float
    ) -> tuple[Array, GradientAverages]:
        count = averages.n_steps + 1
        first = _ADAM_BETA_1 * averages.mean_gradient + (1.0 - _ADAM_BETA_1) * gradient
        second = _ADAM_BETA_2 * averages.mean_square + (1.0 - _ADAM_BETA_2) * gradient**2
        mean, square = first / (1.0 - _ADAM_BETA_1**count), second / (1.0 - _ADAM_BETA_2**count)
        return learning_rate * mean / (np.sqrt(square) + _ADAM_EPSILON), GradientAverages(first, second, count)


@dataclass(frozen=True)
class SGD(AbstractMiniBatchSolver):
    """Plain steps along the gradient."""

    em: EM
    seed: int
    learning_rate: float = 0.5
    batch_size: int | None = None

    def compute_step(
        self, gradient: Array, averages: GradientAverages, learning_rate: float
    ) -> tuple[Array, GradientAverages]:
        return learning_rate * gradient, averages


@dataclass(frozen=True)
class _FirstBatch:
    """The first part of the rows, where all began, and the log-likelihood of the part there."""

    problem: Problem
    start: Mixture
    log_likelihood: float

    @property
    def mean_log_likelihood(self) -> float:
        """Per unit of weight."""
        return self.log_likelihood / self.problem.total_weight

    def is_improved_by(self, solver: AbstractGradientSolver, mixture: Mixture) -> bool:
        """Whether a mixture is better on these rows than where all began: steps too long lead anywhere."""
        return solver.e_step(self.problem, mixture, 0).log_likelihood > self.log_likelihood


@dataclass
class _DescentState:
    """Where steps have led: the best mixture, what it reaches (frame), and the rate."""

    solver: AbstractMiniBatchSolver
    monitor: RunMonitor
    best_mixture: Mixture
    learning_rate: float
    best_objective: float = -np.inf
    _current_mixture: Mixture = field(init=False)
    _first_batch: "_FirstBatch | None" = None

    def __post_init__(self) -> None:
        self._current_mixture = self.best_mixture

    def run_epoch(self, n_batches: int) -> None:
        """One pass in parts; what it reaches is the sum over them, each before its step."""
        problem = self.monitor.problem
        number = len(self.monitor.log_likelihoods) + 1
        at = MixtureParametrization.from_origin(self._current_mixture, problem.total_weight)
        vector, memory = np.zeros(at.n_parameters), _zero_averages(at.n_parameters)
        reached, begun = 0.0, self._current_mixture
        for part in problem.random_split(n_batches, self.solver.seed + number):
            mixture = self.solver.feasible_mixture(at, vector)
            expectation = self.solver.e_step(part, mixture, number)
            found = self.solver.value_and_gradient(at, vector, mixture, expectation, part.total_weight)
            reached += expectation.log_likelihood
            self._first_batch = self._first_batch or _FirstBatch(part, begun, expectation.log_likelihood)
            if np.isfinite(found.gradient).all():
                step, memory = self.solver.compute_step(found.gradient, memory, self.learning_rate / np.sqrt(n_batches))
                vector = _clip_coordinates(vector + step)
        self._current_mixture = self.solver.feasible_mixture(at, vector)
        reached += self.solver.covariance_estimator.log_prior(begun.centers, begun.covariance)
        assert self._first_batch is not None
        if not np.isfinite(reached) or not self._first_batch.is_improved_by(self.solver, self._current_mixture):
            self._current_mixture = self.best_mixture = self._first_batch.start
            self.learning_rate, self.best_objective = _RATE_SHRINKAGE * self.learning_rate, -np.inf
        elif reached > self.best_objective:
            self.best_objective, self.best_mixture = reached, self._current_mixture
        level = self._first_batch.mean_log_likelihood * problem.total_weight
        self.monitor.record(reached if np.isfinite(reached) else level, self.best_mixture, can_stop=False)

    def run_full_batch(self) -> None:
        """Passes over all rows until the rule to stop is met; a step that lowers the likelihood is taken back.

        They begin where the steps over parts have led, or at the start if that is the better place after all.
        """
        at, here = self._evaluate_starts(
            [self._current_mixture] if self._first_batch is None else [self._first_batch.start, self._current_mixture]
        )
        vector, memory, halvings = np.zeros(at.n_parameters), _zero_averages(at.n_parameters), 0
        while self.monitor.should_continue and halvings < _MAX_RATE_HALVINGS:
            step, memory = self.solver.compute_step(here.value_and_gradient.gradient, memory, self.learning_rate)
            tried = _clip_coordinates(vector + step)
            found = self.solver.evaluate(at, tried, self.monitor)
            rises = found.value_and_gradient.value >= here.value_and_gradient.value
            if rises:
                self.best_mixture, vector, here, halvings = found.mixture, tried, found, 0
                self.learning_rate *= _RATE_GROWTH
            else:
                self.learning_rate, memory, halvings = (
                    0.5 * self.learning_rate,
                    _zero_averages(at.n_parameters),
                    halvings + 1,
                )
            self._record_evaluation(at, here, can_stop=rises)
        self.monitor.mark_converged()

    def _evaluate_starts(self, mixtures: Sequence[Mixture]) -> tuple[MixtureParametrization, Evaluation]:
        """Coordinates about the best of some mixtures, and what all rows are there; one pass each."""
        self.best_mixture = mixtures[0]
        found: tuple[MixtureParametrization, Evaluation] | None = None
        for mixture in mixtures:
            at = MixtureParametrization.from_origin(mixture, self.monitor.problem.total_weight)
            seen = self.solver.evaluate(at, np.zeros(at.n_parameters), self.monitor)
            if found is None or seen.value_and_gradient.value > found[1].value_and_gradient.value:
                self.best_mixture, found = mixture, (at, seen)
            else:
                self.learning_rate *= _RATE_SHRINKAGE
            self._record_evaluation(*found, can_stop=mixture is mixtures[-1])
        assert found is not None
        return found

    def _record_evaluation(self, coordinates: MixtureParametrization, evaluation: Evaluation, can_stop: bool) -> None:
        reached = evaluation.value_and_gradient.value * coordinates.total_weight
        self.monitor.record(reached, self.best_mixture, can_stop, lambda: self.solver.predicted_gain(evaluation))


def _clip_coordinates(vector: Array) -> Array:
    """Numbers near enough to where they began for what they stand for to be computed, however long a step is."""
    return np.clip(vector, -_MAX_COORDINATE, _MAX_COORDINATE)


def _zero_averages(size: int) -> GradientAverages:
    return GradientAverages(np.zeros(size), np.zeros(size))
