"""The frame of a fit: working coordinates, centred and scaled by powers of two.

Floating-point numbers are most accurate near 0 and 1, so every fit works in a frame of its own:
``working = (data * 2**shrink_exponent - center) * 2**scale_exponent``. Powers of two do not round, and the center is a
short binary number near the mean. Data that are 1e8 standard deviations away from the origin, or whose unit is 1e-150,
therefore lose no bit.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.core.input_arrays import has_missing_cells
from gaussmix.errors import UnrepresentableError
from gaussmix.types import KD, KDD, ND, AnyArray, D, IntD, N

_MAX_SAFE_EXPONENT = 400  # squares and sums of values within 2**+-400 do not overflow; other columns are shrunk first
_ROWS_PER_REDUCTION = 32
_MAX_NORMAL_EXPONENT = 1020
_MAX_VALUES_AT_ONCE = 1 << 15
_CENTER_BITS = 12  # the center is a multiple of 2**-12 standard deviations


class ScaleFactors(NamedTuple):
    """Factors (D,) of the columns before and after the center is subtracted; both are powers of two."""

    before_center: D
    after_center: D


@dataclass(frozen=True)
class Frame:
    """The affine map from the units of the data to the working coordinates of a fit.

    ``shrink_exponent`` and ``scale_exponent`` are integers per column (D,); ``center`` (D,) is in the shrunk units.
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
    def scale_factors(self) -> ScaleFactors:
        """2**shrink_exponent and 2**scale_exponent, (D,) each: working = (data * first - center) * second."""
        return ScaleFactors(np.ldexp(1.0, self.shrink_exponent), np.ldexp(1.0, self.scale_exponent))

    @property
    def total_exponent(self) -> IntD:
        """Exponent of the whole scaling of each column, (D,): working = 2**exponent * data, up to an offset."""
        return self.shrink_exponent + self.scale_exponent

    @cached_property
    def is_identity(self) -> bool:
        """Whether data and working coordinates are the same numbers."""
        return not (self.shrink_exponent.any() or self.center.any() or self.scale_exponent.any())

    @cached_property
    def log_abs_det_jacobian(self) -> float:
        """log |d working / d data|; added to a log density of the frame it gives that of the data."""
        return math.log(2.0) * float(self.total_exponent.sum())

    def log_jacobians_of_rows(self, rows: AnyArray) -> "N | float":
        """Return log |d working / d data| of the present cells of each row (n, D), (n,); one number if none is NaN."""
        if not has_missing_cells(rows):
            return self.log_abs_det_jacobian
        return np.asarray(math.log(2.0) * (~np.isnan(rows) @ self.total_exponent))

    def transform_rows(self, rows: AnyArray) -> ND:
        """Return rows (n, D) of any float type in working coordinates, as float64."""
        if len(rows) * len(self.center) <= _MAX_VALUES_AT_ONCE:
            return self._transform_block(rows)
        transformed, n_rows = np.empty(rows.shape), max(1, _MAX_VALUES_AT_ONCE // len(self.center))
        for start in range(0, len(rows), n_rows):  # a block stays in the cache
            transformed[start : start + n_rows] = self._transform_block(rows[start : start + n_rows])
        return transformed

    def _transform_block(self, rows: AnyArray) -> ND:
        """Return what `transform_rows` returns, in one step."""
        shrink, scale = self.scale_factors
        if self.shrink_exponent.any():
            rows = rows * shrink
        centered = np.subtract(rows, self.center, order="C")
        centered *= scale
        return np.ascontiguousarray(centered, dtype=np.float64)

    def transform_means_from(self, other: "Frame", means: D) -> D:
        """Return means (D,) in the coordinates of another frame of the same shrink exponents in those of this one."""
        offsets = np.ldexp(means, -other.scale_exponent) + (other.center - self.center)
        return np.asarray(np.ldexp(offsets, self.scale_exponent))

    def restore_means(self, means: KD) -> KD:
        """Return means (K, D) in the units of the data.

        Raises
        ------
        UnrepresentableError
            If a mean overflows.
        """
        with np.errstate(over="ignore"):
            shifted = multiply_by_powers_of_two(means, -self.scale_exponent) + self.center
            restored = multiply_by_powers_of_two(shifted, -self.shrink_exponent)
        if not np.isfinite(restored).all():
            raise UnrepresentableError.from_quantity("means", "overflow")
        return restored

    def restore_variances(self, variances: KD) -> KD:
        """Return variances (K, D) in the units of the data, squared."""
        return _scale_by_powers_of_two("variances", variances, -2 * self.total_exponent)

    def restore_covariances(self, matrices: KDD) -> KDD:
        """Return covariance matrices (..., D, D) in the units of the data."""
        powers = self.total_exponent
        return _scale_by_powers_of_two("covariances", matrices, -(powers[:, None] + powers))

    def restore_precisions(self, matrices: KDD) -> KDD:
        """Return precision matrices (..., D, D) in the units of the data."""
        powers = self.total_exponent
        return _scale_by_powers_of_two("precisions", matrices, powers[:, None] + powers)

    def restore_precision_roots(self, roots: KDD) -> KDD:
        """Return square roots of precisions (..., D, D) in the units of the data: each row has its own power."""
        return _scale_by_powers_of_two("precisions", roots, self.total_exponent[:, None])

    def transform_covariances(self, matrices: KDD) -> KDD:
        """Return covariance matrices (..., D, D) in working coordinates."""
        powers = self.total_exponent
        return np.asarray(np.ldexp(matrices, powers[:, None] + powers))

    def with_common_scale(self) -> "Frame":
        """Return the frame of the same origin with one scale for all columns, that of the widest; itself if it has."""
        lowest = int(self.total_exponent.min())
        exponent = _clip_exponents(lowest - self.shrink_exponent)
        if (exponent == self.scale_exponent).all():
            return self
        return Frame(self.shrink_exponent, self.center, exponent)

    def select_columns(self, columns: IntD) -> "Frame":
        """Return the frame of some columns, by position."""
        return Frame(self.shrink_exponent[columns], self.center[columns], self.scale_exponent[columns])


def multiply_by_powers_of_two(values: AnyArray, exponents: IntD, out: AnyArray | None = None) -> AnyArray:
    """Return values (..., D) * 2**exponents; ``ldexp`` takes ten times as long as a product with a normal number."""
    if np.abs(exponents).max(initial=0) > _MAX_NORMAL_EXPONENT:
        return np.asarray(np.ldexp(values, exponents, out=out))
    return np.asarray(np.multiply(values, np.ldexp(1.0, exponents), out=out))


def _scale_by_powers_of_two(quantity: str, values: AnyArray, exponents: IntD) -> AnyArray:
    """Return values * 2**exponents; raise UnrepresentableError if one overflows or loses bits by underflow."""
    with np.errstate(over="ignore", under="ignore"):
        restored = np.ldexp(values, exponents)
    if not np.isfinite(restored).all():
        raise UnrepresentableError.from_quantity(quantity, "overflow")
    tiny = np.finfo(np.float64).tiny
    if np.any((np.abs(restored) < tiny) & (values != 0) & (np.abs(values) > 1e-16 * np.abs(values).max())):
        raise UnrepresentableError.from_quantity(quantity, "underflow")
    return np.asarray(restored)


@dataclass(frozen=True)
class ColumnRange:
    """Minimum and maximum of each column; the sum of two ranges is the range of all rows."""

    minimum: D
    maximum: D

    @classmethod
    def from_rows(cls, rows: ND) -> "ColumnRange":
        """Return the range of rows (n, D); without rows, minimum infinity and maximum minus infinity."""
        return cls(_reduce_columns(np.minimum, rows, np.inf), _reduce_columns(np.maximum, rows, -np.inf))

    def __add__(self, other: "ColumnRange") -> "ColumnRange":
        return ColumnRange(np.minimum(self.minimum, other.minimum), np.maximum(self.maximum, other.maximum))

    def bounding_frame(self, scale_per_column: bool) -> Frame:
        """Return a frame in which all values of this range are within about [-1, 1], in every column."""
        size = np.maximum(np.abs(self.minimum), np.abs(self.maximum))
        exponents = np.frexp(size)[1].astype(np.int64)
        is_extreme = np.abs(exponents) > _MAX_SAFE_EXPONENT
        shrink = np.where(is_extreme, -_clip_exponents(exponents), 0)
        if not scale_per_column:
            shrink = np.full_like(shrink, shrink[np.argmax(size)])
        factor = np.ldexp(1.0, shrink)
        low, high = self.minimum * factor, self.maximum * factor
        return _make_rounded_frame(shrink, 0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low, scale_per_column)


def _reduce_columns(ufunc: np.ufunc, rows: ND, initial: float) -> D:
    """Return the reduction of each column; several rows side by side are faster, since NumPy is slow for short rows."""
    n_whole = len(rows) // _ROWS_PER_REDUCTION * _ROWS_PER_REDUCTION
    partial = ufunc.reduce(rows[:n_whole].reshape(-1, _ROWS_PER_REDUCTION * rows.shape[1]), axis=0, initial=initial)
    return np.asarray(
        ufunc.reduce(np.vstack([partial.reshape(_ROWS_PER_REDUCTION, -1), rows[n_whole:]]), axis=0, initial=initial)
    )


def frame_from_mean_and_deviation(initial_frame: Frame, mean: D, deviation: D, scale_per_column: bool) -> Frame:
    """Return the working frame: centred near ``mean`` and scaled near ``deviation``, both in ``initial_frame``."""
    center = np.ldexp(mean, -initial_frame.scale_exponent) + initial_frame.center
    return _make_rounded_frame(
        initial_frame.shrink_exponent, center, np.ldexp(deviation, -initial_frame.scale_exponent), scale_per_column
    )


def _make_rounded_frame(shrink_exponent: IntD, center: D, spread: D, scale_per_column: bool) -> Frame:
    """Return a frame with the center rounded, and with powers of two as scales that make ``spread`` about 1."""
    is_varying = spread > 0
    if not scale_per_column:
        spread = np.full_like(spread, spread.max(initial=0.0))
    exponent = np.where(spread > 0, 1 - np.frexp(spread)[1].astype(np.int64), 0)
    if is_varying.any() and not is_varying.all():  # a constant column takes the scale of the widest column
        exponent = np.where(is_varying, exponent, (shrink_exponent + exponent)[is_varying].min() - shrink_exponent)
    exponent = _clip_exponents(exponent)
    quantum = np.ldexp(1.0, _clip_exponents(-exponent - _CENTER_BITS))
    with np.errstate(over="ignore"):
        rounded = np.round(center / quantum) * quantum
    # The center of a constant column is its value, so that the column becomes exactly zero.
    return Frame(shrink_exponent, np.where(is_varying & np.isfinite(rounded), rounded, center), exponent)


def _clip_exponents(exponents: IntD) -> IntD:
    """Return exponents (D,) of powers of two that are normal numbers; NumPy's ``clip`` takes three times as long."""
    return np.asarray(np.minimum(np.maximum(exponents, -_MAX_NORMAL_EXPONENT), _MAX_NORMAL_EXPONENT))
