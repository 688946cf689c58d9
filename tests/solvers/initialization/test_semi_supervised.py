"""Semi-supervised initialization: matching groups to known components, and constrained k-means."""

import numpy as np
import pytest

from gaussmix.solvers.initialization.semi_supervised import (
    align_labels,
    constrained_kmeans,
    find_group_of_each_component,
)
from tests.contracts.problems import groups, problem_of


def test_groups_are_renumbered_to_their_known_components() -> None:
    source = problem_of(groups(0)).source
    labels = np.arange(90) % 3
    known = np.full(90, -1)
    known[[0, 3, 1, 5]] = [2, 2, 0, 1]  # rows of group 0, 0, 1 and 2
    np.testing.assert_array_equal(find_group_of_each_component(source, labels, known, 3), [1, 2, 0])
    np.testing.assert_array_equal(align_labels(source, labels, known, 3), np.array([2, 0, 1])[labels])


def test_heavier_known_rows_decide_and_known_rows_move() -> None:
    rows, labels = groups(0), np.arange(90) % 2
    known = np.full(90, -1)
    known[[0, 2, 4]] = [0, 0, 1]
    found = align_labels(problem_of(rows).source, labels, known, 2)
    np.testing.assert_array_equal(np.flatnonzero(found != labels), [4])
    weights = np.ones(90)
    weights[4] = 5.0
    found = align_labels(problem_of(rows, weights=weights).source, labels, known, 2)
    np.testing.assert_array_equal(found[[0, 2, 4]], [0, 0, 1])
    np.testing.assert_array_equal(np.delete(found, [0, 2, 4]), np.delete(1 - labels, [0, 2, 4]))


def test_groups_without_known_rows_keep_their_numbers() -> None:
    labels, known = np.arange(90) % 4, np.full(90, -1)
    source = problem_of(groups(0)).source
    known[0] = 0
    np.testing.assert_array_equal(align_labels(source, labels, known, 4), labels)


def test_absent_rows_and_noise_keep_their_numbers() -> None:
    labels, known = np.arange(90) % 5 - 1, np.full(90, -1)  # -1 is absent, 3 is noise beside three components
    known[[1, 3]] = [2, 0]
    found = align_labels(problem_of(groups(0)).source, labels, known, 3)
    np.testing.assert_array_equal(found[labels == -1], -1)
    np.testing.assert_array_equal(found[(labels == 3)], 3)
    np.testing.assert_array_equal(found[labels == 0], 2)


@pytest.mark.parametrize("seed", range(3))
def test_constrained_kmeans_converges_and_never_moves_a_known_row(seed: int) -> None:
    rows = groups(seed)
    problem = problem_of(rows)
    known = np.full(90, -1)
    known[:9] = np.arange(9) % 2
    found = constrained_kmeans(problem, known, np.arange(90) % 3, 3)
    np.testing.assert_array_equal(found[:9], known[:9])
    standard = rows / rows.std(axis=0)
    centers = np.array([standard[found == k].mean(axis=0) for k in range(3)])
    nearest = ((standard[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(found[9:], nearest[9:])
