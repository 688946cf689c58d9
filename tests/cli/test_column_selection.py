"""Selection of columns: by default, by name, for a model, and errors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from gaussmix.cli.column_options import MissingCells
from gaussmix.cli.column_selection import (
    SelectedColumns,
    select_columns_for_comparison,
    select_columns_for_fit,
    select_columns_for_model,
)
from gaussmix.cli.table_reader import read_table
from gaussmix.errors import DataError, TableError
from tests.cli.conftest import Write

COLUMNS: dict[str, list[Any]] = {
    "a": [1, 2, 4, 8],
    "name": ["p", "q", "r", "s"],
    "b": [0.5, 3, 2, 9],
    "w": [1, 0, 2, 3],
    "c": [5, 5, 5, 5],
}


def _write_and_select_for_fit(
    write: Write, columns: object, names: Sequence[str] | None = None, weights: str | None = None
) -> SelectedColumns:
    return select_columns_for_fit(read_table(write("f.csv", columns)), names, weights)


def test_all_numeric_columns_are_selected_by_default(write: Write) -> None:
    chosen = _write_and_select_for_fit(write, COLUMNS)
    assert chosen.names == ("a", "b", "w")
    assert chosen.sample_weight is None
    np.testing.assert_array_equal(chosen.rows, np.column_stack([COLUMNS["a"], COLUMNS["b"], COLUMNS["w"]]))
    assert chosen.notes == (
        "left out: name (text).",
        "column 'c' is 5 in every row; left out.",
    )


def test_named_columns_are_selected_in_order(write: Write) -> None:
    chosen = _write_and_select_for_fit(write, COLUMNS, ["b", "a"])
    assert (chosen.names, chosen.notes) == (("b", "a"), ())
    np.testing.assert_array_equal(chosen.rows[:, 0], COLUMNS["b"])


def test_the_weight_column_is_not_fitted(write: Write) -> None:
    chosen = _write_and_select_for_fit(write, COLUMNS, weights="w")
    assert chosen.names == ("a", "b")
    assert chosen.sample_weight is not None
    np.testing.assert_array_equal(chosen.sample_weight, COLUMNS["w"])


def test_a_column_is_constant_if_only_rows_of_weight_zero_differ(write: Write) -> None:
    chosen = _write_and_select_for_fit(write, {"a": [1, 2, 3], "b": [7, 8, 7], "w": [1, 0, 1]}, weights="w")
    assert chosen.names == ("a",)
    assert chosen.notes == ("column 'b' is 7 in every row; left out.",)


def test_notes_name_columns_that_are_left_out(write: Write) -> None:
    chosen = _write_and_select_for_fit(write, ",a,b,c\n0,1,7,x\n1,oops,8,y\n2,3,9,z\n")
    assert chosen.notes == (
        "column 'a' is read as text because data row 2 holds 'oops'; left out.",
        "left out: c (text).",
        "left out: 1 column without a name (row numbers?).",
    )


MANY = "a,b\n" + "1,2\n" * 17

BAD: dict[str, tuple[object, Sequence[str] | None, str | None, str]] = {
    "no numbers": (
        "a,b\nx,2020-01-01\n",
        None,
        None,
        r"no numeric column: a \(text\), b \(dates\); add one, or correct these values",
    ),
    "only weights": ("w,t\n1,x\n2,y\n", None, "w", r"has no numeric column: t \(text\);"),
    "two units": ("a\n1 mm\n2 mm\n3 cm\n", None, None, r"a \(text, data row 3 holds '3 cm'\)"),
    "infinity": (MANY + "3,4\n-inf,4\n", None, None, r"column 'a' is infinite in data row 19; correct"),
    "overflow": (MANY + "3,1e999\n", None, None, r"column 'b' is infinite in data row 18"),
    "missing weight": (MANY + "3,\n", None, "b", r"column 'b' has no value .* in data row 18"),
    "text by name": (
        MANY + "3,abc\n",
        ["b"],
        None,
        r"column 'b' is read as text because data row 18 holds 'abc'; convert",
    ),
    "text as weights": (MANY + "3,abc\n", None, "b", r"column 'b' is read as text because data row 18 holds 'abc'"),
    "dates by name": ("a,b\n2020-01-01,2\n", ["a"], None, r"column 'a' holds dates, not numbers"),
    "empty by name": ("a,b\n,2\n", ["a"], None, r"column 'a' is empty"),
    "all equal": ("a,b\n" + "1,2\n" * 3, None, None, r"has 3 rows that are all equal in the selected columns"),
    "equal in one": ("a,b\n1,2\n1,3\n", ["a"], None, r"has 2 rows that are all equal in the selected columns"),
    "one row": ("a,b\n1,2\n", None, None, r"has one row only in the selected columns"),
    "one row counts": ("a,w\n1,1\n2,0\n", None, "w", r"has one row only"),
    "negative weight": (
        "a,w\n1,1\n2,-0.5\n",
        None,
        "w",
        r"weights in column 'w' must be at least 0, .* row 2 contains -0\.5",
    ),
    "zero weights": ("a,w\n1,0\n2,0\n", None, "w", r"weights in column 'w' are zero in every row"),
}


@pytest.mark.parametrize("case", BAD)
def test_invalid_columns_raise_an_error(case: str, write: Write) -> None:
    content, names, weights, message = BAD[case]
    with pytest.raises(TableError, match=message):
        _write_and_select_for_fit(write, content, names, weights)


@pytest.mark.parametrize(("names", "weights"), [(["a", "wieght"], None), (None, "wieght")])
def test_errors_suggest_the_closest_column(names: list[str] | None, weights: str | None, write: Write) -> None:
    with pytest.raises(
        DataError, match=r"no column named 'wieght' \(did you mean 'Weight'\?\); the columns are a, Weight$"
    ):
        _write_and_select_for_fit(write, "a,Weight\n1,2\n3,4\n", names, weights)


def test_columns_of_a_model_are_found_by_name(write: Write) -> None:
    table = read_table(write("f.csv", "extra,y,name,x\n9,1,p,2\n8,3,q,4\n"))
    np.testing.assert_array_equal(select_columns_for_model(table, ["x", "y"], 2).rows, [[2, 1], [4, 3]])
    with pytest.raises(DataError, match="no column named 'z'"):
        select_columns_for_model(table, ["x", "z"], 2)
    with pytest.raises(TableError, match="column 'name' is read as text because data row 1 holds 'p'"):
        select_columns_for_model(table, ["x", "name"], 2)


def test_columns_of_a_model_without_names_are_taken_in_order(write: Write) -> None:
    table = read_table(write("f.csv", "q,name,p\n1,a,2\n3,b,4\n"))
    chosen = select_columns_for_model(table, None, 2)
    np.testing.assert_array_equal(chosen.rows, [[1, 2], [3, 4]])
    assert chosen.notes == ("the model has no column names; its columns are, in this order: q, p.",)
    with pytest.raises(TableError, match=r"to 1 column without names, but .* pass a file with the columns of the fit"):
        select_columns_for_model(table, None, 1)
    with pytest.raises(TableError, match=r"to 3 columns without names, but .* has 2 columns of numbers"):
        select_columns_for_model(table, None, 3)


@pytest.mark.parametrize(("n_numbers", "refused"), [(9, True), (8, False)])
def test_a_nearly_numeric_column_is_an_error_by_default(n_numbers: int, refused: bool, write: Write) -> None:
    values = [*range(n_numbers), "oops"]
    table = read_table(write("f.csv", {"x": values, "y": [v * v for v in range(len(values))]}))
    assert select_columns_for_fit(table, ["y"], None).names == ("y",)
    if not refused:
        assert "column 'x' is read as text" in select_columns_for_fit(table, None, None).notes[0]
        return
    message = r"^column 'x' is text because data row 10 holds 'oops' \(9 of 10 values are numbers\): correct it, or"
    with pytest.raises(TableError, match=message):
        select_columns_for_fit(table, None, None)


def test_missing_values_are_not_text(write: Write) -> None:
    table = read_table(write("f.csv", {"x": [*range(10), "oops", *["NA"] * 50], "y": range(61)}))
    with pytest.raises(TableError, match=r"data row 11 holds 'oops' \(10 of 11 values are numbers\)"):
        select_columns_for_fit(table, None, None)


def test_rows_with_a_missing_cell_can_be_dropped(write: Write) -> None:
    table = read_table(write("f.csv", "a,b,w,unused\n1,2,1,\n,3,1,\n4,5,,\n6,7,2,8\n8,,3,9\n"))
    chosen = select_columns_for_fit(table, ["a", "b"], "w", missing_cells=MissingCells.DROP)
    np.testing.assert_array_equal(chosen.rows, [[1, 2], [6, 7]])
    assert chosen.sample_weight is not None
    assert chosen.sample_weight.tolist() == [1, 2]
    assert chosen.is_used is not None
    assert chosen.is_used.tolist() == [True, False, False, True, False]
    assert chosen.notes == ("left out: 3 of 5 rows with a missing cell in 'a' (1), 'b' (1) and 'w' (1).",)
    complete = select_columns_for_fit(
        read_table(write("g.csv", "a\n1\n2\n")), None, None, missing_cells=MissingCells.DROP
    )
    assert (complete.is_used, complete.notes) == (None, ())


def test_rows_that_lack_cells_stay_and_are_counted(write: Write) -> None:
    table = read_table(write("f.csv", "a,b,w\n1,2,1\n,3,1\n4,NA,2\n6,7,2\n"))
    chosen = select_columns_for_fit(table, ["a", "b"], "w")
    np.testing.assert_array_equal(chosen.rows, [[1, 2], [np.nan, 3], [4, np.nan], [6, 7]])
    assert chosen.is_used is None
    assert chosen.notes == ("2 of 4 rows lack cells; their other cells count. --drop-missing leaves such rows out.",)
    same = read_table(write("g.csv", "a,b\n1,2\n,3\n1,4\n"))
    assert select_columns_for_fit(same, None, None).notes[-1] == "column 'a' is 1 in every row; left out."


def test_missing_cells_can_be_refused(write: Write) -> None:
    table = read_table(write("f.csv", "a,b\n1,2\n,3\n4,NA\n5,nan\n"))
    message = (
        r"column 'a' has no value \(empty, NA or NaN\) in data row 2; leave such rows out with --drop-missing, or "
    )
    with pytest.raises(TableError, match=message + r"the column with --exclude$"):
        select_columns_for_fit(table, None, None, MissingCells.REFUSE)
    with pytest.raises(TableError, match=r"column 'b' has no value .* in data row 3 \(2 such rows in all\)"):
        select_columns_for_fit(table, ["b"], None, MissingCells.REFUSE)


def test_dropping_rows_needs_a_complete_one_and_allows_no_infinity(write: Write) -> None:
    table = read_table(write("f.csv", "a,b\n1,\n,2\n3,\n"))
    message = r"each of the 3 rows of .*f\.csv has a missing cell; .* with --exclude, such as 'b' \(2 missing\)$"
    with pytest.raises(TableError, match=message):
        select_columns_for_fit(table, None, None, missing_cells=MissingCells.DROP)
    infinite = read_table(write("g.csv", "a,b\n1,\n2,3\ninf,2\n"))
    with pytest.raises(TableError, match="column 'a' is infinite in data row 3; correct"):
        select_columns_for_fit(infinite, None, None, missing_cells=MissingCells.DROP)
    weights = read_table(write("h.csv", "a,w\n1,0\n,1\n2,0\n"))
    with pytest.raises(TableError, match="weights in column 'w' are zero in every row"):
        select_columns_for_fit(weights, None, "w", missing_cells=MissingCells.DROP)


def test_labels_of_dropped_rows_are_dropped(write: Write) -> None:
    table = read_table(write("f.csv", "a,kind\n1,p\n,q\n4,\n6,r\n"))
    chosen = select_columns_for_comparison(table, None, None, "kind", missing_cells=MissingCells.DROP)
    assert chosen.labels is not None
    assert chosen.labels.tolist() == ["p", None, "r"]


def test_several_unknown_columns_in_one_sentence(write: Write) -> None:
    with pytest.raises(DataError, match=r"^no columns named 'p', 'q' and 'r'; the only column is 'a'$"):
        _write_and_select_for_fit(write, "a\n1\n2\n", ["p", "q", "r"])
