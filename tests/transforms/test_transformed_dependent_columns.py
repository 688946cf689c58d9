"""Transforms and linear dependence in one mixture: the relations are those of the transformed columns."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gaussmix import DataWarning, DependenceError, GaussianMixture, Intensity, Mixture, select
from gaussmix.cli.info import run_info
from gaussmix.model.serialization import read_schema_version
from gaussmix.types import ND

NAMES = ["a", "b", "c"]
MEANS = np.array([[1.0, 2.0], [4.0, 2.5], [2.0, 5.0]])

pytestmark = pytest.mark.filterwarnings("ignore:No Gaussian describes:gaussmix.DataWarning")


def make_rows(seed: int, n_rows: int = 600) -> ND:
    """Return groups that are Gaussian in log1p(a) and log1p(b), with 1 + c = (1 + a) (1 + b)."""
    rng = np.random.default_rng(seed)
    factors = np.exp(MEANS[rng.integers(3, size=n_rows)] + 0.3 * rng.normal(size=(n_rows, 2)))
    return np.column_stack([factors, factors.prod(axis=1)]) - 1.0


def fit(rows: ND, transform: object = "log1p", **parameters: object) -> GaussianMixture:
    arguments: dict[str, object] = {"n_components": 3, "random_state": 0, "tol": 1e-8, "max_iter": 500, **parameters}
    return GaussianMixture(column_transform=transform, **arguments).fit(rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("structure", ["full", "tied", "VVI"])
def test_fits_equal_those_of_the_independent_columns(seed: int, structure: str) -> None:
    rows = make_rows(seed)
    whole, part = fit(rows, covariance_type=structure), fit(rows[:, :2], covariance_type=structure)
    assert whole.model_.dependence is not None
    assert whole.model_.dependence.dependent.tolist() == [2]
    assert "log1p(column 2) = log1p(column 0) + log1p(column 1)" in " ".join(whole.fit_.notes)
    assert whole.model_.n_parameters == part.model_.n_parameters
    np.testing.assert_allclose(whole.fit_.log_likelihood, part.fit_.log_likelihood, rtol=1e-9)
    np.testing.assert_allclose(whole.score(rows), whole.fit_.mean_log_likelihood, rtol=1e-9)
    np.testing.assert_allclose(whole.lower_bound_, part.lower_bound_, rtol=1e-9)
    np.testing.assert_allclose(whole.bic(rows), part.bic(rows[:, :2]), rtol=1e-9)
    np.testing.assert_allclose(whole.score_samples(rows), part.score_samples(rows[:, :2]), rtol=1e-6)
    np.testing.assert_allclose(whole.model_.logpdf(rows), whole.score_samples(rows), rtol=1e-9)
    np.testing.assert_array_equal(whole.predict(rows), part.predict(rows[:, :2]))
    independent = whole.model_.independent_part
    assert independent.n_parameters == part.model_.n_parameters
    np.testing.assert_allclose(independent.logpdf(rows[:, :2]), whole.model_.logpdf(rows), rtol=1e-12)


def test_the_jacobian_is_that_of_the_independent_columns_when_some_have_no_transform() -> None:
    rows = make_rows(3)
    rows[:, 1:] = np.log1p(rows[:, 1:])
    whole = fit(rows, {0: "log1p"})
    part = fit(rows[:, :2], {0: "log1p"})
    assert whole.model_.dependence is not None
    np.testing.assert_allclose(whole.fit_.log_likelihood, part.fit_.log_likelihood, rtol=1e-9)
    np.testing.assert_allclose(whole.bic(rows), part.bic(rows[:, :2]), rtol=1e-9)


def test_each_independent_lambda_counts_once() -> None:
    column = np.random.default_rng(0).lognormal(sigma=0.8, size=(500, 1))
    whole = fit(np.hstack([column, column, np.ones((500, 1))]), "yeo-johnson", n_components=1)
    part = fit(column, "yeo-johnson", n_components=1)
    assert part.model_.n_parameters == 3
    assert whole.model_.n_parameters == 3
    np.testing.assert_allclose(whole.fit_.log_likelihood, part.fit_.log_likelihood, rtol=1e-12)


def test_samples_and_medians_keep_the_relation_in_the_units_of_the_data() -> None:
    model = fit(make_rows(4)).model_
    samples, _ = model.sample(200, random_state=0)
    for points in (samples, model.medians):
        np.testing.assert_allclose(1.0 + points[:, 2], (1.0 + points[:, 0]) * (1.0 + points[:, 1]), rtol=1e-9)
    assert (model.half_widths > 0).all()


@pytest.mark.parametrize("columns", [[0, 1], [2, 0], [1, 2]])
def test_marginals_of_dependent_columns_change_variables(columns: list[int]) -> None:
    rows = make_rows(5)
    model = fit(rows).model_
    # p(c, a) = p(a, b) |db/dc|, where db/dc = 1 / (1 + a); and so with b.
    log_derivative = {2: 0.0, 1: -np.log1p(rows[:, 0]), 0: -np.log1p(rows[:, 1])}
    (left_out,) = {0, 1, 2} - set(columns)
    expected = model.logpdf(rows) + log_derivative[left_out]
    np.testing.assert_allclose(model.marginal(columns).logpdf(rows[:, columns]), expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("seed", range(2))
def test_searches_equal_those_of_the_independent_columns(seed: int) -> None:
    rows = make_rows(seed, 300)
    searches = [select(part, range(2, 5), ["EII", "VVI", "VVV"], transform="log1p") for part in (rows, rows[:, :2])]
    whole, part = (search.best for search in searches)
    assert whole.name == part.name
    assert whole.n_parameters == part.n_parameters == whole.mixture.n_parameters  # type: ignore[union-attr]
    for name, value in part.criteria.items():
        assert whole.criteria[name] == pytest.approx(value, rel=1e-9)
    assert whole.mixture is not None
    assert whole.mixture.n_features == 3
    assert "log1p(column 2)" in " ".join(whole.fit.notes)  # type: ignore[union-attr]
    np.testing.assert_allclose(whole.mixture.logpdf(rows).sum(), whole.fit.log_likelihood, rtol=1e-9)  # type: ignore[union-attr]


def test_files_keep_relations_and_transforms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, path = make_rows(6), tmp_path / "model.safetensors"
    for covariance_type, n_factors in (("full", None), ("UUC", 1)):
        model = fit(rows, covariance_type=covariance_type, n_factors=n_factors).model_
        model.save(path)
        loaded = Mixture.load(path)
        assert read_schema_version(path) == 3
        assert loaded.transforms == model.transforms
        assert loaded.dependence is not None
        np.testing.assert_array_equal(loaded.logpdf(rows), model.logpdf(rows))
        np.testing.assert_array_equal(loaded.medians, model.medians)
    run_info(path)
    assert "log1p(column 2) = log1p(column 0) + log1p(column 1)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "operation",
    [
        lambda model, rows: model.cdf(rows),
        lambda model, rows: model.conditional([0], [1.0]),
        lambda model, rows: model.product(model),
        lambda model, rows: model.marginal([0, 1, 2]),
        lambda model, rows: Intensity(model) + Intensity(model),
    ],
)
def test_operations_on_dependent_columns_name_the_transformed_ones(
    operation: Callable[[Mixture, ND], object],
) -> None:
    rows = make_rows(7)
    model = fit(rows).model_
    with pytest.raises(DependenceError, match=r"log1p\(column 2\) = log1p\(column 0\)"):
        operation(model, rows)


def test_rows_that_break_a_relation_of_transformed_columns_are_named() -> None:
    rows = make_rows(8)
    estimator = fit(rows)
    broken = rows[:5].copy()
    broken[3, 2] *= 2.0
    with pytest.warns(DataWarning, match=r"row 3, counted from 0\).*log1p\(column 2\)"):
        labels = estimator.predict(broken)
    np.testing.assert_array_equal(labels, estimator.predict(rows[:5]))


def test_the_density_is_zero_outside_the_domain() -> None:
    rows = make_rows(9)
    model = fit(rows).model_
    is_finite = np.isfinite(model.logpdf(np.vstack([rows[:1], [[1.0, 1.0, -2.0], [-2.0, 1.0, 3.0]]])))
    assert is_finite.tolist() == [True, False, False]
    assert model.independent_part.logpdf(np.array([[-2.0, 1.0]]))[0] == -np.inf
