"""The one definition of a degenerate component: its covariance is on the floor, or it has too few rows."""

import numpy as np

from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.types import BoolK, K


def find_degenerate_components(mixture: Mixture, masses: K, min_component_rows: int) -> BoolK:
    """Return which components (K,) are degenerate.

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
    """Return which components (K,) have less mass than the rows that a covariance needs; NaN counts as too few."""
    return np.asarray(~(masses >= min_component_rows))


def count_degenerate_components(mixture: Mixture, problem: Problem) -> int:
    """Return the number of degenerate components; the weights of the mixture stand for the masses."""
    min_weight = problem.min_component_rows / problem.total_weight  # exact for components of whole rows
    return int((mixture.covariance.is_floored | has_too_few_rows(mixture.weights, min_weight)).sum())
