"""`ChurnModel`: parameters, inputs, probabilities, actions and evaluation."""

from copy import copy
from dataclasses import asdict

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from gaussmix.classification import (
    ChurnModel,
    MixtureClassifier,
    adjust_probabilities,
    compare_groups,
    compute_measures,
    estimate_prior,
    plan_actions,
)
from gaussmix.classification.churn import segment_fitting
from gaussmix.classification.churn.churn_input import make_classifier
from gaussmix.classification.churn.positive_class import find_positive_class
from gaussmix.errors import ChurnDataError, ChurnParameterError, DataWarning, ParameterError, TargetError
from tests.classification.churn.customers import make_customers, select_rows

FAST = {"n_components": 1, "method": "generative", "calibration": None}


@pytest.fixture(autouse=True)
def few_segments(monkeypatch):
    """Two or three segments are compared, which takes less time."""
    monkeypatch.setattr(segment_fitting, "MAX_SEGMENTS", 3)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["No", "Yes"], "Yes"),
        (["no", " yes "], " yes "),
        ([False, True], True),
        ([0, 1], 1),
        ([-1, 1], 1),
        (["0", "1"], "1"),
        (["Attrited Customer", "Existing Customer"], "Attrited Customer"),
        (["Churned", "Joined", "Stayed"], "Churned"),
    ],
)
def test_the_class_that_means_churn_is_found_by_its_name(classes, expected):
    assert find_positive_class(np.array(classes), None) == expected


@pytest.mark.parametrize("classes", [["a", "b"], [1, 2], ["left", "lost"], [0, 1, 2], [0.0, 2.0]])
def test_unclear_classes_are_asked_for(classes):
    with pytest.raises(ChurnParameterError, match=r"do not tell which one means .* to ChurnModel") as error:
        find_positive_class(np.array(classes), None)
    for label in classes:  # none is suggested before the others
        assert f"positive={label!r}" in str(error.value)


@pytest.mark.parametrize(("classes", "positive"), [(["a", "b"], "b"), ([1, 2], 2), ([0, 1], True), ([False, True], 0)])
def test_the_class_that_means_churn_can_be_named(classes, positive):
    assert find_positive_class(np.array(classes), positive) == positive


@pytest.mark.parametrize(("positive", "text"), [("yes", "did you mean 'Yes'"), (1, "but is 1"), ("maybe", "'maybe'")])
def test_another_class_is_refused(positive, text):
    with pytest.raises(ChurnParameterError, match=text):
        find_positive_class(np.array(["No", "Yes"]), positive)


def test_scikit_learn_scores_a_model_as_a_classifier(customers):
    table, has_left, _ = customers
    frame, model = pd.DataFrame(table), ChurnModel(MixtureClassifier(n_components=1, n_starts=1, n_folds=2))
    assert is_classifier(model)
    areas = cross_val_score(model, frame, has_left, scoring="roc_auc", cv=2)
    assert (areas > 0.75).all()
    assert model.fit(frame, has_left).score(frame, has_left) == np.mean(model.predict(frame) == has_left)


def test_probabilities_are_those_of_the_classifier(model, customers):
    table, has_left, _ = customers
    np.testing.assert_array_equal(model.predict_proba(table), model.classifier_.predict_proba(table))
    np.testing.assert_array_equal(model.churn_probability(table), model.predict_proba(table)[:, 1])
    np.testing.assert_array_equal(model.predict(table), model.classifier_.predict(table))
    assert model.positive_ == True  # noqa: E712
    assert model.classes_.tolist() == [False, True]
    assert model.n_features_in_ == 7
    assert model.segments().churn_rate == pytest.approx(has_left.mean())


def test_the_other_class_can_mean_churn(model, customers):
    table, has_left, _ = customers
    opposite = ChurnModel(model.classifier, positive=False, random_state=0).fit(table, has_left)
    np.testing.assert_array_equal(opposite.churn_probability(table), model.predict_proba(table)[:, 0])
    assert opposite.segments().churn_rate == pytest.approx(1.0 - has_left.mean())
    rates = [segment.churn_rate.rate for segment in opposite.segments()]
    assert rates == sorted(rates, reverse=True)


def test_tables_of_all_kinds_give_equal_models(customers):
    table, has_left, _ = make_customers(90, seed=2)
    frames = (pd.DataFrame(table), pl.from_pandas(pd.DataFrame(table)), pa.Table.from_pandas(pd.DataFrame(table)))
    first = ChurnModel(MixtureClassifier(**FAST), random_state=0).fit(table, has_left)
    for frame in frames:
        other = ChurnModel(MixtureClassifier(**FAST), random_state=0).fit(frame, pd.Series(has_left))
        assert other.segments() == first.segments()
        rows = frame[:3] if not isinstance(frame, pa.Table) else frame.slice(0, 3)
        assert str(other.explain(rows)) == str(first.explain(select_rows(table, range(3))))
        assert other.drift(frame) == first.drift(table)


def test_arrays_have_columns_by_position():
    table, has_left, _ = make_customers(150, seed=2)
    array = np.column_stack([table["months"], table["price"], table["senior"]])
    model = ChurnModel(MixtureClassifier(**FAST), fixed_columns=["column 2"], random_state=0).fit(array, has_left)
    assert model.explain(array[:1])[0].reasons[0].columns[0] in ("column 0", "column 1")
    assert model.segments()[0].typical_customers[0].keys() == {"column 0", "column 1", "column 2"}


def test_a_seed_makes_fits_equal_and_others_differ(customers):
    table, has_left, _ = make_customers(150, seed=2)
    models = [
        ChurnModel(MixtureClassifier(**FAST), random_state=seed).fit(table, has_left).segments() for seed in (1, 1, 2)
    ]
    assert models[0] == models[1]
    assert models[0].candidates != models[2].candidates


def test_rows_of_weight_zero_count_as_absent():
    table, has_left, _ = make_customers(200, seed=3)
    weights = np.r_[np.ones(150), np.zeros(50)]
    first = ChurnModel(MixtureClassifier(**FAST), random_state=0).fit(table, has_left, weights)
    second = ChurnModel(MixtureClassifier(**FAST), random_state=0).fit(select_rows(table, range(150)), has_left[:150])
    assert first.segments().table() == second.segments().table()
    np.testing.assert_allclose(first.churn_probability(table), second.churn_probability(table), atol=1e-12)


def test_weights_change_rates_of_segments():
    table, has_left, _ = make_customers(200, seed=3)
    weights = np.where(has_left, 3.0, 1.0)
    weighted = ChurnModel(MixtureClassifier(**FAST), random_state=0).fit(table, has_left, weights)
    assert weighted.segments().churn_rate == pytest.approx(np.average(has_left, weights=weights))
    assert sum(segment.n_customers for segment in weighted.segments()) == pytest.approx(weights.sum())
    assert weighted.state_.training_prior[1] == pytest.approx(np.average(has_left, weights=weights))


def test_class_weights_are_part_of_the_training_prior():
    table, has_left, _ = make_customers(200, seed=3)
    model = ChurnModel(MixtureClassifier(class_weight="balanced", **FAST), random_state=0).fit(table, has_left)
    assert model.state_.training_prior == pytest.approx([0.5, 0.5])
    assert model.segments().churn_rate == pytest.approx(has_left.mean())


def test_parameters_are_those_of_scikit_learn():
    model = ChurnModel(MixtureClassifier(penalty=3.0), positive="Yes", fixed_columns=["age"], random_state=5)
    copied = clone(model)
    assert copied.get_params()["classifier__penalty"] == 3.0
    assert (copied.positive, copied.fixed_columns, copied.random_state) == ("Yes", ["age"], 5)
    with pytest.raises(NotFittedError):
        model.segments()
    with pytest.raises(NotFittedError):
        model.churn_probability({"x": [1.0]})


def test_the_classifier_is_a_copy_or_the_default_one():
    assert make_classifier(None, None).get_params() == MixtureClassifier().get_params()
    given = MixtureClassifier(penalty=3.0, random_state=8)
    copied = make_classifier(given, None)
    assert copied is not given
    assert copied.get_params() == given.get_params()
    assert make_classifier(given, 4).get_params() == {**given.get_params(), "random_state": 4}


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"fixed_columns": ["ages"]}, ChurnParameterError, "'ages' is none of them"),
        ({"fixed_columns": ["contrac"]}, ChurnParameterError, "did you mean 'contract'"),
        ({"fixed_columns": "contract"}, ChurnParameterError, "sequence of column names"),
        ({"fixed_columns": 3}, ChurnParameterError, "sequence of column names"),
        ({"classifier": "mixture"}, ChurnParameterError, "classifier must be a MixtureClassifier"),
        ({"positive": "Yes"}, ChurnParameterError, "positive must be one of the classes False and True"),
        ({"random_state": "seed"}, ParameterError, "random_state"),
    ],
)
def test_wrong_parameters_are_one_sentence(options, error, text):
    table, has_left, _ = make_customers(60)
    with pytest.raises(error, match=text):
        ChurnModel(**options).fit(table, has_left)


def test_wrong_targets_are_one_sentence(customers):
    table, has_left, _ = customers
    with pytest.raises(TargetError, match="one class only"):
        ChurnModel().fit(table, np.zeros(600, dtype=bool))
    with pytest.raises(TargetError, match="599 labels"):
        ChurnModel().fit(table, has_left[1:])
    with pytest.raises(TargetError, match="missing"):
        ChurnModel().fit(table, np.where(np.arange(600) == 3, None, has_left.astype(object)))


def test_a_new_rate_changes_probabilities_by_bayes_rule(model, customers):
    table, _, _ = customers
    p, prior = model.predict_proba(table), model.state_.training_prior
    np.testing.assert_allclose(
        model.churn_probability(table, new_rate=0.1), adjust_probabilities(p, prior, [0.9, 0.1])[:, 1]
    )
    np.testing.assert_allclose(model.churn_probability(table, new_rate=float(prior[1])), p[:, 1], atol=1e-12)
    estimate = estimate_prior(p, prior)
    np.testing.assert_array_equal(model.estimate_rate(table).prior, estimate.prior)
    assert model.estimate_rate(table).class_names == ("class False", "class True")
    np.testing.assert_allclose(
        model.churn_probability(table, new_rate="estimate"), adjust_probabilities(p, prior, estimate)[:, 1]
    )
    for rate in (0.0, 1.0, -0.1, "auto", True, [0.1]):
        with pytest.raises(ParameterError, match="new_rate"):
            model.churn_probability(table, new_rate=rate)


def test_a_changed_churn_rate_is_found(model):
    """Half of the customers who left are missing."""
    table, has_left, _ = make_customers(6000, seed=20)
    kept = np.flatnonzero(~has_left | (np.arange(6000) % 4 == 0))
    rows = select_rows(table, kept)
    estimate = model.estimate_rate(rows)
    assert estimate.prior[1] == pytest.approx(has_left[kept].mean(), abs=4 * estimate.standard_errors[1] + 0.02)
    assert model.churn_probability(rows, new_rate="estimate").mean() == pytest.approx(estimate.prior[1], abs=1e-6)


def test_actions_are_those_of_the_probabilities(model, customers):
    table, _, _ = customers
    amounts = {"cost_contact": 5.0, "value_saved": 40.0, "success_rate": 0.5}
    found, expected = model.actions(table, **amounts), plan_actions(model.churn_probability(table), 5.0, 40.0, 0.5)
    np.testing.assert_array_equal(found.is_contacted, expected.is_contacted)
    assert found.expected_profit == expected.expected_profit
    fewer = model.actions(table, **amounts, new_rate=0.05)
    assert fewer.n_contacted < found.n_contacted
    values = np.linspace(0.0, 80.0, 600)
    varied = model.actions(table, cost_contact=5.0, value_saved=values, success_rate=0.5)
    assert varied.threshold is None


def test_actions_on_held_out_customers_have_observed_profits(model, customers):
    _, has_left, _ = customers
    found = model.actions(cost_contact=5.0, value_saved=40.0, success_rate=0.5)
    held_out = model.state_.held_out
    assert len(found.probabilities) == len(held_out.rows)
    contacted = found.is_contacted
    profit = (20.0 * has_left[held_out.rows] - 5.0)[contacted].sum()
    assert found.observed_profit == pytest.approx(profit)


def test_evaluation_is_that_of_held_out_probabilities(model, customers):
    _, has_left, _ = customers
    found, classifier = model.evaluate(), model.classifier_
    rows = classifier.held_out_rows_
    expected = compute_measures(has_left[rows], classifier.held_out_proba_[:, 1])
    assert found.measures == expected
    assert found.groups is None
    assert found.table() == expected.table()
    assert found.gain.gain_at(1.0) == 1.0
    assert len(found.reliability.bins) == 10
    assert "customers of the fit, each by fits that have not seen it" in str(found)
    assert f"(AUC {expected.auc:.4f} ± " in str(found)


def test_the_training_table_is_evaluated_on_its_held_out_customers(model, customers):
    table, has_left, _ = customers
    found = model.evaluate(table, has_left, by="senior")
    held_out = model.state_.held_out
    assert found.measures == model.evaluate().measures
    expected = compare_groups(
        has_left[held_out.rows],
        held_out.probabilities,
        table["senior"][held_out.rows],
        name="senior",
        positive_name="customers who left",
    )
    assert found.groups == expected
    assert "Of the customers who left, " in str(found)
    assert model.evaluate(by=table["senior"]).groups.groups == expected.groups
    assert model.evaluate(by=table["senior"], threshold=0.2).groups.threshold == 0.2


def test_other_customers_are_evaluated_on_their_probabilities(model):
    table, has_left, _ = make_customers(500, seed=21)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 500)
    found = model.evaluate(table, has_left, weights, by="contract")
    expected = compute_measures(has_left, model.churn_probability(table), weights)
    assert asdict(found.measures) == pytest.approx(asdict(expected), rel=1e-12)
    assert [group.name for group in found.groups.groups] == ["Month-to-month", "Two year"]
    assert "customers that were passed" in str(found)
    text = np.where(has_left, "True", "False")
    with pytest.raises(ChurnDataError, match="the classes of the fit are False and True"):
        model.evaluate(table, text)


def test_models_without_held_out_customers_ask_for_customers():
    table, has_left, _ = make_customers(120, seed=5)
    model = ChurnModel(MixtureClassifier(**FAST), random_state=0).fit(table, has_left)
    for call in (model.evaluate, lambda: model.actions(cost_contact=1.0, value_saved=2.0)):
        with pytest.raises(ChurnDataError, match="no customers were held out"):
            call()
    assert "by the fit that has seen them, which is too optimistic" in str(model.evaluate(table, has_left))


def test_wrong_requests_are_one_sentence(model, customers):
    table, has_left, _ = customers
    with pytest.raises(ChurnDataError, match="pass both"):
        model.evaluate(table)
    with pytest.raises(ChurnDataError, match="by='senior' names a column"):
        model.evaluate(by="senior")
    with pytest.raises(ChurnDataError, match="X has no column 'seniors'"):
        model.evaluate(table, has_left, by="seniors")
    with pytest.raises(ChurnDataError, match="by has 3 values"):
        model.evaluate(by=[1, 2, 3])
    for threshold in (0.0, 1.0, "high"):
        with pytest.raises(ParameterError, match="threshold"):
            model.explain(select_rows(table, [0]), threshold=threshold)


def test_segments_are_assigned_by_their_numbers(model, customers):
    table, has_left, group = customers
    found = model.assign_segments(table)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0)
    np.testing.assert_array_equal(found.numbers, found.probabilities.argmax(axis=1) + 1)
    assert (found.numbers - 1 == group).mean() > 0.98
    for segment in model.segments():
        parts = found.probabilities[:, segment.number - 1]
        assert segment.n_customers == pytest.approx(parts.sum())
        assert segment.churn_rate.rate == pytest.approx(np.average(has_left, weights=parts))
        low, high = segment.churn_rate.interval
        assert low < segment.churn_rate.rate < high
    assert found.table()[0] == {"segment": found.numbers[0], "probability": found.probabilities[0].max()}


def test_segments_are_told_in_words(model):
    segments = model.segments()
    assert len(segments) == 3
    assert segments[0].sentence.startswith("Segment 1 (188 customers, 31%): service = Fiber optic (100% instead of ")
    assert segments.notes[0].startswith("The segments explain ")
    assert str(segments).count("\n") == 3
    assert [row["segment"] for row in segments.table()] == [1, 2, 3]
    assert {row["column"] for row in segments.profile_table()} == {
        *("months", "price", "price in cents", "contract", "service", "streaming", "senior"),
    }


def test_customers_without_groups_are_told_so():
    """Independent columns form no groups."""
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=400), "y": rng.normal(size=400), "z": rng.integers(0, 2, 400)}
    has_left = rng.random(400) < 1.0 / (1.0 + np.exp(1.0 - 0.4 * table["x"]))
    segments = ChurnModel(MixtureClassifier(**FAST), random_state=0).fit(table, has_left).segments()
    assert len(segments) == 1
    assert "The customers form no groups: one segment describes" in str(segments)


def test_groups_of_equal_churn_are_told_so():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 600)
    table = {"x": rng.normal(8.0 * group, 1.0), "y": rng.normal(size=600)}
    has_left = rng.random(600) < 1.0 / (1.0 + np.exp(1.0 - table["y"]))
    segments = ChurnModel(MixtureClassifier(**FAST), random_state=0).fit(table, has_left).segments()
    assert len(segments) <= 2
    assert "form no groups" in str(segments)


def test_an_explanation_is_complete(model, customers):
    table, _, _ = customers
    explained = model.explain(select_rows(table, range(4)))
    assert len(explained) == 4
    assert [customer.row for customer in explained] == [0, 1, 2, 3]
    numbers = model.assign_segments(table).numbers[:4]
    for customer, number in zip(explained, numbers, strict=True):
        total = customer.base_log_odds + sum(each.log_odds for each in customer.contributions)
        assert total == pytest.approx(customer.log_odds, abs=1e-9)
        assert customer.segment == number
        assert customer.segment_rate == model.segments()[number - 1].churn_rate.rate
        assert customer.threshold == model.segments().churn_rate
        assert f"Row {customer.row}: leaves with a probability of " in str(customer)
        assert "The most similar typical customer who stayed (row " in str(customer)
    assert len(explained.table()) == 4 * 7
    assert str(explained).count("\n\n") == 3


def test_an_empty_customer_is_explained(model):
    empty = {
        name: [np.nan] if name in ("months", "price", "price in cents") else [None]
        for name in model.classifier_.feature_names_in_
    }
    (customer,) = model.explain(empty)
    assert customer.log_odds == pytest.approx(customer.base_log_odds)
    assert customer.reasons == ()
    assert customer.nearest_retained is None
    assert "No column says much about this customer." in str(customer)


def test_a_classifier_that_uses_no_column_explains_nothing():
    rng = np.random.default_rng(0)
    table = {"plan": rng.choice(np.array(["a", "b", "c", "d"], dtype=object), 300)}
    has_left = rng.random(300) < 0.3
    model = ChurnModel(MixtureClassifier(**FAST), random_state=0).fit(table, has_left)
    assert len(model.segments()) == 1
    (customer,) = model.explain(select_rows(table, [0]))
    assert customer.contributions == ()
    assert customer.probability == pytest.approx(has_left.mean())
    assert not model.drift(table).has_drift


def test_unknown_categories_are_told_once(model, customers):
    table, _, _ = customers
    rows = select_rows(table, [0, 1])
    rows["contract"] = np.array(["Five year", "Two year"], dtype=object)
    with pytest.warns(DataWarning, match="Five year") as caught:
        model.explain(rows)
    assert len(caught) == 1


def test_copies_do_not_share_parameters(model):
    changed = copy(model).set_params(fixed_columns=["contract"])
    assert model.fixed_columns == ()
    assert changed.fixed_columns == ["contract"]
