"""Variational Bayes: EM between the posterior of the parameters and the responsibilities of the rows.

The E-step uses expected log densities, and the step computes the posterior from the moments. Neither can lower the
bound on the log evidence (Bishop, *Pattern Recognition and Machine Learning*, 2006, section 10.2). A ridge is
scikit-learn's addition and no part of the model. With one, the bound may fall, but by no more than the ridge is worth.
"""

from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.errors.text import format_count
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.model.variational import VariationalPosterior, VariationalPrior
from gaussmix.model.weight_prior import DirichletProcess
from gaussmix.solvers.base import AbstractSolver, EStepRequest, SolverState
from gaussmix.solvers.loop import RunResult
from gaussmix.types import K

_MASS_ORDER_DECIMALS = 9  # decimals of a weight that decide which component is the larger
_MAX_IDLE_MASS = 0.5  # a component of smaller mass describes no row


@dataclass(frozen=True)
class _VariationalState(SolverState[VariationalPosterior]):
    """The posterior of the parameters after the last step."""

    @property
    def is_on_floor(self) -> bool:
        """Whether a covariance of the posterior's mixture is at the variance floor."""
        return bool(self.model.mixture.covariance.is_floored.any())


@dataclass(frozen=True)
class VariationalEM(AbstractSolver[VariationalPosterior, _VariationalState]):
    """Variational EM. Its objective is scikit-learn's lower bound, without the constants, after each step."""

    def init(self, start: VariationalPosterior, problem: Problem, max_iter: int) -> _VariationalState:
        """Return the state before the first E-step, with ``start`` as its model."""
        return _VariationalState(start)

    def request(self, state: _VariationalState, problem: Problem) -> EStepRequest:
        """Return the request for moments under the posterior's expected log densities."""
        return EStepRequest.from_problem(problem, state.model, problem.covariance_estimator.moment_kind)

    def step(self, state: _VariationalState, expectation: Expectation) -> _VariationalState:
        """Return the state with the posterior of the parameters given the moments, and its lower bound."""
        posterior = state.model.prior.compute_posterior(expectation.moments)
        return _VariationalState(posterior, posterior.sklearn_lower_bound(expectation.entropy))


def posterior_from_mixture(mixture: Mixture, problem: Problem, prior: VariationalPrior) -> VariationalPosterior:
    """Return the variational posterior of the parameters given one E-step of a mixture: the start of a run.

    A Dirichlet process expects the first components to be the largest. Components are therefore sorted by mass.
    """
    moments = problem.e_step(mixture).moments
    if isinstance(prior.weight_prior, DirichletProcess):
        weights = np.round(moments.mass / moments.mass.sum(), _MASS_ORDER_DECIMALS)
        moments = moments.permute_components(np.argsort(-weights, kind="stable"))
    return prior.compute_posterior(moments)


@dataclass(frozen=True)
class VariationalFit:
    """The record of a variational fit; ``print(estimator.fit_)`` reads as a paragraph.

    Attributes
    ----------
    outcome : Outcome
        Why the run ended.
    trace : IterationTrace
        The bound after each iteration, without its constants, and the seconds.
    lower_bound : float
        The evidence lower bound of the posterior with all its constants, in nats and data units. The log evidence of
        the rows is at least that. It is minus infinity where ``covariance_prior`` is singular.
    kl_divergence_from_prior : float
        Kullback-Leibler divergence of the posterior of the parameters from their prior.
    entropy : float
        Entropy of the responsibilities, in nats.
    seconds : float
        Duration of the fit.
    mixture : Mixture
        Expected weights, means and covariances.
    masses : ndarray of shape (K,)
        Responsibilities of each component, summed over the weighted rows.
    fraction_computed : float
        Fraction of all pairs of row and component whose distance the last E-step computed.
    notes : tuple of str
        Sentences on what is remarkable.
    """

    outcome: Outcome
    trace: IterationTrace
    lower_bound: float
    kl_divergence_from_prior: float
    entropy: float
    seconds: float
    mixture: Mixture = field(repr=False)
    masses: K = field(repr=False)
    fraction_computed: float
    notes: tuple[str, ...]

    @property
    def has_converged(self) -> bool:
        """Whether the run met its stopping rule."""
        return self.outcome is Outcome.CONVERGED

    @property
    def n_active_components(self) -> int:
        """Number of components that describe at least half a row."""
        return int((self.masses >= _MAX_IDLE_MASS).sum())

    def __str__(self) -> str:
        iterations = format_count(len(self.trace), "iteration")
        summary = f"{iterations} in {self.seconds:.2g} s, log evidence at least {self.lower_bound:.10g}."
        return " ".join([str(self.outcome), summary, *self.notes])


def make_variational_fit_after_e_step(
    result: RunResult[VariationalPosterior], problem: Problem, seconds: float
) -> VariationalFit:
    """Make one more E-step under the posterior of a run, and return the record of the run."""
    posterior = result.model
    expectation = problem.e_step(posterior, MomentKind.NONE)
    divergence = posterior.kl_divergence_from_prior
    log_likelihood = expectation.log_likelihood + problem.source.sum_log_jacobians(problem.total_weight)
    return VariationalFit(
        outcome=result.outcome,
        trace=result.trace,
        lower_bound=log_likelihood - divergence,
        kl_divergence_from_prior=divergence,
        entropy=expectation.entropy,
        seconds=seconds,
        mixture=posterior.mixture,
        masses=expectation.moments.mass,
        fraction_computed=expectation.fraction_of_distances_computed,
        notes=tuple(_collect_notes(expectation, divergence)),
    )


def _collect_notes(expectation: Expectation, kl_divergence_from_prior: float) -> list[str]:
    """Return sentences on a variational fit: components without rows, an infinite divergence from the prior."""
    notes = []
    n_idle = int((expectation.moments.mass < _MAX_IDLE_MASS).sum())
    if n_idle:
        verb = "has" if n_idle == 1 else "have"
        notes.append(f"{n_idle} of {len(expectation.moments.mass)} components {verb} no rows and follow the prior.")
    if kl_divergence_from_prior == np.inf:
        notes.append("The prior's covariance is singular, so the evidence has no bound; set another covariance_prior.")
    return notes
