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

_SAFE_EXPONENT = 400  # values within 2**+-400 square and add without overflow; beyond, shrink first
_ABREAST = 32  # rows
_CENTER_BITS = 12  # the centre is a multiple of 2**-12 standard deviations


@dataclass(frozen=True)
class Frame:
    """The affine map between the user's units and the working coordinates of one fit.

    ``shrink`` and ``exponent`` are integer powers of two per column; ``center`` lies in the
    shrunk units. The identity frame leaves data as they are.
    """

    shrink: IntD
    center: D
    exponent: IntD

    @classmethod
    def identity(cls, n_features: int) -> "Frame":
        zeros = np.zeros(n_features, dtype=np.int64)
        return cls(zeros, np.zeros(n_features), zeros)

    @cached_property
    def factors(self) -> tuple[D, D]:
        """2**shrink and 2**exponent."""
        return np.ldexp(1.0, self.shrink), np.ldexp(1.0, self.exponent)

    @property
    def total_exponent(self) -> IntD:
        return self.shrink + self.exponent

    @cached_property
    def is_identity(self) -> bool:
        """Whether data and working coordinates are the same numbers."""
        return not (self.shrink.any() or self.center.any() or self.exponent.any())

    @property
    def log_volume(self) -> float:
        """log |d working / d data|: add it to a log density of the frame to get the user's."""
        return math.log(2.0) * float(self.total_exponent.sum())

    def apply(self, rows: AnyArray) -> ND:
        """Rows (n, D) of any float type in working coordinates, as float64."""
        shrink, scale = self.factors
        if self.shrink.any():
            rows = rows * shrink
        moved = np.subtract(rows, self.center, order="C")
        moved *= scale
        return np.ascontiguousarray(moved, dtype=np.float64)

    def restore_points(self, points: KD) -> KD:
        """Points of the frame in the user's units."""
        with np.errstate(over="ignore"):
            shifted = np.ldexp(points, -self.exponent) + self.center
            restored = np.ldexp(shifted, -self.shrink)
        if not np.isfinite(restored).all():
            raise UnrepresentableError.of("means", "overflow")
        return restored

    def restore_variances(self, variances: KD) -> KD:
        """Variances (K, D) in the user's units squared."""
        return _representable("variances", np.ldexp, variances, -2 * self.total_exponent)

    def restore_covariances(self, matrices: KDD) -> KDD:
        """Covariance matrices (..., D, D) in the user's units."""
        powers = self.total_exponent
        return _representable("covariances", np.ldexp, matrices, -(powers[:, None] + powers))

    def restore_precisions(self, matrices: KDD) -> KDD:
        """Precision matrices (..., D, D) in the user's units."""
        powers = self.total_exponent
        return _representable("precisions", np.ldexp, matrices, powers[:, None] + powers)

    def restore_roots(self, roots: KDD) -> KDD:
        """Square roots of precisions (..., D, D) in the user's units: each row by its own power."""
        return _representable("precisions", np.ldexp, roots, self.total_exponent[:, None])

    def apply_covariances(self, matrices: KDD) -> KDD:
        """Covariance matrices of the user in working coordinates."""
        powers = self.total_exponent
        return np.asarray(np.ldexp(matrices, powers[:, None] + powers))

    def common(self) -> "Frame":
        """The same origin with one scale for all columns, that of the widest: the metric of k-means."""
        lowest = int(self.total_exponent.min())
        exponent = np.clip(lowest - self.shrink, -1020, 1020)
        return Frame(self.shrink, self.center, exponent)

    def select(self, columns: IntD) -> "Frame":
        """The frame of some of the columns."""
        return Frame(self.shrink[columns], self.center[columns], self.exponent[columns])


def _representable(name: str, change: np.ufunc, values: AnyArray, powers: IntD) -> AnyArray:
    with np.errstate(over="ignore", under="ignore"):
        restored = change(values, powers)
    if not np.isfinite(restored).all():
        raise UnrepresentableError.of(name, "overflow")
    tiny = np.finfo(np.float64).tiny
    if np.any((np.abs(restored) < tiny) & (values != 0) & (np.abs(values) > 1e-16 * np.abs(values).max())):
        raise UnrepresentableError.of(name, "underflow")
    return np.asarray(restored)


@dataclass(frozen=True)
class Extent:
    """Smallest and largest value of each column; extents add."""

    low: D
    high: D

    @classmethod
    def of(cls, rows: ND) -> "Extent":
        """Of rows (n, D); of none it is what adding changes nothing."""
        return cls(_columnwise(np.minimum, rows, np.inf), _columnwise(np.maximum, rows, -np.inf))

    def __add__(self, other: "Extent") -> "Extent":
        return Extent(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def frame(self, per_column: bool) -> Frame:
        """A first frame in which every value lies within about [-1, 1]."""
        size = np.maximum(np.abs(self.low), np.abs(self.high))
        exponents = np.frexp(size)[1].astype(np.int64)
        far = np.abs(exponents) > _SAFE_EXPONENT
        shrink = np.where(far, -np.clip(exponents, -1020, 1020), 0)
        if not per_column:
            shrink = np.full_like(shrink, shrink[np.argmax(size)])
        factor = np.ldexp(1.0, shrink)
        low, high = self.low * factor, self.high * factor
        return _finished(shrink, 0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low, per_column)


def _columnwise(extreme: np.ufunc, rows: ND, start: float) -> D:
    """An extreme of each column; many rows side by side, as NumPy is slow where rows are short."""
    whole = len(rows) // _ABREAST * _ABREAST
    wide = extreme.reduce(rows[:whole].reshape(-1, _ABREAST * rows.shape[1]), axis=0, initial=start)
    return np.asarray(extreme.reduce(np.vstack([wide.reshape(_ABREAST, -1), rows[whole:]]), axis=0, initial=start))


def frame_around(first: Frame, mean: D, deviation: D, per_column: bool) -> Frame:
    """The working frame: centred near ``mean``, scaled near ``deviation`` (both in ``first``)."""
    center = np.ldexp(mean, -first.exponent) + first.center
    return _finished(first.shrink, center, np.ldexp(deviation, -first.exponent), per_column)


def _finished(shrink: IntD, center: D, spread: D, per_column: bool) -> Frame:
    moving = spread > 0
    if not per_column:
        spread = np.full_like(spread, spread.max(initial=0.0))
    exponent = np.where(spread > 0, 1 - np.frexp(spread)[1].astype(np.int64), 0)
    if moving.any():  # a constant column has no scale of its own: it takes that of the widest
        exponent = np.where(moving, exponent, (shrink + exponent)[moving].min() - shrink)
    exponent = np.clip(exponent, -1020, 1020)
    quantum = np.ldexp(1.0, np.clip(-exponent - _CENTER_BITS, -1020, 1020))
    with np.errstate(over="ignore"):
        rounded = np.round(center / quantum) * quantum
    # A constant column keeps its value as the centre, so that it becomes exactly zero.
    return Frame(shrink, np.where(moving & np.isfinite(rounded), rounded, center), exponent)
