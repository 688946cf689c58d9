"""Deterministic annealing: EM whose responsibilities are nearly equal at first.

Scores are multiplied by an inverse temperature b. With b < 1 all components have part in every row, so that EM forgets
the start. As b grows to 1, components separate where the data do (Ueda & Nakano, "Deterministic annealing EM
algorithm", Neural Networks 11, 1998). It mostly forgets a good start, too. On elongated groups it may therefore end
lower than EM. Each iteration raises the free energy sum_n log(sum_k exp(b score)) / b at its temperature.
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.linalg import eigh_descending
from gaussmix.core.quadratics import TemperedModel
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import EStepRequest, MixtureState
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.types import KD

INITIAL_INVERSE_TEMPERATURE = 0.2
_ITERATIONS_PER_TEMPERATURE = 5
_INVERSE_TEMPERATURE_GROWTH = 1.2
# Components that coincide are moved apart by this many standard deviations of the data at each new temperature.
_PERTURBATION_IN_SDS = 0.2
_MIN_FINAL_ITERATIONS = 30  # iterations of plain EM before convergence is checked


def inverse_temperature(iteration: int, initial_inverse_temperature: float) -> float:
    """Return the inverse temperature of an iteration, counted from 1; it grows to 1 and stays there."""
    return float(
        min(
            1.0,
            initial_inverse_temperature
            * _INVERSE_TEMPERATURE_GROWTH ** ((iteration - 1) // _ITERATIONS_PER_TEMPERATURE),
        )
    )


@dataclass(frozen=True)
class _AnnealingState(MixtureState):
    """Iterations so far, and the directions (K, D) in which components are moved apart."""

    n_iter: int = 0
    perturbation: KD | None = None


@dataclass(frozen=True)
class AnnealedEM(EMBasedSolver[_AnnealingState]):
    """EM at a temperature that falls to 1, followed by plain EM."""

    em: EM
    initial_inverse_temperature: float = INITIAL_INVERSE_TEMPERATURE

    def init(self, start: Mixture, problem: Problem, max_iter: int) -> _AnnealingState:
        """Return the state of the start, with its directions of perturbation."""
        return _AnnealingState(start, perturbation=_perturbation_displacements(start))

    def request(self, state: _AnnealingState, problem: Problem) -> EStepRequest:
        """Return the request for an E-step at the temperature of the next iteration."""
        model = TemperedModel(state.model, self._inverse_temperature(state.n_iter + 1))
        return EStepRequest.from_problem(problem, model, self.m_step_moment_kind(state.model))

    def step(self, state: _AnnealingState, expectation: Expectation) -> _AnnealingState:
        """Return the state after an M-step, with components moved apart if the temperature falls next."""
        n_iter, inverse = state.n_iter + 1, self._inverse_temperature(state.n_iter + 1)
        free_energy = replace(expectation, log_likelihood=expectation.log_likelihood / inverse)
        mixture = self.m_step(state.model, expectation)
        cools_next = self._inverse_temperature(n_iter + 1) > inverse
        if cools_next and self.em.fixed is None and state.perturbation is not None:
            mixture = replace(mixture, centers=mixture.centers + _PERTURBATION_IN_SDS * state.perturbation)
        can_stop = self._inverse_temperature(max(1, n_iter - _MIN_FINAL_ITERATIONS)) == 1.0
        objective = self.penalized_log_likelihood(state.model, free_energy)
        return replace(state, model=mixture, objective=objective, can_stop=can_stop, n_iter=n_iter)

    def _inverse_temperature(self, iteration: int) -> float:
        """Return the inverse temperature of an iteration, counted from 1, in this solver's schedule."""
        return inverse_temperature(iteration, self.initial_inverse_temperature)


def _perturbation_displacements(start: Mixture) -> KD:
    """Return the displacements (K, D) that move components apart, about one standard deviation of the data long.

    One half points to where the components started, which keeps what a good start knows. The other half spreads them
    evenly along the longest axis of all rows, which leaves starts that EM cannot leave. With the axis alone, groups at
    the corners of a simplex ended lower than EM in half of all data sets; with both, in hardly any.
    """
    total = start.weights.sum()  # zero where all rows are noise at the start
    weights = start.weights / total if total > 0 else np.full(start.n_components, 1.0 / start.n_components)
    deviations = start.centers - weights @ start.centers
    covariance = np.tensordot(weights, start.covariance.matrices(), 1) + (deviations.T * weights) @ deviations
    scales = np.sqrt(np.diagonal(covariance))
    values, axes = eigh_descending(covariance / np.outer(scales, scales))
    axis = scales * axes[:, 0] * np.sqrt(values[0])
    ranks = np.argsort(np.argsort(deviations @ (axes[:, 0] / scales), kind="stable"))
    return np.asarray(0.5 * (deviations + np.linspace(-1.0, 1.0, len(ranks))[ranks][:, None] * axis))
