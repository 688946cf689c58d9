"""Columns that fit, select, compare and anomalies leave out: those that identify rows, and those of --exclude."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from gaussmix.cli.column_options import ColumnOptions
from gaussmix.cli.mixture_input import MixtureInput, read_rows_to_fit
from gaussmix.errors import DataError, TableError
from tests.cli.conftest import SMALL, Run, Write, read_error

N_ROWS = 60
RNG = np.random.default_rng(0)
MEASURED = {"x": RNG.normal(size=N_ROWS).tolist(), "y": RNG.normal(size=N_ROWS).tolist()}
SHUFFLED = (RNG.permutation(80)[:N_ROWS] + 1).tolist()  # row numbers in any order, with gaps
DEFAULT = ColumnOptions()
INCOMES = RNG.choice(np.arange(20_000, 90_000), N_ROWS, replace=False).tolist()


def _read(write: Write, columns: dict[str, Any], options: ColumnOptions = DEFAULT) -> MixtureInput:
    return read_rows_to_fit(write("f.csv", columns), options)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", INCOMES),
        ("customer_id", INCOMES),
        ("Index", list(range(N_ROWS))),
        ("row index", INCOMES),
        ("Unnamed: 0", list(range(N_ROWS))),
        ("data_row", list(range(1, N_ROWS + 1))),
        ("nr", list(range(N_ROWS))),
        ("nr", SHUFFLED),
        ("key", [f"k{j}" for j in range(N_ROWS)]),
    ],
)
def test_columns_that_identify_rows_are_left_out_with_a_note(name: str, values: Sequence[object], write: Write) -> None:
    found = _read(write, {name: values, **MEASURED})
    assert found.selected.names == ("x", "y")
    assert found.notes == (f"{name!r} identifies the rows and is not fitted.",)
    assert found.identifiers[name].tolist() == list(values)
    if name != "key":
        chosen = _read(write, {name: values, **MEASURED}, ColumnOptions(names=[name, "x"]))
        assert (chosen.selected.names, chosen.notes, chosen.identifiers) == ((name, "x"), (), {})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("income", INCOMES),
        ("year", list(range(1960, 1960 + N_ROWS))),
        ("body_mass_index", INCOMES),
        ("paid", INCOMES),
        ("id", [5, *INCOMES[1:-1], 5]),
        ("id", [0.5, *INCOMES[1:]]),
        ("flag", [0, 1] * (N_ROWS // 2)),
    ],
)
def test_measured_whole_numbers_are_fitted(name: str, values: Sequence[float], write: Write) -> None:
    found = _read(write, {name: values, **MEASURED})
    assert (found.selected.names, found.notes, found.identifiers) == ((name, "x", "y"), (), {})


def test_the_only_numbers_are_fitted_unless_their_name_says_what_they_are(write: Write) -> None:
    assert _read(write, {"nr": SHUFFLED}).selected.names == ("nr",)
    with pytest.raises(TableError, match=r"has no numeric column: id \(left out\); add one"):
        _read(write, {"id": SHUFFLED})


def test_excluded_columns_are_left_out_and_may_hold_anything(write: Write) -> None:
    columns = {**MEASURED, "bad": ["oops", *range(1, N_ROWS)], "gaps": ["", *range(1, N_ROWS)]}
    found = _read(write, columns, ColumnOptions(excluded=("bad", "gaps")))
    assert (found.selected.names, found.notes) == (("x", "y"), ())
    with pytest.raises(DataError, match=r"no column named 'gap' \(did you mean 'gaps'\?\); the columns are x, y, bad"):
        _read(write, columns, ColumnOptions(excluded=("gap",)))
    with pytest.raises(TableError, match=r"no numeric column: .*, x \(left out\), y \(left out\)"):
        _read(write, {**MEASURED, "t": ["a", "b"] * (N_ROWS // 2)}, ColumnOptions(excluded=("x", "y")))
    with pytest.raises(TableError, match="or leave the column out with --exclude"):
        _read(write, columns)


def test_weights_and_labels_are_no_identifiers(write: Write) -> None:
    columns = {**MEASURED, "id": list(range(1, N_ROWS + 1))}
    assert _read(write, columns, ColumnOptions(weight="id")).selected.sample_weight is not None
    assert read_rows_to_fit(write("f.csv", columns), ColumnOptions(), label_column="id").selected.labels is not None


@pytest.mark.parametrize("command", ["fit", "select", "compare", "anomalies"])
def test_every_command_that_chooses_columns_excludes_some(command: str, run: Run, write: Write) -> None:
    path = write("d.csv", {**MEASURED, "z": MEASURED["y"][::-1]})
    small = () if command == "anomalies" else ("-k", "1", *SMALL[2:])
    result = run(command, path, "--exclude", "z", *small, "-o", "out.csv" if command == "select" else "out")
    assert result.exit_code == 0, result.output
    assert "60 rows, 2 columns (x, y)" in result.stdout
    said = read_error(run(command, path, "--exclude", "Z", *small))
    assert "no column named 'Z' (did you mean 'z'?); the columns are x, y, z" in said
    twice = run(command, path, "--columns", "x,z", "--exclude", "z", *small)
    assert twice.exit_code == 2
    assert "'z' is already used by --columns; name it in one of them" in " ".join(twice.stderr.split())


def test_excluded_weights_and_labels_contradict_each_other(run: Run, write: Write) -> None:
    path = write("d.csv", MEASURED)
    for command, option in (("fit", "--sample-weight"), ("compare", "--labels")):
        result = run(command, path, "--exclude", "y", option, "y")
        assert result.exit_code == 2
        assert f"'y' is already used by {option}" in " ".join(result.stderr.split())


def test_the_error_about_a_missing_cell_offers_to_drop_its_row(run: Run, write: Write) -> None:
    path = write("d.csv", {**MEASURED, "z": ["", *MEASURED["y"][1:]]})
    said = read_error(run("compare", path, *SMALL))
    assert "data row 1; leave such rows out with --drop-missing, or the column with --exclude" in said
    for command in ("fit", "select", "compare"):
        result = run(command, path, "-k", "1", *SMALL[2:], "--drop-missing")
        assert result.exit_code == 0, result.output
        assert "Note: left out: 1 of 60 rows with a missing cell in 'z' (1)." in result.stderr
        assert "d.csv: 59 of 60 rows, 3 columns (x, y, z)" in result.stdout
