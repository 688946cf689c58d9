"""Parse once: the only place that turns what a caller hands over into arrays of a known dtype and shape."""

import re
from collections.abc import Sequence

import numpy as np

from gaussmix.errors import DataError, LabelError, WeightError
from gaussmix.types import DD, KDD, ND, AnyArray, ArrayLike, BoolN, IntN, N

_MIN_TOTAL_WEIGHT = 1e-100  # row weights that add up to less, or to more than its inverse, are out of all proportion
_MAX_COMPONENTS = 2.0**31  # what a label may name where nobody says how many components there are


def parse_rows(
    data: ArrayLike,
    n_features: int | None = None,
    feature_names: Sequence[str] | None = None,
    keep_float32: bool = False,
) -> ND:
    """Rows of numbers as a 2-d float64 array, or one sentence that names what is wrong.

    A one-dimensional input is a column where the model has one feature and a row otherwise. Of a
    data frame the columns in ``feature_names`` are taken, by name and in that order. An array of
    float64 is not copied; ``keep_single`` leaves one of float32 as it is too, for a caller that
    reads it block by block.

    Raises
    ------
    DataError
        If ``data`` is not numeric, lacks a column or has another number of them, or holds NaN or
        infinity.
    """
    present = column_names(data)
    if feature_names is not None and present is not None:
        missing = [name for name in feature_names if name not in present]
        if missing:
            raise DataError.unknown_columns(missing, present)
        data = data[list(feature_names)]  # type: ignore[index, call-overload]
    rows = _to_float_array(data, keep_float32)
    if rows.ndim < 2:
        rows = rows.reshape(-1, 1) if n_features in (None, 1) else rows.reshape(1, -1)
    if rows.ndim != 2:
        raise DataError.wrong_ndim(rows.ndim)
    if n_features is not None and rows.shape[1] != n_features:
        raise DataError.wrong_n_features(rows.shape[1], n_features)
    require_finite(rows, feature_names)
    return rows


def column_names(data: object) -> list[str] | None:
    """The column names of a data frame (pandas, polars and their like), None for anything else."""
    columns = getattr(data, "columns", None)
    if columns is None:
        return None
    names = list(columns)
    return names if names and all(isinstance(name, str) for name in names) else None


def _to_float_array(data: object, keep_float32: bool) -> ND:
    """Anything array-like as floats; masked entries become NaN, complex numbers and sparse matrices are refused."""
    if hasattr(data, "toarray"):
        raise DataError.sparse_matrix()
    if isinstance(data, np.ma.MaskedArray):
        data = np.ma.filled(np.ma.asarray(data, dtype=np.float64), np.nan)
    try:
        array = np.asarray(data)
        if np.iscomplexobj(array):
            raise TypeError("complex numbers")
        if keep_float32 and array.dtype == np.float32:
            return array
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError.not_numeric(error, first_non_numeric(data)) from error


def first_non_numeric(data: object) -> tuple[int, int, object] | None:
    """Row, column and value of the first entry of a table that is no number; None where there is no such entry."""
    cells = np.atleast_2d(np.asarray(data, dtype=object))
    if cells.ndim != 2:
        return None
    for (row, column), value in np.ndenumerate(cells):
        try:
            float(value)
        except (TypeError, ValueError):
            return row, column, value
    return None


def require_finite(rows: AnyArray, feature_names: Sequence[str] | None = None) -> None:
    """Raise DataError naming the first row and column that hold NaN or infinity."""
    with np.errstate(all="ignore"):
        if np.isfinite(np.sum(rows)):  # one cheap sum decides for almost every input
            return
    bad = ~np.isfinite(rows)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        name = str(column) if feature_names is None else repr(str(feature_names[column]))
        raise DataError.not_finite(float(rows[row, column]), row, name, int(bad.sum()))


def parse_weights(weights: ArrayLike | None, n_rows: int) -> N | None:
    """Row weights as float64 of shape (n_rows,), finite, not negative, not all zero; None stays None."""
    if weights is None:
        return None
    try:
        parsed = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise WeightError.not_numeric_weights(error) from error
    if parsed.ndim == 0:
        parsed = np.full(n_rows, float(parsed))
    if parsed.shape != (n_rows,):
        raise WeightError.wrong_shape(parsed.shape, n_rows)
    bad = ~(np.isfinite(parsed) & (parsed >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise WeightError.invalid_weight(float(parsed[row]), row)
    if not parsed.any():
        raise WeightError.all_zero()
    with np.errstate(over="ignore"):
        total = float(parsed.sum())
    if not _MIN_TOTAL_WEIGHT < total < 1.0 / _MIN_TOTAL_WEIGHT:
        raise WeightError.extreme_total(total)
    return parsed


def parse_labels(
    labels: ArrayLike | None, n_rows: int, weights: N | None = None, n_components: int | None = None
) -> IntN | None:
    """Known components of rows (n_rows,) as integers, -1 where unknown; None where none is known.

    ``n_components`` bounds them where it is given. Floats that are whole numbers are fine. Of a row of weight zero,
    which is absent, nothing is known.
    """
    if labels is None:
        return None
    try:
        given = np.asarray(labels)
        if given.dtype.kind in "bcmMSU":
            raise TypeError(f"they are of type {given.dtype}")
        parsed = given.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise LabelError.not_integers(error) from error
    if parsed.shape != (n_rows,):
        raise LabelError.wrong_shape(parsed.shape, n_rows)
    bad = ~((parsed >= -1.0) & (parsed < (_MAX_COMPONENTS if n_components is None else n_components)))
    bad |= parsed != np.floor(parsed)
    if bad.any():
        row = int(np.argmax(bad))
        raise LabelError.invalid_label(
            given[row].item() if hasattr(given[row], "item") else given[row], row, n_components
        )
    known = parsed.astype(np.int64)
    if weights is not None:
        known[weights == 0] = -1
    return known if np.any(known >= 0) else None


def parse_classes(labels: ArrayLike, n_rows: int, has_weight: BoolN) -> tuple[tuple[str, ...], IntN]:
    """The names of known groups, sorted, and that of each row (n_rows,) as its place among them; -1 where unknown.

    Numbers, texts and booleans are fine; None, NaN, an empty text and the number -1 say that a group is not known.
    Of rows that are not ``counted`` (n_rows,) nothing is.
    """
    given = np.asarray(labels, dtype=object)
    if given.shape != (n_rows,):
        raise LabelError.wrong_shape(given.shape, n_rows)
    pairs = zip(given.tolist(), has_weight.tolist(), strict=True)
    written = [None if _is_missing_label(value) or not counts else _format_label(value) for value, counts in pairs]
    found = {name for name in written if name is not None}
    if len(found) < 2:
        raise LabelError.too_few_groups(len(found))
    n_known = sum(name is not None for name in written)
    if 2 * len(found) > n_known:
        raise LabelError.too_many_groups(len(found), n_known)
    names = sorted(found, key=_natural_sort_key)
    places = {name: place for place, name in enumerate(names)}
    return tuple(names), np.array([-1 if name is None else places[name] for name in written], dtype=np.int64)


def _is_missing_label(value: object) -> bool:
    """Whether a label says nothing: missing values of pandas answer no comparison, NaN is not even itself."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    try:
        return bool(value != value) or (not isinstance(value, str | bool) and value == -1)
    except TypeError:
        return True


def _format_label(value: object) -> str:
    """A label as text; 1 and 1.0 are one label."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < 2.0**53
    return str(int(value)) if is_whole else str(value)  # type: ignore[call-overload]


def _natural_sort_key(name: str) -> tuple[object, ...]:
    """What sorts names: numbers first and by size, others as people do, 'group 2' before 'group 10'."""
    if _is_numeric_text(name):
        return False, float(name), (), name
    parts = re.split("([0-9]+)", name)  # digits at every other place
    return True, 0.0, tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), name


def _is_numeric_text(name: str) -> bool:
    try:
        return float(name) == float(name)
    except ValueError:
        return False


def parse_covariances(covariances: ArrayLike) -> KDD | DD:
    """Symmetric covariance matrices as float64; symmetry is checked to 1e-8 of the largest entry."""
    parsed = np.asarray(covariances, dtype=np.float64)
    if not np.isfinite(parsed).all():
        raise DataError.not_finite_parameter("covariances")
    if parsed.ndim >= 2:
        gap = np.abs(parsed - np.swapaxes(parsed, -1, -2)).max(initial=0.0)
        if gap > 1e-8 * np.abs(parsed).max(initial=0.0):
            raise DataError.asymmetric_covariance(float(gap))
    return parsed
