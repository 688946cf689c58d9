"""Variational Bayes: EM between what is believed of the parameters and what is believed of the rows.

Each row shares itself out by expected log densities (the pass), and the posterior learns from the moments (the step);
neither can lower the bound on the log evidence (Bishop, *Pattern Recognition and Machine Learning*, 2006, section
10.2). A ridge is scikit-learn's addition and no part of the model: with one the bound may fall, by as little as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.expectation import Expectation
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.errors.text import format_count
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.model.variational import VariationalPosterior, VariationalPrior
from gaussmix.model.weight_prior import DirichletProcess
from gaussmix.solvers.run_monitor import IterationCallback, RunMonitor
from gaussmix.solvers.stopping import StoppingRule
from gaussmix.types import K

_MASS_ORDER_DECIMALS = 9  # digits of a share of the rows that decide which component is the larger
_MAX_IDLE_MASS = 0.5  # a component of less mass than this describes no row


@dataclass(frozen=True)
class VariationalRunResult:
    """What one run from one start left behind; its trace holds bounds without their constants, in the data's units."""

    posterior: VariationalPosterior
    trace: IterationTrace
    outcome: Outcome

    @property
    def last_bound(self) -> float:
        """The bound after the last pass; minus infinity without a pass."""
        return float(self.trace.log_likelihoods[-1]) if len(self.trace) else -np.inf


def posterior_from_mixture(mixture: Mixture, problem: Problem, prior: VariationalPrior) -> VariationalPosterior:
    """The posterior after one pass of a mixture: where a run begins.

    A process believes the first components to be the largest, and so they become.
    """
    moments = problem.e_step(mixture).moments
    if isinstance(prior.weight_prior, DirichletProcess):
        shares = np.round(moments.mass / moments.mass.sum(), _MASS_ORDER_DECIMALS)
        moments = moments.permute_components(np.argsort(-shares, kind="stable"))
    return prior.compute_posterior(moments)


def run_variational_em(
    start: VariationalPosterior,
    problem: Problem,
    stopping: StoppingRule,
    callback: IterationCallback | None = None,
    previous_bound: float = -np.inf,
) -> VariationalRunResult:
    """Pass and learn until the stopping rule is met or its passes are used up.

    ``previous`` is the bound (data units, without constants) that an earlier run ended with.
    """
    passes = RunMonitor(problem, stopping, stopping.max_iter, -np.inf, callback)
    passes.checked_objective = previous_bound - passes.frame_to_data_shift
    posterior = start
    with limit_blas_threads(problem.source.n_features):
        while passes.should_continue:
            expectation = problem.e_step(posterior)
            posterior = posterior.prior.compute_posterior(expectation.moments)
            passes.record(posterior.sklearn_lower_bound(expectation.entropy), posterior.mixture)
    return VariationalRunResult(posterior, passes.trace, passes.outcome)


def best_variational_run(runs: Sequence[VariationalRunResult]) -> VariationalRunResult:
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
    trace: IterationTrace
    lower_bound: float
    kl_divergence: float
    entropy: float
    seconds: float
    mixture: Mixture = field(repr=False)
    masses: K = field(repr=False)
    fraction_computed: float
    notes: tuple[str, ...]

    @property
    def converged(self) -> bool:
        return self.outcome is Outcome.CONVERGED

    @property
    def n_active_components(self) -> int:
        """Components that describe at least half a row."""
        return int((self.masses >= _MAX_IDLE_MASS).sum())

    def __str__(self) -> str:
        passes = format_count(len(self.trace), "pass")
        summary = f"{passes} in {self.seconds:.2g} s, log evidence at least {self.lower_bound:.10g}."
        return " ".join([str(self.outcome), summary, *self.notes])


def evaluate_variational_run(result: VariationalRunResult, problem: Problem, seconds: float) -> VariationalFit:
    """Evaluate the returned posterior in one more pass, and put what happened into words."""
    posterior = result.posterior
    expectation = problem.e_step(posterior)
    divergence = posterior.kl_divergence
    log_likelihood = expectation.log_likelihood + problem.total_weight * problem.source.frame.log_abs_det_jacobian
    return VariationalFit(
        outcome=result.outcome,
        trace=result.trace,
        lower_bound=log_likelihood - divergence,
        kl_divergence=divergence,
        entropy=expectation.entropy,
        seconds=seconds,
        mixture=posterior.mixture,
        masses=expectation.moments.mass,
        fraction_computed=expectation.fraction_computed,
        notes=tuple(_collect_notes(expectation, divergence)),
    )


def _collect_notes(expectation: Expectation, kl_divergence: float) -> list[str]:
    notes = []
    idle = int((expectation.moments.mass < _MAX_IDLE_MASS).sum())
    if idle:
        verb = "is" if idle == 1 else "are"
        notes.append(f"{idle} of {len(expectation.moments.mass)} components {verb} left to the prior, without rows.")
    if kl_divergence == np.inf:
        notes.append("The prior's covariance is singular, so the evidence has no bound; covariance_prior sets another.")
    return notes
