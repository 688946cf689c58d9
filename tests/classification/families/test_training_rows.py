"""Equal rows are merged, and a fit of distinct rows knows neither their order nor their copies."""

import numpy as np
import pytest

from gaussmix.classification.families.training_rows import TrainingRows, merge_equal_rows
from tests.classification.families.labelled_rows import make_training_rows
from tests.classification.mixed.random_mixtures import make_cells, make_layout

LAYOUT = make_layout(2)


@pytest.mark.parametrize("seed", range(3))
def test_distinct_rows_depend_neither_on_order_nor_on_copies(seed: int) -> None:
    cells = make_cells(LAYOUT, 40, seed)
    counts = np.random.default_rng(seed).integers(1, 5, 40)
    copies = np.random.default_rng(seed + 1).permutation(np.repeat(np.arange(40), counts))
    weighted = merge_equal_rows(cells.numeric, cells.codes, cells.classes, counts.astype(float))
    repeated = merge_equal_rows(cells.numeric[copies], cells.codes[copies], cells.classes[copies], np.ones(len(copies)))
    for values in (cells.numeric, cells.codes, cells.classes):
        np.testing.assert_array_equal(values[copies][repeated.positions], values[weighted.positions])
    np.testing.assert_array_equal(repeated.weights, weighted.weights)
    np.testing.assert_array_equal(cells.numeric[copies], cells.numeric[copies][repeated.positions][repeated.of_row])
    np.testing.assert_array_equal(cells.classes[copies], cells.classes[copies][repeated.positions][repeated.of_row])


def test_rows_that_differ_by_rounding_are_equal_and_others_are_not() -> None:
    numeric = np.array([[0.1 + 0.2], [0.3], [0.3 + 1e-9], [np.nan], [np.nan], [0.3]])
    codes, classes = np.array([[0], [0], [0], [0], [-1], [0]]), np.array([0, 0, 0, 0, 0, 1])
    distinct = merge_equal_rows(numeric, codes, classes, np.array([1.0, 2.0, 1.0, 1.0, 1.0, 4.0]))
    assert len(distinct.positions) == 5
    assert distinct.of_row[0] == distinct.of_row[1]
    assert sorted(distinct.weights) == [1.0, 1.0, 1.0, 3.0, 4.0]


def test_rows_of_a_class_are_rows_of_a_single_class() -> None:
    cells = make_cells(LAYOUT, 30, 0, n_classes=3)
    rows = TrainingRows(LAYOUT, cells.numeric, cells.codes, cells.classes, 4, cells.weights)
    expected = [cells.weights[cells.classes == label].sum() for label in range(4)]
    np.testing.assert_allclose(rows.class_weights, expected)
    of_class = rows.select_class(2)
    assert (of_class.n_classes, of_class.classes.any()) == (1, False)
    np.testing.assert_array_equal(of_class.numeric, cells.numeric[cells.classes == 2])
    np.testing.assert_array_equal(of_class.row_weights, cells.weights[cells.classes == 2])
    without = TrainingRows(LAYOUT, cells.numeric, cells.codes, cells.classes, 3)
    np.testing.assert_array_equal(without.row_weights, np.ones(30))
    np.testing.assert_array_equal(
        without.select_rows(np.arange(5)).class_weights, np.bincount(cells.classes[:5], minlength=3)
    )


def test_missing_cells_count_as_missing_rows_in_part():
    numeric = np.array([[0.0, np.nan, 1.0], [1.0, np.nan, np.nan]])
    rows = make_training_rows(numeric, np.array([0, 1]), has_block=False, weights=np.array([3.0, 1.0]))
    assert rows.count_complete() == pytest.approx(4.0 * np.mean([1.0, 0.75]))  # a column without cells is none
    empty = make_training_rows(np.full((2, 1), np.nan), np.array([0, 1]), has_block=False)
    assert empty.count_complete() == 2.0
