"""The one definition of a degenerate component: its covariance is on the floor, or it has too few rows."""

import numpy as np

from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.types import BoolK, K


def degenerate_component_mask(mixture: Mixture, masses: K, min_component_rows: int) -> BoolK:
    """Return a mask (K,): True for components whose covariance is on the floor, or that have too few rows.

    Parameters
    ----------
    mixture : Mixture
    masses : array of shape (K,)
        Sum of the responsibilities of each component over the rows, each row counted by its weight.
    min_component_rows : int
        Number of rows that a component needs for a covariance; see `Problem.min_component_rows`.
    """
    return np.asarray(mixture.covariance.is_floored | has_too_few_rows(masses, min_component_rows))


def has_too_few_rows(masses: K, min_component_rows: float) -> BoolK:
    """Return a mask (K,): True for components with a mass below ``min_component_rows`` or of NaN."""
    return np.asarray(~(masses >= min_component_rows))


def count_degenerate_components(mixture: Mixture, problem: Problem) -> int:
    """Return the number of degenerate components; a mass is taken as weight times total weight of the rows."""
    min_weight = problem.min_component_rows / problem.total_weight  # exact for components of whole rows
    return int((mixture.covariance.is_floored | has_too_few_rows(mixture.weights, min_weight)).sum())
