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

from dataclasses import dataclass

from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import Moments
from gaussmix.model.mixture import Mixture
from gaussmix.solvers.base import SolverState
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.solvers.em.trial_mixtures import is_above_floor

_RATE_GROWTH, _MAX_LEARNING_RATE = (
    1.1,
    1.5,
)  # of the rate, with each step that gained; beyond, what EM settles at once swings
_MIN_RATE_TO_TRY = 1.01  # a longer step that is worth trying


@dataclass(frozen=True)
class _NaturalGradientState(SolverState):
    """``moments`` are those that the mixture to look at next stands for, ``own`` those that it would under EM.

    Where it is ``asked``, its step had another ``rate`` than 1, which is ``most`` at most.
    """

    proposal_moments: Moments | None = None
    em_moments: Moments | None = None
    learning_rate: float = 1.0
    max_learning_rate: float = _MAX_LEARNING_RATE


@dataclass(frozen=True)
class NaturalGradient(EMBasedSolver):
    """One pass a step, the first longer ones with ``rate``; the likelihood never falls."""

    em: EM
    learning_rate: float = _RATE_GROWTH

    def init(self, start: Mixture) -> SolverState:
        return _NaturalGradientState(
            start, learning_rate=self.learning_rate, max_learning_rate=max(_MAX_LEARNING_RATE, self.learning_rate)
        )

    def step(self, state: SolverState, expectation: Expectation) -> SolverState:
        assert isinstance(state, _NaturalGradientState)
        here, value = state.next_mixture, self.objective(state.next_mixture, expectation)
        rate, most, promise = state.learning_rate, state.max_learning_rate, 0.0
        if state.proposal is not None and state.objective is not None:
            if not value >= state.objective:  # too far: back to where EM's step led, and never so far again
                most = 0.5 * (1.0 + rate)
                return _NaturalGradientState(
                    state.mixture,
                    None,
                    state.objective,
                    False,
                    0.0,
                    state.em_moments,
                    None,
                    min(_RATE_GROWTH, most),
                    most,
                )
            promise = (value - state.objective) / rate if rate < 1.0 else 0.0
            rate = min(_RATE_GROWTH * rate, most)
        updated, own = self.m_step(here, expectation), expectation.moments
        found, moved = None, own
        if state.proposal_moments is not None and (rate < 1.0 or rate > _MIN_RATE_TO_TRY):
            found, moved = self._overrelaxed_update(here, state.proposal_moments, expectation, rate)
        return _NaturalGradientState(updated, found, value, True, promise, moved, own, rate, most)

    def _overrelaxed_update(
        self, mixture: Mixture, previous_moments: Moments, expectation: Expectation, learning_rate: float
    ) -> tuple[Mixture | None, Moments]:
        """The mixture that moments stand for after a step, and these; None where they are those of no rows."""
        own = expectation.moments
        if not ((1.0 - learning_rate) * previous_moments.mass + learning_rate * own.mass > 0).all():
            return None, own
        moved = previous_moments.interpolate(own, learning_rate)
        found = self.m_step(mixture, expectation.with_moments(moved))
        return (found, moved) if is_above_floor(found, self.em) else (None, own)
