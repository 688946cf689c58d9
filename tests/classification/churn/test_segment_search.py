"""Mixtures of segments: components that share rows are merged first, and all numbers are fitted."""

import numpy as np
import pytest

from gaussmix.classification.churn.segment_search import (
    _choose_pair,
    compute_memberships,
    refit_mixture,
    search_mixtures,
)
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.feature_layout import FeatureLayout


def make_rows(seed, n_rows=600):
    """Return rows of three groups in two columns, and a column of noise."""
    rng = np.random.default_rng(seed)
    group = np.sort(rng.integers(0, 3, n_rows))
    centers = np.array([[-1.2, 0.0], [0.5, 1.2], [1.2, -1.0]])
    numeric = np.column_stack([centers[group] + 0.2 * rng.normal(size=(n_rows, 2)), rng.normal(size=n_rows)])
    layout = FeatureLayout(3, (0, 1, 2), ())
    return TrainingRows(layout, numeric, np.empty((n_rows, 0), dtype=int), np.zeros(n_rows, dtype=int), 1), group


@pytest.mark.parametrize("seed", range(3))
def test_each_number_of_components_is_fitted_and_icl_finds_the_groups(seed):
    rows, group = make_rows(seed)
    found = search_mixtures(rows, 5, seed)
    assert [each.mixture.n_components for each in found] == [1, 2, 3, 4, 5]
    assert all(each.icl >= each.bic for each in found)
    assert min(found, key=lambda each: each.icl) is found[2]
    memberships = compute_memberships(found[2].mixture, rows)
    np.testing.assert_allclose(memberships.sum(axis=1), 1.0)
    assert len(set(zip(group.tolist(), memberships.argmax(axis=1).tolist(), strict=True))) == 3


def test_one_component_has_no_entropy():
    rows, _ = make_rows(0)
    (found,) = search_mixtures(rows, 1, 0)
    assert found.icl == found.bic
    assert found.mixture.n_components == 1


def test_a_refit_of_the_same_rows_changes_little():
    rows, _ = make_rows(1)
    found = search_mixtures(rows, 3, 0)[2].mixture
    np.testing.assert_allclose(refit_mixture(rows, found).means, found.means, atol=0.01)


def test_components_of_the_same_rows_are_merged_first():
    shared = np.array([[0.9, 0.1, 0.5], [0.05, 0.45, 0.25], [0.05, 0.45, 0.25]])
    assert _choose_pair(shared, np.ones(3)) == (1, 2)


def test_a_component_without_rows_of_its_own_goes_before_overlapping_groups():
    responsibilities = np.array([[0.8, 0.2, 0.0], [0.2, 0.8, 1e-12], [1e-9, 0.0, 1.0 - 1e-12], [1e-30, 1e-30, 1e-30]])
    assert 3 in _choose_pair(responsibilities, np.ones(3))
