"""Linear relations among columns: found up to rounding, in words, and not where columns only correlate."""

import numpy as np
import pytest
from scipy.stats import special_ortho_group

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.dependence_screen import can_have_relations, select_screening_rows
from gaussmix.core.dependence_search import _find_relations, find_column_dependence
from gaussmix.core.rounding_step import bound_rounding_steps, find_rounding_step
from gaussmix.types import ND

SEEDS = range(6)
DECIMALS = [2, 3, 4, 5, 6, 15]


def describe(rows: ND, names: list[str] | None = None) -> list[str]:
    found = find_column_dependence(rows)
    return [] if found is None else found.describe(names)


def calls(seed: int, n_rows: int = 300) -> ND:
    """Three columns of different sizes and their total."""
    parts = np.random.default_rng(seed).normal(size=(n_rows, 3)) * [1.0, 5.0, 20.0] + [10.0, 50.0, 3.0]
    return np.column_stack([parts, parts.sum(axis=1)])


@pytest.mark.parametrize("decimals", DECIMALS)
@pytest.mark.parametrize("seed", SEEDS)
def test_total_of_rounded_parts(seed: int, decimals: int) -> None:
    rows, names = np.round(calls(seed), decimals), ["day", "night", "evening", "total"]
    assert describe(rows, names) == ["total = day + night + evening"]
    found = find_column_dependence(np.roll(rows, 1, axis=1))
    assert found is not None
    assert found.dependent.tolist() == [3]
    assert found.describe(np.roll(names, 1).tolist()) == ["total = day + night + evening"]


@pytest.mark.parametrize("decimals", DECIMALS)
@pytest.mark.parametrize("seed", SEEDS)
def test_shares_of_a_whole(seed: int, decimals: int) -> None:
    shares = np.round(np.random.default_rng(seed).dirichlet([20.0, 5.0, 5.0], 200), decimals)
    assert describe(shares, ["a", "b", "c"]) == ["c = 1 - a - b"]


@pytest.mark.parametrize("seed", SEEDS)
def test_other_relations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    celsius, other = np.round(rng.normal(20.0, 5.0, 100), 1), rng.normal(size=100)
    rows = np.column_stack([np.full(100, 3.0), celsius, other, np.round(1.8 * celsius + 32.0, 1), -other, celsius])
    names = ["k", "celsius", "x", "fahrenheit", "y", "copy"]
    texts = ["k is constant (3)", "fahrenheit = 32 + 1.8 celsius", "y = -x", "copy = celsius"]
    assert describe(rows, names) == texts
    assert describe(rows)[1] == "column 3 = 32 + 1.8 column 1"


@pytest.mark.parametrize("correlation", [0.99, 0.999, 0.99999, 1.0 - 1e-8])
@pytest.mark.parametrize("decimals", [2, 15])
@pytest.mark.parametrize("seed", SEEDS)
def test_correlation_is_no_dependence(seed: int, decimals: int, correlation: float) -> None:
    x, y = np.random.default_rng(seed).normal(size=(2, 300))
    z = correlation * x + np.sqrt(1.0 - correlation**2) * y
    rows = np.column_stack([x, z])
    if decimals > 2 or correlation < 0.99999:  # otherwise the copies differ by less than the step
        assert describe(np.round(100.0 * rows, decimals)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_coarse_columns_are_independent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(300, 1))
    likert = np.clip(np.round(3.0 + latent + 0.3 * rng.normal(size=(300, 8))), 1.0, 5.0)
    assert describe(likert) == []
    assert describe((rng.random((300, 6)) < 0.2).astype(float)) == []
    age = rng.integers(20, 80, 300).astype(float)
    assert describe(np.column_stack([age, age + rng.integers(0, 2, 300)])) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_neither_order_nor_units_nor_copies_of_rows_change_the_columns(seed: int) -> None:
    rng, rows = np.random.default_rng(seed), np.round(calls(seed, 2_000), 3)
    for other in (rng.permutation(rows), np.repeat(rows, 2, axis=0), rows * [0.3, 7.0, 1e-9, 1e12], rows * 1e-150):
        found = find_column_dependence(other)
        assert found is not None
        assert found.dependent.tolist() == [3]
    weights = np.append(np.ones(len(rows)), 0.0)
    assert describe(np.vstack([rows, [0.0, 0.0, 0.0, 9.0]])) == []
    assert find_column_dependence(np.vstack([rows, [0.0, 0.0, 0.0, 9.0]]), weights) is not None


def test_few_rows_are_no_evidence() -> None:
    rng = np.random.default_rng(0)
    assert describe(rng.normal(size=(5, 5))) == []
    assert describe(rng.normal(size=(5, 4))) == []
    assert describe(np.column_stack([np.ones(3), rng.normal(size=(3, 3))])) == []
    assert describe(np.ones((10, 3))) == []
    assert describe(np.repeat(rng.normal(size=(3, 3)), 10, axis=0)) == []


def test_many_columns() -> None:
    """Beyond 512 columns only copies and constants are found, below them any relation among them."""
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(700, 600))
    wide[:, 599], wide[:, 7] = wide[:, 0], 1.0
    assert describe(wide) == ["column 7 is constant (1)", "column 599 = column 0"]
    rotated = calls(0, 500) @ special_ortho_group(4, seed=1).rvs()
    found = find_column_dependence(np.column_stack([rng.normal(size=(500, 60)), rotated]))
    assert found is not None
    assert found.dependent.tolist() == [63]
    assert found.relations[0].predictors.tolist() == [60, 61, 62]


def test_rows_and_covariances_of_all_columns() -> None:
    rows = calls(3)
    found = find_column_dependence(rows)
    assert isinstance(found, ColumnDependence)
    part = found.select_independent(rows)
    np.testing.assert_allclose(found.expand_rows(part), rows, rtol=1e-12, atol=1e-12)
    covariance = np.cov(part.T)
    np.testing.assert_allclose(found.expand_covariances(covariance[None])[0], np.cov(rows.T), rtol=1e-10)
    deviations = np.sqrt(np.diag(covariance))
    correlations = covariance / np.outer(deviations, deviations)
    expanded = found.expand_standard_deviations(deviations[None], correlations[None])[0]
    np.testing.assert_allclose(expanded, rows.std(axis=0, ddof=1), rtol=1e-10)
    assert not found.broken_rows(rows).any()
    rows[7, 3] += 0.01
    assert np.flatnonzero(found.broken_rows(rows)).tolist() == [7]


@pytest.mark.parametrize("step", [1e-6, 0.25, 2.54, 1000.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_rounding_step(seed: int, step: float) -> None:
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=500) * rng.choice([30.0, 1e5])) * step
    assert find_rounding_step(values) == pytest.approx(step, rel=1e-6)
    assert find_rounding_step(values + 7.0 * step / 3.0) == pytest.approx(step, rel=1e-6)
    assert find_rounding_step(rng.normal(size=500)) == 0.0
    assert find_rounding_step(np.ones(5)) == 0.0


def screen_says_no(rows: ND) -> bool:
    return not can_have_relations(select_screening_rows(rows, None))


def search_without_screen(rows: ND) -> bool:
    """Return whether the full search of the screened rows finds a relation."""
    return bool(_find_relations(select_screening_rows(rows, None)))


def simulate_table(rng: np.random.Generator) -> ND:
    """Return rounded columns of clustered rows in any units, of which some are functions of others."""
    n_features = int(rng.integers(2, 30))
    n_rows, n_related = n_features + int(rng.integers(8, 3_000)), int(rng.integers(0, 3))
    centers = rng.normal(size=(3, n_features)) * 10.0 ** rng.uniform(-1.0, 1.0)
    rows = centers[rng.integers(3, size=n_rows)] + rng.normal(size=(n_rows, n_features))
    units = 10.0 ** rng.uniform(-3.0, 3.0, n_features)
    rows = np.round(rows, int(rng.choice([0, 1, 2, 4, 15]))) + rng.choice([0.0, 1e4]) * rng.integers(-2, 2, n_features)
    for _ in range(n_related):
        j, *others = rng.permutation(n_features)[: int(rng.integers(2, 6))]
        noise = rng.choice([0.0, 1e-7, 1e-5, 1e-3]) * rng.normal(size=n_rows)
        total = rows[:, others] @ np.round(rng.normal(size=len(others)), 1) + noise
        rows[:, j] = np.round(total, int(rng.choice([1, 2, 3, 15])))
    return rows * units if rng.random() < 0.5 else rows


@pytest.mark.parametrize("seed", range(12))
def test_screen_never_hides_what_the_search_finds(seed: int) -> None:
    rng, n_found = np.random.default_rng(seed), 0
    for _ in range(25):
        rows = simulate_table(rng)
        if search_without_screen(rows):
            n_found += 1
            assert not screen_says_no(rows)
    assert n_found >= 5


@pytest.mark.parametrize("decimals", [2, 3, 15])
@pytest.mark.parametrize("shape", [(200, 2), (300, 50), (3_000, 50), (600, 200)])
@pytest.mark.parametrize("seed", range(2))
def test_one_factorisation_settles_clustered_columns(seed: int, shape: tuple[int, int], decimals: int) -> None:
    """Clusters make columns predict one another well, which is no relation."""
    rng = np.random.default_rng(seed)
    centers = 3.0 * rng.normal(size=(2, shape[1]))
    rows = np.round(centers[rng.integers(2, size=shape[0])] + rng.normal(size=shape), decimals)
    assert screen_says_no(rows)
    assert screen_says_no(rows * 10.0 ** rng.uniform(-60.0, 60.0, shape[1]))
    assert describe(rows) == []


@pytest.mark.parametrize("step", [0.01, 1.0, 1 / 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_bound_of_the_rounding_steps(seed: int, step: float) -> None:
    rng = np.random.default_rng(seed)
    rows = np.round(rng.normal(size=(700, 3)) * [3.0, 50.0, 1e4] + [0.0, 1e3, -1e5]) * step
    steps = np.array([find_rounding_step(column) for column in rows.T])
    np.testing.assert_allclose(steps, step)
    bounds = bound_rounding_steps(rows, np.abs(rows).max(axis=0))
    assert (steps <= bounds).all()
    assert bounds[0] < 1.1 * step
    assert (bound_rounding_steps(rng.normal(size=(700, 3)), np.full(3, 4.0)) < 1e-2).all()
    assert (bound_rounding_steps(np.ones((9, 1)), np.ones(1)) == np.inf).all()
