"""Changes: they do what they say, they are the smallest, and they stay possible."""

from copy import copy

import numpy as np
import pytest

from gaussmix.classification.churn.wording import format_percent
from tests.classification.churn.customers import select_rows


@pytest.fixture(scope="module")
def explanation(model, customers):
    """The explanations of thirty customers of the second group."""
    table, _, group = customers
    rows = np.flatnonzero(group == 1)[:30]
    return model.explain(select_rows(table, rows), threshold=0.4), select_rows(table, rows)


def apply(table, row, change):
    """Return the row of a table after a change."""
    changed = {name: np.array(values[[row]]) for name, values in table.items()}
    for name, value in change.new.items():
        changed[name][0] = value
    return changed


def test_a_change_brings_the_probability_below_the_threshold(model, explanation):
    customers, table = explanation
    n_changes = 0
    for i, customer in enumerate(customers):
        for change in customer.changes:
            probability = model.churn_probability(apply(table, i, change))[0]
            assert probability == pytest.approx(change.probability, rel=1e-9)
            assert probability < customer.threshold <= customer.probability
            for name, value in change.old.items():
                assert value == table[name][i]
            n_changes += 1
    assert n_changes >= 10


def test_changed_values_occur_in_the_training_table(model, explanation, customers):
    found, _ = explanation
    for customer in found:
        for change in customer.changes:
            for name in change.columns:
                assert change.new[name] in customers[0][name]


def test_the_price_in_cents_follows_the_price(explanation):
    found, _ = explanation
    prices = [change.new for customer in found for change in customer.changes if "price" in change.new]
    assert prices
    for new in prices:
        assert new["price in cents"] == pytest.approx(100.0 * new["price"])


def test_the_smallest_number_of_months_is_found(model, explanation):
    """By trying all quantiles: no smaller change of the rank is enough and possible."""
    found, table = explanation
    summary = model.state_.summaries["months"]
    grid = np.unique(summary.quantiles(np.linspace(0.05, 0.95, 19)))
    n_checked = 0
    for i, customer in enumerate(found):
        changes = [change for change in customer.changes if change.columns == ("months",)]
        if not changes:
            continue
        own = summary.ranks(np.array([table["months"][i]]))[0]
        assert changes[0].distance == pytest.approx(
            abs(summary.ranks(np.array([float(changes[0].new["months"])]))[0] - own)
        )
        nearer = grid[np.abs(summary.ranks(grid) - own) < changes[0].distance - 1e-9]
        rows = {name: np.repeat(values[[i]], len(nearer)) for name, values in table.items()}
        rows["months"] = nearer
        if len(nearer):
            assert (model.churn_probability(rows) >= customer.threshold).all()
        n_checked += 1
    assert n_checked


def test_changes_do_not_contradict_what_determines_each_other(explanation):
    """Without internet there is no streaming, and with internet no 'No internet service'."""
    found, table = explanation
    for i, customer in enumerate(found):
        for change in customer.changes:
            service = change.new.get("service", table["service"][i])
            streaming = change.new.get("streaming", table["streaming"][i])
            assert (service == "No") == (streaming == "No internet service")


def test_one_column_comes_before_two_and_small_changes_before_large_ones(explanation):
    for customer in explanation[0]:
        assert len({len(change.columns) for change in customer.changes}) <= 1
        distances = [change.distance for change in customer.changes]
        assert distances == sorted(distances)
        assert len(distances) <= 3


def test_two_columns_change_where_one_is_not_enough(model, customers):
    table, _, group = customers
    rows = select_rows(table, np.flatnonzero(group == 1)[:12])
    sizes = set()
    for threshold in (0.3, 0.2):
        for change in (each for customer in model.explain(rows, threshold=threshold) for each in customer.changes):
            assert change.probability < threshold
            sizes.add(len(change.columns))
    assert sizes == {1, 2}


def test_fixed_columns_do_not_change(model, explanation):
    before, rows = explanation
    changed = {name for customer in before for change in customer.changes for name in change.new}
    fixed = copy(model).set_params(fixed_columns=["contract", "price in cents"])
    after = {n for customer in fixed.explain(rows, threshold=0.4) for change in customer.changes for n in change.new}
    assert {"contract", "price"} <= changed
    assert not {"contract", "price", "price in cents"} & after
    assert after


def test_missing_cells_do_not_change(model, customers):
    table, _, group = customers
    rows = select_rows(table, np.flatnonzero(group == 1)[:10])
    rows["contract"] = np.array([None] * 10, dtype=object)
    found = model.explain(rows, threshold=0.3)
    changed = {name for customer in found for change in customer.changes for name in change.new}
    assert "contract" not in changed
    assert changed


def test_the_default_limit_is_named_as_the_churn_rate(model, customers):
    table, has_left, _ = customers
    rows = select_rows(table, range(30))
    rate = f"below {format_percent(has_left.mean())} (the churn rate of the fit)"
    assert all(rate in each.change_sentence for each in model.explain(rows))
    assert len({each.change_sentence.split()[1] for each in model.explain(rows)}) > 1, "of those above and below it"
    assert not any("churn rate" in each.change_sentence for each in model.explain(rows, threshold=0.4))


def test_sentences_say_what_would_have_to_change(model, explanation):
    text = str(explanation[0])
    assert "The model gives a probability below 40% to customers like this one with " in text
    assert "The probability is below 40%." in text
    low = model.explain(select_rows(explanation[1], [0, 1, 2]), threshold=1e-6)
    assert "With no change of one or two columns the model gives a probability below less than 0.01%." in str(low)
