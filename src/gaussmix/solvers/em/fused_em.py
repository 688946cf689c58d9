"""Fused EM: iterations in one call of compiled code, where that is the fastest way (`core/fused_em.py`)."""

from dataclasses import replace

from gaussmix.core.fused_em import FusedRunInput, FusedRunResult
from gaussmix.core.label_prior import KnownComponents
from gaussmix.covariance.base import AbstractCovarianceEstimator
from gaussmix.covariance.eigen_arrays import covariance_from_eigen_arrays, to_axis_variances_alone, to_eigen_arrays
from gaussmix.covariance.structure import MclustStructure
from gaussmix.engines.fused_runner import SupportsFusedRuns
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import LastModelAndObjectives
from gaussmix.solvers.stopping import StoppingRule


def run_fused_em(
    covariance_estimator: AbstractCovarianceEstimator,
    start: Mixture,
    problem: Problem,
    stopping: StoppingRule,
    previous_objective_in_frame: float,
    max_iter: int,
) -> LastModelAndObjectives[Mixture] | None:
    """Run the first EM iterations in compiled code; return the last mixture and all objectives, None if impossible.

    The loop makes them where that is faster, where the engine has no fused runs, and where the structure has
    factors. It also makes them with a ridge, with a label prior that holds more than known components, with a start
    at the variance floor, and with a stopping rule that is no tolerance.

    Parameters
    ----------
    covariance_estimator : AbstractCovarianceEstimator
    start : Mixture
    problem : Problem
    stopping : StoppingRule
    previous_objective_in_frame : float
        Objective before the first iteration.
    max_iter : int
        The largest number of iterations.
    """
    tolerance, floor = stopping.tolerance_and_is_relative, covariance_estimator.mclust_m_step_floor
    engine, structure = problem.engine, start.structure
    if tolerance is None or floor is None or max_iter == 0 or not isinstance(structure, MclustStructure):
        return None
    if not isinstance(engine, SupportsFusedRuns):
        return None
    n_components, n_features = start.centers.shape
    if not engine.fused_runner.should_run(problem.n_rows, n_components, n_features, structure.is_axis_aligned):
        return None  # asked before the rows are collected
    inputs = problem.rows_and_known_labels_for_fused_run
    if inputs is None or start.covariance.is_floored.any():
        return None
    noise = start.noise
    _require_known_components(problem, start)
    run = FusedRunInput(
        str(structure),
        *inputs,
        start.weights,
        start.centers,
        *(to_axis_variances_alone if structure.is_axis_aligned else to_eigen_arrays)(start.covariance),
        floor,
        *tolerance,
        previous_objective_in_frame,
        max_iter,
        None if noise is None else (noise.weight, -noise.box.log_volume),
        covariance_estimator.prior_statistics(start.n_components),
    )
    result = engine.fused_runner.run(run)
    if result is None or not len(result.log_likelihoods):
        return None
    return _to_last_mixture_and_objectives(start, structure, result)


def _require_known_components(problem: Problem, mixture: Mixture) -> None:
    """Raise an error if a known label is no component of the mixture: compiled code reads labels without bounds."""
    prior = problem.source.label_prior
    if isinstance(prior, KnownComponents):
        prior.require_components(problem.n_rows, mixture.n_components + (mixture.noise is not None), first_row=0)


def _to_last_mixture_and_objectives(
    start: Mixture, structure: MclustStructure, result: FusedRunResult
) -> LastModelAndObjectives[Mixture]:
    """Return the last mixture of a compiled run, like ``start`` but for the parameters, and all objectives."""
    covariance = covariance_from_eigen_arrays(structure, result.axis_variances, result.axes, result.covariance_factors)
    noise = None if start.noise is None else replace(start.noise, weight=result.noise_weight)
    mixture = replace(
        start, weights=result.component_weights, centers=result.centers, covariance=covariance, noise=noise
    )
    return LastModelAndObjectives(mixture, result.log_likelihoods, result.has_converged, result.expectation)
