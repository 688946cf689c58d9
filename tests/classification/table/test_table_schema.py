"""A fitted schema encodes new tables by the names of their columns, and says what does not fit."""

import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussmix import DataWarning
from gaussmix.classification import EncodedRows, TableSchema, fit_table_schema
from gaussmix.errors import DataError, TableColumnError, TableInputError, WeightError
from tests.classification.table.tables import assert_equal_rows, make_customers, remove_cells

CUSTOMERS, TARGET = make_customers()
SCHEMA = fit_table_schema(CUSTOMERS, TARGET)
FRAME = pd.DataFrame(CUSTOMERS)


# -- encoded rows ----------------------------------------------------------------------------------


def test_rows_have_mean_zero_and_deviation_one_and_codes_of_levels() -> None:
    rows = SCHEMA.encode(CUSTOMERS)
    assert rows.n_rows == 600
    assert rows.numeric.dtype == np.float64
    assert rows.codes.dtype == np.int64
    np.testing.assert_allclose(rows.numeric.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(rows.numeric.std(axis=0), 1.0, rtol=1e-12)
    for j, column in enumerate(SCHEMA.categorical):
        assert [column.levels[code] for code in rows.codes[:, j]] == np.asarray(CUSTOMERS[column.name]).tolist()


def test_units_come_back() -> None:
    rows = SCHEMA.encode(CUSTOMERS)
    for j, column in enumerate(SCHEMA.numeric):
        np.testing.assert_allclose(column.to_units(rows.numeric[:, j]), CUSTOMERS[column.name], rtol=1e-10)


@pytest.mark.parametrize("chosen", [[3, 1], slice(5, 9), np.arange(600) % 7 == 0])
def test_selected_rows_are_those_of_a_selected_table(chosen: Any) -> None:
    part = {name: np.asarray(cells)[chosen] for name, cells in CUSTOMERS.items()}
    assert_equal_rows(SCHEMA.encode(CUSTOMERS).select_rows(chosen), SCHEMA.encode(part))


def test_a_row_may_have_no_cell() -> None:
    rows = SCHEMA.encode({name: [None] for name in CUSTOMERS})
    assert np.isnan(rows.numeric).all()
    assert (rows.codes == -1).all()


@pytest.mark.parametrize("table", [{"a": [1.0, 2.0], "b": ["x", "y"]}, {"a": [1.0, 2.5]}, {"b": ["x", "y"]}])
def test_tables_of_two_rows_are_encoded(table: dict[str, list[Any]]) -> None:
    rows = fit_table_schema(table, np.array([0, 1])).encode(table)
    assert isinstance(rows, EncodedRows)
    assert np.isfinite(rows.numeric).all()


def test_columns_of_finds_numbers_and_categories() -> None:
    assert SCHEMA.columns_of("price") == ((1,), ())
    assert SCHEMA.columns_of("calls") == ((), (2,))
    assert SCHEMA.columns_of("nothing") == ((), ())


@given(st.lists(st.sampled_from(list(CUSTOMERS)), unique=True))
def test_missing_columns_of_a_row_leave_the_others_as_they_are(removed: list[str]) -> None:
    rows, complete = SCHEMA.encode(FRAME.assign(**dict.fromkeys(removed)).head(20)), SCHEMA.encode(FRAME.head(20))
    for name in CUSTOMERS:
        numeric, categorical = SCHEMA.columns_of(name)
        if name in removed:
            assert np.isnan(rows.numeric[:, numeric]).all()
            assert (rows.codes[:, categorical] == -1).all()
        else:
            np.testing.assert_array_equal(rows.numeric[:, numeric], complete.numeric[:, numeric])
            np.testing.assert_array_equal(rows.codes[:, categorical], complete.codes[:, categorical])


# -- new tables ------------------------------------------------------------------------------------


def test_columns_are_found_by_name_and_others_ignored() -> None:
    shuffled = FRAME[list(FRAME.columns)[::-1]].assign(more="text", stamp=pd.Timestamp("2020-01-01"))
    assert_equal_rows(SCHEMA.encode(shuffled), SCHEMA.encode(FRAME))


def test_missing_columns_are_an_error() -> None:
    with pytest.raises(TableInputError, match="X has no column 'price' and 'calls', which the fit used; add them"):
        SCHEMA.encode(FRAME.drop(columns=["price", "calls"]))


def test_arrays_are_found_by_position_and_need_all_columns() -> None:
    cells = FRAME.to_numpy(dtype=object)
    assert_equal_rows(SCHEMA.encode(cells), SCHEMA.encode(FRAME))
    with pytest.raises(DataError, match="the data have 4 columns, but the model was fitted to 5"):
        SCHEMA.encode(cells[:, :4])


def test_unknown_categories_count_as_missing_with_a_warning() -> None:
    schema = fit_table_schema(CUSTOMERS, TARGET, categorical=["calls"])
    frame = FRAME.head(3).assign(contract=["monthly", "weekly", "daily"], calls=[0, 99, 1])
    message = "categories that the fit has not seen count as missing: column 'contract' holds 'daily', 'weekly'; column"
    with pytest.warns(DataWarning, match=message):
        rows = schema.encode(frame)
    np.testing.assert_array_equal(rows.codes[:, [0, 2]] == -1, [[False, False], [True, True], [True, False]])


@pytest.mark.parametrize("make", [dict, pd.DataFrame, pl.DataFrame])
def test_numbers_that_arrive_as_text_are_read(make: Any) -> None:
    table = {
        **{name: np.asarray(cells).tolist() for name, cells in CUSTOMERS.items()},
        "price": [f"{price} " for price in CUSTOMERS["price"]],
        "calls": [str(count) for count in CUSTOMERS["calls"]],
    }
    assert_equal_rows(SCHEMA.encode(make(table)), SCHEMA.encode(CUSTOMERS))


@pytest.mark.parametrize(
    ("name", "cells", "message"),
    [
        ("price", ["cheap", "1.5"], "column 'price' was numeric in the fit, but now holds 'cheap'; convert its values"),
        ("price", ["1_000", "1.5"], "but now holds '1_000'"),
        ("price", [np.inf, 1.5], r"column 'price' holds infinity in row 0 \(counted from 0\)"),
        (
            "price",
            np.array(["2020-01-01"] * 2, "datetime64[D]"),
            "column 'price' held no dates in the fit, but does now",
        ),
        ("contract", np.array(["2020-01-01"] * 2, "datetime64[D]"), "column 'contract' held no dates in the fit"),
        ("price", [[1.0], [2.0]], "column 'price' of X must have one dimension"),
    ],
)
def test_values_of_another_type_are_named(name: str, cells: Any, message: str) -> None:
    table = {key: np.asarray(column)[:2] for key, column in CUSTOMERS.items()}
    with pytest.raises((TableColumnError, TableInputError), match=message):
        SCHEMA.encode({**table, name: cells})


def test_values_outside_the_domain_become_the_smallest_of_the_fit() -> None:
    values = np.random.default_rng(0).lognormal(3.0, 1.0, 500)
    schema = fit_table_schema({"total": values}, np.arange(500) % 2, transform="log1p")
    with pytest.warns(DataWarning, match="1 value of column 'total', down to -3, is too small for its transform"):
        rows = schema.encode({"total": [-3.0, values.min(), np.nan]})
    assert rows.numeric[0, 0] == rows.numeric[1, 0]


# -- weights ---------------------------------------------------------------------------------------


def test_rows_of_weight_zero_count_as_absent() -> None:
    is_counted = np.arange(600) % 3 > 0
    spoiled = {**CUSTOMERS, "price": np.where(is_counted, CUSTOMERS["price"], 1e9)}
    spoiled["contract"] = np.where(is_counted, CUSTOMERS["contract"], "unseen")
    part = {name: np.asarray(cells)[is_counted] for name, cells in CUSTOMERS.items()}
    schema = fit_table_schema(spoiled, TARGET, is_counted.astype(float))
    assert schema.to_json() == fit_table_schema(part, TARGET[is_counted]).to_json()


def test_weights_move_centers() -> None:
    weights = np.where(CUSTOMERS["price"] > 60.0, 3.0, 1.0)
    schema = fit_table_schema(CUSTOMERS, TARGET, weights, transform=None)
    assert schema.numeric[1].center == pytest.approx(np.average(CUSTOMERS["price"], weights=weights), rel=1e-12)


def test_weights_that_cannot_be_are_refused() -> None:
    with pytest.raises(WeightError):
        fit_table_schema(CUSTOMERS, TARGET, -np.ones(600))


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [CUSTOMERS, remove_cells(CUSTOMERS, 0.3)], ids=["complete", "gaps"])
def test_json_restores_every_bit(table: Any) -> None:
    schema = fit_table_schema({**table, "zeros": np.where(TARGET, table["price"], 0.0)}, np.arange(600) % 2)
    restored = TableSchema.from_json(schema.to_json())
    assert restored.to_json() == schema.to_json()
    assert restored.notes == schema.notes
    new = {**table, "zeros": np.where(TARGET, table["price"], 0.0)}
    assert_equal_rows(restored.encode(new), schema.encode(new))
    for ours, theirs in zip(restored.numeric, schema.numeric, strict=True):
        np.testing.assert_array_equal(
            ours.to_units(np.linspace(-3.0, 3.0, 9)), theirs.to_units(np.linspace(-3.0, 3.0, 9))
        )


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        ('"scale": [0-9.]+', '"scale": 0.0'),
        ('"unit": [0-9.]+', '"unit": -1.0'),
        ('"name": "price"', '"name": 5'),
        (r"\[0, 1, 2\]", "[0, 1, 9]"),
        (r"\[0, 1, 2\]", "[0, 1]"),
        ('"input_columns"', '"columns"'),
        (r'\[\["months"\], \[1.0\]', '[["months"], []'),
        (r'\[\["months"\]', '[["weeks"]'),
        ('"values": \\["monthly"', '"values": [["monthly"]'),
        (r'"values": \[0, 1, 2, 3, 4\]', '"values": [0, 1, 1, 3, 4]'),
        (r'"values": \[0, 1, 2, 3, 4\]', '"values": [0, 1, true, 3, 4]'),
        (r'"values": \[0, 1, 2, 3, 4\]', '"values": [0, 1, NaN, 3, 4]'),
        (r'"level_starts": \[0, 1, 2, 3, 4\]', '"level_starts": [0, 2, 1, 3, 4]'),
        (r'"level_starts": \[0, 1, 2, 3, 4\]', '"level_starts": [1, 2, 3, 4]'),
        (r'"level_starts": \[0, 1, 2, 3, 4\]', '"level_starts": [0, 1, 2, 3, 5]'),
        (r'"level_starts": \[0, 1, 2, 3, 4\]', '"level_starts": []'),
        ("}$", ""),
    ],
)
def test_damaged_json_is_refused(pattern: str, replacement: str) -> None:
    text = re.sub(pattern, replacement, SCHEMA.to_json(), count=1)
    assert text != SCHEMA.to_json()
    with pytest.raises((KeyError, TypeError, ValueError)):
        TableSchema.from_json(text)
