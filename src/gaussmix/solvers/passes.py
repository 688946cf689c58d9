"""``Passes``: what every run has in common, whoever owns its loop: the clock, the trace, and the decision to stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.outcome import Outcome, Trace
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.stopping import Stopping
from gaussmix.types import Array

Observer = Callable[[int, float, float], None]
"""Called after each pass with its number (from 1), the total log-likelihood in data units, and its gain.

With a prior its log density, up to a constant, is part of the log-likelihood here and in the trace.
"""

Look = Callable[[Problem, Mixture, int], Expectation]
"""One pass over all rows as a solver wants it, with the number of the pass (from 1)."""


def _no_promise() -> float:
    return 0.0


@dataclass
class Passes:
    """Passes over the rows of a problem, as many as are allowed, until the rule to stop is met.

    ``last`` is what was reached before, in the frame; ``values`` and ``seconds`` tell of passes made already.
    """

    problem: Problem
    stopping: Stopping
    allowed: int
    last: float
    observer: Observer | None = None
    forbearance: int | None = None
    values: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)
    outcome: Outcome = Outcome.PASSES_USED_UP
    floored: int = 0
    latest: float = field(init=False)

    def __post_init__(self) -> None:
        self.latest = self.last
        if not self.allowed:
            self.outcome = Outcome.NOT_STARTED

    @property
    def are_left(self) -> bool:
        return self.outcome is Outcome.PASSES_USED_UP and len(self.values) < self.allowed

    @property
    def n_left(self) -> int:
        return self.allowed - len(self.values) if self.are_left else 0

    @property
    def shift(self) -> float:
        """From the log-likelihood in the frame to that in the data's units."""
        return self.problem.total_weight * self.problem.source.frame.log_volume

    @property
    def trace(self) -> Trace:
        return Trace(np.array(self.values), np.array(self.seconds))

    def made(self, reached: Array, has_converged: bool) -> None:
        """Passes that were made ahead, all at once, and what each reached (frame)."""
        self.values.extend((reached + self.shift).tolist())
        self.seconds.extend(np.linspace(0.0, time.perf_counter() - self.began, len(reached) + 1)[1:].tolist())
        self.last = self.latest = float(reached[-1])
        if has_converged:
            self.outcome = Outcome.CONVERGED

    def over(self, mixture: Mixture, look: Look) -> Expectation:
        """What a mixture looks like to all rows."""
        return look(self.problem, mixture, len(self.values) + 1)

    def settle(self, reached: float, promise: Callable[[], float] = _no_promise) -> None:
        """A run might end here, and does if what it has gained since it last might have, and is to gain, is little.

        ``promise`` tells what a step of EM would gain: a step that was too short, or too long, gains little, too. It is
        asked only where that decides.
        """
        weight = self.problem.total_weight
        if self.outcome is Outcome.PASSES_USED_UP and self.stopping.is_met(self.last, reached, weight):
            more = promise()
            hopes = more > 0.0 and not self.stopping.is_met(reached, reached + more, weight)
            self.outcome = self.outcome if hopes else Outcome.CONVERGED
        self.last = reached

    def rest(self) -> None:
        """A run ends with passes left, since no step of its solver leads higher any more."""
        if self.are_left:
            self.outcome = Outcome.CONVERGED

    def record(
        self,
        reached: float,
        mixture: Mixture,
        is_settled: bool = True,
        promise: Callable[[], float] = _no_promise,
    ) -> None:
        """A pass is over: what has been reached (frame), the mixture to go on from, and whether it may end here."""
        self.values.append(reached + self.shift)
        self.seconds.append(time.perf_counter() - self.began)
        self.floored += int(mixture.covariance.floored.any())
        if self.observer is not None:
            self.observer(len(self.values), reached + self.shift, reached - self.latest)
        self.latest = reached
        if is_settled:
            self.settle(reached, promise)
        if self.outcome is Outcome.PASSES_USED_UP and self.forbearance is not None:
            self.outcome = Outcome.LEFT_BEHIND if self.floored >= self.forbearance else self.outcome
