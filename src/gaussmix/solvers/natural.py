"""Natural gradient: a step of EM, longer or shorter.

With sufficient statistics s of an exponential family (here mass, mean and scatter of each component), Fisher's
information of rows whose components were known turns the gradient of the log-likelihood into s' - s, where s' are
the moments under the responsibilities (Amari, "Natural gradient works efficiently in learning", Neural Computation 10,
1998; Sato, "Fast learning of on-line EM algorithm", 1999). So

    s <- s + rate (s' - s),    then the parameters that s stands for (the M-step)

is a step along the natural gradient, and rate = 1 gives s = s': a step of EM. Rates of up to 2 still converge near
a maximum, faster the more components overlap (Salakhutdinov & Roweis, "Adaptive overrelaxed bound optimization
methods", ICML 2003). Here the rate grows as long as the likelihood rises; where it falls, a step of EM is made instead.
"""

from dataclasses import dataclass, replace

from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import Moments
from gaussmix.model.mixture import Mixture
from gaussmix.solvers.base import State
from gaussmix.solvers.em import EM, AroundEM
from gaussmix.solvers.trials import is_clear

_GROWTH, _MOST = 1.1, 1.5  # of the rate, with each step that gained; beyond, what EM settles at once swings
_LEAST = 1.01  # a longer step that is worth trying


@dataclass(frozen=True)
class _Relaxed(State):
    """``moments`` are those that the mixture to look at next stands for, ``own`` those that it would under EM.

    Where it is ``asked``, its step had another ``rate`` than 1, which is ``most`` at most.
    """

    moments: Moments | None = None
    own: Moments | None = None
    rate: float = 1.0
    most: float = _MOST


@dataclass(frozen=True)
class Natural(AroundEM):
    """One pass a step, the first longer ones with ``rate``; the likelihood never falls."""

    em: EM
    rate: float = _GROWTH

    def init(self, model: Mixture) -> State:
        return _Relaxed(model, rate=self.rate, most=max(_MOST, self.rate))

    def step(self, state: State, expectation: Expectation) -> State:
        assert isinstance(state, _Relaxed)
        here, value = state.next, self.reached(state.next, expectation)
        rate, most, promise = state.rate, state.most, 0.0
        if state.asked is not None and state.reached is not None:
            if not value >= state.reached:  # too far: back to where EM's step led, and never so far again
                most = 0.5 * (1.0 + rate)
                return _Relaxed(
                    state.mixture, None, state.reached, False, 0.0, state.own, None, min(_GROWTH, most), most
                )
            promise = (value - state.reached) / rate if rate < 1.0 else 0.0
            rate = min(_GROWTH * rate, most)
        updated, own = self.updated(here, expectation), expectation.moments
        found, moved = None, own
        if state.moments is not None and (rate < 1.0 or rate > _LEAST):
            found, moved = self._stood_for(here, state.moments, expectation, rate)
        return _Relaxed(updated, found, value, True, promise, moved, own, rate, most)

    def _stood_for(
        self, here: Mixture, before: Moments, expectation: Expectation, rate: float
    ) -> tuple[Mixture | None, Moments]:
        """The mixture that moments stand for after a step, and these; None where they are those of no rows."""
        own = expectation.moments
        if not ((1.0 - rate) * before.mass + rate * own.mass > 0).all():
            return None, own
        moved = before.toward(own, rate)
        found = self.updated(here, replace(expectation, moments=moved))
        return (found, moved) if is_clear(found, self.em) else (None, own)
