"""``gaussmix fit``: output, files, options and errors."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import Result

from gaussmix import Mixture, select
from gaussmix.errors import TransformError
from tests.cli.conftest import SMALL, Run, Write, read_error

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
Pages = list[dict[str, Any]]


@pytest.fixture
def data(write: Write, two_groups: dict[str, list[float]]) -> Path:
    return write("data.csv", two_groups)


def _printed_fields(result: Result) -> dict[str, str]:
    """The fields of a summary by name, lines joined."""
    assert result.exit_code == 0, result.output
    said: dict[str, str] = {}
    name = ""
    for line in result.stdout.split("\n\n")[0].splitlines():
        if not line.startswith(" "):
            name, _, line = line.partition(" ")
        said[name] = f"{said.get(name, '')} {line.strip()}".strip()
    return said


def test_the_summary_compares_the_best_candidate_with_the_runner_up(run: Run, data: Path, pages: Pages) -> None:
    result = run("fit", data, "--components", "1:3", "--structures", "full,tied")
    said = _printed_fields(result)
    best, rival = (c for c in select(_load_csv_rows(data), range(1, 4), ["full", "tied"], n_starts=4).candidates[:2])
    assert said["File"] == "data.csv: 60 rows, 2 columns (x, y)"
    words = "one size, shape and orientation for all"
    assert said["Chosen"].startswith(
        f"2 components of structure {best.structure.name_with_alias_or_n_factors}: {words}"
    )
    assert said["BIC"].startswith(f"{best.criteria['bic']:.1f} (lower is better)")
    gap = rival.criteria["bic"] - best.criteria["bic"]
    assert said["Runner-up"].startswith(
        f"{rival.n_components} components of structure {rival.structure.name_with_alias_or_n_factors}"
    )
    assert f"{gap:.3f} more" in said["Runner-up"] or f"{gap:.2f} more" in said["Runner-up"]
    assert said["Compared"].startswith("6 candidates in ")
    assert result.stderr == ""


def test_the_table_shows_weights_counts_and_means(run: Run, data: Path, pages: Pages) -> None:
    lines = run("fit", data, *SMALL).stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("component"))
    table = {line.split()[0]: line.split()[1:] for line in lines[start : start + 5]}
    assert table["component"] == ["0", "1"]
    assert table["weight"] == ["66.7%", "33.3%"]
    assert table["rows"] == ["40", "20"]
    rows = _load_csv_rows(data)
    for name, column in zip(("x", "y"), rows.T, strict=True):
        np.testing.assert_allclose([float(t) for t in table[name]], [column[:40].mean(), column[40:].mean()], rtol=2e-3)
    assert all(len(line) <= 80 for line in lines)


def test_files_are_written_and_agree_with_the_library(run: Run, data: Path, pages: Pages) -> None:
    result = run("fit", data, *SMALL)
    folder = Path("data-gaussmix")
    names = ["assignments.csv", "assignments.parquet", "model.safetensors", "report.html"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert result.stdout.split("\n\n")[-1].startswith("Wrote to data-gaussmix:\n  model.safetensors")
    mixture, rows = Mixture.load(folder / "model.safetensors"), _load_csv_rows(data)
    assert mixture.feature_names == ("x", "y")
    written = pq.read_table(folder / "assignments.parquet").to_pydict()
    assert list(written) == ["data_row", "component", "probability_0", "probability_1", "uncertainty", "log_density"]
    assert written["data_row"] == list(range(1, 61))
    assert written["component"] == mixture.predict(rows).tolist()
    soft = np.column_stack([written["probability_0"], written["probability_1"]])
    np.testing.assert_array_equal(soft, mixture.predict_proba(rows))
    np.testing.assert_array_equal(written["uncertainty"], mixture.uncertainty(rows))
    np.testing.assert_array_equal(written["log_density"], mixture.logpdf(rows))


def test_the_report_gets_fit_selection_and_weights(run: Run, write: Write, pages: Pages) -> None:
    run("fit", write("d.csv", "a,w\n1,1\n2,1\n3,2\n9,2\n10,1\n11,3\n"), "--sample-weight", "w", *SMALL)
    (page,) = pages
    assert page["path"] == Path("d-gaussmix/report.html")
    assert page["source_name"] == "d.csv"
    assert page["selection"].best.fit is page["fit"]
    assert page["selection"].best.mixture is page["mixture"]
    np.testing.assert_array_equal(page["X"], [[1], [2], [3], [9], [10], [11]])
    np.testing.assert_array_equal(page["sample_weight"], [1, 1, 2, 2, 1, 3])


def test_csv_and_parquet_give_the_same(run: Run, write: Write, data: Path, pages: Pages, two_groups: Any) -> None:
    parquet = write("data.parquet", two_groups)
    first = run("fit", data, *SMALL, "--output", "one").stdout.split("\n\n")
    second = run("fit", parquet, *SMALL, "--output", "two").stdout.split("\n\n")
    assert first[1:-1] == second[1:-1]
    one, two = (pq.read_table(f"{folder}/assignments.parquet") for folder in ("one", "two"))
    assert one.equals(two)


def test_old_faithful_by_default_has_three_groups(run: Run, pages: Pages) -> None:
    result = run("fit", EXAMPLES / "faithful.csv", "--components", "2:4")
    assert _printed_fields(result)["Chosen"].startswith("3 components of structure EEE (tied)")
    assert _printed_fields(result)["Runner-up"].startswith("4 components of structure EEE (tied)")
    assert _printed_fields(result)["Runner-up"].endswith("(positive evidence)")


# -- every option counts ---------------------------------------------------------------------------


def test_columns(run: Run, data: Path, pages: Pages) -> None:
    assert _printed_fields(run("fit", data, *SMALL, "--columns", "y"))["File"] == "data.csv: 60 rows, 1 column (y)"
    assert Mixture.load("data-gaussmix/model.safetensors").feature_names == ("y",)


def test_components(run: Run, data: Path, pages: Pages) -> None:
    said = _printed_fields(run("fit", data, "--structures", "full", "--components", "4,5"))
    assert said["Compared"].startswith("2 candidates")


def test_structures(run: Run, data: Path, pages: Pages) -> None:
    said = _printed_fields(run("fit", data, "--components", "2", "--structures", "spherical"))
    assert said["Chosen"].startswith("2 components of structure VII (spherical)")
    assert "Runner-up" not in said


def test_criterion(run: Run, data: Path, pages: Pages) -> None:
    said = _printed_fields(run("fit", data, *SMALL, "--criterion", "aic"))
    assert "AIC" in said
    assert "evidence" not in said["Runner-up"]


def test_weights_equal_repeated_rows(run: Run, write: Write, two_groups: Any, pages: Pages) -> None:
    weights = [1, 2, 3] * 20
    repeated = {name: np.repeat(values, weights).tolist() for name, values in two_groups.items()}
    run("fit", write("w.csv", {**two_groups, "w": weights}), *SMALL, "--sample-weight", "w")
    run("fit", write("r.csv", repeated), *SMALL)
    weighted, plain = (Mixture.load(f"{name}-gaussmix/model.safetensors") for name in "wr")
    np.testing.assert_allclose(weighted.weights, plain.weights, rtol=1e-9)
    np.testing.assert_allclose(weighted.means, plain.means, rtol=1e-9)


@pytest.mark.parametrize(("option", "values"), [("--seed", ("0", "1")), ("--n-starts", ("1", "9"))])
def test_seed_and_starts_reach_the_search(
    option: str, values: tuple[str, str], run: Run, data: Path, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, object]] = []

    def spy(*args: Any, **options: Any) -> Any:
        asked.append((options["random_state"], options["n_starts"]))
        return select(*args, **options)

    monkeypatch.setattr("gaussmix.selection.select", spy)
    for value in values:
        run("fit", data, *SMALL[:4], option, value)
    assert [str(pair[option == "--n-starts"]) for pair in asked] == list(values)


@pytest.mark.parametrize("engine", ["numpy", "COMPILED"])
def test_engine(engine: str, run: Run, data: Path, pages: Pages) -> None:
    expected = run("fit", data, *SMALL).stdout.split("\n\n")[1:]
    assert run("fit", data, *SMALL, "--engine", engine).stdout.split("\n\n")[1:] == expected


def test_output_folders_are_created_with_parents(run: Run, data: Path, pages: Pages) -> None:
    assert run("fit", data, *SMALL, "--output", "new/deep").exit_code == 0
    assert Path("new/deep/model.safetensors").is_file()
    assert not Path("data-gaussmix").exists()


# -- notes -----------------------------------------------------------------------------------------


def test_notes_go_to_stderr(run: Run, write: Write, pages: Pages) -> None:
    path = write("d.csv", "a,name,c\n1,x,7\n2,y,7\n4,z,7\n9,z,7\n")
    result = run("fit", path, "--structures", "full")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[:3] == [
        "Note: left out: name (text).",
        "Note: column 'c' is 7 in every row; left out.",
        "Note: the file has 4 rows, so at most 4 components are tried.",
    ]
    assert "Note" not in result.stdout


def test_more_columns_than_rows_give_a_warning(run: Run, write: Write, pages: Pages) -> None:
    rng = np.random.default_rng(0)
    path = write("d.csv", {f"c{j}": rng.normal(size=4).tolist() for j in range(9)})
    result = run("fit", path, "--components", "1:2", "--structures", "full")
    assert result.exit_code == 0
    assert "Note: every candidate is degenerate" in result.stderr
    assignments = pq.read_table("d-gaussmix/assignments.parquet").to_pandas()
    assert np.isfinite(assignments.to_numpy()).all()


@pytest.mark.parametrize("values", [[True, False] * 10, list(range(20)), [1e150 * i for i in range(20)], [7, 8] * 10])
def test_booleans_integers_extremes_and_repeated_rows_are_fitted(
    values: list[Any], run: Run, write: Write, pages: Pages
) -> None:
    result = run("fit", write("d.parquet", {"a": values}), *SMALL)
    assert result.exit_code == 0, result.output
    assert not {"nan", "inf"} & set(result.stdout.split())
    assignments = pq.read_table("d-gaussmix/assignments.parquet").to_pandas()
    assert np.isfinite(assignments.to_numpy()).all()


# -- refusals --------------------------------------------------------------------------------------


def test_one_sentence_for_a_bad_file(run: Run, write: Write) -> None:
    assert "there is no file nothing.csv" in read_error(run("fit", "nothing.csv"))
    assert "data row 2" in read_error(run("fit", write("d.csv", "a,b\n1,2\n3,inf\n")))
    assert "did you mean 'beta'?" in read_error(run("fit", write("d.csv", "beta\n1\n2\n"), "--columns", "betta"))
    assert not list(Path().glob("*-gaussmix"))


@pytest.mark.parametrize("command", ["fit", "select"])
@pytest.mark.parametrize("option", ["log1p", "b=log1p"])
@pytest.mark.parametrize("value", [-1.0, -5.0])
def test_a_value_that_a_transform_refuses_is_named_by_its_data_row(
    command: str, option: str, value: float, run: Run, write: Write
) -> None:
    rng = np.random.default_rng(0)
    columns = {"a": rng.lognormal(size=60).tolist(), "b": rng.lognormal(size=60).tolist()}
    columns["b"][3] = value
    said = read_error(run(command, write("d.csv", columns), *SMALL, "--transform", option))
    with pytest.raises(TransformError) as caught:
        select(np.column_stack(list(columns.values())), 1, "VVV", transform={"b": "log1p"}, feature_names=["a", "b"])
    problem = f"column 'b' is {value:g}, but log1p needs values above -1"
    assert said == f"Error: data row 4, {problem}: shift the column, or use 'yeo-johnson'"
    assert str(caught.value).startswith(f"row 3, {problem}; rows and columns count from 0: ")


def test_fewer_rows_than_components_asked_for(run: Run, write: Write) -> None:
    said = read_error(run("fit", write("d.csv", "a\n1\n2\n5\n"), "--components", "1:4"))
    assert said.endswith("d.csv has 3 rows, too few for 4 components; choose fewer with --components")


def test_an_unwritable_output_is_refused_before_the_search(run: Run, data: Path) -> None:
    assert "is a file, not a folder; choose another path with --output" in read_error(
        run("fit", data, "--output", "data.csv")
    )
    assert "is a file, not a folder" in read_error(run("fit", data, "--output", "data.csv/below"))


@pytest.mark.skipif(sys.platform == "win32", reason="folders have other rights there")
def test_a_folder_without_write_permission(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)  # whoever may do everything is refused nothing
    assert "there is no permission to write in" in read_error(run("fit", data, "--output", "locked"))


@pytest.mark.parametrize(
    "options",
    [
        ("--components", "0"),
        ("--components", "3:1"),
        ("--structures", "VVX"),
        ("--criterion", "best"),
        ("--columns", "x,x"),
        ("--columns", "x", "--sample-weight", "x"),
        ("--seed", "-1"),
        ("--seed", "one"),
        ("--n-starts", "0"),
        ("--engine", "cuda"),
        ("--colums", "x"),
    ],
)
def test_wrong_usage_has_exit_code_2(options: tuple[str, ...], run: Run, data: Path) -> None:
    result = run("fit", data, *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Usage: gaussmix fit")
    assert options[-2] in result.stderr or "No such option" in result.stderr


def _load_csv_rows(path: Path) -> Any:
    return np.loadtxt(path, delimiter=",", skiprows=1)


def test_noise_has_a_column_of_its_own(run: Run, write: Write, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) + 8.0, rng.uniform(-9.0, 17.0, size=(30, 2))])
    data = write("noisy.csv", {"x": rows[:, 0].tolist(), "y": rows[:, 1].tolist()})
    result = run("fit", data, "--noise", "--components", "2", "--structures", "full", "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    header, share, sizes, *_ = (line.split() for line in result.stdout.split("\n\n")[1].splitlines())
    assert header == ["component", "0", "1", "noise"]
    assert sum(float(part.rstrip("%")) for part in share[1:]) == pytest.approx(100.0, abs=0.2)
    assert sum(map(int, sizes[1:])) == 150
    assigned = pq.read_table(tmp_path / "out" / "assignments.parquet")
    assert set(assigned["component"].to_pylist()) == {-1, 0, 1}
    assert "probability_noise" in assigned.column_names
