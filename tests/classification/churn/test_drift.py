"""Drift between the training table and another: false alarms are rare, changes are found and named."""

import numpy as np
import pytest

from gaussmix.classification.churn.column_summary import CategoricalSummary
from gaussmix.classification.churn.drift import SCORE, _describe_levels
from gaussmix.classification.churn.drift_tests import compare_levels, stability_terms
from gaussmix.errors import DataWarning, ParameterError
from tests.classification.churn.customers import make_customers, select_rows


def test_false_alarms_are_as_rare_as_asked(model):
    """Eighty tables of the same kind of customers."""
    drifts = [model.drift(make_customers(250, seed=seed)[0]) for seed in range(100, 180)]
    assert sum(drift.has_drift for drift in drifts) <= 9


def test_the_training_table_and_a_part_of_it_do_not_drift(model, customers):
    table, _, _ = customers
    for rows in (np.arange(600), np.arange(0, 600, 3)):
        drift = model.drift(select_rows(table, rows))
        assert not drift.has_drift
        assert "No column of" in str(drift)
    assert drift.mean_probability == pytest.approx(model.churn_probability(select_rows(table, rows)).mean())


def test_a_shifted_column_is_found_and_named(model):
    table, _, _ = make_customers(400, seed=7)
    table["months"] = table["months"] + 20.0
    drift = model.drift(table)
    assert drift.drifted_columns[0].name == "months"
    assert drift.drifted_columns[0].size == "large"
    assert drift.sentences[1].startswith("- months has the median 33 instead of 14 (large change, PSI ")
    names = [column.name for column in drift.columns]
    assert set(names) == {*table, SCORE}
    assert names[-1] == SCORE
    indices = [column.stability_index for column in drift.columns[:-1]]
    assert indices == sorted(indices, reverse=True)


def test_another_mix_of_customers_moves_the_score(model):
    table, _, group = make_customers(900, seed=8)
    table = select_rows(table, np.flatnonzero((group == 0) | (np.arange(900) % 3 == 0)))
    drift = model.drift(table)
    score = drift.columns[-1]
    assert score in drift.drifted_columns
    assert "- the churn probability has the median " in str(drift)
    assert drift.mean_probability > drift.training_mean_probability + 0.1
    assert "- service = " in str(drift)


def test_missing_cells_and_unknown_values_are_named(model):
    table, _, _ = make_customers(400, seed=9)
    rng = np.random.default_rng(0)
    table["price"] = np.where(rng.random(400) < 0.3, np.nan, table["price"])
    table["contract"] = np.where(rng.random(400) < 0.2, "Five year", table["contract"])
    with pytest.warns(DataWarning, match="Five year"):
        drift = model.drift(table)
    by_name = {column.name: column for column in drift.drifted_columns}
    assert by_name["price"].description.startswith("price is missing in ")
    assert by_name["contract"].description.endswith(
        "% of the rows hold values that the fit did not have, such as 'Five year'"
    )


def test_the_level_that_adds_most_to_the_index_is_named():
    """A few rows of a new level weigh more than a larger shift between common ones."""
    summary = CategoricalSummary("payment", ("card", "transfer"), np.array([530.0, 470.0]), 0.0)
    old = np.array([530.0, 470.0, 0.0, 0.0])
    for new, text in (
        ([540, 430, 0, 30], "payment: 3% of the rows hold values that the fit did not have, such as 'wallet'"),
        ([550, 430, 20, 0], "payment is missing in 2% instead of 0% of the rows"),
        ([600, 400, 0, 0], "payment = transfer in 40% instead of 47% of the rows"),
    ):
        counts = np.array(new, dtype=np.float64)
        terms = stability_terms(old, counts)
        p, q = old + 0.5, counts + 0.5
        used = (old > 0) | (counts > 0)
        p, q = p[used] / p[used].sum(), q[used] / q[used].sum()
        np.testing.assert_allclose(terms[used], (q - p) * np.log(q / p))
        found = compare_levels(summary, counts[:2], counts[2], counts[3])
        assert found.stability_index == pytest.approx(terms.sum())
        assert _describe_levels(summary, counts, ("wallet",)) == text


def test_p_values_are_multiplied_by_the_number_of_comparisons(model):
    table, _, _ = make_customers(300, seed=10)
    for column in model.drift(table).columns:
        assert column.adjusted_p_value == pytest.approx(min(1.0, 8 * column.p_value))


def test_the_rate_of_false_alarms_changes_what_counts(model):
    table, _, _ = make_customers(300, seed=11)
    table["months"] = table["months"] + 1.5
    assert not model.drift(table, false_alarm_rate=1e-9).has_drift
    assert model.drift(table, false_alarm_rate=0.999).has_drift
    with pytest.raises(ParameterError, match="false_alarm_rate"):
        model.drift(table, false_alarm_rate=1.5)


def test_a_table_of_the_drift_has_a_row_for_each_column(model):
    table, _, _ = make_customers(50, seed=12)
    rows = model.drift(table).table()
    assert [set(row) for row in rows] == [
        {"name", "distance", "p_value", "adjusted_p_value", "stability_index", "size", "description"}
    ] * 8
