"""A few far rows, such as sentinels and slips, do not change the choice for the other rows."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from gaussmix import GaussianMixture, select
from gaussmix.covariance import Structure
from gaussmix.model import Problem
from gaussmix.model.degeneracy import far_component_mask
from gaussmix.model.problem import make_memory_source
from gaussmix.selection.candidate_spec import CandidateSpec
from gaussmix.selection.candidates import Selection
from gaussmix.selection.neighbour_starts import moments_with_each_component_split, moments_with_two_components_merged
from gaussmix.solvers.initialization import initialize_from_labels
from gaussmix.types import ND, IntN

pytestmark = pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")

STRUCTURES = ["EII", "VII", "VVI", "VVV"]


def make_groups(seed: int) -> tuple[ND, IntN]:
    """Return rows of three groups of unequal variance, and the group of each row."""
    rng, groups = np.random.default_rng(seed), np.repeat([0, 1, 2], 60)
    centers, deviations = np.array([[0.0, 0, 0], [4, 4, 0], [0, 4, 5]]), np.array([0.2, 0.6, 1.5])
    return centers[groups] + deviations[groups, None] * rng.normal(size=(180, 3)), groups


FAR_ROWS = {
    "a sentinel": np.tile([65535.0, 1, 1], (8, 1)),
    "a sentinel in all columns": np.full((3, 3), -9999.0),
    "one slip": np.array([[0.0, 1e6, 0]]),
    "two slips": np.array([[1e5, 0.0, 1], [0, -3e6, 2]]),
    "rows that differ": 1e4 + np.random.default_rng(0).normal(size=(12, 3)),
}


def search(rows: ND, noise: bool = False) -> Selection:
    return select(rows, range(2, 6), STRUCTURES, noise=noise or None)


@pytest.mark.parametrize("far_rows", FAR_ROWS.values(), ids=FAR_ROWS)
@pytest.mark.parametrize("seed", range(2))
def test_the_choice_is_that_of_the_other_rows(far_rows: ND, seed: int) -> None:
    rows, groups = make_groups(seed)
    expected, selection = search(rows).best, search(np.concatenate([rows, far_rows]))
    best = selection.best
    assert best.fit is not None
    assert best.mixture is not None
    assert best.is_eligible
    assert best.structure == expected.structure
    assert best.n_components == expected.n_components + best.fit.is_far_component.sum()
    assert 1 <= best.fit.is_far_component.sum() <= 2
    assert best.criteria["bic"] == pytest.approx(expected.criteria["bic"], abs=0.5)
    assert adjusted_rand_score(groups, best.mixture.predict(rows)) > 0.95
    n_far = f"{len(far_rows)} far row" + "s" * (len(far_rows) > 1)
    assert selection.notes[0] == f"The criteria leave out {n_far}, whose likelihood says nothing of the groups."
    assert "such rows" in " ".join(best.fit.notes)


def test_the_search_with_noise_needs_no_component_for_far_rows() -> None:
    rows, _ = make_groups(0)
    best = search(np.concatenate([rows, FAR_ROWS["one slip"]]), noise=True).best
    assert best.name == search(rows).best.name


def test_a_fit_with_a_component_of_far_rows_is_not_degenerate() -> None:
    rows, _ = make_groups(1)
    fit = GaussianMixture(4, random_state=0, n_init=3).fit(np.concatenate([rows, FAR_ROWS["a sentinel"]])).fit_
    assert fit.mixture.covariance.is_floored.any()
    np.testing.assert_array_equal(fit.is_far_component, fit.mixture.covariance.is_floored)
    assert not fit.is_degenerate
    assert not fit.has_floored_component
    assert fit.degeneracy == ""


@pytest.mark.parametrize(("n_far_groups", "n_expected"), [(1, 1), (2, 2), (3, 0)])
def test_more_components_of_far_rows_than_far_values_are_degenerate(n_far_groups: int, n_expected: int) -> None:
    """A component for each far row would raise the likelihood without limit."""
    rows, groups = make_groups(0)
    values = np.array([[65535.0, 1, 1], [-9999.0, 0, 0]])
    far_labels = 3 + np.arange(12) % n_far_groups
    problem = Problem.from_source(
        make_memory_source(np.concatenate([rows, values[np.arange(12) % 2]])), Structure.from_name("VVV")
    )
    mixture = initialize_from_labels(problem, np.concatenate([groups, far_labels]), 3 + n_far_groups)
    assert far_component_mask(mixture, problem).sum() == n_expected


def test_rows_without_far_ones_have_no_limits() -> None:
    rows, _ = make_groups(0)
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name("VVV"))
    assert problem.far_row_limits is None
    assert problem.near_rows_problem is None
    assert search(rows).best.near_rows is None


def test_a_sample_without_the_far_rows_gives_no_starts_with_other_numbers_of_components() -> None:
    rows, groups = make_groups(0)
    source = make_memory_source(np.concatenate([rows, FAR_ROWS["rows that differ"]]))
    problem = Problem.from_source(source, Structure.from_name("VVV"))
    mixture = initialize_from_labels(problem, np.concatenate([groups, np.full(12, 3)]), 4)
    sample = problem.on_sample_of_rows(rows, np.ones(len(rows)))
    for screening_problem, n_merged, n_split in ((problem, 1, 4), (sample, 0, 0)):
        spec = CandidateSpec(problem, screening_problem, 4)
        assert len(moments_with_two_components_merged(mixture, spec)) == n_merged
        assert len(moments_with_each_component_split(mixture, spec)) == n_split
