"""Groups of a column: measures of each alone, biased groups found, unbiased ones left alone, small ones named."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gaussmix.classification import compare_groups, compute_measures
from gaussmix.errors import OutcomeError, ParameterError
from tests.classification.evaluation.outcome_samples import draw_sample


def draw_groups(seed, n_rows=600, n_groups=2):
    return np.array(["b", "a", "c", "d"])[np.random.default_rng(seed + 100).integers(0, n_groups, n_rows)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("is_weighted", [False, True])
def test_a_group_has_the_measures_of_its_rows(seed, is_weighted):
    y, p, weights = draw_sample(seed, 600)
    groups = draw_groups(seed)
    found = compare_groups(y, p, groups, weights if is_weighted else None, threshold=0.4)
    used = weights if is_weighted else np.ones(600)
    assert [group.name for group in found.groups] == ["a", "b"]
    for group in found.groups:
        rows = groups == group.name
        alone = compute_measures(y[rows], p[rows], used[rows])
        assert (group.n_rows, group.n_positive) == (rows.sum(), y[rows].sum())
        for name in ("auc", "auc_standard_error", "rate", "mean_probability"):
            assert getattr(group, name) == pytest.approx(getattr(alone, name), rel=1e-12)
        above = p > 0.4
        for rate, among in (
            (group.true_positive, rows & y),
            (group.false_positive, rows & ~y),
            (group.selected, rows),
        ):
            assert rate.rate == pytest.approx(np.average(above[among], weights=used[among]))
            assert rate.interval.low < rate.rate < rate.interval.high
        low, high = group.calibration_interval
        assert low < group.calibration_difference < high
        assert group.calibration_difference == pytest.approx(alone.mean_probability - alone.rate)


def test_a_biased_group_is_found_and_named():
    fair, biased = draw_sample(0, 800), draw_sample(1, 800, bias=1.0)
    y, p = (np.concatenate([a, b]) for a, b in zip(fair[:2], biased[:2], strict=True))
    groups = np.repeat(["North", "South"], 800)
    found = compare_groups(y, p, groups, name="region")
    assert found.sentences[0].startswith("region = South: the probabilities are too low by 0.1")
    assert "region = North: " not in str(found)
    reverse = compare_groups(y, 1.0 - p, groups, name="region")
    assert any("region = South: the probabilities are too high" in sentence for sentence in reverse.sentences)
    fair_only = compare_groups(*fair[:2], np.repeat(["x", "y"], 400))
    assert fair_only.sentences[0].startswith("group: no group's probabilities differ from its rate")


def test_false_alarms_are_as_rare_as_the_level_says():
    """Four groups, of which none is biased: the level holds for all of them at once."""
    alarms = 0
    for seed in range(60):
        y, p, _ = draw_sample(seed, 400)
        found = compare_groups(y, p, draw_groups(seed, 400, 4), level=0.9)
        alarms += any("too high" in sentence or "too low" in sentence for sentence in found.sentences)
    assert 1 <= alarms <= 12


def test_true_positive_rates_are_compared_at_the_threshold():
    y, p, _ = draw_sample(3, 600)
    groups = np.where(p > 0.5, "high", "low")
    sentence = compare_groups(y, p, groups, threshold=0.5, name="score").sentences[-1]
    assert sentence.startswith("Of the positive rows, 100% (")
    assert "of score = high and 0% (0% to" in sentence
    assert sentence.endswith("have a probability above 0.5.")
    named = compare_groups(y, p, groups, threshold=0.5, name="score", positive_name="customers who left").sentences[-1]
    assert named == sentence.replace("positive rows", "customers who left")
    at_a_value = compare_groups(y, p, groups, threshold=p[0])
    assert sum(group.selected.rate * group.n_rows for group in at_a_value.groups) == pytest.approx((p > p[0]).sum())
    at_zero = compare_groups(y, p, groups, threshold=0.0)
    assert all(group.selected.rate == 1.0 for group in at_zero.groups)


def test_small_groups_are_named_and_not_compared():
    y, p, _ = draw_sample(4, 310)
    groups = np.array(["large"] * 300 + ["small"] * 9 + ["one"])
    y[300:] = [True] + 9 * [False]
    found = compare_groups(y, p, groups, name="plan")
    large, one, small = found.groups
    assert not large.is_too_small
    assert small.is_too_small
    assert one.is_too_small
    assert small.auc is None
    assert one.true_positive is None
    assert "plan = small: too few to compare (positive rows: 1 of 9)." in found.sentences
    assert "Of the positive rows" not in str(found)
    table = found.table()
    assert table[1]["true_positive_rate"] is None
    assert table[0]["auc"] == large.auc
    assert table[0]["calibration_low"] == large.calibration_interval.low


def test_groups_of_any_type_and_missing_cells():
    y, p, _ = draw_sample(5, 60)
    tens = np.arange(60) % 3 * 5
    for groups in (tens, tens.astype(float), pd.Series(tens, dtype="Int64"), pl.Series(tens), tens.astype(str)):
        assert [group.name for group in compare_groups(y, p, groups).groups] == ["0", "5", "10"]
    assert [group.name for group in compare_groups(y, p, tens == 5).groups] == ["False", "True"]
    values = tens.astype(object)
    values[:4] = [None, np.nan, pd.NA, " "]
    last = compare_groups(y, p, values).groups[-1]
    assert (last.name, last.n_rows) == ("(missing)", 4)
    masked = np.ma.array(tens, mask=tens == 5)
    assert [group.name for group in compare_groups(y, p, masked).groups] == ["0", "10", "(missing)"]


def test_rows_of_weight_zero_are_absent_with_their_group():
    y, p, weights = draw_sample(6, 200)
    groups = draw_groups(6, 200, 3)
    weights[groups == "c"] = 0.0
    found = compare_groups(y, p, groups, weights)
    kept = groups != "c"
    assert found.table() == compare_groups(y[kept], p[kept], groups[kept], weights[kept]).table()


def test_wrong_groups_and_parameters_are_refused():
    y, p, _ = draw_sample(0, 60)
    with pytest.raises(OutcomeError, match="plan must have one value for each of 60 rows"):
        compare_groups(y, p, ["a"] * 59, name="plan")
    with pytest.raises(OutcomeError, match="age has 60 distinct values, but at most 50 groups"):
        compare_groups(y, p, np.arange(60), name="age")
    for threshold in (-0.1, 1.1, np.nan, "half", True):
        with pytest.raises(ParameterError, match="threshold must be a probability"):
            compare_groups(y, p, ["a"] * 60, threshold=threshold)
    with pytest.raises(ParameterError, match="level must be"):
        compare_groups(y, p, ["a"] * 60, level=2)
