"""Results of steps within M-steps; variances are in units of the floor, or in those of the frame without a floor."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaussmix.types import DD, KD, KDD, Array, BoolK


class ClippedVariances(NamedTuple):
    """Variances raised to the floor, and which of them were below it, of the same shape."""

    variances: Array
    was_below_floor: NDArray[np.bool_]


class FlooredVariances(NamedTuple):
    """Variances (K, D), and which components have one at the floor (K,)."""

    variances: KD
    is_floored: BoolK


class CommonAxesVariances(NamedTuple):
    """Variances (K, D) along common axes (D, D, in columns), and which components have one at the floor (K,)."""

    variances: KD
    axes: DD
    is_floored: BoolK


class CommonAxesOptimum(NamedTuple):
    """The objective F that is minimised, and the variances and common axes where it is reached."""

    objective: float
    fitted: CommonAxesVariances


class JacobiSweep(NamedTuple):
    """Scatter matrices (K, D, D) along the rotated axes, these axes (D, D), and the largest angle of a rotation."""

    rotated_scatter: KDD
    axes: DD
    largest_angle: float
