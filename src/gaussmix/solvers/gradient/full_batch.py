"""The end of a mini-batch run: a comparison of the epochs with the start, and gradient steps over all rows."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.model.mixture import Mixture
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.solvers.gradient.base import GradientState, Point
from gaussmix.solvers.gradient.mini_batch_state import RATE_SHRINKAGE, GradientAverages, PhaseState, clip_coordinates

if TYPE_CHECKING:
    from gaussmix.solvers.gradient.mini_batch import AbstractMiniBatchSolver

_MAX_RATE_HALVINGS = 40
_RATE_GROWTH = 1.1  # factor of the rate after a step that gained


def begin_comparison(state: PhaseState, solver: "AbstractMiniBatchSolver") -> PhaseState:
    """Return the comparison of the start with the mixture after the epochs; without epochs they are one."""
    first = state.memory.first_batch
    candidates = (state.memory.current,) if first is None else (first.start, state.memory.current)
    point = _point_at(solver, candidates[0], state.problem.total_weight)
    comparison: PhaseState = state.change_phase(_CompareState, candidates=candidates, point=point)
    return comparison


@dataclass(frozen=True, kw_only=True)
class _CompareState(PhaseState):
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
            memory = replace(memory, learning_rate=RATE_SHRINKAGE * memory.learning_rate)
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
class _FullBatchState(PhaseState):
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
        vector = clip_coordinates(point.vector + step)
        return replace(self, point=solver.make_point(point.coordinates, vector), averages=averages)


def _point_at(solver: "AbstractMiniBatchSolver", mixture: Mixture, total_weight: float) -> Point:
    """Return the point of a mixture in coordinates about itself."""
    origin = MixtureParametrization.from_origin(mixture, total_weight)
    return solver.make_point(origin, np.zeros(origin.n_parameters))
