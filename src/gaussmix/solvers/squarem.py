"""SQUAREM: two steps of EM tell how fast it converges, and a third goes as far as many would.

With the numbers of a mixture about x_0 (``model/coordinates.py``), r = F(x_0) - x_0 and v = F(F(x_0)) - F(x_0) - r,
the third goes to x_0 + 2 a r + a^2 v with a = |r| / |v| (Varadhan & Roland, "Simple and globally convergent methods
for accelerating the convergence of any EM algorithm", Scandinavian J. Statistics 35, 2008, scheme S3). It is taken only
if the likelihood there is no lower; a step of EM follows. As the numbers are in units of the Fisher information,
|r| and |v| do not depend on the units of the data.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.model.coordinates import Coordinates
from gaussmix.model.mixture import Mixture
from gaussmix.solvers.base import State
from gaussmix.solvers.em import EM, AroundEM
from gaussmix.solvers.trials import trial
from gaussmix.types import Array

_GROWTH = 4.0  # of the longest step that is allowed, whenever one was as long as that


@dataclass(frozen=True)
class _Cycle(State):
    """``coordinates`` about the mixture that a cycle began at, and where its ``first`` step of EM led.

    A trial, ``asked``, is ``length`` steps long; ``longest`` is what is allowed.
    """

    coordinates: Coordinates | None = None
    first: Array | None = None
    length: float = 1.0
    longest: float = _GROWTH


@dataclass(frozen=True)
class Squarem(AroundEM):
    """Cycles of three passes; the likelihood never falls."""

    em: EM

    def init(self, model: Mixture) -> State:
        return _Cycle(model)

    def step(self, state: State, expectation: Expectation) -> State:
        assert isinstance(state, _Cycle)
        here, value = state.next, self.reached(state.next, expectation)
        longest = state.longest
        if state.asked is not None and state.reached is not None:
            was_longest = state.length >= longest
            if not value >= state.reached:
                shorter = max(_GROWTH, longest / _GROWTH) if was_longest else longest
                return _Cycle(state.mixture, None, state.reached, False, longest=shorter)
            longest = _GROWTH * longest if was_longest else longest
        updated = self.updated(here, expectation)
        if state.asked is None and state.coordinates is not None:
            return self._leaped(state, updated, value)
        about = Coordinates.about(here, expectation.total_weight)
        first = about.vector(updated)
        return _Cycle(updated, None, value, True, 0.5 * float(first @ first), about, first, longest=longest)

    def _leaped(self, state: _Cycle, updated: Mixture, value: float) -> State:
        """After two steps of EM: where to look next; where they do not slow down, a new cycle begins."""
        assert state.coordinates is not None
        assert state.first is not None
        bend = state.coordinates.vector(updated) - 2.0 * state.first
        size, bent = float(np.linalg.norm(state.first)), float(np.linalg.norm(bend))
        length = min(state.longest, size / bent) if bent > 0 else state.longest
        found = None
        if length > 1.0:
            found = trial(self.em, state.coordinates, 2.0 * length * state.first + length**2 * bend)
        return _Cycle(updated, found, value, True, length=length, longest=state.longest)
