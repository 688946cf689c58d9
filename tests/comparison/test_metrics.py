"""Metrics: equality with scikit-learn, and properties for any rows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as sklearn_metrics

from gaussmix.comparison import metrics

LABELS = arrays(np.int64, 12, elements=st.integers(0, 3))


def unit_weights(labels: Any) -> Any:
    """Return a weight of 1 for each row, (n,)."""
    return np.ones(len(labels))


@given(LABELS, LABELS)
def test_adjusted_rand_index_equals_sklearn(first: Any, second: Any) -> None:
    actual = metrics.adjusted_rand_index(first, second, unit_weights(first))
    assert actual == pytest.approx(sklearn_metrics.adjusted_rand_score(first, second), abs=1e-12)
    assert actual == pytest.approx(metrics.adjusted_rand_index(second, first, unit_weights(first)), abs=1e-12)


@given(LABELS, LABELS, arrays(np.int64, 12, elements=st.integers(1, 3)))
def test_weights_equal_repeated_rows(first: Any, second: Any, counts: Any) -> None:
    often = metrics.adjusted_rand_index(np.repeat(first, counts), np.repeat(second, counts), np.ones(counts.sum()))
    assert metrics.adjusted_rand_index(first, second, counts.astype(float)) == pytest.approx(often, abs=1e-12)


@given(LABELS, LABELS, st.sampled_from([0.9, 0.1, 1 / 12, 1e-9]))
def test_unit_of_weights_below_one_does_not_matter(first: Any, second: Any, unit: float) -> None:
    one = metrics.adjusted_rand_index(first, second, unit_weights(first))
    assert metrics.adjusted_rand_index(first, second, unit * unit_weights(first)) == pytest.approx(one, abs=1e-9)


def test_one_row_agrees_with_itself() -> None:
    assert metrics.adjusted_rand_index(np.array([0]), np.array([1]), np.array([1.0])) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_a_difference_and_its_standard_error(seed: int) -> None:
    first, second = np.random.default_rng(seed).normal(size=(2, 50))
    mean, error = metrics.paired_mean_difference(first, second, np.full(50, 0.3))
    assert mean == pytest.approx((first - second).mean())
    assert error == pytest.approx((first - second).std() / np.sqrt(50))


@given(LABELS, st.permutations(range(4)))
def test_equal_partitions_agree_whatever_their_numbers(labels: Any, numbers: list[int]) -> None:
    other = np.array(numbers)[labels]
    assert metrics.adjusted_rand_index(labels, other, unit_weights(labels)) == pytest.approx(1.0)
    assert np.array_equal(metrics.match_groups_to_reference(other, labels, unit_weights(labels))[other], labels)


def test_groups_without_a_match_come_after_the_others() -> None:
    groups, to = np.array([0, 0, 1, 1, 2]), np.array([1, 1, 0, 0, 0])
    assert metrics.match_groups_to_reference(groups, to, unit_weights(groups)).tolist() == [1, 0, 2]
    assert metrics.match_groups_to_reference(groups, to, unit_weights(groups), (5, 4)).tolist()[2] >= 2
    assert sorted(metrics.match_groups_to_reference(groups, to, unit_weights(groups), (5, 4)).tolist()) == [
        0,
        1,
        2,
        3,
        4,
    ]
    heavy = metrics.match_groups_to_reference(groups, to, np.array([1.0, 1.0, 1.0, 1.0, 9.0]))
    assert heavy.tolist() == [1, 2, 0]


def test_log_loss_equals_sklearn() -> None:
    rng = np.random.default_rng(0)
    soft, truth, weights = rng.dirichlet([1.0] * 3, 50), rng.integers(0, 3, 50), rng.uniform(0.5, 2.0, 50)
    soft = 0.1 + 0.7 * soft
    theirs = sklearn_metrics.log_loss(truth, soft, sample_weight=weights, labels=[0, 1, 2])
    actual = metrics.clipped_log_losses(soft, truth)
    assert weights @ actual / weights.sum() == pytest.approx(theirs)


def test_log_loss_of_zero_probability_is_bounded() -> None:
    soft = np.array([[1.0, 0.0]] * 10)
    actual = metrics.clipped_log_losses(soft, np.array([0] * 9 + [1]))
    assert actual.tolist() == [0.0] * 9 + [pytest.approx(np.log(10))]
    assert not np.signbit(actual).any()


def test_calibration_bins_of_four_rows() -> None:
    soft = np.array([[0.95, 0.05], [0.95, 0.05], [0.35, 0.65], [1.0, 0.0]])
    bins = metrics.make_calibration_bins(soft, np.array([0, 1, 1, 0]), np.array([1.0, 1.0, 2.0, 1.0]))
    assert [(one.min_probability, one.max_probability, one.weight) for one in bins] == [
        (0.6, 0.7, 2.0),
        (0.9, 1.0, 3.0),
    ]
    assert [one.accuracy for one in bins] == pytest.approx([1.0, 2 / 3])
    assert [one.confidence for one in bins] == pytest.approx([0.65, 2.9 / 3])
    assert metrics.expected_calibration_error(bins) == pytest.approx((2 * 0.35 + 3 * 0.3) / 5)


@pytest.mark.parametrize("seed", range(3))
def test_true_probabilities_are_calibrated(seed: int) -> None:
    rng = np.random.default_rng(seed)
    soft = rng.dirichlet([1.0] * 3, 20_000)
    truth = (rng.random(20_000)[:, None] > np.cumsum(soft, axis=1)).sum(axis=1)
    assert metrics.expected_calibration_error(metrics.make_calibration_bins(soft, truth, np.ones(20_000))) < 0.02


def test_folds_are_stratified_and_exclude_unknown_classes() -> None:
    classes = np.repeat([0, 1, -1], [20, 10, 7])
    rows = np.random.default_rng(0).normal(size=(37, 2))
    folds = metrics.assign_stratified_folds(rows, classes, 5, 0)
    assert (folds[classes < 0] == -1).all()
    counts = [[int(((folds == fold) & (classes == one)).sum()) for fold in range(5)] for one in (0, 1)]
    assert counts == [[4] * 5, [2] * 5]
    assert np.array_equal(folds, metrics.assign_stratified_folds(rows, classes, 5, 0))
    assert not np.array_equal(folds, metrics.assign_stratified_folds(rows, classes, 5, 1))
    order = np.random.default_rng(1).permutation(37)
    assert np.array_equal(folds[order], metrics.assign_stratified_folds(rows[order], classes[order], 5, 0))


def test_predictions_do_not_use_the_own_label() -> None:
    """Each row is the only one of its class within its group, so its own class gets probability zero."""
    classes, soft = np.arange(6) % 2, np.eye(3)[[0, 0, 1, 1, 2, 2]]
    actual = metrics.predict_held_out_class_probabilities(soft, classes, np.arange(6), np.ones(6))
    assert (actual[np.arange(6), classes] == 0.0).all()


@pytest.mark.parametrize("seed", range(3))
def test_groups_equal_to_classes_keep_their_probabilities(seed: int) -> None:
    rng = np.random.default_rng(seed)
    soft = rng.dirichlet([0.7, 0.7], 4000)
    classes = (rng.random(4000) > soft[:, 0]).astype(np.int64)
    actual = metrics.predict_held_out_class_probabilities(
        soft, classes, metrics.assign_stratified_folds(soft, classes, 5, seed), np.ones(4000)
    )
    assert np.abs(actual - soft).max() < 0.06


def test_hard_groups_give_relative_frequencies() -> None:
    groups, classes = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1, 1, 1])
    actual = metrics.predict_held_out_class_probabilities(
        np.eye(2)[groups], classes, np.array([0, 1] * 4), np.arange(1.0, 9.0)
    )
    assert actual[0].tolist() == [2 / 6, 4 / 6]
    assert actual[1].tolist() == [1.0, 0.0]
    assert actual[4:].tolist() == [[0.0, 1.0]] * 4


def test_normalize_rows_makes_empty_rows_uniform() -> None:
    assert metrics.normalize_rows_or_make_uniform(np.array([[0.0, 0.0], [1.0, 3.0]])).tolist() == [
        [0.5, 0.5],
        [0.25, 0.75],
    ]
