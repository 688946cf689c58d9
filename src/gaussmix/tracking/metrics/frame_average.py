"""Averages over frames of a distance between sets of points, such as OSPA or GOSPA."""

from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import Any, TypeVar

import numpy as np

from gaussmix.errors import TrackInputError
from gaussmix.tracking.metrics.gospa import GOSPA
from gaussmix.tracking.metrics.ospa import OSPA
from gaussmix.types import ArrayLike

_Distance = TypeVar("_Distance", OSPA, GOSPA)


def average_over_frames(
    distance: Callable[..., _Distance], estimated: Sequence[ArrayLike], true: Sequence[ArrayLike], **parameters: Any
) -> _Distance:
    """Return the average of a distance, and of each of its parts, over frames.

    Frames in which both sets are empty count as 0.

    Parameters
    ----------
    distance : callable
        `ospa` or `gospa`.
    estimated, true : sequence of array-like of shape (n_t, p)
        The sets of each frame, such as ``table.split_points(1, 100)``; [] if a set is empty.
    **parameters
        Parameters of the distance, such as ``cutoff``.

    Raises
    ------
    TrackInputError
        If there are no frames, or different numbers of them.

    Examples
    --------
    >>> from gaussmix.tracking import average_over_frames, ospa
    >>> average_over_frames(ospa, [[[0.0, 4.0]], []], [[[0.0, 0.0]], []], cutoff=10.0).distance
    2.0
    """
    if len(estimated) != len(true):
        raise TrackInputError.different_n_frames("estimated", len(estimated), "true", len(true))
    if not len(estimated):
        raise TrackInputError.no_frames()
    values = [distance(first, second, **parameters) for first, second in zip(estimated, true, strict=True)]
    columns: Any = zip(*map(astuple, values), strict=True)
    averages: list[Any] = [None if column[0] is None else float(np.mean(column)) for column in columns]
    return type(values[0])(*averages)
