"""Files of detectors: equal bits after loading, and files that are none."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from gaussmix import GaussianMixture
from gaussmix.anomaly import AnomalyDetector
from gaussmix.errors import ArchiveError, FileError, GaussmixError

FAST = {"n_components": 2, "n_repeats": 1, "random_state": 0}


def make_rows(n_rows=120):
    rows = np.random.default_rng(0).normal(size=(n_rows, 4))
    rows[:, 2], rows[:, 3] = 7.0, rows[:, 0] - rows[:, 1]
    return rows


def assert_equal_bits(first, second, rows):
    for method in ("score_samples", "decision_function", "predict", "p_values", "select_anomalies"):
        assert (getattr(first, method)(rows) == getattr(second, method)(rows)).all(), method
    assert first.offset_ == second.offset_
    assert first.shrinkage_ == second.shrinkage_
    explained, loaded = first.explain(rows[:5]), second.explain(rows[:5])
    assert explained.sentences == loaded.sentences
    assert (explained.contributions == loaded.contributions).all()


@pytest.mark.filterwarnings("ignore:with .* calibration rows")
@pytest.mark.parametrize("calibration", ["split", "cross", "jackknife+"])
@pytest.mark.parametrize("training", ["clean", "contaminated"])
def test_a_loaded_detector_returns_equal_bits(tmp_path, calibration, training):
    rows = make_rows()
    weights = np.random.default_rng(1).integers(1, 4, 120).astype(float)
    detector = AnomalyDetector(training=training, calibration=calibration, fpr=0.02, **FAST).fit(rows, None, weights)
    detector.save(tmp_path / "detector")
    new = np.concatenate([rows[:20], rows[:5] + np.array([0, 0, 1, 0]), 9.0 * rows[:5]])
    loaded = AnomalyDetector.load(tmp_path / "detector")
    assert_equal_bits(detector, loaded, new)
    assert loaded.get_params() == detector.get_params()
    detector.feedback(new[[3, 21]], np.array([True, False]))
    detector.save(tmp_path / "detector")
    loaded = AnomalyDetector.load(tmp_path / "detector")
    assert_equal_bits(detector, loaded, new)
    detector.feedback(new[[5, 28]], np.array([True, False]))  # feedback goes on
    loaded.feedback(new[[5, 28]], np.array([True, False]))
    assert_equal_bits(detector, loaded, new)


@pytest.mark.filterwarnings("ignore:with .* calibration rows")
def test_names_parameters_and_separate_calibration_rows_are_kept(tmp_path):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(make_rows(), columns=list("abcd"))
    parameters = {"n_components": [2, np.int64(3)], "n_repeats": np.int64(2), "shrinkage": np.float32(0.25)}
    detector = AnomalyDetector(training="clean", random_state=np.random.RandomState(0), **parameters)
    detector.fit(table[:80], X_calibration=table[80:]).save(tmp_path / "detector")
    loaded = AnomalyDetector.load(str(tmp_path / "detector"))
    assert_equal_bits(detector, loaded, table)
    assert loaded.feature_names_in_.tolist() == list("abcd")
    assert loaded.n_features_in_ == 4
    assert loaded.n_components == (2, 3)
    assert loaded.shrinkage == 0.25
    assert loaded.random_state is None
    with pytest.raises(ValueError, match="names"):
        loaded.predict(table.rename(columns={"a": "x"}))
    loaded.fit(table)


def test_a_file_holds_no_training_row(tmp_path):
    rows = np.random.default_rng(2).normal(size=(90, 2))
    AnomalyDetector(**FAST).fit(rows).save(tmp_path / "detector")
    with safe_open(tmp_path / "detector", framework="numpy") as file:
        stored = np.concatenate([file.get_tensor(key).ravel() for key in file.keys()])  # noqa: SIM118
    assert not np.isin(rows, stored).any()


def rewrite(path, tensors=lambda values: values, **strings):
    """Change a file without correcting its checksum."""
    with safe_open(path, framework="numpy") as file:
        metadata = dict(file.metadata())
        values = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    save_file(tensors(values), path, {**metadata, **strings})


def test_files_of_another_kind_or_age_and_damaged_files_are_refused(tmp_path):
    path = tmp_path / "detector"
    with pytest.raises(FileError):
        AnomalyDetector.load(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ArchiveError, match="detector"):
        AnomalyDetector.load(path)
    GaussianMixture(1).fit(make_rows()[:, :2]).save(path)
    with pytest.raises(ArchiveError):
        AnomalyDetector.load(path)
    detector = AnomalyDetector(**FAST).fit(make_rows())
    detector.save(path)
    with pytest.raises(GaussmixError):
        GaussianMixture.load(path)
    for strings in (
        {"schema": "0"},
        {"schema": "999"},
        {"format": "other"},
        {"parameters": "{}"},
        {"members": "[9, 9]"},
    ):
        detector.save(path)
        rewrite(path, **strings)
        with pytest.raises(ArchiveError):
            AnomalyDetector.load(path)
    detector.save(path)
    rewrite(path, lambda values: {**values, "decision": values["decision"] + 1.0})
    with pytest.raises(ArchiveError):
        AnomalyDetector.load(path)
    detector.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ArchiveError):
        AnomalyDetector.load(path)


@pytest.mark.parametrize("name", ["parameters", "members", "feature_names", "is_clean"])
def test_a_missing_or_impossible_string_is_an_archive_error_even_with_the_right_checksum(tmp_path, monkeypatch, name):
    path = tmp_path / "detector"
    AnomalyDetector(**FAST).fit(make_rows()).save(path)
    monkeypatch.setattr("gaussmix.anomaly.detector_archive.verify_checksum", lambda content: content)
    for text in ("{", json.dumps([1, 2, 3])):
        rewrite(path, **{name: text})
        if name in ("feature_names", "is_clean") and text != "{":
            continue
        with pytest.raises(ArchiveError):
            AnomalyDetector.load(path)


def test_an_unfitted_detector_and_an_impossible_path_are_refused(tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        AnomalyDetector().save(tmp_path / "detector")
    with pytest.raises(FileError):
        AnomalyDetector(**FAST).fit(make_rows()).save(tmp_path / "missing" / "detector")
