"""Parsing of the user's labels: known components or classes of rows, as numbers or text."""

import re
from typing import NamedTuple

import numpy as np

from gaussmix.core.input_kinds import fill_masked_with_nan
from gaussmix.errors import LabelError
from gaussmix.types import AnyArray, ArrayLike, BoolN, IntN, N

_MAX_COMPONENTS = 2.0**31  # upper bound of labels if the number of components is unknown


class ClassNamesAndIndices(NamedTuple):
    """Names of two or more classes as text, and the index of the class of each row (n,), -1 if unknown."""

    names: tuple[str, ...]
    index_of_row: IntN


def parse_labels(
    labels: ArrayLike | None, n_rows: int, weights: N | None = None, n_components: int | None = None
) -> IntN | None:
    """Return known components of rows (n_rows,) as integers, with -1 for unknown; None if none is known.

    Floats that are whole numbers are allowed. Distinct texts are components in sorted order, and None, NaN and '' among
    them mean unknown. ``n_components`` is the upper bound, if given. Rows of weight zero count as absent, and their
    labels as unknown.
    """
    if labels is None:
        return None
    texts = _find_text_labels(labels)
    if texts is not None:
        labels = _number_text_labels(texts, n_rows, weights, n_components)
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


def _find_text_labels(labels: ArrayLike) -> AnyArray | None:
    """Return the labels as an array of objects if some are text and all others mean unknown; None otherwise."""
    kind = getattr(getattr(labels, "dtype", None), "kind", "O")
    if kind not in "OUT":  # numbers need no look at each
        return None
    values = np.asarray(labels, dtype=object)
    if isinstance(labels, np.ma.MaskedArray):
        values[np.ma.getmaskarray(labels)] = None
    is_text = [isinstance(value, str) for value in values.flat]
    if not any(is_text):
        return None
    others = (value for value, is_one in zip(values.flat, is_text, strict=True) if not is_one)
    return values if all(map(_is_missing_label, others)) else None


def _number_text_labels(texts: AnyArray, n_rows: int, weights: N | None, n_components: int | None) -> IntN:
    """Return text labels (n_rows,) as positions of their text in sorted order, and -1 where there is none."""
    if texts.shape != (n_rows,):
        raise LabelError.wrong_shape(texts.shape, n_rows)
    has_weight = np.ones(n_rows, dtype=np.bool_) if weights is None else weights > 0
    is_known = [
        not _is_missing_label(text) and has_row_weight
        for text, has_row_weight in zip(texts.tolist(), has_weight.tolist(), strict=True)
    ]
    names = sorted(set(texts[is_known].tolist()))
    if n_components is not None and len(names) > n_components:
        raise LabelError.more_names_than_components(names, n_components)
    number_of_name = {name: number for number, name in enumerate(names)}
    numbers = np.full(n_rows, -1, dtype=np.int64)
    numbers[is_known] = [number_of_name[name] for name in texts[is_known]]
    return numbers


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
