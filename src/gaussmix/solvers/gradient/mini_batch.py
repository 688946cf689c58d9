"""Stochastic gradients: Adam and plain gradient steps on random batches, which grow until they hold all rows.

Each epoch splits the rows anew into batches, by a hash of their contents, and makes a step after each batch. Small
batches make many steps an epoch and come near a maximum soon, but are too noisy to reach it. Where an epoch gains
nothing, batches are therefore doubled (Smith et al., "Don't decay the learning rate, increase the batch size", ICLR
2018). Once a batch holds all rows, a step that lowers the likelihood is undone and the rate halved. The end is then as
sharp as that of EM (``epochs.py``, ``full_batch.py``).
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.gradient.base import AbstractGradientSolver, GradientState
from gaussmix.solvers.gradient.epochs import begin_epochs
from gaussmix.solvers.gradient.mini_batch_state import MAX_COORDINATE, GradientAverages
from gaussmix.types import Array

MAX_INITIAL_BATCHES = 16  # batches of the first epochs, unless a batch size is given
_MIN_BATCH_ROWS_PER_PARAMETER = 20  # rows of a batch for each component and each of its means and its weight
_ADAM_BETA_1, _ADAM_BETA_2, _ADAM_EPSILON = 0.9, 0.999, 1e-8  # Kingma & Ba's


class AbstractMiniBatchSolver(AbstractGradientSolver):
    """Epochs in batches, then steps over all rows.

    Attributes
    ----------
    em : EM
    seed : int
        Seed of the random batches.
    learning_rate : float
        Length of a step.
    batch_size : int or None
        Rows of a batch in the first epochs; None chooses by the number of rows and parameters.
    """

    em: EM
    seed: int
    learning_rate: float
    batch_size: int | None

    @abstractmethod
    def compute_step_and_averages(
        self, gradient: Array, averages: GradientAverages, learning_rate: float
    ) -> tuple[Array, GradientAverages]:
        """Return the step along a gradient, (n_parameters,), and the running averages after it."""

    def begin_gradient_iterations(self, start: Mixture, problem: Problem, n_iter: int, max_iter: int) -> GradientState:
        """Return the state before the first epoch."""
        n_batches = self._n_initial_batches(problem, start.n_components)
        learning_rate = min(self.learning_rate, MAX_COORDINATE)
        return begin_epochs(self, start, problem, n_iter, max_iter, n_batches, learning_rate)

    def _n_initial_batches(self, problem: Problem, n_components: int) -> int:
        """Return the number of batches of the first epoch, a power of two."""
        n_rows, n_parameters = problem.n_rows, n_components * (1 + problem.source.n_features)
        if self.batch_size is not None:
            n_batches = -(-n_rows // self.batch_size)
        else:
            n_batches = min(MAX_INITIAL_BATCHES, max(1, n_rows // (_MIN_BATCH_ROWS_PER_PARAMETER * n_parameters)))
        return 1 << int(np.log2(max(1, n_batches)))


@dataclass(frozen=True)
class Adam(AbstractMiniBatchSolver):
    """Steps that are longer in directions of steady gradients (Kingma & Ba, ICLR 2015)."""

    em: EM
    seed: int
    learning_rate: float = 0.05
    batch_size: int | None = None

    def compute_step_and_averages(
        self, gradient: Array, averages: GradientAverages, learning_rate: float
    ) -> tuple[Array, GradientAverages]:
        """Return Adam's step with bias-corrected averages, and the averages without the correction."""
        n_steps = averages.n_steps + 1
        mean = _ADAM_BETA_1 * averages.mean_gradient + (1.0 - _ADAM_BETA_1) * gradient
        square = _ADAM_BETA_2 * averages.mean_square + (1.0 - _ADAM_BETA_2) * gradient**2
        corrected_mean = mean / (1.0 - _ADAM_BETA_1**n_steps)
        corrected_square = square / (1.0 - _ADAM_BETA_2**n_steps)
        step = learning_rate * corrected_mean / (np.sqrt(corrected_square) + _ADAM_EPSILON)
        return step, GradientAverages(mean, square, n_steps)


@dataclass(frozen=True)
class SGD(AbstractMiniBatchSolver):
    """Plain steps along the gradient."""

    em: EM
    seed: int
    learning_rate: float = 0.5
    batch_size: int | None = None

    def compute_step_and_averages(
        self, gradient: Array, averages: GradientAverages, learning_rate: float
    ) -> tuple[Array, GradientAverages]:
        """Return the gradient times the rate, and the averages unchanged."""
        return learning_rate * gradient, averages
