"""Find columns that alone predict the class of nearly every row, as columns do that are filled in afterwards.

A row is predicted from the other rows: by the commonest class of those with the same level, or of those whose numbers
are nearest. So columns of many levels gain nothing, and neither units nor the order of the rows matter.
"""

from typing import NamedTuple

import numpy as np

from gaussmix.classification.table.column_kinds import ClassifiedColumns
from gaussmix.types import Array, BoolN, IntN, N

_MAX_REMAINING_ERRORS = 0.2  # of those of guessing the largest class; Goodman and Kruskal's lambda is above 0.8
_MAX_ERRORS_OF_SMALL_TABLES = 0.1  # for numbers: in small tables, measurements often nearly separate the classes
_MIN_ERRORS_OF_GUESSING = 20  # of so many, chance does not predict four fifths
_MIN_ROWS_OF_NUMBERS = 200  # with fewer, they often do so in nine rows of ten
_MIN_ROWS_OF_LARGE_TABLES = 1000
_N_NEIGHBOURS = 5  # on either side of a number


class SuspectedLeak(NamedTuple):
    """A column that alone, or whose presence alone, predicts the class of a fraction ``accuracy`` of the rows."""

    column: str
    accuracy: float
    is_presence: bool


def find_suspected_leaks(columns: ClassifiedColumns, target_codes: IntN, has_names: bool) -> list[SuspectedLeak]:
    """Return the columns that alone leave at most a fifth of the errors of guessing the largest class.

    Levels and presence count in all tables where guessing makes at least 20 errors. Numbers count in tables with names
    of at least 200 rows; below 1000 rows they have to leave at most a tenth of the errors. Of columns that are left
    out, such as dates, only the presence counts.

    Parameters
    ----------
    columns : ClassifiedColumns
    target_codes : ndarray of int64 of shape (n,)
        Classes of the rows, from 0.
    has_names : bool
        Whether the columns of the table have names.
    """
    n_rows = len(target_codes)
    n_guessing = n_rows - int(np.bincount(target_codes).max())
    if n_guessing < _MIN_ERRORS_OF_GUESSING:
        return []
    max_errors_by_number = _max_errors_by_number(n_rows) if has_names else -1.0
    suspected = []
    for name, is_present in columns.presence.items():
        max_errors = max_errors_by_number if name in columns.numbers else _MAX_REMAINING_ERRORS
        if max_errors < 0:
            continue
        if name in columns.numbers:
            is_right = _predict_by_numbers(columns.numbers[name], target_codes)
        else:
            codes = columns.categories[name].codes if name in columns.categories else is_present.astype(np.int64)
            is_right = _predict_by_levels(codes, target_codes)
        if np.count_nonzero(~is_right) <= max_errors * n_guessing:
            suspected.append(SuspectedLeak(name, float(is_right.mean()), name not in columns.names))
    return suspected


def _max_errors_by_number(n_rows: int) -> float:
    """Return the fraction of the errors of guessing that a suspected number may leave; negative for too few rows."""
    if n_rows < _MIN_ROWS_OF_NUMBERS:
        return -1.0
    return _MAX_ERRORS_OF_SMALL_TABLES if n_rows < _MIN_ROWS_OF_LARGE_TABLES else _MAX_REMAINING_ERRORS


def _predict_by_levels(codes: IntN, target_codes: IntN) -> BoolN:
    """Return which rows (n,) have the class that is commonest among the other rows of the same level.

    Missing cells, of code -1, are a level.
    """
    counts = np.zeros((int(codes.max()) + 2, int(target_codes.max()) + 1))
    np.add.at(counts, (codes + 1, target_codes), 1.0)
    return _is_commonest_among_others(counts[codes + 1], target_codes)


def _predict_by_numbers(numbers: N, target_codes: IntN) -> BoolN:
    """Return which rows (n,) have the class that is commonest among the nearest rows, five on either side and ties."""
    is_present = ~np.isnan(numbers)
    is_right = _predict_by_levels(is_present.astype(np.int64), target_codes)  # for missing numbers
    rows = np.flatnonzero(is_present)[np.argsort(numbers[is_present])]
    values, classes, positions = numbers[rows], target_codes[rows], np.arange(len(rows))
    lowest = values[np.maximum(positions - _N_NEIGHBOURS, 0)]
    highest = values[np.minimum(positions + _N_NEIGHBOURS, len(rows) - 1)]
    sums = np.zeros((len(rows) + 1, int(target_codes.max()) + 1))
    sums[positions + 1, classes] = 1.0
    sums = np.cumsum(sums, axis=0)
    counts = sums[np.searchsorted(values, highest, "right")] - sums[np.searchsorted(values, lowest, "left")]
    is_right[rows] = _is_commonest_among_others(counts, classes)
    return is_right


def _is_commonest_among_others(counts: Array, classes: IntN) -> BoolN:
    """Return whether the class (n,) of each row is the commonest one of its counts (n, Y) without the row itself."""
    others, rows = counts.copy(), np.arange(len(classes))
    own = others[rows, classes] - 1.0
    others[rows, classes] = -1.0
    return np.asarray(own > others.max(axis=1))
