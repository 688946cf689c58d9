"""Parsing of the user's data: the only module that turns them into arrays of a known type and shape."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gaussmix.core.input_kinds import fill_masked_with_nan, refuse_sparse, require_no_source
from gaussmix.errors import ColumnNameError, DataError, LabelError, WeightError
from gaussmix.types import ND, AnyArray, ArrayLike, BoolN, IntN, N

_MIN_TOTAL_WEIGHT = 1e-100  # the sum of the row weights must lie between this number and its inverse
_MAX_COMPONENTS = 2.0**31  # upper bound of labels if the number of components is unknown


class NonNumericEntry(NamedTuple):
    """An entry of a table that is not a number; row and column count from 0."""

    row: int
    column: int
    value: object


class ClassNamesAndIndices(NamedTuple):
    """Names of two or more classes as text, and the index of the class of each row (n,), -1 if unknown."""

    names: tuple[str, ...]
    index_of_row: IntN


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
    require_finite(np.where(np.isnan(rows), 0.0, rows) if allow_missing else rows, feature_names)
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


def require_finite(rows: AnyArray, feature_names: Sequence[str] | None = None) -> None:
    """Raise DataError for the first NaN or infinity, with its row and column."""
    with np.errstate(all="ignore"):
        if np.isfinite(np.sum(rows)):  # one cheap sum decides in nearly all cases
            return
    is_bad = ~np.isfinite(rows)
    if is_bad.any():
        row, column = (int(i) for i in np.argwhere(is_bad)[0])
        name = str(column) if feature_names is None else repr(str(feature_names[column]))
        raise DataError.not_finite(float(rows[row, column]), row, name, int(is_bad.sum()))


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


def parse_labels(
    labels: ArrayLike | None, n_rows: int, weights: N | None = None, n_components: int | None = None
) -> IntN | None:
    """Return known components of rows (n_rows,) as integers, with -1 for unknown; None if none is known.

    Floats that are whole numbers are allowed. ``n_components`` is the upper bound, if given. Rows of weight zero count
    as absent, and their labels as unknown.
    """
    if labels is None:
        return None
    values, parsed = _parse_numeric_labels(labels)
    if parsed.shape != (n_rows,):
        raise LabelError.wrong_shape(parsed.shape, n_rows)
    is_invalid = ~((parsed >= -1.0) & (parsed < (_MAX_COMPONENTS if n_components is None else n_components)))
    is_invalid |= parsed != np.floor(parsed)
    if is_invalid.any():
        row = int(np.argmax(is_invalid))
        raise LabelError.invalid_label(
            values[row].item() if hasattr(values[row], "item") else values[row], row, n_components
        )
    known = parsed.astype(np.int64)
    if weights is not None:
        known[weights == 0] = -1
    return known if np.any(known >= 0) else None


def parse_label_integers(labels: ArrayLike) -> IntN:
    """Return labels (n,) as integers, without a copy of an array of integers; raise LabelError if they are none."""
    values = np.asarray(labels)
    if values.dtype.kind not in "iu":
        values, parsed = _parse_numeric_labels(labels)
        is_whole = parsed == np.floor(parsed)
        if not is_whole.all():
            row = int(np.argmin(is_whole.reshape(len(parsed), -1).all(axis=1))) if parsed.ndim else 0
            raise LabelError.invalid_label(float(parsed.flat[np.argmin(is_whole)]), row, None)
        values = parsed.astype(np.int64)
    if values.ndim != 1:
        raise LabelError.not_one_per_row(values.shape)
    return values


class _NumericLabels(NamedTuple):
    """Labels as the user gave them, and as floats; both are arrays of the same shape."""

    given: AnyArray
    as_floats: N


def _parse_numeric_labels(labels: ArrayLike) -> _NumericLabels:
    """Return labels as an array, and as floats; raise LabelError if they are text, booleans, dates or complex."""
    try:
        values = np.asarray(fill_masked_with_nan(labels))
        if values.dtype.kind in "bcmMSU":
            raise TypeError(f"they are of type {values.dtype}")
        return _NumericLabels(values, values.astype(np.float64))
    except (TypeError, ValueError) as error:
        raise LabelError.not_integers(error) from error


def parse_class_names_and_indices(labels: ArrayLike, n_rows: int, has_weight: BoolN) -> ClassNamesAndIndices:
    """Return the sorted names of two or more classes as text, and the class index (n_rows,) of each row, -1 if unknown.

    Labels may be numbers, text and booleans. None, NaN, masked, empty text and -1 mean unknown, and so do all labels of
    rows that are not in ``has_weight`` (n_rows,).

    Raises
    ------
    LabelError
        If there is not one label per row, fewer than two classes, or fewer than two labelled rows per class on average.
    """
    values = np.asarray(labels, dtype=object)
    if isinstance(labels, np.ma.MaskedArray):
        values[np.ma.getmaskarray(labels)] = None
    if values.shape != (n_rows,):
        raise LabelError.wrong_shape(values.shape, n_rows)
    pairs = zip(values.tolist(), has_weight.tolist(), strict=True)
    row_names = [
        None if _is_missing_label(value) or not has_row_weight else format_label(value)
        for value, has_row_weight in pairs
    ]
    distinct_names = {name for name in row_names if name is not None}
    if len(distinct_names) < 2:
        raise LabelError.too_few_groups(len(distinct_names))
    n_known = sum(name is not None for name in row_names)
    if 2 * len(distinct_names) > n_known:
        raise LabelError.fewer_than_two_rows_per_group(len(distinct_names), n_known)
    names = sorted(distinct_names, key=natural_sort_key)
    index_of_name = {name: index for index, name in enumerate(names)}
    indices = [-1 if name is None else index_of_name[name] for name in row_names]
    return ClassNamesAndIndices(tuple(names), np.array(indices, dtype=np.int64))


def _is_missing_label(value: object) -> bool:
    """Return whether a label means unknown; pandas' missing values raise on comparison, NaN differs from itself."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    try:
        return bool(value != value) or (not isinstance(value, str | bool) and value == -1)
    except TypeError:
        return True


def format_label(value: object) -> str:
    """Return a label as text; 1 and 1.0 are the same label."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < 2.0**53
    return str(int(value)) if is_whole else str(value)  # type: ignore[call-overload]


def natural_sort_key(name: str) -> tuple[object, ...]:
    """Return the sort key of a name: numbers first and by size, then natural order ('group 2' before 'group 10')."""
    if _is_numeric_text(name):
        return False, float(name), (), name
    parts = re.split("([0-9]+)", name)  # every other part is digits
    return True, 0.0, tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), name


def _is_numeric_text(name: str) -> bool:
    """Return whether a text is a number."""
    try:
        return float(name) == float(name)
    except ValueError:
        return False
