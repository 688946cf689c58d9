"""Absurd numbers count as missing, and long tails stay."""

import numpy as np
import pytest

from gaussmix import DataWarning
from gaussmix.classification import fit_table_schema
from gaussmix.classification.table.far_values import find_limits

SEEDS = range(4)


def make_values(kind: str, seed: int, n_rows: int = 2000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return {
        "normal": rng.normal(180.0, 54.0, n_rows),
        "around zero": rng.normal(0.0, 1.0, n_rows),
        "lognormal": rng.lognormal(3.0, 3.0, n_rows),
        "pareto": 1.0 + rng.pareto(1.0, n_rows),
        "cauchy": rng.standard_cauchy(n_rows),
        "counts": rng.poisson(2.0, n_rows) * 1.0,
        "months": np.ceil(rng.uniform(0.0, 72.0, n_rows)),
        "mostly zero": np.where(rng.random(n_rows) < 0.8, 0.0, rng.gamma(2.0, 5.0, n_rows)),
        "two groups": np.concatenate([rng.normal(1.0, 0.1, n_rows // 2), rng.normal(1e4, 1.0, n_rows // 2)]),
    }[kind]


KINDS = ("normal", "around zero", "lognormal", "pareto", "cauchy", "counts", "months", "mostly zero", "two groups")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_value_of_a_distribution_is_absurd(kind: str, seed: int) -> None:
    values = make_values(kind, seed)
    assert not find_limits(values).is_beyond(values).any()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["normal", "around zero", "counts", "months", "mostly zero"])
@pytest.mark.parametrize("absurd", [1e12, -1e12])
def test_a_slip_of_the_keyboard_is(kind: str, absurd: float, seed: int) -> None:
    values = make_values(kind, seed)
    values[7] = absurd
    np.testing.assert_array_equal(np.flatnonzero(find_limits(values).is_beyond(values)), [7])


@pytest.mark.parametrize("factor", [1e-200, 0.1, 3.0, 1e200])
def test_limits_have_the_units_of_the_data(factor: float) -> None:
    values = make_values("months", 0)
    np.testing.assert_allclose(find_limits(factor * values), factor * np.array(find_limits(values)), rtol=1e-9)


def test_limits_need_rows_that_differ() -> None:
    assert find_limits(np.array([1.0, 2.0, 1e12])) == (-np.inf, np.inf)
    assert find_limits(np.append(np.zeros(100), 1e12)) == (-np.inf, np.inf)
    assert find_limits(np.append(np.full(100, 3.0), 1e12)) == (-np.inf, np.inf)


@pytest.mark.parametrize("absurd", [1e12, -1e300])
def test_one_absurd_number_changes_no_other_row(absurd: float) -> None:
    table = {"minutes": make_values("normal", 0), "price": make_values("lognormal", 0)}
    target = np.arange(2000) % 2
    expected = fit_table_schema(table, target)
    spoiled = {**table, "minutes": np.append(table["minutes"][:-1], absurd)}
    schema = fit_table_schema(spoiled, target)
    assert schema.notes[0].startswith("'minutes': 1 number beyond ")
    assert schema.notes[0].endswith(f"such as {absurd:.6g}, counts as missing.")
    with pytest.warns(
        DataWarning, match="numbers far beyond those of the fit count as missing: column 'minutes' holds"
    ):
        rows = schema.encode(spoiled)
    assert np.isnan(rows.numeric[-1, 0])
    np.testing.assert_allclose(rows.numeric[:-1], expected.encode(table).numeric[:-1], atol=0.02)


def test_numbers_that_are_absurd_at_prediction_count_as_missing() -> None:
    schema = fit_table_schema({"minutes": make_values("normal", 0)}, np.arange(2000) % 2)
    with pytest.warns(DataWarning, match="column 'minutes' holds 18000000000.0; check their units"):
        rows = schema.encode({"minutes": [180.0, 1.8e10, 400.0]})
    np.testing.assert_array_equal(np.isnan(rows.numeric[:, 0]), [False, True, False])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_few_sentinels_do_not_decide_the_scale(seed: int) -> None:
    values = make_values("normal", seed)
    spoiled = values.copy()
    spoiled[:8] = 65_535.0
    column = fit_table_schema({"minutes": spoiled}, np.arange(2000) % 2, transform=None).numeric[0]
    assert column.scale == pytest.approx(values.std(), rel=0.1)
    assert column.center == pytest.approx(values.mean(), rel=0.02)
