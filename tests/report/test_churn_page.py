"""The report on churn: scores that join the table, sentences, tables, and one safe page."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaussmix.classification import (
    ChurnModel,
    MixtureClassifier,
    PeerComparison,
    compare_with_peers,
    plan_actions,
)
from gaussmix.classification.churn.wording import format_percent
from gaussmix.errors import DataError, FileError, ParameterError
from gaussmix.report import (
    ChurnSummary,
    ContactTerms,
    GroupColumn,
    ScoredCustomers,
    render_churn_html,
    score_customers,
    summarize_churn,
    write_churn_report,
)
from gaussmix.report.churn_tables import customer_table, profile_table, segment_table
from gaussmix.report.churn_text import (
    describe_change,
    describe_changes,
    describe_contacts,
    describe_fold_columns,
    describe_important_columns,
    describe_new_rate,
    describe_segment_counts,
    describe_untested,
    name_factor,
)
from tests.report.test_html_page import FETCHING_ATTRIBUTES, Page

N_ROWS = 140
CLASSIFIER = MixtureClassifier(n_components=1, n_starts=1, random_state=0)
TERMS = ContactTerms(10.0, 100.0, 0.5)
SECTIONS = ["summary", "segments", "customers", "contacts", "quality", "groups", "columns", "method", "about"]


def make_customers(n_rows: int = N_ROWS, seed: int = 0) -> tuple[dict[str, Any], Any]:
    """Return customers, and who left: those with few months and a monthly plan, whom younger customers have."""
    rng = np.random.default_rng(seed)
    months, plan = rng.integers(1, 72, n_rows).astype(float), np.full(n_rows, "yearly", dtype=object)
    plan[rng.random(n_rows) < 0.5] = "<b>monthly</b>"
    age = rng.normal(np.where(plan == "yearly", 52.0, 38.0), 7.0).round(1)
    has_left = rng.random(n_rows) < np.where((plan != "yearly") & (months < 40), 0.8, 0.1)
    return {"months": months, "plan": plan, "age": age}, has_left


@pytest.fixture(scope="module")
def model() -> ChurnModel:
    return ChurnModel(CLASSIFIER, fixed_columns=["age"], random_state=0).fit(*make_customers())


@pytest.fixture(scope="module")
def comparison() -> PeerComparison:
    """Two folds with their classifiers."""
    return compare_with_peers(CLASSIFIER, *make_customers(), n_folds=2, keep_classifiers=True)


@pytest.fixture(scope="module")
def summary(model: ChurnModel, comparison: PeerComparison) -> ChurnSummary:
    X, has_left = make_customers()
    names = {"customer": [f"<C{i}>" for i in range(N_ROWS)]}
    groups = GroupColumn("plan", X["plan"])
    return summarize_churn(model, X, has_left, comparison, groups=groups, terms=TERMS, identifiers=names)


@pytest.fixture(scope="module")
def text(summary: ChurnSummary) -> str:
    return render_churn_html(summary, source_name="c.csv", notes=["A note & more."])


def test_probabilities_are_those_of_models_that_have_not_seen_the_customer(
    summary: ChurnSummary, model: ChurnModel, comparison: PeerComparison
) -> None:
    np.testing.assert_array_equal(summary.scores.probabilities, comparison.probabilities["mixture classifier"])
    assert summary.scores.is_tested is None
    X, has_left = make_customers()
    without = summarize_churn(model, X, has_left, replace(comparison, folds=()))
    np.testing.assert_array_equal(without.scores.probabilities, model.churn_probability(X))


def logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-np.asarray(p))


def require_consistent(scores: ScoredCustomers, n_customers: int) -> None:
    """Base log-odds and contributions are the logit of the shown probability, of every explained customer."""
    assert scores.reasons is not None
    found, shown = scores.reasons.contributions, scores.probabilities[scores.candidates]
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), logit(shown), atol=1e-8)
    np.testing.assert_allclose(
        [sum(r.log_odds for r in one) for one in scores.reasons.reasons] + found.base, logit(shown)
    )
    assert len(scores.explanations) == n_customers
    for row, one in zip(scores.candidates.tolist(), scores.explanations, strict=False):
        assert one.row == row
        assert one.probability == pytest.approx(scores.probabilities[row], abs=1e-9)
        total = one.base_log_odds + sum(each.log_odds for each in one.contributions)
        assert total == pytest.approx(logit(scores.probabilities[row]), abs=1e-8)
        assert one.threshold == scores.probabilities[row] / 2
        assert one.segment == scores.segments.numbers[row]


@pytest.mark.parametrize("seed", range(3))
def test_reasons_and_changes_are_those_of_the_model_of_the_shown_probability(seed: int) -> None:
    X, has_left = make_customers(seed=seed)
    X["plan"][np.flatnonzero(has_left)[0]] = "once"  # a fold does not know it
    options = {"n_folds": 3, "random_state": seed, "keep_classifiers": True}
    compared = compare_with_peers(CLASSIFIER, X, has_left, **options)
    model = ChurnModel(CLASSIFIER, fixed_columns=["age"], random_state=0).fit(X, has_left)
    scores = summarize_churn(model, X, has_left, compared).scores
    require_consistent(scores, len(scores.candidates))
    tables = {int(row): fold.classifier for fold in compared.folds for row in fold.rows}
    n_changes = 0
    for row, one in zip(scores.candidates.tolist(), scores.explanations, strict=False):
        for change in one.changes:
            cells = {name: np.array([values[row]], dtype=values.dtype) for name, values in X.items()}
            for name, value in change.new.items():
                assert change.old[name] == cells[name][0]
                cells[name][0] = value
            p = tables[row].predict_proba(cells)[0, 1]
            assert p == pytest.approx(change.probability, abs=1e-9)
            assert p < scores.probabilities[row] / 2
            assert "age" not in change.columns
            n_changes += 1
    assert n_changes > 10


def test_customers_that_no_fold_tests_have_probability_and_reasons_of_the_model(model: ChurnModel) -> None:
    X, has_left = make_customers()
    options = {"time": np.arange(N_ROWS), "test_fraction": 0.3, "keep_classifiers": True}
    compared = compare_with_peers(CLASSIFIER, X, has_left, **options)
    scores = summarize_churn(model, X, has_left, compared).scores
    require_consistent(scores, len(scores.candidates))
    assert scores.is_tested is not None
    np.testing.assert_array_equal(np.flatnonzero(scores.is_tested), compared.rows)
    earlier = ~scores.is_tested
    np.testing.assert_array_equal(scores.probabilities[earlier], model.churn_probability(X)[earlier])
    np.testing.assert_array_equal(scores.to_table()["tested"], scores.is_tested)
    (sentence,) = describe_untested(scores.is_tested, scores.candidates)
    assert sentence.startswith(f"{np.sum(earlier & ~has_left)} of the {np.sum(~has_left)} customers who have not left")


def test_corrected_probabilities_are_explained(model: ChurnModel) -> None:
    X, _ = make_customers(60, 5)
    p = model.churn_probability(X, 0.05)
    scores = score_customers(model, X, p, new_rate=0.05)
    require_consistent(scores, 60)
    plain = score_customers(model, X, model.churn_probability(X))
    assert plain.explanations[0].probability > scores.explanations[0].probability + 0.1


def test_candidates_have_not_left_and_are_in_order(summary: ChurnSummary, model: ChurnModel) -> None:
    X, has_left = make_customers()
    scores = summary.scores
    assert sorted(scores.candidates.tolist()) == np.flatnonzero(~has_left).tolist()
    assert (np.diff(scores.probabilities[scores.candidates]) <= 0).all()
    np.testing.assert_array_equal(scores.segments.numbers, model.assign_segments(X).numbers)
    own = model.assign_segments(X).probabilities.max(axis=1)
    np.testing.assert_array_equal(scores.to_table()["segment_probability"], own)
    assert scores.plan is not None
    expected = plan_actions(scores.probabilities[scores.candidates], 10.0, 100.0, 0.5)
    np.testing.assert_array_equal(scores.plan.is_contacted, expected.is_contacted)
    assert scores.plan.expected_interval.low < expected.expected_interval.low, "it contains errors of the probabilities"


def test_the_table_has_every_customer(summary: ChurnSummary) -> None:
    scores, table = summary.scores, summary.scores.to_table()
    assert {len(values) for values in table.values()} == {N_ROWS}
    assert list(table)[-2:] == ["contact", "expected_profit"]
    first = int(scores.candidates[0])
    assert table["reasons_to_leave"][first] == scores.reasons_to_leave[0]
    assert table["reasons_to_stay"][first] == scores.reasons_to_stay[0]
    assert table["smallest_change"][first] == describe_change(scores.explanations[0])
    left = summary.is_positive
    for name in ("reasons_to_leave", "reasons_to_stay", "smallest_change"):
        assert not any(table[name][left])
    assert not table["contact"][left].any()
    assert np.isnan(table["expected_profit"][left]).all()
    without = score_customers(summary.model, make_customers()[0], scores.probabilities, max_explained=0)
    assert "contact" not in without.to_table()
    assert len(without.reasons_to_leave) == N_ROWS
    assert without.change_texts == []


def test_summary_in_sentences(summary: ChurnSummary) -> None:
    n_left = int(summary.is_positive.sum())
    sentences = summary.sentences
    assert sentences[0] == f"{n_left} of {N_ROWS} customers left ({100 * n_left / N_ROWS:.1f}%)."
    first = summary.segments[0]
    assert sentences[1].startswith(f"Of {len(summary.segments)} segments, the one most likely to leave has ")
    assert first.profile.description in sentences[1]
    assert summary.scores.reasons is not None
    best = str(summary.scores.reasons.importance()[0]["column"])
    assert sentences[2].startswith(f"What matters most for the customers who have not left: {best}")
    assert sentences[3].startswith("Of the customers who have not left: contact ")
    assert str(summary).startswith(sentences[0])
    assert str(summary.segments) in str(summary)


def test_segments_that_say_nothing_are_not_described(summary: ChurnSummary) -> None:
    segments = summary.segments
    assert segments.is_informative
    losses = tuple(
        replace(one, log_loss=0.999 * one.log_loss / (1.0 - segments.explained_fraction)) for one in segments.candidates
    )
    useless = replace(segments, candidates=losses)
    assert useless.explained_fraction == pytest.approx(0.001, abs=1e-9)
    plain = replace(segments[0], profile=replace(segments[0].profile, named_columns=()))
    for changed in (useless, replace(segments, segments=(plain, *segments.segments[1:]))):
        assert replace(summary, segments=changed).sentences[1].startswith("What matters most")
    assert np.isnan(replace(segments, candidates=()).explained_fraction)


def test_tables_of_segments_and_customers(summary: ChurnSummary) -> None:
    segments = segment_table(summary.segments)
    assert [row.name for row in segments] == [str(i + 1) for i in range(len(summary.segments))]
    for row, segment in zip(segments, summary.segments, strict=True):
        assert row.low_percent <= row.percent <= row.high_percent
        assert row.percent == pytest.approx(100.0 * segment.churn_rate.rate)
        assert row.description == segment.profile.description
    customers = customer_table(summary.scores, 7)
    assert [row.number for row in customers] == list(range(1, 8))
    assert all(row.identifiers == (f"<C{row.row}>",) for row in customers)
    assert all(row.reason for row in customers)
    profiles = {row.column: row for row in profile_table(summary.segments, 10)}
    assert {name.split(" = ")[0] for name in profiles} == {"months", "plan", "age"}
    own = next(profile for profile in summary.segments[0].profile.columns if profile.column == "months")
    assert profiles["months"].cells[0].startswith(f"{own.median:.3g} (")
    assert len(profile_table(summary.segments, 1)) == 1


def test_markup_is_balanced_and_leads_to_every_section(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert page.attributes("a", "href") == [f"#{section}" for section in SECTIONS]
    assert {attrs.get("id") for _, attrs in page.tags} >= set(SECTIONS)
    assert "A note & more." in page.text
    assert "Churn in c.csv" in page.text


def test_nothing_is_fetched_and_names_are_never_markup(text: str) -> None:
    page = Page(text)
    for tag, attrs in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base")
        for name, value in attrs.items():
            assert name not in FETCHING_ATTRIBUTES or (value or "").startswith(("#", "data:image/"))
            assert not name.startswith("on")
    assert not re.search(r"@import|url\(|https?://", text)
    assert "<C" in page.text
    assert "plan = <b>monthly</b>" in page.text
    alts = page.attributes("img", "alt")
    assert len(alts) == len(set(alts)) == 3
    assert all(len(alt) > 30 for alt in alts)


def test_the_page_shows_the_tables(text: str, summary: ChurnSummary) -> None:
    page_text = Page(text).text
    for sentence in [*summary.sentences, *summary.validation.comparison.sentences]:
        assert sentence in page_text
    for segment in segment_table(summary.segments):
        assert segment.rate in page_text
        assert segment.description in page_text
    customers = customer_table(summary.scores)
    assert len(customers) > 20, "more than are shown at first"
    for customer in customers:
        assert customer.reason in page_text
        assert customer.change in page_text
    assert f"The next {len(customers) - 20} customers" in page_text
    assert "Fixed columns do not change." in page_text
    assert all(sentence in page_text for sentence in describe_segment_counts(summary.segments))
    assert summary.validation.plan is not None
    n_contacted = summary.validation.plan.n_contacted
    assert f"Test of the rule on the {N_ROWS} customers whose outcome is known" in page_text
    assert f"Dotted: the {n_contacted} whom the rule contacts in the test." in page_text
    assert "95 %" not in page_text
    assert summary.scores.reasons is not None
    for factor in summary.scores.reasons.factors():
        assert name_factor(factor.columns) in page_text


def test_parts_that_were_not_asked_for_are_left_out(model: ChurnModel, comparison: PeerComparison) -> None:
    X, has_left = make_customers()
    page = Page(render_churn_html(summarize_churn(model, X, has_left, comparison), title="T"))
    ids = {attrs.get("id") for _, attrs in page.tags}
    assert {"contacts", "groups"}.isdisjoint(ids)
    assert len(page.attributes("img", "alt")) == 2
    assert "data row" in page.text


def test_a_file_of_customers_who_have_all_left(model: ChurnModel, comparison: PeerComparison) -> None:
    X, has_left = make_customers()
    summary = summarize_churn(model, X, has_left, comparison, terms=TERMS)
    gone = score_customers(model, X, summary.scores.probabilities, candidates=np.arange(0), terms=TERMS)
    assert gone.plan is None
    assert gone.reasons is None
    page = render_churn_html(replace(summary, scores=gone))
    assert "All customers of the file have left." in page
    assert "contact" not in gone.to_table()


def test_equal_input_gives_equal_pages(text: str, summary: ChurnSummary, tmp_path: Path) -> None:
    assert render_churn_html(summary, source_name="c.csv", notes=["A note & more."]) == text
    write_churn_report(tmp_path / "report.html", summary, source_name="c.csv", notes=["A note & more."])
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_contacts_and_new_rates_in_words(model: ChurnModel) -> None:
    p = np.array([0.9, 0.5, 0.05])
    current = plan_actions(p, 10.0, 100.0, 0.5)
    assert describe_contacts(None, None) == []
    assert describe_contacts(None, current) == [current.sentence]
    tested = plan_actions(p, 10.0, 100.0, 0.5, y=np.array([True, False, False]))
    now, test = describe_contacts(tested, current)
    assert now.startswith("Of the customers who have not left: contact 2 of 3 customers")
    assert "contacted 2 of the 3 customers whose outcome is known. A profit of 50 was expected" in test
    assert "it would have been 30 (" in test
    said = describe_new_rate(0.2, 0.265, None)
    assert said.startswith(
        "The probabilities are corrected as if the churn rate of all customers had changed from 26% to"
    )
    estimate = model.estimate_rate(make_customers(300, 3)[0])
    said = describe_new_rate(float(estimate.prior[1]), 0.3, estimate)
    assert f"a churn rate of {100 * estimate.prior[1]:.1f}% (± {100 * estimate.standard_errors[1]:.1f})" in said


def test_changes_and_columns_in_words(summary: ChurnSummary) -> None:
    explained = [one for one in summary.scores.explanations if one.changes]
    single = next(change for one in explained for change in one.changes if change.new.get("plan") == "yearly")
    assert "plan = yearly instead of <b>monthly</b>" in single.description
    assert single.description.endswith(f": {format_percent(single.probability)}")
    assert describe_change(replace(explained[0], changes=())) == "no change of one or two columns halves it"
    assert describe_changes(True).endswith("Fixed columns do not change.")
    assert "--fixed of gaussmix churn" in describe_changes(False)
    assert name_factor(("minutes",)) == "minutes"
    assert name_factor(("minutes", "charge", "cost")) == "minutes (with charge and cost)"
    assert describe_important_columns(None) == []
    assert describe_untested(None, summary.scores.candidates) == []


def test_one_segment_needs_no_sentence_on_memberships(summary: ChurnSummary) -> None:
    assert len(describe_segment_counts(summary.segments)) == 1
    one = replace(summary.segments, segments=summary.segments.segments[:1])
    assert describe_segment_counts(one) == []
    page_text = Page(render_churn_html(replace(summary, segments=one))).text
    assert "by the probability of belonging to it" not in page_text


def test_columns_of_folds_are_named_if_the_model_leaves_them_out(
    summary: ChurnSummary, model: ChurnModel, comparison: PeerComparison
) -> None:
    assert summary.scores.fold_columns == ()
    assert describe_fold_columns(()) == []
    X, has_left = make_customers()
    less = {"months": X["months"], "plan": X["plan"], "age": np.full(N_ROWS, 40.0)}
    without_age = ChurnModel(CLASSIFIER, random_state=0).fit(less, has_left)
    scores = summarize_churn(without_age, X, has_left, comparison).scores
    assert scores.fold_columns == ("age",)
    (sentence,) = describe_fold_columns(scores.fold_columns)
    assert sentence.endswith("So reasons may name 'age', which the model of all customers leaves out.")
    page_text = Page(render_churn_html(replace(summary, scores=scores))).text
    assert sentence in page_text


def test_arguments_that_are_not_allowed(
    summary: ChurnSummary, model: ChurnModel, comparison: PeerComparison, tmp_path: Path
) -> None:
    X, has_left = make_customers()
    with pytest.raises(ParameterError, match="what summarize_churn returns"):
        render_churn_html(model)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="identifiers"):
        summarize_churn(model, X, has_left, comparison, identifiers={"id": [1, 2]})
    with pytest.raises(DataError, match="y must be True or 1"):
        summarize_churn(model, X, np.full(N_ROWS, "yes"), comparison)
    with pytest.raises(FileError, match="cannot write"):
        write_churn_report(tmp_path / "nowhere" / "report.html", summary)
