"""Transforms of columns: inverse, Jacobian, estimated lambda, and what is refused."""

import numpy as np
import pytest
from scipy.stats import yeojohnson, yeojohnson_llf
from sklearn.preprocessing import PowerTransformer

from gaussmix import DataError, ParameterError
from gaussmix.errors import ColumnNameError
from gaussmix.transforms import ColumnTransforms, fit_column_transforms
from gaussmix.transforms.transform_kinds import AbstractTransform, Log1p, Standardize, YeoJohnson

KINDS: list[AbstractTransform] = [
    Log1p(),
    *(YeoJohnson(power) for power in (0.0, 1e-9, 0.3, 1.0, 1.7, 2.0)),
    Standardize(3.0, 0.5),
]


def _values(transform: AbstractTransform) -> np.ndarray:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 3, 200), rng.lognormal(5, 2, 100), [0.0, 1e-12, 1.0]])
    return values[values > transform.minimum]


@pytest.mark.parametrize("transform", KINDS, ids=str)
def test_the_inverse_restores_values(transform: AbstractTransform) -> None:
    values = _values(transform)
    np.testing.assert_allclose(transform.inverse(transform.forward(values)), values, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("transform", KINDS, ids=str)
def test_the_log_derivative_is_that_of_a_difference_quotient(transform: AbstractTransform) -> None:
    values = _values(transform)
    values = values[values > transform.minimum + 0.01]
    steps = 1e-5 * (1.0 + np.abs(values)) * np.minimum(1.0, values - transform.minimum)
    quotients = (transform.forward(values + steps) - transform.forward(values - steps)) / (2.0 * steps)
    np.testing.assert_allclose(transform.log_derivative(values), np.log(quotients), atol=1e-5)


@pytest.mark.parametrize("transform", KINDS, ids=str)
def test_transforms_increase_and_have_no_bound(transform: AbstractTransform) -> None:
    values = np.sort(_values(transform))
    assert (np.diff(transform.forward(values)) > 0).all()
    assert np.isfinite(transform.inverse(np.linspace(-300.0, 300.0, 601))).all()


@pytest.mark.parametrize("power", [0.0, 0.4, 1.0, 2.0])
def test_yeo_johnson_equals_scipy(power: float) -> None:
    values = _values(YeoJohnson(power))
    np.testing.assert_allclose(YeoJohnson(power).forward(values), yeojohnson(values, power), rtol=1e-13)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_lambda_equals_that_of_scikit_learn_within_its_range(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.column_stack([rng.normal(3.0, 1.0, 400) ** 2, rng.normal(size=400), rng.gamma(3.0, 10.0, 400)])
    ours = fit_column_transforms("yeo-johnson", rows)
    theirs = PowerTransformer(standardize=False).fit(rows)
    assert ours is not None
    np.testing.assert_allclose([each.power for each in ours.transforms], theirs.lambdas_, atol=1e-5)  # type: ignore[union-attr]
    np.testing.assert_allclose(ours.forward(rows), theirs.transform(rows), rtol=1e-4)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_lambda_is_the_best_within_its_range(sign: float) -> None:
    """Beyond 0 and 2, transformed values are bounded, and no density of them would integrate to one."""
    values = sign * np.random.default_rng(3).lognormal(0.0, 0.5, 300)
    transforms = fit_column_transforms("yeo-johnson", values[:, None])
    assert transforms is not None
    grid = np.linspace(0.0, 2.0, 81)
    assert transforms.transforms[0] == YeoJohnson(grid[np.argmax([yeojohnson_llf(power, values) for power in grid])])


def test_repeated_rows_equal_weighted_rows() -> None:
    rng = np.random.default_rng(4)
    rows, counts = rng.gamma(2.0, 3.0, (100, 2)), rng.integers(0, 4, 100)
    for name in ("yeo-johnson", "standardize"):
        weighted = fit_column_transforms(name, rows, counts.astype(float))
        repeated = fit_column_transforms(name, np.repeat(rows, counts, axis=0))
        assert weighted is not None
        assert repeated is not None
        np.testing.assert_allclose(weighted.forward(rows), repeated.forward(rows), rtol=1e-6)


def test_the_order_of_rows_plays_no_role() -> None:
    rng = np.random.default_rng(9)
    rows, weights = rng.gamma(2.0, 3.0, (501, 2)), rng.random(501)
    order = rng.permutation(501)
    for name in ("yeo-johnson", "standardize"):
        expected = fit_column_transforms(name, rows, weights)
        assert fit_column_transforms(name, rows[order], weights[order]) == expected


def test_columns_are_chosen_by_name_or_position() -> None:
    rows = np.random.default_rng(5).lognormal(size=(50, 3))
    chosen = fit_column_transforms({"b": "log1p", 2: "yeo-johnson", 0: None}, rows, feature_names=["a", "b", "c"])
    assert chosen is not None
    assert chosen.names == (None, "log1p", "yeo-johnson")
    assert chosen.n_parameters == 1
    np.testing.assert_array_equal(chosen.forward(rows)[:, 0], rows[:, 0])
    assert fit_column_transforms(None, rows) is None
    assert fit_column_transforms({"a": None}, rows, feature_names=["a", "b", "c"]) is None


def test_json_keeps_every_digit() -> None:
    rows = np.random.default_rng(6).lognormal(size=(50, 3))
    chosen = fit_column_transforms({0: "yeo-johnson", 2: "standardize"}, rows)
    assert chosen is not None
    assert ColumnTransforms.from_json(chosen.to_json(), 3) == chosen
    with pytest.raises(ValueError, match="number of transforms"):
        ColumnTransforms.from_json(chosen.to_json(), 2)


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ("log", "column_transform must be None, 'log1p', 'yeo-johnson', 'standardize', or a mapping"),
        (3, "column_transform must be None"),
        ({"income": "sqrt"}, "'sqrt'"),
        ({"incom": "log1p"}, "no column named 'incom'"),
        ({1: "log1p"}, "a column of column_transform must be a name or a position up to 0, but is 1"),
    ],
)
def test_unknown_transforms_and_columns_are_refused(transform: object, message: str) -> None:
    with pytest.raises((ParameterError, DataError), match=message):
        fit_column_transforms(transform, np.ones((5, 1)), feature_names=["income"])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["0", "income", "column 0"])
@pytest.mark.parametrize(("n_columns", "allowed"), [(1, "the number 0"), (3, "a number from 0 to 2")])
def test_a_name_where_columns_have_none_is_refused(name: str, n_columns: int, allowed: str) -> None:
    with pytest.raises(ColumnNameError) as caught:
        fit_column_transforms({name: "log1p"}, np.ones((5, n_columns)))
    expected = f"no column named '{name}', since the columns have no names; give {allowed}, without quotes"
    assert str(caught.value) == expected


def test_values_outside_the_domain_are_refused_by_row_and_column() -> None:
    transforms = ColumnTransforms((None, Log1p()))
    rows = np.array([[0.0, 1.0], [-7.0, -1.0]])
    with pytest.raises(DataError, match="row 1, column 'debt' is -1, but log1p needs values above -1"):
        transforms.forward(rows, ["income", "debt"])
    np.testing.assert_allclose(transforms.log_abs_det_jacobian(rows), [-np.log(2.0), -np.inf])
    with pytest.raises(DataError, match="yeo-johnson of row 0, column 0 overflows"):
        ColumnTransforms((YeoJohnson(2.0),)).forward(np.array([[1e200]]))


def test_constant_columns_are_allowed() -> None:
    for name in ("yeo-johnson", "standardize", "log1p"):
        transforms = fit_column_transforms(name, np.full((10, 1), 5.0))
        assert transforms is not None
        assert np.isfinite(transforms.forward(np.full((2, 1), 5.0))).all()
