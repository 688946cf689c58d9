"""``auto``: EM, until its first passes show that it converges slowly; then Anderson acceleration.

Near a maximum each pass of EM gains a fixed share of what the one before gained. From that share follows how many more
passes EM would need until a pass gains ``_LITTLE`` of a nat per row; where these are few, nothing is worth trying.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.model.mixture import Mixture
from gaussmix.solvers.anderson import Anderson
from gaussmix.solvers.base import State
from gaussmix.solvers.em import EM, AroundEM
from gaussmix.types import Array

_LITTLE = 1e-7
_MANY = 8  # passes that EM may still take


@dataclass(frozen=True)
class _Watching(State):
    """The last values, and the state of the acceleration once it has begun."""

    values: tuple[float, ...] = ()
    inner: State | None = None


@dataclass(frozen=True)
class Switching(AroundEM):
    """One pass a step; the likelihood never falls."""

    em: EM

    def init(self, model: Mixture) -> State:
        return _Watching(model)

    def step(self, state: State, expectation: Expectation) -> State:
        assert isinstance(state, _Watching)
        faster = Anderson(self.em)
        if state.inner is not None:
            return _shown(faster.step(state.inner, expectation))
        here = state.next
        values = (*state.values[-2:], self.reached(here, expectation))
        if len(state.values) + 1 >= 3 and remaining(np.array(values), expectation.total_weight) > _MANY:
            return _shown(faster.step(faster.init(here), expectation))
        return _Watching(self.updated(here, expectation), reached=values[-1], values=values)


def _shown(inner: State) -> _Watching:
    return _Watching(inner.mixture, inner.asked, inner.reached, inner.is_settled, inner.promise, inner=inner)


def remaining(values: Array, weight: float) -> float:
    """How many more passes EM would need, from the last three values (frame) and the weight of the rows."""
    before, last = np.diff(values[-3:]) / weight
    if not last > _LITTLE:
        return 0.0
    share = last / before if before > 0 else 1.0
    return np.inf if share >= 1.0 else float(np.log(_LITTLE / last) / np.log(share))
