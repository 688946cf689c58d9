"""Deterministic annealing: EM whose probabilities are blunt at first.

Scores times an inverse temperature b < 1 make all components share every row, so that the start is forgotten; as
b grows to 1, components part where the data do (Ueda & Nakano, "Deterministic annealing EM algorithm", Neural Networks
11, 1998). A good start is mostly forgotten, too, so that on elongated groups it may end lower than EM does from there.
Each pass raises the free energy sum_n log(sum_k exp(b score)) / b at its temperature.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.linalg import eigh_descending
from gaussmix.core.quadratics import TemperedModel
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import kind_with_noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import SolverState
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.types import KD

INITIAL_INVERSE_TEMPERATURE = 0.2
"""The inverse temperature of the first pass."""

_ITERATIONS_PER_TEMPERATURE, _INVERSE_TEMPERATURE_GROWTH = (
    5,
    1.2,
)  # passes at one temperature, and by how much its inverse grows
_PERTURBATION_IN_SDS = (
    0.2  # standard deviations of the data: components that have become one part again where the data part
)
_MIN_FINAL_ITERATIONS = 30  # passes of plain EM at the end


def inverse_temperature(iteration: int, initial: float) -> float:
    """Of a pass, from 1."""
    return float(min(1.0, initial * _INVERSE_TEMPERATURE_GROWTH ** ((iteration - 1) // _ITERATIONS_PER_TEMPERATURE)))


@dataclass(frozen=True)
class _AnnealingState(SolverState):
    """``number`` of passes so far; ``apart`` (K, D) is where components are to part."""

    perturbation: KD = field(default_factory=lambda: np.zeros((1, 1)))
    n_iter: int = 0


@dataclass(frozen=True)
class AnnealedEM(EMBasedSolver):
    """EM at a temperature that falls with the passes; at 1 it goes on to the end."""

    em: EM
    initial_inverse_temperature: float = INITIAL_INVERSE_TEMPERATURE

    def init(self, start: Mixture) -> SolverState:
        return _AnnealingState(start, perturbation=_perturbation_directions(start))

    def e_step(self, problem: Problem, mixture: Mixture, iteration: int) -> Expectation:
        inverse = inverse_temperature(iteration, self.initial_inverse_temperature)
        kind = kind_with_noise(mixture.noise, self.covariance_estimator.moment_kind)
        found = problem.e_step(TemperedModel(mixture, inverse), kind)
        return found if inverse == 1.0 else replace(found, log_likelihood=found.log_likelihood / inverse)

    def step(self, state: SolverState, expectation: Expectation) -> SolverState:
        assert isinstance(state, _AnnealingState)
        found, number = self.m_step(state.mixture, expectation), state.n_iter + 1
        colder = inverse_temperature(number + 1, self.initial_inverse_temperature) > inverse_temperature(
            number, self.initial_inverse_temperature
        )
        if colder and self.em.fixed is None:
            found = replace(found, centers=found.centers + _PERTURBATION_IN_SDS * state.perturbation)
        last = inverse_temperature(max(1, number - _MIN_FINAL_ITERATIONS), self.initial_inverse_temperature) == 1.0
        return _AnnealingState(found, can_stop=last, perturbation=state.perturbation, n_iter=number)


def _perturbation_directions(start: Mixture) -> KD:
    """Where components are to part (K, D): half towards where they started, half evenly along the longest axis of all.

    The first keeps what a good start knows, the second leaves one that EM cannot leave. On groups at the corners of a
    body the axis alone ended lower than EM from a good start in half of all sets, and with both in hardly any.
    """
    total = start.weights.sum()  # none where all rows are noise at the start
    shares = start.weights / total if total > 0 else np.full(start.n_components, 1.0 / start.n_components)
    apart = start.centers - shares @ start.centers
    whole = np.tensordot(shares, start.covariance.matrices(), 1) + (apart.T * shares) @ apart
    deviations = np.sqrt(np.diagonal(whole))
    values, axes = eigh_descending(whole / np.outer(deviations, deviations))
    axis = deviations * axes[:, 0] * np.sqrt(values[0])
    order = np.argsort(np.argsort(apart @ (axes[:, 0] / deviations), kind="stable"))
    return np.asarray(0.5 * (apart + np.linspace(-1.0, 1.0, len(order))[order][:, None] * axis))
