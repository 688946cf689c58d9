"""Why a column of a table cannot be used: it has no or one value, identifies the rows, or has too many levels.

Reasons are parts of sentences, such as "identifies the rows", or None.
"""

import math

import numpy as np

from gaussmix.classification.table.category_cells import CategoryCells
from gaussmix.diagnostics.identifier_rules import is_identifier_number, is_identifier_text
from gaussmix.types import N

MIN_LEVEL_ROWS = 5  # of a level that stands for itself
_MAX_FEW_LEVELS = 12  # are never too many
_MAX_RARE_FRACTION = 0.5  # of the rows that have a rare level


def reason_to_drop_numbers(name: str, numbers: N, has_names: bool) -> str | None:
    """Return why a numeric column (n,) is left out.

    In an array without names nothing identifies the rows: a user chose its columns.
    """
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return "has no values"
    if present.min() == present.max():
        return f"is {present[0]:.10g} in every row"
    return "identifies the rows" if has_names and is_identifier_number(name, present) else None


def reason_to_drop_category(cells: CategoryCells) -> str | None:
    """Return why a categorical column is left out, but for the number of its levels."""
    if not cells.values:
        return "has no values"
    if len(cells.values) == 1:
        return f"is {cells.values[0]!r} in every row"
    is_text = all(isinstance(value, str) for value in cells.values)
    return "identifies the rows" if is_text and is_identifier_text(cells.counts) else None


def reason_to_drop_levels(cells: CategoryCells) -> str | None:
    """Return why a categorical column has too many levels to estimate; 12 are never too many.

    Of more levels, those with at least 5 rows may be as many as the square root of the number of rows, and at least
    half of the rows must have one of these.
    """
    n_rows, is_rare = cells.n_present, cells.counts < MIN_LEVEL_ROWS
    if len(cells.values) <= _MAX_FEW_LEVELS:
        return None
    if cells.counts[is_rare].sum() > _MAX_RARE_FRACTION * n_rows:
        return f"has {len(cells.values)} values, most of its rows one that fewer than {MIN_LEVEL_ROWS} rows have,"
    n_levels = int(np.count_nonzero(~is_rare))
    maximum = max(_MAX_FEW_LEVELS, math.isqrt(n_rows))
    return f"has {n_levels} values, more than the square root of its {n_rows} rows," if n_levels > maximum else None
