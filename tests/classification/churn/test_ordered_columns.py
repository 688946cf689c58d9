"""Sentences and tables name the levels of counts: a rare count is '4 or more', as the model reads it."""

import numpy as np
import pytest

from gaussmix import DataWarning
from gaussmix.classification import ChurnModel, MixtureClassifier

N_ROWS = 1500


def make_callers(seed=0):
    """Return a table with a count that makes customers leave, and who left."""
    rng = np.random.default_rng(seed)
    calls, price = rng.poisson(1.0, N_ROWS), rng.normal(50.0, 9.0, N_ROWS)
    has_left = rng.random(N_ROWS) < 1.0 / (1.0 + np.exp(2.5 - 1.2 * calls))
    return {"calls": calls, "price": price}, has_left


@pytest.fixture(scope="module")
def caller_model():
    table, has_left = make_callers()
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None)
    return ChurnModel(classifier, random_state=0).fit(table, has_left)


def explain(model, calls):
    """Return the explanation of a customer with so many calls."""
    (customer,) = model.explain({"calls": [calls], "price": [50.0]}, threshold=0.3)
    return customer


def test_a_reason_names_the_level(caller_model):
    (note,) = [note for note in caller_model.notes_ if "neighbours" in note]
    assert note == "'calls': numbers in few rows are joined with their neighbours: '4 or more'."
    largest = int(make_callers()[0]["calls"].max())
    text = str(explain(caller_model, largest))
    assert "Raised by calls = 4 or more (odds x " in text
    with pytest.warns(DataWarning, match=f"holds 40 in 1 row, more than the {largest} of the fit: read as 4 or more"):
        assert str(explain(caller_model, 40)) == text


def test_changes_offer_each_level_once_and_can_be_read(caller_model):
    customer = explain(caller_model, 4)
    new = [change.new["calls"] for change in customer.changes if change.columns == ("calls",)]
    assert len(new) == len(set(new)) > 0
    for change in customer.changes:
        row = {"calls": np.array([change.new.get("calls", 4)], dtype=object), "price": [change.new.get("price", 50.0)]}
        assert caller_model.churn_probability(row)[0] == pytest.approx(change.probability)


def test_segments_have_the_fractions_of_levels(caller_model):
    table, _ = make_callers()
    profiles = [profile for segment in caller_model.segments() for profile in segment.profile.columns]
    counted = [profile for profile in profiles if profile.column == "calls"]
    for profile in counted:
        assert profile.levels == (0, 1, 2, 3, "4 or more")
        assert profile.overall_fractions[-1] == pytest.approx(np.mean(table["calls"] >= 4))
        assert sum(profile.fractions) == pytest.approx(1.0)
    assert counted


def test_drift_names_the_level(caller_model):
    table, _ = make_callers()
    calls = np.where(np.arange(N_ROWS) < 500, 4, table["calls"])
    text = str(caller_model.drift(table | {"calls": calls}))
    assert "- calls = 4 or more in " in text


def test_a_saved_model_keeps_the_levels(caller_model, tmp_path):
    caller_model.save(tmp_path / "churn.safetensors")
    restored = ChurnModel.load(tmp_path / "churn.safetensors")
    assert str(explain(restored, 5)) == str(explain(caller_model, 5))
