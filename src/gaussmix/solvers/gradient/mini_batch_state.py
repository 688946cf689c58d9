"""What the phases of a mini-batch run share: the memory that they hand on, and running means of gradients."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.gradient.base import GradientState
from gaussmix.types import Array

MAX_COORDINATE = 1e6  # distance of a coordinate from the origin, about in standard deviations
RATE_SHRINKAGE = 0.25  # factor of the rate after epochs that are undone


@dataclass(frozen=True)
class GradientAverages:
    """Running means of gradients and of their squares, (n_parameters,) each, and the number of steps."""

    mean_gradient: Array
    mean_square: Array
    n_steps: int = 0

    @classmethod
    def zeros(cls, n_parameters: int) -> "GradientAverages":
        """Return the averages before the first step: zeros (n_parameters,)."""
        return cls(np.zeros(n_parameters), np.zeros(n_parameters))


@dataclass(frozen=True)
class FirstBatch:
    """The first batch of all, the mixture at the start, and the log-likelihood of the batch there."""

    rows: Problem
    start: Mixture
    log_likelihood: float


@dataclass(frozen=True)
class RunMemory:
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
    first_batch : FirstBatch, optional
    """

    current: Mixture
    learning_rate: float
    n_batches: int
    n_reserved: int
    best_objective: float = -np.inf
    first_batch: FirstBatch | None = None


P = TypeVar("P", bound="PhaseState")


@dataclass(frozen=True, kw_only=True)
class PhaseState(GradientState):
    """A state of a mini-batch run; its model is the best mixture so far."""

    memory: RunMemory

    def to_phase(self, phase: type[P], **fields: Any) -> P:
        """Return a state of class ``phase`` with the problem, model, memory and counters of this one; ``fields`` add.

        Its iteration is complete.
        """
        shared = {"model": self.model, "memory": self.memory, "objective": self.objective, "can_stop": self.can_stop}
        return phase(**{"problem": self.problem, "n_iter": self.n_iter, "max_iter": self.max_iter, **shared, **fields})


def clip_coordinates(vector: Array) -> Array:
    """Return coordinates (n_parameters,) clipped to +-``MAX_COORDINATE``, so that their mixture can be computed."""
    return np.clip(vector, -MAX_COORDINATE, MAX_COORDINATE)
