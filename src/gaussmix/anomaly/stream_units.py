"""Units of a stream: rows are measured from one of them, in powers of two near the scale, so that no square overflows.

Neither step rounds more than the rows themselves are rounded. Missing values take the last value of their column.
"""

from typing import NamedTuple

import numpy as np

from gaussmix.anomaly.recent_rows import LocationAndScale
from gaussmix.types import BoolN, D, IntD

# Larger deviations, in units of a column, are clipped. Their squares and products are far from overflow.
MAX_DEVIATION = 2.0**100
# A column gets another unit if its scale differs from the unit by more than this power of two.
_MAX_EXPONENT_DIFFERENCE = 50
# A column gets another origin if its location is farther from the origin, in scales: there a row loses half its digits.
_MAX_LOCATION = 2.0**30
# Factors between units stay within the powers of two that are finite.
_MAX_EXPONENT = 1000


class UnitChange(NamedTuple):
    """A change of units: subtract ``shift`` (d,) from numbers in old units, then multiply them by ``factor`` (d,)."""

    shift: D
    factor: D


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

    def to_units(self, row: D) -> D:
        """Return complete rows (d,) or (n, d) in units, clipped where they are extremely far from the origin."""
        half_deviation = 0.5 * row - 0.5 * self.origin  # the whole may overflow
        clipped = np.minimum(np.maximum(half_deviation, -self._max_half_deviation), self._max_half_deviation)
        return np.ldexp(clipped, 1 - self.exponent)

    def adapt(self, scales: LocationAndScale) -> UnitChange | None:
        """Choose units near the scales, and origins near the locations; return the change, or None if there is none.

        A column that gets its first unit counts as unchanged, since all of its deviations so far are 0.
        """
        is_known = scales.half_scale > 0
        exponent = np.frexp(scales.half_scale)[1] + 1
        needs_unit = is_known & (~self.has_unit | (np.abs(exponent - self.exponent) > _MAX_EXPONENT_DIFFERENCE))
        half_distance = np.abs(0.5 * scales.location - 0.5 * self.origin)
        needs_origin = is_known & (half_distance / _MAX_LOCATION > scales.half_scale)
        if not (needs_unit | needs_origin).any():
            return None
        shift = np.where(needs_origin, self.to_units(scales.location), 0.0)
        self.origin = np.where(needs_origin, scales.location, self.origin)
        growth = np.where(needs_unit & self.has_unit, self.exponent - exponent, 0)
        self.exponent = np.where(needs_unit, exponent, self.exponent)
        self.has_unit = self.has_unit | needs_unit
        self._max_half_deviation = self._largest_half_deviation()
        return UnitChange(shift, np.ldexp(1.0, np.clip(growth, -_MAX_EXPONENT, _MAX_EXPONENT)))

    def _largest_half_deviation(self) -> D:
        """Return half of the largest deviation of each column that is not clipped."""
        with np.errstate(over="ignore"):
            return np.asarray(np.ldexp(0.5 * MAX_DEVIATION, self.exponent))
