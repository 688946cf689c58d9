"""``gaussmix compare``: output, files, options and errors."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gaussmix import compare
from tests.cli.conftest import Run, Write, read_error

plain_outputs: list[str] = []  # what the command prints without further options, once it has run
SMALL = ("--components", "2", "--structures", "full", "--solvers", "em,cem", "--n-starts", "1")


@pytest.fixture
def table(two_groups: dict[str, list[float]]) -> dict[str, list[Any]]:
    return {**two_groups, "kind": ["long"] * 40 + ["short"] * 18 + [""] * 2}


@pytest.fixture
def data(write: Write, table: dict[str, list[Any]]) -> Path:
    return write("data.csv", table)


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write empty pictures: drawing takes longer than the rest of the command."""
    monkeypatch.setattr("gaussmix.plots.picture_export.draw_png", lambda draw: b"")


def stack_x_and_y(table: dict[str, list[Any]]) -> Any:
    return np.column_stack([table["x"], table["y"]])


def test_output_agrees_with_the_library_and_two_plots_are_written(
    run: Run, data: Path, table: dict[str, list[Any]], tmp_path: Path
) -> None:
    result = run("compare", data, *SMALL)
    assert result.exit_code == 0, result.output
    found = compare(stack_x_and_y(table), None, 2, "full", ["em", "cem"], feature_names=["x", "y"])
    said = " ".join(result.stdout.split())
    em = found.solver_results[0]
    assert f"em {em.n_iter} " in said
    assert f" {em.log_likelihood:.4f} " in said
    assert f"k-means {found.assignments['k-means'].differing_weight:.0f} " in said
    assert found.summary.split(" From one start")[0] in said
    assert "Agreement of partitions" not in said
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    for name in ("solvers.png", "assignments.png"):
        assert (tmp_path / "data-comparison" / name).read_bytes().startswith(b"\x89PNG")
        assert f"  {name}" in result.stdout
    written = sorted(path.name for path in (tmp_path / "data-comparison").iterdir())
    assert written == ["assignments.png", "solvers.png"]


@pytest.mark.usefixtures("without_pictures")
def test_incomplete_text_labels(run: Run, data: Path, table: dict[str, list[Any]]) -> None:
    result = run("compare", data, *SMALL, "--labels", "kind")
    assert result.exit_code == 0, result.output
    found = compare(stack_x_and_y(table), table["kind"], 2, "full", ["em", "cem"])
    said = " ".join(result.stdout.split())
    near = found.assignments["k-nearest neighbours"]
    assert (
        f"k-nearest neighbours {near.differing_weight:.0f} {near.adjusted_rand_index:.3f} {near.accuracy:.3f}" in said
    )
    assert "Agreement of partitions (adjusted Rand index): " in said
    assert "kind" not in result.stderr  # a column that was asked for is not left out


@pytest.mark.usefixtures("without_pictures")
@pytest.mark.parametrize("kind", ["numbers", "text", "booleans", "dictionary"])
def test_labels_of_any_kind(run: Run, table: dict[str, list[Any]], tmp_path: Path, kind: str) -> None:
    labels: dict[str, Any] = {
        "numbers": pa.array([0] * 40 + [1] * 20),
        "text": pa.array(["a"] * 40 + [None] + ["b"] * 19),
        "booleans": pa.array([True] * 40 + [False] * 20),
        "dictionary": pa.array(["a"] * 40 + ["b"] * 20).dictionary_encode(),
    }
    columns = {"x": table["x"], "label": labels[kind], "y": table["y"]}
    pq.write_table(pa.table(columns), tmp_path / "data.parquet")
    result = run("compare", "data.parquet", *SMALL, "--labels", "label")
    assert result.exit_code == 0, result.output
    assert "2 columns (x, y)" in result.stdout
    assert "labels" in result.stdout


@pytest.mark.usefixtures("without_pictures")
@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (("--components", "3"), "3 components of structure VVV"),
        (("--structures", "diag"), "VVI (diag)"),
        (("--criterion", "icl"), "ICL "),
        (("--columns", "x"), "1 column (x)"),
        (("--solvers", "lbfgs"), "lbfgs"),
        (("--sample-weight", "y"), "of the weight"),
        (("--output", "elsewhere"), "Wrote to elsewhere:"),
    ],
)
def test_options_change_the_output(run: Run, data: Path, words: tuple[str, ...], seen: str) -> None:
    if not plain_outputs:
        plain_outputs.append(run("compare", data, *SMALL).stdout)
    changed = run("compare", data, *SMALL, *words)
    assert changed.exit_code == 0, changed.output
    assert seen in " ".join(changed.stdout.split())
    assert seen not in " ".join(plain_outputs[0].split())


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.usefixtures("without_pictures")
def test_starts_and_seed_are_those_of_the_library(run: Run, data: Path, table: dict[str, list[Any]]) -> None:
    words = ("--components", "4", "--structures", "full", "--solvers", "em")
    for starts, seed in ((1, 0), (5, 0), (1, 7)):
        said = run("compare", data, *words, "--n-starts", starts, "--seed", seed).stdout
        found = compare(stack_x_and_y(table), None, 4, "full", "em", n_starts=starts, random_state=seed)
        assert f" {found.solver_results[0].log_likelihood:.4f} " in said


def test_invalid_input_is_refused(
    run: Run, data: Path, write: Write, table: dict[str, list[Any]], tmp_path: Path
) -> None:
    assert "'newton' is none of em, squarem" in run("compare", data, "--solvers", "newton").output
    assert "is already used" in run("compare", data, "--labels", "x", "--columns", "x,y").output
    assert "is already used" in run("compare", data, "--labels", "x", "--sample-weight", "x").output
    assert "there is no file nothing.csv" in read_error(run("compare", "nothing.csv"))
    assert "no column named 'kinds' (did you mean 'kind'?)" in read_error(run("compare", data, "--labels", "kinds"))
    assert "labels contain one group only" in read_error(
        run("compare", write("one.csv", table | {"kind": ["a"] * 60}), *SMALL, "--labels", "kind")
    )
    assert "labels contain 60 groups for 60 rows" in read_error(run("compare", data, *SMALL, "--labels", "x"))
    assert "100" in read_error(run("compare", data, "--components", "100"))
    (tmp_path / "file").write_text("")
    assert "is a file, not a folder" in read_error(run("compare", data, "--output", "file"))
    dates = pa.table({"x": table["x"], "day": pa.array([0] * 60, pa.date32())})
    pq.write_table(dates, tmp_path / "dates.parquet")
    said = read_error(run("compare", "dates.parquet", "--labels", "day"))
    assert "column 'day' contains dates; labels must be text or numbers" in said


def test_a_failed_write_removes_partial_files(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gaussmix.plots.picture_export

    def full(draw: Any) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gaussmix.plots.picture_export, "draw_png", full)
    result = run("compare", data, *SMALL)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert list((tmp_path / "data-comparison").iterdir()) == []
