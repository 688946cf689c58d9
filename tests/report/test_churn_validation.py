"""The evaluation of a churn model: what its parts are computed from, and what its sentences say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from gaussmix.classification import compare_groups, gain_table, plan_actions, reliability_table
from gaussmix.errors import DataError, ParameterError
from gaussmix.report.churn_pictures import draw_profit_pictures, draw_validation_pictures
from gaussmix.report.churn_tables import model_table
from gaussmix.report.churn_text import (
    calibration_p_value,
    describe_groups,
    describe_outcomes,
    describe_ranking,
    describe_reliability,
    describe_test,
    describe_validation,
    format_whole_percent,
)
from gaussmix.report.churn_validation import ContactTerms, GroupColumn, make_churn_validation
from tests.report.churn_samples import make_comparison


def test_all_parts_follow_from_the_probabilities_of_the_first_model() -> None:
    comparison = make_comparison()
    y, p = comparison.is_positive, comparison.probabilities["mixture classifier"]
    found = make_churn_validation(comparison)
    np.testing.assert_array_equal(found.probabilities, p)
    assert found.measures is comparison.measures["mixture classifier"]
    assert found.reliability.table() == reliability_table(y, p).table()
    assert found.gain.table() == gain_table(y, p, fractions=(0.01, 0.05, 0.1, 0.2, 0.3, 0.5)).table()
    assert found.groups is None
    assert found.plan is None


def test_contacts_and_groups_are_those_of_the_tested_customers() -> None:
    rows = np.arange(100, 500)
    comparison = replace(make_comparison(), rows=rows)
    values, groups = np.random.default_rng(0).uniform(50.0, 500.0, 600), np.arange(600) % 3
    found = make_churn_validation(
        comparison, groups=GroupColumn("third", groups), terms=ContactTerms(20.0, values, 0.3)
    )
    y, p = comparison.is_positive, comparison.probabilities["mixture classifier"]
    expected = plan_actions(p, 20.0, values[rows], 0.3, y=y)
    assert found.plan is not None
    np.testing.assert_array_equal(found.plan.is_contacted, expected.is_contacted)
    assert found.plan.observed_profit == expected.observed_profit
    assert found.groups is not None
    threshold = float(np.quantile(p, 1.0 - y.mean()))
    assert found.groups.table() == compare_groups(y, p, groups[rows], threshold=threshold).table()


def test_groups_are_judged_at_the_threshold_of_the_plan() -> None:
    groups = GroupColumn("half", np.arange(400) % 2)
    found = make_churn_validation(make_comparison(), groups=groups, terms=ContactTerms(30.0, 300.0, 0.4))
    assert found.groups is not None
    assert found.groups.threshold == pytest.approx(30.0 / (300.0 * 0.4))
    assert describe_groups(found)[-1] == "Above 0.25 a contact pays off."
    plain = make_churn_validation(make_comparison(), groups=groups)
    assert plain.groups is not None
    above = np.mean(plain.probabilities > plain.groups.threshold)
    assert above == pytest.approx(plain.comparison.is_positive.mean(), abs=0.01)
    assert f"probability above {plain.groups.threshold:.3g} as have left." in describe_groups(plain)[-1]
    assert describe_groups(make_churn_validation(make_comparison())) == []
    hopeless = make_churn_validation(make_comparison(), groups=groups, terms=ContactTerms(300.0, 30.0, 0.4))
    assert hopeless.groups is not None
    assert 0.0 < hopeless.groups.threshold < 1.0


def test_terms_that_are_not_allowed() -> None:
    with pytest.raises(ParameterError, match="cost_contact must be numbers from 0"):
        make_churn_validation(make_comparison(), terms=ContactTerms(-1.0, 300.0, 0.4))
    with pytest.raises(DataError, match="half must have one value for each of 400 rows"):
        make_churn_validation(make_comparison(), groups=GroupColumn("half", np.zeros((400, 2))))


def test_small_tables_have_no_hundredth() -> None:
    found = make_churn_validation(make_comparison(60))
    assert [row.fraction for row in found.gain.rows] == [0.05, 0.1, 0.2, 0.3, 0.5]


def test_sentences() -> None:
    found = make_churn_validation(make_comparison())
    sentences = describe_validation(found)
    assert sentences == [describe_test(found), describe_ranking(found.gain), describe_reliability(found.reliability)]
    y, p = found.comparison.is_positive, found.probabilities
    first = np.argsort(-p)[: len(p) // 5]
    reached, rate = y[first].sum() / y.sum(), y[first].mean()
    assert f"contains {reached:.0%} of those who left; {rate:.0%} of this fifth left" in sentences[1]
    assert f"{rate / y.mean():.1f} times as many" in sentences[1]
    assert sentences[0].endswith("that had not seen the customer: 5 stratified folds of 400 rows.")
    in_time = make_churn_validation(make_comparison(plan="trained on the 300 rows up to 2024, tested on the 100 later"))
    assert "come from a test in time: trained on the 300" in describe_test(in_time)


def test_whether_probabilities_are_right_is_said_in_words() -> None:
    right = describe_reliability(make_churn_validation(make_comparison(4000)).reliability)
    assert "no more than chance explains" in right
    wrong = describe_reliability(make_churn_validation(make_comparison(4000, slope=3.0)).reliability)
    assert "points on average, more than chance explains" in wrong


def test_p_values_of_right_probabilities_are_uniform() -> None:
    p_values = np.empty(400)
    for seed in range(len(p_values)):
        rng = np.random.default_rng(seed)
        p = rng.beta(0.6, 1.5, 800)
        p_values[seed] = calibration_p_value(reliability_table(rng.random(800) < p, p))
    assert kstest(p_values, "uniform").pvalue > 0.01
    certain = reliability_table(np.array([0, 0, 1, 1, 0, 1]), np.array([0.0, 0.0, 1.0, 1.0, 0.5, 0.5]))
    assert calibration_p_value(certain) == 1.0
    assert calibration_p_value(reliability_table(np.array([0, 1, 1, 0]), np.array([0.0, 0.0, 1.0, 1.0]))) == 0.0


def test_outcomes_in_words() -> None:
    assert describe_outcomes(1869, 7043) == "1,869 of 7,043 customers left (26.5%)."
    assert describe_outcomes(1, 1) == "1 of 1 customer left (100.0%)."
    assert [format_whole_percent(x) for x in (0.0, 0.026, 0.1, 0.256, 1.0)] == ["0%", "2.6%", "10%", "26%", "100%"]


def test_the_table_of_models() -> None:
    found = make_churn_validation(make_comparison())
    first, second = model_table(found)
    assert (first.name, first.auc_difference, first.brier_difference) == ("mixture classifier", "", "")
    auc, *_ = found.comparison.differences["logistic regression"]
    assert second.auc_difference == f"+{auc.difference:.4f} ± {auc.standard_error:.4f}"
    assert second.brier_difference.startswith("\N{MINUS SIGN}0.")
    assert any(second.auc_difference in sentence for sentence in found.comparison.sentences)
    assert float(first.auc) - float(second.auc) == pytest.approx(auc.difference, abs=1.01e-4)


def test_pictures_have_captions_and_descriptions() -> None:
    found = make_churn_validation(make_comparison(), terms=ContactTerms(20.0, 300.0, 0.3))
    pictures = [*draw_validation_pictures(found), *draw_profit_pictures(found)]
    assert len({picture.picture.src for picture in pictures}) == 3
    assert len({picture.picture.alt_text for picture in pictures}) == 3
    assert all(len(picture.caption) > 60 for picture in pictures)
    assert draw_profit_pictures(make_churn_validation(make_comparison())) == []
