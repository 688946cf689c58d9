"""What callers hand over becomes arrays of one dtype and shape, or one sentence."""

from typing import Any

import numpy as np
import pytest

from gaussmix import DataError, ParameterError
from gaussmix.core.input_arrays import parse_rows, parse_weights, require_finite
from gaussmix.core.parameter_arrays import parse_covariances

TABLE = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        tuple(map(tuple, TABLE)),
        np.array(TABLE, dtype=np.float32),
        np.array(TABLE, dtype=np.int16),
        np.array(TABLE, dtype=object),
        np.array(TABLE, dtype=">f8"),
        np.asfortranarray(TABLE),
        np.array([["1", "2"], ["3", "4"], ["5", "6.0"]], dtype=object),
    ],
    ids=["list", "tuple", "float32", "int16", "object", "big-endian", "Fortran", "numbers as text"],
)
def test_rows_become_float64(data: Any) -> None:
    rows = parse_rows(data)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, TABLE)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_float64_and_float32_arrays_are_not_copied(dtype: type) -> None:
    data = np.array(TABLE, dtype=dtype)
    assert np.shares_memory(parse_rows(data, keep_float32=True), data)
    assert parse_rows(data, keep_float32=True).dtype == dtype
    assert np.shares_memory(parse_rows(data), data) == (dtype is np.float64)


@pytest.mark.parametrize("dtype", [np.float16, ">f4", np.int32])
def test_keep_float32_converts_other_types_to_float64(dtype: Any) -> None:
    rows = parse_rows(np.array(TABLE, dtype=dtype), keep_float32=True)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, TABLE)


def test_booleans_become_zero_and_one() -> None:
    np.testing.assert_array_equal(parse_rows(np.array([[True, False]])), [[1.0, 0.0]])


def test_one_dimensional_data_are_a_column_or_a_row() -> None:
    assert parse_rows([1.0, 2.0, 3.0]).shape == (3, 1)
    assert parse_rows([1.0, 2.0, 3.0], n_features=1).shape == (3, 1)
    assert parse_rows([1.0, 2.0, 3.0], n_features=3).shape == (1, 3)
    assert parse_rows(4.0).shape == (1, 1)


@pytest.mark.parametrize(
    ("data", "n_features", "sentence"),
    [
        ([["a", "b"]], None, "the data must be numbers.*drop or convert"),
        ([[1.0], [1.0, 2.0]], None, "the data must be numbers"),
        ([[None, object()]], None, "the data must be numbers"),
        (np.zeros((2, 2, 2)), None, r"must have 2 dimensions .* but have 3\. Reshape your data"),
        (TABLE, 3, "the data have 2 columns, but the model was fitted to 3; pass the same columns"),
        ([1.0, 2.0], 3, "the data have 2 columns, but the model was fitted to 3"),
    ],
)
def test_unusable_rows_raise_data_error(data: Any, n_features: int | None, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        parse_rows(data, n_features)


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_error_names_row_and_column_of_nan_or_infinity(value: float, word: str) -> None:
    rows = np.array(TABLE)
    rows[1, 1] = value
    with pytest.raises(DataError, match=rf"X contains {word}.* in row 1, column 1; rows and columns count from 0"):
        parse_rows(rows)
    with pytest.raises(DataError, match="in row 1, column 'height'"):
        parse_rows(rows, feature_names=("weight", "height"))
    rows[2, 0] = value
    with pytest.raises(DataError, match=r"row 1, column 1 \(2 such values in all\)"):
        require_finite(rows)


def test_numbers_whose_sum_overflows_are_finite() -> None:
    require_finite(np.full((4, 1), 1e308))
    require_finite(np.array([[1e308, -1e308], [1e308, 1e308]], dtype=np.float64))


def test_valid_weights_become_float64() -> None:
    assert parse_weights(None, 3) is None
    np.testing.assert_array_equal(np.asarray(parse_weights([1, 0, 2], 3)), [1.0, 0.0, 2.0])
    np.testing.assert_array_equal(np.asarray(parse_weights(2.0, 3)), [2.0, 2.0, 2.0])
    parsed = parse_weights(np.array([1, 2], dtype=np.float32), 2)
    assert parsed is not None
    assert parsed.dtype == np.float64


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ([1.0, 2.0], r"must have the shape \(3,\), one number per row, but has \(2,\)"),
        (np.ones((3, 1)), r"but has \(3, 1\)"),
        ([1.0, -2.0, 1.0], "must be finite and not negative, but is -2.0 in row 1"),
        ([1.0, 2.0, np.nan], "but is nan in row 2"),
        ([np.inf, 2.0, 1.0], "but is inf in row 0"),
        ([0.0, 0.0, 0.0], "zero in every row; at least one row must count"),
        (["a", "b", "c"], "must be numbers"),
    ],
)
def test_unusable_weights_raise_weight_error(weights: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        parse_weights(weights, 3)


def test_covariances_must_be_symmetric_to_rounding() -> None:
    matrix = np.array([[1.0, 0.5], [0.5 + 1e-12, 2.0]])
    np.testing.assert_array_equal(parse_covariances(matrix), matrix)
    np.testing.assert_array_equal(parse_covariances(3.0), 3.0)
    with pytest.raises(ParameterError, match=r"must be symmetric, but its entries differ .* by up to 0.25"):
        parse_covariances([[1.0, 0.5], [0.25, 2.0]])
    with pytest.raises(ParameterError, match="NaN or infinity in covariances"):
        parse_covariances([[1.0, np.nan], [np.nan, 1.0]])
