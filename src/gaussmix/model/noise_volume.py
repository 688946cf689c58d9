"""The box of the noise component, whose volume is that of mclust or given by the user.

mclust uses the smaller of two volumes (its ``hypvol``): that of the box along the columns, and that of the box along
the principal components. The principal components are those of unscaled columns. Rescaling all columns by the same
factor leaves the noise unchanged; rescaling a single column may change its volume.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import ColumnRange, Frame
from gaussmix.core.linalg import eigh_descending
from gaussmix.core.moments import MomentKind
from gaussmix.core.quadratics import CentersModel
from gaussmix.core.scalar_checks import is_bool, is_number_in
from gaussmix.errors import DataError, ParameterError
from gaussmix.model.frame_fitting import column_range
from gaussmix.model.noise import Box, Noise
from gaussmix.model.problem import Problem
from gaussmix.types import DD, D

_MIN_RELATIVE_SIDE = 1e-12  # a shorter side, relative to the longest, is rounding error


def check_noise_parameter(noise: object) -> None:
    """Raise a ParameterError unless ``noise`` is None, True, False or a volume."""
    if noise is None or is_bool(noise):
        return
    if not is_number_in(noise, 0.0, np.inf):
        raise ParameterError.invalid_value("noise", noise, "None, True, False or a volume: a finite number above 0")


def make_noise_box(problem: Problem, noise: object) -> Box | None:
    """Return the box of the noise component in the frame, None if there is no noise.

    Parameters
    ----------
    problem : Problem
    noise : None, bool or float
        None or False: no noise. True: the volume of mclust. A number: the volume in the data's units. The box
        has the center and the proportions of the data.

    Raises
    ------
    ParameterError
        If ``noise`` is anything else.
    DataError
        If a column is constant, so that the data have no volume.
    """
    check_noise_parameter(noise)
    if noise is None or noise in (False, np.False_):
        return None
    if problem.constant_columns:
        names = problem.feature_names or [str(j) for j in range(problem.source.n_features)]
        raise DataError.zero_volume([names[j] for j in problem.constant_columns])
    box = Box(problem.column_range.minimum, problem.column_range.maximum)
    if not is_bool(noise):
        log_volume = math.log(float(noise)) + problem.source.frame.log_abs_det_jacobian  # type: ignore[arg-type]
        return box.with_log_volume(log_volume, has_given_volume=True)
    principal = _log_volume_along_principal_axes(problem)
    return box.with_log_volume(principal) if principal < box.log_volume else box


def log_data_volume(problem: Problem) -> float:
    """Return the log volume that noise=True takes of the rows that are not far, in the frame.

    Return minus infinity if a column of these rows is constant.
    """
    if problem.constant_columns:
        return -math.inf
    near = problem.near_rows_problem
    if near is not None:
        problem = replace(near, column_range=near.source.reduce(column_range))
    box = make_noise_box(problem, True)
    assert box is not None
    return box.log_volume


def noise_parameter_of(noise: Noise | None, frame: Frame) -> bool | float | None:
    """Return the parameter ``noise`` of the fit that made a noise component: None, True, or the volume that was given.

    The volume is in the data's units, rounded to 12 digits: its logarithm is stored, which rounds the last ones.
    """
    if noise is None or not noise.box.has_given_volume:
        return None if noise is None else True
    return float(f"{noise.volume_in_data_units(frame):.12g}")


@dataclass(frozen=True)
class _RangeAlongAxes:
    """A task for a source: the range of the rows of a batch along the columns of ``axes`` (D, D), from ``mean``."""

    mean: D
    axes: DD

    def __call__(self, batch: Batch) -> ColumnRange:
        return ColumnRange.from_rows((batch.positive_weight_rows - self.mean) @ self.axes)


def _log_volume_along_principal_axes(problem: Problem) -> float:
    """Return the log volume of the box around the rows along their principal components, in the frame.

    Return infinity if a side is so short that rounding determines it.
    """
    frame = problem.source.frame
    common = frame.with_common_scale()
    source = problem.source.with_frame(common).with_label_prior(None)
    center = np.ldexp(problem.total_moments.mean, common.total_exponent - frame.total_exponent)
    moments = replace(problem, source=source).e_step(CentersModel.uniform(center), MomentKind.FULL).moments
    axes = eigh_descending(moments.scatter)[1][0]
    mean = moments.mean[0]
    axis_range = source.reduce(_RangeAlongAxes(mean, axes))
    sides = axis_range.maximum - axis_range.minimum
    if not sides.min() > _MIN_RELATIVE_SIDE * sides.max():
        return math.inf
    return float(np.log(sides).sum()) - common.log_abs_det_jacobian + frame.log_abs_det_jacobian
