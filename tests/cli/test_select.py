"""``gaussmix select``: the ranking, options and errors."""

import csv
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gaussmix import select
from tests.cli.conftest import Run, Write, read_error
from tests.cli.test_fit import _load_csv_rows

SMALL = ("--components", "1:3", "--structures", "full,tied")


@pytest.fixture
def data(write: Write, two_groups: dict[str, list[float]]) -> Path:
    return write("data.csv", two_groups)


def ranking_cells(said: str) -> list[list[str]]:
    """The cells of the ranking."""
    lines = said.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("rank"))
    return [line.split() for line in lines[start:] if line and not line.startswith("...")]


def test_the_table_is_that_of_the_library(run: Run, data: Path) -> None:
    result = run("select", data, *SMALL)
    assert result.exit_code == 0, result.output
    header, *rows = ranking_cells(result.stdout)
    assert header == ["rank", "structure", "components", "BIC", "more", "parameters", "remark"]
    found = select(_load_csv_rows(data), range(1, 4), ["full", "tied"], n_starts=4)
    assert [(row[1], row[3]) for row in rows] == [(str(c.structure), str(c.n_components)) for c in found.candidates]
    assert rows[0][-1] == "selected"
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert "Compared   6 candidates in " in result.stdout
    assert result.stderr == ""


def test_top_and_criterion(run: Run, data: Path) -> None:
    said = run("select", data, *SMALL, "--top", "2", "--criterion", "aicc").stdout
    assert len(ranking_cells(said)) == 3
    assert "... and 4 more; --top shows more of them" in said
    assert "AICC" in said


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_all_candidates_are_written(run: Run, data: Path, tmp_path: Path, ending: str) -> None:
    output = tmp_path / f"all.{ending}"
    said = run("select", data, *SMALL, "--output", output).stdout
    assert f"Wrote {output}: 6 candidates, best first" in said
    if ending == "csv":
        rows = list(csv.DictReader(output.read_text().splitlines()))
    else:
        rows = pq.read_table(output).to_pylist()
    assert len(rows) == 6
    expected = {"structure", "n_components", "bic", "icl", "log_likelihood", "degenerate", "rejection_reason"}
    assert set(rows[0]) >= expected
    assert float(rows[0]["bic"]) <= float(rows[1]["bic"])


def test_candidates_that_failed_are_written_without_numbers(run: Run, write: Write, tmp_path: Path) -> None:
    few = write("few.csv", {"x": [0.0, 1.0, 2.0], "y": [0.0, 2.0, 1.0]})
    output = tmp_path / "all.csv"
    result = run("select", few, "--components", "1", "--structures", "EII", "--output", output)
    assert result.exit_code == 0, result.output


def test_invalid_input_is_refused(run: Run, data: Path) -> None:
    assert "must end in .csv or .parquet" in run("select", data, "--output", "all.txt").output
    assert "is not a structure" in run("select", data, "--structures", "QQQ").output
    assert "there is no file nothing.csv" in read_error(run("select", "nothing.csv"))
    assert "100" in read_error(run("select", data, "--components", "100"))
    assert "data.csv" in read_error(run("select", data, "--output", data))


def test_noise_and_prior_change_the_search(run: Run, data: Path) -> None:
    plain, noisy, believed = (run("select", data, *SMALL, *more).stdout for more in ((), ("--noise",), ("--prior",)))
    said = [re.findall(r"^BIC +(\S+) .*, (\d+) parameters", each, re.MULTILINE)[0] for each in (plain, noisy, believed)]
    assert len({criterion for criterion, _ in said}) == 3
    assert int(said[1][1]) == int(said[0][1]) + 2


@pytest.mark.parametrize("command", ["fit", "select", "compare"])
@pytest.mark.parametrize(("value", "far_columns"), [(-9999.0, ("x",)), (65535.0, ("x", "y"))])
def test_a_note_names_the_columns_of_sentinels(
    command: str, value: float, far_columns: tuple[str, ...], run: Run, write: Write, two_groups: dict[str, list[float]]
) -> None:
    columns = {name: list(values) for name, values in two_groups.items()}
    for name in far_columns:
        columns[name][:2] = [value, value]
    result = run(command, write("d.csv", columns), "--components", "2:3", "--structures", "EEI", "--n-starts", "1")
    assert result.exit_code == 0, result.output
    named = "column 'x'" if far_columns == ("x",) else "columns 'x' and 'y'"
    notes = [line for line in result.stderr.splitlines() if line.startswith("Note: ")]
    assert sum(f"A few far rows have more than 99 % of the variance of {named}: " in note for note in notes) == 1
    assert "Note: The criteria leave out 2 far rows, whose likelihood says nothing of the groups." in notes
