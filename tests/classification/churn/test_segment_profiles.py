"""Profiles of segments: numbers equal those of NumPy and SciPy; words say what differs."""

import numpy as np
import pytest
from scipy.stats import entropy

from gaussmix.classification.churn.column_bins import relative_entropy, weighted_quantiles
from gaussmix.classification.churn.segment_profiles import (
    CategoricalProfile,
    NumericProfile,
    SegmentProfile,
    profile_segments,
)
from tests.classification.churn.customers import make_customers


@pytest.fixture(scope="module")
def profiles(model, customers):
    """The profiles of the three planted groups."""
    table, _, group = customers
    schema = model.classifier_.schema_
    return profile_segments(schema, schema.read_cells(table), np.eye(3)[group], np.ones(len(group)))


def find(profile, name):
    return next(each for each in profile.columns if each.column == name)


def test_numbers_and_fractions_are_those_of_the_table(profiles, customers):
    table, _, group = customers
    for k, profile in enumerate(profiles):
        months, own = table["months"], table["months"][group == k]
        found = find(profile, "months")
        for value, q in ((found.low_quartile, 0.25), (found.median, 0.5), (found.high_quartile, 0.75)):
            assert value == np.nanquantile(own, q, method="inverted_cdf")
        assert found.overall_median == np.nanquantile(months, 0.5, method="inverted_cdf")
        found = find(profile, "contract")
        contracts = table["contract"]
        assert found.fractions == pytest.approx([(contracts[group == k] == level).mean() for level in found.levels])
        assert found.overall_fractions == pytest.approx([(contracts == level).mean() for level in found.levels])


def test_information_gain_of_levels_is_the_relative_entropy(profiles):
    for profile in profiles:
        for name in ("contract", "service", "streaming", "senior"):
            found = find(profile, name)
            assert found.information_gain == pytest.approx(entropy(found.fractions, found.overall_fractions), abs=1e-12)
        gains = [each.information_gain for each in profile.columns]
        assert gains == sorted(gains, reverse=True)
        assert min(gains) >= 0.0


def test_columns_that_say_the_same_are_named_once(profiles):
    for profile in profiles:
        assert not {"price", "price in cents"} <= set(profile.named_columns)
        assert "streaming" not in profile.named_columns  # the service says it
        assert "senior" not in profile.named_columns  # it does not differ
        assert "service" in profile.named_columns
        assert {"price", "price in cents"} & set(profile.named_columns)


def test_words_name_levels_and_medians(profiles):
    assert "service = Fiber optic (100% instead of 31%)" in profiles[0].description
    assert "months 4 (median; all customers 14)" in profiles[0].description


def test_a_segment_of_all_customers_is_like_all(model, customers):
    table, _, group = customers
    schema = model.classifier_.schema_
    (profile,) = profile_segments(schema, schema.read_cells(table), np.ones((len(group), 1)), np.ones(len(group)))
    assert profile.named_columns == ()
    assert profile.description == "like all customers"
    assert max(each.information_gain for each in profile.columns) == pytest.approx(0.0, abs=1e-12)


def test_few_rows_do_not_make_a_column_stand_out(model):
    """Twelve customers at random differ from all by chance alone."""
    table, _, _ = make_customers(600, seed=9)
    schema = model.classifier_.schema_
    parts = np.zeros((600, 10))
    rng = np.random.default_rng(0)
    for k in range(10):
        parts[rng.choice(600, 12, replace=False), k] = 1.0
    found = profile_segments(schema, schema.read_cells(table), parts, np.ones(600))
    assert sum(len(profile.named_columns) for profile in found) <= 2


def test_weights_are_numbers_of_copies(model, customers):
    table, _, group = customers
    schema, counts = model.classifier_.schema_, np.random.default_rng(5).integers(0, 3, len(group))
    cells = schema.read_cells(table)
    repeated = np.repeat(np.arange(len(group)), counts)
    copies = schema.read_cells({name: values[repeated] for name, values in table.items()})
    first = profile_segments(schema, cells, np.eye(3)[group], counts.astype(float))
    second = profile_segments(schema, copies, np.eye(3)[group[repeated]], np.ones(len(repeated)))
    for one, other in zip(first, second, strict=True):
        assert find(one, "months") == find(other, "months")
        assert find(one, "service").fractions == pytest.approx(find(other, "service").fractions)


@pytest.mark.parametrize(
    ("fractions", "overall", "text"),
    [
        ((0.9, 0.1, 0.0), (0.5, 0.3, 0.2), "plan = a (90% instead of 50%)"),
        ((0.55, 0.42, 0.03), (0.4, 0.3, 0.3), "seldom plan = 'b, c' (3% instead of 30%)"),
        ((0.3, 0.7), (0.8, 0.2), "plan = d (70% instead of 20%)"),
        ((0.01, 0.99), (0.3, 0.7), "plan = d (99% instead of 70%)"),
    ],
)
def test_the_level_that_differs_is_described(fractions, overall, text):
    levels = ("a", "d", "b, c") if len(fractions) == 3 else ("a", "d")
    assert CategoricalProfile("plan", 0.1, levels, fractions, overall).description == text


def test_rows_of_a_table_are_dicts():
    numeric, categorical = (
        NumericProfile("x", 0.2, 1.0, 0.5, 2.0, 3.0),
        CategoricalProfile("plan", 0.1, (True, False), (0.9, 0.1), (0.5, 0.5)),
    )
    assert numeric.to_row()["median"] == 1.0
    assert categorical.to_row() == {
        "column": "plan",
        "information_gain": 0.1,
        "level": True,
        "fraction": 0.9,
        "overall_fraction": 0.5,
    }
    assert SegmentProfile((numeric, categorical), ("plan", "x")).description == (
        "plan = True (90% instead of 50%), x 1 (median; all customers 3)"
    )


@pytest.mark.parametrize("seed", range(4))
def test_weighted_quantiles_are_those_of_numpy(seed):
    rng = np.random.default_rng(seed)
    values, weights = rng.integers(0, 9, 40).astype(float), rng.integers(0, 4, 40).astype(float)
    probabilities = np.array([0.05, 0.3, 0.5, 0.77, 1.0])
    expected = np.quantile(np.repeat(values, weights.astype(int)), probabilities, method="inverted_cdf")
    np.testing.assert_array_equal(weighted_quantiles(values, weights, probabilities), expected)


def test_quantiles_of_nothing_are_missing():
    assert np.isnan(weighted_quantiles(np.empty(0), np.empty(0), np.array([0.5]))).all()
    assert np.isnan(weighted_quantiles(np.ones(3), np.zeros(3), np.array([0.5]))).all()


def test_relative_entropy_is_that_of_scipy():
    rng = np.random.default_rng(0)
    p, q = rng.uniform(0.1, 2, 7), rng.uniform(0.1, 2, 7)
    assert relative_entropy(p, q) == pytest.approx(entropy(p, q), rel=1e-12)
    assert relative_entropy(np.zeros(3), np.ones(3)) == 0.0
    assert relative_entropy(np.array([1.0, 0.0]), np.ones(2)) == pytest.approx(np.log(2.0))
