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
from gaussmix.model.mixture import Mixture
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.solvers.base import SolverState
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.solvers.em.trial_mixtures import make_trial_mixture
from gaussmix.types import Array

_MAX_PAIRS = 10
_INITIAL_MAX_LENGTH, _LENGTH_GROWTH, _LENGTH_SHRINKAGE = (
    4.0,
    2.0,
    0.25,
)  # of a trial, in steps of EM; and how trials change what is allowed
_DAMPING_BASE, _DAMPING_SHIFT = 1.2, 25.0  # of the damping, after Henderson & Varadhan (2019, section 3.2)

IteratePair = tuple[Array, Array]


@dataclass(frozen=True)
class _AndersonState(SolverState):
    """``pairs`` of numbers and what EM makes of them, and how many trials were taken in a row.

    A trial, ``asked``, is ``length`` times as far from EM's step as that is long; ``longest`` is what is allowed.
    """

    coordinates: MixtureParametrization | None = None
    pairs: tuple[IteratePair, ...] = ()
    success_count: float = 0.0
    proposal_length: float = 0.0
    max_length: float = _INITIAL_MAX_LENGTH


@dataclass(frozen=True)
class AndersonAcceleration(EMBasedSolver):
    """One pass a step; the likelihood never falls."""

    em: EM
    max_pairs: int = _MAX_PAIRS

    def init(self, start: Mixture) -> SolverState:
        return _AndersonState(start)

    def step(self, state: SolverState, expectation: Expectation) -> SolverState:
        assert isinstance(state, _AndersonState)
        here, value = state.next_mixture, self.objective(state.next_mixture, expectation)
        successes, longest = state.success_count, state.max_length
        if state.proposal is not None and state.objective is not None:
            if not value >= state.objective:
                return replace(
                    state,
                    proposal=None,
                    can_stop=False,
                    success_count=0.5 * successes,
                    max_length=_LENGTH_SHRINKAGE * state.proposal_length,
                )
            successes += 1.0
            longest = max(longest, _LENGTH_GROWTH * state.proposal_length)
        updated = self.m_step(here, expectation)
        coordinates, pairs = state.coordinates, state.pairs
        if coordinates is None or len(pairs) > self.max_pairs:
            coordinates, pairs = MixtureParametrization.from_origin(here, expectation.total_weight), ()
        pairs = (*pairs, (coordinates.to_vector(here), coordinates.to_vector(updated)))
        found, length = self._extrapolate(coordinates, pairs, successes, longest)
        left = pairs[-1][1] - pairs[-1][0]
        promise = 0.5 * float(left @ left)
        return _AndersonState(updated, found, value, True, promise, coordinates, pairs, successes, length, longest)

    def _extrapolate(
        self,
        coordinates: MixtureParametrization,
        pairs: tuple[IteratePair, ...],
        success_count: float,
        max_length: float,
    ) -> tuple[Mixture | None, float]:
        """Where to look next, and how far beyond EM's step that is, in lengths of this."""
        if len(pairs) < 2:
            return None, 0.0
        before, after = (np.array(part) for part in zip(*pairs, strict=True))
        left = after - before
        changes, moves = np.diff(left, axis=0).T, np.diff(after, axis=0).T
        beyond = -moves @ linalg.norm_limited_least_squares(
            changes, left[-1], 1.0 / (1.0 + _DAMPING_BASE ** (_DAMPING_SHIFT - success_count))
        )
        size, own = float(np.linalg.norm(beyond)), float(np.linalg.norm(left[-1]))
        if not size > 0.0 or not own > 0.0:
            return None, 0.0
        if beyond @ left[-1] < 0:  # steps grow: what they would cancel at lies behind, a saddle
            beyond = -beyond
        length = min(size / own, max_length)
        return make_trial_mixture(self.em, coordinates, after[-1] + beyond * (length * own / size)), length
