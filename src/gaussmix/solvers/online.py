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
from gaussmix.core.frame import Extent
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.outcome import Outcome, Trace
from gaussmix.covariance import AbstractLimit, NormalInverseWishart, Ridge, family
from gaussmix.engines.base import AbstractEngine
from gaussmix.model import posterior
from gaussmix.model.held import Held
from gaussmix.model.implied import implied
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import kind_beside, shares
from gaussmix.model.problem import Problem, flat, limit_of
from gaussmix.solvers.base import State
from gaussmix.solvers.em import EM
from gaussmix.solvers.fit import Fit, notes_on
from gaussmix.solvers.run import Run
from gaussmix.sources.base import AbstractSource

FORGETTING, AVERAGING = 10.0, 3.0
"""In the running sum, and in the average of such sums, a chunk counts as this power less one of how many rows came
before it. 1 would count all alike, and never forget how it began; of the first half of the rows 10 leaves a thousandth
of the weight, 3 an eighth."""

MOST_TRACED = 1000
"""Chunks of which the trace tells, the last ones: what is remembered does not grow with the data."""


@dataclass(frozen=True)
class Seen:
    """What is remembered of the rows seen so far, in the frame of the first of them; no row.

    ``total`` and ``extent`` are those of all rows as one group; ``moments`` are the running sums, ``averaged`` their
    average, per unit of weight, and ``leading`` the mixture of the running sums. None of them after a fit, which is one
    chunk: the fitted mixture leads, and implies the sums. ``limit`` and ``prior`` keep covariances usable.
    """

    total: Moments
    extent: Extent
    limit: AbstractLimit
    prior: NormalInverseWishart | None = None
    held: Held | None = None
    moments: Moments | None = None
    averaged: Moments | None = None
    leading: Mixture | None = None
    n_chunks: int = 1

    @classmethod
    def after(cls, problem: Problem, held: Held | None) -> "Seen":
        """What a fit to all rows of a problem leaves to remember."""
        return cls(problem.total, problem.extent, problem.family.limit, problem.family.prior, held)

    @property
    def weight(self) -> float:
        return float(self.total.mass[0])


@dataclass(frozen=True)
class Learned:
    """The mixture after a chunk, what is to be remembered, and what the leading mixture before made of the chunk."""

    mixture: Mixture
    seen: Seen
    chunk: Problem
    found: Expectation

    @property
    def bound(self) -> float:
        """Mean log-likelihood of the chunk per row, in the data's units, before its step."""
        return self.found.log_likelihood / self.chunk.total_weight + self.mixture.frame.log_volume


def learned(mixture: Mixture, seen: Seen, source: AbstractSource, engine: AbstractEngine) -> Learned:
    """One pass over a chunk, its moments taken into the running sum, that into the average, and a step on each.

    Raises
    ------
    DataError
        If a row lies so far away that its density cannot be represented; nothing is learned then.
    """
    leading = seen.leading or mixture
    quadratics = leading.to_quadratics()
    with np.errstate(over="ignore", invalid="ignore"):
        chunk = _chunk(mixture, seen, source, engine)
        found = chunk.expect(quadratics, kind_beside(mixture.noise, chunk.family.kind))
    if not np.isfinite(found.log_likelihood):
        posterior.log_density(quadratics, chunk.source, engine)
    kind, total = found.moments.kind, seen.total + chunk.total
    left = seen.weight / float(total.mass[0])
    fresh = found.moments.scale(1.0 / chunk.total_weight)
    moments = _mixed(seen.moments or implied(mixture, kind), fresh, left**FORGETTING)
    averaged = _mixed(seen.averaged or implied(mixture, kind), moments, left**AVERAGING)
    now = replace(seen, total=total, extent=seen.extent + chunk.extent, n_chunks=seen.n_chunks + 1)
    now = replace(now, moments=moments, averaged=averaged, limit=_limit(mixture, now))
    solver = EM(family(mixture.structure, now.limit, now.prior), now.held)
    leading, averaging = (
        solver.step(State(last), replace(found, moments=sums.scale(now.weight))).mixture
        for last, sums in ((leading, moments), (mixture, averaged))
    )
    return Learned(averaging, replace(now, leading=leading), chunk, found)


def _mixed(old: Moments, new: Moments, left: float) -> Moments:
    """What is left of old sums, and new ones for the rest."""
    return old.scale(left) + new.scale(1.0 - left)


def _chunk(mixture: Mixture, seen: Seen, source: AbstractSource, engine: AbstractEngine) -> Problem:
    """A chunk as a problem in the frame of the mixture."""
    framed = source.framed(mixture.frame)
    extent = framed.reduce(lambda batch: Extent.of(batch.counted))
    middle = 0.5 * extent.low + 0.5 * extent.high  # far from the frame's centre sums about that would cancel
    total = engine.sweep(framed.reduce, flat(middle[None]), MomentKind.DIAGONAL).moments
    own = family(mixture.structure, seen.limit, seen.prior)
    return Problem(framed, own, engine, total, extent, mixture.feature_names)


def _limit(mixture: Mixture, seen: Seen) -> AbstractLimit:
    """The floor that the variances seen so far set; with noise that of the first rows, which no lonely row raises."""
    if isinstance(seen.limit, Ridge) or mixture.noise is not None:
        return seen.limit
    return limit_of(mixture.frame, seen.total, mixture.structure, None)


def begun(first: Fit) -> Fit:
    """The record of a fit to the first chunk, as one that is to be gone on from."""
    trace = Trace(first.trace.log_likelihood[-1:], first.trace.seconds[-1:])
    return replace(first, outcome=Outcome.ONLINE, trace=trace)


def recorded(before: Fit, step: Learned, seconds: float) -> Fit:
    """The record after a step: log-likelihood, bound and entropy are those of the chunk before it."""
    mixture, chunk, found = step.mixture, step.chunk, step.found
    log_likelihood, last = step.bound * chunk.total_weight, before.trace.seconds[-1:].sum()
    trace = Trace(
        np.append(before.trace.log_likelihood, log_likelihood)[-MOST_TRACED:],
        np.append(before.trace.seconds, last + seconds)[-MOST_TRACED:],
    )
    masses = step.seen.weight * shares(mixture.weights, mixture.noise)[: mixture.n_components]
    everything = replace(chunk, total=step.seen.total, extent=step.seen.extent)
    told = notes_on(everything, masses, Run(mixture, trace, Outcome.ONLINE, 0))
    return replace(
        before,
        outcome=Outcome.ONLINE,
        trace=trace,
        log_likelihood=log_likelihood,
        bound=step.bound,
        entropy=found.entropy,
        seconds=before.seconds + seconds,
        mixture=mixture,
        masses=masses,
        share_computed=found.share_computed,
        notes=(f"It has seen {step.seen.n_chunks} chunks, of weight {step.seen.weight:.10g} together.", *told),
    )
