"""Parsing of the columns of a table of tracks: integers, coordinates and boxes become arrays of a known shape."""

import numpy as np

from gaussmix.core.input_kinds import fill_masked_with_nan, refuse_sparse
from gaussmix.errors import TrackInputError
from gaussmix.types import ND, ArrayLike, IntN, N

_MAX_EXACT_INTEGER = 2.0**53  # above, a float64 no longer says which integer it was


def parse_integers(column: str, values: ArrayLike) -> IntN:
    """Return a column of whole numbers (n,) as int64; floats that are whole are allowed.

    Raises
    ------
    TrackInputError
        If an entry is not whole, not finite or not a number.
    """
    array = np.asarray(fill_masked_with_nan(values))
    if array.ndim != 1:
        raise TrackInputError.not_one_per_row(column, array.shape, len(array) if array.ndim else 1)
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    numbers = to_floats(column, array)
    with np.errstate(invalid="ignore"):
        is_whole = (numbers == np.floor(numbers)) & (np.abs(numbers) < _MAX_EXACT_INTEGER)
    if not is_whole.all():
        row = int(np.argmin(is_whole))
        raise TrackInputError.not_whole(column, numbers[row], row)
    return numbers.astype(np.int64)


def parse_coordinates(column: str, values: ArrayLike, n_rows: int, widths: tuple[int, ...]) -> ND:
    """Return coordinates (n_rows, p) as float64, where p is one of ``widths``; no rows may come as [].

    Raises
    ------
    TrackInputError
        If the shape is another one, or an entry is not finite.
    """
    array = to_floats(column, values)
    if n_rows == 0 and array.size == 0 and array.ndim < 2:
        return np.empty((0, widths[0]))
    if array.ndim != 2 or len(array) != n_rows or array.shape[1] not in widths:
        raise TrackInputError.wrong_shape(column, array.shape, n_rows, " or ".join(map(str, widths)))
    require_finite(column, array)
    return array


def parse_boxes(values: ArrayLike, n_rows: int) -> ND:
    """Return boxes (n_rows, 4) of left, top, width and height; raise TrackInputError for a negative size."""
    boxes = parse_coordinates("boxes", values, n_rows, (4,))
    for column, side in ((2, "width"), (3, "height")):
        if (boxes[:, column] < 0).any():
            row = int(np.argmax(boxes[:, column] < 0))
            raise TrackInputError.negative_size(side, float(boxes[row, column]), row)
    return boxes


def parse_numbers_per_row(column: str, values: ArrayLike, n_rows: int) -> N:
    """Return a column (n_rows,) of finite numbers; raise TrackInputError for another shape, NaN or infinity."""
    array = to_floats(column, values)
    if array.shape != (n_rows,):
        raise TrackInputError.not_one_per_row(column, array.shape, n_rows)
    require_finite(column, array[:, np.newaxis])
    return array


def to_floats(column: str, values: ArrayLike) -> ND:
    """Return array-like values as a new array of float64; raise TrackInputError for text, dates or complex numbers."""
    refuse_sparse(values)
    try:
        array = np.asarray(fill_masked_with_nan(values))
        if array.dtype.kind in "cmMSU":
            raise TypeError(f"they are of type {array.dtype}")
        return np.array(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise TrackInputError.not_numeric_column(column, error) from error


def require_finite(column: str, array: ND) -> None:
    """Raise TrackInputError for the first row (of n, p) with NaN or infinity."""
    is_finite = np.isfinite(array)
    if not is_finite.all():
        row, position = (int(i) for i in np.argwhere(~is_finite)[0])
        raise TrackInputError.not_finite_entry(column, float(array[row, position]), row)
