"""Fit the frame of a source: centered near the mean of its rows, scaled near their deviation, both without far rows."""

from typing import NamedTuple

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import ColumnRange, frame_from_mean_and_deviation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines import AbstractEngine
from gaussmix.model.robust_scales import ColumnScales, robust_column_scales
from gaussmix.model.source_checks import check_batches_and_compute_range
from gaussmix.sources import AbstractSource
from gaussmix.types import D, K


class FramedSource(NamedTuple):
    """A source in a fitted frame, and there moments and range of its columns.

    ``total_moments`` are the diagonal moments of all rows as one group, ``column_variances`` (D,) the variances without
    far rows.
    """

    source: AbstractSource
    total_moments: Moments
    column_range: ColumnRange
    column_variances: D


class _ColumnMoments(NamedTuple):
    """Mean (D,) and variance (D,) of each column, and the total weight (1,)."""

    mean: D
    variance: D
    total_weight: K


def fit_frame(source: AbstractSource, engine: AbstractEngine, scale_per_column: bool) -> FramedSource:
    """Return the source in a frame near its mean and deviations, and moments and range of its columns there.

    Parameters
    ----------
    source : AbstractSource
    engine : AbstractEngine
    scale_per_column : bool
        Scale each column on its own, or all columns by the same factor.
    """
    data_range = check_batches_and_compute_range(source)
    corners = np.array([data_range.minimum, data_range.maximum])
    bounding_frame = data_range.bounding_frame(scale_per_column)
    bounded = source.with_frame(bounding_frame)
    mean, variance, _ = _column_means_and_variances(bounded, engine)
    all_rows = ColumnScales(mean, variance)
    scales = robust_column_scales(bounded, all_rows, ColumnRange(*bounding_frame.transform_rows(corners)))
    frame = frame_from_mean_and_deviation(bounding_frame, scales.mean, np.sqrt(scales.variance), scale_per_column)
    framed = source.with_frame(frame)
    mean, variance, mass = _column_means_and_variances(framed, engine)
    total_moments = Moments(mass, mean[None], (variance * mass)[None], MomentKind.DIAGONAL)
    exponents = frame.total_exponent - bounding_frame.total_exponent
    has_far_rows = scales.variance < all_rows.variance
    column_variances = np.where(has_far_rows, np.ldexp(scales.variance, 2 * exponents), variance)
    return FramedSource(framed, total_moments, ColumnRange(*frame.transform_rows(corners)), column_variances)


def _column_means_and_variances(source: AbstractSource, engine: AbstractEngine) -> _ColumnMoments:
    """Return the mean (D,) and variance (D,) of each column, and the total weight (1,), in the source's frame."""
    model = CentersModel.uniform(np.zeros((1, source.n_features)))
    moments = engine.bind(source.with_label_prior(None)).e_step(model, MomentKind.DIAGONAL).moments
    variance = np.maximum(moments.scatter[0], 0.0) / moments.mass[0]
    return _ColumnMoments(moments.mean[0], variance, moments.mass)


def column_range(batch: Batch) -> ColumnRange:
    """Return the minimum and the maximum of each column of a batch, in the frame; rows of weight zero do not count."""
    return ColumnRange.from_rows(batch.positive_weight_rows)
