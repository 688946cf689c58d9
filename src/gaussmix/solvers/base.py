"""The socket for solvers: states, requests for E-steps, and the steps between them.

A solver never touches a row. It turns a state into a request for an E-step, and the expectation that comes back into
the next state. The loop in `loop.py` runs the requests, and the monitor in `run_monitor.py` records the iterations.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.kmeans_run import NearestCenters
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import ScoringModel
from gaussmix.covariance.base import AbstractCovarianceEstimator
from gaussmix.engines.base import AbstractSession, AssignmentKind
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import unpool_kind_if_noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.stopping import StoppingRule
from gaussmix.types import Array

if TYPE_CHECKING:
    from gaussmix.solvers.run_monitor import RunMonitor

M = TypeVar("M")  # the model: a mixture, a posterior, or the centers of k-means
S = TypeVar("S", bound="SolverState[Any]")


@dataclass(frozen=True)
class EStepRequest:
    """One E-step that a solver asks for: ``session.e_step(model, moment_kind, assignment, total_moments)``."""

    session: AbstractSession
    model: ScoringModel
    moment_kind: MomentKind
    assignment: AssignmentKind = AssignmentKind.SOFT
    total_moments: Moments | None = None

    @classmethod
    def from_problem(
        cls,
        problem: Problem,
        model: ScoringModel,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
    ) -> "EStepRequest":
        """Return a request for an E-step over all rows of a problem, with moments of this kind."""
        total_moments = problem.pooled_total_moments_if_useful(moment_kind)
        return cls(problem.session, model, moment_kind, assignment, total_moments)


@dataclass(frozen=True)
class SolverState(Generic[M]):
    """Where a solver stands; solvers add what they remember.

    Attributes
    ----------
    model : M
        The model that a run returns if it ends here.
    objective : float
        What the solver has reached, for all rows together and in the frame: log-likelihood plus log prior density,
        lower bound, or minus half the inertia.
    can_stop : bool
        Whether convergence may be checked here; not after a rejected trial.
    is_iteration_complete : bool
        False within an iteration of several E-steps, such as an epoch in batches. Such states are not recorded.
    is_exhausted : bool
        Whether no further step of this solver can raise the objective.
    requests_e_step : bool
        False where the solver goes on by `AbstractSolver.advance_without_e_step` instead of an E-step.
    movement : float
        Squared movement of the parameters in the last iteration, for rules that compare it.
    """

    model: M
    objective: float = -np.inf
    can_stop: bool = True
    is_iteration_complete: bool = True
    is_exhausted: bool = False
    requests_e_step: bool = True
    movement: float = np.inf

    @property
    def is_on_floor(self) -> bool:
        """Whether a covariance of the model is at the variance floor; False for models without one."""
        return False


@dataclass(frozen=True)
class MixtureState(SolverState[Mixture]):
    """The state of a solver of mixtures; ``proposal`` is a mixture to try next, instead of ``model``."""

    proposal: Mixture | None = None

    @property
    def mixture_to_evaluate(self) -> Mixture:
        """The mixture that the next E-step evaluates: the proposal, or the model if there is none."""
        return self.model if self.proposal is None else self.proposal

    @property
    def is_on_floor(self) -> bool:
        """Whether a covariance of the mixture is at the variance floor."""
        return bool(self.model.covariance.is_floored.any())


@dataclass(frozen=True)
class LastModelAndObjectives(Generic[M]):
    """The last model of iterations made all at once before the loop, and the objective of each iteration.

    Attributes
    ----------
    model : M
        The model after the last iteration.
    objectives : ndarray of shape (n_iter,)
        The objective of each iteration, in the frame.
    has_converged : bool
        Whether the stopping rule is met.
    expectation : Expectation or None
        The expectation of the model, if it has been computed, with moments of the kind NONE.
    nearest_centers : NearestCenters or None
        The nearest center of each row, if the model is centers and the run has found them.
    """

    model: M
    objectives: Array
    has_converged: bool
    expectation: Expectation | None = None
    nearest_centers: NearestCenters | None = None


class AbstractSolver(ABC, Generic[M, S]):
    """An iterative method: an initial state, the E-step that a state asks for, and the step after it."""

    @abstractmethod
    def init(self, start: M, problem: Problem, max_iter: int) -> S:
        """Return the state before the first E-step of a run from ``start`` of at most ``max_iter`` iterations."""

    @abstractmethod
    def request(self, state: S, problem: Problem) -> EStepRequest:
        """Return the E-step that the state needs next, not yet made."""

    @abstractmethod
    def step(self, state: S, expectation: Expectation) -> S:
        """Return the state after the requested E-step had ``expectation`` as its result; change nothing else."""

    def predict_em_gain(self, state: S) -> float:
        """Return how much the next EM step would raise the objective, or 0 where the last gain is a measure of that.

        The monitor asks only where this decides whether the run has converged.
        """
        return 0.0

    def advance_without_e_step(self, state: S, monitor: "RunMonitor") -> S:
        """Return the state after other work than one E-step; iterations within it are recorded in ``monitor``.

        Solvers whose states all request an E-step raise NotImplementedError.
        """
        raise NotImplementedError(f"{type(self).__name__} always requests an E-step")

    def run_fused(
        self, start: M, problem: Problem, stopping: StoppingRule, previous_objective_in_frame: float, max_iter: int
    ) -> LastModelAndObjectives[M] | None:
        """Run the first iterations in compiled code; return the last model and all objectives, None if impossible."""
        return None

    def objective_shift_to_data_units(self, problem: Problem) -> float:
        """Return the constant to add to an objective in the frame, to get the objective in the data's units."""
        return problem.source.sum_log_jacobians(problem.total_weight)


MixtureSolver = AbstractSolver[Mixture, Any]
MS = TypeVar("MS", bound=MixtureState)


class AbstractMixtureSolver(AbstractSolver[Mixture, MS]):
    """A solver of mixtures whose covariances a structure constrains."""

    covariance_estimator: AbstractCovarianceEstimator

    def request(self, state: MS, problem: Problem) -> EStepRequest:
        """Return the request for an E-step of the mixture to evaluate, with the moments that an M-step needs."""
        return EStepRequest.from_problem(
            problem, state.mixture_to_evaluate, self.m_step_moment_kind(state.mixture_to_evaluate)
        )

    def m_step_moment_kind(self, mixture: Mixture) -> MomentKind:
        """Return the kind of moments that an M-step needs; unpooled if the mixture has noise."""
        return unpool_kind_if_noise(mixture.noise, self.covariance_estimator.moment_kind)

    def penalized_log_likelihood(self, mixture: Mixture, expectation: Expectation) -> float:
        """Return log-likelihood plus log prior density of a mixture, in the frame, from its expectation."""
        return expectation.log_likelihood + self.covariance_estimator.log_prior(mixture.centers, mixture.covariance)
