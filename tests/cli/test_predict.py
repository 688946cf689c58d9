"""``gaussmix predict``: probabilities of new rows; columns by name."""

from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from gaussmix import GaussianMixture, Mixture
from tests.cli.conftest import SMALL, Run, Write, read_error

ROWS = [[0.0, 10.0], [8.0, 30.0], [4.0, 20.0]]
TEXT = "y,other,x\n10,a,0\n30,b,8\n20,c,4\n"


def test_columns_are_matched_by_name_whatever_their_order(
    run: Run, write: Write, model: Path, mixture: Mixture
) -> None:
    result = run("predict", model, write("new.csv", TEXT), "--output", "out.parquet")
    assert (result.stdout, result.stderr) == ("Wrote 3 rows to out.parquet\n", "")
    written = pq.read_table("out.parquet").to_pydict()
    numbers = ["probability_0", "probability_1", "uncertainty", "log_density"]
    assert list(written) == ["other", "data_row", "component", *numbers]
    assert (written["other"], written["data_row"]) == (["a", "b", "c"], [1, 2, 3])
    assert written["component"] == mixture.predict(ROWS).tolist()
    np.testing.assert_array_equal(written["probability_1"], mixture.predict_proba(ROWS)[:, 1])
    np.testing.assert_array_equal(written["uncertainty"], mixture.uncertainty(ROWS))
    np.testing.assert_array_equal(written["log_density"], mixture.logpdf(ROWS))


def test_csv_holds_every_digit(run: Run, write: Write, model: Path) -> None:
    path = write("new.csv", TEXT)
    run("predict", model, path, "--output", "out.parquet")
    run("predict", model, path, "--output", "out.csv")
    assert pacsv.read_csv("out.csv").equals(pq.read_table("out.parquet"))
    assert Path("out.csv").read_text().startswith("other,data_row,component,probability_0,")


def test_the_first_rows_are_printed_without_output(run: Run, write: Write, model: Path) -> None:
    result = run("predict", model, write("new.csv", "x,y\n" + "0,10\n8,30\n" * 8))
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["data", "row", "component", "p(0)", "p(1)", "uncertainty", "log", "density"]
    assert lines[1].split()[:5] == ["1", "0", "1.0000", "0.0000", "0.0000"]
    assert lines[2].split()[:2] == ["2", "1"]
    assert len(lines) == 13
    assert lines[-1] == "6 more rows; --output FILE.csv or FILE.parquet writes them all"
    assert all(len(line) <= 80 for line in lines)
    assert "more row" not in run("predict", model, write("new.csv", TEXT)).stdout


def test_a_model_without_names_takes_columns_in_order(run: Run, write: Write) -> None:
    Mixture.from_parameters([1.0], [[0.0, 0.0]], [np.eye(2)]).save("plain.safetensors")
    result = run("predict", "plain.safetensors", write("new.csv", "p,name,q\n1,a,2\n"))
    assert result.exit_code == 0
    assert result.stderr == "Note: the model has no column names; its columns are, in this order: p, q.\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,z\n1,2\n", "no column named 'y'; the columns are x, z"),
        ("x,Y\n1,2\n", "no column named 'y' (did you mean 'Y'?); the columns are x, Y"),
        ("a,b\n1,2\n", "no columns named 'x' and 'y'; the columns are a, b"),
        ("x,y\n1,2\n3,4\ninf,5\n", "column 'x' is infinite in data row 3"),
        ("x,y\n1,2\n3,high\n", "column 'y' is read as text because data row 2 holds 'high'"),
        ("x,y\n", "has column names but 0 rows"),
        ("x,y\n1,1e300\n", "Error: data row 1 lies so far from the fitted data"),
    ],
)
def test_rows_that_cannot_be_used(text: str, message: str, run: Run, write: Write, model: Path) -> None:
    assert message in read_error(run("predict", model, write("new.csv", text)))


def test_a_value_that_the_transform_of_a_model_refuses(run: Run, write: Write) -> None:
    rows = np.random.default_rng(0).lognormal(size=(60, 2))
    GaussianMixture(1, column_transform="log1p").fit(rows).save("log.safetensors")
    said = read_error(run("predict", "log.safetensors", write("new.csv", "x,y\n1,2\n3,-5\n")))
    assert "data row 2, column 1 is -5, but log1p needs values above -1: shift the column" in said


def test_files_that_are_not_models(run: Run, write: Write, model: Path) -> None:
    data = write("new.csv", TEXT)
    assert "there is no file nothing" in read_error(run("predict", "nothing", data))
    assert "new.csv is not a usable gaussmix model" in read_error(run("predict", data, model))
    for share in (0.3, 0.9):
        whole = model.read_bytes()
        cut = write("cut.safetensors", whole[: int(share * len(whole))])
        assert "cut.safetensors is not a usable gaussmix model" in read_error(run("predict", cut, data))


def test_a_model_of_a_newer_schema(run: Run, write: Write, model: Path) -> None:
    newer = model.read_bytes().replace(b'"schema":"1"', b'"schema":"4"')
    said = read_error(run("predict", write("newer.safetensors", newer), write("new.csv", TEXT)))
    assert "its schema is '4', known are 1, 2, 3; update gaussmix" in said


def test_an_output_of_unknown_kind_or_place(run: Run, write: Write, model: Path) -> None:
    data = write("new.csv", TEXT)
    result = run("predict", model, data, "--output", "out.xlsx")
    assert result.exit_code == 2
    assert "'out.xlsx' must end in .csv or .parquet" in result.stderr
    said = read_error(run("predict", model, data, "--output", "nowhere/out.csv"))
    assert said == "Error: cannot write nowhere/out.csv: there is no folder nowhere; choose another path with --output"
    Path("folder.csv").mkdir()
    assert "cannot write folder.csv" in read_error(run("predict", model, data, "--output", "folder.csv"))


def test_rows_that_break_a_relation_are_noted(run: Run, write: Write, two_groups: dict[str, list[float]]) -> None:
    total = [x + y for x, y in zip(two_groups["x"], two_groups["y"], strict=True)]
    data = write("data.csv", {**two_groups, "total": total})
    assert "total = x + y: the mixture is fitted without" in " ".join(run("fit", data, *SMALL).stderr.split())
    model = Path("data-gaussmix/model.safetensors")
    assert "total = x + y" in run("info", model).stdout
    assert "break" not in run("predict", model, data).stderr
    new = write("new.csv", {**two_groups, "total": [total[0] + 1.0, *total[1:]]})
    result = run("predict", model, new)
    assert result.exit_code == 0, result.output
    assert "1 of 60 rows (the first is data row 1) breaks the relation" in " ".join(result.stderr.split())
