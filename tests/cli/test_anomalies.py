"""The command ``anomalies``: its table, its files and its errors."""

import csv
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gaussmix.anomaly import AnomalyDetector
from gaussmix.cli.app import app

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(autouse=True)
def _folder_of_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("customers.csv", "customers_checked.csv"):
        shutil.copy(EXAMPLES / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str):
    return CliRunner().invoke(app, ["anomalies", *arguments])


def read_table(path: str) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_judged_by_clean_rows_and_files_join_the_input():
    result = run("customers.csv", "--train", "customers_checked.csv")
    assert result.exit_code == 0, result.output
    assert "C0167" in result.output
    assert "call_minutes (867)" in result.output
    rows, originals = read_table("customers-anomalies/anomalies.csv"), read_table("customers.csv")
    assert len(rows) == len(originals) == 500
    assert [row["customer"] for row in rows] == [row["customer"] for row in originals]
    for name in ("anomalies.parquet", "report.html", "detector.safetensors"):
        assert Path("customers-anomalies", name).stat().st_size > 0
    assert AnomalyDetector.load("customers-anomalies/detector.safetensors").n_features_in_ == 4


def test_file_alone_is_judged_by_itself_and_a_lower_rate_flags_fewer_rows():
    counts = []
    for rate in ("0.5", "0.001"):
        result = run("customers.csv", "--fdr", rate, "--output", f"out{rate}")
        assert result.exit_code == 0, result.output
        counts.append(sum(row["is_anomaly"].lower() == "true" for row in read_table(f"out{rate}/anomalies.csv")))
    assert counts[0] > counts[1]


def test_saved_detector_judges_another_file():
    assert run("customers_checked.csv", "--output", "first").exit_code == 0
    result = run("customers.csv", "--model", "first/detector.safetensors", "--output", "second")
    assert result.exit_code == 0, result.output
    assert Path("second/anomalies.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["customers.csv", "--fdr", "2"], "above 0 and below 1"),
        (["customers.csv", "--fdr", "0"], "above 0 and below 1"),
        (["customers.csv", "--fdr", "0.1", "--fpr", "0.1"], "fpr"),
        (["customers.csv", "--contamination", "0.7"], "0.5"),
        (["missing.csv"], "missing.csv"),
        (["customers.csv", "--train", "other.csv"], "other.csv"),
        (["gaps.csv"], "x"),
        (["equal.csv"], "equal"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], words: str):
    Path("gaps.csv").write_text("x,y\n1,2\n,3\n4,5\n", encoding="utf-8")
    Path("equal.csv").write_text("x,y\n" + "1,2\n" * 30, encoding="utf-8")
    result = run(*arguments)
    assert result.exit_code != 0
    assert words in result.output
    assert "Traceback" not in result.output
