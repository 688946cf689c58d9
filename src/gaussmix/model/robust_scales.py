"""Scales of columns without far rows: where a few rows carry nearly all of a column's variance, that of the others.

A sentinel such as 65535 or -9999, or one slip of the keyboard, can make the overall variance 1e9 times that of the
groups. A variance floor, a frame or a tolerance relative to it would then hide the groups. Sigma clipping finds such
rows: those beyond three standard deviations are left out, and mean and deviation are computed again until they settle.
The result replaces the overall moments only if at most a tenth of the weight is left out and the variance falls to
less than a hundredth. Columns without a value beyond three deviations, or of a small kurtosis, need no search. For
others, two thousand rows decide first whether it can change anything.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import ColumnRange
from gaussmix.sources import AbstractSource
from gaussmix.sources.base import CollectedRows
from gaussmix.types import ND, BoolN, BoolNK, D, N

MAX_FAR_WEIGHT = 0.1  # fraction of the weight that far rows may have
MAX_VARIANCE_RATIO = 0.01  # of the other rows to all rows
_MIN_FAR_DEVIATIONS = 2.9  # of the farthest row from the mean; a tenth of the rows is at most 3 from it
# Of all rows. A fraction p of far rows has at least (1 - p) (1 - (1 - p) / 100) of the variance, and a kurtosis of at
# least the square of that over p: 8 for a tenth, 5.7 for 13 %.
_MIN_KURTOSIS = 6.0
_CLIP_DEVIATIONS = 3.0
_FINAL_CLIP_DEVIATIONS = 4.0  # where most rows have one value, whose distance from the others counts
_MAX_CLIP_PASSES = 30
_SETTLED_RATIO = 0.9  # of the variances of two successive passes
_N_SCREENING_ROWS, _MAX_ROWS = 2_000, 20_000
_SCREENING_LENIENCY = 4.0
# Of the values: equal values of different rounding errors deviate by less.
_MIN_RELATIVE_DEVIATION = 32.0 * float(np.finfo(np.float64).eps)


class ColumnScales(NamedTuple):
    """Mean (D,) and variance (D,) of each column, in the coordinates of a source."""

    mean: D
    variance: D


def robust_column_scales(
    source: AbstractSource, scales: ColumnScales, value_range: ColumnRange, kurtosis: D | None = None
) -> ColumnScales:
    """Return the scales of the columns, without far rows where a few of them carry nearly all of the variance.

    Parameters
    ----------
    source : AbstractSource
    scales : ColumnScales
        Mean and variance of all rows, in the frame of the source.
    value_range : ColumnRange
        Minimum and maximum of each column, in the same frame.
    kurtosis : ndarray of shape (D,), optional
        Fourth central moments over squared variances; columns of small ones need no search.
    """
    reach = np.maximum(value_range.maximum - scales.mean, scales.mean - value_range.minimum)
    columns = np.flatnonzero(reach > _MIN_FAR_DEVIATIONS * np.sqrt(scales.variance))
    columns = columns[scales.variance[columns] > 0]
    if kurtosis is not None:
        columns = columns[~(kurtosis[columns] < _MIN_KURTOSIS)]
    origin = source.frame.transform_rows(np.zeros((1, source.n_features)))[0]
    for select_rows, clip, leniency in (
        (_select_screening_rows, _clip_far_rows, _SCREENING_LENIENCY),
        (_select_rows, _clip_rows_far_from_uncommon_values, 1.0),
    ):
        if not len(columns):
            return scales
        rows, weights = select_rows(source)
        start = ColumnScales(scales.mean[columns], scales.variance[columns])
        value_weights = np.repeat(weights[:, None], len(columns), axis=1)
        max_clipped_weight = leniency * MAX_FAR_WEIGHT * float(weights.sum())
        clipped = clip(rows[:, columns], value_weights, start, origin[columns], max_clipped_weight)
        has_far_rows = clipped.variance < leniency * MAX_VARIANCE_RATIO * start.variance
        columns, clipped = columns[has_far_rows], ColumnScales(*(values[has_far_rows] for values in clipped))
    mean, variance = scales.mean.copy(), scales.variance.copy()
    mean[columns], variance[columns] = clipped
    return ColumnScales(mean, variance)


def _select_rows(source: AbstractSource) -> CollectedRows:
    """Return the distinct rows with their weights; of many, 20 000 that a hash of their values chooses."""
    return source.with_label_prior(None).collect(_MAX_ROWS)


def _select_screening_rows(source: AbstractSource) -> CollectedRows:
    """Return about two thousand evenly spaced rows with their weights, in the frame of the source."""
    step = max(1, (source.n_rows or 100 * _N_SCREENING_ROWS) // _N_SCREENING_ROWS)
    parts = source.with_label_prior(None).reduce(_EvenlySpacedRows(step))
    return CollectedRows(*(np.concatenate(arrays) for arrays in zip(*parts.pairs, strict=True)))


class _RowsAndWeights(NamedTuple):
    """Pairs of rows and weights; they add by concatenation."""

    pairs: tuple[tuple[ND, N], ...]

    def __add__(self, other: "_RowsAndWeights") -> "_RowsAndWeights":  # type: ignore[override]
        return _RowsAndWeights(self.pairs + other.pairs)


@dataclass(frozen=True)
class _EvenlySpacedRows:
    """A task that takes every ``step``-th row of a source, in its frame."""

    step: int

    def __call__(self, batch: Batch) -> _RowsAndWeights:
        positions = np.arange(-batch.first_row % self.step, batch.n_rows, self.step)
        weights = np.ones(len(positions)) if batch.weights is None else batch.weights[positions]
        part = replace(batch, raw_rows=batch.raw_rows[positions], weights=weights, label_prior=None, codes=None)
        return _RowsAndWeights(((part.rows, weights),))


def _clip_far_rows(rows: ND, weights: ND, start: ColumnScales, origin: D, max_clipped_weight: float) -> ColumnScales:
    """Return mean and variance of columns (n, c) without far rows; a pass that leaves out too many rows is undone.

    ``weights`` (n, c) are those of the values that decide; ``origin`` (c,) is the data's zero.
    """
    scales, is_active = start, np.ones(rows.shape[1], dtype=bool)
    for _ in range(_MAX_CLIP_PASSES):
        near_weights = weights * (np.abs(rows - scales.mean) <= _CLIP_DEVIATIONS * np.sqrt(scales.variance))
        clipped = _weighted_scales(rows, near_weights, scales.mean)
        is_active &= (weights - near_weights).sum(axis=0) <= max_clipped_weight
        is_active &= _is_varying(clipped, origin)
        is_settled = clipped.variance > _SETTLED_RATIO * scales.variance
        scales = ColumnScales(*(np.where(is_active, new, old) for new, old in zip(clipped, scales, strict=True)))
        is_active &= ~is_settled
        if not is_active.any():
            break
    return scales


def _clip_rows_far_from_uncommon_values(
    rows: ND, weights: ND, start: ColumnScales, origin: D, max_clipped_weight: float
) -> ColumnScales:
    """Return the same where values that most rows have are never far, and say nothing about how far is far."""
    is_common = _is_common_value(rows, weights[:, 0])
    if not is_common.any():
        return _clip_far_rows(rows, weights, start, origin, max_clipped_weight)
    others = _clip_far_rows(rows, np.where(is_common, 0.0, weights), start, origin, max_clipped_weight)
    is_near = np.abs(rows - others.mean) <= _FINAL_CLIP_DEVIATIONS * np.sqrt(others.variance)
    found = _weighted_scales(rows, weights * (is_near | is_common), others.mean)
    is_clipped = (others.variance < start.variance) & _is_varying(found, origin)
    return ColumnScales(*(np.where(is_clipped, new, old) for new, old in zip(found, start, strict=True)))


def _is_varying(scales: ColumnScales, origin: D) -> BoolN:
    """Return which columns (c,) vary by more than the rounding errors of one value."""
    return np.asarray(np.sqrt(scales.variance) > _MIN_RELATIVE_DEVIATION * np.abs(scales.mean - origin))


def _is_common_value(rows: ND, weights: N) -> BoolNK:
    """Return which values (n, c) are one that more than half of the weight of their column has."""
    is_median = rows == weighted_medians(rows, weights)
    return np.asarray(is_median & (weights @ is_median > 0.5 * weights.sum()))


def weighted_medians(values: ND, weights: N) -> D:
    """Return the lower weighted median of each column (c,) of values (n, c) with weights (n,)."""
    order = np.argsort(values, axis=0, kind="stable")
    positions = np.argmax(np.cumsum(weights[order], axis=0) >= 0.5 * weights.sum(), axis=0)
    columns = np.arange(values.shape[1])
    return np.asarray(values[order[positions, columns], columns])


def _weighted_scales(rows: ND, weights: ND, centers: D) -> ColumnScales:
    """Return mean and variance of columns (n, c) with a weight for each value; sums are about ``centers`` (c,)."""
    total = weights.sum(axis=0)
    total = np.where(total > 0, total, 1.0)
    differences = rows - centers
    shift = (weights * differences).sum(axis=0) / total
    return ColumnScales(centers + shift, (weights * (differences - shift) ** 2).sum(axis=0) / total)
