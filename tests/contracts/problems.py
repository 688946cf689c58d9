"""Small problems for solvers and initialization methods."""

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.covariance import Structure
from gaussmix.model import Mixture, Problem
from gaussmix.sources import MemorySource
from gaussmix.types import ND, Array


def groups(seed: int, n_rows: int = 90, n_features: int = 2, n_groups: int = 3) -> ND:
    """Return rows of overlapping groups in random order."""
    rng = np.random.default_rng(seed)
    centers = 3.0 * rng.normal(size=(n_groups, n_features))
    return np.asarray(centers[rng.integers(n_groups, size=n_rows)] + rng.normal(size=(n_rows, n_features)))


def problem_of(rows: ND, structure: str = "VVV", weights: Array | None = None) -> Problem:
    return Problem.from_source(
        MemorySource.from_array(np.asarray(rows, dtype=np.float64), weights), Structure.from_name(structure)
    )


def expectation_of(problem: Problem, mixture: Mixture) -> Expectation:
    return problem.e_step(mixture)


def assert_same_mixture(found: Mixture, expected: Mixture, tolerance: float = 1e-9) -> None:
    """Assert equal weights, means and covariances, relative to their size."""
    np.testing.assert_allclose(found.weights, expected.weights, atol=tolerance)
    np.testing.assert_allclose(found.means, expected.means, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(
        found.covariances, expected.covariances, rtol=tolerance, atol=tolerance * np.abs(expected.covariances).max()
    )
