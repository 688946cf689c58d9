"""Files of customers: which columns are inputs, outcomes, times, groups and values, and what is refused."""

import warnings
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gaussmix.cli import console
from gaussmix.cli.churn_input import ColumnRoles, read_customers
from gaussmix.errors import ColumnNameError, DataWarning, GaussmixError, TableError, TargetError
from tests.cli.conftest import Run, Write, read_error

COLUMNS: dict[str, Any] = {
    "id": ["a", "b", "c", "d"],
    "age": [30, "", 41, 25],
    "plan": ["x", "y", "", "x"],
    "when": ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"],
    "left": ["yes", "no", "no", "yes"],
}


def test_every_column_has_its_role(write: Write) -> None:
    path = write("f.csv", COLUMNS)
    found = read_customers(path, ColumnRoles("left", time="when", groups="plan"))
    assert list(found.cells) == ["id", "age", "plan"]
    assert found.outcomes.tolist() == ["yes", "no", "no", "yes"]
    assert found.times is not None
    assert found.times.dtype.kind == "M"
    assert found.groups is not None
    assert found.groups.tolist() == ["x", "y", None, "x"]
    assert found.values is None
    assert found.notes == ("'when' says which customers are later, and is not an input.",)
    np.testing.assert_array_equal(found.cells["age"], [30.0, np.nan, 41.0, 25.0])
    dropped = read_customers(path, ColumnRoles("left", groups="plan", dropped=["plan", "id"]))
    assert list(dropped.cells) == ["age", "when"], "a group that is no input can be compared"
    assert dropped.groups is not None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 1, 0], [0, 1, 1, 0]),
        ([0.5, 1.5, 1.5, 0.5], [0.5, 1.5, 1.5, 0.5]),
        (pa.array([True, False, True, True]), [True, False, True, True]),
        (pa.array(["b", "a", "b", "b"]).dictionary_encode(), ["b", "a", "b", "b"]),
    ],
)
def test_outcomes_keep_their_type(write: Write, values: Any, expected: list[Any]) -> None:
    found = read_customers(write("f.parquet", {"a": [1.5, 2, 3, 4], "y": values}), ColumnRoles("y")).outcomes
    assert found.tolist() == expected
    assert [type(value) for value in found.tolist()] == [type(value) for value in expected]


def test_columns_that_no_model_uses_are_named(write: Write) -> None:
    path = write("f.parquet", {"a": [1, 2], "tags": pa.array([["x"], []]), "__index_level_0__": [5, 6], "y": [0, 1]})
    assert read_customers(path, ColumnRoles("y")).notes == (
        "left out: tags (list).",
        "left out: 1 column without a name (row numbers?).",
    )


REFUSED: dict[str, tuple[dict[str, Any], ColumnRoles, type[GaussmixError], str]] = {
    "unknown target": ({}, ColumnRoles("lef"), ColumnNameError, "no column named 'lef'"),
    "unknown drop": ({}, ColumnRoles("left", dropped=["x"]), ColumnNameError, "no column named 'x'"),
    "unknown category": ({}, ColumnRoles("left", categorical=["x"]), ColumnNameError, "no column named 'x'"),
    "unknown fixed": ({}, ColumnRoles("left", fixed=["x"]), ColumnNameError, "no column named 'x'"),
    "missing outcome": (
        {"left": ["yes", "", "no", ""]},
        ColumnRoles("left"),
        TableError,
        "'left', the target, has no value in 2 data rows, first in data row 2; keep these rows for gaussmix churn-sc",
    ),
    "empty target": ({"left": [""] * 4}, ColumnRoles("left"), TableError, "'left' is empty, so it cannot be used as o"),
    "dates as target": ({}, ColumnRoles("when"), TableError, "contains dates, so it cannot be used as outcomes"),
    "missing time": (
        {"when": ["2024-01-01", "", "2024-01-01", ""]},
        ColumnRoles("left", time="when"),
        TableError,
        "'when' has no time in data row 2 .2 such rows in all",
    ),
    "unreadable time": (
        {"when": ["2024-01-01", "2024-01-02", "soon", "2024-01-01"]},
        ColumnRoles("left", time="when"),
        TableError,
        "'when' holds 'soon' in data row 3, but times must be numbers or dates .* name another column with --time",
    ),
    "infinite number": (
        {"age": [1.5, 2, "inf", 4]},
        ColumnRoles("left"),
        TableError,
        "'age' is infinite in data row 3",
    ),
    "text values": ({}, ColumnRoles("left", value="plan"), TableError, "contains text, so it cannot be used as values"),
    "missing values": ({}, ColumnRoles("left", value="age"), TableError, "'age' is no number of at least 0 in data r"),
    "dates as groups": (
        {},
        ColumnRoles("left", groups="when"),
        TableError,
        "contains dates, so it cannot be used as g",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str, write: Write) -> None:
    changed, roles, error, sentence = REFUSED[case]
    with pytest.raises(error, match=sentence):
        read_customers(write("f.csv", {**COLUMNS, **changed}), roles)


def test_targets_of_many_values_and_columns_with_a_typing_error(write: Write) -> None:
    numbers = list(range(30))
    with pytest.raises(TargetError, match="30 different values in 30 rows"):
        read_customers(write("f.csv", {"a": numbers, "y": numbers}), ColumnRoles("y"))
    mistyped = write("g.csv", {"a": ["oops", *numbers[1:]], "y": [0, 1] * 15})
    with pytest.raises(TableError, match=r"data row 1 holds 'oops' .* leave it out with --drop"):
        read_customers(mistyped, ColumnRoles("y"))
    assert read_customers(mistyped, ColumnRoles("y", categorical=["a"])).cells["a"][0] == "oops"
    with pytest.raises(
        TableError, match=r"g.csv has no column left beside the target 'y' that a model can use; drop few"
    ):
        read_customers(mistyped, ColumnRoles("y", dropped=["a"]))


def test_groups_may_not_be_very_many(write: Write) -> None:
    path = write("f.csv", {"a": [f"x{i}" for i in range(60)], "y": [0, 1] * 30})
    with pytest.raises(GaussmixError, match="a has 60 distinct values, but at most 50"):
        read_customers(path, ColumnRoles("y", groups="a"))


def test_dates_of_customers_who_left_stop_the_command(run: Run, write: Write) -> None:
    has_left = np.arange(90) % 3 > 0
    dates = [f"2024-01-{1 + row % 28:02d}" if left else "" for row, left in enumerate(has_left)]
    columns = {
        "calls": list(np.arange(90) % 7),
        "cancelled_on": dates,
        "left": np.where(has_left, "yes", "no").tolist(),
    }
    error = read_error(run("churn", write("customers.csv", columns), "--target", "left"))
    assert "column 'cancelled_on' is the target in disguise: all 60 rows in which it has a value are of one" in error
    assert error.endswith("or --drop cancelled_on")


def test_warnings_that_were_printed_are_returned(capsys: pytest.CaptureFixture[str]) -> None:
    with console.print_data_warnings() as printed:
        warnings.warn(DataWarning("column 'status' alone predicts the class"), stacklevel=1)
    assert printed == ["column 'status' alone predicts the class"]
    assert capsys.readouterr().err == "Note: column 'status' alone predicts the class\n"
