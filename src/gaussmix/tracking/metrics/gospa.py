"""The GOSPA distance of two sets of points: errors of position, missed and false points."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError
from gaussmix.tracking.metrics.point_sets import parse_point_sets, relative_distances, require_cutoff_and_order
from gaussmix.types import NK, ArrayLike

_SPLIT_ALPHA = 2.0  # with it a missed point costs the same as a false one


@dataclass(frozen=True)
class GOSPA:
    """A GOSPA distance and its parts, in the unit of the positions.

    With the order p, ``distance**p == localization**p + cardinality**p``. For alpha = 2, moreover,
    ``cardinality**p == missed**p + false**p``. For other alpha the two are None, because a point farther than the
    cutoff from its partner is then no missed and false point.

    Attributes
    ----------
    distance : float
        0 for equal sets; it grows with the number of points.
    localization : float
        The part of the distances between assigned points.
    cardinality : float
        The part of the points without partner.
    missed, false : float or None
        The parts of true points without estimate, and of estimates without true point.
    """

    distance: float
    localization: float
    cardinality: float
    missed: float | None
    false: float | None


def gospa(estimated: ArrayLike, true: ArrayLike, cutoff: float, order: float = 2, alpha: float = 2) -> GOSPA:
    """Return the generalized optimal subpattern assignment distance of two sets of points.

    Parameters
    ----------
    estimated : array-like of shape (n, p)
        Estimated positions; [] if there are none.
    true : array-like of shape (m, p)
        True positions, in the same unit.
    cutoff : float
        The largest distance of two points.
    order : float, default=2
        Power of the sum, at least 1.
    alpha : float, default=2
        A point too many or too few costs ``cutoff**order / alpha``; above 0 and at most 2. Only alpha = 2 splits the
        cost into missed and false points, other values have one cardinality part.

    Raises
    ------
    TrackInputError
        If a set is no table of finite numbers, or the sets have different numbers of coordinates.
    ParameterError
        If ``cutoff``, ``order`` or ``alpha`` is not allowed.

    References
    ----------
    Rahmathullah, García-Fernández & Svensson, "Generalized optimal sub-pattern assignment metric", FUSION 2017,
    definition 1 and proposition 1.

    Examples
    --------
    >>> from gaussmix.tracking import gospa
    >>> gospa([[0.0, 3.0]], [[0.0, 0.0], [50.0, 50.0]], cutoff=8.0, order=1)
    GOSPA(distance=7.0, localization=3.0, cardinality=4.0, missed=4.0, false=0.0)
    """
    require_cutoff_and_order(cutoff, order)
    if not (is_number_in(alpha, 0.0, _SPLIT_ALPHA) or alpha == _SPLIT_ALPHA):
        raise ParameterError.invalid_value("alpha", alpha, "a number above 0 and at most 2")
    sets = parse_point_sets(estimated, true)
    distances = relative_distances(sets.estimated, sets.true, cutoff)
    return _sum_parts(distances, cutoff, order, alpha)


def _sum_parts(distances: NK, cutoff: float, order: float, alpha: float) -> GOSPA:
    """Return the GOSPA distance of sets whose distances (n, m) are in units of the cutoff."""
    costs = distances**order
    assigned = costs[linear_sum_assignment(costs)]
    n_estimated, n_true = distances.shape
    missed = false = None
    if alpha == _SPLIT_ALPHA:
        assigned = assigned[assigned < 1.0]  # a pair at the cutoff costs as much as a missed and a false point
        missed, false = ((n - len(assigned)) / alpha for n in (n_true, n_estimated))
        cardinality = missed + false
    else:
        cardinality = abs(n_estimated - n_true) / alpha
    localization = float(np.sum(assigned))
    total, *parts = (cutoff * part ** (1 / order) for part in (localization + cardinality, localization, cardinality))
    split = (None if part is None else cutoff * part ** (1 / order) for part in (missed, false))
    return GOSPA(total, *parts, *split)
