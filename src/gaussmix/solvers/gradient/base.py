"""What gradient solvers share: values and gradients read off moments, and the way off the variance floor.

EM needs neither a gradient nor a step size. Gradient solvers move in unconstrained coordinates
(``model/parametrization.py``), scaled such that a row counts 1 / n. If the components of the rows were known, the
curvature at the start would be one in every direction. A plain step of length one is then nearly an EM step.

A covariance that falls below the variance floor is raised to it by the M-step of its own structure.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import AbstractCovarianceEstimator
from gaussmix.model.fixed_parameters import apply_fixed_parameters
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture_parameters import expected_moments_per_unit_weight
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import EStepRequest, MixtureState
from gaussmix.solvers.em.acceleration import is_finite_and_above_floor
from gaussmix.solvers.em.em import EMBasedSolver
from gaussmix.types import Array

_MAX_EM_STEPS_OFF_FLOOR = 3


@dataclass(frozen=True)
class Point:
    """A mixture, and its coordinates times the root of the total weight."""

    coordinates: MixtureParametrization
    vector: Array
    mixture: Mixture


@dataclass(frozen=True)
class Evaluation:
    """A point after an E-step.

    Attributes
    ----------
    point : Point
    expectation : Expectation
    value : float
        Log-likelihood plus log prior density, divided by the total weight of all rows.
    gradient : ndarray of shape (n_parameters,)
        Gradient of the value.
    """

    point: Point
    expectation: Expectation
    value: float
    gradient: Array

    @property
    def objective(self) -> float:
        """The value of all rows together."""
        return self.value * self.point.coordinates.total_weight

    @property
    def is_finite(self) -> bool:
        """Whether value and gradient are finite."""
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())


@dataclass(frozen=True, kw_only=True)
class GradientState(MixtureState):
    """The state of a gradient solver.

    Attributes
    ----------
    problem : Problem
    n_iter, max_iter : int
        Iterations so far, and iterations allowed.
    evaluation : Evaluation, optional
        The best point, from which the gain of an EM step is predicted.
    """

    problem: Problem
    n_iter: int
    max_iter: int
    evaluation: Evaluation | None = None

    @property
    def e_step_problem(self) -> Problem:
        """The rows of the next E-step: all rows, or a batch of them."""
        return self.problem

    def state_after_e_step(self, solver: "AbstractGradientSolver", expectation: Expectation) -> "GradientState":
        """Return the state after the E-step that this state has requested; abstract."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class LeaveFloorState(GradientState):
    """EM steps that leave the variance floor, at most ``_MAX_EM_STEPS_OFF_FLOOR``.

    Starts at single rows are on the floor. A gradient there is in units of such narrow components, and depends on the
    next few rows only.
    """

    n_em_steps: int = 0

    def state_after_e_step(self, solver: "AbstractGradientSolver", expectation: Expectation) -> GradientState:
        """Return the state after an EM step, from which another one or the gradient iterations follow."""
        objective, n_iter = solver.penalized_log_likelihood(self.model, expectation), self.n_iter + 1
        mixture, n_em_steps = solver.m_step(self.model, expectation), self.n_em_steps + 1
        if n_em_steps < _MAX_EM_STEPS_OFF_FLOOR and not is_finite_and_above_floor(mixture, solver.em):
            return replace(self, model=mixture, objective=objective, n_iter=n_iter, n_em_steps=n_em_steps)
        return replace(
            solver.begin_gradient_iterations(mixture, self.problem, n_iter, self.max_iter), objective=objective
        )


class AbstractGradientSolver(EMBasedSolver[GradientState]):
    """A solver that follows the gradient, after EM steps that leave the variance floor."""

    @abstractmethod
    def begin_gradient_iterations(self, start: Mixture, problem: Problem, n_iter: int, max_iter: int) -> GradientState:
        """Return the first state of the gradient iterations, after ``n_iter`` of ``max_iter`` iterations of EM."""

    def init(self, start: Mixture, problem: Problem, max_iter: int) -> GradientState:
        """Return the first state of the gradient iterations, or of EM steps if the start is near the floor."""
        if is_finite_and_above_floor(start, self.em):
            return self.begin_gradient_iterations(start, problem, 0, max_iter)
        return LeaveFloorState(start, problem=problem, n_iter=0, max_iter=max_iter)

    def request(self, state: GradientState, problem: Problem) -> EStepRequest:
        """Return the request for unpooled moments of the rows that the state needs next."""
        return EStepRequest.from_problem(state.e_step_problem, state.mixture_to_evaluate, self.gradient_moment_kind)

    def step(self, state: GradientState, expectation: Expectation) -> GradientState:
        """Return the state after the E-step, as `GradientState.state_after_e_step` of its phase says."""
        return state.state_after_e_step(self, expectation)

    def m_step(self, mixture: Mixture, expectation: Expectation) -> Mixture:
        """Return the mixture after an M-step, from the moments that gradients need."""
        moments = expectation.moments.to_kind(self.m_step_moment_kind(mixture))
        return self.em.m_step(mixture, expectation.with_moments(moments))

    @property
    def gradient_moment_kind(self) -> MomentKind:
        """The moments that a gradient needs: scatter of each component by itself."""
        is_axis_aligned = self.covariance_estimator.structure.is_axis_aligned
        return MomentKind.DIAGONAL if is_axis_aligned else MomentKind.FULL

    def make_feasible_point(self, coordinates: MixtureParametrization, vector: Array) -> Point:
        """Return the vector, unchanged, with its mixture after raising variances to the floor and fixing parameters."""
        mixture = coordinates.to_mixture(np.sqrt(coordinates.total_weight) * vector)
        if self.em.fixed is not None:
            mixture = apply_fixed_parameters(mixture, self.em.fixed)
        if not is_finite_and_above_floor(mixture, self.em):
            mixture = apply_floor(mixture, self.covariance_estimator)
        return Point(coordinates, vector, mixture)

    def compute_value_and_gradient(
        self, point: Point, expectation: Expectation, batch_weight: float | None = None
    ) -> Evaluation:
        """Return value and gradient at a point, from an E-step over all rows or over a batch of this total weight."""
        coordinates, mixture = point.coordinates, point.mixture
        root = np.sqrt(coordinates.total_weight)
        fraction = 1.0 if batch_weight is None else batch_weight / coordinates.total_weight
        prior = self.covariance_estimator.prior_statistics(mixture.n_components)
        prior = None if prior is None else prior.scale_count(fraction)
        gradient = coordinates.log_posterior_gradient(
            root * point.vector, mixture, expectation.moments, prior, self.em.fixed
        )
        value = self.penalized_log_likelihood(mixture, expectation) / coordinates.total_weight
        return Evaluation(point, expectation, value, gradient / fraction / root)

    def predict_em_gain(self, state: GradientState) -> float:
        """Return how much an EM step would raise the expected log joint density of rows and components.

        No E-step is made. The log-likelihood would rise at least as much (Dempster, Laird & Rubin, theorem 1). Where
        the gradient leads below the floor, an EM step stays above it, and the gain is zero.
        """
        if state.evaluation is None:
            return 0.0
        mixture, expectation = state.evaluation.point.mixture, state.evaluation.expectation
        updated = self.m_step(mixture, expectation)
        before, after = (self._expected_log_posterior(each, expectation.moments) for each in (mixture, updated))
        return max(0.0, after - before) if np.isfinite(after - before) else 0.0

    def _expected_log_posterior(self, mixture: Mixture, moments: Moments) -> float:
        """Return the log joint density of rows and components, expected under the moments, plus log prior."""
        quadratics = mixture.to_quadratics()
        roots = quadratics.precision_root.to_dense(quadratics.n_components, quadratics.n_features)
        scatter = moments.with_scatter_about(quadratics.center).scatter
        if moments.kind is MomentKind.FULL:
            distances = np.einsum("kij,kil,klj->k", roots, scatter, roots, optimize=True)
        else:
            distances = np.einsum("kij,ki->k", roots**2, scatter)
        present = moments.mass > 0
        constants = float(moments.mass[present] @ quadratics.offset[present])
        log_prior = self.covariance_estimator.log_prior(mixture.centers, mixture.covariance)
        return constants - 0.5 * float(distances.sum()) + log_prior


def apply_floor(mixture: Mixture, covariance_estimator: AbstractCovarianceEstimator) -> Mixture:
    """Return the mixture with covariances at or above the floor: the M-step of their own moments."""
    positive = replace(mixture, weights=np.maximum(mixture.weights, np.finfo(float).tiny), noise=None)
    moments = expected_moments_per_unit_weight(positive, covariance_estimator.moment_kind)
    return replace(mixture, covariance=covariance_estimator.estimate(moments, mixture.covariance))
