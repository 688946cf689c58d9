"""Centers and scales of transformed columns: mean and standard deviation by class-free moments of sorted values."""

from typing import NamedTuple

import numpy as np

from gaussmix.types import N


class CenterAndScale(NamedTuple):
    """Mean and standard deviation of a column."""

    center: float
    scale: float


def center_and_scale(values: N, weights: N) -> CenterAndScale:
    """Return mean and standard deviation of present values (m,) with weights (m,), in any order."""
    order = np.lexsort((weights, values))
    values, weights = values[order], weights[order]
    size = float(np.abs(values).max()) or 1.0
    scaled, fractions = values / size, weights / weights.sum()
    center = float(fractions @ scaled)
    deviation = float(np.sqrt(fractions @ (scaled - center) ** 2))
    return CenterAndScale(size * center, size * deviation or 1.0)
