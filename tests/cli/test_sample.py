"""``gaussmix sample``: rows on stdout or in a file."""

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy import stats

from gaussmix import Mixture
from tests.cli.conftest import Run, read_error


def test_csv_on_stdout_with_the_columns_of_the_fit(run: Run, model: Path) -> None:
    result = run("sample", model, "-n", 3)
    header, *rows = csv.reader(io.StringIO(result.stdout))
    assert header == ["x", "y"]
    assert np.array(rows, dtype=float).shape == (3, 2)
    assert result.stderr == ""


def test_one_seed_gives_one_answer_and_another_another(run: Run, model: Path) -> None:
    first, again, other = (run("sample", model, "-n", 5, "--seed", seed).stdout for seed in (0, 0, 1))
    assert first == again != other
    assert run("sample", model, "-n", 5).stdout == first


def test_a_file_has_the_content_of_stdout(run: Run, model: Path) -> None:
    result = run("sample", model, "-n", 4, "--output", "drawn.csv")
    assert result.stdout == "Wrote 4 rows to drawn.csv\n"
    assert Path("drawn.csv").read_text() == run("sample", model, "-n", 4).stdout
    run("sample", model, "-n", 4, "--output", "drawn.parquet")
    assert pq.read_table("drawn.parquet").column_names == ["x", "y"]


def test_labels_are_the_components_in_random_order(run: Run, model: Path, mixture: Mixture) -> None:
    run("sample", model, "-n", 2000, "--add-component", "--output", "drawn.parquet")
    drawn = pq.read_table("drawn.parquet").to_pydict()
    assert list(drawn) == ["x", "y", "component"]
    labels = np.array(drawn["component"])
    assert 0.7 < np.mean(labels == 0) < 0.8
    assert np.any(np.diff(labels) < 0), "components come mixed, so that any part of a sample is a sample"
    assert np.mean(mixture.predict(np.column_stack([drawn["x"], drawn["y"]])) == labels) > 0.99


def test_the_rows_follow_the_mixture(run: Run, model: Path, mixture: Mixture) -> None:
    run("sample", model, "-n", 2000, "--output", "drawn.parquet")
    values = np.array(pq.read_table("drawn.parquet").column("y").to_pylist())
    assert stats.kstest(mixture.marginal([1]).cdf(values), "uniform").pvalue > 1e-3


def test_the_component_column_gets_a_free_name(run: Run) -> None:
    Mixture.from_parameters([1.0], [[0.0]], [[[1.0]]], feature_names=["component"]).save("m.safetensors")
    assert run("sample", "m.safetensors", "-n", 1, "--add-component").stdout.startswith("component,component_\n")


def test_names_with_commas_are_quoted_and_nameless_columns_numbered(run: Run) -> None:
    Mixture.from_parameters([1.0], [[0.0]], [[[1.0]]], feature_names=["x, cm"]).save("m.safetensors")
    assert run("sample", "m.safetensors", "-n", 1).stdout.startswith('"x, cm"\n')
    Mixture.from_parameters([1.0], [[0.0]], [[[1.0]]]).save("m.safetensors")
    assert run("sample", "m.safetensors", "-n", 1).stdout.startswith("column 0\n")


def test_wrong_usage(run: Run, model: Path) -> None:
    assert "Missing option" in run("sample", model).stderr
    for wrong in (("-n", 0), ("-n", "many"), ("-n", 1, "--seed", -1), ("-n", 1, "--output", "drawn.txt")):
        assert run("sample", model, *wrong).exit_code == 2
    assert "there is no folder nowhere" in read_error(run("sample", model, "-n", 1, "--output", "nowhere/d.csv"))
    assert "there is no file nothing" in read_error(run("sample", "nothing", "-n", 1))
