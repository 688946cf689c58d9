"""Fit the frame of a source: centered near the mean of its rows, scaled near their deviation, both without far rows."""

from typing import NamedTuple

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.column_sums import ColumnSums
from gaussmix.core.frame import ColumnRange, frame_from_mean_and_deviation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.model.robust_scales import ColumnScales, robust_column_scales
from gaussmix.model.source_checks import check_batches_and_compute_range
from gaussmix.sources import AbstractSource
from gaussmix.types import D


class FramedSource(NamedTuple):
    """A source in a fitted frame, and there moments and range of its columns.

    ``total_moments`` are the diagonal moments of all rows as one group, ``column_variances`` (D,) the variances without
    far rows.
    """

    source: AbstractSource
    total_moments: Moments
    column_range: ColumnRange
    column_variances: D


def fit_frame(source: AbstractSource, scale_per_column: bool) -> FramedSource:
    """Return the source in a frame near its mean and deviations, and moments and range of its columns there.

    Parameters
    ----------
    source : AbstractSource
    scale_per_column : bool
        Scale each column on its own, or all columns by the same factor.
    """
    data_range = check_batches_and_compute_range(source)
    corners = np.array([data_range.minimum, data_range.maximum])
    bounding_frame = data_range.bounding_frame(scale_per_column)
    bounded = source.with_frame(bounding_frame).with_label_prior(None)
    sums = bounded.reduce(ColumnSums.from_batch)
    all_rows = ColumnScales(sums.mean, sums.variance)
    bounded_range = ColumnRange(*bounding_frame.transform_rows(corners))
    scales = robust_column_scales(bounded, all_rows, bounded_range, sums.kurtosis)
    frame = frame_from_mean_and_deviation(bounding_frame, scales.mean, np.sqrt(scales.variance), scale_per_column)
    framed = source.with_frame(frame)
    exponents = frame.total_exponent - bounding_frame.total_exponent
    if (sums.is_centered).all():
        mean = frame.transform_means_from(bounding_frame, sums.mean)
        variance = np.ldexp(sums.variance, 2 * exponents)
    else:  # rounding has cost digits
        sums = framed.with_label_prior(None).reduce(ColumnSums.from_batch)
        mean, variance = sums.mean, sums.variance
    mass = np.array([sums.weight])
    total_moments = Moments(mass, mean[None], (variance * mass)[None], MomentKind.DIAGONAL)
    has_far_rows = scales.variance < all_rows.variance
    column_variances = np.where(has_far_rows, np.ldexp(scales.variance, 2 * exponents), variance)
    return FramedSource(framed, total_moments, ColumnRange(*frame.transform_rows(corners)), column_variances)


def column_range(batch: Batch) -> ColumnRange:
    """Return the minimum and the maximum of each column of a batch, in the frame; rows of weight zero do not count."""
    return ColumnRange.from_rows(batch.positive_weight_rows)
