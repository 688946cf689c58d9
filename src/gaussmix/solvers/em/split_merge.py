"""Split-and-merge moves: how a fit leaves a poor optimum that EM cannot leave.

EM often converges with two components in one group and one component over two others. A move merges two components
that share their rows, and splits a third one that describes its rows badly. EM goes on from there, and the move is
accepted only if the likelihood ends higher (Ueda, Nakano, Ghahramani & Hinton, "SMEM algorithm for mixture models",
Neural Computation 12, 2000).

The new components are made of moments: those of two components add, and those of one are cut at the mean across its
longest axis.
"""

from dataclasses import replace
from itertools import islice

import numpy as np

from gaussmix.core.linalg import principal_axes
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.outcome import Outcome
from gaussmix.errors import CollapseError
from gaussmix.model.degeneracy import count_degenerate_components
from gaussmix.model.fixed_parameters import apply_fixed_parameters
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import drop_noise_moments
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.em.split_merge_candidates import (
    MAX_SPLIT_MERGE_CANDIDATES,
    SplitMergeCandidate,
    compute_overlap_statistics,
    iterate_best_candidates_first,
)
from gaussmix.solvers.initialization.initial_mixture import initialize_from_moments
from gaussmix.solvers.initialization.noise_initialization import add_noise
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import continue_run
from gaussmix.solvers.stopping import Progress, StoppingRule
from gaussmix.types import D, IntK

MAX_SPLIT_AXES = 2  # axes of a component, longest first, across which it is split
_HALVING_ROUNDS = ((6, 4), (30, 2))  # the iterations of each round, and how many candidates it keeps
_RELATIVE_ROUNDING = 1e-9  # of the log-likelihood, or of one nat per row; smaller gains are rounding
_MAX_FEATURES_FOR_FULL_SCATTER = 64  # with more columns, axis-aligned structures are split along a column


def split_merge(
    solver: EM,
    result: RunResult[Mixture],
    problem: Problem,
    stopping: StoppingRule,
    max_split_merge: int,
    labelled_components: IntK,
) -> RunResult[Mixture]:
    """Return a run after up to ``max_split_merge`` accepted moves; its likelihood never falls.

    Parameters
    ----------
    solver : EM
        EM, whose components with a fixed parameter take no part in moves.
    result : RunResult
        A run with at least three components; without convergence it is returned as it is.
    problem : Problem
    stopping : StoppingRule
    max_split_merge : int
        The largest number of accepted moves.
    labelled_components : ndarray of int
        Components with labelled rows, which no move removes.
    """
    for _ in range(max_split_merge):
        if result.outcome is not Outcome.CONVERGED:
            break
        better = _best_gaining_candidate_run(solver, result, problem, stopping, labelled_components)
        if better is None:
            break
        result = replace(better, n_split_merge=result.n_split_merge + 1)
    return result


def _best_gaining_candidate_run(
    solver: EM, result: RunResult[Mixture], problem: Problem, stopping: StoppingRule, labelled_components: IntK
) -> RunResult[Mixture] | None:
    """Return the best run of the candidates; None if none gains more than the stopping rule asks of an iteration."""
    starts = _candidate_starts(solver, result.model, problem, labelled_components)
    n_degenerate = count_degenerate_components(result.model, problem)
    runs = [
        run
        for run in _run_most_promising_starts(solver, starts, problem, stopping)
        if count_degenerate_components(run.model, problem) <= n_degenerate
    ]
    objectives = [_penalized_log_likelihood(problem, run.model) for run in runs]
    previous, best = _penalized_log_likelihood(problem, result.model), max(objectives, default=-np.inf)

    def is_gain(lower: float, higher: float) -> bool:
        rounding = _RELATIVE_ROUNDING * max(abs(lower), problem.total_weight)
        return higher - lower > rounding and not stopping.is_met(Progress(lower, higher, problem.total_weight))

    if not is_gain(previous, best):
        return None
    # Return the first of equals: rounding may decide which of them ends a little higher.
    return next(run for run, value in zip(runs, objectives, strict=True) if not is_gain(value, best))


def _candidate_starts(solver: EM, mixture: Mixture, problem: Problem, labelled_components: IntK) -> list[Mixture]:
    """Return the mixtures after the most promising moves, without those whose covariances collapse."""
    fixed = solver.fixed
    is_fixed = np.zeros(mixture.n_components, dtype=bool) if fixed is None else fixed.is_component_constrained
    ranked = iterate_best_candidates_first(compute_overlap_statistics(problem, mixture), labelled_components, is_fixed)
    moments = unpooled_moments(problem, mixture)
    axes = range(min(MAX_SPLIT_AXES, problem.source.n_features))
    candidates = [
        replace(candidate, split_axis=axis) for candidate in islice(ranked, MAX_SPLIT_MERGE_CANDIDATES) for axis in axes
    ]
    starts = [_mixture_after_move(problem, solver, mixture, moments, candidate) for candidate in candidates]
    return [start for start in starts if start is not None]


def _run_most_promising_starts(
    solver: EM, starts: list[Mixture], problem: Problem, stopping: StoppingRule
) -> list[RunResult[Mixture]]:
    """Return the two best of many short runs, continued until they converge, in the order of their starts.

    Runs that collapse are left out.
    """
    runs = [run_solver(solver, start, problem, stopping, max_iter=0) for start in starts]
    for max_iter, n_kept in _HALVING_ROUNDS:
        continued = [_continue_unless_collapsed(solver, run, problem, stopping, max_iter) for run in runs]
        runs = [run for run in continued if run is not None]
        order = np.argsort(-np.array([run.last_objective for run in runs]), kind="stable")
        runs = [runs[position] for position in sorted(order[:n_kept].tolist())]
    continued = [
        _continue_unless_collapsed(solver, run, problem, stopping, stopping.max_iter - len(run.trace)) for run in runs
    ]
    return [run for run in continued if run is not None]


def _continue_unless_collapsed(
    solver: EM, result: RunResult[Mixture], problem: Problem, stopping: StoppingRule, max_iter: int
) -> RunResult[Mixture] | None:
    """Return the run with up to ``max_iter`` more iterations, unchanged if none is left; None if it collapses."""
    limit = min(max_iter, stopping.max_iter - len(result.trace))
    if limit <= 0:
        return result
    try:
        return continue_run(solver, result, problem, stopping, limit)
    except CollapseError:
        return None


def _penalized_log_likelihood(problem: Problem, mixture: Mixture) -> float:
    """Return log-likelihood plus log prior density of a mixture, in the frame."""
    prior = problem.covariance_estimator.log_prior(mixture.centers, mixture.covariance)
    return problem.e_step(mixture).log_likelihood + prior


def unpooled_moments(problem: Problem, mixture: Mixture) -> Moments:
    """Return moments of each component by itself: full ones unless the structure is axis-aligned with many columns."""
    kind = problem.covariance_estimator.moment_kind.per_component
    if kind is not MomentKind.FULL:
        kind = MomentKind.FULL if mixture.n_features <= _MAX_FEATURES_FOR_FULL_SCATTER else MomentKind.DIAGONAL
    moments = problem.e_step(mixture, kind).moments
    return moments if mixture.noise is None else drop_noise_moments(moments, kind)


def _mixture_after_move(
    problem: Problem, solver: EM, mixture: Mixture, component_moments: Moments, candidate: SplitMergeCandidate
) -> Mixture | None:
    """Return the mixture after a move; None where its covariances collapse."""
    target, source, split = (
        component_moments.select_components(np.array([k]))
        for k in (candidate.merge_target, candidate.merge_source, candidate.split_component)
    )
    near, far = _split_into_lower_and_upper_half(split, _axis_length_units(problem), candidate.split_axis)
    if candidate.is_flipped:
        near, far = far, near
    replaced = {candidate.merge_target: target + source, candidate.split_component: near, candidate.merge_source: far}
    return _mixture_with_replaced_moments(problem, solver, mixture, component_moments, replaced)


def split_into_free_component(
    problem: Problem, solver: EM, mixture: Mixture, component_moments: Moments, components: tuple[int, int], axis: int
) -> Mixture | None:
    """Return the mixture after a split without a merge; None where its covariances collapse.

    ``components`` are the component to split, and a component without rows that takes its upper half. ``axis`` is the
    rank of the axis across which it is split, 0 for the longest.
    """
    split = component_moments.select_components(np.array([components[0]]))
    halves = _split_into_lower_and_upper_half(split, _axis_length_units(problem), axis)
    replaced = dict(zip(components, halves, strict=True))
    return _mixture_with_replaced_moments(problem, solver, mixture, component_moments, replaced)


def _mixture_with_replaced_moments(
    problem: Problem, solver: EM, mixture: Mixture, component_moments: Moments, replaced: dict[int, Moments]
) -> Mixture | None:
    """Return the mixture of moments of which some components are replaced; None where its covariances collapse."""
    mass, mean, scatter = (getattr(component_moments, name).copy() for name in ("mass", "mean", "scatter"))
    for component, moments in replaced.items():
        mass[component], mean[component], scatter[component] = moments.mass[0], moments.mean[0], moments.scatter[0]
    kind = problem.covariance_estimator.moment_kind
    try:
        start = initialize_from_moments(problem, Moments(mass, mean, scatter, component_moments.kind).to_kind(kind))
    except CollapseError:
        return None
    if mixture.noise is not None:
        start = add_noise(start, mixture.noise.box, mixture.noise.weight)
    return start if solver.fixed is None else apply_fixed_parameters(start, solver.fixed)


def _axis_length_units(problem: Problem) -> D:
    """Return the unit in which axes are compared, for each column (D,): its standard deviation, or 1.

    Only structures that are equivariant to column scales use standard deviations.
    """
    if not problem.covariance_estimator.structure.is_column_scale_equivariant:
        return np.ones(problem.source.n_features)
    return np.where(problem.column_variances > 0, np.sqrt(problem.column_variances), 1.0)


def _split_into_lower_and_upper_half(
    component_moments: Moments, length_units: D, axis_rank: int = 0
) -> tuple[Moments, Moments]:
    """Return the lower and the upper half of a single component, cut at its mean across an axis.

    ``axis_rank`` is 0 for the longest axis in these units.
    """
    mass, scatter = component_moments.mass[0], component_moments.scatter[0]
    if component_moments.kind is MomentKind.FULL:
        lengths, axes = principal_axes(scatter / np.outer(length_units, length_units))
        axis = axes[axis_rank] * np.sign(axes[axis_rank, np.argmax(np.abs(axes[axis_rank]))])
        deviation = length_units * axis * np.sqrt(lengths[axis_rank] / mass)
    else:
        column = int(np.argsort(-scatter / length_units**2, kind="stable")[axis_rank])
        deviation = np.zeros(len(length_units))
        deviation[column] = np.sqrt(scatter[column] / mass)
    return component_moments.split_at_means(deviation[None])
