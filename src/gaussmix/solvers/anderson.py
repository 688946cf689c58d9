"""Anderson acceleration: the next mixture is the combination of the last ones whose steps of EM would cancel.

With numbers x_i of the last mixtures, f_i = F(x_i) those that EM makes of them and r_i = f_i - x_i, the next is
f_t - sum_i g_i (f_(i+1) - f_i), where g makes r_t - sum_i g_i (r_(i+1) - r_i) as short as can be, but no longer than
``damping`` allows (Walker & Ni, "Anderson acceleration for fixed-point iterations", SIAM J. Numer. Anal. 49, 2011;
Henderson & Varadhan, "Damped Anderson acceleration with restarts and monotonicity control for accelerating EM and
EM-like algorithms", J. Comput. Graph. Stat. 28, 2019). It is taken only if the likelihood there is no lower; else EM's
own step is, which costs a pass. Lengths are those of Fisher's information (``model/coordinates.py``).
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.expectation import Expectation
from gaussmix.model.coordinates import Coordinates
from gaussmix.model.mixture import Mixture
from gaussmix.solvers.base import State
from gaussmix.solvers.em import EM, AroundEM
from gaussmix.solvers.trials import trial
from gaussmix.types import Array

_MEMORY = 10
_LONGEST, _GROWTH, _SHRINKAGE = 4.0, 2.0, 0.25  # of a trial, in steps of EM; and how trials change what is allowed
_BASE, _SHIFT = 1.2, 25.0  # of the damping, after Henderson & Varadhan (2019, section 3.2)

Pair = tuple[Array, Array]


@dataclass(frozen=True)
class _Memory(State):
    """``pairs`` of numbers and what EM makes of them, and how many trials were taken in a row.

    A trial, ``asked``, is ``length`` times as far from EM's step as that is long; ``longest`` is what is allowed.
    """

    coordinates: Coordinates | None = None
    pairs: tuple[Pair, ...] = ()
    successes: float = 0.0
    length: float = 0.0
    longest: float = _LONGEST


@dataclass(frozen=True)
class Anderson(AroundEM):
    """One pass a step; the likelihood never falls."""

    em: EM
    memory: int = _MEMORY

    def init(self, model: Mixture) -> State:
        return _Memory(model)

    def step(self, state: State, expectation: Expectation) -> State:
        assert isinstance(state, _Memory)
        here, value = state.next, self.reached(state.next, expectation)
        successes, longest = state.successes, state.longest
        if state.asked is not None and state.reached is not None:
            if not value >= state.reached:
                return replace(
                    state, asked=None, is_settled=False, successes=0.5 * successes, longest=_SHRINKAGE * state.length
                )
            successes += 1.0
            longest = max(longest, _GROWTH * state.length)
        updated = self.updated(here, expectation)
        coordinates, pairs = state.coordinates, state.pairs
        if coordinates is None or len(pairs) > self.memory:
            coordinates, pairs = Coordinates.about(here, expectation.total_weight), ()
        pairs = (*pairs, (coordinates.vector(here), coordinates.vector(updated)))
        found, length = self._combined(coordinates, pairs, successes, longest)
        left = pairs[-1][1] - pairs[-1][0]
        promise = 0.5 * float(left @ left)
        return _Memory(updated, found, value, True, promise, coordinates, pairs, successes, length, longest)

    def _combined(
        self, coordinates: Coordinates, pairs: tuple[Pair, ...], successes: float, longest: float
    ) -> tuple[Mixture | None, float]:
        """Where to look next, and how far beyond EM's step that is, in lengths of this."""
        if len(pairs) < 2:
            return None, 0.0
        before, after = (np.array(part) for part in zip(*pairs, strict=True))
        left = after - before
        changes, moves = np.diff(left, axis=0).T, np.diff(after, axis=0).T
        beyond = -moves @ linalg.damped_shares(changes, left[-1], 1.0 / (1.0 + _BASE ** (_SHIFT - successes)))
        size, own = float(np.linalg.norm(beyond)), float(np.linalg.norm(left[-1]))
        if not size > 0.0 or not own > 0.0:
            return None, 0.0
        if beyond @ left[-1] < 0:  # steps grow: what they would cancel at lies behind, a saddle
            beyond = -beyond
        length = min(size / own, longest)
        return trial(self.em, coordinates, after[-1] + beyond * (length * own / size)), length
