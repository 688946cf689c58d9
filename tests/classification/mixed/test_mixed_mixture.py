"""Densities of mixtures of numbers and categories equal SciPy's, for every pattern of missing cells."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp, softmax

from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.log_probabilities import compute_responsibilities, log_sum_exp, normalize_logits
from tests.classification.mixed.random_mixtures import Cells, make_cells, make_layout, make_mixture, slow_scores


def _make_every_pattern(layout: FeatureLayout, seed: int) -> Cells:
    """Return one row for each pattern of missing cells, none and all of them included."""
    complete = make_cells(layout, 2 ** (layout.n_numeric + len(layout.n_levels)), seed, missing=0.0)
    is_missing = np.array(list(product([False, True], repeat=layout.n_numeric + len(layout.n_levels))))
    numeric = np.where(is_missing[:, : layout.n_numeric], np.nan, complete.numeric)
    return complete._replace(numeric=numeric, codes=np.where(is_missing[:, layout.n_numeric :], -1, complete.codes))


@pytest.mark.parametrize("n_block", [0, 1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_those_of_scipy_for_every_pattern_of_missing_cells(n_block: int, seed: int) -> None:
    layout = make_layout(n_block)
    mixture, cells = make_mixture(layout, 3, 2, seed), _make_every_pattern(layout, seed)
    rows = cells.to_rows(layout)
    scores = rows.to_original_order(mixture.compute_scores(rows))
    np.testing.assert_allclose(scores, slow_scores(mixture, cells), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("has_class_components", [True, False])
def test_class_scores_add_up_the_components_of_each_class(has_class_components: bool) -> None:
    layout = make_layout(2)
    mixture = make_mixture(layout, 5, 3, 0, has_class_components)
    assert mixture.has_class_components == has_class_components
    cells = make_cells(layout, 40, 0)
    rows = cells.to_rows(layout)
    joint = slow_scores(mixture, cells)[:, None] + mixture.class_log_probabilities[:, :, None]
    class_scores = rows.to_original_order(mixture.compute_class_scores(rows))
    np.testing.assert_allclose(class_scores, logsumexp(joint, axis=0), rtol=1e-11)
    assert logsumexp(mixture.class_log_probabilities, axis=1) == pytest.approx(0.0, abs=1e-12)


def test_the_density_of_a_category_and_a_missing_number_is_the_sum_over_its_levels() -> None:
    layout = make_layout(2, n_levels=(4,))
    mixture, cells = make_mixture(layout, 2, 2, 1), make_cells(layout, 20, 1)
    each = []
    for level in range(4):
        rows = cells._replace(codes=np.full((20, 1), level)).to_rows(layout)
        each.append(rows.to_original_order(mixture.compute_scores(rows)))
    rows = cells._replace(codes=np.full((20, 1), -1)).to_rows(layout)
    marginal = rows.to_original_order(mixture.compute_scores(rows))
    np.testing.assert_allclose(logsumexp(each, axis=0), marginal, rtol=1e-11)


def test_selected_components_keep_their_parameters_and_their_weights_add_up_to_one() -> None:
    layout = make_layout(2)
    mixture = make_mixture(layout, 4, 2, 2)
    selected = mixture.select_components(np.array([3, 1]))
    rows = make_cells(layout, 10, 2).to_rows(layout)
    expected = mixture.compute_scores(rows)[[3, 1]] - logsumexp(mixture.log_weights[[3, 1]])
    np.testing.assert_allclose(selected.compute_scores(rows), expected, rtol=1e-12)
    assert np.exp(selected.log_weights).sum() == pytest.approx(1.0, abs=1e-14)
    np.testing.assert_array_equal(selected.component_classes, mixture.component_classes[[3, 1]])


def test_rows_return_to_their_original_order_and_carry_their_weights() -> None:
    layout = make_layout(3)
    cells = make_cells(layout, 50, 3)
    rows = cells.to_rows(layout)
    assert not np.array_equal(rows.order, np.arange(50)), "the patterns must sort the rows"
    np.testing.assert_array_equal(rows.to_original_order(rows.apply_weights(np.ones(50))), cells.weights)
    assert rows.total_weight == pytest.approx(cells.weights.sum(), rel=1e-14)
    assert sum(chosen.stop - chosen.start for chosen in rows.pattern_rows) == 50
    block = ~np.isnan(cells.numeric[rows.order][:, layout.block_columns])
    for is_observed, chosen in zip(rows.is_observed, rows.pattern_rows, strict=True):
        assert (block[chosen] == is_observed).all()
    assert len(rows.is_observed) == len(np.unique(block, axis=0))


def test_a_row_without_any_cell_scores_the_weights_alone() -> None:
    layout = make_layout(2)
    mixture = make_mixture(layout, 3, 2, 4)
    empty = Cells(np.full((1, 4), np.nan), np.full((1, 2), -1), np.ones(1), np.zeros(1, dtype=np.int64))
    np.testing.assert_array_equal(mixture.compute_scores(empty.to_rows(layout))[:, 0], mixture.log_weights)


@pytest.mark.parametrize("n_components", [1, 4])
def test_softmax_and_log_sum_exp_equal_those_of_scipy_with_large_and_infinite_scores(n_components: int) -> None:
    scores = 1e3 * np.random.default_rng(0).normal(size=(n_components, 30))
    if n_components > 1:
        scores[0, :5] = -np.inf
    responsibilities = compute_responsibilities(scores)
    np.testing.assert_allclose(responsibilities.values, softmax(scores, axis=0), rtol=1e-12)
    np.testing.assert_allclose(responsibilities.log_density, logsumexp(scores, axis=0), rtol=1e-14)
    np.testing.assert_allclose(log_sum_exp(scores), logsumexp(scores, axis=0), rtol=1e-14)
    logits = np.random.default_rng(1).normal(0.0, 100.0, (n_components, 6))
    np.testing.assert_allclose(normalize_logits(logits), log_softmax(logits, axis=1), rtol=1e-12, atol=1e-12)


def test_features_are_at_their_places() -> None:
    layout = FeatureLayout(4, (1, 3), (3,))
    cells = Cells(np.array([[1.0, 2.0, np.nan, 4.0]]), np.array([[1]]), np.ones(1), np.zeros(1, dtype=np.int64))
    features = cells.to_rows(layout).features[0]
    assert features[layout.constant] == 1.0
    np.testing.assert_array_equal(layout.independent_columns, [0, 2])
    np.testing.assert_array_equal(features[layout.present], [1.0, 0.0])
    np.testing.assert_array_equal(features[layout.values], [1.0, 0.0])
    np.testing.assert_array_equal(features[layout.squares], [1.0, 0.0])
    np.testing.assert_array_equal(features[layout.block_values], [2.0, 4.0])
    np.testing.assert_array_equal(features[layout.block_products], [4.0, 8.0, 16.0])
    np.testing.assert_array_equal(features[layout.levels[0]], [0.0, 1.0, 0.0])
    assert layout.n_features == len(features) == 1 + 2 * 3 + 2 + 3 + 3


def test_kept_precisions_are_those_of_the_rows_and_of_the_mixture() -> None:
    """Scores of two tables in turn, and of a mixture with other covariances, are those of fresh mixtures."""
    layout = make_layout(3)
    mixture = make_mixture(layout, 3, 2, 0)
    tables = [make_cells(layout, 30, seed).to_rows(layout) for seed in (1, 2)]
    expected = [make_mixture(layout, 3, 2, 0).compute_scores(rows) for rows in tables]
    for index in (0, 1, 1, 0):
        np.testing.assert_array_equal(mixture.compute_scores(tables[index]), expected[index])
    wider = replace(mixture, covariances=2.0 * mixture.covariances)
    fresh = replace(make_mixture(layout, 3, 2, 0), covariances=2.0 * mixture.covariances)
    np.testing.assert_array_equal(wider.compute_scores(tables[0]), fresh.compute_scores(tables[0]))
    assert (wider.compute_scores(tables[0]) != expected[0]).any()
