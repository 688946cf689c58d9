"""First guesses of a recording's scales: how far objects move between scans, and how far detections scatter.

Objects make more pairs of near detections in successive scans than chance does. The distance at which the excess over
chance is most significant is the scale of their displacements; that of second differences is the scale of the noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from gaussmix.model.gaussian_algebra import mahalanobis_radius
from gaussmix.tracking.model_fitting.far_detections import find_far_detections
from gaussmix.types import ND, Array, N

_N_RADII = 40
_TYPICAL_PROBABILITY = 0.9  # that a displacement or an error is below the radius of the largest excess
_MAX_SCANS = 300  # spread evenly; more change little
_NOISE_PER_SECOND_DIFFERENCE = 1.0 / math.sqrt(6.0)  # of z(k+2) - 2 z(k+1) + z(k), for independent errors


@dataclass(frozen=True)
class InitialScales:
    """First guesses.

    Attributes
    ----------
    displacement : float
        Typical displacement along one axis in one step.
    noise_std : float
        Typical error of a detection along one axis.
    n_objects : float
        Expected number of objects in a scan.
    low, high : arrays of shape (p,)
        Corners of the region.
    """

    displacement: float
    noise_std: float
    n_objects: float
    low: N
    high: N

    @property
    def volume(self) -> float:
        """Volume of the region."""
        return float(np.prod(self.high - self.low))


def guess_scales(scans: Sequence[ND]) -> InitialScales:
    """Return first guesses from the detections (n, p) of at least three successive scans; far ones do not count."""
    is_far = find_far_detections(np.concatenate(scans))
    borders = np.cumsum([len(scan) for scan in scans])[:-1]
    scans = [scan[~far] for scan, far in zip(scans, np.split(is_far, borders), strict=True)]
    low, high = bound_region(scans)
    volume, n_axes = math.prod((high - low).tolist()), len(low)
    starts = np.unique(np.linspace(0, len(scans) - 3, min(_MAX_SCANS, len(scans) - 2)).astype(int)).tolist()
    radii = math.sqrt(float(((high - low) ** 2).sum())) * np.geomspace(1e-5, 0.5, _N_RADII)
    trees = {k: cKDTree(scans[k]) for start in starts for k in range(start, start + 3) if len(scans[k])}
    pairs = _count_excess(
        radii, volume, n_axes, [(scans[k], trees[k + 1]) for k in starts if k in trees and k + 1 in trees]
    )
    reach, n_objects = _find_scale(radii, pairs)
    extrapolations = []
    for k in starts:
        if all(k + i in trees for i in range(3)):
            first, second = _pair_within(trees[k], trees[k + 1], reach)
            predicted = 2.0 * scans[k + 1][second] - scans[k][first]
            extrapolations.append((predicted, trees[k + 2]))
    spread, _ = _find_scale(radii, _count_excess(radii, volume, n_axes, extrapolations))
    per_axis = 1.0 / mahalanobis_radius(_TYPICAL_PROBABILITY, n_axes)
    noise_std = spread * per_axis * _NOISE_PER_SECOND_DIFFERENCE
    return InitialScales(reach * per_axis, noise_std, n_objects / max(len(starts), 1), low, high)


def bound_region(scans: Sequence[ND]) -> tuple[N, N]:
    """Return the corners of the box of all detections, widened by what a uniform sample would leave at its borders."""
    rows = np.concatenate([scan for scan in scans if len(scan)])
    low, high = rows.min(axis=0), rows.max(axis=0)
    span = high - low
    span = np.where(span > 0, span, max(float(span.max()), 1.0))
    margin = span / max(len(rows) - 1, 1)
    return low - margin, low + span + margin


def _pair_within(first: cKDTree, second: cKDTree, radius: float) -> tuple[Array, Array]:
    """Return the positions of all pairs of points of two trees within a radius."""
    lists = first.query_ball_tree(second, radius)
    counts = [len(found) for found in lists]
    return np.repeat(np.arange(len(lists)), counts), np.array([j for found in lists for j in found], dtype=np.int64)


Excess = tuple[N, N]


def _count_excess(radii: N, volume: float, n_axes: int, sets: Sequence[tuple[ND, cKDTree]]) -> Excess:
    """Return how many pairs lie within each radius beyond chance, and the standard deviation of that number."""
    found, expected = np.zeros(len(radii)), np.zeros(len(radii))
    ball = math.pi ** (n_axes / 2) / math.gamma(n_axes / 2 + 1) * radii**n_axes
    for points, tree in sets:
        if len(points):
            distances, _ = tree.query(points)  # the nearest only: a point has one successor
            found += np.searchsorted(np.sort(distances), radii, side="right")
            expected += len(points) * -np.expm1(-np.minimum(ball / volume, 1.0) * tree.n)
    return found - expected, np.sqrt(np.maximum(expected, 1.0))


def _find_scale(radii: N, excess: Excess) -> tuple[float, float]:
    """Return the radius at which the excess is most significant, and the excess there, at least 1."""
    number, deviation = excess
    best = int(np.argmax(number / deviation))
    return float(radii[best]), max(float(number[best]), 1.0)
