"""The OSPA distance of two sets of points, and OSPA(2) of two sets of tracks."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.errors import TrackInputError
from gaussmix.tracking.metrics.frame_pairs import iterate_frame_pairs
from gaussmix.tracking.metrics.labels import index_labels
from gaussmix.tracking.metrics.point_sets import (
    limit_distances,
    parse_point_sets,
    relative_distances,
    require_cutoff_and_order,
)
from gaussmix.tracking.track_table import TrackTable
from gaussmix.types import NK, ArrayLike


@dataclass(frozen=True)
class OSPA:
    """An OSPA distance and its parts, in the unit of the positions.

    With the order p, ``distance**p == localization**p + cardinality**p``. For p = 1 the parts add up to the distance.

    Attributes
    ----------
    distance : float
        From 0 for equal sets to the cutoff.
    localization : float
        The part of the distances between assigned points.
    cardinality : float
        The part of the different numbers of points, each of which costs the cutoff.
    """

    distance: float
    localization: float
    cardinality: float


def ospa(estimated: ArrayLike, true: ArrayLike, cutoff: float = 100.0, order: float = 1) -> OSPA:
    """Return the optimal subpattern assignment distance of two sets of points.

    Parameters
    ----------
    estimated : array-like of shape (n, p)
        Estimated positions; [] if there are none.
    true : array-like of shape (m, p)
        True positions, in the same unit.
    cutoff : float, default=100.0
        The largest distance of two points, and the cost of a point too many or too few.
    order : float, default=1
        Power of the average, at least 1.

    Returns
    -------
    OSPA
        0 if both sets are empty; the cutoff if one of them is.

    Raises
    ------
    TrackInputError
        If a set is no table of finite numbers, or the sets have different numbers of coordinates.
    ParameterError
        If ``cutoff`` or ``order`` is not allowed.

    References
    ----------
    Schuhmacher, Vo & Vo, "A consistent metric for performance evaluation of multi-object filters", IEEE Transactions on
    Signal Processing 56, 2008, equations 3 and 4.

    Examples
    --------
    >>> from gaussmix.tracking import ospa
    >>> ospa([[0.0, 3.0]], [[0.0, 0.0], [50.0, 50.0]], cutoff=10.0)
    OSPA(distance=6.5, localization=1.5, cardinality=5.0)
    """
    require_cutoff_and_order(cutoff, order)
    sets = parse_point_sets(estimated, true)
    return _assign(relative_distances(sets.estimated, sets.true, cutoff), cutoff, order)


def ospa2(estimated: TrackTable, true: TrackTable, cutoff: float = 100.0, order: float = 1) -> OSPA:
    """Return the OSPA(2) distance of two sets of tracks, which also counts exchanged and broken identities.

    The distance of two tracks is the average over the frames in which at least one of them exists. A frame counts the
    distance of the positions, at most the cutoff; with one position it counts the cutoff. Labels need not agree.

    Parameters
    ----------
    estimated, true : TrackTable
        The tracks of a window of frames, such as ``table.select_frames(41, 50)``. Boxes count by their centers.
    cutoff : float, default=100.0
        The largest distance of two tracks, and the cost of a track too many or too few.
    order : float, default=1
        Power of the average over tracks, at least 1.

    Raises
    ------
    TrackEvaluationError
        If a row has no label.
    TrackInputError
        If the positions have different numbers of coordinates.
    ParameterError
        If ``cutoff`` or ``order`` is not allowed.

    References
    ----------
    Beard, Vo & Vo, "OSPA(2): using the OSPA metric to evaluate multi-target tracking performance", ICCAIS 2017; "A
    solution for large-scale multi-object tracking", IEEE Transactions on Signal Processing 68, 2020, section IV.
    """
    require_cutoff_and_order(cutoff, order)
    first, second = estimated.points, true.points
    if len(first) and len(second) and first.shape[1] != second.shape[1]:
        raise TrackInputError.different_dimensions(first.shape[1], second.shape[1])
    return _assign(_track_distances(estimated, true, cutoff), cutoff, order)


def _track_distances(estimated: TrackTable, true: TrackTable, cutoff: float) -> NK:
    """Return the average distances (n, m) of tracks in units of the cutoff."""
    first, second = index_labels(estimated, "estimated"), index_labels(true, "true")
    first_points, second_points = estimated.points, true.points
    n_pairs = first.n_labels * second.n_labels
    total, n_common = np.zeros(n_pairs), np.zeros(n_pairs)
    for rows in iterate_frame_pairs(estimated.frame, true.frame):
        pair = first.of_row[rows.first] * second.n_labels + second.of_row[rows.second]
        distances = limit_distances(first_points[rows.first], second_points[rows.second], cutoff)
        total += np.bincount(pair, distances, n_pairs)
        n_common += np.bincount(pair, minlength=n_pairs)
    shape = (first.n_labels, second.n_labels)
    n_frames = np.add.outer(first.n_rows, second.n_rows)
    n_either = n_frames - n_common.reshape(shape)
    n_one = n_either - n_common.reshape(shape)
    return np.asarray((total.reshape(shape) + n_one) / n_either)


def _assign(distances: NK, cutoff: float, order: float) -> OSPA:
    """Return the OSPA distance of sets whose distances (n, m) are in units of the cutoff."""
    n_largest = max(distances.shape)
    if n_largest == 0:
        return OSPA(0.0, 0.0, 0.0)
    costs = distances**order
    localization = float(costs[linear_sum_assignment(costs)].sum()) / n_largest
    cardinality = abs(distances.shape[0] - distances.shape[1]) / n_largest
    return OSPA(*(cutoff * part ** (1 / order) for part in (localization + cardinality, localization, cardinality)))
