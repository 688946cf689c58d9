"""Find columns whose other values occur in one class only, as in a count of calls by those who cancel.

Such a column may say nothing about many rows of this class, so that it does not predict nearly every row.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import bdtrc

from gaussmix.classification.table.category_cells import codes_of_numbers
from gaussmix.classification.table.cell_values import CellValue
from gaussmix.classification.table.column_kinds import ClassifiedColumns
from gaussmix.types import BoolN, IntN

_MIN_PURITY = 0.98  # of the rows with another value, those of the class
_MIN_FRACTION_OF_CLASS = 0.5  # of the rows of the class, those with another value
_MAX_CHANCE = float(np.exp(-20.0))  # that so many rows are of one class, if labels were random


class OneSidedColumn(NamedTuple):
    """A column that differs from ``value``, None for missing, in ``n_rows`` rows, ``purity`` of them of one class."""

    column: str
    value: CellValue | None
    n_rows: int
    purity: float


def find_one_sided_columns(columns: ClassifiedColumns, target_codes: IntN) -> list[OneSidedColumn]:
    """Return the columns of which all values but one occur in the smaller of two classes, and in half of its rows.

    One row in fifty may be an exception. Common classes are left out: few rows of rare ones differ in any value. So are
    targets of several classes, in which many a value is typical of one of them.

    Parameters
    ----------
    columns : ClassifiedColumns
    target_codes : ndarray of int64 of shape (n,)
        Classes of the rows, from 0.
    """
    class_counts = np.bincount(target_codes)
    if np.count_nonzero(class_counts) != 2:
        return []
    is_of_class = target_codes == int(np.where(class_counts > 0, class_counts, len(target_codes)).argmin())
    found = []
    for name in columns.names:
        cells = columns.categories.get(name) or codes_of_numbers(columns.numbers[name], name)
        code = int(np.bincount(cells.codes[~is_of_class] + 1).argmax()) - 1
        is_other = cells.codes != code
        if _is_beyond_chance(is_other, is_of_class):
            value = None if code < 0 else cells.values[code]
            found.append(OneSidedColumn(name, value, int(is_other.sum()), float(is_of_class[is_other].mean())))
    return found


def _is_beyond_chance(is_other: BoolN, is_of_class: BoolN) -> bool:
    """Return whether rows with another value (n,) are of one class, most of its rows, and not by chance."""
    n_other, n_of_class = int(np.count_nonzero(is_other)), int(np.count_nonzero(is_of_class))
    n_right = int(np.count_nonzero(is_other & is_of_class))
    if n_right < max(_MIN_PURITY * n_other, _MIN_FRACTION_OF_CLASS * n_of_class):
        return False
    return bool(bdtrc(n_right - 1, n_other, n_of_class / len(is_other)) <= _MAX_CHANCE)
