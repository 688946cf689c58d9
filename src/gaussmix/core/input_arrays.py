"""Parsing of the user's rows and weights: the only module that turns them into arrays of a known type and shape."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gaussmix.core.input_kinds import fill_masked_with_nan, refuse_sparse, require_no_source
from gaussmix.errors import ColumnNameError, DataError, WeightError
from gaussmix.types import ND, AnyArray, ArrayLike, N

_MIN_TOTAL_WEIGHT = 1e-100  # the sum of the row weights must lie between this number and its inverse


class NonNumericEntry(NamedTuple):
    """An entry of a table that is not a number; row and column count from 0."""

    row: int
    column: int
    value: object


def parse_rows(
    data: ArrayLike,
    n_features: int | None = None,
    feature_names: Sequence[str] | None = None,
    keep_float32: bool = False,
    allow_missing: bool = False,
) -> ND:
    """Return rows of numbers as a 2-d float64 array.

    Parameters
    ----------
    data : array-like or data frame
        A one-dimensional array is a column if the model has one feature, and a row otherwise. An array of float64 is
        not copied.
    n_features : int, optional
        Required number of columns.
    feature_names : sequence of str, optional
        The columns to take from a data frame, by name and in this order.
    keep_float32 : bool, default=False
        Whether an array of float32 is returned as it is.
    allow_missing : bool, default=False
        Whether NaN is allowed, for a missing cell.

    Raises
    ------
    DataError
        If ``data`` are not numeric, lack a column, have another number of columns, or contain infinity, or NaN that is
        not allowed.
    """
    names = column_names(data)
    if feature_names is not None and names is not None:
        missing = [name for name in feature_names if name not in names]
        if missing:
            raise ColumnNameError.unknown_columns(missing, names)
        data = data[list(feature_names)]  # type: ignore[index, call-overload]
    rows = _to_float_array(data, keep_float32)
    if rows.ndim < 2:
        rows = rows.reshape(-1, 1) if n_features in (None, 1) else rows.reshape(1, -1)
    if rows.ndim != 2:
        raise DataError.wrong_ndim(rows.ndim)
    if n_features is not None and rows.shape[1] != n_features:
        raise DataError.wrong_n_features(rows.shape[1], n_features)
    require_finite(rows, feature_names, allow_missing)
    return rows


def column_names(data: object) -> list[str] | None:
    """Return the column names of a data frame (pandas, polars and others), or None for other data.

    Names that are not texts give None. A name that occurs twice raises DataError.
    """
    columns = getattr(data, "columns", None)
    if columns is None:
        return None
    names = list(columns)
    if not names or not all(isinstance(name, str) for name in names):
        return None
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ColumnNameError.repeated_columns(repeated)
    return names


def _to_float_array(data: object, keep_float32: bool) -> ND:
    """Return array-like data as floats, with NaN for masked entries.

    Complex numbers and sparse matrices raise DataError.
    """
    refuse_sparse(data)
    require_no_source(data)
    try:
        array = np.asarray(fill_masked_with_nan(data))
        if np.iscomplexobj(array):
            raise TypeError("complex numbers")
        if keep_float32 and array.dtype == np.float32:
            return array
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError.not_numeric(error, find_first_non_numeric(data)) from error


def find_first_non_numeric(data: object) -> NonNumericEntry | None:
    """Return the first entry of a table that is not a number, with its row and column; None if all are numbers."""
    cells = np.atleast_2d(np.asarray(data, dtype=object))
    if cells.ndim != 2:
        return None
    for (row, column), value in np.ndenumerate(cells):
        try:
            float(value)
        except (TypeError, ValueError, OverflowError):
            return NonNumericEntry(row, column, value)
    return None


def require_finite(rows: AnyArray, feature_names: Sequence[str] | None = None, allow_missing: bool = False) -> None:
    """Raise DataError for the first NaN, unless missing cells are allowed, or infinity, with its row and column."""
    with np.errstate(all="ignore"):
        if np.isfinite(np.sum(rows)):  # one cheap sum decides in nearly all cases
            return
    is_bad = np.isinf(rows) if allow_missing else ~np.isfinite(rows)
    if is_bad.any():
        row, column = (int(i) for i in np.argwhere(is_bad)[0])
        name = str(column) if feature_names is None else repr(str(feature_names[column]))
        raise DataError.not_finite(float(rows[row, column]), row, name, int(is_bad.sum()))


def has_missing_cells(rows: AnyArray) -> bool:
    """Return whether rows (n, D) without infinities have NaN."""
    with np.errstate(all="ignore"):
        return bool(np.isnan(np.sum(rows)) and np.isnan(rows).any())  # the sum decides without an array of all cells


def require_observed_columns(rows: AnyArray, feature_names: Sequence[str] | None = None) -> None:
    """Raise DataError for the first column of rows (n, D) whose cells are all missing."""
    if not has_missing_cells(rows):
        return
    is_empty = np.isnan(rows).all(axis=0)
    if is_empty.any():
        column = int(np.argmax(is_empty))
        raise DataError.column_without_cells(str(column) if feature_names is None else repr(str(feature_names[column])))


def parse_weights(weights: ArrayLike | None, n_rows: int, name: str = "sample_weight") -> N | None:
    """Return row weights (n_rows,), float64, or raise WeightError; None stays None, and one number is repeated.

    They must be finite, not negative and not all zero. Error messages call them ``name``.
    """
    if weights is None:
        return None
    try:
        parsed = np.asarray(fill_masked_with_nan(weights), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise WeightError.not_numeric_weights(error, name) from error
    if parsed.ndim == 0:
        parsed = np.full(n_rows, float(parsed))
    if parsed.shape != (n_rows,):
        raise WeightError.wrong_shape(parsed.shape, n_rows, name)
    is_invalid = ~(np.isfinite(parsed) & (parsed >= 0))
    if is_invalid.any():
        row = int(np.argmax(is_invalid))
        raise WeightError.invalid_weight(float(parsed[row]), row, name)
    if not parsed.any():
        raise WeightError.all_zero(name)
    with np.errstate(over="ignore"):
        total = float(parsed.sum())
    if not _MIN_TOTAL_WEIGHT < total < 1.0 / _MIN_TOTAL_WEIGHT:
        raise WeightError.extreme_total(total, name)
    return parsed
