"""The one definition of a degenerate component: its covariance is on the floor, or it has too few rows.

Components of far rows, such as sentinels, are never degenerate: what they add to the likelihood is the same for all
mixtures that have such a component, and says nothing of the other components.
Rows are counted by their weight and responsibility. How many rows a component needs, and all components together,
depends on what the structure estimates; see `Structure.row_requirement`.
"""

import numpy as np

from gaussmix.covariance import RowRequirement
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.types import BoolK, K

_RELATIVE_ROUNDING = 1e-9  # of a mass; a component of whole rows may miss them by the rounding of their sum
_MAX_EMPTY_WEIGHT = float(np.finfo(np.float64).eps)  # a smaller part of the total weight does not change a sum


def degenerate_component_mask(mixture: Mixture, masses: K, requirement: RowRequirement, is_far: BoolK) -> BoolK:
    """Return a mask (K,): True for components whose covariance is on the floor, or that have too few rows.

    Parameters
    ----------
    mixture : Mixture
    masses : array of shape (K,)
        Sum of the responsibilities of each component over the rows, each row counted by its weight.
    requirement : RowRequirement
        Rows that each component needs, and all together; see `Problem.row_requirement`.
    is_far : array of shape (K,)
        Which components hold far rows; see `far_component_mask`.
    """
    has_few = has_too_few_rows(masses, requirement) | has_too_few_in_total(masses, requirement)
    return np.asarray((mixture.covariance.is_floored | has_few) & ~is_far)


def far_component_mask(mixture: Mixture, problem: Problem) -> BoolK:
    """Return a mask (K,): True for components whose mean lies among a few far rows of the problem.

    It is False for all of them if they are more than the far rows justify; a component for each of them would raise the
    likelihood without limit. A noise component holds far rows without any. The mixture is in the frame of the problem.
    """
    none, limits = np.zeros(mixture.n_components, dtype=bool), problem.far_row_limits
    if limits is None or mixture.noise is not None:
        return none
    is_far = limits.are_far(mixture.centers)
    return is_far if is_far.sum() <= limits.max_far_components(mixture.n_components) else none


def has_too_few_rows(masses: K, requirement: RowRequirement) -> BoolK:
    """Return a mask (K,): True for components with a mass of NaN, or below the rows that each component needs."""
    return np.asarray(~(masses >= (1.0 - _RELATIVE_ROUNDING) * requirement.per_component))


def has_too_few_in_total(masses: K, requirement: RowRequirement) -> bool:
    """Return whether all components together have too few rows, although each has the rows that it needs."""
    is_short = masses.sum() < (1.0 - _RELATIVE_ROUNDING) * requirement.in_total
    return bool(is_short and not has_too_few_rows(masses, requirement).any())


def empty_component_mask(weights: K) -> BoolK:
    """Return a mask (K,): True for components of a weight, as part of 1, that rounding would lose in a sum."""
    return np.asarray(weights <= _MAX_EMPTY_WEIGHT)


def count_degenerate_components(mixture: Mixture, problem: Problem) -> int:
    """Return the number of degenerate components; a mass is taken as weight times total weight of the rows."""
    masses = mixture.weights * problem.total_weight
    requirement = problem.row_requirement(mixture.n_components)
    return int(degenerate_component_mask(mixture, masses, requirement, far_component_mask(mixture, problem)).sum())
