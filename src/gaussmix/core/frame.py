"""``Frame``: the coordinates a fit works in, centred and scaled by powers of two.

Floating point is honest near 0 and 1 and nowhere else, so a fit happens in a frame of its own:
``working = (data * 2**shrink - center) * 2**exponent``. Powers of two do not round, and the
centre is a short binary number near the mean, so data that sit 1e8 standard deviations from the
origin, or whose unit is 1e-150, reach the arithmetic with every bit they came with.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.errors import UnrepresentableError
from gaussmix.types import KD, KDD, ND, AnyArray, D, IntD

_MAX_SAFE_EXPONENT = 400  # values within 2**+-400 square and add without overflow; beyond, shrink first
_ROWS_PER_REDUCTION = 32  # rows
_CENTER_BITS = 12  # the centre is a multiple of 2**-12 standard deviations


@dataclass(frozen=True)
class Frame:
    """The affine map between the user's units and the working coordinates of one fit.

    ``shrink`` and ``exponent`` are integer powers of two per column; ``center`` lies in the
    shrunk units. The identity frame leaves data as they are.
    """

    shrink_exponent: IntD
    center: D
    scale_exponent: IntD

    @classmethod
    def identity(cls, n_features: int) -> "Frame":
        """Return the frame that leaves data as they are."""
        zeros = np.zeros(n_features, dtype=np.int64)
        return cls(zeros, np.zeros(n_features), zeros)

    @cached_property
    def scale_factors(self) -> tuple[D, D]:
        """2**shrink and 2**exponent."""
        return np.ldexp(1.0, self.shrink_exponent), np.ldexp(1.0, self.scale_exponent)

    @property
    def total_exponent(self) -> IntD:
        """Exponent of the whole scaling of each column, (D,): working = 2**exponent * data, up to an offset."""
        return self.shrink_exponent + self.scale_exponent

    @cached_property
    def is_identity(self) -> bool:
        """Whether data and working coordinates are the same numbers."""
        return not (self.shrink_exponent.any() or self.center.any() or self.scale_exponent.any())

    @property
    def log_abs_det_jacobian(self) -> float:
        """log |d working / d data|: add it to a log density of the frame to get the user's."""
        return math.log(2.0) * float(self.total_exponent.sum())

    def transform_rows(self, rows: AnyArray) -> ND:
        """Rows (n, D) of any float type in working coordinates, as float64."""
        shrink, scale = self.scale_factors
        if self.shrink_exponent.any():
            rows = rows * shrink
        moved = np.subtract(rows, self.center, order="C")
        moved *= scale
        return np.ascontiguousarray(moved, dtype=np.float64)

    def restore_means(self, means: KD) -> KD:
        """Points of the frame in the user's units."""
        with np.errstate(over="ignore"):
            shifted = np.ldexp(means, -self.scale_exponent) + self.center
            restored = np.ldexp(shifted, -self.shrink_exponent)
        if not np.isfinite(restored).all():
            raise UnrepresentableError.from_quantity("means", "overflow")
        return restored

    def restore_variances(self, variances: KD) -> KD:
        """Variances (K, D) in the user's units squared."""
        return _scale_by_powers_of_two("variances", np.ldexp, variances, -2 * self.total_exponent)

    def restore_covariances(self, matrices: KDD) -> KDD:
        """Covariance matrices (..., D, D) in the user's units."""
        powers = self.total_exponent
        return _scale_by_powers_of_two("covariances", np.ldexp, matrices, -(powers[:, None] + powers))

    def restore_precisions(self, matrices: KDD) -> KDD:
        """Precision matrices (..., D, D) in the user's units."""
        powers = self.total_exponent
        return _scale_by_powers_of_two("precisions", np.ldexp, matrices, powers[:, None] + powers)

    def restore_precision_roots(self, roots: KDD) -> KDD:
        """Square roots of precisions (..., D, D) in the user's units: each row by its own power."""
        return _scale_by_powers_of_two("precisions", np.ldexp, roots, self.total_exponent[:, None])

    def transform_covariances(self, matrices: KDD) -> KDD:
        """Covariance matrices of the user in working coordinates."""
        powers = self.total_exponent
        return np.asarray(np.ldexp(matrices, powers[:, None] + powers))

    def with_common_scale(self) -> "Frame":
        """The same origin with one scale for all columns, that of the widest: the metric of k-means."""
        lowest = int(self.total_exponent.min())
        exponent = np.clip(lowest - self.shrink_exponent, -1020, 1020)
        return Frame(self.shrink_exponent, self.center, exponent)

    def select_columns(self, columns: IntD) -> "Frame":
        """The frame of some of the columns."""
        return Frame(self.shrink_exponent[columns], self.center[columns], self.scale_exponent[columns])


def _scale_by_powers_of_two(name: str, ufunc: np.ufunc, values: AnyArray, exponents: IntD) -> AnyArray:
    with np.errstate(over="ignore", under="ignore"):
        restored = ufunc(values, exponents)
    if not np.isfinite(restored).all():
        raise UnrepresentableError.from_quantity(name, "overflow")
    tiny = np.finfo(np.float64).tiny
    if np.any((np.abs(restored) < tiny) & (values != 0) & (np.abs(values) > 1e-16 * np.abs(values).max())):
        raise UnrepresentableError.from_quantity(name, "underflow")
    return np.asarray(restored)


@dataclass(frozen=True)
class ColumnRange:
    """Smallest and largest value of each column; extents add."""

    minimum: D
    maximum: D

    @classmethod
    def from_rows(cls, rows: ND) -> "ColumnRange":
        """Of rows (n, D); of none it is what adding changes nothing."""
        return cls(_reduce_columns(np.minimum, rows, np.inf), _reduce_columns(np.maximum, rows, -np.inf))

    def __add__(self, other: "ColumnRange") -> "ColumnRange":
        return ColumnRange(np.minimum(self.minimum, other.minimum), np.maximum(self.maximum, other.maximum))

    def bounding_frame(self, scale_per_column: bool) -> Frame:
        """A first frame in which every value lies within about [-1, 1]."""
        size = np.maximum(np.abs(self.minimum), np.abs(self.maximum))
        exponents = np.frexp(size)[1].astype(np.int64)
        far = np.abs(exponents) > _MAX_SAFE_EXPONENT
        shrink = np.where(far, -np.clip(exponents, -1020, 1020), 0)
        if not scale_per_column:
            shrink = np.full_like(shrink, shrink[np.argmax(size)])
        factor = np.ldexp(1.0, shrink)
        low, high = self.minimum * factor, self.maximum * factor
        return _make_rounded_frame(shrink, 0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low, scale_per_column)


def _reduce_columns(ufunc: np.ufunc, rows: ND, initial: float) -> D:
    """An extreme of each column; many rows side by side, as NumPy is slow where rows are short."""
    whole = len(rows) // _ROWS_PER_REDUCTION * _ROWS_PER_REDUCTION
    wide = ufunc.reduce(rows[:whole].reshape(-1, _ROWS_PER_REDUCTION * rows.shape[1]), axis=0, initial=initial)
    return np.asarray(
        ufunc.reduce(np.vstack([wide.reshape(_ROWS_PER_REDUCTION, -1), rows[whole:]]), axis=0, initial=initial)
    )


def frame_from_mean_and_deviation(initial_frame: Frame, mean: D, deviation: D, scale_per_column: bool) -> Frame:
    """The working frame: centred near ``mean``, scaled near ``deviation`` (both in ``first``)."""
    center = np.ldexp(mean, -initial_frame.scale_exponent) + initial_frame.center
    return _make_rounded_frame(
        initial_frame.shrink_exponent, center, np.ldexp(deviation, -initial_frame.scale_exponent), scale_per_column
    )


def _make_rounded_frame(shrink_exponent: IntD, center: D, spread: D, scale_per_column: bool) -> Frame:
    moving = spread > 0
    if not scale_per_column:
        spread = np.full_like(spread, spread.max(initial=0.0))
    exponent = np.where(spread > 0, 1 - np.frexp(spread)[1].astype(np.int64), 0)
    if moving.any():  # a constant column has no scale of its own: it takes that of the widest
        exponent = np.where(moving, exponent, (shrink_exponent + exponent)[moving].min() - shrink_exponent)
    exponent = np.clip(exponent, -1020, 1020)
    quantum = np.ldexp(1.0, np.clip(-exponent - _CENTER_BITS, -1020, 1020))
    with np.errstate(over="ignore"):
        rounded = np.round(center / quantum) * quantum
    # A constant column keeps its value as the centre, so that it becomes exactly zero.
    return Frame(shrink_exponent, np.where(moving & np.isfinite(rounded), rounded, center), exponent)
