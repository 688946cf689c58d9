"""Passes done ahead of the loop, all at once, where rows are few and an engine can (`core/whole.py`)."""

from dataclasses import dataclass, replace

from gaussmix.core.fused_em import FusedRun
from gaussmix.covariance import MclustStructure
from gaussmix.covariance.representations import covariance_from_eigen_arrays, to_eigen_arrays
from gaussmix.engines import SupportsFusedRuns
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.stopping import StoppingRule
from gaussmix.types import Array


@dataclass(frozen=True)
class FusedIterations:
    """How far passes came: the mixture after them, the log-likelihood of each, and whether the rule is met."""

    mixture: Mixture
    log_likelihoods: Array
    has_converged: bool


def run_fused_em(
    solver: AbstractSolver,
    start: Mixture,
    problem: Problem,
    stopping: StoppingRule,
    previous_objective: float,
    max_iter: int,
) -> FusedIterations | None:
    """The first passes of a run, or None where they have to be done one by one.

    ``last`` is the log-likelihood before, in the frame; ``passes`` the most that are allowed.
    """
    rule, floor = stopping.tolerance_and_is_relative, solver.covariance_estimator.plain_floor
    structure = start.structure
    is_plain = isinstance(solver, EM) and solver.fixed is None
    if not isinstance(structure, MclustStructure) or not is_plain or rule is None or floor is None or max_iter == 0:
        return None
    engine = problem.engine
    if not isinstance(engine, SupportsFusedRuns):
        return None
    if not engine.fused_runner.can_run(problem.n_rows, *start.centers.shape):
        return None  # before anything is made for it
    few = problem.fused_run_inputs
    if few is None or start.covariance.is_floored.any():
        return None
    noise = start.noise
    plain = to_eigen_arrays(start.covariance)
    even = None if noise is None else (noise.weight, -noise.box.log_volume)
    prior = solver.covariance_estimator.prior_statistics(start.n_components)
    state = (start.weights, start.centers, *plain)
    asked = FusedRun(str(structure), *few, *state, floor, *rule, previous_objective, max_iter, even, prior)
    found = engine.fused_runner.run(asked)
    if found is None or not len(found.log_likelihoods):
        return None
    covariance = covariance_from_eigen_arrays(structure, found.axis_variances, found.axes, found.covariance_factors)
    noise = None if noise is None else replace(noise, weight=found.noise_weight)
    mixture = replace(start, weights=found.component_weights, centers=found.centers, covariance=covariance, noise=noise)
    return FusedIterations(mixture, found.log_likelihoods, found.has_converged)
