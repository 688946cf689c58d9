"""Contributions: Shapley's axioms, all orders as an oracle, and exact log-likelihood ratios of a naive model."""

from itertools import permutations

import numpy as np
import pytest

from gaussmix.classification import ChurnModel, MixtureClassifier
from gaussmix.classification.churn import contributions
from gaussmix.classification.churn.coalitions import ChurnScorer
from gaussmix.classification.churn.contributions import compute_contributions
from tests.classification.churn.customers import select_rows

FEW = ("months", "contract", "service", "streaming")


def logit(p):
    return np.log(p) - np.log1p(-p)


@pytest.fixture(scope="module")
def small(customers):
    """A classifier of four columns, and its scorer."""
    table, has_left, _ = customers
    table = {name: table[name] for name in FEW}
    classifier = MixtureClassifier(n_components=2, n_starts=1, random_state=0).fit(table, has_left)
    return classifier, ChurnScorer(classifier.model_, 1), table


def remove_others(table, row, known):
    """Return one row in which only the known cells are present."""
    return {name: [values[row]] if name in known else [None] for name, values in table.items()}


def test_contributions_are_means_over_all_orders(small):
    """By definition, with public predictions of rows with missing cells."""
    classifier, scorer, table = small

    def worth(row, known):
        cells = {name: np.array(v, dtype=object) for name, v in remove_others(table, row, known).items()}
        cells["months"] = np.array([np.nan if v is None else v for v in cells["months"]], dtype=float)
        return logit(classifier.predict_proba(cells)[0, 1])

    rows = [0, 1, 5]
    found = compute_contributions(scorer, classifier.schema_.read_cells(select_rows(table, rows)), 1)
    for i, row in enumerate(rows):
        memory = {}
        for order in permutations(FEW):
            for position in range(5):
                known = frozenset(order[:position])
                memory.setdefault(known, worth(row, known))
        for j, name in enumerate(FEW):
            gains = [
                memory[frozenset([*order[: order.index(name)], name])] - memory[frozenset(order[: order.index(name)])]
                for order in permutations(FEW)
            ]
            assert found.values[i, j] == pytest.approx(np.mean(gains), abs=1e-9)
        assert found.base == pytest.approx(memory[frozenset()], abs=1e-12)
    assert (found.standard_errors == 0).all()


def test_contributions_add_up_to_the_log_odds(model, customers):
    table, _, _ = customers
    rows = select_rows(table, np.arange(40))
    found = compute_contributions(model.state_.scorer, model.classifier_.schema_.read_cells(rows), 3)
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), found.log_odds, atol=1e-10)
    np.testing.assert_allclose(found.log_odds, logit(model.churn_probability(rows)), atol=1e-8)


def test_drawn_orders_agree_with_all_orders(model, customers, monkeypatch):
    table, _, _ = customers
    scorer = model.state_.scorer
    cells = model.classifier_.schema_.read_cells(select_rows(table, np.arange(30)))
    exact = compute_contributions(scorer, cells, 1)
    monkeypatch.setattr(contributions, "MAX_EXACT_COLUMNS", 0)
    errors = []
    for n_pairs in (16, 256):
        drawn = compute_contributions(scorer, cells, n_pairs)
        np.testing.assert_allclose(drawn.base + drawn.values.sum(axis=1), drawn.log_odds, atol=1e-10)
        errors.append(np.sqrt(np.mean((drawn.values - exact.values) ** 2)))
    assert errors[1] < 0.5 * errors[0]
    is_drawn = drawn.standard_errors > 1e-6
    z = (drawn.values - exact.values)[is_drawn] / drawn.standard_errors[is_drawn]
    assert 0.3 < np.sqrt(np.mean(z**2)) < 1.6


def test_missing_cells_and_unused_columns_contribute_nothing(model, customers):
    table, _, _ = customers
    rows = select_rows(table, np.arange(12))
    rows["months"] = np.full(12, np.nan)
    rows["contract"] = np.array([None] * 12, dtype=object)
    found = compute_contributions(model.state_.scorer, model.classifier_.schema_.read_cells(rows), 4)
    for name in ("months", "contract"):
        np.testing.assert_allclose(found.values[:, found.columns.index(name)], 0.0, atol=1e-12)
    assert np.abs(found.values[:, found.columns.index("service")]).min() > 0.01


def test_columns_of_the_same_information_share_alike(model, customers):
    """The price in cents says what the price says."""
    table, _, _ = customers
    cells = model.classifier_.schema_.read_cells(select_rows(table, np.arange(20)))
    found = compute_contributions(model.state_.scorer, cells, 1)
    first, second = (found.values[:, found.columns.index(name)] for name in ("price", "price in cents"))
    np.testing.assert_allclose(first, second, atol=1e-9)


def test_a_customer_has_the_same_contributions_alone_and_among_others(model, customers, monkeypatch):
    monkeypatch.setattr(contributions, "MAX_EXACT_COLUMNS", 0)
    table, _, _ = customers
    scorer, schema = model.state_.scorer, model.classifier_.schema_
    together = compute_contributions(scorer, schema.read_cells(select_rows(table, np.arange(9))), 4)
    alone = compute_contributions(scorer, schema.read_cells(select_rows(table, [6])), 4)
    np.testing.assert_allclose(alone.values[0], together.values[6], atol=1e-12)


def test_a_naive_model_has_log_likelihood_ratios_as_contributions():
    """Independent columns without calibration: what a column adds does not depend on the others."""
    rng = np.random.default_rng(0)
    has_left = rng.random(400) < 0.4
    table = {
        "x": rng.normal(has_left * 1.0),
        "flag": np.where(rng.random(400) < np.where(has_left, 0.7, 0.3), "a", "b"),
    }
    options = {"n_components": 1, "method": "generative", "calibration": None, "column_transform": None}
    classifier = MixtureClassifier(**options).fit(table, has_left)
    mixture, encoded = classifier.model_.members[0], classifier.model_.encode(table)
    found = compute_contributions(ChurnScorer(classifier.model_, 1), classifier.schema_.read_cells(table), 1)
    z = (encoded.numeric - mixture.means.T) ** 2 / mixture.variances.T + np.log(mixture.variances.T)
    np.testing.assert_allclose(found.values[:, 0], -0.5 * (z[:, 1] - z[:, 0]), atol=1e-10)
    tables = mixture.tables[0]
    np.testing.assert_allclose(found.values[:, 1], (tables[1] - tables[0])[encoded.codes[:, 0]], atol=1e-10)
    assert found.base == pytest.approx(mixture.log_weights[1] - mixture.log_weights[0])


def test_reasons_join_columns_of_the_same_information(model, customers):
    table, _, group = customers
    rows = np.concatenate([np.flatnonzero(group == 2)[:3], np.flatnonzero(group == 0)[:3]])
    found = model.explain_reasons(select_rows(table, rows))
    for i, row in enumerate(rows.tolist()):
        columns = [reason.columns for reason in found.reasons[i]]
        assert ("price", "price in cents") in columns
        # Without internet, both columns say so and nothing else.
        assert (("service", "streaming") in columns) == (group[row] == 2)
        total = sum(reason.log_odds for reason in found.reasons[i])
        assert total == pytest.approx(found.contributions.log_odds[i] - found.contributions.base, abs=1e-9)
        sizes = [abs(reason.log_odds) for reason in found.reasons[i]]
        assert sizes == sorted(sizes, reverse=True)
    np.testing.assert_allclose(found.probabilities, model.churn_probability(select_rows(table, rows)), atol=1e-9)


def test_reasons_are_told_in_words(model, customers):
    table, _, group = customers
    found = model.explain_reasons(select_rows(table, [np.flatnonzero(group == 0)[0]]))
    (row,) = found.table(n_reasons=2)
    assert "service = Fiber optic (odds x " in row["reasons_to_leave"]
    assert row["reasons_to_leave"].count(";") == 1
    assert row["probability"] == found.probabilities[0]
    strongest = found.importance()[0]
    assert strongest["columns"] == found.reasons[0][0].columns
    assert strongest["column"] == strongest["columns"][0]
    assert strongest["mean_log_odds"] == pytest.approx(abs(found.reasons[0][0].log_odds))


def test_a_third_class_counts_as_staying(customers):
    table, _, group = customers
    target = np.array(["left", "stayed", "joined"])[(group + np.random.default_rng(0).integers(0, 2, 600)) % 3]
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None)
    model = ChurnModel(classifier, positive="left", random_state=0).fit(table, target)
    rows = select_rows(table, np.arange(10))
    found = compute_contributions(model.state_.scorer, model.classifier_.schema_.read_cells(rows), 2)
    position = model.classes_.tolist().index("left")
    np.testing.assert_allclose(1.0 / (1.0 + np.exp(-found.log_odds)), model.predict_proba(rows)[:, position], atol=1e-9)
    assert model.churn_probability(rows) == pytest.approx(model.predict_proba(rows)[:, position])
