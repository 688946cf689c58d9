"""The volume of the data, over which noise is spread: that of mclust, or a given one.

mclust takes the smaller of two volumes: that of the box along the columns, and that of the box along
the principal components (its ``hypvol``). The latter are those of the columns as they are, so this volume
does not change with a unit common to all columns, but may with units of single ones.
"""

import math
import numbers
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import ColumnRange
from gaussmix.core.linalg import eigh_descending
from gaussmix.core.moments import MomentKind
from gaussmix.core.quadratics import CentersModel
from gaussmix.errors import DataError, ParameterError
from gaussmix.model.noise import Box
from gaussmix.model.problem import Problem
from gaussmix.types import DD, D

_MIN_RELATIVE_SIDE = 1e-12  # a side this small a part of the widest is made by rounding


def check_noise_parameter(noise: object) -> None:
    """ParameterError unless noise is None, True, False or a volume."""
    if noise is None or isinstance(noise, (bool, np.bool_)):
        return
    if not isinstance(noise, numbers.Real) or not 0.0 < float(noise) < np.inf:
        raise ParameterError.invalid_value("noise", noise, "None, True, False or a volume: a finite number above 0")


def make_noise_box(problem: Problem, noise: object) -> Box | None:
    """The box that noise fills, as a user asks for it: none, that of mclust (True), or of a volume in the data's units.

    A box lies about the centre of the data, scaled to its volume.

    Raises
    ------
    DataError
        If a column has one value only, so that the data fill no volume.
    """
    check_noise_parameter(noise)
    if noise is None or noise in (False, np.False_):
        return None
    if problem.constant_columns:
        names = problem.feature_names or [str(j) for j in range(problem.source.n_features)]
        raise DataError.zero_volume([names[j] for j in problem.constant_columns])
    box = Box(problem.column_range.minimum, problem.column_range.maximum)
    if not isinstance(noise, (bool, np.bool_)):
        return box.with_log_volume(math.log(float(noise)) + problem.source.frame.log_abs_det_jacobian)  # type: ignore[arg-type]
    principal = _principal_log_volume(problem)
    return box.with_log_volume(principal) if principal < box.log_volume else box


@dataclass(frozen=True)
class _RangeAlongAxes:
    """The smallest and largest coordinate of a batch along axes (D, D, columns) through a mean (D,)."""

    mean: D
    axes: DD

    def __call__(self, batch: Batch) -> ColumnRange:
        return ColumnRange.from_rows((batch.positive_weight_rows - self.mean) @ self.axes)


def _principal_log_volume(problem: Problem) -> float:
    """Log volume of the box along the principal components, in the frame; infinite where rounding makes a side."""
    frame = problem.source.frame
    common = frame.with_common_scale()
    source = problem.source.with_frame(common).with_label_prior(None)
    start = CentersModel.uniform(np.ldexp(problem.total_moments.mean, common.total_exponent - frame.total_exponent))
    moments = replace(problem, source=source).e_step(start, MomentKind.FULL).moments
    axes = eigh_descending(moments.scatter)[1][0]
    mean = moments.mean[0]
    extent = source.reduce(_RangeAlongAxes(mean, axes))
    sides = extent.maximum - extent.minimum
    if not sides.min() > _MIN_RELATIVE_SIDE * sides.max():
        return math.inf
    return float(np.log(sides).sum()) - common.log_abs_det_jacobian + frame.log_abs_det_jacobian
