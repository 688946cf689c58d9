"""The same cells in tables of different libraries are encoded alike; what is no table is refused with a sentence."""

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from gaussmix.classification import fit_table_schema
from gaussmix.errors import (
    ColumnNameError,
    DataError,
    DataTypeError,
    SparseDataError,
    TableColumnError,
    TableInputError,
)
from tests.classification.table.tables import Columns, assert_equal_rows, make_customers, remove_cells

CUSTOMERS, TARGET = make_customers()
GAPS = remove_cells(CUSTOMERS, 0.2)


def _to_arrow(table: Columns) -> Any:
    arrow = pytest.importorskip("pyarrow")
    return arrow.table({name: arrow.array(_to_list(cells)) for name, cells in table.items()})


def _to_list(cells: Any) -> list[Any]:
    return [None if value != value else value for value in np.asarray(cells).tolist()]


CONVERSIONS: dict[str, Callable[[Columns], Any]] = {
    "lists": lambda table: {name: _to_list(cells) for name, cells in table.items()},
    "pandas": pd.DataFrame,
    "pandas nullable": lambda table: pd.DataFrame(table).convert_dtypes(),
    "pandas category": lambda table: pd.DataFrame(table).astype({"contract": "category", "calls": "category"}),
    "pandas object": lambda table: pd.DataFrame(table).astype(object),
    "polars": lambda table: pl.DataFrame({name: _to_list(cells) for name, cells in table.items()}),
    "polars categorical": lambda table: CONVERSIONS["polars"](table).with_columns(
        pl.col("contract").cast(pl.Categorical)
    ),
    "pyarrow": _to_arrow,
    "numbers as text": lambda table: pd.DataFrame(table).assign(
        price=[" " if value != value else f" {value} " for value in table["price"]]
    ),
}


@pytest.mark.parametrize("kind", CONVERSIONS)
@pytest.mark.parametrize("table", [CUSTOMERS, GAPS], ids=["complete", "gaps"])
def test_tables_of_all_libraries_are_encoded_alike(kind: str, table: Columns) -> None:
    expected = fit_table_schema(table, TARGET)
    converted = CONVERSIONS[kind](table)
    schema = fit_table_schema(converted, TARGET)
    assert schema.to_json() == expected.to_json()
    assert_equal_rows(schema.encode(converted), expected.encode(table))
    assert_equal_rows(expected.encode(converted), expected.encode(table))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, "", "   "], ids=repr)
def test_missing_values_of_all_kinds_are_missing(missing: object) -> None:
    cells = np.array(CUSTOMERS["contract"], dtype=object)
    cells[::7] = missing
    table = {**CUSTOMERS, "contract": cells}
    for converted in (table, pd.DataFrame(table)):
        schema = fit_table_schema(converted, TARGET)
        assert schema.categorical[0].levels == ("monthly", "one year", "two years")
        codes = schema.encode(converted).codes[:, 0]
        np.testing.assert_array_equal(codes < 0, np.arange(len(TARGET)) % 7 == 0)


def test_arrays_of_numbers_and_of_objects_are_encoded_alike() -> None:
    rows = np.column_stack([CUSTOMERS["months"], CUSTOMERS["price"], CUSTOMERS["calls"]])
    schema = fit_table_schema(rows, TARGET)
    assert schema.input_columns == ("column 0", "column 1", "column 2")
    assert len(schema.numeric) == 3  # also the column of few whole numbers
    for same in (rows.astype(object), rows.tolist(), np.ma.masked_array(rows)):
        assert_equal_rows(fit_table_schema(same, TARGET).encode(same), schema.encode(rows))


def test_masked_entries_are_missing() -> None:
    mask = np.zeros((len(TARGET), 2), dtype=bool)
    mask[3, 1] = True
    rows = np.ma.masked_array(np.column_stack([CUSTOMERS["months"], CUSTOMERS["price"]]), mask=mask)
    np.testing.assert_array_equal(np.isnan(fit_table_schema(rows, TARGET).encode(rows).numeric), mask)


def test_lists_of_numbers_and_text_stay_apart() -> None:
    rows = [[float(price), text] for price, text in zip(CUSTOMERS["price"], CUSTOMERS["contract"], strict=True)]
    schema = fit_table_schema(rows, TARGET)
    assert len(schema.numeric) == len(schema.categorical) == 1


def test_names_of_an_array_name_its_columns() -> None:
    rows = np.column_stack([CUSTOMERS["months"], CUSTOMERS["price"]])
    schema = fit_table_schema(rows, TARGET, feature_names=["months", "price"])
    assert schema.input_columns == ("months", "price")
    assert_equal_rows(schema.encode(rows), schema.encode(pd.DataFrame(rows[:, ::-1], columns=["price", "months"])))
    with pytest.raises(TableInputError, match="X has 2 columns, but there are 1 names; pass one per column"):
        fit_table_schema(rows, TARGET, feature_names=["months"])


def test_column_names_that_are_numbers_become_text() -> None:
    frame = pd.DataFrame({2024: CUSTOMERS["months"], 2025: CUSTOMERS["price"]})
    assert fit_table_schema(frame, TARGET).input_columns == ("2024", "2025")


def test_default_labels_of_a_frame_are_no_names_as_in_scikit_learn() -> None:
    rows = np.column_stack([CUSTOMERS["calls"], CUSTOMERS["price"]])
    expected = fit_table_schema(rows, TARGET)
    for table in (pd.DataFrame(rows), {0: rows[:, 0], 1: rows[:, 1]}):
        schema = fit_table_schema(table, TARGET)
        assert schema.to_json() == expected.to_json()
        assert not schema.has_names
        assert_equal_rows(schema.encode(table), expected.encode(rows))


@pytest.mark.parametrize("kind", ["pandas", "polars", "lists"])
def test_dates_are_left_out_with_a_note(kind: str) -> None:
    days = [datetime.datetime(2020, 1, 1) + datetime.timedelta(days=i % 50) for i in range(len(TARGET))]
    table = {"price": CUSTOMERS["price"], "joined": np.array(days, dtype="datetime64[ms]")}
    frame = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "lists": dict}[kind](table)
    assert (
        fit_table_schema(frame, TARGET).notes[0]
        == "'joined' holds dates or times and is left out; convert it to numbers."
    )


def test_intervals_of_cut_are_categories() -> None:
    frame = pd.DataFrame({"age": pd.cut(pd.Series(CUSTOMERS["price"]), [0, 50, 70, 200])})
    assert fit_table_schema(frame, TARGET).n_levels == (3,)


def _nothing(n: int = 2) -> pd.DataFrame:
    return pd.DataFrame({"a": [1.0] * n})


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (pd.DataFrame({"a": []}), DataError, "the data have 0 rows"),
    (pd.DataFrame(index=range(3)), DataError, "the data have no columns"),
    (pd.concat([_nothing(), _nothing()], axis=1), ColumnNameError, "'a' occurs more than once"),
    ({"a": [1.0, 2.0], "b": [1.0]}, TableInputError, "'b' has 1 row and 'a' has 2"),
    ({"a": [[1.0, 2.0]] * 2}, TableInputError, "column 'a' of X must have one dimension, but has 2"),
    ([[1.0, 2.0], [3.0]], TableInputError, "the rows of X have different lengths"),
    (np.arange(3.0), DataError, "must have 2 dimensions"),
    ("file.csv", TableInputError, "a dict of columns or an array of shape .* but has the type str"),
    (None, TableInputError, "has the type NoneType"),
    (np.eye(3) * 1j, TableInputError, "Complex data not supported"),
    (scipy.sparse.csr_matrix(np.eye(3)), SparseDataError, "sparse data are not supported"),
    (pl.DataFrame({"a": [1.0]}).lazy(), DataError, "a LazyFrame has no rows yet"),
    (
        pd.DataFrame({"a": [[1], [2]]}),
        DataTypeError,
        r"column 'a' holds \[1\]; an argument must be a string or a number",
    ),
    ({"a": [{}, {}]}, DataTypeError, "column 'a' holds {}"),
    ({"a": [1j, 2j, None]}, DataTypeError, "column 'a' holds"),
    ({"a": [1.5, "many"]}, TableColumnError, "column 'a' mixes types: it holds 1.5 and 'many'"),
    ({"a": [True, "maybe"]}, TableColumnError, "column 'a' mixes types: it holds True and 'maybe'"),
    ({"a": [1.5, np.inf]}, TableColumnError, r"column 'a' holds infinity in row 1 \(counted from 0\)"),
    ({"a": ["1.5", "-inf"]}, TableColumnError, "column 'a' holds infinity in row 1"),
    ({"a": [1.0, 1.0], "b": ["x", "x"]}, TableColumnError, "no column of X can be used: 'a' is 1 in every row"),
]


@pytest.mark.parametrize(("table", "error", "message"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_what_is_no_table_is_refused(table: Any, error: type[Exception], message: str) -> None:
    n_rows = 3 if isinstance(table, np.ndarray) or hasattr(table, "toarray") else len(_first_column(table))
    with pytest.raises(error, match=message):
        fit_table_schema(table, np.arange(n_rows) % 2)


def _first_column(table: Any) -> Any:
    """Return anything as long as the table has rows."""
    if isinstance(table, dict):
        return max(table.values(), key=len)
    return table if isinstance(table, list | pd.DataFrame) else range(1)


@pytest.mark.parametrize("target", [np.zeros(5, dtype=int), np.zeros((600, 1), dtype=int)])
def test_one_class_per_row_is_needed(target: np.ndarray) -> None:
    with pytest.raises(TableInputError, match=r"target_codes must have the shape \(600,\), one class per row"):
        fit_table_schema(CUSTOMERS, target)
