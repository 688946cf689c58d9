"""Samples of rows that depend on the values of the rows only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gaussmix.solvers.initialization.subsampling import RowSample, draw_representative_sample
from gaussmix.types import ND, Array
from tests.contracts.problems import groups, problem_of
from tests.laws.strategies import seeds


def draw_sample(
    rows: ND, count: int = 50, weights: Array | None = None, seed: int = 0, structure: str = "VVV"
) -> RowSample:
    return draw_representative_sample(problem_of(rows, structure, weights), count, np.random.default_rng(seed))


def assert_same_sample(found: RowSample, expected: RowSample) -> None:
    np.testing.assert_array_equal(found.priorities, expected.priorities)
    np.testing.assert_allclose(found.rows, expected.rows, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-12)


def make_numbered_rows(n_rows: int) -> ND:
    """Return rows whose first column is their position."""
    return np.column_stack([np.arange(n_rows, dtype=np.float64), np.random.default_rng(0).normal(size=n_rows)])


@given(seeds, st.sampled_from([1, 3]))
def test_sample_is_invariant_to_the_order_of_rows(seed: int, n_features: int) -> None:
    rows = groups(seed % 1000, 400, n_features)
    assert_same_sample(
        draw_sample(np.random.default_rng(seed).permutation(rows), seed=seed), draw_sample(rows, seed=seed)
    )


@given(seeds)
def test_weights_equal_repeated_rows(seed: int) -> None:
    rows, counts = groups(seed % 1000, 400), np.random.default_rng(seed).integers(0, 4, 400)
    weighted = draw_sample(rows, weights=counts.astype(float), seed=seed)
    assert_same_sample(weighted, draw_sample(np.repeat(rows, counts, axis=0), seed=seed))


@given(seeds)
def test_uneven_weights_equal_repeated_rows(seed: int) -> None:
    """Rows that have almost all of the weight are drawn in proportion to it."""
    rng = np.random.default_rng(seed)
    rows, counts = groups(seed % 1000, 400), np.where(rng.random(400) < 0.05, 300, 1)
    weighted = draw_sample(rows, weights=counts.astype(float), seed=seed)
    repeated = np.random.default_rng(seed).permutation(np.repeat(rows, counts, axis=0))
    assert_same_sample(weighted, draw_sample(repeated, seed=seed))


@pytest.mark.parametrize("structure", ["VVV", "EII"])
@given(seeds, st.floats(-150.0, 150.0), st.sampled_from([0.0, 1.0, 100.0]))
def test_sample_is_invariant_to_units_and_origin(structure: str, seed: int, power_of_ten: float, offset: float) -> None:
    rows, scale = groups(seed % 1000, 400), 10.0**power_of_ten
    found = draw_sample(scale * (rows + offset), seed=seed, structure=structure)
    expected = draw_sample(rows, seed=seed, structure=structure)
    np.testing.assert_array_equal(found.priorities, expected.priorities)
    np.testing.assert_allclose(found.rows / scale - offset, expected.rows, atol=1e-9 * max(1.0, offset))


@pytest.mark.parametrize("structure", ["VVV", "EII"])
def test_sampled_rows_are_rows_of_the_data(structure: str) -> None:
    rows = make_numbered_rows(1000)
    found = draw_sample(rows, 100, structure=structure)
    assert found.rows.shape == (100, 2)
    np.testing.assert_allclose(found.rows, rows[found.rows[:, 0].round().astype(int)], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found.weights, 1.0)
    assert len(np.unique(found.rows[:, 0])) == 100


def test_samples_are_reproducible() -> None:
    rows = groups(0, 400)
    assert_same_sample(draw_sample(rows, seed=4), draw_sample(rows, seed=4))
    assert not np.isin(draw_sample(rows, seed=5).rows, draw_sample(rows, seed=4).rows).all()


def test_all_rows_are_returned_if_there_are_too_few() -> None:
    rows = np.repeat(make_numbered_rows(30), 40, axis=0)
    found = draw_sample(rows, 50)
    order = np.argsort(found.rows[:, 0])
    np.testing.assert_allclose(found.rows[order], make_numbered_rows(30), atol=1e-12)
    np.testing.assert_array_equal(found.weights, 40.0)


def test_rows_in_one_cell_because_of_an_outlier_are_distinguished() -> None:
    rows = np.append(np.linspace(0.0, 1.0, 500), 1e12)[:, None]
    assert len(np.unique(draw_sample(rows, 100).rows)) == 100


def test_rows_of_weight_zero_are_never_drawn() -> None:
    rows, weights = make_numbered_rows(600), np.repeat([1.0, 0.0], 300)
    assert_same_sample(draw_sample(rows, weights=weights), draw_sample(rows[:300]))
    assert draw_sample(rows, weights=weights).rows[:, 0].max() < 300


def test_every_row_is_equally_likely() -> None:
    rows = make_numbered_rows(200)
    counts = np.zeros(200)
    for seed in range(400):
        counts[draw_sample(rows, 20, seed=seed).rows[:, 0].round().astype(int)] += 1
    # Without replacement the counts vary a little less than chi-square allows for.
    assert 0.001 < stats.chisquare(counts).pvalue < 0.9999


def test_regions_are_drawn_in_proportion_to_their_rows() -> None:
    rows = np.random.default_rng(1).normal(size=(50_000, 2))
    found = draw_sample(rows, 4000)
    cells = np.floor(stats.norm.cdf(found.rows) * 5).astype(int)
    counts = np.bincount(cells[:, 0] * 5 + cells[:, 1], minlength=25)
    assert stats.chisquare(counts).pvalue > 0.001


def test_uneven_weights_are_drawn_in_proportion() -> None:
    """Groups of very different weight keep their fractions of the total weight."""
    rows = make_numbered_rows(20_000)
    group = np.arange(20_000) % 4
    weights = np.array([1.0, 10.0, 100.0, 1000.0])[group] * np.random.default_rng(0).uniform(0.5, 1.5, 20_000)
    found = draw_sample(rows, 2000, weights=weights)
    member = group[found.rows[:, 0].round().astype(int)]
    shares = np.bincount(member, found.weights, minlength=4) / found.weights.sum()
    np.testing.assert_allclose(shares, np.bincount(group, weights) / weights.sum(), rtol=0.15, atol=2e-3)
    assert (member == 3).mean() > 0.8
    assert found.effective_sample_size > 1500


def test_few_heavy_rows_are_not_missed() -> None:
    rows, weights = make_numbered_rows(20_000), np.ones(20_000)
    weights[::200] = 1000.0
    heavy = np.isin(draw_sample(rows, 2000, weights=weights).rows[:, 0].round(), np.arange(0, 20_000, 200))
    assert heavy.sum() == 100


def test_first_rows_of_a_sample_are_a_sample() -> None:
    rows = groups(0, 4000)
    np.testing.assert_array_equal(draw_sample(rows, 400).take_first(50).priorities, draw_sample(rows, 50).priorities)


@pytest.mark.parametrize("value", [0.0, 3.5, -1e300])
def test_equal_rows_are_one_row(value: float) -> None:
    found = draw_sample(np.full((500, 2), value), 20)
    np.testing.assert_array_equal(found.rows, [[value, value]])
    np.testing.assert_array_equal(found.weights, [500.0])
