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
from gaussmix.solvers.gradient.full_batch import begin_comparison_with_start, make_point_at_origin
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
    return _begin_epoch_or_comparison(state, solver)


def _begin_epoch_or_comparison(state: PhaseState, solver: "AbstractMiniBatchSolver") -> PhaseState:
    """Return the start of an epoch, or of the comparison if no epoch is left."""
    memory = state.memory
    if state.max_iter - state.n_iter <= memory.n_reserved or memory.n_batches == 1:
        return begin_comparison_with_start(state, solver)
    origin = MixtureParametrization.from_origin(memory.current, state.problem.total_weight)
    epoch: PhaseState = state.to_phase(
        _BatchStepState,
        split=_RowHashSplit(state.problem, memory.n_batches, solver.seed + state.n_iter + 1),
        point=make_point_at_origin(solver, origin),
        averages=GradientAverages.zeros(origin.n_parameters),
    )
    return epoch


@dataclass(frozen=True)
class _RowHashSplit:
    """Batches of the rows of a problem, made when the first one is needed."""

    problem: Problem
    n_batches: int
    seed: int

    @cached_property
    def batches(self) -> list[Problem]:
        """The batches, about equally large; none is empty."""
        return self.problem.split_by_row_hash(self.n_batches, self.seed)


@dataclass(frozen=True, kw_only=True)
class _BatchStepState(PhaseState):
    """Within an epoch: batch ``index`` is next, at ``point``; ``log_likelihood`` sums the batches before."""

    split: _RowHashSplit
    point: Point
    averages: GradientAverages
    index: int = 0
    log_likelihood: float = 0.0

    @property
    def e_step_problem(self) -> Problem:
        """The next batch."""
        return self.split.batches[self.index]

    @property
    def mixture_to_evaluate(self) -> Mixture:
        """The mixture after the gradient steps so far."""
        return self.point.mixture

    def state_after_e_step(self, solver: Any, expectation: Expectation) -> GradientState:
        """Return the state after a gradient step of the batch; after the last batch, the check of the epoch."""
        memory, point, averages = self.memory, self.point, self.averages
        if memory.first_batch is None:
            first = FirstBatch(self.e_step_problem, memory.current, expectation.log_likelihood)
            memory = replace(memory, first_batch=first)
        evaluation = solver.compute_value_and_gradient(point, expectation, self.e_step_problem.total_weight)
        if np.isfinite(evaluation.gradient).all():
            rate = memory.learning_rate / np.sqrt(self.split.n_batches)
            step, averages = solver.compute_step_and_averages(evaluation.gradient, averages, rate)
            point = solver.make_feasible_point(point.coordinates, clip_coordinates(point.vector + step))
        state = replace(
            self,
            memory=memory,
            point=point,
            averages=averages,
            index=self.index + 1,
            log_likelihood=self.log_likelihood + expectation.log_likelihood,
            is_iteration_complete=False,
        )
        return state if state.index < len(self.split.batches) else state._check_or_undo_epoch(solver)

    def _check_or_undo_epoch(self, solver: "AbstractMiniBatchSolver") -> GradientState:
        """Return the check of the epoch, or the phase after it is undone if its objective is not finite."""
        start = self.memory.current
        log_prior = solver.covariance_estimator.log_prior(start.centers, start.covariance)
        state: _FirstBatchCheckState = self.to_phase(
            _FirstBatchCheckState, mixture=self.point.mixture, epoch_objective=self.log_likelihood + log_prior
        )
        if not np.isfinite(state.epoch_objective):
            return state.keep_or_undo_epoch(solver, should_keep=False)
        return replace(state, is_iteration_complete=False)


@dataclass(frozen=True, kw_only=True)
class _FirstBatchCheckState(PhaseState):
    """After an epoch that led to ``mixture``: the first training batch is evaluated again to keep or undo the epoch."""

    mixture: Mixture
    epoch_objective: float

    @property
    def e_step_problem(self) -> Problem:
        """The first training batch of the run, which the check evaluates again."""
        assert self.memory.first_batch is not None
        return self.memory.first_batch.rows

    @property
    def mixture_to_evaluate(self) -> Mixture:
        """The mixture after the epoch."""
        return self.mixture

    def state_after_e_step(self, solver: Any, expectation: Expectation) -> GradientState:
        """Return the next phase, with the epoch undone unless it made the first batch likelier than at the start."""
        assert self.memory.first_batch is not None
        return self.keep_or_undo_epoch(solver, expectation.log_likelihood > self.memory.first_batch.log_likelihood)

    def keep_or_undo_epoch(self, solver: "AbstractMiniBatchSolver", should_keep: bool) -> GradientState:
        """Return the next phase after an epoch that is kept or undone; batches are doubled if it gained nothing."""
        memory, best = self.memory, self.model
        first, best_objective = memory.first_batch, memory.best_objective
        assert first is not None
        if not should_keep:
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
        return _begin_epoch_or_comparison(state, solver)
