"""Recognise columns that identify rows, such as customer numbers, and that say nothing about other rows."""

import re

import numpy as np

from gaussmix.types import IntD, N

_ID_NAME_PATTERN = re.compile(r"(?i:^|[_ .-])(?i:id)$|ID$")  # 'id', 'customer_id', 'userID'
_ROW_NUMBER_NAMES = frozenset(("", "index", "row", "rowid", "row_number", "rownames", "rowname", "unnamed: 0"))
_MIN_EXPECTED_TIES = 20.0  # among values of whole numbers that are distinct by chance with probability exp(-20)
_MIN_DISTINCT_TEXTS = 3


def is_identifier_number(name: str, values: N) -> bool:
    """Return whether present values (m,) of a numeric column identify the rows.

    They are distinct whole numbers, and the name says so, or they are 0, 1, 2, ... or 1, 2, 3, ... in order, or they
    fill their range so densely that measured numbers would repeat. Among m numbers drawn from a range of r whole
    numbers, at least m^2 / (2 r) pairs are equal on average; from 20 on, distinct numbers are no chance.
    """
    if not np.array_equal(values, np.round(values)) or len(np.unique(values)) < len(values):
        return False
    is_named = bool(_ID_NAME_PATTERN.search(name)) or name.strip().lower() in _ROW_NUMBER_NAMES
    return is_named or are_row_numbers(values) or _are_too_dense(values)


def are_row_numbers(values: N) -> bool:
    """Return whether the values are 0, 1, 2, ... or 1, 2, 3, ... in order."""
    return values[0] in (0, 1) and bool(np.array_equal(values, values[0] + np.arange(len(values))))


def _are_too_dense(values: N) -> bool:
    """Return whether distinct whole numbers (m,) would repeat if they were drawn at random from their range."""
    range_size = float(values.max() - values.min()) + 1.0
    return len(values) ** 2 / (2.0 * range_size) >= _MIN_EXPECTED_TIES


def is_identifier_text(counts: IntD) -> bool:
    """Return whether all texts are distinct, given how many rows have each, (m,)."""
    return len(counts) >= _MIN_DISTINCT_TEXTS and bool((counts == 1).all())
