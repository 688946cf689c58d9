"""Two sets of points: parsing, and their distances in units of the cutoff."""

import math
from typing import NamedTuple

import numpy as np

from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError, TrackInputError
from gaussmix.tracking.track_columns import require_finite, to_floats
from gaussmix.types import ND, NK, ArrayLike


class PointSets(NamedTuple):
    """Estimated points (n, p) and true points (m, p)."""

    estimated: ND
    true: ND


def parse_point_sets(estimated: ArrayLike, true: ArrayLike) -> PointSets:
    """Return two sets of points; an empty set may have any number of coordinates.

    Raises
    ------
    TrackInputError
        If a set is no table of finite numbers, or the sets have different numbers of coordinates.
    """
    first, second = _parse_points(estimated, "estimated"), _parse_points(true, "true")
    if len(first) and len(second) and first.shape[1] != second.shape[1]:
        raise TrackInputError.different_dimensions(first.shape[1], second.shape[1])
    return PointSets(first, second)


def _parse_points(points: ArrayLike, name: str) -> ND:
    """Return a set of points (n, p) as float64."""
    array = to_floats(name, points)
    if array.size == 0 and array.ndim < 2:
        return array.reshape(0, 0)
    if array.ndim != 2:
        raise TrackInputError.not_points(name, array.shape)
    require_finite(name, array)
    return array


def require_cutoff_and_order(cutoff: float, order: float) -> None:
    """Raise ParameterError unless the cutoff is positive and the order is finite and at least 1."""
    if not is_number_in(cutoff, 0.0, math.inf):
        raise ParameterError.invalid_value("cutoff", cutoff, "a finite number above 0, in the unit of the positions")
    if not is_number_in(order, 1.0, math.inf, includes_low=True):
        raise ParameterError.invalid_value("order", order, "a finite number of at least 1")


def relative_distances(first: ND, second: ND, cutoff: float) -> NK:
    """Return the distances (n, m) of all points of two sets, divided by the cutoff, at most 1."""
    if not len(first) or not len(second):
        return np.empty((len(first), len(second)))
    return limit_distances(first[:, np.newaxis], second, cutoff)


def limit_distances(first: ND, second: ND, cutoff: float) -> NK:
    """Return the Euclidean distances (...) of points (..., p), divided by the cutoff, at most 1.

    Differences are divided before they are squared, so that units do not matter. Those that overflow are beyond every
    cutoff.
    """
    with np.errstate(over="ignore", under="ignore"):
        relative = (first - second) / cutoff
        return np.asarray(np.minimum(np.sqrt(np.sum(relative * relative, axis=-1)), 1.0))
