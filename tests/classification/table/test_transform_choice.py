"""Transforms are chosen by the joint likelihood of one Gaussian per class, whatever the units and the order of rows."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from gaussmix import ParameterError
from gaussmix.classification import fit_table_schema
from gaussmix.classification.table.joint_likelihood import ClassGaussians
from gaussmix.classification.table.transform_choice import ScaledTransform, choose_transforms
from gaussmix.errors import ColumnNameError, TableColumnError
from gaussmix.transforms.transform_kinds import AbstractTransform, Log1p, YeoJohnson
from tests.classification.table.tables import assert_equal_rows

SEEDS = range(4)


def make_rows(seed: int, n_rows: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Return tenure, price and their product with noise, and classes."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, n_rows)
    tenure = np.exp(rng.normal(2.5 - target, 0.8, n_rows))
    price = np.exp(rng.normal(4.0 + 0.3 * target, 0.4, n_rows))
    return np.column_stack([tenure, price, tenure * price * np.exp(rng.normal(0.0, 0.1, n_rows))]), target


def choose(rows: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None) -> list[ScaledTransform]:
    return choose_transforms(rows, target, np.ones(len(rows)) if weights is None else weights)


# -- the likelihood --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_the_joint_log_likelihood_equals_that_of_scipy(seed: int) -> None:
    rows, target = make_rows(seed)
    transforms: list[AbstractTransform | None] = [Log1p(), None, YeoJohnson(0.3)]
    units = (0.5, 1.0, 20.0)
    data = ClassGaussians.from_rows(rows, target, np.ones(len(rows)))
    columns = [data.transform_column(j, transforms[j], units[j]) for j in range(3)]
    standardized = np.column_stack([column.standardized for column in columns])
    correlations = np.stack([data.correlate(standardized, j) for j in range(3)], axis=1)
    ours = sum(column.log_likelihood for column in columns) + data.dependence_term(correlations)
    theirs = 0.0
    for code in (0, 1):
        of_class = rows[target == code] / units
        moved = of_class.copy()
        for j, transform in enumerate(transforms):
            if transform is not None:
                moved[:, j] = transform.forward(of_class[:, j])
                theirs += transform.log_derivative(of_class[:, j]).sum()
        theirs += multivariate_normal(moved.mean(axis=0), np.cov(moved.T, bias=True)).logpdf(moved).sum()
        theirs -= len(moved) * np.log(units).sum()
    constant = -0.5 * rows.size * (np.log(2.0 * np.pi) + 1.0)
    assert ours + constant == pytest.approx(theirs, rel=1e-4)  # correlations shrink by 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_the_weighted_log_likelihood_of_one_column_equals_that_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, target = rng.lognormal(1.0, 0.7, 300), rng.integers(0, 3, 300)
    weights = rng.uniform(0.5, 2.0, 300)
    data = ClassGaussians.from_rows(values[:, None], target, weights)
    ours = data.transform_column(0, Log1p(), 2.0).log_likelihood
    theirs = 0.0
    for code in range(3):
        is_used = target == code
        moved, w = np.log1p(values[is_used] / 2.0), weights[is_used]
        mean = np.average(moved, weights=w)
        deviation = np.sqrt(np.average((moved - mean) ** 2, weights=w))
        theirs += w @ (norm(mean, deviation).logpdf(moved) - moved - np.log(2.0))
    constant = -0.5 * weights.sum() * (np.log(2.0 * np.pi) + 1.0)
    assert ours + constant == pytest.approx(theirs, rel=1e-10)


# -- the choice ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_gaussian_columns_stay_and_lognormal_ones_become_logarithms(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, 1000)
    rows = np.column_stack([rng.normal(50.0, 9.0, 1000), rng.lognormal(6.0, 1.0, 1000), rng.normal(size=1000) ** 3])
    names = [None if each.transform is None else each.transform.name for each in choose(rows, target)]
    assert names[0] is None
    assert names[1] is not None
    moved = rows[:, 1] / choose(rows, target)[1].unit
    transform = choose(rows, target)[1].transform
    assert transform is not None
    assert np.corrcoef(transform.forward(moved), np.log(rows[:, 1]))[0, 1] > 0.99


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_factors_and_their_product_become_logarithms_together(seed: int, fraction: float) -> None:
    rng = np.random.default_rng([seed, 1])
    target = rng.integers(0, 2, 2000)
    tenure, price = rng.uniform(1.0, 72.0, 2000), rng.uniform(20.0, 120.0, 2000)
    rows = np.column_stack([tenure, price, tenure * price * np.exp(rng.normal(0.0, 0.05, 2000))])
    rows[rng.random(rows.shape) < fraction] = np.nan
    assert all(each.transform is not None for each in choose(rows, target))
    alone = [choose(rows[:, [j]], target)[0].transform for j in range(2)]
    assert not any(isinstance(transform, Log1p) for transform in alone)  # uniform columns alone are no logarithms


@pytest.mark.parametrize("seed", SEEDS)
def test_few_rows_choose_no_transform_of_gaussian_columns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert choose(rng.normal(10.0, 1.0, (30, 2)), np.arange(30) % 2) == [ScaledTransform()] * 2


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("factor", [1e-9, 0.01, 1.0 / 7.0, 1e6])
def test_units_change_no_encoded_row(seed: int, factor: float) -> None:
    rows, target = make_rows(seed)
    rescaled = rows * factor
    first, second = fit_table_schema(rows, target), fit_table_schema(rescaled, target)
    assert any(column.transform is not None for column in first.numeric)
    assert_equal_rows(first.encode(rows), second.encode(rescaled), tolerance=1e-4)  # lambda is found to a thousandth


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_and_a_factor_of_all_weights_change_nothing(seed: int) -> None:
    rows, target = make_rows(seed)
    weights = np.random.default_rng(seed).uniform(0.5, 1.5, len(rows))
    order = np.random.default_rng(seed).permutation(len(rows))
    first = fit_table_schema(rows, target, weights)
    assert fit_table_schema(rows[order], target[order], weights[order]).to_json() == first.to_json()
    assert_equal_rows(fit_table_schema(rows, target, 1024.0 * weights).encode(rows), first.encode(rows), tolerance=1e-6)


def test_weights_and_classes_matter() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(10.0, 1.0, 500), rng.lognormal(2.0, 1.5, 500)])[:, None]
    is_first = np.arange(1000) < 500
    light = choose(values, np.zeros(1000, dtype=int), np.where(is_first, 1.0, 1e-6))[0]
    assert light.transform is None
    assert choose(values, np.zeros(1000, dtype=int), np.where(is_first, 1e-6, 1.0))[0].transform is not None
    groups = np.concatenate([rng.normal(10.0, 1.0, 800), rng.normal(40.0, 1.0, 200)])[:, None]
    assert choose(groups, (np.arange(1000) >= 800).astype(int))[0].transform is None
    assert choose(groups, np.arange(1000) % 2)[0].transform is not None


def test_many_rows_are_sampled_by_their_values() -> None:
    rows, target = make_rows(0, 30_000)
    order = np.random.default_rng(0).permutation(len(rows))
    chosen = choose(rows, target)
    assert choose(rows[order], target[order]) == chosen
    assert all(each.transform is not None for each in chosen)


# -- transforms that a user names ------------------------------------------------------------------


@pytest.mark.parametrize("transform", ["log1p", "yeo-johnson", "standardize", {"price": "log1p"}, None])
def test_named_transforms_have_the_units_of_the_data(transform: Any) -> None:
    rows, target = make_rows(0)
    table = {"tenure": rows[:, 0], "price": rows[:, 1]}
    schema = fit_table_schema(table, target, transform=transform)
    assert all(column.unit == 1.0 for column in schema.numeric)
    expected = [transform] * 2 if not isinstance(transform, dict) else [None, "log1p"]
    assert [None if c.transform is None else c.transform.name for c in schema.numeric] == expected
    moved = rows[:, 1] if schema.numeric[1].transform is None else schema.numeric[1].transform.forward(rows[:, 1])
    np.testing.assert_allclose(schema.encode(table).numeric[:, 1], (moved - moved.mean()) / moved.std(), atol=1e-10)


@pytest.mark.parametrize(
    ("transform", "error", "message"),
    [
        ("log", ParameterError, "column_transform must be None, 'log1p'"),
        ({"prize": "log1p"}, ColumnNameError, r"no column named 'prize' \(did you mean 'price'\?\)"),
        (
            {"plan": "log1p"},
            TableColumnError,
            "column_transform names 'plan', but the numeric columns after merging are 'price'",
        ),
        ("log1p", TableColumnError, "column 'price' holds -3, but log1p needs values above -1; use 'yeo-johnson'"),
    ],
)
def test_transforms_that_cannot_be_are_refused(transform: Any, error: type[Exception], message: str) -> None:
    table = {"price": np.append(np.linspace(0.5, 9.7, 99), -3.0), "plan": np.resize(["a", "b"], 100).astype(object)}
    with pytest.raises(error, match=message):
        fit_table_schema(table, np.resize([0, 0, 1], 100), transform=transform)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_column_of_many_gaps_takes_no_rows_from_the_others(seed: int) -> None:
    rows, target = make_rows(seed, 1000)
    rare = np.where(np.arange(1000) % 9 == 0, rows[:, 0] * 3.0, np.nan)
    assert choose(np.column_stack([rows, rare]), target)[:3] == choose(rows, target)
