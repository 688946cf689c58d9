"""Files of churn models: equal answers after loading, few training rows, and files that are none."""

import json

import numpy as np
import pandas as pd
import pytest

from gaussmix.classification import ChurnModel, MixtureClassifier
from gaussmix.errors import ArchiveError, FileError
from gaussmix.model.archive import read_archive, write_archive
from tests.classification.churn.customers import make_customers, select_rows

FORMAT = "gaussmix churn model"


def assert_equal_answers(first, second, table, has_left):
    np.testing.assert_array_equal(first.churn_probability(table), second.churn_probability(table))
    assert first.segments() == second.segments()
    np.testing.assert_array_equal(
        first.assign_segments(table).probabilities, second.assign_segments(table).probabilities
    )
    rows = select_rows(table, range(6))
    assert first.explain(rows) == second.explain(rows)
    assert first.explain_reasons(rows).table() == second.explain_reasons(rows).table()
    assert first.drift(table) == second.drift(table)
    assert first.evaluate(table, has_left, by="senior").groups == second.evaluate(table, has_left, by="senior").groups
    assert first.evaluate().measures == second.evaluate().measures
    amounts = {"cost_contact": 5.0, "value_saved": 40.0}
    assert str(first.actions(**amounts)) == str(second.actions(**amounts))


def test_a_loaded_model_gives_equal_answers(tmp_path, model, customers):
    table, has_left, _ = customers
    model.save(tmp_path / "model")
    loaded = ChurnModel.load(str(tmp_path / "model"))
    assert loaded.target_name_ is None
    assert loaded.notes_ == model.notes_
    assert_equal_answers(model, loaded, table, has_left)  # also recognises the training table
    assert_equal_answers(model, loaded, *make_customers(100, seed=30)[:2])
    loaded.save(tmp_path / "again")
    first, second = (read_archive(tmp_path / name, FORMAT, ["1"]) for name in ("model", "again"))
    assert first.metadata == second.metadata  # with the checksum of all arrays


def test_parameters_are_kept(tmp_path, model):
    model.set_params(fixed_columns=["senior", "contract"])
    model.save(tmp_path / "model")
    model.set_params(fixed_columns=())
    loaded = ChurnModel.load(tmp_path / "model")
    assert loaded.fixed_columns == ["contract", "senior"]
    assert loaded.classifier.n_components == 1
    assert loaded.positive is None
    assert loaded.positive_ == model.positive_
    table, _, group = make_customers(200, seed=31)
    rows = select_rows(table, np.flatnonzero(group == 1)[:20])
    changed = {name for customer in loaded.explain(rows, threshold=0.35) for c in customer.changes for name in c.new}
    assert changed
    assert not changed & {"contract", "senior"}


def test_a_model_without_held_out_customers_is_kept(tmp_path):
    table, has_left, _ = make_customers(90, seed=32)
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None)
    model = ChurnModel(classifier, positive=True, random_state=0).fit(table, pd.Series(has_left, name="Churn"))
    model.save(tmp_path / "model")
    loaded = ChurnModel.load(tmp_path / "model")
    assert loaded.state_.held_out is None
    assert loaded.positive is True
    assert loaded.target_name_ == "Churn"
    assert loaded.segments() == model.segments()


def test_only_references_are_stored_with_their_cells(tmp_path):
    table, has_left, _ = make_customers(200, seed=33)
    table = {**table, "name": np.array([f"customer {i:04d}" for i in range(200)], dtype=object)}
    classifier = MixtureClassifier(n_components=1, method="generative", n_folds=2)
    model = ChurnModel(classifier, random_state=0).fit(table, has_left)
    model.save(tmp_path / "model")
    strings, _ = read_archive(tmp_path / "model", FORMAT, ["1"])
    text = json.dumps(strings)
    stored = [i for i in range(200) if f"customer {i:04d}" in text]
    assert stored == sorted(model.state_.references.rows.positions.tolist())
    assert len(stored) <= 20 * len(model.segments())


def test_foreign_and_damaged_files_are_refused(tmp_path, model):
    path = tmp_path / "model"
    with pytest.raises(FileError, match="there is no file"):
        ChurnModel.load(path)
    model.classifier_.save(path)
    with pytest.raises(ArchiveError, match="not written by gaussmix"):
        ChurnModel.load(path)
    model.save(path)
    with pytest.raises(ArchiveError, match="not written by gaussmix"):
        MixtureClassifier.load(path)
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(ArchiveError):
        ChurnModel.load(path)
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    with pytest.raises(ArchiveError, match="checksum"):
        ChurnModel.load(path)


def without_segment(strings, tensors):
    record = json.loads(strings["segments"])
    record["segments"].pop()
    strings["segments"] = json.dumps(record)


CONTRADICTIONS = {
    "one segment less": without_segment,
    "no references": lambda s, t: s.pop("references"),
    "references without cells": lambda s, t: s.update(
        references=json.dumps({"positions": [1], "columns": [], "cells": []})
    ),
    "a summary of nothing": lambda s, t: s.update(summaries=json.dumps([{"is_numeric": True}])),
    "a score of levels": lambda s, t: s.update(
        score=json.dumps({"is_numeric": False, "name": "x", "values": [], "counts": [], "n_missing": 0})
    ),
    "a positive class that does not exist": lambda s, t: t.update(numbers=np.array([7.0, 0.0, 0.3])),
    "two mixtures of segments": lambda s, t: s.update({"segments.n_members": "2"}),
    "an unknown parameter": lambda s, t: s.update(parameters=json.dumps({"mapping": [["magic", 1]]})),
    "a damaged classifier": lambda s, t: s.update({"classifier.layout": "[]"}),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradicting_content_with_a_right_checksum_is_one_sentence(tmp_path, model, name):
    path = tmp_path / "model"
    model.save(path)
    strings, tensors = read_archive(path, FORMAT, ["1"])
    strings.pop("sha256")
    CONTRADICTIONS[name](strings, tensors)
    write_archive(path, strings, tensors)
    with pytest.raises(ArchiveError, match="is not a usable gaussmix model: it is damaged"):
        ChurnModel.load(path)
