"""Assignments join the table they belong to: identifiers, row numbers, dropped rows and all columns."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from gaussmix import Mixture
from gaussmix.cli.assignment_tables import list_assignment_suffixes
from tests.cli.conftest import SMALL, Run, Write, read_error

Pages = list[dict[str, Any]]
DROPPED = [3, 40]


@pytest.fixture
def data(write: Write, two_groups: dict[str, list[float]]) -> Path:
    """Two groups with an identifier, a text, and two missing cells."""
    y: list[object] = [*two_groups["y"]]
    for row in DROPPED:
        y[row] = ""
    kinds = ["p", "q"] * 30
    return write("d.csv", {"x": two_groups["x"], "user_id": range(7, 67), "component": kinds, "y": y})


def test_dropped_rows_keep_their_place_in_both_tables(run: Run, data: Path, pages: Pages) -> None:
    assert run("fit", data, *SMALL, "--drop-missing").exit_code == 0
    csv, parquet = pacsv.read_csv("d-gaussmix/assignments.csv"), pq.read_table("d-gaussmix/assignments.parquet")
    assert csv.equals(parquet)
    written = csv.to_pydict()
    assert list(written)[:4] == ["user_id", "data_row", "component", "probability_0"]
    assert (written["user_id"], written["data_row"]) == (list(range(7, 67)), list(range(1, 61)))
    for name in ("component", "probability_1", "uncertainty", "log_density"):
        assert [row for row, value in enumerate(written[name]) if value is None] == DROPPED
    used = pacsv.read_csv(data).take([row for row in range(60) if row not in DROPPED])
    rows = np.column_stack([used["x"].to_numpy(), used["y"].to_numpy()])
    mixture = Mixture.load("d-gaussmix/model.safetensors")
    assert [value for value in written["component"] if value is not None] == mixture.predict(rows).tolist()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_all_columns_stand_before_the_assignments(suffix: str, run: Run, data: Path, pages: Pages) -> None:
    run("fit", data, *SMALL, "--drop-missing", "--with-data", "--format", suffix)
    run("predict", "d-gaussmix", data, "--drop-missing", "--with-data", "--output", f"again.{suffix}")
    read: Any = pacsv.read_csv if suffix == "csv" else pq.read_table
    fitted, predicted = read(f"d-gaussmix/assignments.{suffix}"), read(f"again.{suffix}")
    assert fitted.equals(predicted)
    assert fitted.column_names[:6] == ["x", "user_id", "component (input)", "y", "data_row", "component"]
    given = pacsv.read_csv(data)
    for name in ("x", "user_id", "y"):
        assert fitted[name].equals(given[name])


@pytest.mark.parametrize("name", ["csv", "Parquet", "both", None])
def test_the_format_says_which_tables_are_written(name: str | None, run: Run, data: Path, pages: Pages) -> None:
    option = () if name is None else ("--format", name)
    result = run("fit", data, "--columns", "x", *SMALL, *option)
    expected = {"csv": [".csv"], "Parquet": [".parquet"]}.get(name or "", [".csv", ".parquet"])
    assert sorted(path.suffix for path in Path("d-gaussmix").glob("assignments.*")) == expected
    listed = [line.split()[0] for line in result.stdout.split("Wrote to")[1].splitlines()[1:]]
    assert listed == ["model.safetensors", *(f"assignments{suffix}" for suffix in expected), "report.html"]


def test_a_large_table_is_written_as_parquet_only() -> None:
    assert list_assignment_suffixes(None, 999_999) == (".csv", ".parquet")
    assert list_assignment_suffixes(None, 1_000_000) == (".parquet",)
    assert list_assignment_suffixes("both", 1_000_000) == (".csv", ".parquet")


def test_a_table_that_an_earlier_run_has_left_is_named(run: Run, data: Path, pages: Pages) -> None:
    run("fit", data, "--columns", "x", *SMALL)
    result = run("fit", data, "--columns", "x", *SMALL, "--format", "parquet")
    assert "assignments.csv is from an earlier run; --format both writes it again." in result.stderr


def test_unknown_formats_and_options_without_effect_are_refused(run: Run, data: Path, model: Path) -> None:
    unknown = run("fit", data, "--format", "xls")
    assert unknown.exit_code == 2
    assert "'xls' is none of csv, parquet, both" in unknown.stderr
    idle = run("predict", model, data, "--with-data")
    assert idle.exit_code == 2
    assert "it says what to write; add --output FILE" in idle.stderr


def test_printed_rows_have_their_number_and_identifier(run: Run, data: Path, model: Path) -> None:
    lines = run("predict", model, data, "--drop-missing").stdout.splitlines()
    assert lines[0].split()[:3] == ["data", "row", "user_id"]
    assert [line.split()[:2] for line in lines[1:6]] == [["1", "7"], ["2", "8"], ["3", "9"], ["5", "11"], ["6", "12"]]
    kept = run("predict", model, data)
    assert kept.stdout.splitlines()[4].split()[:2] == ["4", "10"]
    assert "2 of 60 rows lack cells; their other cells count" in kept.stderr


def test_errors_name_the_row_of_the_file_after_dropped_rows(run: Run, write: Write, model: Path) -> None:
    path = write("new.csv", "x,y\n,1\n1,2\n,3\n1,1e300\n")
    assert "Error: data row 4 lies so far" in read_error(run("predict", model, path, "--drop-missing"))
    spread = write("log.csv", "x,y\n,1\n" + "".join(f"{j},{j * j}\n" for j in range(1, 40)) + "-5,2\n")
    said = read_error(run("fit", spread, *SMALL, "--transform", "log1p", "--drop-missing"))
    assert "data row 41, column 'x' is -5" in said


def test_rows_are_counted_one_way_on_screen_and_by_compare(run: Run, data: Path, pages: Pages) -> None:
    options = (data, "--columns", "x,y", "--drop-missing", "-k", "2", "--structures", "full")
    fitted, compared = run("fit", *options).stdout, run("compare", *options).stdout
    counts = next(line.split()[1:] for line in fitted.splitlines() if line.startswith("rows"))
    table = compared.split("Tests of each component")[1].split("\n\n")[0].splitlines()
    assert table[1].split()[:3] == ["component", "rows", "tested"]
    assert [line.split()[1] for line in table[2:]] == counts


def test_rows_count_by_their_weight(run: Run, write: Write, two_groups: dict[str, list[float]], pages: Pages) -> None:
    path = write("w.csv", {**two_groups, "w": [2] * 40 + [3] * 20})
    lines = run("fit", path, "--sample-weight", "w", "-k", "2", "--structures", "full").stdout.splitlines()
    assert next(line.split() for line in lines if line.startswith("rows")) == ["rows", "80", "60"]


def test_reports_have_the_numbers_and_identifiers_of_the_file(run: Run, data: Path, pages: Pages) -> None:
    assert run("fit", data, *SMALL, "--drop-missing").exit_code == 0
    assert run("report", "d-gaussmix", data, "--drop-missing").exit_code == 0
    used = [row for row in range(60) if row not in DROPPED]
    for page in pages:
        assert page["row_numbers"].tolist() == [row + 1 for row in used]
        assert {name: values.tolist() for name, values in page["identifiers"].items()} == {
            "user_id": [row + 7 for row in used]
        }
