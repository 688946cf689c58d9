"""Rows are selected from tables of every kind."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gaussmix.classification.table.input_table import read_input_table
from gaussmix.classification.validation.labelled_table import LabelledTable
from tests.classification.validation.customers import simulate_customers

COLUMNS, IS_CHURNED = simulate_customers(0, 20)
LISTS = {name: column.tolist() for name, column in COLUMNS.items()}
ROWS = np.array([7, 3, 3, 19])


@pytest.mark.parametrize(
    "table",
    [
        COLUMNS,
        LISTS,
        {name: pd.Series(column, index=range(50, 70)) for name, column in COLUMNS.items()},
        pd.DataFrame(COLUMNS, index=range(50, 70)),
        pl.DataFrame(LISTS, strict=False),
        pa.table(LISTS),
        np.column_stack([COLUMNS["tenure"], COLUMNS["charge"]]),
        [list(row) for row in zip(COLUMNS["tenure"], COLUMNS["charge"], strict=True)],
    ],
    ids=["dict", "dict of lists", "dict of series", "pandas", "polars", "pyarrow", "array", "list"],
)
def test_selected_rows_have_their_cells(table):
    selected = LabelledTable(table, IS_CHURNED, np.arange(20.0)).select_rows(ROWS)
    assert type(selected.X) is type(table)
    np.testing.assert_array_equal(selected.is_positive, IS_CHURNED[ROWS])
    np.testing.assert_array_equal(selected.weights, ROWS)
    found = read_input_table(selected.X)
    assert found.n_rows == 4
    numbers = [column.to_numbers() for column in found.columns if column.is_numeric]
    np.testing.assert_array_equal(numbers, [COLUMNS["tenure"][ROWS], COLUMNS["charge"][ROWS]])
    for column in found.columns:
        if not column.is_numeric:
            cells = column.factorize()
            texts = [cells.values[code] if code >= 0 else None for code in cells.codes]
            assert [None if pd.isna(text) else text for text in texts] == COLUMNS["contract"][ROWS].tolist()


def test_weights_can_be_absent():
    assert LabelledTable(COLUMNS, IS_CHURNED).select_rows(ROWS).weights is None
