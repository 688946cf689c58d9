"""A degenerate component is on the floor or has fewer rows than a covariance needs, rows counted by their weight."""

import numpy as np
import pytest

from gaussmix import GaussianMixture
from gaussmix.covariance import Structure
from gaussmix.model.degeneracy import count_degenerate_components, degenerate_component_mask
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.solvers.initialization import initialize_from_labels

ROWS = np.random.default_rng(0).normal(size=(30, 2))
LABELS = np.repeat([0, 1], [28, 2])


@pytest.mark.parametrize(("weight", "n_degenerate"), [(1.0, 1), (2.0, 0), (0.05, 2)])
def test_a_row_counts_by_its_weight(weight: float, n_degenerate: int) -> None:
    source = make_memory_source(ROWS, np.full(30, weight))
    problem = Problem.from_source(source, Structure.from_name("VII"))
    mixture = initialize_from_labels(problem, LABELS, 2)
    assert count_degenerate_components(mixture, problem) == n_degenerate


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_a_floored_component_is_degenerate_whatever_its_mass() -> None:
    rows = np.vstack([ROWS, np.tile([9.0, 9.0], (20, 1))])
    fit = GaussianMixture(2, random_state=0).fit(rows).fit_
    expected = fit.mixture.covariance.is_floored
    assert expected.sum() == 1
    np.testing.assert_array_equal(degenerate_component_mask(fit.mixture, fit.masses, 3), expected)
    assert fit.is_degenerate
