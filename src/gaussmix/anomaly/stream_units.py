"""Units of a stream: rows are measured from the first row, in powers of two, so that no square overflows.

Neither step rounds more than the rows themselves are rounded. Missing values take the last value of their column.
"""

import numpy as np

from gaussmix.types import BoolN, D, IntD

# Larger deviations, in units of a column, change the unit. Their squares and products are far from overflow.
_MAX_DEVIATION = 2.0**100


class StreamUnits:
    """Origin, unit and last value of each column.

    Attributes
    ----------
    origin : (D,)
        First value of each column; NaN before there is one.
    exponent : (D,) of int
        The unit of each column is 2 to this power.
    has_unit : (D,) of bool
        Whether a column has changed its value yet, so that it has a unit.
    last_row : (D,)
        Last value of each column; NaN before there is one.
    """

    def __init__(self, origin: D, exponent: IntD, has_unit: BoolN, last_row: D) -> None:
        self.origin, self.exponent, self.has_unit, self.last_row = origin, exponent, has_unit, last_row
        self._is_complete = not np.isnan(origin).any()
        self._max_half_deviation = self._largest_half_deviation()

    @classmethod
    def for_columns(cls, n_features: int) -> "StreamUnits":
        """Return units before the first row."""
        unknown = np.full(n_features, np.nan)
        return cls(unknown, np.zeros(n_features, np.int64), np.zeros(n_features, bool), unknown.copy())

    def fill_missing_values(self, row: D) -> D | None:
        """Return the row with the last values of columns that are missing; None if there is nothing to learn.

        There is nothing to learn from a row without any value, and none before every column had a value.
        """
        is_missing = np.isnan(row)
        if is_missing.any():
            if is_missing.all():
                return None
            row = np.where(is_missing, self.last_row, row)
        if not self._is_complete:
            self.origin = np.where(np.isnan(self.origin), row, self.origin)
            self._is_complete = not np.isnan(self.origin).any()
        self.last_row = row
        return row if self._is_complete else None

    def to_units(self, row: D) -> tuple[D, IntD | None]:
        """Return a complete row in units, and by how much the exponent of each column grew, or None if none did.

        A column that gets its first unit counts as unchanged, since all of its deviations so far are 0.
        """
        half_deviation = 0.5 * row - 0.5 * self.origin  # the whole may overflow
        needs_unit = np.abs(half_deviation) > self._max_half_deviation
        change = None
        if needs_unit.any():
            change = np.where(needs_unit, np.frexp(half_deviation)[1] - self.exponent, 0)
            self.exponent = self.exponent + change
            change[~self.has_unit] = 0  # all deviations so far are 0
            self.has_unit |= needs_unit
            self._max_half_deviation = self._largest_half_deviation()
        return np.ldexp(half_deviation, 1 - self.exponent), change

    def _largest_half_deviation(self) -> D:
        """Return half of the largest deviation that each column may have before its unit changes."""
        with np.errstate(over="ignore"):
            return np.where(self.has_unit, np.ldexp(_MAX_DEVIATION, self.exponent), 0.0)
