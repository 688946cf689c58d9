"""``Passes``: what every run has in common, whoever owns its loop: the clock, the trace, and the decision to stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.stopping import StoppingRule
from gaussmix.types import Array

IterationCallback = Callable[[int, float, float], None]
"""Called after each pass with its number (from 1), the total log-likelihood in data units, and its gain.

With a prior its log density, up to a constant, is part of the log-likelihood here and in the trace.
"""

EStep = Callable[[Problem, Mixture, int], Expectation]
"""One pass over all rows as a solver wants it, with the number of the pass (from 1)."""


def _zero_gain() -> float:
    return 0.0


@dataclass
class RunMonitor:
    """Passes over the rows of a problem, as many as are allowed, until the rule to stop is met.

    ``last`` is what was reached before, in the frame; ``values`` and ``seconds`` tell of passes made already.
    """

    problem: Problem
    stopping: StoppingRule
    max_iter: int
    checked_objective: float
    callback: IterationCallback | None = None
    max_floored_iter: int | None = None
    log_likelihoods: list[float] = field(default_factory=list)
    elapsed_seconds: list[float] = field(default_factory=list)
    start_time: float = field(default_factory=time.perf_counter)
    outcome: Outcome = Outcome.MAX_ITER_REACHED
    n_floored_iter: int = 0
    last_objective: float = field(init=False)

    def __post_init__(self) -> None:
        self.last_objective = self.checked_objective
        if not self.max_iter:
            self.outcome = Outcome.NOT_STARTED

    @property
    def should_continue(self) -> bool:
        return self.outcome is Outcome.MAX_ITER_REACHED and len(self.log_likelihoods) < self.max_iter

    @property
    def n_iter_left(self) -> int:
        return self.max_iter - len(self.log_likelihoods) if self.should_continue else 0

    @property
    def frame_to_data_shift(self) -> float:
        """From the log-likelihood in the frame to that in the data's units."""
        return self.problem.total_weight * self.problem.source.frame.log_abs_det_jacobian

    @property
    def trace(self) -> IterationTrace:
        return IterationTrace(np.array(self.log_likelihoods), np.array(self.elapsed_seconds))

    def record_fused(self, objectives: Array, has_converged: bool) -> None:
        """Passes that were made ahead, all at once, and what each reached (frame)."""
        self.log_likelihoods.extend((objectives + self.frame_to_data_shift).tolist())
        self.elapsed_seconds.extend(
            np.linspace(0.0, time.perf_counter() - self.start_time, len(objectives) + 1)[1:].tolist()
        )
        self.checked_objective = self.last_objective = float(objectives[-1])
        if has_converged:
            self.outcome = Outcome.CONVERGED

    def evaluate(self, mixture: Mixture, e_step: EStep) -> Expectation:
        """What a mixture looks like to all rows."""
        return e_step(self.problem, mixture, len(self.log_likelihoods) + 1)

    def check_convergence(self, objective: float, predict_gain: Callable[[], float] = _zero_gain) -> None:
        """A run might end here, and does if what it has gained since it last might have, and is to gain, is little.

        ``promise`` tells what a step of EM would gain: a step that was too short, or too long, gains little, too. It is
        asked only where that decides.
        """
        weight = self.problem.total_weight
        if self.outcome is Outcome.MAX_ITER_REACHED and self.stopping.is_met(self.checked_objective, objective, weight):
            more = predict_gain()
            hopes = more > 0.0 and not self.stopping.is_met(objective, objective + more, weight)
            self.outcome = self.outcome if hopes else Outcome.CONVERGED
        self.checked_objective = objective

    def mark_converged(self) -> None:
        """A run ends with passes left, since no step of its solver leads higher any more."""
        if self.should_continue:
            self.outcome = Outcome.CONVERGED

    def record(
        self,
        objective: float,
        mixture: Mixture,
        can_stop: bool = True,
        predict_gain: Callable[[], float] = _zero_gain,
    ) -> None:
        """A pass is over: what has been reached (frame), the mixture to go on from, and whether it may end here."""
        self.log_likelihoods.append(objective + self.frame_to_data_shift)
        self.elapsed_seconds.append(time.perf_counter() - self.start_time)
        self.n_floored_iter += int(mixture.covariance.is_floored.any())
        if self.callback is not None:
            self.callback(
                len(self.log_likelihoods), objective + self.frame_to_data_shift, objective - self.last_objective
            )
        self.last_objective = objective
        if can_stop:
            self.check_convergence(objective, predict_gain)
        if self.outcome is Outcome.MAX_ITER_REACHED and self.max_floored_iter is not None:
            self.outcome = Outcome.PRUNED if self.n_floored_iter >= self.max_floored_iter else self.outcome
