"""Results print as sentences or short tables, also in a notebook, and never as dumps of arrays and rows."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from gaussmix.classification import (
    ChurnModel,
    MixtureClassifier,
    adjust_probabilities,
    compare_groups,
    compare_measures,
    compare_with_peers,
    compute_measures,
    estimate_prior,
    gain_table,
    plan_actions,
    reliability_table,
)
from gaussmix.classification.evaluation.text_tables import format_text_table
from gaussmix.report import ContactTerms, GroupColumn, score_customers, summarize_churn
from tests.classification.churn.customers import make_customers, select_rows

N_ROWS = 3000
MAX_CHARACTERS = 4000
PRINTED_IN_WORDS = {
    "ActionPlan",
    "ChurnDrift",
    "ChurnEvaluation",
    "ChurnExplanation",
    "ChurnState",
    "ChurnSummary",
    "ChurnValidation",
    "ClassificationMeasures",
    "CustomerExplanation",
    "CustomerReasons",
    "GainTable",
    "GroupComparison",
    "PeerComparison",
    "PriorEstimate",
    "ProfitCurve",
    "ReliabilityTable",
    "ScoredCustomers",
    "Segment",
    "SegmentAssignment",
    "SegmentProfile",
    "Segments",
    "TableSchema",
}


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """Whatever the public functions and methods return for 3000 customers."""
    table, has_left, group = make_customers(N_ROWS)
    classifier = MixtureClassifier(n_components=1, n_starts=1, n_folds=2)
    model = ChurnModel(classifier, random_state=0).fit(table, has_left)
    p = model.churn_probability(table)
    comparison = compare_with_peers(classifier, table, has_left, n_folds=2)
    options = {"terms": ContactTerms(10.0, np.full(N_ROWS, 200.0), 0.3), "identifiers": {"row": np.arange(N_ROWS)}}
    return {
        "model": model,
        "classifier": model.classifier_,
        "class model": model.classifier_.model_,
        "state": model.state_,
        "schema": model.classifier_.schema_,
        "encoded rows": model.classifier_.schema_.encode(table),
        "segments": model.segments(),
        "assignment": model.assign_segments(table),
        "explanation": model.explain(select_rows(table, np.arange(12))),
        "reasons": model.explain_reasons(table),
        "plan": model.actions(table, cost_contact=10.0, value_saved=np.full(N_ROWS, 200.0)),
        "tested plan": model.actions(cost_contact=10.0, value_saved=200.0),
        "evaluation": model.evaluate(by=group),
        "drift": model.drift(select_rows(table, np.flatnonzero(group != 1))),
        "rate": model.estimate_rate(table),
        "comparison": comparison,
        "scores": score_customers(model, table, p, **options, max_explained=7),
        "summary": summarize_churn(model, table, has_left, comparison, groups=GroupColumn("group", group), **options),
        "measures": compute_measures(has_left, p),
        "differences": compare_measures(has_left, p, 1.0 - p),
        "gain": gain_table(has_left, p),
        "reliability": reliability_table(has_left, p, n_bins=20),
        "groups": compare_groups(has_left, p, group),
        "prior": estimate_prior(p, 0.4),
        "actions": plan_actions(p, 10.0, 200.0, y=has_left),
        "adjusted": adjust_probabilities(p, 0.4, 0.2),
    }


def _find_values(value: Any) -> Iterator[Any]:
    """Yield a value and whatever its public fields hold; of a sequence only the first entries, which print alike."""
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        for entry in value[:3]:
            yield from _find_values(entry)
    elif type(value).__module__.startswith("gaussmix."):
        yield value
        if type(value).__name__ != "ChurnState":  # what it holds is no result
            names = [field.name for field in fields(value)] if is_dataclass(value) else getattr(value, "_fields", ())
            for name in names:
                yield from _find_values(getattr(value, name))


def test_no_result_is_a_dump(results: dict[str, Any]) -> None:
    found = [value for result in results.values() for value in _find_values(result)]
    lengths = {type(value).__name__: max(len(repr(value)), len(str(value))) for value in found}
    assert {name for name, length in lengths.items() if length > MAX_CHARACTERS} == set()
    assert set(lengths) >= PRINTED_IN_WORDS
    for value in found:
        if type(value).__name__ in PRINTED_IN_WORDS:
            assert repr(value) == str(value)
            assert "array(" not in repr(value)
            assert f"{type(value).__name__}(" not in repr(value)


def test_printed_results_say_what_they_are(results: dict[str, Any]) -> None:
    shown = {name: str(value) for name, value in results.items()}
    assert shown["reasons"].endswith("\n2,995 more customers: see table().")
    assert shown["reasons"].splitlines()[0].startswith("Row 0: ")
    assert shown["explanation"].endswith("\n\n7 more customers: iterate over the explanation.")
    counts = np.bincount(results["assignment"].numbers)[1:]
    assert shown["assignment"].startswith(f"The most probable segments of 3,000 customers: {counts[0]:,} in segment 1")
    gain, reliability = results["gain"], results["reliability"]
    assert shown["gain"].splitlines()[0] == f"3,000 rows, {gain.rate:.4f} positive"
    assert shown["gain"].endswith("  1.00  1.0000")
    assert len(shown["gain"].splitlines()) == 2 + len(gain.rows)
    assert len(shown["reliability"].splitlines()) == 2 + len(reliability.bins)
    by_chance = f"({reliability.calibration_error_by_chance:.4f} by chance)"
    assert shown["reliability"].endswith(f"\ncalibration error {reliability.calibration_error:.4f} {by_chance}")
    assert shown["scores"].startswith("3,000 customers; 3,000 of them may still leave, and about ")
    assert results["scores"].plan.sentence in shown["scores"]
    assert len(shown["scores"].splitlines()) == 2 + 5
    assert shown["schema"].startswith("7 of 7 columns used, as 2 numeric columns (months, price) and ")
    assert results["schema"].notes[0] in shown["schema"]
    curve = results["plan"].curve
    assert f"the highest is {curve.expected.max():,.4g}" in str(curve)


def test_cells_of_text_tables_end_below_each_other() -> None:
    lines = format_text_table(("rows", "rate"), [("1", "0.25"), ("10,000", "0.5")]).splitlines()
    assert lines == ["  rows  rate", "     1  0.25", "10,000   0.5"]
