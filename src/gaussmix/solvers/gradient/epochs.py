"""The epochs of a mini-batch run: a step after each batch, and a check after each epoch.

An epoch is undone if it leaves the first batch of all worse than at the start: the learning rate was too high.
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
from gaussmix.solvers.gradient.full_batch import begin_comparison
from gaussmix.solvers.gradient.mini_batch_state import (
    RATE_SHRINKAGE,
    FirstBatch,
    GradientAverages,
    PhaseState,
    RunMemory,
    clip_coordinates,
)

if TYPE_CHECKING:
    from gaussmix.solvers.gradient.mini_batch import AbstractMiniBatchSolver

_RESERVED_ITERATIONS = 2  # iterations left for comparing the epochs with the start over all rows


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
    memory = RunMemory(start, learning_rate, n_batches, n_reserved)
    state = PhaseState(start, problem=problem, n_iter=n_iter, max_iter=max_iter, memory=memory)
    return _begin_next_phase(state, solver)


def _begin_next_phase(state: PhaseState, solver: "AbstractMiniBatchSolver") -> PhaseState:
    """Return the start of an epoch, or of the comparison if no epoch is left."""
    memory = state.memory
    if state.max_iter - state.n_iter <= memory.n_reserved or memory.n_batches == 1:
        return begin_comparison(state, solver)
    origin = MixtureParametrization.from_origin(memory.current, state.problem.total_weight)
    epoch: PhaseState = state.change_phase(
        _EpochState,
        split=_RandomSplit(state.problem, memory.n_batches, solver.seed + state.n_iter + 1),
        point=solver.make_point(origin, np.zeros(origin.n_parameters)),
        averages=GradientAverages.zeros(origin.n_parameters),
    )
    return epoch


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


@dataclass(frozen=True, kw_only=True)
class _EpochState(PhaseState):
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
            first = FirstBatch(self.rows, memory.current, expectation.log_likelihood)
            memory = replace(memory, first_batch=first)
        evaluation = solver.evaluate(point, expectation, self.rows.total_weight)
        if np.isfinite(evaluation.gradient).all():
            rate = memory.learning_rate / np.sqrt(self.split.n_batches)
            step, averages = solver.compute_step(evaluation.gradient, averages, rate)
            point = solver.make_point(point.coordinates, clip_coordinates(point.vector + step))
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
class _CheckState(PhaseState):
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
            memory = replace(memory, current=best, learning_rate=RATE_SHRINKAGE * memory.learning_rate)
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
        return _begin_next_phase(state, solver)
