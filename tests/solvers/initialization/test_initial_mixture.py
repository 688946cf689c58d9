"""Initial mixtures from labels and parameters, and the order of their components."""

import numpy as np
import pytest

from gaussmix.core.label_prior import KnownComponents, LogProbabilities
from gaussmix.covariance import MCLUST_NAMES
from gaussmix.solvers.initialization import (
    INIT_METHODS,
    initialize,
    initialize_from_labels,
    replace_parameters,
    sort_components_by_mean,
)
from gaussmix.solvers.initialization.initial_mixture import argsort_components_by_mean, initialize_from_label_prior
from tests.contracts.problems import groups, problem_of


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_labels_become_components(structure: str) -> None:
    rows, labels = groups(0), np.arange(90) % 3
    found = initialize_from_labels(problem_of(rows, structure), labels, 3)
    for k in range(3):
        np.testing.assert_allclose(found.means[k], rows[labels == k].mean(axis=0), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.weights, 1.0 / 3.0)
    assert str(found.structure) == structure


def test_labels_and_certain_probabilities_are_the_same() -> None:
    rows, labels = groups(0), np.arange(90) % 3
    with np.errstate(divide="ignore"):
        soft = np.log(np.eye(3)[labels])
    hard, probable = (
        initialize_from_label_prior(problem_of(rows), label_prior, 3)
        for label_prior in (KnownComponents(labels), LogProbabilities(soft))
    )
    np.testing.assert_allclose(hard.centers, probable.centers, rtol=0, atol=1e-14)
    np.testing.assert_allclose(hard.covariance.matrices(), probable.covariance.matrices(), rtol=1e-13)


def test_unknown_labels_belong_to_all_components_equally() -> None:
    rows, labels = groups(0), np.full(90, -1)
    found = initialize_from_labels(problem_of(rows), labels, 2)
    np.testing.assert_allclose(found.means, [rows.mean(axis=0)] * 2, rtol=1e-10)
    np.testing.assert_allclose(found.covariances, [np.cov(rows.T, bias=True)] * 2, rtol=1e-8)


def test_unused_label_gives_an_empty_component() -> None:
    found = initialize_from_labels(problem_of(groups(0)), np.zeros(90, dtype=np.int64), 2)
    np.testing.assert_array_equal(found.weights, [1.0, 0.0])
    assert np.isfinite(found.covariances).all()


def test_replace_parameters() -> None:
    problem = problem_of(groups(0))
    base = initialize(problem, "kmeans", 3, np.random.default_rng(0))
    weights, centers = np.array([0.2, 0.3, 0.5]), base.centers + 1.0
    found = replace_parameters(base, weights, centers, None)
    assert found.weights is weights
    assert found.centers is centers
    assert found.covariance is base.covariance
    assert (
        replace_parameters(base, None, None, base.covariance.permute_components(np.array([2, 1, 0]))).weights
        is base.weights
    )


def test_components_are_sorted_by_mean_and_ties_by_the_next_column() -> None:
    centers = np.array([[1.0, 5.0], [0.0, 9.0], [1.0 + 1e-9, 2.0]])
    np.testing.assert_array_equal(argsort_components_by_mean(centers, np.ones(2)), [1, 2, 0])
    np.testing.assert_array_equal(argsort_components_by_mean(centers, np.array([1e-9, 1.0])), [1, 0, 2])
    np.testing.assert_array_equal(argsort_components_by_mean(np.zeros((3, 2)), np.zeros(2)), [0, 1, 2])


@pytest.mark.parametrize("shift", [0.0, 4.9e-7, 5e-7, 1e-3, 123.456])
def test_order_does_not_depend_on_the_origin(shift: float) -> None:
    centers = np.array([[0.2e-6, 1.0], [0.6e-6, 0.0], [0.9e-6, 2.0]]) + shift
    np.testing.assert_array_equal(argsort_components_by_mean(centers, np.ones(2)), [1, 0, 2])


@pytest.mark.parametrize("method", INIT_METHODS)
def test_sort_components_sorts_means(method: str) -> None:
    problem = problem_of(groups(3))
    found = sort_components_by_mean(initialize(problem, method, 3, np.random.default_rng(1)), problem)
    assert (np.diff(found.means[:, 0]) >= 0).all()
