"""The volume of the data, over which noise is spread: that of mclust, or a given one.

mclust takes the smaller of two volumes: that of the box along the columns, and that of the box along
the principal components (its ``hypvol``). The latter are those of the columns as they are, so this volume
does not change with a unit common to all columns, but may with units of single ones.
"""

import math
import numbers
from dataclasses import replace

import numpy as np

from gaussmix.core.frame import Extent
from gaussmix.core.linalg import symmetric_eigen
from gaussmix.core.moments import MomentKind
from gaussmix.errors import DataError, ParameterError
from gaussmix.model.noise import Box
from gaussmix.model.problem import Problem, flat

_ROUNDING = 1e-12  # a side this small a part of the widest is made by rounding


def require_noise(noise: object) -> None:
    """ParameterError unless noise is None, True, False or a volume."""
    if noise is None or isinstance(noise, (bool, np.bool_)):
        return
    if not isinstance(noise, numbers.Real) or not 0.0 < float(noise) < np.inf:
        raise ParameterError.value("noise", noise, "None, True, False or a volume: a finite number above 0")


def box_of(problem: Problem, noise: object) -> Box | None:
    """The box that noise fills, as a user asks for it: none, that of mclust (True), or of a volume in the data's units.

    A box lies about the centre of the data, scaled to its volume.

    Raises
    ------
    DataError
        If a column has one value only, so that the data fill no volume.
    """
    require_noise(noise)
    if noise is None or noise in (False, np.False_):
        return None
    if problem.constant_columns:
        names = problem.feature_names or [str(j) for j in range(problem.source.n_features)]
        raise DataError.no_volume([names[j] for j in problem.constant_columns])
    box = Box(problem.extent.low, problem.extent.high)
    if not isinstance(noise, (bool, np.bool_)):
        return box.scaled(math.log(float(noise)) + problem.source.frame.log_volume)  # type: ignore[arg-type]
    principal = _principal_log_volume(problem)
    return box.scaled(principal) if principal < box.log_volume else box


def _principal_log_volume(problem: Problem) -> float:
    """Log volume of the box along the principal components, in the frame; infinite where rounding makes a side."""
    frame = problem.source.frame
    common = frame.common()
    source = problem.source.framed(common).hinted(None)
    start = flat(np.ldexp(problem.total.mean, common.total_exponent - frame.total_exponent))
    moments = replace(problem, source=source).expect(start, MomentKind.FULL).moments
    axes = symmetric_eigen(moments.scatter)[1][0]
    mean = moments.mean[0]
    extent = source.reduce(lambda batch: Extent.of((batch.counted - mean) @ axes))
    sides = extent.high - extent.low
    if not sides.min() > _ROUNDING * sides.max():
        return math.inf
    return float(np.log(sides).sum()) - common.log_volume + frame.log_volume
