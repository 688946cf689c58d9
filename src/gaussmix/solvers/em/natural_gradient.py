"""Natural gradient ascent: EM steps made longer or shorter.

Write s for the sufficient statistics of the mixture (mass, mean and scatter of each component), and s' for those under
the responsibilities. The Fisher information of rows with known components turns the gradient of the log-likelihood
into s' - s (Amari, "Natural gradient works efficiently in learning", Neural Computation 10, 1998; Sato, "Fast learning
of on-line EM algorithm", 1999). So

    s <- s + rate (s' - s),    followed by the M-step

is a step along the natural gradient, and rate = 1 is an EM step. Rates of up to 2 converge near a maximum, and faster
the more the components overlap (Salakhutdinov & Roweis, "Adaptive overrelaxed bound optimization methods", ICML 2003).
Here the rate grows while the likelihood rises. Where it falls, an EM step is made instead.
"""

from dataclasses import dataclass
from typing import NamedTuple

from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import Moments
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.acceleration import AcceleratedEM, AcceleratedState, is_finite_and_above_floor
from gaussmix.solvers.em.em import EM

_RATE_GROWTH = 1.1  # factor of the rate after an accepted step
_MAX_LEARNING_RATE = 1.5  # with larger rates, directions in which EM converges at once oscillate
_MIN_RATE_TO_TRY = 1.01  # smaller rates above 1 are not worth a proposal


@dataclass(frozen=True)
class _NaturalGradientState(AcceleratedState):
    """The statistics of the next mixture.

    ``proposal_moments`` belong to the next mixture, ``em_moments`` to the EM step. Without a proposal the two are the
    same. ``learning_rate`` is that of the proposal, at most ``max_learning_rate``.
    """

    proposal_moments: Moments | None = None
    em_moments: Moments | None = None
    learning_rate: float = 1.0
    max_learning_rate: float = _MAX_LEARNING_RATE


class _ProposedUpdate(NamedTuple):
    """A mixture to try next, and its moments; without a mixture, the moments of the EM step."""

    mixture: Mixture | None
    moments: Moments


@dataclass(frozen=True)
class NaturalGradient(AcceleratedEM[_NaturalGradientState]):
    """Natural gradient ascent with one E-step an iteration; the objective never falls."""

    em: EM
    learning_rate: float = _RATE_GROWTH

    def init(self, start: Mixture, problem: Problem, max_iter: int) -> _NaturalGradientState:
        """Return the state of the start, with the first learning rate."""
        max_rate = max(_MAX_LEARNING_RATE, self.learning_rate)
        return _NaturalGradientState(start, learning_rate=self.learning_rate, max_learning_rate=max_rate)

    def step(self, state: _NaturalGradientState, expectation: Expectation) -> _NaturalGradientState:
        """Return the state after an EM step with a longer proposal, or that after rejecting the last proposal."""
        mixture = state.mixture_to_evaluate
        objective = self.penalized_log_likelihood(mixture, expectation)
        rate, max_rate, gain = state.learning_rate, state.max_learning_rate, 0.0
        if state.proposal is not None:
            if not objective >= state.objective:
                return _state_after_rejection(state)
            gain = (objective - state.objective) / rate if rate < 1.0 else 0.0
            rate = min(_RATE_GROWTH * rate, max_rate)
        em_moments = expectation.moments
        proposal, moments = None, em_moments
        if state.proposal_moments is not None and (rate < 1.0 or rate > _MIN_RATE_TO_TRY):
            proposal, moments = self._propose_overrelaxed_update(mixture, state.proposal_moments, expectation, rate)
        return _NaturalGradientState(
            self.m_step(mixture, expectation),
            objective,
            proposal=proposal,
            predicted_gain=gain,
            proposal_moments=moments,
            em_moments=em_moments,
            learning_rate=rate,
            max_learning_rate=max_rate,
        )

    def _propose_overrelaxed_update(
        self, mixture: Mixture, previous_moments: Moments, expectation: Expectation, learning_rate: float
    ) -> _ProposedUpdate:
        """Return the mixture after a step of this rate; none if a mass is not positive or a variance is floored."""
        em_moments = expectation.moments
        if not ((1.0 - learning_rate) * previous_moments.mass + learning_rate * em_moments.mass > 0).all():
            return _ProposedUpdate(None, em_moments)
        moments = previous_moments.interpolate(em_moments, learning_rate)
        proposal = self.m_step(mixture, expectation.with_moments(moments))
        is_proposed = is_finite_and_above_floor(proposal, self.em)
        return _ProposedUpdate(proposal, moments) if is_proposed else _ProposedUpdate(None, em_moments)


def _state_after_rejection(state: _NaturalGradientState) -> _NaturalGradientState:
    """Return the state after a rejected proposal: the EM step is evaluated next, and rates stay smaller from now on."""
    max_rate = 0.5 * (1.0 + state.learning_rate)
    return _NaturalGradientState(
        state.model,
        state.objective,
        can_stop=False,
        proposal_moments=state.em_moments,
        learning_rate=min(_RATE_GROWTH, max_rate),
        max_learning_rate=max_rate,
    )
