"""A degenerate component is on the floor or has fewer rows than its structure needs, rows counted by their weight."""

import numpy as np
import pytest

from gaussmix import DegenerateFitWarning, GaussianMixture
from gaussmix.covariance import RowRequirement, Structure
from gaussmix.model.degeneracy import (
    count_degenerate_components,
    degenerate_component_mask,
    empty_component_mask,
    has_too_few_in_total,
    has_too_few_rows,
)
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.solvers.initialization import initialize_from_labels

ROWS = np.random.default_rng(0).normal(size=(30, 2))
LABELS = np.repeat([0, 1], [28, 2])


@pytest.mark.parametrize(
    ("structure", "weight", "n_degenerate"),
    [
        ("VII", 1.0, 0),
        ("VII", 0.5, 1),
        ("VII", 0.05, 2),
        ("VVV", 1.0, 1),
        ("EEE", 0.5, 0),
        ("EEE", 0.4, 1),
        ("EEE", 0.1, 1),
    ],
)
def test_a_row_counts_by_its_weight(structure: str, weight: float, n_degenerate: int) -> None:
    source = make_memory_source(ROWS, np.full(30, weight))
    problem = Problem.from_source(source, Structure.from_name(structure))
    mixture = initialize_from_labels(problem, LABELS, 2)
    assert count_degenerate_components(mixture, problem) == n_degenerate


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_a_floored_component_is_degenerate_whatever_its_mass() -> None:
    rows = np.vstack([ROWS, np.tile([9.0, 9.0], (20, 1))])
    with pytest.warns(DegenerateFitWarning, match="at the variance floor"):
        fit = GaussianMixture(2, random_state=0).fit(rows).fit_
    expected = fit.mixture.covariance.is_floored
    assert expected.sum() == 1
    no_far = np.zeros(2, dtype=bool)
    found = degenerate_component_mask(fit.mixture, fit.masses, RowRequirement(3, 6), no_far)
    np.testing.assert_array_equal(found, expected)
    assert not degenerate_component_mask(fit.mixture, fit.masses, RowRequirement(3, 6), ~no_far).any()
    assert fit.is_degenerate


def test_rows_that_all_components_need_together() -> None:
    """A component of one row is sound in a structure with shared covariance if the others have enough rows."""
    requirement = RowRequirement(per_component=1, in_total=5)
    assert not has_too_few_rows(np.array([3.0, 1.0, 1.0]), requirement).any()
    assert not has_too_few_in_total(np.array([3.0, 1.0, 1.0]), requirement)
    assert has_too_few_in_total(np.array([2.0, 1.0, 1.0]), requirement)
    assert has_too_few_rows(np.array([5.0, 0.9, np.nan]), requirement).tolist() == [False, True, True]


@pytest.mark.parametrize("total", [1e-200, 6e-9, 1.0, 1e9, 1e200])
def test_empty_is_relative_to_the_total_weight(total: float) -> None:
    assert empty_component_mask(np.array([0.5, 1e-9, 1e-30, 0.0]) * total / total).tolist() == [0, 0, 1, 1]
