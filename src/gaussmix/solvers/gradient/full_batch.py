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


def begin_comparison_with_start(state: PhaseState, solver: "AbstractMiniBatchSolver") -> PhaseState:
    """Return the comparison of the start with the mixture after the epochs; without epochs they are one."""
    first = state.memory.first_batch
    candidates = (state.memory.current,) if first is None else (first.start, state.memory.current)
    point = make_point_at_origin(solver, MixtureParametrization.from_origin(candidates[0], state.problem.total_weight))
    comparison: PhaseState = state.to_phase(_CandidateComparisonState, candidates=candidates, point=point)
    return comparison


@dataclass(frozen=True, kw_only=True)
class _CandidateComparisonState(PhaseState):
    """Before the steps over all rows: each candidate is evaluated over all rows, and the best one is kept."""

    candidates: tuple[Mixture, ...]
    point: Point
    index: int = 0

    @property
    def mixture_to_evaluate(self) -> Mixture:
        """The next candidate mixture, to be evaluated over all rows."""
        return self.point.mixture

    def state_after_e_step(self, solver: Any, expectation: Expectation) -> GradientState:
        """Return the state with the better of this candidate and the last; after all, begin the steps over all rows."""
        memory, best, evaluation = self.memory, self.model, solver.compute_value_and_gradient(self.point, expectation)
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
            candidate = self.candidates[state.index]
            origin = MixtureParametrization.from_origin(candidate, self.problem.total_weight)
            return replace(state, point=make_point_at_origin(solver, origin))
        averages = GradientAverages.zeros(len(evaluation.gradient))
        full_batch: _FullBatchState = state.to_phase(
            _FullBatchState, evaluation=evaluation, point=evaluation.point, averages=averages
        )
        return full_batch.with_next_proposal(solver)


@dataclass(frozen=True, kw_only=True)
class _FullBatchState(PhaseState):
    """Steps over all rows: ``point`` is tried next, from the best one in ``evaluation``."""

    point: Point
    averages: GradientAverages
    n_halvings: int = 0

    @property
    def mixture_to_evaluate(self) -> Mixture:
        """The mixture to try next, over all rows."""
        return self.point.mixture

    def state_after_e_step(self, solver: Any, expectation: Expectation) -> GradientState:
        """Return the state after a step, or, if it lowers the objective, without it and with half the learning rate."""
        assert self.evaluation is not None
        memory, evaluation = self.memory, solver.compute_value_and_gradient(self.point, expectation)
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
        return state.with_next_proposal(solver)

    def with_next_proposal(self, solver: "AbstractMiniBatchSolver") -> "_FullBatchState":
        """Return the state with the next point to try, one step along the gradient from the best point."""
        assert self.evaluation is not None
        rate, point = self.memory.learning_rate, self.evaluation.point
        step, averages = solver.compute_step_and_averages(self.evaluation.gradient, self.averages, rate)
        vector = clip_coordinates(point.vector + step)
        return replace(self, point=solver.make_feasible_point(point.coordinates, vector), averages=averages)


def make_point_at_origin(solver: "AbstractMiniBatchSolver", parametrization: MixtureParametrization) -> Point:
    """Return the zero vector of a parametrization, whose mixture is the origin, as a point."""
    return solver.make_feasible_point(parametrization, np.zeros(parametrization.n_parameters))
