"""Criteria of the rows that are not far, where a few far rows carry nearly all of the variance of a column.

A component of equal far rows, such as sentinels, is on the variance floor. Its likelihood depends on the floor and on
the structure, and would decide which candidate wins. So criteria count neither the far rows nor the parameters of
their components; the choice is then that of a search without these rows.
"""

import math
from typing import NamedTuple

from gaussmix.core.moments import MomentKind
from gaussmix.model.degeneracy import far_component_mask
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem


class CriterionTerms(NamedTuple):
    """What a criterion needs: log-likelihood, parameters, weight, and the summed log of the largest responsibility."""

    log_likelihood: float
    n_parameters: int
    total_weight: float
    total_log_max_responsibility: float


def evaluate_near_rows(near: Problem | None, problem: Problem, mixture: Mixture) -> CriterionTerms | None:
    """Return the terms of the rows that are not far, in data units; None if there is no problem ``near`` of them.

    They are those of the mixture without its components of far rows.
    """
    if near is None:
        return None
    expectation, is_far = near.e_step(mixture, MomentKind.NONE), far_component_mask(mixture, problem)
    far_weight = 0.0 if is_far.all() else float(mixture.weights[is_far].sum())
    shift = near.source.sum_log_jacobians(near.total_weight) - near.total_weight * math.log1p(-far_weight)
    return CriterionTerms(
        expectation.log_likelihood + shift,
        mixture.n_parameters - _count_far_parameters(problem, mixture.n_components, int(is_far.sum())),
        near.total_weight,
        expectation.total_log_max_responsibility,
    )


def _count_far_parameters(problem: Problem, n_components: int, n_far: int) -> int:
    """Return how many parameters ``n_far`` components of far rows add to a mixture."""
    if n_far == n_components:
        return 0
    structure, n_features = problem.covariance_estimator.structure, problem.source.n_features
    n_parameters = [structure.n_mixture_parameters(count, n_features) for count in (n_components, n_components - n_far)]
    return n_parameters[0] - n_parameters[1]
