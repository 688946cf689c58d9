"""``check_innovations``: whether detections differ from their predictions as much as the model says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.kalman import predict_states, prepare_update, score_pairs
from gaussmix.tracking.target_model import TargetModel
from gaussmix.types import ND, IntN, N

_TAIL = 0.01  # fraction of right innovations beyond the limit of the tail


@dataclass(frozen=True)
class InnovationTest:
    """Normalised innovations squared of all tracks against their chi-square distribution.

    Attributes
    ----------
    n_innovations : int
        Number of detections of tracks with a prediction.
    n_measured : int
        Degrees of freedom m of each: columns of a detection.
    mean : float
        Mean of the normalised innovations squared; m is expected. NaN without innovations.
    p_value : float
        Two-sided probability of a mean at least as far from m, if the model is right.
    tail_fraction : float
        Fraction beyond the 99 % quantile of the distribution; 0.01 is expected.
    """

    n_innovations: int
    n_measured: int
    mean: float
    p_value: float
    tail_fraction: float

    @property
    def ratio(self) -> float:
        """Mean divided by its expectation: above 1 if detections scatter more than the model says."""
        return self.mean / self.n_measured


def check_innovations(
    model: TargetModel, estimates: Sequence[Estimates], scans: Sequence[ND], steps: N
) -> InnovationTest:
    """Compare the innovations of tracks with what the model predicts.

    An innovation is the difference of a detection and its prediction from the scan before. Its squared Mahalanobis
    distance has a chi-square distribution if noise and motion are right (Bar-Shalom, Li & Kirubarajan, *Estimation with
    Applications to Tracking and Navigation*, 2001, section 5.4.2).

    Parameters
    ----------
    model : TargetModel
        The model of the filter.
    estimates : sequence of Estimates
        What the filter reported of each scan.
    scans : sequence of arrays of shape (n, m)
        Detections of each scan.
    steps : array of shape (n_scans,)
        Time before each scan.

    Returns
    -------
    InnovationTest
    """
    squares = [
        _squared_innovations(model, before, after, scan, step)
        for before, after, scan, step in zip(estimates[:-1], estimates[1:], scans[1:], steps[1:].tolist(), strict=True)
    ]
    values = np.concatenate(squares) if squares else np.zeros(0)
    n_measured, n_values = model.sensor.n_measured, len(values)
    if not n_values:
        return InnovationTest(0, n_measured, math.nan, math.nan, math.nan)
    freedom, total = n_values * n_measured, float(values.sum())
    p_value = 2.0 * min(float(special.chdtr(freedom, total)), float(special.chdtrc(freedom, total)))
    limit = float(special.chdtri(n_measured, _TAIL))
    return InnovationTest(n_values, n_measured, total / n_values, min(p_value, 1.0), float((values > limit).mean()))


def _squared_innovations(model: TargetModel, before: Estimates, after: Estimates, scan: ND, step: float) -> N:
    """Return the squared Mahalanobis distances of detections of a scan whose objects were reported before it."""
    first, second = _match_labels(before, after)
    detections = after.detections[second]
    first, detections = first[detections >= 0], detections[detections >= 0]
    if not len(first):
        return np.zeros(0)
    layout = model.motion.layout
    predicted = predict_states(model.motion, before.states[first], before.covariances[first], step)
    update = prepare_update(model.sensor, layout, predicted.means, predicted.covariances)
    return score_pairs(model.sensor, update, np.arange(len(first)), scan[detections]).squared_distances


def _match_labels(before: Estimates, after: Estimates) -> tuple[IntN, IntN]:
    """Return the positions of objects that both report."""
    _, first, second = np.intersect1d(before.labels, after.labels, return_indices=True)
    return first, second
