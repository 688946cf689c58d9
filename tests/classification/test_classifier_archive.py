"""Files of classifiers: equal bits after loading, all families and calibrations, and files that are none."""

import json
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from gaussmix import GaussianMixture
from gaussmix.classification import MixtureClassifier
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.errors import ArchiveError, FileError, GaussmixError, UnsavableError
from gaussmix.model.archive import read_archive, write_archive
from tests.classification.churn.customers import make_customers, make_useless_amounts

FAST = {"n_components": 1, "n_starts": 1, "max_iter": 10, "n_folds": 2}


def make_target(kind, has_left, group):
    """Return the target as text, bools, numbers, or text of three classes."""
    return {
        "text": np.where(has_left, "yes", "no"),
        "object": np.where(has_left, "yes", "no").astype(object),
        "bool": has_left,
        "int": has_left.astype(np.int32),
        "float": has_left.astype(float),
        "three": np.array(["a", "b", "c"])[(group + has_left) % 3],
    }[kind]


def assert_equal_fits(first, second, table):
    for method in ("predict_proba", "predict_log_proba", "predict", "score_samples"):
        np.testing.assert_array_equal(getattr(first, method)(table), getattr(second, method)(table))
    names = {name for name in vars(first) if name.endswith("_") and name != "model_"}
    assert names == {name for name in vars(second) if name.endswith("_") and name != "model_"}
    for name in names:
        one, other = getattr(first, name), getattr(second, name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
            assert one.dtype.kind == other.dtype.kind
        else:
            assert one == other, name
    assert first.schema_.to_json() == second.schema_.to_json()


@pytest.mark.parametrize("calibration", ["tails", "floor", "sigmoid", "isotonic", "temperature", None])
def test_calibrations_return_equal_bits(tmp_path, calibration):
    table, has_left, group = make_customers(150, seed=1)
    target = make_target("three" if calibration == "isotonic" else "text", has_left, group)
    classifier = MixtureClassifier(calibration=calibration, **FAST).fit(table, target)
    classifier.save(tmp_path / "classifier")
    assert_equal_fits(classifier, MixtureClassifier.load(tmp_path / "classifier"), make_customers(80, seed=2)[0])


@pytest.mark.parametrize("family", ["class-mixtures", "edda", "mclustda", "shared"])
def test_families_return_equal_bits(tmp_path, family):
    table, has_left, _ = make_customers(150, seed=1)
    table = {name: table[name] for name in ("months", "price", "contract")}
    counts = {"shared": 3, "edda": "auto"}.get(family, 2)
    options = {"family": family, "n_components": counts, "max_components": None if family == "edda" else 2}
    classifier = MixtureClassifier(**options, n_starts=2, max_iter=5, n_folds=2, random_state=0).fit(table, has_left)
    classifier.save(tmp_path / "classifier")
    loaded = MixtureClassifier.load(str(tmp_path / "classifier"))
    assert_equal_fits(classifier, loaded, table)
    assert len(loaded.model_.members) == len(classifier.model_.members)


@pytest.mark.parametrize("kind", ["text", "object", "bool", "int", "float", "three"])
def test_classes_keep_their_type(tmp_path, kind):
    table, has_left, group = make_customers(120, seed=3)
    classifier = MixtureClassifier(method="generative", calibration=None, **FAST)
    classifier.fit(pd.DataFrame(table), make_target(kind, has_left, group)).save(tmp_path / "classifier")
    loaded = MixtureClassifier.load(tmp_path / "classifier")
    assert loaded.classes_.dtype == classifier.classes_.dtype
    assert_equal_fits(classifier, loaded, pd.DataFrame(table))


def test_parameters_are_kept(tmp_path):
    table, has_left, _ = make_customers(120, seed=3)
    parameters = {
        "n_components": {False: 1, True: np.int64(1)},
        "class_weight": {False: 1.0, True: 2.0},
        "costs": np.array([[0.0, 1.0], [5.0, 0.0]]),
        "categorical": ("months",),
        "column_transform": {"price": "log1p"},
        "random_state": 7,
        "method": "generative",
        "calibration": None,
    }
    classifier = MixtureClassifier(**parameters).fit(table, has_left)
    classifier.save(tmp_path / "classifier")
    loaded = MixtureClassifier.load(tmp_path / "classifier")
    kept = loaded.get_params()
    assert kept["costs"] == [[0.0, 1.0], [5.0, 0.0]]
    assert kept["categorical"] == ["months"]
    for name in ("n_components", "class_weight", "column_transform", "random_state", "method", "calibration"):
        assert kept[name] == parameters[name]
    assert_equal_fits(classifier, loaded, table)
    np.testing.assert_array_equal(loaded.fit(table, has_left).predict_proba(table), classifier.predict_proba(table))
    MixtureClassifier(**{**parameters, "random_state": np.random.default_rng(0)}).fit(table, has_left).save(
        tmp_path / "classifier"
    )
    assert MixtureClassifier.load(tmp_path / "classifier").random_state is None


def test_a_file_holds_no_training_cell(tmp_path):
    table, has_left, _ = make_customers(150, seed=4)
    table["amount"] = np.random.default_rng(0).normal(50.0, 8.0, 150)
    MixtureClassifier(method="generative", **FAST).fit(table, has_left).save(tmp_path / "classifier")
    with safe_open(tmp_path / "classifier", framework="numpy") as file:
        stored = np.concatenate([file.get_tensor(key).ravel() for key in file.keys()])  # noqa: SIM118
        text = json.dumps(file.metadata())
    inner = np.sort(table["amount"])[1:-1]  # the schema knows the smallest and the largest value
    assert not np.isin(inner, stored).any()
    assert not any(str(value) in text for value in inner)


def test_numbers_that_say_nothing_stay_unused(tmp_path, fitted):
    assert len(fitted.model_.unused_numbers) == 1
    fitted.save(tmp_path / "classifier")
    loaded = MixtureClassifier.load(tmp_path / "classifier")
    np.testing.assert_array_equal(loaded.model_.unused_numbers, fitted.model_.unused_numbers)
    table, _, _ = make_customers(50, seed=5)
    table["amount"] = np.random.default_rng(1).normal(50.0, 8.0, 50)
    assert_equal_fits(fitted, loaded, table)


def test_every_part_of_a_model_is_stored():
    """Whoever adds a field here adds it to the archive."""
    assert [field.name for field in fields(ClassModel)] == [
        *("schema", "categories", "layout", "members", "calibration", "unused_numbers"),
    ]
    assert [field.name for field in fields(MixedMixture)] == [
        *("layout", "log_weights", "class_log_probabilities", "means", "variances", "covariances", "tables"),
    ]
    assert [field.name for field in fields(FeatureLayout)] == ["n_numeric", "block", "n_levels"]


def rewrite(path, tensors=lambda values: values, **strings):
    """Change a file without correcting its checksum."""
    with safe_open(path, framework="numpy") as file:
        metadata = dict(file.metadata())
        values = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    save_file(tensors(values), path, {**metadata, **strings})


@pytest.fixture(scope="module")
def fitted():
    table, has_left, _ = make_customers(120, seed=3)
    table["amount"] = make_useless_amounts(has_left, seed=2)
    return MixtureClassifier(method="generative", random_state=0, **FAST).fit(table, has_left)


def test_foreign_and_damaged_files_are_refused(tmp_path, fitted):
    path = tmp_path / "classifier"
    with pytest.raises(FileError, match="there is no file"):
        MixtureClassifier.load(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ArchiveError, match="not a safetensors file"):
        MixtureClassifier.load(path)
    GaussianMixture(2, random_state=0).fit(np.random.default_rng(0).normal(size=(30, 2))).save(path)
    with pytest.raises(ArchiveError, match="not written by gaussmix"):
        MixtureClassifier.load(path)
    fitted.save(path)
    rewrite(path, schema="99")
    with pytest.raises(ArchiveError, match="its schema is '99', known are 1; update gaussmix"):
        MixtureClassifier.load(path)
    fitted.save(path)
    rewrite(path, lambda tensors: {**tensors, "member0.means": tensors["member0.means"] + 1.0})
    with pytest.raises(ArchiveError, match="checksum"):
        MixtureClassifier.load(path)
    with pytest.raises(FileError, match="cannot write"):
        fitted.save(tmp_path / "no" / "folder")


CONTRADICTIONS = {
    "no member": lambda s, t: s.update(n_members="0"),
    "too many members": lambda s, t: s.update(n_members="2"),
    "another number of numeric columns": lambda s, t: s.update(layout=json.dumps([9, [], [2]])),
    "no schema": lambda s, t: s.pop("table_schema"),
    "a schema that is no JSON": lambda s, t: s.update(table_schema="{"),
    "an unknown calibration": lambda s, t: s.update(calibration="magic"),
    "floors of three classes": lambda s, t: t.update({"calibration.floors": np.zeros(3)}),
    "scales of one class": lambda s, t: t.update({"calibration.scales": np.ones(1)}),
    "three classes": lambda s, t: s.update(classes=json.dumps(["<U1", ["a", "b", "c"]])),
    "means that are not finite": lambda s, t: t.update({"member0.means": np.nan * t["member0.means"]}),
    "a negative variance": lambda s, t: t.update({"member0.variances": -1.0 - t["member0.variances"]}),
    "a table of another shape": lambda s, t: t.update({"member0.table0": t["member0.table0"][:, :1]}),
    "unused numbers that do not exist": lambda s, t: t.update(unused_numbers=np.array([50])),
    "categories that do not exist": lambda s, t: t.update(categories=t["categories"] + 50),
    "an unknown parameter": lambda s, t: s.update(parameters=json.dumps({"mapping": [["magic", 1]]})),
    "an unknown kind of candidate": lambda s, t: s.update(candidates=json.dumps([["magic", {}]])),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradicting_content_with_a_right_checksum_is_one_sentence(tmp_path, fitted, name):
    path = tmp_path / "classifier"
    fitted.save(path)
    strings, tensors = read_archive(path, "gaussmix classifier", ["1"])
    strings.pop("sha256")
    CONTRADICTIONS[name](strings, tensors)
    write_archive(path, strings, tensors)
    with pytest.raises(ArchiveError, match="is not a usable gaussmix model: it is damaged") as caught:
        MixtureClassifier.load(path)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, GaussmixError)


def test_classes_that_no_file_can_hold_are_told(tmp_path):
    table, has_left, _ = make_customers(120, seed=3)
    dates = np.array(["2024-01-01", "2024-06-01"], dtype="M8[D]")[has_left.astype(int)]
    classifier = MixtureClassifier(method="generative", calibration=None, **FAST).fit(table, dates)
    with pytest.raises(UnsavableError, match="cannot be saved; fit the classifier to classes of text"):
        classifier.save(tmp_path / "classifier")
