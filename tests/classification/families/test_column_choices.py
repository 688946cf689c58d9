"""Which numeric columns have a full covariance, and which categories the mixtures use."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from gaussmix.classification.classifier_options import FAMILIES
from gaussmix.classification.column_sets import ModelOptions, _list_specs
from gaussmix.classification.families.base import ChoiceRequest
from gaussmix.classification.families.block_choice import (
    MAX_BLOCK_COLUMNS,
    MAX_BLOCK_PATTERNS,
    list_correlated_blocks,
)
from gaussmix.classification.families.column_relevance import find_relevant_categories
from gaussmix.classification.families.members import MemberOptions, MixtureSpec
from tests.classification.families.labelled_rows import draw_classes, make_training_rows


def _make_rows(seed: int, n_rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (n, 6) of which columns 1 and 4 correlate in class 1 alone, 2 and 5 in both classes."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 2, n_rows)
    rows = rng.normal(size=(n_rows, 6))
    rows[:, 4] += np.where(classes == 1, rows[:, 1], 0.0)
    rows[:, 5] -= 0.8 * rows[:, 2]
    rows += 5.0 * classes[:, None]  # columns that correlate over the classes only
    return rows, classes


def _evidence(rows: np.ndarray, classes: np.ndarray, first: int, second: int) -> float:
    """Return what a correlation gains in log-likelihood, less its charge by BIC, in the class where it gains most."""
    gains = []
    for label in (0, 1):
        pair = rows[classes == label][:, [first, second]]
        pair = pair[~np.isnan(pair).any(axis=1)]
        correlation = np.corrcoef(pair.T)[0, 1]
        gains.append(-0.5 * len(pair) * np.log1p(-(correlation**2)) - 0.5 * np.log(len(pair)))
    return max(gains)


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(5))
def test_columns_that_correlate_within_a_class_are_in_the_block(seed: int, missing: float) -> None:
    rows, classes = _make_rows(seed)
    rows[np.random.default_rng(seed).random(rows.shape) < missing] = np.nan
    blocks = list_correlated_blocks(rows, classes, np.ones(400))
    expected = []
    for limit in (np.log(2 * 15), 0.0):  # 15 pairs of columns, in two classes
        pairs = [pair for pair in combinations(range(6), 2) if _evidence(rows, classes, *pair) > limit]
        expected.append(tuple(sorted({column for pair in pairs for column in pair})))
    assert blocks == tuple(dict.fromkeys(expected))
    assert {1, 2, 4, 5} <= set(blocks[0]) <= set(blocks[-1])


@pytest.mark.parametrize("n_columns", [3, 30])
def test_few_columns_are_in_the_block_by_chance(n_columns: int) -> None:
    classes = np.arange(400) % 2
    rngs = map(np.random.default_rng, range(60))
    sizes = [len(list_correlated_blocks(rng.normal(size=(400, n_columns)), classes, np.ones(400))[0]) for rng in rngs]
    assert np.mean(np.array(sizes) > 0) < 0.1  # about 1 % of tables, however many pairs are compared


def test_the_block_depends_neither_on_units_nor_on_order_nor_on_copies() -> None:
    rows, classes = _make_rows(0, 60)
    weights = np.random.default_rng(1).integers(1, 4, 60)
    copies = np.random.default_rng(2).permutation(np.repeat(np.arange(60), weights))
    chosen = list_correlated_blocks(rows, classes, weights.astype(float))
    assert list_correlated_blocks(rows[copies], classes[copies], np.ones(len(copies))) == chosen
    assert list_correlated_blocks(rows * 10.0 ** np.arange(-3, 3) + 4.0, classes, weights.astype(float)) == chosen
    few = list_correlated_blocks(rows, classes, np.full(60, 0.05))
    assert set(few[-1]) < set(chosen[-1]), "light rows are little evidence"


def test_the_block_is_bounded_in_columns_and_in_patterns_of_missing_cells() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 30)) + rng.normal(size=(500, 1))
    classes = rng.integers(0, 2, 500)
    assert len(list_correlated_blocks(rows, classes, np.ones(500))[0]) == MAX_BLOCK_COLUMNS
    rows[rng.random(rows.shape) < 0.3] = np.nan
    block = list_correlated_blocks(rows, classes, np.ones(500))[0]
    assert 2 <= len(block) < MAX_BLOCK_COLUMNS
    assert len(np.unique(np.isnan(rows[:, list(block)]), axis=0)) <= MAX_BLOCK_PATTERNS


def test_empty_constant_and_single_columns_have_no_block() -> None:
    classes = np.arange(30) % 2
    assert list_correlated_blocks(np.empty((30, 0)), classes, np.ones(30)) == ((),)
    assert list_correlated_blocks(np.random.default_rng(0).normal(size=(30, 1)), classes, np.ones(30)) == ((),)
    rows = np.column_stack([np.ones(30), np.full(30, np.nan), np.arange(30.0), 2.0 * np.arange(30.0)])
    assert list_correlated_blocks(rows, classes, np.ones(30)) == ((2, 3),)


def test_categories_are_kept_by_the_likelihood_ratio_that_scipy_computes() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 500)
    n_kept = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        codes = rng.integers(0, 8, 500)
        codes = np.where(rng.random(500) < 0.08, classes, codes)
        table = np.array([np.bincount(codes[classes == label], minlength=8) for label in range(3)])
        statistic = chi2_contingency(table, lambda_="log-likelihood").statistic
        expected = bool(statistic / 2.0 > 2 * 7)
        n_kept += expected
        assert find_relevant_categories(codes[:, None], (8,), classes, 3, np.ones(500)) == (0,) * expected
    assert 5 < n_kept < 35, "both outcomes are tested"


def test_a_category_without_information_is_left_out_unless_it_has_two_levels() -> None:
    rng = np.random.default_rng(1)
    classes = rng.integers(0, 2, 300)
    codes = np.column_stack([rng.integers(0, 30, 300), rng.integers(0, 2, 300), classes + 2 * (rng.random(300) < 0.5)])
    codes[::5] = -1
    assert find_relevant_categories(codes, (30, 2, 4), classes, 2, np.ones(300)) == (1, 2)
    assert find_relevant_categories(np.full((300, 1), -1), (3,), classes, 2, np.ones(300)) == ()
    assert find_relevant_categories(codes[:, 2:], (4,), classes, 2, np.full(300, 1e-4)) == ()


# -- numbers of components that are tried with all columns -------------------------------------------


@pytest.mark.parametrize(
    ("name", "requested", "n_components", "expected"),
    [
        ("class-mixtures", None, (1, 2), [(1, 2), (2, 4)]),
        ("class-mixtures", None, (3, 2), [(3, 2), (3, 4)]),  # 60 rows support three components of 20
        ("class-mixtures", None, (3, 8), [(3, 8)]),
        ("class-mixtures", (1, 2), (1, 2), [(1, 2)]),
        ("mclustda", None, (1, 2), [(1, 2), (2, 4)]),
        ("edda", None, (1, 1), [(1, 1)]),
        ("shared", None, (5,), [(5,)]),
    ],
)
def test_twice_the_components_are_tried_where_a_class_can_have_them(name, requested, n_components, expected):
    numeric, _ = draw_classes(0, n=200, n_classes=2)
    rows = make_training_rows(numeric, np.repeat([0, 1], [60, 140]))
    options = ModelOptions(FAMILIES[name], ChoiceRequest(requested, None, 8), MemberOptions((0,), None), None, 3, True)
    structures = ("VVV",) * (1 if name in ("edda", "shared") else 2)
    found = _list_specs(MixtureSpec(n_components, structures), rows, options)
    assert [spec.n_components for spec in found] == expected
    assert {spec.structures for spec in found} == {structures}
