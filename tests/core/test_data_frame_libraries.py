"""Other people's tables as rows: by name where they have names, refused where they cannot be numbers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from gaussmix import DataError, Mixture, select
from gaussmix.core.input_arrays import parse_rows

NAMES = ("height", "weight")
X = np.random.default_rng(0).normal(size=(40, 2)) * [1.0, 10.0]
MIXTURE = Mixture.from_parameters([1.0], [[0.0, 1.0]], [np.diag([1.0, 100.0])], feature_names=NAMES)


@pytest.mark.parametrize("frame", [pd.DataFrame, lambda rows, columns: pl.DataFrame(rows, schema=columns)])
def test_columns_are_matched_by_name(frame):
    table = frame(np.column_stack([X[:, 1], np.arange(40.0), X[:, 0]]), columns=["weight", "age", "height"])
    np.testing.assert_array_equal(MIXTURE.logpdf(table), MIXTURE.logpdf(X))
    with pytest.raises(DataError, match=r"no column named .weight.*; the columns are size, height"):
        MIXTURE.logpdf(frame(X, columns=["size", "height"]))


def test_select_takes_column_names_from_the_data_frame():
    chosen = select(pd.DataFrame(X, columns=list(NAMES)), n_components=1, structures="VVI").best
    assert chosen.mixture.feature_names == NAMES


def test_masked_entries_are_missing_values():
    rows = np.ma.masked_array(X, mask=np.zeros(X.shape, dtype=bool))
    np.testing.assert_array_equal(parse_rows(rows), X)
    rows.mask[3, 1] = True
    with pytest.raises(DataError, match="NaN in row 3, column 1"):
        parse_rows(rows)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (sparse.csr_array(X), "sparse data are not supported"),
        (X + 1j, "must be numbers"),
        ([["a", "b"]], "must be numbers"),
        (X[None], "must have 2 dimensions"),
        (X[:, :1], "have 1 column, but the model was fitted to 2"),
    ],
)
def test_unusable_data_raise_data_error(rows, sentence):
    with pytest.raises(DataError, match=sentence):
        MIXTURE.logpdf(rows)
