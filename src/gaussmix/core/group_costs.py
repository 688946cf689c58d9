"""Groups of agglomerative clustering as arrays, and what each adds to a sum that merges increase the least.

Between two merges Python costs far more than the arithmetic of a few hundred groups. An agglomerator (`engines`)
therefore makes all merges without Python.
"""

from dataclasses import dataclass
from enum import IntEnum

from gaussmix.types import Array, K


class GroupCostKind(IntEnum):
    """Which function of its moments a group adds to the sum."""

    TRACE = 0  # trace of the scatter
    SPHERICAL_VOLUME = 1  # mass log((trace + mean variance) / mass)
    DETERMINANT_AND_TRACE = 2  # mass log(determinant of the covariance + (trace + mean variance) / mass)
    REGULARIZED_DETERMINANT = 3  # mass log of the determinant of the covariance under a prior
    REGULARIZED_VARIANCES = 4  # mass times the summed logs of the variances under a prior
    REGULARIZED_TRACE = 5  # mass log of the trace of the covariance under a prior


@dataclass(frozen=True)
class GroupCost:
    """The function that every group adds, with its constants.

    A scatter with ``prior_scatter`` added to its diagonal is divided by the mass plus ``prior_mass``.
    ``mean_variance`` keeps logarithms of single rows finite. A pivot of an elimination below
    ``relative_pivot_tolerance`` times its diagonal entry is rounding error, and so is one below ``min_pivot``.
    """

    kind: GroupCostKind
    mean_variance: float
    prior_scatter: float
    prior_mass: float
    relative_pivot_tolerance: float
    min_pivot: float


@dataclass(frozen=True)
class GroupMoments:
    """Moments of m groups: mass (m,), mean (D, m), trace of the scatter (m,), and scatter (D, D, m), (D, m) or None.

    Costs of variances need the diagonals of the scatter, (D, m), and costs of determinants its upper triangles. Without
    scatter, determinants count as zero and the prior alone makes up the covariance.
    """

    mass: K
    mean: Array
    trace: K
    scatter: Array | None
