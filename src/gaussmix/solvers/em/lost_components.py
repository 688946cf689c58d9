"""Restart of components that have lost their rows when a fit starts from an earlier mixture.

EM cannot bring such a component back: a weight of zero stays zero, and a component on the variance floor that few rows
reach stays where it is. Each may therefore take half of another component, which is split at its mean. The split of
highest likelihood after ten iterations is kept if its BIC is far better than that of EM without a split. A split of one
group in two would gain less, and would leave no component for a group that returns.
"""

from dataclasses import replace

import numpy as np

from gaussmix.errors import CollapseError
from gaussmix.model.degeneracy import degenerate_component_mask, far_component_mask, has_too_few_rows
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.em.split_merge import MAX_SPLIT_AXES, split_into_free_component, unpooled_moments
from gaussmix.solvers.em.split_merge_candidates import MAX_SPLIT_MERGE_CANDIDATES, compute_overlap_statistics
from gaussmix.solvers.initialization.initializer import best_after_ten_iterations
from gaussmix.solvers.loop import run_solver
from gaussmix.solvers.stopping import MeanGainRule
from gaussmix.types import BoolK

_N_COMPARED_ITER = 10
_VERY_STRONG_EVIDENCE = 10.0  # a difference in BIC; Kass & Raftery, Journal of the American Statistical Association 90


def restart_lost_components(solver: EM, mixture: Mixture, problem: Problem) -> Mixture:
    """Return a mixture whose lost components have taken rows of others; the same object if too little is to gain.

    A component is lost if it was degenerate and has too few rows in this problem, too. Components with a fixed
    parameter are never restarted.

    Parameters
    ----------
    solver : EM
    mixture : Mixture
        An earlier result, in the problem's frame.
    problem : Problem
    """
    is_fixed = np.zeros(mixture.n_components, dtype=bool)
    if solver.fixed is not None:
        is_fixed = solver.fixed.is_component_constrained
    for component in np.flatnonzero(_is_lost(mixture, problem) & ~is_fixed).tolist():
        starts = _starts_with_split(solver, mixture, problem, component, is_fixed)
        if starts:
            best = best_after_ten_iterations(solver, starts, problem)
            before, after = (_objective_after_some_iterations(solver, start, problem) for start in (mixture, best))
            mixture = best if after > before + _required_gain(mixture, problem) else mixture
    return mixture


def _is_lost(mixture: Mixture, problem: Problem) -> BoolK:
    """Return a mask (K,): True for components that were degenerate and have too few rows in the problem."""
    requirement = problem.row_requirement(mixture.n_components)
    masses_before, is_far = mixture.weights * problem.total_weight, far_component_mask(mixture, problem)
    is_suspect = degenerate_component_mask(mixture, masses_before, requirement, is_far)
    if not is_suspect.any():
        return is_suspect
    masses = problem.e_step(mixture).moments.mass[: mixture.n_components]
    return is_suspect & has_too_few_rows(masses, requirement)


def _starts_with_split(
    solver: EM, mixture: Mixture, problem: Problem, free_component: int, is_fixed: BoolK
) -> list[Mixture]:
    """Return mixtures in which ``free_component`` holds half of another component, those of worst fit first.

    Rows of a new group may all be noise, so components are split both with and without the rows of the noise.
    """
    misfits = np.where(is_fixed, -np.inf, compute_overlap_statistics(problem, mixture).misfits)
    misfits[free_component] = -np.inf
    order = np.argsort(-misfits, kind="stable")[:MAX_SPLIT_MERGE_CANDIDATES]
    components = order[misfits[order] > -np.inf].tolist()
    if not components:
        return []
    models = [mixture] if mixture.noise is None else [mixture, replace(mixture, noise=None)]
    starts = [
        split_into_free_component(problem, solver, mixture, moments, (component, free_component), axis)
        for moments in (unpooled_moments(problem, model) for model in models)
        for component in components
        for axis in range(min(MAX_SPLIT_AXES, problem.source.n_features))
    ]
    return [start for start in starts if start is not None]


def _required_gain(mixture: Mixture, problem: Problem) -> float:
    """Return the log-likelihood that a component has to gain for very strong evidence of it by BIC."""
    n_parameters = mixture.n_parameters / mixture.n_components
    return float(0.5 * (n_parameters * np.log(max(problem.total_weight, 1.0)) + _VERY_STRONG_EVIDENCE))


def _objective_after_some_iterations(solver: EM, start: Mixture, problem: Problem) -> float:
    """Return what EM reaches in ten iterations from ``start``; -inf if a covariance collapses."""
    try:
        return run_solver(solver, start, problem, MeanGainRule(0.0, _N_COMPARED_ITER)).last_objective
    except CollapseError:
        return -np.inf
