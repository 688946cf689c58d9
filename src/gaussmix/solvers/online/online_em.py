"""Online EM: a step after each chunk of the rows, from sums of moments in which older chunks count ever less.

The moments of a chunk under a leading mixture are taken into a running sum, ``s <- (1 - g) s + g s(chunk)``, and the
M-step makes the next leading mixture of that (Sato & Ishii, "On-line EM algorithm for the normalized Gaussian network",
Neural Computation 12, 2000; Cappe & Moulines, "On-line expectation-maximization algorithm for latent data models", JRSS
B 71, 2009). Sums that forget soon lead away from a poor beginning, but count few rows; so the mixture that is handed
out is made of an average of these sums, which forgets less (Polyak & Juditsky, SIAM J. Control and Optimization 30,
1992; for online EM see Cappe & Moulines).

Shares are such that a row counts in proportion to a power of how many came before it: the first ones are forgotten, a
fixed part of all rows always counts, and the size of chunks does not matter to it. For chunks of one size, g is about
FORGETTING / t at the t-th. No row is kept.
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.frame import ColumnRange
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.core.quadratics import CentersModel
from gaussmix.covariance import AbstractRegularizer, NormalInverseWishart, RidgeRegularizer, make_covariance_estimator
from gaussmix.engines.base import AbstractEngine
from gaussmix.model import prediction
from gaussmix.model.fixed_parameters import FixedParameters
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture_parameters import expected_moments
from gaussmix.model.noise import all_weights, kind_with_noise
from gaussmix.model.problem import Problem, column_range, make_regularizer
from gaussmix.solvers.base import SolverState
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.fit_record import Fit, collect_notes
from gaussmix.solvers.loop import RunResult
from gaussmix.sources.base import AbstractSource

FORGETTING_EXPONENT, AVERAGING_EXPONENT = 10.0, 3.0
"""In the running sum, and in the average of such sums, a chunk counts as this power less one of how many rows came
before it. 1 would count all alike, and never forget how it began; of the first half of the rows 10 leaves a thousandth
of the weight, 3 an eighth."""

MAX_TRACE_CHUNKS = 1000
"""Chunks of which the trace tells, the last ones: what is remembered does not grow with the data."""


@dataclass(frozen=True)
class OnlineState:
    """What is remembered of the rows seen so far, in the frame of the first of them; no row.

    ``total`` and ``extent`` are those of all rows as one group; ``moments`` are the running sums, ``averaged`` their
    average, per unit of weight, and ``leading`` the mixture of the running sums. None of them after a fit, which is one
    chunk: the fitted mixture leads, and implies the sums. ``limit`` and ``prior`` keep covariances usable.
    """

    total_moments: Moments
    extent: ColumnRange
    limit: AbstractRegularizer
    prior: NormalInverseWishart | None = None
    fixed: FixedParameters | None = None
    running_moments: Moments | None = None
    averaged_moments: Moments | None = None
    leading_mixture: Mixture | None = None
    n_chunks: int = 1

    @classmethod
    def from_problem(cls, problem: Problem, fixed: FixedParameters | None) -> "OnlineState":
        """What a fit to all rows of a problem leaves to remember."""
        return cls(
            problem.total_moments,
            problem.column_range,
            problem.covariance_estimator.regularizer,
            problem.covariance_estimator.prior,
            fixed,
        )

    @property
    def total_weight(self) -> float:
        return float(self.total_moments.mass[0])


@dataclass(frozen=True)
class OnlineStep:
    """The mixture after a chunk, what is to be remembered, and what the leading mixture before made of the chunk."""

    mixture: Mixture
    state: OnlineState
    chunk: Problem
    expectation: Expectation

    @property
    def mean_log_likelihood(self) -> float:
        """Mean log-likelihood of the chunk per row, in the data's units, before its step."""
        return self.expectation.log_likelihood / self.chunk.total_weight + self.mixture.frame.log_abs_det_jacobian


def update_with_chunk(
    mixture: Mixture, state: OnlineState, source: AbstractSource, engine: AbstractEngine
) -> OnlineStep:
    """One pass over a chunk, its moments taken into the running sum, that into the average, and a step on each.

    Raises
    ------
    DataError
        If a row lies so far away that its density cannot be represented; nothing is learned then.
    """
    leading = state.leading_mixture or mixture
    with np.errstate(over="ignore", invalid="ignore"):
        chunk = _chunk_problem(mixture, state, source, engine)
        found = chunk.e_step(leading, kind_with_noise(mixture.noise, chunk.covariance_estimator.moment_kind))
    if not np.isfinite(found.log_likelihood):
        prediction.frame_logpdf(leading, chunk.source, engine)
    kind, total = found.moments.kind, state.total_moments + chunk.total_moments
    left = state.total_weight / float(total.mass[0])
    fresh = found.moments.scale(1.0 / chunk.total_weight)
    moments = _blend_moments(state.running_moments or expected_moments(mixture, kind), fresh, left**FORGETTING_EXPONENT)
    averaged = _blend_moments(
        state.averaged_moments or expected_moments(mixture, kind), moments, left**AVERAGING_EXPONENT
    )
    now = replace(state, total_moments=total, extent=state.extent + chunk.column_range, n_chunks=state.n_chunks + 1)
    now = replace(now, running_moments=moments, averaged_moments=averaged, limit=_updated_limit(mixture, now))
    solver = EM(make_covariance_estimator(mixture.structure, now.limit, now.prior), now.fixed)
    leading, averaging = (
        solver.step(SolverState(last), found.with_moments(sums.scale(now.total_weight))).mixture
        for last, sums in ((leading, moments), (mixture, averaged))
    )
    return OnlineStep(averaging, replace(now, leading_mixture=leading), chunk, found)


def _blend_moments(old: Moments, new: Moments, old_fraction: float) -> Moments:
    """What is left of old sums, and new ones for the rest."""
    return old.scale(old_fraction) + new.scale(1.0 - old_fraction)


def _chunk_problem(mixture: Mixture, state: OnlineState, source: AbstractSource, engine: AbstractEngine) -> Problem:
    """A chunk as a problem in the frame of the mixture."""
    framed = source.with_frame(mixture.frame)
    extent = framed.reduce(column_range)
    middle = 0.5 * extent.minimum + 0.5 * extent.maximum  # far from the frame's centre sums about that would cancel
    total = engine.bind(framed).e_step(CentersModel.uniform(middle[None]), MomentKind.DIAGONAL).moments
    own = make_covariance_estimator(mixture.structure, state.limit, state.prior)
    return Problem(framed, own, engine, total, extent, mixture.feature_names)


def _updated_limit(mixture: Mixture, state: OnlineState) -> AbstractRegularizer:
    """The floor that the variances seen so far set; with noise that of the first rows, which no lonely row raises."""
    if isinstance(state.limit, RidgeRegularizer) or mixture.noise is not None:
        return state.limit
    return make_regularizer(mixture.frame, state.total_moments, mixture.structure, None)


def start_online_record(record: Fit) -> Fit:
    """The record of a fit to the first chunk, as one that is to be gone on from."""
    trace = IterationTrace(record.trace.log_likelihoods[-1:], record.trace.seconds[-1:])
    return replace(record, outcome=Outcome.ONLINE, trace=trace)


def update_online_record(record: Fit, step: OnlineStep, seconds: float) -> Fit:
    """The record after a step: log-likelihood, bound and entropy are those of the chunk before it."""
    mixture, chunk, found = step.mixture, step.chunk, step.expectation
    log_likelihood, last = step.mean_log_likelihood * chunk.total_weight, record.trace.seconds[-1:].sum()
    trace = IterationTrace(
        np.append(record.trace.log_likelihoods, log_likelihood)[-MAX_TRACE_CHUNKS:],
        np.append(record.trace.seconds, last + seconds)[-MAX_TRACE_CHUNKS:],
    )
    masses = step.state.total_weight * all_weights(mixture.weights, mixture.noise)[: mixture.n_components]
    everything = replace(chunk, total_moments=step.state.total_moments, column_range=step.state.extent)
    told = collect_notes(everything, masses, RunResult(mixture, trace, Outcome.ONLINE, 0))
    return replace(
        record,
        outcome=Outcome.ONLINE,
        trace=trace,
        log_likelihood=log_likelihood,
        mean_log_likelihood=step.mean_log_likelihood,
        entropy=found.entropy,
        seconds=record.seconds + seconds,
        mixture=mixture,
        masses=masses,
        fraction_computed=found.fraction_computed,
        notes=(f"It has seen {step.state.n_chunks} chunks, of weight {step.state.total_weight:.10g} together.", *told),
    )
