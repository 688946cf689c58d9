"""Deterministic annealing: EM whose probabilities are blunt at first.

Scores times an inverse temperature b < 1 make all components share every row, so that the start is forgotten; as
b grows to 1, components part where the data do (Ueda & Nakano, "Deterministic annealing EM algorithm", Neural Networks
11, 1998). A good start is mostly forgotten, too, so that on elongated groups it may end lower than EM does from there.
Each pass raises the free energy sum_n log(sum_k exp(b score)) / b at its temperature.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.linalg import symmetric_eigen
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import kind_beside
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import State
from gaussmix.solvers.em import EM, AroundEM
from gaussmix.types import KD

WARMEST = 0.2
"""The inverse temperature of the first pass."""

_PASSES_EACH, _GROWTH = 5, 1.2  # passes at one temperature, and by how much its inverse grows
_NUDGE = 0.2  # standard deviations of the data: components that have become one part again where the data part
_AT_LEAST = 30  # passes of plain EM at the end


def inverse_temperature(number: int, first: float) -> float:
    """Of a pass, from 1."""
    return float(min(1.0, first * _GROWTH ** ((number - 1) // _PASSES_EACH)))


@dataclass(frozen=True)
class _Cooling(State):
    """``number`` of passes so far; ``apart`` (K, D) is where components are to part."""

    apart: KD = field(default_factory=lambda: np.zeros((1, 1)))
    number: int = 0


@dataclass(frozen=True)
class AnnealedEM(AroundEM):
    """EM at a temperature that falls with the passes; at 1 it goes on to the end."""

    em: EM
    first: float = WARMEST

    def init(self, model: Mixture) -> State:
        return _Cooling(model, apart=_directions(model))

    def look(self, problem: Problem, mixture: Mixture, number: int) -> Expectation:
        inverse = inverse_temperature(number, self.first)
        kind = kind_beside(mixture.noise, self.family.kind)
        found = problem.expect(mixture.to_quadratics().tempered(inverse), kind)
        return found if inverse == 1.0 else replace(found, log_likelihood=found.log_likelihood / inverse)

    def step(self, state: State, expectation: Expectation) -> State:
        assert isinstance(state, _Cooling)
        found, number = self.updated(state.mixture, expectation), state.number + 1
        colder = inverse_temperature(number + 1, self.first) > inverse_temperature(number, self.first)
        if colder and self.em.held is None:
            found = replace(found, centers=found.centers + _NUDGE * state.apart)
        last = inverse_temperature(max(1, number - _AT_LEAST), self.first) == 1.0
        return _Cooling(found, is_settled=last, apart=state.apart, number=number)


def _directions(start: Mixture) -> KD:
    """Where components are to part (K, D): half towards where they started, half evenly along the longest axis of all.

    The first keeps what a good start knows, the second leaves one that EM cannot leave. On groups at the corners of a
    body the axis alone ended lower than EM from a good start in half of all sets, and with both in hardly any.
    """
    total = start.weights.sum()  # none where all rows are noise at the start
    shares = start.weights / total if total > 0 else np.full(start.n_components, 1.0 / start.n_components)
    apart = start.centers - shares @ start.centers
    whole = np.tensordot(shares, start.covariance.matrices(), 1) + (apart.T * shares) @ apart
    deviations = np.sqrt(np.diagonal(whole))
    values, axes = symmetric_eigen(whole / np.outer(deviations, deviations))
    axis = deviations * axes[:, 0] * np.sqrt(values[0])
    order = np.argsort(np.argsort(apart @ (axes[:, 0] / deviations), kind="stable"))
    return np.asarray(0.5 * (apart + np.linspace(-1.0, 1.0, len(order))[order][:, None] * axis))
