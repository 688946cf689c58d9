"""Inputs and results of k-means runs: a whole run of Lloyd's algorithm as arrays, for an engine that runs it at once.

Between two passes Python costs ten times as much as the pass over few rows. A runner of k-means (`engines`) therefore
makes many iterations without Python, and the solver's loop continues from there if something is left to do.
"""

from dataclasses import dataclass
from typing import NamedTuple

from gaussmix.types import KD, ND, Array, IntN, K, N


class NearestCenters(NamedTuple):
    """The nearest center of each row, the first of equals, and the squared distance to it, (n,) each."""

    labels: IntN
    squared_distances: N


@dataclass(frozen=True)
class LloydRunInput:
    """The input of a run of Lloyd's algorithm.

    Attributes
    ----------
    rows : ndarray of shape (n, D)
        Rows in working coordinates. Nobody may change them.
    row_weights : ndarray of shape (n,) or None
        None counts each row once.
    centers : ndarray of shape (K, D)
        Initial centers.
    squared_movement_tolerance : float
        The run stops when the summed squared movement of the centers is at most this.
    squared_rounding : float
        A summed squared movement per coordinate of at most this times the largest squared coordinate, or times the mean
        squared distance, is rounding and counts as 0.
    relocates_empty : bool
        Whether the run stops before an iteration with an empty cluster, which the solver's loop relocates. Otherwise
        the center of an empty cluster stays.
    max_iter : int
    finds_nearest_centers : bool, default=False
        Whether the result has the nearest of the last centers for each row.
    """

    rows: ND
    row_weights: N | None
    centers: KD
    squared_movement_tolerance: float
    squared_rounding: float
    relocates_empty: bool
    max_iter: int
    finds_nearest_centers: bool = False


@dataclass(frozen=True)
class LloydRunResult:
    """The result of a run of Lloyd's algorithm.

    Attributes
    ----------
    centers : ndarray of shape (K, D)
        Centers after the last complete iteration: the means of its clusters.
    masses : ndarray of shape (K,)
        Total weight of the rows of these clusters; 0 where the center has stayed.
    objectives : ndarray of shape (n_iter,)
        Minus half the inertia before each iteration.
    has_converged : bool
    nearest_centers : NearestCenters or None
        The last center that is nearest to each row, if the input asks for it and Python has nothing left to do.
    """

    centers: KD
    masses: K
    objectives: Array
    has_converged: bool
    nearest_centers: NearestCenters | None = None
