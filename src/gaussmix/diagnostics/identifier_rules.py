"""Recognise columns that identify rows, such as customer numbers, and that say nothing about other rows."""

import re

import numpy as np

from gaussmix.types import IntD, N

_ID_NAME_PATTERN = re.compile(r"(?i:^|[_ .-])(?i:id)$|ID$")  # 'id', 'customer_id', 'userID'
_ROW_NUMBER_NAMES = frozenset(
    ("", "index", "row", "row_id", "rowid", "row_index", "row_number", "rownames", "data_row", "unnamed:_0")
)
_FIRST_YEAR, _LAST_YEAR = 1500, 2199  # distinct years are measured, however dense they are
_MIN_ROW_NUMBERS = 6  # whole numbers in order are a chance of 1 in 720
_MIN_EXPECTED_TIES = 20.0  # among whole numbers that are distinct by chance with probability exp(-20)
_MIN_DISTINCT_TEXTS = 3


def is_identifier_number(name: str, values: N) -> bool:
    """Return whether the values (m,) of a numeric column identify the rows.

    They do if they are distinct whole numbers, and one of these holds:

    - the name says so: 'id', 'customer_id', 'rownames', ...,
    - they are 0, 1, 2, ... or 1, 2, 3, ... in order,
    - they are too dense to be distinct by chance. Of m whole numbers from a range of r, about m^2 / (2 r) pairs are
      equal; from 20 on, measured numbers would repeat. So a part of the numbers 1 to n in any order is recognised, and
      distinct measurements in a small table are not. Numbers that may be years are not recognised by this rule.
    """
    if not are_distinct_whole_numbers(values):
        return False
    is_row_number = len(values) >= _MIN_ROW_NUMBERS and are_row_numbers(values)
    return is_identifier_name(name) or is_row_number or _are_too_dense(values)


def is_identifier_text(counts: IntD) -> bool:
    """Return whether all texts of a column are distinct, given how many rows have each, (m,)."""
    return len(counts) >= _MIN_DISTINCT_TEXTS and bool((counts == 1).all())


def is_identifier_name(name: str) -> bool:
    """Return whether a name is that of an identifier: 'id', 'customer_id', 'userID', 'index', 'Unnamed: 0'."""
    return bool(_ID_NAME_PATTERN.search(name)) or name.strip().lower().replace(" ", "_") in _ROW_NUMBER_NAMES


def are_distinct_whole_numbers(values: N) -> bool:
    """Return whether all values (n,) are whole numbers and no two are equal."""
    is_whole = bool(np.isfinite(values).all()) and np.array_equal(values, np.round(values))
    return is_whole and len(np.unique(values)) == len(values)


def are_row_numbers(values: N) -> bool:
    """Return whether the values are 0, 1, 2, ... or 1, 2, 3, ... in order."""
    return values[0] in (0, 1) and bool(np.array_equal(values, values[0] + np.arange(len(values))))


def _are_too_dense(values: N) -> bool:
    """Return whether distinct whole numbers (m,), unless years, would repeat if drawn at random from their range."""
    if values.min() >= _FIRST_YEAR and values.max() <= _LAST_YEAR:
        return False
    range_size = float(values.max() - values.min()) + 1.0
    return len(values) ** 2 / (2.0 * range_size) >= _MIN_EXPECTED_TIES
