"""Location and scale of each column over the last rows of a stream, which a few wild values do not move.

The location is the median. The scale s of the n deviations d_i from it is Huber's M-estimate, a winsorised deviation:

    s^2 = mean of min(d_i^2, c^2 s^2),   c = sqrt(50)

(Huber & Ronchetti, "Robust Statistics", Wiley 2009, chapter 5). Without deviations beyond c s it is the standard
deviation about the median. It stays of that size while fewer than 1 / c^2 of the rows, 2 %, deviate by more; from more
rows it learns that the scale has changed. In a column that seldom changes its value, c is larger, so that a quarter of
the rows that deviate may be wild.
"""

from typing import NamedTuple

import numpy as np

from gaussmix.types import ND, AnyArray, D

# Largest fraction of the rows that may be wild, and of the rows that deviate from the median at all.
_MAX_WILD_FRACTION, _MAX_WILD_FRACTION_OF_DEVIATING = 0.02, 0.25
# The scale is estimated anew after a sixteenth of the rows that are kept: it costs as much as a few rows.
_RENEWAL_FRACTION = 16
_MIN_CAPACITY = 64  # rows; it doubles until there is room for all that are kept


class LocationAndScale(NamedTuple):
    """Medians (d,) and half of the scales (d,) of some columns. The whole scale may overflow."""

    location: D
    half_scale: D

    def limits(self, n_scales: float) -> ND:
        """Return the values (2, d) so many scales below and above the location; infinite where the scale is 0."""
        with np.errstate(over="ignore"):  # beyond all numbers is no limit
            reach = np.where(self.half_scale > 0, n_scales * (2.0 * self.half_scale), np.inf)
            return np.stack((self.location - reach, self.location + reach))


def estimate_location_and_scale(rows: ND) -> LocationAndScale:
    """Return the lower median and half of the robust scale of each column of rows (n, d); 0 for constant columns."""
    middle = (len(rows) - 1) // 2
    location = np.partition(rows, middle, axis=0)[middle]
    return LocationAndScale(location, _winsorised_deviation(np.abs(0.5 * rows - 0.5 * location)))


def _winsorised_deviation(deviations: ND) -> D:
    """Return the M-estimate of scale of deviations (n, d), which are not negative.

    If the k smallest deviations are not clipped, then s^2 (n - c^2 (n - k)) is the sum of their squares. The right side
    of the equation is concave in s^2. So the solution is the smallest s^2 over all k for which the factor is positive.
    """
    n_rows = len(deviations)
    ordered = np.sort(deviations, axis=0)
    deviating_fraction = np.maximum((ordered > 0).mean(axis=0), 1.0 / n_rows)
    squared_limit = 1.0 / np.minimum(_MAX_WILD_FRACTION, _MAX_WILD_FRACTION_OF_DEVIATING * deviating_fraction)
    factors = n_rows - squared_limit * np.arange(n_rows - 1, -1, -1)[:, None]
    unit = np.take_along_axis(ordered, (factors > 0).argmax(axis=0)[None], axis=0)[0]
    safe_unit = np.where(unit > 0, unit, 1.0)  # only of constant columns it is 0
    with np.errstate(over="ignore"):  # squares of wild values may be infinite, and are clipped
        sums = np.cumsum((ordered / safe_unit) ** 2, axis=0)
    squares = np.divide(sums, factors, out=np.full(sums.shape, np.inf), where=factors > 0).min(axis=0)
    return np.asarray(unit * np.sqrt(squares))


class RecentRows:
    """The last ``size`` rows of a stream, and the location and scale of their columns, renewed from time to time.

    A column that becomes constant keeps its scale.

    Attributes
    ----------
    scales : LocationAndScale
        As of the last renewal; a column that has always been constant has scale 0.
    """

    def __init__(self, size: int, n_features: int) -> None:
        self.scales = LocationAndScale(np.full(n_features, np.nan), np.zeros(n_features))
        self._size, self._rows = size, np.empty((0, n_features))
        self._n_rows, self._next_renewal = 0, 1
        self._has_constant_column = True

    def append(self, row: D) -> bool:
        """Add a row (d,), renew location and scale if it is time to, and return whether they were renewed.

        The first change of a column that was constant so far is such a time.
        """
        if self._n_rows == len(self._rows) < self._size:
            n_more = min(max(len(self._rows), _MIN_CAPACITY), self._size - len(self._rows))
            self._rows = np.concatenate((self._rows, np.empty((n_more, len(row)))))
        self._rows[self._n_rows % len(self._rows)] = row
        self._n_rows += 1
        is_due = self._n_rows >= self._next_renewal or (self._has_constant_column and self._has_first_change(row))
        if is_due:
            self._renew()
        return is_due

    def rows_in_order(self) -> ND:
        """Return the rows (n, d) that are kept, the oldest first."""
        if self._n_rows <= len(self._rows):
            return self._rows[: self._n_rows]
        first = self._n_rows % len(self._rows)
        return np.concatenate((self._rows[first:], self._rows[:first]))

    def to_tensors(self) -> dict[str, AnyArray]:
        """Return the state as arrays by name."""
        return {
            "rows": self.rows_in_order(),
            "scales": np.stack(self.scales),
            "row_counters": np.array([self._n_rows, self._next_renewal]),
        }

    def set_tensors(self, tensors: dict[str, AnyArray]) -> None:
        """Continue from the state of rows of the same size and width."""
        self._n_rows, self._next_renewal = tensors["row_counters"].tolist()
        n_kept = min(self._n_rows, self._size)
        self._rows = np.empty((n_kept, len(self.scales.location)))
        self._rows[np.arange(self._n_rows - n_kept, self._n_rows) % max(n_kept, 1)] = tensors["rows"]
        self._set_scales(LocationAndScale(*tensors["scales"]))

    def _has_first_change(self, row: D) -> bool:
        """Return whether a column of a row (d,) deviates that has always been constant."""
        return bool(((self.scales.half_scale == 0) & (row != self.scales.location)).any())

    def _renew(self) -> None:
        """Estimate location and scale of the rows that are kept."""
        n_kept = min(self._n_rows, len(self._rows))
        location, half_scale = estimate_location_and_scale(self._rows[:n_kept])
        self._set_scales(LocationAndScale(location, np.where(half_scale > 0, half_scale, self.scales.half_scale)))
        self._next_renewal = self._n_rows + max(1, n_kept // _RENEWAL_FRACTION)

    def _set_scales(self, scales: LocationAndScale) -> None:
        """Set location and scale of the columns."""
        self.scales = scales
        self._has_constant_column = bool((scales.half_scale == 0).any())
