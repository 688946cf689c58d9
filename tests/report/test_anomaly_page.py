"""The report on anomalies: tables that join the input, sentences that say what is guaranteed, one safe page."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaussmix.anomaly import AnomalyDetector
from gaussmix.errors import FileError, ParameterError
from gaussmix.report import (
    AnomalySummary,
    anomaly_group_table,
    anomaly_table,
    render_anomaly_html,
    summarize_anomalies,
    write_anomaly_report,
)
from gaussmix.report.anomaly_pictures import draw_anomaly_pictures
from gaussmix.report.anomaly_summary import name_group
from gaussmix.report.anomaly_text import format_p_value, format_rate
from tests.report.test_html_page import FETCHING_ATTRIBUTES, Page

NAMES = ("first", "second", "third")
SECTIONS = ["summary", "anomalies", "groups", "pictures", "normal", "method", "about"]


@cache
def fit(training: str, n_features: int = 3, **options: Any) -> AnomalyDetector:
    """Return a detector with named columns, fitted to 300 rows of two groups."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, n_features)) + 6.0 * (np.arange(300) % 2)[:, None]
    detector = AnomalyDetector(training=training, n_components=2, n_repeats=1, random_state=0, **options).fit(rows)
    detector.model_ = replace(detector.model_, feature_names=NAMES[:n_features])
    return detector


@cache
def make_rows(n_features: int = 3, n_rows: int = 60) -> Any:
    """Return rows of which the first three deviate in the first column and the next two in the last."""
    rows = np.random.default_rng(1).normal(size=(n_rows, n_features))
    rows[:3, 0] += 15.0
    rows[3:5, -1] -= 15.0
    return rows


def summarize(training: str = "contaminated", **options: Any) -> AnomalySummary:
    return summarize_anomalies(fit(training), make_rows(), **options)


@pytest.fixture(scope="module")
def summary() -> AnomalySummary:
    identifiers = {"customer": [f"<C{i}>" for i in range(60)], "data_row": np.arange(60) + 1000}
    return summarize(threshold=("contamination", 5 / 60), identifiers=identifiers)


@pytest.fixture(scope="module")
def text(summary: AnomalySummary) -> str:
    return render_anomaly_html(summary, source_name="c.csv", notes=["A note & more."])


def test_the_table_has_every_row_and_joins_the_input(summary: AnomalySummary) -> None:
    table = summary.to_table()
    own = ["is_anomaly", "p_value", "rank", "anomaly_group", "first_column", "reason", "smallest_change"]
    assert list(table) == ["data_row", "customer", "data_row (input)", *own]
    assert {len(values) for values in table.values()} == {60}
    np.testing.assert_array_equal(table["data_row"], np.arange(1, 61))
    np.testing.assert_array_equal(table["data_row (input)"], np.arange(60) + 1000)
    np.testing.assert_array_equal(table["is_anomaly"], np.arange(60) < 5)
    assert sorted(table["rank"]) == list(range(1, 61))
    assert set(table["rank"][:5]) == {1, 2, 3, 4, 5}
    assert table["anomaly_group"].tolist()[:5] == ["A", "A", "A", "B", "B"]
    assert table["first_column"].tolist()[:5] == ["first", "first", "first", "third", "third"]
    for name in ("reason", "smallest_change"):
        assert all(table[name][:5])
        assert not any(table[name][5:])


def test_the_smallest_change_ends_above_the_limit(summary: AnomalySummary) -> None:
    changes, limit = summary.changes, np.log(summary.judgement.p_value_limit)
    assert changes is not None
    assert changes.is_found.all()
    assert (summary.detector.score_samples(changes.values) <= limit).all()
    assert (summary.detector.score_samples(changes.changed_values) > limit).all()


@pytest.mark.parametrize("training", ["clean", "contaminated"])
def test_detector_and_report_name_the_same_smallest_change(training: str) -> None:
    found = summarize(training, threshold=("fdr", 0.2))
    limit = found.judgement.p_value_limit
    rows = found.judgement.rows[found.explained]
    changes = found.detector.explain(rows, is_anomaly=True, p_value_limit=limit).changes
    assert changes is not None
    assert found.changes is not None
    np.testing.assert_array_equal(changes.changed_values, found.changes.changed_values)
    assert (found.detector.p_values(changes.changed_values) > limit).all()


def test_tables_of_anomalies_and_groups(summary: AnomalySummary) -> None:
    rows, groups = anomaly_table(summary), anomaly_group_table(summary)
    assert [row.number for row in rows] == [1, 2, 3, 4, 5]
    assert [row.row for row in rows] == summary.judgement.ranked_anomalies.tolist()
    assert all(row.identifiers == (f"<C{row.row}>", str(1000 + row.row)) for row in rows)
    assert anomaly_table(summary, 2) == rows[:2]
    assert [(group.name, group.size) for group in groups] == [("A", 3), ("B", 2)]
    assert groups[0].typical_row in (0, 1, 2), "a row of the input, not a position among the anomalies"
    members = {row.row for row in rows if str(row.number) in groups[1].members.split(", ")}
    assert members == {3, 4}
    assert anomaly_group_table(summary, 1) == groups[:1]


def test_markup_is_balanced_and_leads_to_every_section(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert page.attributes("a", "href") == [f"#{section}" for section in SECTIONS]
    assert {attrs.get("id") for _, attrs in page.tags} >= set(SECTIONS)
    assert "A note & more." in page.text


def test_nothing_is_fetched_and_names_are_never_markup(text: str) -> None:
    page = Page(text)
    for tag, attrs in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base")
        for name, value in attrs.items():
            assert name not in FETCHING_ATTRIBUTES or (value or "").startswith(("#", "data:image/"))
            assert not name.startswith("on")
    assert not re.search(r"@import|url\(|https?://", text)
    assert "<C0>" in page.text
    alts = page.attributes("img", "alt")
    assert len(alts) == len(set(alts)) == 3, "a picture for each group of anomalies, and one of p-values"
    assert all(len(alt) > 30 for alt in alts)


def test_the_page_shows_the_table(text: str, summary: AnomalySummary) -> None:
    page_text = Page(text).text
    for row in anomaly_table(summary):
        assert row.reason in page_text
        assert row.smallest_change in page_text
    assert "Anomalies in c.csv" in page_text
    assert "5 of 60 rows are anomalies (8.3%)." in page_text


def test_equal_input_gives_equal_pages(text: str, summary: AnomalySummary) -> None:
    assert render_anomaly_html(summary, source_name="c.csv", notes=["A note & more."]) == text
    assert "<title>Other</title>" in render_anomaly_html(summary, title="Other")


def test_without_anomalies_there_are_no_tables() -> None:
    summary = summarize(is_anomaly=False)
    page = Page(render_anomaly_html(summary))
    assert "There are no anomalies at this rate among 60 rows." in page.text
    assert {"anomalies", "groups"}.isdisjoint({attrs.get("id") for _, attrs in page.tags})
    assert (anomaly_table(summary), anomaly_group_table(summary)) == ([], [])
    assert not any(summary.to_table()["reason"])
    assert "All 60 rows are anomalies." in render_anomaly_html(summarize(is_anomaly=True))


def test_one_column_and_a_broken_relation() -> None:
    rows = make_rows(1)
    assert "The curve is the density" in render_anomaly_html(summarize_anomalies(fit("clean", 1), rows))
    related = np.column_stack([make_rows(2), make_rows(2).sum(axis=1)])[5:]
    detector = AnomalyDetector(n_components=1, n_repeats=1, random_state=0).fit(related)
    broken = related.copy()
    broken[0, 2] += 5.0
    summary = summarize_anomalies(detector, broken, threshold=("fpr", 1e-6))
    assert summary.explained.tolist() == [0]
    assert "breaks what every training row keeps" in render_anomaly_html(summary)


@pytest.mark.parametrize(
    ("training", "options", "expected"),
    [
        ("contaminated", {}, "the rate is approximate. Training rows known to be normal give a guarantee."),
        ("clean", {}, "conformal: they compare each row with 150 normal rows that no mixture has seen."),
        (
            "clean",
            {"calibration": "cross"},
            "with 300 normal rows, scored by mixtures that have not seen them: the rate",
        ),
    ],
)
def test_the_guarantee_depends_on_the_training(training: str, options: dict[str, Any], expected: str) -> None:
    detector = fit(training, **options)
    assert expected in str(summarize_anomalies(detector, make_rows()))
    without_rate = str(summarize_anomalies(detector, make_rows(), threshold=("contamination", 0.1)))
    assert "rate" not in without_rate


def test_limits_in_words() -> None:
    assert "Limit: a false positive rate of 2.5%, that is p-values up to 0.025; if all 60" in str(
        summarize(threshold=("fpr", 0.025))
    )
    assert "about 1 would be flagged" in str(summarize(threshold=("fpr", 0.02)))
    assert "the 10% most unusual rows are anomalies" in str(summarize(threshold=("contamination", 0.1)))
    p_values = np.where(np.arange(60) < 5, 1e-5, 0.5)
    assert "here p-values up to 0.0083" in str(summarize(p_values=p_values, threshold=("fdr", 0.1)))
    assert "selects no row; the smallest p-value is 0.5." in str(summarize(p_values=np.full(60, 0.5)))


def test_too_few_calibration_rows_are_named() -> None:
    none = {"p_values": np.full(60, 0.5)}
    assert "so fewer than 8 anomalies cannot be found" in str(summarize("clean", threshold=("fdr", 0.05), **none))
    assert "so no row can be flagged" in str(summarize("clean", threshold=("fpr", 0.001), **none))
    assert "calibration rows" not in str(summarize("clean", threshold=("fpr", 0.05), **none))
    assert "calibration rows" not in str(summarize("contaminated", **none))


def test_verdicts_are_named() -> None:
    rows = np.random.default_rng(0).normal(size=(100, 3))
    detector = AnomalyDetector(n_components=1, n_repeats=1, random_state=0).fit(rows).feedback(rows[:2], False)
    assert "Verdicts on 2 rows have moved them; no guarantee covers that." in str(summarize_anomalies(detector, rows))


def test_a_row_however_far_away_is_explained_and_so_are_the_others() -> None:
    rows = make_rows().copy()
    rows[7, 1], rows[9, 0] = 1e200, 1e3
    summary = summarize_anomalies(fit("clean"), rows, is_anomaly=np.isin(np.arange(60), [7, 9]))
    reasons = dict(zip(summary.explained.tolist(), summary.reasons, strict=True))
    assert "(1e+200)" in reasons[7]
    assert "(1000)" in reasons[9]
    assert "1e+200" in render_anomaly_html(summary)


def test_columns_whose_variances_overflow_are_drawn() -> None:
    rows = np.random.default_rng(0).normal(size=(120, 2)) * [1e200, 1.0]
    rows[3, 1] = 9.0
    detector = AnomalyDetector(n_components=2, n_repeats=1, random_state=0).fit(rows)
    page = render_anomaly_html(summarize_anomalies(detector, rows, threshold=("contamination", 1 / 120)))
    assert "column 1 (9)" in page


def test_arguments_that_are_not_allowed(tmp_path: Path, summary: AnomalySummary) -> None:
    with pytest.raises(ParameterError, match="a fitted AnomalyDetector"):
        summarize_anomalies("detector", make_rows())  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="identifiers"):
        summarize(identifiers={"id": [1, 2]})
    with pytest.raises(ParameterError, match="what summarize_anomalies returns"):
        render_anomaly_html(fit("clean"))  # type: ignore[arg-type]
    with pytest.raises(FileError, match="cannot write"):
        write_anomaly_report(tmp_path / "nowhere" / "report.html", summary)


def test_the_file_contains_the_rendered_page(tmp_path: Path, summary: AnomalySummary) -> None:
    write_anomaly_report(tmp_path / "report.html", summary, title="T")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render_anomaly_html(summary, title="T")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_names_of_groups_and_numbers() -> None:
    assert [name_group(i) for i in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]
    assert [format_rate(rate) for rate in (0.05, 0.0025, 0.125, 1.0)] == ["5%", "0.25%", "12%", "100%"]
    assert [format_p_value(p) for p in (0.0, 4.2e-57, 0.0123, 1.0)] == ["below 1e-300", "4.2e-57", "0.012", "1"]


def test_a_column_in_which_most_anomalies_deviate_is_named() -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(300, 2)), rng.integers(0, 5, 300)])
    rows[:12, 2], rows[20, 0] = 40.0 + np.arange(12), 9.0
    detector = AnomalyDetector(n_components=2, n_repeats=1, random_state=0).fit(rows)
    found = summarize_anomalies(detector, rows, is_anomaly=np.isin(np.arange(300), [*range(12), 20]))
    sentence = "12 of 13 anomalies deviate most in column 2, a column of 17 values."
    assert sentence in Page(render_anomaly_html(found)).text
    assert found.dominant_column is not None
    assert found.dominant_column.n_values == 17
    few = summarize_anomalies(detector, rows, is_anomaly=np.isin(np.arange(300), [0, 1, 20]))
    assert few.dominant_column is None
    assert "deviate most in" not in render_anomaly_html(few)


def test_the_most_unusual_row_has_a_picture() -> None:
    """Four larger groups of anomalies must not take all pictures."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 6))
    for j in range(5):
        rows[2 * j : 2 * j + 2, j] = 9.0
    rows[10, 5] = 40.0
    detector = AnomalyDetector(n_components=1, n_repeats=1, random_state=0).fit(rows)
    found = summarize_anomalies(detector, rows, is_anomaly=np.arange(400) < 11)
    assert found.groups is not None
    label = found.group_names[0]
    assert found.explained[0] == 10
    captions = [caption for _, caption in draw_anomaly_pictures(found)]
    assert len(captions) == 5
    assert any(re.search(rf"anomaly groups? .*\b{label}\b", caption) for caption in captions)
