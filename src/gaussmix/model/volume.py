"""The volume of the data, over which noise is spread: that of mclust, or a given one.

mclust takes the smaller of two volumes: that of the box along the columns, and that of the box along
the principal components (its ``hypvol``). The latter are those of the columns as they are, so this volume
does not change with a unit common to all columns, but may with units of single ones.
"""

import math
from dataclasses import replace

import numpy as np

from gaussmix.core.frame import Extent
from gaussmix.core.linalg import symmetric_eigen
from gaussmix.core.moments import MomentKind
from gaussmix.errors import DataError
from gaussmix.model.noise import Box
from gaussmix.model.problem import Problem, flat

_ROUNDING = 1e-12  # a side this small a part of the widest is made by rounding


def box_of(problem: Problem, volume: float | None = None) -> Box:
    """The box of the data about its centre, scaled to a volume: the given one in the data's units, or mclust's.

    Raises
    ------
    DataError
        If a column has one value only, so that the data fill no volume.
    """
    if problem.constant_columns:
        names = problem.feature_names or [str(j) for j in range(problem.source.n_features)]
        raise DataError.no_volume([names[j] for j in problem.constant_columns])
    box = Box(problem.extent.low, problem.extent.high)
    if volume is not None:
        return box.scaled(math.log(volume) + problem.source.frame.log_volume)
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
