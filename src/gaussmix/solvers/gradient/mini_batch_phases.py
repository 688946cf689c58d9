"""The phases of a mini-batch run: epochs in batches, a check after each, a comparison, and steps over all rows.

An epoch is undone if it leaves the first batch of all worse than at the start. All epochs are undone if they leave all
rows worse than at the start. The learning rate was too high then.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.model.mixture import Mixture
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.model.problem import Problem
from gaussmix.solvers.gradient.base import GradientState, Point
from gaussmix.types import Array

if TYPE_CHECKING:
    from gaussmix.solvers.gradient.mini_batch import AbstractMiniBatchSolver

MAX_COORDINATE = 1e6  # distance of a coordinate from the origin, about in standard deviations
_MAX_RATE_HALVINGS = 40
_RESERVED_ITERATIONS = 2  # iterations left for comparing the epochs with the start over all rows
_RATE_SHRINKAGE = 0.25  # factor of the rate after an epoch that is undone
_RATE_GROWTH = 1.1  # factor of the rate after a full-batch step that gained


@dataclass(frozen=True)
class GradientAverages:
    """Running means of gradients and of their squares, (n_parameters,) each, and the number of steps."""

    mean_gradient: Array
    mean_square: Array
    n_steps: int = 0

    @classmethod
    def zeros(cls, n_parameters: int) -> "GradientAverages":
        """Return the averages before the first step."""
        return cls(np.zeros(n_parameters), np.zeros(n_parameters))


@dataclass(frozen=True)
class _RandomSplit:
    """Batches of the rows of a problem, made when the first one is needed."""

    problem: Problem
    n_batches: int
    seed: int

    @cached_property
    def batches(self) -> list[Problem]:
        """The batches, about equally large; none is empty."""
        return self.problem.random_split(self.n_batches, self.seed)


@dataclass(frozen=True)
class _FirstBatch:
    """The first batch of all, the mixture at the start, and the log-likelihood of the batch there."""

    rows: Problem
    start: Mixture
    log_likelihood: float


@dataclass(frozen=True)
class _RunMemory:
    """What all phases hand on.

    Attributes
    ----------
    current : Mixture
        The mixture after the last step.
    learning_rate : float
    n_batches : int
        Batches of the next epoch; 1 ends the epochs.
    n_reserved : int
        Iterations left for the full-batch steps.
    best_objective : float
        That of the best epoch.
    first_batch : _FirstBatch, optional
    """

    current: Mixture
    learning_rate: float
    n_batches: int
    n_reserved: int
    best_objective: float = -np.inf
    first_batch: _FirstBatch | None = None


@dataclass(frozen=True, kw_only=True)
class _PhaseState(GradientState):
    """A state of a mini-batch run; its model is the best mixture so far."""

    memory: _RunMemory

    def change_phase(self, phase: "type[_PhaseState]", **fields: Any) -> Any:
        """Return a complete iteration as a state of another phase."""
        shared = {"model": self.model, "memory": self.memory, "objective": self.objective, "can_stop": self.can_stop}
        return phase(**{"problem": self.problem, "n_iter": self.n_iter, "max_iter": self.max_iter, **shared, **fields})

    def begin_next_phase(self, solver: "AbstractMiniBatchSolver") -> "_PhaseState":
        """Return the start of an epoch, or of the comparison if no epoch is left."""
        memory, total_weight = self.memory, self.problem.total_weight
        if self.max_iter - self.n_iter > memory.n_reserved and memory.n_batches > 1:
            origin = MixtureParametrization.from_origin(memory.current, total_weight)
            state: _PhaseState = self.change_phase(
                _EpochState,
                split=_RandomSplit(self.problem, memory.n_batches, solver.seed + self.n_iter + 1),
                point=solver.make_point(origin, np.zeros(origin.n_parameters)),
                averages=GradientAverages.zeros(origin.n_parameters),
            )
            return state
        first = memory.first_batch
        candidates = (memory.current,) if first is None else (first.start, memory.current)
        point = _point_at(solver, candidates[0], total_weight)
        comparison: _PhaseState = self.change_phase(_CompareState, candidates=candidates, point=point)
        return comparison


def begin_epochs(
    solver: "AbstractMiniBatchSolver",
    start: Mixture,
    problem: Problem,
    n_iter: int,
    max_iter: int,
    n_batches: int,
    learning_rate: float,
) -> GradientState:
    """Return the state before the first epoch, or before the steps over all rows if there is one batch."""
    n_reserved = _RESERVED_ITERATIONS if max_iter - n_iter > _RESERVED_ITERATIONS else 0
    memory = _RunMemory(start, learning_rate, n_batches, n_reserved)
    state = _PhaseState(start, problem=problem, n_iter=n_iter, max_iter=max_iter, memory=memory)
    return state.begin_next_phase(solver)


@dataclass(frozen=True, kw_only=True)
class _EpochState(_PhaseState):
    """Within an epoch: batch ``index`` is next, at ``point``; ``log_likelihood`` sums the batches before."""

    split: _RandomSplit
    point: Point
    averages: GradientAverages
    index: int = 0
    log_likelihood: float = 0.0

    @property
    def rows(self) -> Problem:
        """The next batch."""
        return self.split.batches[self.index]

    @property
    def next_mixture(self) -> Mixture:
        """The mixture after the steps so far."""
        return self.point.mixture

    def next_state(self, solver: Any, expectation: Expectation) -> GradientState:
        """Make a step along the gradient of the batch; after the last batch, check the epoch."""
        memory, point, averages = self.memory, self.point, self.averages
        if memory.first_batch is None:
            first = _FirstBatch(self.rows, memory.current, expectation.log_likelihood)
            memory = replace(memory, first_batch=first)
        evaluation = solver.evaluate(point, expectation, self.rows.total_weight)
        if np.isfinite(evaluation.gradient).all():
            rate = memory.learning_rate / np.sqrt(self.split.n_batches)
            step, averages = solver.compute_step(evaluation.gradient, averages, rate)
            point = solver.make_point(point.coordinates, _clip_coordinates(point.vector + step))
        state = replace(
            self,
            memory=memory,
            point=point,
            averages=averages,
            index=self.index + 1,
            log_likelihood=self.log_likelihood + expectation.log_likelihood,
            is_iteration_complete=False,
        )
        return state if state.index < len(self.split.batches) else state._finish(solver)

    def _finish(self, solver: "AbstractMiniBatchSolver") -> GradientState:
        """Return the check of the epoch, or undo it at once where its objective is not finite."""
        start = self.memory.current
        log_prior = solver.covariance_estimator.log_prior(start.centers, start.covariance)
        state: _CheckState = self.change_phase(
            _CheckState, mixture=self.point.mixture, epoch_objective=self.log_likelihood + log_prior
        )
        if not np.isfinite(state.epoch_objective):
            return state.finish_epoch(solver, is_improved=False)
        return replace(state, is_iteration_complete=False)


@dataclass(frozen=True, kw_only=True)
class _CheckState(_PhaseState):
    """After an epoch that led to ``mixture``: the first batch is evaluated again."""

    mixture: Mixture
    epoch_objective: float

    @property
    def rows(self) -> Problem:
        """The first batch of all."""
        assert self.memory.first_batch is not None
        return self.memory.first_batch.rows

    @property
    def next_mixture(self) -> Mixture:
        """The mixture after the epoch."""
        return self.mixture

    def next_state(self, solver: Any, expectation: Expectation) -> GradientState:
        """Keep the epoch if the first batch is likelier than at the start, else undo it."""
        assert self.memory.first_batch is not None
        return self.finish_epoch(solver, expectation.log_likelihood > self.memory.first_batch.log_likelihood)

    def finish_epoch(self, solver: "AbstractMiniBatchSolver", is_improved: bool) -> GradientState:
        """Return the next phase after an epoch that is kept or undone; batches are doubled if it gained nothing."""
        memory, best = self.memory, self.model
        first, best_objective = memory.first_batch, memory.best_objective
        assert first is not None
        if not is_improved:
            best, best_objective = first.start, -np.inf
            memory = replace(memory, current=best, learning_rate=_RATE_SHRINKAGE * memory.learning_rate)
        else:
            memory = replace(memory, current=self.mixture)
            if self.epoch_objective > best_objective:
                best, best_objective = self.mixture, self.epoch_objective
        is_gain = best_objective > self.memory.best_objective
        n_batches = memory.n_batches if is_gain else memory.n_batches // 2
        memory = replace(memory, best_objective=best_objective, n_batches=n_batches)
        start_objective = first.log_likelihood / first.rows.total_weight * self.problem.total_weight
        objective = self.epoch_objective if np.isfinite(self.epoch_objective) else start_objective
        state = replace(self, model=best, memory=memory, objective=objective, can_stop=False, n_iter=self.n_iter + 1)
        return state.begin_next_phase(solver)


@dataclass(frozen=True, kw_only=True)
class _CompareState(_PhaseState):
    """Before the steps over all rows: each candidate is evaluated over all rows, and the best one is kept."""

    candidates: tuple[Mixture, ...]
    point: Point
    index: int = 0

    @property
    def next_mixture(self) -> Mixture:
        """The next candidate."""
        return self.point.mixture

    def next_state(self, solver: Any, expectation: Expectation) -> GradientState:
        """Keep the candidate if it is better than the one before, which was the start of the epochs."""
        memory, best, evaluation = self.memory, self.model, solver.evaluate(self.point, expectation)
        if self.evaluation is None or evaluation.value > self.evaluation.value:
            best = self.candidates[self.index]
        else:
            evaluation = self.evaluation
            memory = replace(memory, learning_rate=_RATE_SHRINKAGE * memory.learning_rate)
        state = replace(
            self,
            model=best,
            memory=memory,
            evaluation=evaluation,
            objective=evaluation.objective,
            can_stop=self.candidates[self.index] is self.candidates[-1],
            n_iter=self.n_iter + 1,
            index=self.index + 1,
        )
        if state.index < len(self.candidates):
            point = _point_at(solver, self.candidates[state.index], self.problem.total_weight)
            return replace(state, point=point)
        averages = GradientAverages.zeros(len(evaluation.gradient))
        full_batch: _FullBatchState = state.change_phase(
            _FullBatchState, evaluation=evaluation, point=evaluation.point, averages=averages
        )
        return full_batch.propose(solver)


@dataclass(frozen=True, kw_only=True)
class _FullBatchState(_PhaseState):
    """Steps over all rows: ``point`` is tried next, from the best one in ``evaluation``."""

    point: Point
    averages: GradientAverages
    n_halvings: int = 0

    @property
    def next_mixture(self) -> Mixture:
        """The mixture to try."""
        return self.point.mixture

    def next_state(self, solver: Any, expectation: Expectation) -> GradientState:
        """Accept a step that does not lower the objective, else undo it and halve the learning rate."""
        assert self.evaluation is not None
        memory, evaluation = self.memory, solver.evaluate(self.point, expectation)
        state = replace(self, n_iter=self.n_iter + 1)
        if evaluation.value >= self.evaluation.value:
            memory = replace(memory, learning_rate=memory.learning_rate * _RATE_GROWTH)
            state = replace(state, model=self.point.mixture, evaluation=evaluation, can_stop=True, n_halvings=0)
        else:
            memory = replace(memory, learning_rate=0.5 * memory.learning_rate)
            averages = GradientAverages.zeros(len(evaluation.gradient))
            state = replace(state, averages=averages, can_stop=False, n_halvings=self.n_halvings + 1)
        assert state.evaluation is not None
        is_exhausted = state.n_halvings >= _MAX_RATE_HALVINGS
        state = replace(state, memory=memory, objective=state.evaluation.objective, is_exhausted=is_exhausted)
        return state.propose(solver)

    def propose(self, solver: "AbstractMiniBatchSolver") -> "_FullBatchState":
        """Return the state with the next point to try, one step along the gradient."""
        assert self.evaluation is not None
        rate, point = self.memory.learning_rate, self.evaluation.point
        step, averages = solver.compute_step(self.evaluation.gradient, self.averages, rate)
        vector = _clip_coordinates(point.vector + step)
        return replace(self, point=solver.make_point(point.coordinates, vector), averages=averages)


def _point_at(solver: "AbstractMiniBatchSolver", mixture: Mixture, total_weight: float) -> Point:
    """Return the point of a mixture in coordinates about itself."""
    origin = MixtureParametrization.from_origin(mixture, total_weight)
    return solver.make_point(origin, np.zeros(origin.n_parameters))


def _clip_coordinates(vector: Array) -> Array:
    """Return coordinates near enough to the origin for their mixture to be computed, however long the step is."""
    return np.clip(vector, -MAX_COORDINATE, MAX_COORDINATE)
