"""--no-header, --sheet, compressed names and standard input, in every command that reads a table."""

from pathlib import Path

import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pytest
import typer.main

from gaussmix import Mixture
from gaussmix.cli.app import app
from gaussmix.cli.table_format import input_name, input_stem
from tests.cli.conftest import SMALL, Run, Write, read_error

COMMANDS_WITHOUT_A_TABLE = {"sample", "info"}


@pytest.fixture
def headerless(write: Write, two_groups: dict[str, list[float]]) -> Path:
    rows = zip(*two_groups.values(), strict=True)
    return write("rows.txt", "".join(f"{x:.6f} {y:.6f}\n" for x, y in rows))


@pytest.fixture
def workbook(tmp_path: Path, two_groups: dict[str, list[float]]) -> Path:
    book = openpyxl.Workbook()
    first, second = book.active, book.create_sheet("second")
    for sheet, factor in ((first, 1.0), (second, 10.0)):
        sheet.append(list(two_groups))
        for row in zip(*two_groups.values(), strict=True):
            sheet.append([value * factor for value in row])
    book.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


@pytest.mark.parametrize("command", sorted(typer.main.get_command(app).commands))  # type: ignore[attr-defined]
def test_every_command_with_a_table_has_the_options(command: str, run: Run) -> None:
    help_text = run(command, "--help").stdout
    for option in ("--no-header", "--sheet"):
        assert (option in help_text) == (command not in COMMANDS_WITHOUT_A_TABLE)


def test_commands_name_the_columns_of_a_file_without_names(run: Run, headerless: Path, mixture: Mixture) -> None:
    assert "add --no-header" in read_error(run("select", headerless, *SMALL))
    for command in ("select", "compare"):
        done = run(command, headerless, *SMALL, "--no-header", *(("--solvers", "em") if command == "compare" else ()))
        assert done.exit_code == 0, done.output
        assert "2 columns (column 1, column 2)" in done.stdout
    named = Mixture.from_parameters(
        mixture.weights, mixture.means, mixture.covariances, "VVV", ["column 1", "column 2"]
    )
    named.save("named.safetensors")
    assert "60 rows" in run("predict", "named.safetensors", headerless, "--no-header", "--output", "o.csv").stdout
    assert run("anomalies", headerless, "--no-header").exit_code == 0


def test_fit_reads_the_sheet_that_is_named(run: Run, workbook: Path, pages: list[object]) -> None:
    done = run("fit", workbook, *SMALL)
    assert "Note: book.xlsx has 2 sheets; 'Sheet' is read, --sheet reads another: second." in done.stderr
    done = run("fit", workbook, *SMALL, "--sheet", "second", "--output", "second")
    assert "sheets" not in done.stderr
    means = [
        np.sort(Mixture.load(f"{folder}/model.safetensors").means, axis=0) for folder in ("book-gaussmix", "second")
    ]
    np.testing.assert_allclose(means[1], 10 * means[0], rtol=0.05)


def test_report_and_track_read_the_format(run: Run, workbook: Path, headerless: Path, model: Path) -> None:
    assert run("report", model, workbook, "--sheet", "2", "--output", "r.html").exit_code == 0
    assert "no spreadsheet" in read_error(run("track", headerless, "--sheet", "2"))
    assert "column 1" in run("track", headerless, "--no-header", "--time", "t").output  # the columns that there are


def test_churn_reads_the_format(run: Run, workbook: Path, headerless: Path, model: Path) -> None:
    assert "column 1" in read_error(run("churn", headerless, "--no-header", "--target", "left"))
    assert "no sheet 'third'" in read_error(run("churn", workbook, "--sheet", "third", "--target", "left"))


def test_fit_reads_standard_input_and_says_so(
    run: Run, two_groups: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch, pages: list[dict[str, object]]
) -> None:
    rows = zip(*two_groups.values(), strict=True)
    text = "x,y\n" + "".join(f"{x},{y}\n" for x, y in rows)
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, ["fit", "-", *SMALL], input=text)
    assert "standard input: 60 rows, 2 columns (x, y)" in done.stdout
    assert pq.read_table("stdin-gaussmix/assignments.parquet").num_rows == 60
    assert pages[0]["source_name"] == "standard input"
    empty = CliRunner().invoke(app, ["fit", "-"], input="")
    assert "Error: standard input is empty" in empty.stderr


@pytest.mark.parametrize(
    ("path", "name", "stem"),
    [("a/b.csv", "b.csv", "b"), ("b.csv.gz", "b.csv.gz", "b"), ("-", "standard input", "stdin")],
)
def test_names_of_inputs(path: str, name: str, stem: str) -> None:
    assert (input_name(Path(path)), input_stem(Path(path))) == (name, stem)


def test_notes_on_reading_are_printed(run: Run, write: Write, model: Path) -> None:
    path = write("f.csv", "x;y\n1,5;10%\n2,5;30%\n")
    done = run("predict", model, path)
    assert "Note: f.csv is separated by semicolons; commas in numbers are decimal commas." in done.stderr
    assert "Note: column 'y': '%' is removed, so that '10%' is 10." in done.stderr
