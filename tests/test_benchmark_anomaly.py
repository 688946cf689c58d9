"""The benchmark of anomaly detectors follows the published protocol, and its records are merged into one section."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks.__main__ import main
from benchmarks.adapters.detectors import DETECTORS, DetectorSpec
from benchmarks.anomaly_sets import (
    CHOOSING_HALF,
    CONFIRMING_HALF,
    SET_NAMES,
    AnomalySet,
    load_anomaly_sets,
    split_rows,
)
from benchmarks.commands.anomaly import format_results, measure_scores, merge_results
from benchmarks.machine import REPOSITORY_ROOT
from benchmarks.page_update import update_page
from benchmarks.workers.anomaly import fit_and_score

ODDS_FOLDER = REPOSITORY_ROOT.parent / "shared" / "data" / "anomaly"
SINGLE_GAUSSIAN = DetectorSpec("sklearn.mixture", "GaussianMixture", (), True, "score_samples", True)
# A stand-in for PyOD, which the tests do not install: its GMM is a single Gaussian of scikit-learn.
STAND_IN = """
from sklearn.mixture import GaussianMixture

class GMM(GaussianMixture):
    def decision_function(self, X):
        if len(X) == 40:
            raise ValueError("forty rows")
        return -self.score_samples(X)
"""


def make_set(folder: Path, name: str, n_rows: int = 120, n_anomalies: int = 12) -> AnomalySet:
    """Write a set with some anomalies of large variance to a folder; return it."""
    rng = np.random.default_rng(0)
    is_anomaly = np.arange(n_rows) < n_anomalies
    rows = 5.0 + rng.normal(size=(n_rows, 3)) * np.where(is_anomaly, 2.5, 1.0)[:, None]
    savemat(folder / f"{name}.mat", {"X": rows, "y": is_anomaly.astype(float)[:, None]})
    return AnomalySet(name, rows, is_anomaly)


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """A folder with two sets, and a stand-in for PyOD that the workers import."""
    package = tmp_path / "packages" / "pyod" / "models"
    package.mkdir(parents=True)
    (package / "gmm.py").write_text(STAND_IN, encoding="utf-8")
    paths = [str(tmp_path / "packages"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path))
    make_set(tmp_path, "glass")
    make_set(tmp_path, "cardio", n_rows=100, n_anomalies=20)
    return tmp_path


def expected_measures(anomaly_set: AnomalySet, seed: int, is_clean: bool) -> dict:
    """Run the protocol without the benchmark's code."""
    parts = train_test_split(
        anomaly_set.rows, anomaly_set.is_anomaly, test_size=0.4, random_state=np.random.RandomState(seed)
    )
    train, test, is_train_anomaly, is_test_anomaly = parts
    train = train[~is_train_anomaly] if is_clean else train
    scaler = StandardScaler().fit(train)
    scores = -GaussianMixture(random_state=seed).fit(scaler.transform(train)).score_samples(scaler.transform(test))
    return {
        "auc": roc_auc_score(is_test_anomaly, scores),
        "average_precision": average_precision_score(is_test_anomaly, scores),
    }


@pytest.mark.parametrize("is_clean", [False, True])
def test_runs_follow_the_protocol_and_failures_are_named(data_folder, capsys, is_clean):
    """The stand-in fails on the 40 test rows of cardio; PyOD's KNN represents a detector that is not installed."""
    path = data_folder / "record.json"
    options = ["--sets", "glass,cardio", "--peers", "pyod-gmm,pyod-knn", "--seeds", "2", "--data", str(data_folder)]
    main(["anomaly", *options, "--output", str(path), *(["--clean"] if is_clean else [])])
    runs = json.loads(path.read_text(encoding="utf-8"))["results"]
    assert [(run["set"], run["method"], run["seed"]) for run in runs] == [
        (name, method, seed) for name in ("cardio", "glass") for seed in (0, 1) for method in ("pyod-gmm", "pyod-knn")
    ]
    anomaly_set = load_anomaly_sets(data_folder, ["glass"])[0]
    for run in runs:
        assert run["training"] == ("clean" if is_clean else "contaminated")
        if run["method"] == "pyod-knn":
            assert run["failure"].startswith("not installed")
        elif run["set"] == "cardio":
            assert run["failure"] == "failed: ValueError: forty rows"
        else:
            expected = expected_measures(anomaly_set, run["seed"], is_clean)
            assert {key: run[key] for key in expected} == pytest.approx(expected, rel=1e-12)
            assert run["fit_seconds"] > 0
    page = capsys.readouterr().out
    assert "pyod-gmm: failed: ValueError: forty rows (cardio)" in page
    assert "| cardio (100 x 3, 20.0 %) | - | - |" in page


def test_each_option_is_checked(tmp_path):
    make_set(tmp_path, "glass")
    with pytest.raises(SystemExit, match=r"--data: .* has no cardio.mat; download"):
        main(["anomaly", "--sets", "glass,cardio", "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match="--sets: iris unknown; allowed are arrhythmia, cardio"):
        main(["anomaly", "--sets", "iris", "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match="--peers: mclust unknown; allowed are gaussmix, pyod-gmm"):
        main(["anomaly", "--peers", "mclust"])
    with pytest.raises(SystemExit, match="--python needs PEER=PATH with a peer of gaussmix, pyod-gmm"):
        main(["anomaly", "--python", "mclust=Rscript"])


def test_clean_training_changes_the_training_rows_only(tmp_path):
    anomaly_set = make_set(tmp_path, "glass")
    contaminated, clean = (split_rows(anomaly_set, 3, training) for training in ("contaminated", "clean"))
    n_test_anomalies = int(clean.is_anomaly.sum())
    assert (len(contaminated.train), len(clean.train)) == (72, 72 - 12 + n_test_anomalies)
    assert np.array_equal(contaminated.is_anomaly, clean.is_anomaly)
    for split in (contaminated, clean):
        assert np.allclose(split.train.mean(axis=0), 0.0)
        assert np.allclose(split.train.std(axis=0), 1.0)
    original = [np.argsort(split.test[:, 0]) for split in (contaminated, clean)]
    assert np.array_equal(*original)


def test_scores_point_one_way_whatever_the_library_calls_them():
    """A score of normality is negated; the seed and the training mode reach detectors that have them."""
    rows = np.random.default_rng(0).normal(size=(300, 2))
    test = np.array([[0.0, 0.0], [6.0, 6.0]])
    distances = DetectorSpec("sklearn.covariance", "EmpiricalCovariance", (), False, "mahalanobis")
    for spec in (SINGLE_GAUSSIAN, distances):
        scores, _ = fit_and_score(spec, rows, test, "contaminated", 0)
        assert scores[1] > scores[0]
    forests = DetectorSpec("sklearn.ensemble", "IsolationForest", (), True, "score_samples", True)
    first, again, other = (fit_and_score(forests, rows, test, "clean", seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    with pytest.raises(TypeError, match="training"):
        DetectorSpec("sklearn.mixture", "GaussianMixture", (), True, has_training_mode=True).create("clean", 0)


def test_scores_that_are_not_finite_are_a_failure():
    rows = np.random.default_rng(0).normal(size=(30, 2))
    spec = DetectorSpec("sklearn.preprocessing", "PowerTransformer", (), False, "transform")
    with pytest.raises(ValueError, match="scores are not finite"):
        fit_and_score(spec, rows, np.full((2, 2), np.nan), "contaminated", 0)


def test_measures_need_rows_of_both_classes():
    assert measure_scores(np.zeros(3, dtype=bool), np.arange(3.0)) == {"failure": "the test rows are of one class"}
    assert measure_scores(np.array([True, False]), np.array([2.0, 1.0])) == {"auc": 1.0, "average_precision": 1.0}


def make_run(method: str, set_name: str, seed: int, auc: float, training: str = "contaminated") -> dict:
    """Return a run as a record holds it."""
    facts = {"set": set_name, "shape": [100, 3], "n_anomalies": 5, "training": training, "method": method, "seed": seed}
    return {**facts, "auc": auc, "average_precision": auc / 2, "fit_seconds": 0.5, "score_seconds": 0.25}


def test_tables_have_means_over_seeds_and_over_complete_groups():
    runs = [make_run("gaussmix", name, seed, 0.5 + 0.2 * seed) for name in SET_NAMES for seed in (0, 1)]
    runs += [make_run("pyod-knn", name, 0, 0.7) for name in CONFIRMING_HALF]
    table = format_results(runs).split("\n\n")[1].splitlines()
    assert table[0] == "| set | gaussmix | pyod-knn |"
    assert table[-3:] == [
        "| mean of the choosing half | 0.6000 | - |",
        "| mean of the confirming half | 0.6000 | 0.7000 |",
        "| mean of all 17 | 0.6000 | - |",
    ]
    assert len(CHOOSING_HALF) + len(CONFIRMING_HALF) == len(set(SET_NAMES)) == 17
    assert "| glass (100 x 3, 5.0 %) | 0.5 + 0.25 | - |" in format_results(runs)


def test_merged_records_keep_the_last_of_equal_runs_and_both_training_modes():
    first = [make_run("gaussmix", "glass", 0, 0.5), make_run("pyod-knn", "glass", 0, 0.6)]
    second = [make_run("gaussmix", "glass", 0, 0.9), make_run("gaussmix", "glass", 0, 0.8, "clean")]
    merged = merge_results([first, second])
    assert [run["auc"] for run in merged] == [0.9, 0.6, 0.8]
    page = format_results(merged)
    assert "| glass (100 x 3, 5.0 %) | 0.9000 | 0.6000 |" in page
    assert page.index("### Contaminated training rows: area") < page.index("### Clean training rows: area")


def write_record(path: Path, runs: list[dict], peers: str, is_clean: bool = False) -> str:
    """Write a record of the command anomaly; return its path."""
    machine = {"processor": "P", "cores": 2, "memory_gb": 4.0, "instructions": [], "system": "S", "threads": {}}
    versions = {"python": "3.11", "packages": {"pyod": "2.0", "gaussmix": "0.1"}}
    arguments = {"seeds": 1, "peers": peers, "python": [], "clean": is_clean}
    header = {"command": "anomaly", "arguments": arguments, "date": "2026-01-01", "commit": "abc", "machine": machine}
    path.write_text(json.dumps({**header, "interpreters": {"python": versions}, "results": runs}), encoding="utf-8")
    return str(path)


def test_own_and_recorded_runs_share_one_section_and_other_sections_stay(tmp_path, capsys):
    files = [
        write_record(tmp_path / "peers.json", [make_run("pyod-knn", "glass", 0, 0.6)], "pyod-knn"),
        write_record(tmp_path / "own.json", [make_run("gaussmix", "glass", 0, 0.9, "clean")], "gaussmix", True),
    ]
    main(["report", *files])
    report = capsys.readouterr().out
    assert report.count("## Anomaly detection\n") == 1
    assert "`python -m benchmarks anomaly`, 2026-01-01, 1 seeds." in report
    assert "`python -m benchmarks anomaly --clean`, 2026-01-01, 1 seeds." in report
    page = tmp_path / "page.md"
    old = "# Results\n\nWords.\n\n## Roofline\n\nOld table.\n\n## Anomaly detection\n\nOld runs.\n\n## Versions\n\n"
    old += "| library | packages | Python |\n| :-- | --: | --: |\n| mlpack | mlpack 4.8.0 | 3.10 |\n"
    old += "\n## Notes\n\nOld note.\n"
    page.write_text(old, encoding="utf-8")
    main(["report", *files, "--update", str(page)])
    new = page.read_text(encoding="utf-8")
    assert new.startswith("# Results\n\nWords.\n\n## Roofline\n\nOld table.\n\n## Anomaly detection\n\nThe protocol")
    assert new.endswith("\n\n## Notes\n\nOld note.\n")
    assert "Old runs." not in new
    assert "| mlpack | mlpack 4.8.0 | 3.10 |\n| pyod-knn | pyod 2.0, " in new
    assert update_page(new, files) + "\n" == new


@pytest.mark.skipif(not (ODDS_FOLDER / "glass.mat").is_file(), reason="the ODDS sets are not there")
def test_the_protocol_gives_the_published_numbers():
    """PyOD's table of benchmarks has .6844 for its GMM, a single Gaussian, on glass, and .9372 on ionosphere."""
    sets = load_anomaly_sets(ODDS_FOLDER, ["glass", "ionosphere"])
    for anomaly_set, published in zip(sets, (0.6844, 0.9372), strict=True):
        areas = []
        for seed in range(10):
            split = split_rows(anomaly_set, seed, "contaminated")
            scores, _ = fit_and_score(SINGLE_GAUSSIAN, split.train, split.test, "contaminated", seed)
            areas.append(measure_scores(split.is_anomaly, scores)["auc"])
        assert np.mean(areas) == pytest.approx(published, abs=6e-5)


def test_the_detector_of_gaussmix_takes_the_options_of_the_table():
    anomaly = pytest.importorskip("gaussmix.anomaly")
    if not hasattr(anomaly, "AnomalyDetector"):
        pytest.skip("gaussmix has no AnomalyDetector")
    for training in ("contaminated", "clean"):
        options = DETECTORS["gaussmix"].create(training, 3).get_params()
        assert (options["training"], options["random_state"]) == (training, 3)
