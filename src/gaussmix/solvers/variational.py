"""Variational Bayes: EM between what is believed of the parameters and what is believed of the rows.

Each row shares itself out by expected log densities (the pass), and the posterior learns from the moments (the step);
neither can lower the bound on the log evidence (Bishop, *Pattern Recognition and Machine Learning*, 2006, section
10.2). A ridge is scikit-learn's addition and no part of the model: with one the bound may fall, by as little as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.blas import calm_blas
from gaussmix.core.expectation import Expectation
from gaussmix.core.outcome import Outcome, Trace
from gaussmix.errors.words import counted
from gaussmix.model.concentration import DirichletProcess
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.model.variational import Posterior, Prior
from gaussmix.solvers.passes import Observer, Passes
from gaussmix.solvers.stopping import Stopping
from gaussmix.types import K

_RESOLUTION = 9  # digits of a share of the rows that decide which component is the larger
_IDLE = 0.5  # a component of less mass than this describes no row


@dataclass(frozen=True)
class VariationalRun:
    """What one run from one start left behind; its trace holds bounds without their constants, in the data's units."""

    posterior: Posterior
    trace: Trace
    outcome: Outcome

    @property
    def last_bound(self) -> float:
        """The bound after the last pass; minus infinity without a pass."""
        return float(self.trace.log_likelihood[-1]) if len(self.trace) else -np.inf


def learned_from(start: Mixture, problem: Problem, prior: Prior) -> Posterior:
    """The posterior after one pass of a mixture: where a run begins.

    A process believes the first components to be the largest, and so they become.
    """
    moments = problem.expect(start.to_quadratics()).moments
    if isinstance(prior.concentration, DirichletProcess):
        shares = np.round(moments.mass / moments.mass.sum(), _RESOLUTION)
        moments = moments.permute(np.argsort(-shares, kind="stable"))
    return prior.posterior(moments)


def run_variational(
    start: Posterior,
    problem: Problem,
    stopping: Stopping,
    observer: Observer | None = None,
    previous: float = -np.inf,
) -> VariationalRun:
    """Pass and learn until the stopping rule is met or its passes are used up.

    ``previous`` is the bound (data units, without constants) that an earlier run ended with.
    """
    passes = Passes(problem, stopping, stopping.max_passes, -np.inf, observer)
    passes.last = previous - passes.shift
    posterior = start
    with calm_blas(problem.source.n_features):
        while passes.are_left:
            expectation = problem.expect(posterior.quadratics)
            posterior = posterior.prior.posterior(expectation.moments)
            passes.record(posterior.relative_bound(expectation.entropy), posterior.mixture)
    return VariationalRun(posterior, passes.trace, passes.outcome)


def best_bound(runs: Sequence[VariationalRun]) -> VariationalRun:
    """The run with the highest last bound; the first of equals."""
    return max(runs, key=lambda run: run.last_bound)


@dataclass(frozen=True)
class VariationalFit:
    """The record of a variational fit; ``print(estimator.fit_)`` reads as a paragraph.

    ``bound`` is the evidence lower bound of the returned posterior with all its constants, in nats and the data's
    units: the log evidence of the rows is at least that. It is minus infinity where ``covariance_prior`` is singular.
    ``divergence`` is the Kullback-Leibler divergence of the posterior of the parameters from their prior, ``entropy``
    that of the responsibilities, and ``masses`` (K,) are these summed over the weighted rows. ``trace`` holds what
    ``lower_bounds_`` holds, the bound after each pass without its constants.
    """

    outcome: Outcome
    trace: Trace
    bound: float
    divergence: float
    entropy: float
    seconds: float
    mixture: Mixture = field(repr=False)
    masses: K = field(repr=False)
    share_computed: float
    notes: tuple[str, ...]

    @property
    def converged(self) -> bool:
        return self.outcome is Outcome.CONVERGED

    @property
    def n_active(self) -> int:
        """Components that describe at least half a row."""
        return int((self.masses >= _IDLE).sum())

    def __str__(self) -> str:
        passes = counted(len(self.trace), "pass")
        summary = f"{passes} in {self.seconds:.2g} s, log evidence at least {self.bound:.10g}."
        return " ".join([str(self.outcome), summary, *self.notes])


def evaluated(winner: VariationalRun, problem: Problem, seconds: float) -> VariationalFit:
    """Evaluate the returned posterior in one more pass, and put what happened into words."""
    posterior = winner.posterior
    expectation = problem.expect(posterior.quadratics)
    divergence = posterior.divergence
    log_likelihood = expectation.log_likelihood + problem.total_weight * problem.source.frame.log_volume
    return VariationalFit(
        outcome=winner.outcome,
        trace=winner.trace,
        bound=log_likelihood - divergence,
        divergence=divergence,
        entropy=expectation.entropy,
        seconds=seconds,
        mixture=posterior.mixture,
        masses=expectation.moments.mass,
        share_computed=expectation.share_computed,
        notes=tuple(_notes(expectation, divergence)),
    )


def _notes(expectation: Expectation, divergence: float) -> list[str]:
    notes = []
    idle = int((expectation.moments.mass < _IDLE).sum())
    if idle:
        verb = "is" if idle == 1 else "are"
        notes.append(f"{idle} of {len(expectation.moments.mass)} components {verb} left to the prior, without rows.")
    if divergence == np.inf:
        notes.append("The prior's covariance is singular, so the evidence has no bound; covariance_prior sets another.")
    return notes
